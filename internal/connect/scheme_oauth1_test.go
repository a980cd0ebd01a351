package connect_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const oauth1Auth = `
  - scheme: OAUTH1
    request_token_url: $URL/request
    authorize_url: $URL/authorize
    access_token_url: $URL/access
    authorize_params: {perms: write}
    token: {account_id: user_id}
`

// threeLegs is a provider of OAuth 1 that knows one temporary token and one that stays.
func threeLegs(a asked) (int, string) {
	proof := a.Header.Get("Authorization")
	switch {
	case !strings.HasPrefix(proof, "OAuth ") || !strings.Contains(proof, `oauth_consumer_key="consumer-1"`):
		return 401, "oauth_problem=consumer_key_unknown"
	case a.Path == "/request" && strings.Contains(proof, `oauth_callback="https%3A%2F%2Fpatchbay.example%2Fapi%2Fv3.1%2Ftoolkits%2Fauth%2Fcallback"`):
		return 200, "oauth_token=temporary-1&oauth_token_secret=temporary-hidden&oauth_callback_confirmed=true"
	case a.Path == "/access" && strings.Contains(proof, `oauth_token="temporary-1"`) && strings.Contains(proof, `oauth_verifier="right"`):
		return 200, "oauth_token=stays-1&oauth_token_secret=stays-hidden&user_id=u-1&screen_name=ann"
	}
	return 401, "oauth_problem=token_rejected&oauth_problem_advice=" + url.QueryEscape("not with "+proof)
}

func TestOAuth1ThreeLegs(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, oauth1Auth, threeLegs)
	provider.me = `{}`
	c := b.config("issued", connect.OAuth1, map[string]string{"consumer_key": "consumer-1", "consumer_secret": "consumer-hidden"})
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	to := b.press(l, "browser-1", nil)
	if to != provider.URL+"/authorize?oauth_token=temporary-1&perms=write" {
		t.Fatal(to)
	}
	// The way back may lead to another node: what it needs is in the store.
	other := newService(t, b.options)
	step, err := other.FinishCallback(b.ctx, connect.CallbackParams{State: "temporary-1", Verifier: "right"}, "browser-1", origin)
	must(t, err)
	a := b.account(l.Account.ID)
	if step.View.Status != connect.Active || a.Values["oauth_token"].Reveal() != "stays-1" || a.Identity.ID != "u-1" || !a.TokenExpiry.IsZero() {
		t.Fatalf("%+v %+v", step, a)
	}

	cred, err := other.Credential(b.ctx, b.caller, a)
	must(t, err)
	if cred.Fields["account_id"] != "u-1" || len(cred.Header) != 0 {
		t.Errorf("%v", cred.Fields)
	}
	seen := map[string]bool{}
	for range 2 {
		r, err := http.NewRequest("POST", "https://api.example/x?a=1", bytes.NewReader([]byte(`{}`)))
		must(t, err)
		must(t, cred.Apply(r))
		proof := r.Header.Get("Authorization")
		if !strings.Contains(proof, `oauth_token="stays-1"`) || !strings.Contains(proof, "oauth_signature=") || seen[proof] {
			t.Error(proof)
		}
		seen[proof] = true
	}
	unsignable, err := http.NewRequest("GET", "https://api.example/x?a=1;b", nil)
	must(t, err)
	wantFault(t, cred.Apply(unsignable), fault.Invalid, fault.SlugAccountInvalid, "cannot be signed")
	hides(t, []string{b.log.String(), to}, "hidden")

	_, err = other.FinishCallback(b.ctx, connect.CallbackParams{State: "temporary-1", Verifier: "right"}, "browser-1", origin)
	if err == nil {
		t.Error("the temporary token works twice")
	}
}

func TestOAuth1Refusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		back   connect.CallbackParams
		reason string
	}{
		"denied":         {connect.CallbackParams{State: "temporary-1", Error: "access_denied"}, "Access was not allowed"},
		"no verifier":    {connect.CallbackParams{State: "temporary-1"}, "without a verifier"},
		"wrong verifier": {connect.CallbackParams{State: "temporary-1", Verifier: "wrong-verifier"}, "token_rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newIssuedBed(t, oauth1Auth, threeLegs)
			c := b.config("issued", connect.OAuth1, map[string]string{"consumer_key": "consumer-1", "consumer_secret": "consumer-hidden"})
			l := b.link(connect.NewLink{AuthConfigID: c.ID})
			b.press(l, "browser-1", nil)
			step, err := b.FinishCallback(b.ctx, test.back, "browser-1", origin)
			must(t, err)
			if a := b.account(l.Account.ID); step.View.Status != connect.Failed || a.Status != connect.Failed || !strings.Contains(a.StatusReason, test.reason) {
				t.Errorf("%s %s", a.Status, a.StatusReason)
			}
			hides(t, []string{b.account(l.Account.ID).StatusReason, b.log.String()}, "wrong-verifier", "temporary-1", "hidden")
		})
	}
}

func TestOAuth1WrongConsumerAndImport(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, oauth1Auth, threeLegs)
	provider.me = `{}`
	c := b.config("issued", connect.OAuth1, map[string]string{"consumer_key": "unknown", "consumer_secret": "consumer-hidden"})
	_, step := b.byForm(c, nil)
	if !strings.Contains(faultsOf(step), "consumer_key_unknown") {
		t.Errorf("%+v", step)
	}
	_, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"oauth_token": "t"}})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "oauth_token_secret")
	a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"oauth_token": "t", "oauth_token_secret": "s"}})
	must(t, err)
	if a.Status != connect.Active {
		t.Error(a.Status)
	}
}
