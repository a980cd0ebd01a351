package connect_test

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestOAuthLink(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.RedirectURI = origin + "/api/v3.1/toolkits/auth/callback"
	c := b.oauthConfig("acme")

	l := b.link(connect.NewLink{AuthConfigID: c.ID, CallbackURL: "https://app.example/done?tab=2&tab=1#top"})
	if l.Account.Status != connect.Initializing || !strings.HasPrefix(l.URL, origin+"/link/lt_") || l.Request.ExpiresAt.Sub(b.clock.Now()) != 10*time.Minute {
		t.Fatalf("unexpected link: %s %s %s", l.Account.Status, l.URL, l.Request.ExpiresAt)
	}
	v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if v.ToolkitName != "Acme" || v.ProjectName != "Example Project" || v.UserID != "user_1" || !v.Redirects || v.Status != connect.Initiated {
		t.Errorf("unexpected page: %+v", v)
	}
	if diff := cmp.Diff([]string{"read", "write"}, v.Scopes); diff != "" {
		t.Error(diff)
	}

	authorize := b.press(l, "browser-1", nil)
	u, err := url.Parse(authorize)
	must(t, err)
	q := u.Query()
	if q.Get("scope") != "read write" || q.Get("access_type") != "offline" || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 43 {
		t.Errorf("unexpected consent page: %s", authorize)
	}
	step, err := b.FinishCallback(b.ctx, params(b.provider.Consent(t, authorize, ann)), "browser-1", "https://other.example")
	must(t, err)
	if want := "https://app.example/done?tab=2&tab=1&status=success&connected_account_id=" + l.Account.ID + "#top"; step.Redirect != want {
		t.Errorf("redirect %s, want %s", step.Redirect, want)
	}

	a := b.account(l.Account.ID)
	if a.Status != connect.Active || a.StatusReason != "" || !a.TokenExpiry.Equal(b.clock.Now().Add(time.Hour)) || !a.ConnectedAt.Equal(b.clock.Now()) {
		t.Errorf("unexpected account: %+v", a)
	}
	if diff := cmp.Diff(connect.Identity{ID: "p1", Name: "Ann Lee", Email: "ann@example.com"}, a.Identity); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"INITIALIZING > INITIATED", "INITIATED > ACTIVE"}, *b.statuses); diff != "" {
		t.Error(diff)
	}
	cred, err := b.Credential(b.ctx, b.caller, a)
	must(t, err)
	if got := cred.Header["Authorization"].Reveal(); got != "Bearer "+a.Values["access_token"].Reveal() {
		t.Errorf("credential is not the token: %s", got)
	}
}

func TestLinkOfKeyToolkit(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	key, _ := b.provider.Issue(ann)
	c := b.config("keyed", connect.APIKey, nil)
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if len(v.Fields) != 3 || v.Fields[0].Title != "Secret key" || !v.Fields[0].Secret || v.Fields[0].Help != "https://keyed.example/keys" || v.Redirects {
		t.Fatalf("unexpected fields: %+v", v)
	}

	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"size": "big"})
	must(t, err)
	if diff := cmp.Diff(map[string]string{"key": "Secret key is required.", "size": "Size must be a number."}, step.Faults); diff != "" {
		t.Fatal(diff)
	}
	step, err = b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"key": "wrong"})
	must(t, err)
	if !strings.Contains(step.Faults["key"], "does not accept") {
		t.Fatalf("a refused key is no fault: %+v", step)
	}
	step, err = b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"key": " " + key + " ", "undeclared": "x"})
	must(t, err)
	if step.View.Status != connect.Active || step.View.Identity.Name != "Ann Lee" || step.Redirect != "" {
		t.Fatalf("not connected: %+v", step)
	}
	a := b.account(l.Account.ID)
	if _, kept := a.Values["undeclared"]; kept {
		t.Error("the page let a field through that it did not ask for")
	}
	cred, err := b.Credential(b.ctx, b.caller, a)
	must(t, err)
	if cred.Header["X-Acme-Key"].Reveal() != key || cred.Header["X-Region"].Reveal() != "eu" || cred.Fields["region"] != "eu" {
		t.Errorf("unexpected credential: %+v", cred.Fields)
	}
	if _, leaked := cred.Fields["key"]; leaked {
		t.Error("a secret is offered to URLs")
	}
	_, err = b.OpenLink(b.ctx, l.Token, "browser-1")
	wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
}

func TestLinkAttacks(t *testing.T) {
	t.Parallel()
	t.Run("the callback comes from another browser, or without a cookie", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		for _, browser := range []string{"browser-2", ""} {
			_, err := b.FinishCallback(b.ctx, params(back), browser, origin)
			wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
		}
		if a := b.account(l.Account.ID); a.Status != connect.Initiated || len(a.Values) > 0 || len(b.provider.Requests("/token")) != 0 {
			t.Errorf("account is %s: %s", a.Status, a.StatusReason)
		}
		step, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		if step.View.Status != connect.Active {
			t.Errorf("the browser that began cannot finish any more: %+v", step)
		}
	})
	t.Run("a key form is posted many times at once", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		_, key := b.provider.Issue(ann)
		l := b.link(connect.NewLink{AuthConfigID: b.config("tenant", connect.APIKey, nil).ID})
		form := map[string]string{"site": "shop", "key": key}
		_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		must(t, err)
		var wg sync.WaitGroup
		var connected, used atomic.Int32
		for range 8 {
			wg.Go(func() {
				switch step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, form); {
				case err == nil && step.View.Status == connect.Active:
					connected.Add(1)
				case fault.From(err).Slug == fault.SlugLinkUsed:
					used.Add(1)
				default:
					t.Errorf("%+v, %v", step, err)
				}
			})
		}
		wg.Wait()
		if connected.Load() != 1 || used.Load() != 7 {
			t.Errorf("%d posts connected, %d were told that the link is used", connected.Load(), used.Load())
		}
		if a := b.account(l.Account.ID); a.Status != connect.Active {
			t.Errorf("account is %s: %s", a.Status, a.StatusReason)
		}
	})
	t.Run("the account cannot be stored", func(t *testing.T) {
		t.Parallel()
		broken := &brokenStore{}
		b := newBed(t, func(o *connect.Options) { broken.Store, o.Store = o.Store, broken })
		l := b.link(connect.NewLink{AuthConfigID: b.config("tenant", connect.APIKey, nil).ID})
		form := map[string]string{"site": "shop", "key": "k"}
		_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		must(t, err)
		broken.broken.Store(true)
		if _, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, form); err == nil {
			t.Error("connected an account that is not stored")
		}
		broken.broken.Store(false)
		step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, form)
		if err != nil || step.View.Status != connect.Active {
			t.Errorf("the link is lost with the try: %+v, %v", step, err)
		}
	})
	t.Run("a second browser presses the button", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		first := b.press(l, "browser-1", nil)
		_, err := b.SubmitLink(b.ctx, l.Token, "browser-2", origin, nil)
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
		_, err = b.OpenLink(b.ctx, l.Token, "browser-2")
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
		step, err := b.FinishCallback(b.ctx, params(b.provider.Consent(t, first, ann)), "browser-1", origin)
		must(t, err)
		if step.View.Status != connect.Active {
			t.Error("the first browser was disturbed")
		}
	})
	t.Run("a mail filter opens the link first", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		_, err := b.OpenLink(b.ctx, l.Token, "filter")
		must(t, err)
		if step := b.signIn(l, ann); step.View.Status != connect.Active {
			t.Errorf("%+v", step)
		}
	})
	t.Run("the callback is replayed", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		_, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		before := b.account(l.Account.ID)
		_, err = b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
		_, err = b.FinishCallback(b.ctx, params(back), "browser-2", origin)
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
		if diff := cmp.Diff(before.Version, b.account(l.Account.ID).Version); diff != "" {
			t.Errorf("the account was written again: %s", diff)
		}
	})
	t.Run("the callback comes many times at once", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		var wg sync.WaitGroup
		var connected, used atomic.Int32
		for range 10 {
			wg.Go(func() {
				_, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
				switch {
				case err == nil:
					connected.Add(1)
				case fault.From(err).Slug == fault.SlugLinkUsed:
					used.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if connected.Load() != 1 || used.Load() != 9 || len(b.provider.Requests("/token")) != 1 {
			t.Errorf("%d connected, %d used, %d codes exchanged", connected.Load(), used.Load(), len(b.provider.Requests("/token")))
		}
		if a := b.account(l.Account.ID); a.Status != connect.Active {
			t.Errorf("account is %s: %s", a.Status, a.StatusReason)
		}
	})
	t.Run("an older state after the button was pressed again", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		old := b.provider.Consent(t, b.press(l, "browser-1", nil), bob)
		again := b.press(l, "browser-1", nil)
		_, err := b.FinishCallback(b.ctx, params(old), "browser-1", origin)
		wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
		step, err := b.FinishCallback(b.ctx, params(b.provider.Consent(t, again, ann)), "browser-1", origin)
		must(t, err)
		if step.View.Identity.ID != ann.ID {
			t.Errorf("connected %+v", step.View.Identity)
		}
	})
	t.Run("a state that nobody gave out", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		for _, state := range []string{"", "st_made-up"} {
			_, err := b.FinishCallback(b.ctx, connect.CallbackParams{State: state, Code: "c"}, "browser-1", origin)
			wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
		}
	})
	t.Run("another server answers", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		p := params(b.provider.Consent(t, b.press(l, "browser-1", nil), ann))
		p.Issuer = "https://evil.example"
		step, err := b.FinishCallback(b.ctx, p, "browser-1", origin)
		must(t, err)
		if step.View.Status != connect.Failed || len(b.provider.Requests("/token")) != 0 {
			t.Errorf("the code went out: %+v", step)
		}
	})
	t.Run("the declared server answers", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		p := params(b.provider.Consent(t, b.press(l, "browser-1", nil), ann))
		p.Issuer = "https://acme.example"
		step, err := b.FinishCallback(b.ctx, p, "browser-1", origin)
		must(t, err)
		if step.View.Status != connect.Active {
			t.Errorf("%+v", step)
		}
	})
	t.Run("the link is too old", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		b.clock.Move(10 * time.Minute)
		_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		wantFault(t, err, fault.Gone, fault.SlugLinkExpired)
		_, err = b.SubmitLink(b.ctx, l.Token, "browser-1", origin, nil)
		wantFault(t, err, fault.Gone, fault.SlugLinkExpired)
		if a := b.account(l.Account.ID); a.Status != connect.Expired || a.StatusReason == "" {
			t.Errorf("account is %s: %s", a.Status, a.StatusReason)
		}
	})
	t.Run("the callback is too late", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		b.clock.Move(10 * time.Minute)
		_, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		wantFault(t, err, fault.Gone, fault.SlugLinkExpired)
		if a := b.account(l.Account.ID); a.Status != connect.Expired {
			t.Errorf("account is %s", a.Status)
		}
	})
	t.Run("a token that nobody gave out", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		_, err := b.OpenLink(b.ctx, "lt_made-up", "browser-1")
		wantFault(t, err, fault.NotFound, fault.SlugLinkNotFound)
	})
	t.Run("callback URLs that are no web pages", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		c := b.oauthConfig("acme")
		for _, callback := range []string{
			"javascript:alert(1)", "data:text/html,x", "//evil.example", "/relative", "file:///etc/passwd", "https://user:pass@evil.example/", "JavaScript://evil.example/%0aalert(1)",
		} {
			_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: callback})
			wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "callback_url")
		}
	})
	t.Run("the user names the host that gets the client secret", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		c := b.oauthConfig("anyhost")
		_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u"})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "server", "shared_credentials")
		l := b.link(connect.NewLink{AuthConfigID: c.ID, Data: map[string]string{"server": "login.corp.example"}})
		v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		must(t, err)
		if len(v.Fields) > 0 {
			t.Errorf("the page asks for %v", v.Fields)
		}
		if to := b.press(l, "browser-1", map[string]string{"server": "evil.example"}); !strings.HasPrefix(to, "https://login.corp.example/") {
			t.Errorf("sent to %s", to)
		}
	})
	t.Run("the user names another host than the usual one", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("usualhost").ID})
		v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		must(t, err)
		if len(v.Fields) > 0 {
			t.Errorf("the page asks for %v", v.Fields)
		}
		if to := b.press(l, "browser-1", map[string]string{"server": "evil.example"}); !strings.HasPrefix(to, "https://login.usual.example/") {
			t.Errorf("sent to %s", to)
		}
	})
	t.Run("the user names the host that gets the project's key", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		for name, test := range map[string]struct {
			toolkit, scheme string
			config          connect.NewAuthConfig
		}{
			"a key that all accounts share":          {"self", connect.APIKey, connect.NewAuthConfig{Shared: fields("key", "the project's key")}},
			"tokens of the auth config's own client": {"self", connect.S2SOAuth2, connect.NewAuthConfig{Credentials: fields("client_id", "app", "client_secret", "app-secret")}},
		} {
			test.config.Toolkit, test.config.Scheme = test.toolkit, test.scheme
			c, err := b.CreateAuthConfig(b.ctx, b.caller, test.config)
			must(t, err)
			_, err = b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u"})
			if err == nil {
				t.Errorf("%s: the user is asked where it is sent", name)
				continue
			}
			wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "server", "shared_credentials")
			l := b.link(connect.NewLink{AuthConfigID: c.ID, Data: map[string]string{"server": "https://mine.example"}})
			v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
			must(t, err)
			if len(v.Fields) > 0 {
				t.Errorf("%s: the page asks for %v", name, v.Fields)
			}
		}
		own := b.link(connect.NewLink{AuthConfigID: b.config("self", connect.APIKey, nil).ID})
		v, err := b.OpenLink(b.ctx, own.Token, "browser-1")
		must(t, err)
		if len(v.Fields) != 2 {
			t.Errorf("a user's own key goes where the user says; the page asks for %v", v.Fields)
		}
	})
	t.Run("the user breaks out of the host", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("shops").ID})
		for _, shop := range []string{"evil.example/", "evil.example#", "a@evil.example", `evil.example\`, "evil.example:443"} {
			step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"shop": shop})
			must(t, err)
			if step.Redirect != "" || len(step.Faults) == 0 {
				t.Errorf("%q leads to %s", shop, step.Redirect)
			}
		}
		if to := b.press(l, "browser-1", map[string]string{"shop": "my-shop"}); !strings.HasPrefix(to, "https://my-shop.shops.example/authorize?") {
			t.Errorf("sent to %s", to)
		}
	})
}

func TestLinkFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(b *bed)
		answer  func(q url.Values)
		reason  string
	}{
		"denied": {
			answer: func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") },
			reason: "Access was not allowed at Acme.",
		},
		"provider refuses": {
			answer: func(q url.Values) {
				q.Del("code")
				q.Set("error", "invalid_scope")
				q.Set("error_description", "No\nsuch scope")
			},
			reason: "Acme refused: invalid_scope: No such scope",
		},
		"no code": {
			answer: func(q url.Values) { q.Del("code") },
			reason: "without a code",
		},
		"code refused": {
			answer: func(q url.Values) { q.Set("code", "made-up-code") },
			reason: "invalid_grant",
		},
		"wrong client secret": {
			prepare: func(b *bed) { b.provider.ClientSecret = "changed" },
			reason:  "invalid_client",
		},
		"the token does not work": {
			prepare: func(b *bed) {
				b.provider.Token = func(_, _ string, _ connectPerson) any { return map[string]any{"access_token": "useless"} }
			},
			reason: "did not accept it",
		},
		"no token in the answer": {
			prepare: func(b *bed) { b.provider.Token = func(_, _ string, _ connectPerson) any { return map[string]any{} } },
			reason:  "no access token",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID, CallbackURL: "https://app.example/"})
			back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
			if test.prepare != nil {
				test.prepare(b)
			}
			if test.answer != nil {
				test.answer(back)
			}
			step, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
			must(t, err)
			if want := "https://app.example/?status=failed&connected_account_id=" + l.Account.ID; step.Redirect != want {
				t.Errorf("redirect %s, want %s", step.Redirect, want)
			}
			a := b.account(l.Account.ID)
			if a.Status != connect.Failed || !strings.Contains(a.StatusReason, test.reason) {
				t.Errorf("account is %s: %s", a.Status, a.StatusReason)
			}
			_, err = b.OpenLink(b.ctx, l.Token, "browser-1")
			wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
		})
	}
}

func TestIdentityCannotBeFoundOut(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.Fail = failOn("/me", 500, "oops")
	l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
	if step := b.signIn(l, ann); step.View.Status != connect.Active {
		t.Fatalf("the connection failed: %+v", step)
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a := b.connected(c, "user_1", ann)

	t.Run("stays ACTIVE until the new grant is there", func(t *testing.T) {
		l := b.link(connect.NewLink{AccountID: a.ID})
		if l.Account.ID != a.ID || l.Account.Status != connect.Active {
			t.Fatalf("link for %s, which is %s", l.Account.ID, l.Account.Status)
		}
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		if now := b.account(a.ID); now.Status != connect.Active || now.Values["access_token"] != a.Values["access_token"] {
			t.Error("the old grant is gone before the new one is there")
		}
		_, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		if now := b.account(a.ID); now.Status != connect.Active || now.Values["access_token"] == a.Values["access_token"] {
			t.Error("the new grant was not taken")
		}
	})
	t.Run("a refusal leaves the old grant", func(t *testing.T) {
		l := b.link(connect.NewLink{AccountID: a.ID})
		back := b.provider.Consent(t, b.press(l, "browser-1", nil), ann)
		back.Del("code")
		back.Set("error", "access_denied")
		step, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
		must(t, err)
		if now := b.account(a.ID); now.Status != connect.Active || step.View.Status != connect.Failed {
			t.Errorf("account %s, page %s", now.Status, step.View.Status)
		}
	})
	t.Run("another person signs in", func(t *testing.T) {
		b.signIn(b.link(connect.NewLink{AccountID: a.ID}), bob)
		if now := b.account(a.ID); now.Identity.ID != bob.ID || !strings.Contains(now.StatusReason, "it was Ann Lee") {
			t.Errorf("%+v: %s", now.Identity, now.StatusReason)
		}
	})
	t.Run("a dead account is connected anew under its id", func(t *testing.T) {
		_, _, err := b.RevokeAccount(b.ctx, b.caller, a.ID)
		must(t, err)
		l := b.link(connect.NewLink{AuthConfigID: c.ID})
		if l.Account.ID != a.ID || l.Account.Status != connect.Initializing {
			t.Fatalf("link for %s, which is %s; want %s", l.Account.ID, l.Account.Status, a.ID)
		}
		b.signIn(l, ann)
		if now := b.account(a.ID); now.Status != connect.Active {
			t.Errorf("account is %s", now.Status)
		}
	})
	t.Run("a further account gets its own id", func(t *testing.T) {
		l := b.link(connect.NewLink{AuthConfigID: c.ID})
		if l.Account.ID == a.ID {
			t.Fatal("the link is for the account that works")
		}
		b.signIn(l, ann)
		if now := b.account(l.Account.ID); now.Status != connect.Active || !strings.Contains(now.StatusReason, a.ID) {
			t.Errorf("%s: %s", now.Status, now.StatusReason)
		}
	})
	t.Run("the same person connects the same account again", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		c := b.oauthConfig("acme")
		first := b.connected(c, "u", ann)
		again := b.connected(c, "u", ann)
		if again.ID == first.ID || again.Status != connect.Active || !strings.Contains(again.StatusReason, first.ID) {
			t.Errorf("%s is %s: %q", again.ID, again.Status, again.StatusReason)
		}
		if now := b.account(first.ID); now.Status != connect.Active || now.Version != first.Version {
			t.Errorf("the first became %s", now.Status)
		}
		for name, other := range map[string]connect.ConnectedAccount{
			"another person": b.connected(c, "u", bob), "another user": b.connected(c, "v", ann), "another auth config": b.connected(b.oauthConfig("acme"), "u", ann),
		} {
			if other.StatusReason != "" {
				t.Errorf("%s: %q", name, other.StatusReason)
			}
		}
	})
	t.Run("a switched off account is left alone", func(t *testing.T) {
		off := false
		_, err := b.UpdateAccount(b.ctx, b.caller, a.ID, connect.AccountPatch{Enabled: &off})
		must(t, err)
		_, err = b.CreateLink(b.ctx, b.caller, connect.NewLink{AccountID: a.ID})
		wantFault(t, err, fault.Conflict, fault.SlugAccountState)
	})
}

func TestRefreshTokenThatIsGivenOnlyOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.connected(b.oauthConfig("acme"), "user_1", ann)
	b.provider.Change(func() { b.provider.NoRefresh = true })
	b.signIn(b.link(connect.NewLink{AccountID: a.ID}), ann)
	if now := b.account(a.ID); now.Values["refresh_token"] != a.Values["refresh_token"] {
		t.Error("the refresh token of the same person was dropped")
	}
	b.signIn(b.link(connect.NewLink{AccountID: a.ID}), bob)
	if now := b.account(a.ID); !now.Values["refresh_token"].Empty() {
		t.Error("bob's account kept ann's refresh token")
	}
}

func TestLinksThatCannotBeMade(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, other := b.oauthConfig("acme"), b.oauthConfig("acme")
	a := b.connected(c, "u", ann)
	_, err := b.UpdateAccount(b.ctx, b.caller, a.ID, connect.AccountPatch{Alias: &[]string{"work"}[0]})
	must(t, err)
	shops := b.oauthConfig("shops")
	off := false
	disabled := b.oauthConfig("acme")
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, disabled.ID, connect.AuthConfigPatch{Enabled: &off})
	must(t, err)
	for name, test := range map[string]struct {
		n     connect.NewLink
		kind  fault.Kind
		slug  string
		words []string
	}{
		"no such auth config":  {connect.NewLink{AuthConfigID: "ac_none", UserID: "u"}, fault.NotFound, fault.SlugAuthConfigNotFound, nil},
		"disabled":             {connect.NewLink{AuthConfigID: disabled.ID, UserID: "u"}, fault.Unprocessable, fault.SlugAuthConfigInvalid, []string{"disabled"}},
		"no user":              {connect.NewLink{AuthConfigID: c.ID}, fault.Invalid, fault.SlugAccountInvalid, []string{"user_id"}},
		"a user id too long":   {connect.NewLink{AuthConfigID: c.ID, UserID: strings.Repeat("u", 257)}, fault.Invalid, fault.SlugAccountInvalid, []string{"256"}},
		"an alias too long":    {connect.NewLink{AuthConfigID: c.ID, UserID: "u", Alias: strings.Repeat("a", 129)}, fault.Invalid, fault.SlugAccountInvalid, []string{"alias"}},
		"an alias taken":       {connect.NewLink{AuthConfigID: c.ID, UserID: "u", Alias: "work"}, fault.Conflict, fault.SlugAccountInvalid, []string{"work"}},
		"ACL on PRIVATE":       {connect.NewLink{AuthConfigID: c.ID, UserID: "u", ACL: &connect.ACL{AllowAll: true}}, fault.Invalid, fault.SlugAccountInvalid, []string{"acl_config_for_shared is only valid on SHARED"}},
		"the same, anew":       {connect.NewLink{AccountID: a.ID, ACL: &connect.ACL{AllowAll: true}}, fault.Invalid, fault.SlugAccountInvalid, []string{"acl_config_for_shared is only valid on SHARED"}},
		"another's account":    {connect.NewLink{AccountID: a.ID, UserID: "v"}, fault.Invalid, fault.SlugAccountInvalid, []string{"another user"}},
		"another auth config":  {connect.NewLink{AccountID: a.ID, AuthConfigID: other.ID}, fault.Invalid, fault.SlugAccountInvalid, []string{"cannot move"}},
		"no such account":      {connect.NewLink{AccountID: "ca_none"}, fault.NotFound, fault.SlugAccountNotFound, nil},
		"foreign, by callback": {connect.NewLink{AccountID: a.ID, CallbackURL: "ftp://x"}, fault.Invalid, fault.SlugAccountInvalid, []string{"callback_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.CreateLink(b.ctx, b.caller, test.n)
			wantFault(t, err, test.kind, test.slug, test.words...)
		})
	}
	foreign := b.caller
	foreign.ProjectID = "pr_2"
	_, err = b.CreateLink(b.ctx, foreign, connect.NewLink{AuthConfigID: shops.ID, UserID: "u"})
	wantFault(t, err, fault.NotFound, fault.SlugAuthConfigNotFound)
	_, err = b.CreateLink(b.ctx, foreign, connect.NewLink{AccountID: a.ID})
	wantFault(t, err, fault.NotFound, fault.SlugAccountNotFound)
}
