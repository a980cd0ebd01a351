package connect_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const loginAuth = `
  - scheme: BASIC_WITH_JWT
    token_url: $URL/login
    token_json: true
    token: {access_token: data.jwt, account_id: data.tenant}
`

func TestBasicWithJWT(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, loginAuth, always(200, `{"data":{"jwt":"TOKEN","tenant":7},"expires_in":600}`))
	c := b.config("issued", connect.BasicWithJWT, nil)
	form := map[string]string{"username": "ann", "password": "s3cret-word"}
	l, step := b.byForm(c, form)
	if step.View.Status != connect.Active {
		t.Fatal(faultsOf(step))
	}
	asked := provider.last(t)
	if asked.Path != "/login" || asked.Form.Get("username") != "ann" || asked.Form.Get("password") != "s3cret-word" || asked.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", asked.Path, asked.Form)
	}
	cred, err := b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	must(t, err)
	if cred.Header["Authorization"].Reveal() != "Bearer issued-1" || cred.Fields["account_id"] != "7" {
		t.Errorf("%v", cred.Fields)
	}
	b.clock.Move(9 * time.Minute)
	if got := b.authorization(l.Account.ID); got != "Bearer issued-2" {
		t.Error(got)
	}

	provider.answer(always(401, `{"message":"s3cret-word is wrong for ann"}`))
	b.clock.Move(time.Hour)
	_, err = b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	a := b.account(l.Account.ID)
	if err == nil || a.Status != connect.Expired || !strings.Contains(a.StatusReason, "401: [redacted] is wrong") {
		t.Errorf("%v: %s %s", err, a.Status, a.StatusReason)
	}
	_, step = b.byForm(c, form)
	if !strings.Contains(step.Faults["password"], "401") {
		t.Errorf("%v", step.Faults)
	}
	_, err = b.UpdateAccount(b.ctx, b.caller, a.ID, connect.AccountPatch{Values: map[string]string{"password": "another-word"}})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "401")
	hides(t, []string{a.StatusReason, faultsOf(step), b.log.String()}, "s3cret-word")
}

func TestBasicWithJWTByHeader(t *testing.T) {
	t.Parallel()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"u-9","email":"ann@example.com","iat":1000,"exp":1900}`))
	b, provider := newIssuedBed(t, `
  - scheme: BASIC_WITH_JWT
    token_url: $URL/login
    client_auth: basic
`, always(200, `{"token":"e30.`+claims+`.c2ln"}`))
	c := b.config("issued", connect.BasicWithJWT, nil)
	provider.token = "e30." + claims + ".c2ln"
	l, step := b.byForm(c, map[string]string{"username": "ann", "password": "s3cret:word"})
	if !strings.Contains(faultsOf(step), "does not accept") { // the issuer takes only its last token, which is another by now
		t.Fatalf("%+v", step)
	}
	user, password, ok := parseBasic(provider.last(t).Header.Get("Authorization"))
	if !ok || user != "ann" || password != "s3cret:word" || len(provider.last(t).Form) != 0 {
		t.Errorf("%s %v", user, provider.last(t).Form)
	}
	provider.me = `{}`
	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"username": "ann", "password": "s3cret:word"})
	must(t, err)
	a := b.account(l.Account.ID)
	if step.View.Status != connect.Active || !a.TokenExpiry.Equal(b.clock.Now().Add(15*time.Minute)) || a.Identity.ID != "u-9" {
		t.Errorf("%s; the token ends %s; %+v", step.View.Status, a.TokenExpiry, a.Identity)
	}
}
