package connect_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const verifierURL = "https://app.example/verify?tab=1"

// chose makes every project's settings these.
func chose(settings tenant.Settings) func(*connect.Options) {
	return func(o *connect.Options) {
		o.Settings = func(context.Context, string) (tenant.Settings, error) { return settings, nil }
	}
}

// claimed goes the way of a link until the browser stands before the verifier, and gives what it brings along.
func (b *bed) claimed(l connect.Link, who connectPerson) string {
	b.t.Helper()
	return b.claimIn(b.signIn(l, who))
}

func (b *bed) claimIn(step connect.LinkStep) string {
	b.t.Helper()
	u, err := url.Parse(step.Redirect)
	must(b.t, err)
	claim := u.Query().Get("session_uri")
	if !strings.HasPrefix(step.Redirect, verifierURL+"&") || claim == "" || len(u.Query()) != 2 {
		b.t.Fatalf("the browser is sent to %q", step.Redirect)
	}
	return claim
}

func TestApplicationSaysWhoTheUserIs(t *testing.T) {
	t.Parallel()
	b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
	l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID, CallbackURL: "https://app.example/done?x=1"})
	claim := b.claimed(l, ann)

	if a := b.account(l.Account.ID); a.Status != connect.Initiated || !strings.Contains(a.StatusReason, "waiting for the application") || len(a.Values) > 0 {
		t.Errorf("account is %s: %s", a.Status, a.StatusReason)
	}
	if n := len(b.provider.Requests("/token")); n != 0 {
		t.Error("the code was exchanged before anybody said who the user is")
	}
	view, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if !view.Waiting || len(view.Fields) > 0 {
		t.Errorf("the page does not say that it waits: %+v", view)
	}

	done, err := b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
	must(t, err)
	if done.Account.ID != l.Account.ID || done.Account.Status != connect.Active || done.Account.Identity.ID != ann.ID {
		t.Errorf("unexpected account: %+v", done.Account)
	}
	if want := "https://app.example/done?x=1&status=success&connected_account_id=" + l.Account.ID; done.ReturnURL != want {
		t.Errorf("return URL %s, want %s", done.ReturnURL, want)
	}
	_, err = b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
	wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
	_, err = b.OpenLink(b.ctx, l.Token, "browser-1")
	wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
	if log := b.log.String(); strings.Contains(log, strings.TrimPrefix(claim, "urn:patchbay:connection:")) {
		t.Error("the claim is in the log")
	}
}

// TestForwardedLink is what it is all for: somebody makes a link for himself and has another person follow it.
func TestForwardedLink(t *testing.T) {
	t.Parallel()
	b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
	l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID, UserID: "mallory"})
	claim := b.claimed(l, ann)
	_, err := b.CompleteAuth(b.ctx, b.caller, claim, "ann") // the application sees ann sitting there
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongUser, "ann")
	if a := b.account(l.Account.ID); a.Status != connect.Failed || !strings.HasPrefix(a.StatusReason, "IDENTITY_VERIFICATION_FAILED") || len(a.Values) > 0 {
		t.Errorf("account is %s: %s", a.Status, a.StatusReason)
	}
	_, err = b.CompleteAuth(b.ctx, b.caller, claim, "mallory")
	wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
	if n := len(b.provider.Requests("/token")); n != 0 {
		t.Error("the code was exchanged")
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (*bed, connect.Link, string) {
		b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		return b, l, b.claimed(l, ann)
	}
	t.Run("many at once redeem one", func(t *testing.T) {
		t.Parallel()
		b, l, claim := begin(t)
		var wg sync.WaitGroup
		var connected, unknown atomic.Int32
		for range 10 {
			wg.Go(func() {
				switch _, err := b.CompleteAuth(b.ctx, b.caller, claim, "user_1"); {
				case err == nil:
					connected.Add(1)
				case fault.Is(err, fault.NotFound):
					unknown.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if connected.Load() != 1 || unknown.Load() != 9 || len(b.provider.Requests("/token")) != 1 {
			t.Errorf("%d connected, %d unknown", connected.Load(), unknown.Load())
		}
		if a := b.account(l.Account.ID); a.Status != connect.Active {
			t.Errorf("account is %s", a.Status)
		}
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		b, l, claim := begin(t)
		b.clock.Move(10 * time.Minute)
		_, err := b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
		wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
		_, err = b.OpenLink(b.ctx, l.Token, "browser-1")
		wantFault(t, err, fault.Gone, fault.SlugLinkExpired)
		if a := b.account(l.Account.ID); a.Status != connect.Expired {
			t.Errorf("account is %s", a.Status)
		}
	})
	t.Run("another project redeems it", func(t *testing.T) {
		t.Parallel()
		b, _, claim := begin(t)
		_, err := b.CompleteAuth(b.ctx, tenant.Caller{ProjectID: "pr_2"}, claim, "user_1")
		wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
		_, err = b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
		must(t, err)
	})
	t.Run("nonsense", func(t *testing.T) {
		t.Parallel()
		b, l, claim := begin(t)
		for _, uri := range []string{"", "urn:patchbay:connection:", l.Token, strings.TrimPrefix(claim, "urn:patchbay:connection:"), claim + "x"} {
			_, err := b.CompleteAuth(b.ctx, b.caller, uri, "user_1")
			wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
		}
	})
	t.Run("the way back is taken twice", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		first, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		again, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		if !again.View.Waiting || again.Redirect != "" {
			t.Errorf("a second claim was given out: %+v", again)
		}
		_, err = b.FinishCallback(b.ctx, params(back), "browser-2", origin)
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
		step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, nil)
		must(t, err)
		if !step.View.Waiting || step.Redirect != "" {
			t.Errorf("the sign-in begins again: %+v", step)
		}
		_, err = b.CompleteAuth(b.ctx, b.caller, b.claimIn(first), "user_1")
		must(t, err)
	})
	t.Run("the provider does not take the code", func(t *testing.T) {
		t.Parallel()
		b, l, claim := begin(t)
		b.provider.Change(func() { b.provider.Fail = failOn("/token", 400, `{"error":"invalid_grant"}`) })
		_, err := b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
		wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, "invalid_grant")
		if a := b.account(l.Account.ID); a.Status != connect.Failed {
			t.Errorf("account is %s", a.Status)
		}
	})
	t.Run("another server answered", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		p := params(b.provider.Consent(t, b.press(l, "browser-1", nil), ann))
		p.Issuer = "https://evil.example"
		step, err := b.FinishCallback(b.ctx, p, "browser-1", origin)
		must(t, err)
		_, err = b.CompleteAuth(b.ctx, b.caller, b.claimIn(step), "user_1")
		wantFault(t, err, fault.Unprocessable, fault.SlugAccountState)
		if len(b.provider.Requests("/token")) != 0 {
			t.Error("the code went out")
		}
	})
	t.Run("a denial needs nobody's word", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		p := params(b.provider.Consent(t, b.press(l, "browser-1", nil), ann))
		p.Code, p.Error = "", "access_denied"
		step, err := b.FinishCallback(b.ctx, p, "browser-1", origin)
		must(t, err)
		if step.View.Status != connect.Failed || b.account(l.Account.ID).Status != connect.Failed {
			t.Errorf("%+v", step)
		}
	})
	t.Run("an account that works goes on working", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, chose(tenant.Settings{VerifierURL: verifierURL}))
		first := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		_, err := b.CompleteAuth(b.ctx, b.caller, b.claimed(first, ann), "user_1")
		must(t, err)
		before := b.account(first.Account.ID)
		again := b.link(connect.NewLink{AccountID: first.Account.ID})
		_, err = b.CompleteAuth(b.ctx, b.caller, b.claimed(again, bob), "somebody else")
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongUser)
		after := b.account(first.Account.ID)
		if after.Status != connect.Active || after.Values["access_token"].Reveal() != before.Values["access_token"].Reveal() {
			t.Errorf("account is %s", after.Status)
		}
	})
}

func TestTypedFieldsWaitToo(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	key, _ := b.provider.Issue(ann)
	c, err := b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{Toolkit: "keyed", Scheme: connect.APIKey, VerifierURL: verifierURL})
	must(t, err)
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	_, err = b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"key": "wrong"})
	must(t, err)
	if !strings.Contains(step.Faults["key"], "does not accept") {
		t.Fatalf("a refused key is held: %+v", step)
	}
	step, err = b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"key": key})
	must(t, err)
	claim := b.claimIn(step)
	if a := b.account(l.Account.ID); a.Status == connect.Active || len(a.Values) > 0 {
		t.Errorf("connected before the application said who it is: %+v", a)
	}
	done, err := b.CompleteAuth(b.ctx, b.caller, claim, "user_1")
	must(t, err)
	if done.Account.Status != connect.Active || done.Account.Values["key"].Reveal() != key || done.Account.Identity.ID != ann.ID {
		t.Errorf("unexpected account: %+v", done.Account)
	}
}
