package connect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const s2sAuth = `
  - scheme: S2S_OAUTH2
    token_url: $URL/token
    client_auth: basic
    scopes: [read, write]
    token_params: {audience: "{audience}", resource: "{resource}"}
    fields:
      audience: {title: Audience}
      resource: {title: Resource}
`

const s2sToken = `{"access_token":"TOKEN","token_type":"bearer","expires_in":3600,"refresh_token":"never-kept","scope":"read"}`

func TestS2SConnectsAndAsksAgain(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	c := b.config("issued", connect.S2SOAuth2, nil)
	l, step := b.byForm(c, map[string]string{"client_id": "app-1", "client_secret": "app-secret-1", "audience": "https://api.example"})
	if step.View.Status != connect.Active {
		t.Fatalf("%+v", step)
	}
	asked := provider.last(t)
	id, key, ok := requestBasic(asked)
	if !ok || id != "app-1" || key != "app-secret-1" || asked.Form.Get("grant_type") != "client_credentials" ||
		asked.Form.Get("scope") != "read write" || asked.Form.Get("audience") != "https://api.example" || asked.Form.Has("resource") || asked.Form.Has("client_secret") {
		t.Errorf("%v %s %s", asked.Form, id, key)
	}
	a := b.account(l.Account.ID)
	if a.Identity.ID != "p1" || !a.TokenExpiry.Equal(b.clock.Now().Add(time.Hour)) || strings.Join(a.Scopes, " ") != "read" || !a.Values["refresh_token"].Empty() {
		t.Errorf("%+v", a)
	}
	if got := b.authorization(a.ID); got != "Bearer issued-1" {
		t.Error(got)
	}
	b.clock.Move(59 * time.Minute)
	if got := b.authorization(a.ID); got != "Bearer issued-2" {
		t.Errorf("%s; the token was not asked for again ahead of its end", got)
	}
	if got := b.authorization(a.ID); got != "Bearer issued-2" || provider.count() != 2 {
		t.Errorf("%s after %d requests", got, provider.count())
	}
}

func TestS2SClientOfTheAuthConfig(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, strings.Replace(s2sAuth, "client_auth: basic", "client_auth: body", 1), always(200, s2sToken))
	c := b.config("issued", connect.S2SOAuth2, map[string]string{"client_id": "shared", "client_secret": "shared-secret"})
	view, err := b.OpenLink(b.ctx, b.link(connect.NewLink{AuthConfigID: c.ID}).Token, "browser-1")
	must(t, err)
	if got := fieldsOf(view); got != "audience resource" {
		t.Errorf("the page asks for %s", got)
	}
	// A form that names a client of its own does not get the auth config's secret for it.
	_, step := b.byForm(c, map[string]string{"client_id": "mine"})
	if asked := provider.last(t); step.View.Status != connect.Active || asked.Form.Get("client_id") != "shared" || asked.Form.Get("client_secret") != "shared-secret" {
		t.Errorf("%v %v", step, asked.Form)
	}
	a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"client_id": "mine", "client_secret": "my-secret"}})
	must(t, err)
	if asked := provider.last(t); asked.Form.Get("client_id") != "mine" || asked.Form.Get("client_secret") != "my-secret" || a.Status != connect.Active {
		t.Errorf("%v", asked.Form)
	}
}

func TestS2SRefusals(t *testing.T) {
	t.Parallel()
	refusal := always(401, `{"error":"invalid_client","error_description":"app-secret-1 is not the secret of app-1"}`)
	b, provider := newIssuedBed(t, s2sAuth, refusal)
	c := b.config("issued", connect.S2SOAuth2, nil)
	form := map[string]string{"client_id": "app-1", "client_secret": "app-secret-1"}
	l, step := b.byForm(c, form)
	if !strings.Contains(step.Faults["client_secret"], "invalid_client") {
		t.Fatalf("%+v", step)
	}
	_, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: form})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "invalid_client")
	hides(t, []string{faultsOf(step), err.Error(), b.log.String()}, "app-secret-1")

	provider.answer(always(200, s2sToken)) // the same link works once the provider does
	step, err = b.SubmitLink(b.ctx, l.Token, "browser-1", origin, form)
	must(t, err)
	if step.View.Status != connect.Active {
		t.Fatalf("%+v", step)
	}

	provider.answer(always(503, "try later"))
	b.clock.Move(2 * time.Hour)
	_, err = b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "stays connected")
	if got := b.account(l.Account.ID).Status; got != connect.Active {
		t.Fatalf("%s after an outage", got)
	}

	provider.answer(refusal)
	b.clock.Move(time.Hour)
	_, err = b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	a := b.account(l.Account.ID)
	if err == nil || a.Status != connect.Expired || !strings.Contains(a.StatusReason, "invalid_client") {
		t.Errorf("%v: %s %s", err, a.Status, a.StatusReason)
	}
	hides(t, []string{a.StatusReason, err.Error(), b.log.String()}, "app-secret-1")
}

// The auth config's client is that of all accounts: a mistyped secret of it must not end them.
func TestS2SSharedClientRefused(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	c := b.config("issued", connect.S2SOAuth2, map[string]string{"client_id": "shared", "client_secret": "shared-secret"})
	l, _ := b.byForm(c, nil)
	provider.answer(always(401, `{"error":"invalid_client"}`))
	b.clock.Move(2 * time.Hour)
	_, err := b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "client id and secret of the auth config", "stays connected")
	if got := b.account(l.Account.ID).Status; got != connect.Active {
		t.Errorf("the account is %s", got)
	}
}

func TestS2SImportedTokenAlone(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	provider.token = "brought"
	c := b.config("issued", connect.S2SOAuth2, nil)
	a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"access_token": "brought", "expires_in": "60"}})
	must(t, err)
	if got := b.authorization(a.ID); got != "Bearer brought" || provider.count() != 0 {
		t.Errorf("%s after %d requests", got, provider.count())
	}
	provider.token = "another" // the provider takes it no more
	b.clock.Move(2 * time.Minute)
	if _, err := b.Credential(b.ctx, b.caller, b.account(a.ID)); err == nil || b.account(a.ID).Status != connect.Expired {
		t.Errorf("%v: a token that nothing can renew goes on", err)
	}
	_, err = b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"client_id": "app-1"}})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "client_secret")
}

func TestS2SCredentialFromValues(t *testing.T) {
	t.Parallel()
	b, _ := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	toolkit, _ := b.options.Catalog("").Toolkit("issued")
	cred, err := b.CredentialFrom(b.ctx, toolkit, connect.S2SOAuth2, fields("client_id", "app-1", "client_secret", "app-secret-1"))
	must(t, err)
	if got := cred.Header["Authorization"].Reveal(); got != "Bearer issued-1" {
		t.Error(got)
	}
}

// requestBasic reads HTTP Basic of a request that was noted.
func requestBasic(a asked) (id, key string, ok bool) {
	return parseBasic(a.Header.Get("Authorization"))
}

// TestS2SRevokedWhileATokenIsOnItsWay: an account that was ended holds nothing that opens anything, also when the provider answered a
// request for a token only afterwards.
func TestS2SRevokedWhileATokenIsOnItsWay(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	l, _ := b.byForm(b.config("issued", connect.S2SOAuth2, nil), map[string]string{"client_id": "app-1", "client_secret": "app-secret-1"})
	id := l.Account.ID
	provider.answer(func(asked) (int, string) {
		if _, _, err := b.EndAccount(b.ctx, b.caller, id, false); err != nil {
			t.Error(err)
		}
		return 200, s2sToken
	})
	before := b.account(id)
	b.clock.Move(2 * time.Hour)
	if cred, err := b.Credential(b.ctx, b.caller, before); err == nil {
		t.Errorf("a credential of a revoked account: %v", cred.Fields)
	}
	if now := b.account(id); now.Status != connect.Revoked || holdsSecret(now) || !now.TokenExpiry.IsZero() {
		t.Errorf("%s, with a secret: %t, until %v", now.Status, holdsSecret(now), now.TokenExpiry)
	}
}

// TestS2SSwitchedOffWhileATokenIsOnItsWay: the token is kept for when the account is switched on again, and nobody gets it before.
func TestS2SSwitchedOffWhileATokenIsOnItsWay(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	l, _ := b.byForm(b.config("issued", connect.S2SOAuth2, nil), map[string]string{"client_id": "app-1", "client_secret": "app-secret-1"})
	id, off := l.Account.ID, false
	provider.answer(func(asked) (int, string) {
		if _, err := b.UpdateAccount(b.ctx, b.caller, id, connect.AccountPatch{Enabled: &off}); err != nil {
			t.Error(err)
		}
		return 200, s2sToken
	})
	before := b.account(id)
	b.clock.Move(2 * time.Hour)
	_, err := b.Credential(b.ctx, b.caller, before)
	wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, "switched off")
	if now := b.account(id); now.Status != connect.Inactive || now.Values["access_token"].Reveal() != "issued-2" {
		t.Errorf("%s, holding %s", now.Status, now.Values["access_token"].Reveal())
	}
}

// TestS2SReplacedWhileATokenIsOnItsWay: what an account was given meanwhile wins over a token of what it held before.
func TestS2SReplacedWhileATokenIsOnItsWay(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, s2sAuth, always(200, s2sToken))
	l, _ := b.byForm(b.config("issued", connect.S2SOAuth2, nil), map[string]string{"client_id": "app-1", "client_secret": "app-secret-1"})
	before := b.account(l.Account.ID)
	b.clock.Move(2 * time.Hour)
	provider.answer(func(asked) (int, string) {
		_, err := b.store.UpdateAccount(b.ctx, before.ProjectID, before.ID, func(a *connect.ConnectedAccount) error {
			a.Values = fields("client_id", "app-2", "client_secret", "app-secret-2", "access_token", "newer", "expires_in", "3600")
			a.ConnectedAt, a.TokenExpiry = b.clock.Now(), b.clock.Now().Add(time.Hour)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return 200, s2sToken
	})
	if got := b.authorization(before.ID); got != "Bearer newer" {
		t.Error(got)
	}
	if now := b.account(before.ID); now.Values["access_token"].Reveal() != "newer" {
		t.Errorf("the account holds %s", now.Values["access_token"].Reveal())
	}
}
