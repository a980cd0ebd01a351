package connect_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// What an attacker tries with links and callbacks, one test each; the cookie's side of them is in package web, other projects' ids
// at every endpoint are in package api. Mallory is the attacker and has a browser, links and accounts like anybody else.

const (
	annsBrowser     = "anns-browser-0123456789"
	mallorysBrowser = "mallorys-browser-0123456789"
)

var mallory = connectPerson{ID: "p666", Name: "Mallory", Email: "mallory@example.com"}

// begun makes a link and presses its button in a browser.
func (b *bed) begun(userID, browser string) (l connect.Link, consentPage string) {
	b.t.Helper()
	configs, _, err := b.ListAuthConfigs(b.ctx, b.caller, connect.AuthConfigFilter{Toolkits: []string{"acme"}})
	must(b.t, err)
	if len(configs) == 0 {
		configs = []connect.AuthConfig{b.oauthConfig("acme")}
	}
	l = b.link(connect.NewLink{AuthConfigID: configs[0].ID, UserID: userID, CallbackURL: "https://app.example/done?mine=1"})
	return l, b.press(l, browser, nil)
}

// untouched fails the test if an account has got anything.
func (b *bed) untouched(l connect.Link) {
	b.t.Helper()
	if a := b.account(l.Account.ID); a.Status == connect.Active || len(a.Values) > 0 {
		b.t.Errorf("account of %s is %s", a.UserID, a.Status)
	}
}

func (b *bed) finishes(l connect.Link, back url.Values, browser string) {
	b.t.Helper()
	step, err := b.FinishCallback(b.ctx, params(back), browser, origin)
	must(b.t, err)
	if a := b.account(l.Account.ID); a.Status != connect.Active || step.View.Status != connect.Active {
		b.t.Errorf("the rightful sign-in ended as %s: %s", a.Status, a.StatusReason)
	}
}

// Mallory begins a link of her own and has Ann agree at the provider: Ann's account would be Mallory's.
func TestAttackConsentPageForwarded(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l, page := b.begun("mallory", mallorysBrowser)
	back := b.provider.Consent(t, page, ann)
	_, err := b.FinishCallback(b.ctx, params(back), annsBrowser, origin)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	b.untouched(l)
	if n := len(b.provider.Requests("/token")); n > 0 {
		t.Error("Ann's code was exchanged")
	}
}

// Mallory gets hold of a link that Ann has begun.
func TestAttackLinkOpenedByAnotherBrowser(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l, page := b.begun("ann", annsBrowser)
	_, err := b.OpenLink(b.ctx, l.Token, mallorysBrowser)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	_, err = b.SubmitLink(b.ctx, l.Token, mallorysBrowser, origin, nil)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	b.finishes(l, b.provider.Consent(t, page, ann), annsBrowser)
}

// Session fixation: Mallory begins a link and sends it to Ann, so that Ann goes on where Mallory is known.
func TestAttackSessionFixation(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l, _ := b.begun("mallory", mallorysBrowser)
	_, err := b.OpenLink(b.ctx, l.Token, annsBrowser)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	_, err = b.SubmitLink(b.ctx, l.Token, annsBrowser, origin, nil)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	_, err = b.SubmitLink(b.ctx, l.Token, "", origin, nil)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	b.untouched(l)
}

// Mallory reads the address of Ann's callback, from a log for example, before and after Ann is done.
func TestAttackCallbackReplay(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l, page := b.begun("ann", annsBrowser)
	back := b.provider.Consent(t, page, ann)
	for _, browser := range []string{mallorysBrowser, ""} {
		_, err := b.FinishCallback(b.ctx, params(back), browser, origin)
		wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	}
	b.finishes(l, back, annsBrowser)
	version := b.account(l.Account.ID).Version
	_, err := b.FinishCallback(b.ctx, params(back), annsBrowser, origin)
	wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
	_, err = b.FinishCallback(b.ctx, params(back), mallorysBrowser, origin)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	if now := b.account(l.Account.ID); now.Version != version {
		t.Error("a replay changed the account")
	}
}

// begunAgain has something happen right after a callback's state was looked up.
type begunAgain struct {
	connect.Store
	then func()
}

func (s *begunAgain) RequestByState(ctx context.Context, stateHash string) (connect.ConnectionRequest, error) {
	r, err := s.Store.RequestByState(ctx, stateHash)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return r, err
}

// The answer to an older trip to the provider arrives while the user sets out anew: it must not use up what the newer one needs.
func TestAttackStateOfAnOlderTrip(t *testing.T) {
	t.Parallel()
	var s *begunAgain
	b := newBed(t, func(o *connect.Options) {
		s = &begunAgain{Store: o.Store}
		o.Store = s
	})
	l, page := b.begun("ann", annsBrowser)
	older := b.provider.Consent(t, page, ann)
	s.then = func() { page = b.press(l, annsBrowser, nil) }
	_, err := b.FinishCallback(b.ctx, params(older), annsBrowser, origin)
	wantFault(t, err, fault.Gone, fault.SlugLinkUsed)
	b.finishes(l, b.provider.Consent(t, page, ann), annsBrowser)
}

// Mallory has Ann's browser visit a callback with Mallory's state and code: what Ann does then would land in Mallory's account.
func TestAttackStateOfAnotherLink(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	mallorys, page := b.begun("mallory", mallorysBrowser)
	anns, annsPage := b.begun("ann", annsBrowser)
	back := b.provider.Consent(t, page, mallory)
	_, err := b.FinishCallback(b.ctx, params(back), annsBrowser, origin)
	wantFault(t, err, fault.Forbidden, fault.SlugLinkWrongBrowser)
	b.untouched(mallorys)
	b.untouched(anns)
	b.finishes(anns, b.provider.Consent(t, annsPage, ann), annsBrowser)
	if a := b.account(anns.Account.ID); a.Identity.ID != ann.ID {
		t.Errorf("Ann's account is %s's", a.Identity.Name)
	}
}

// Mallory puts Ann's code, which she stole, into a callback of her own: PKCE ties it to Ann's link.
func TestAttackCodeInjection(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, annsPage := b.begun("ann", annsBrowser)
	stolen := b.provider.Consent(t, annsPage, ann)
	l, page := b.begun("mallory", mallorysBrowser)
	back := b.provider.Consent(t, page, mallory)
	back.Set("code", stolen.Get("code"))
	step, err := b.FinishCallback(b.ctx, params(back), mallorysBrowser, origin)
	must(t, err)
	if step.View.Status != connect.Failed {
		t.Errorf("ended as %s", step.View.Status)
	}
	b.untouched(l)
}

// Mallory's authorization server answers in place of the one that was asked, to be handed the code and the client's secret.
func TestAttackMixedUpIssuer(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"https://evil.example", "https://acme.example/", "https://acme.example.evil.example", "HTTPS://ACME.EXAMPLE"} {
		b := newBed(t)
		l, page := b.begun("ann", annsBrowser)
		back := b.provider.Consent(t, page, ann)
		back.Set("iss", issuer)
		step, err := b.FinishCallback(b.ctx, params(back), annsBrowser, origin)
		must(t, err)
		if step.View.Status != connect.Failed || len(b.provider.Requests("/token")) > 0 {
			t.Errorf("%s: the code went out; %s", issuer, step.View.Status)
		}
		b.untouched(l)
	}
}

// Mallory would like a page of ours to send browsers to hers.
func TestAttackOpenRedirect(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	for _, callback := range []string{
		"javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "https:evil.example", "https://app.example@evil.example/",
		"vbscript:x", "https://app.example:x/", "\thttps://evil.example",
	} {
		_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: callback})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "callback_url")
	}
	l, page := b.begun("ann", annsBrowser)
	back := b.provider.Consent(t, page, ann)
	step, err := b.FinishCallback(b.ctx, params(back), annsBrowser, "https://evil.example")
	must(t, err)
	if want := "https://app.example/done?mine=1&status=success&connected_account_id=" + l.Account.ID; step.Redirect != want {
		t.Errorf("sent to %s, want %s", step.Redirect, want)
	}
	denied, page := b.begun("bob", annsBrowser)
	u, err := url.Parse(page)
	must(t, err)
	step, err = b.FinishCallback(b.ctx, connect.CallbackParams{
		State: u.Query().Get("state"), Error: "access_denied&x=https://evil.example", ErrorDescription: "https://evil.example",
	}, annsBrowser, origin)
	must(t, err)
	if want := "https://app.example/done?mine=1&status=failed&connected_account_id=" + denied.Account.ID; step.Redirect != want {
		t.Errorf("sent to %s, want %s", step.Redirect, want)
	}
}

// Mallory reaches the server under a name that looks like ours, so that the provider sends codes there.
func TestAttackLookAlikeRedirect(t *testing.T) {
	t.Parallel()
	const want = origin + "/api/v3.1/toolkits/auth/callback"
	b := newBed(t)
	b.provider.RedirectURI = want
	c := b.oauthConfig("acme")
	for _, host := range []string{"https://patchbay.example.evil.example", "https://patchbay.exampIe", "http://patchbay.example", "https://patchbay.example:8443", ""} {
		l := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "ann", Origin: host})
		if !strings.HasPrefix(l.URL, origin+"/link/") {
			t.Errorf("the link leads to %s", l.URL)
		}
		step, err := b.SubmitLink(b.ctx, l.Token, annsBrowser, host, nil)
		must(t, err)
		u, err := url.Parse(step.Redirect)
		must(t, err)
		if got := u.Query().Get("redirect_uri"); got != want {
			t.Errorf("%s: redirect_uri %s", host, got)
		}
		_, err = b.FinishCallback(b.ctx, params(b.provider.Consent(t, step.Redirect, ann)), annsBrowser, host)
		must(t, err)
	}
	for _, r := range b.provider.Requests("/token") {
		if got := r.Form.Get("redirect_uri"); got != want {
			t.Errorf("the exchange says %s", got)
		}
	}
}

// Mallory reads logs, addresses and referrers.
func TestAttackTokensInURLsOrLogs(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.Rotate = true
	l, page := b.begun("ann", annsBrowser)
	back := b.provider.Consent(t, page, ann)
	step, err := b.FinishCallback(b.ctx, params(back), annsBrowser, origin)
	must(t, err)
	first := b.account(l.Account.ID)
	b.clock.Move(2 * time.Hour)
	b.credential(first)
	second := b.account(l.Account.ID)
	_, _, err = b.RevokeAccount(b.ctx, b.caller, first.ID)
	must(t, err)

	seen := map[string]string{"the log": b.log.String(), "the consent page's address": page, "the way back to the application": step.Redirect}
	for _, r := range b.provider.Requests("/token") {
		seen["a request line"] += r.Path + "\n"
	}
	secrets := map[string]string{
		"access token": first.Values["access_token"].Reveal(), "refresh token": first.Values["refresh_token"].Reveal(),
		"newer access token": second.Values["access_token"].Reveal(), "newer refresh token": second.Values["refresh_token"].Reveal(),
		"client secret": b.provider.ClientSecret, "link token": l.Token, "code": back.Get("code"), "cookie": annsBrowser,
	}
	for where, text := range seen {
		for what, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				t.Errorf("%s holds the %s", where, what)
			}
		}
	}
}

// Mallory has a project of her own, and ids of Ann's.
func TestAttackIDsOfAnotherProject(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a := b.connected(c, "ann", ann)
	b.credential(a) // from here on it is in memory
	her := tenant.Caller{ProjectID: "pr_mallory"}
	no := false
	for name, try := range map[string]func() error{
		"read an account": func() error { _, err := b.Account(b.ctx, her, a.ID); return err },
		"use an account": func() error {
			_, err := b.Service.Credential(b.ctx, her, connect.ConnectedAccount{ID: a.ID, ProjectID: a.ProjectID, Status: connect.Active, AuthConfigID: c.ID})
			return err
		},
		"change an account": func() error {
			_, err := b.UpdateAccount(b.ctx, her, a.ID, connect.AccountPatch{Enabled: &no})
			return err
		},
		"refresh an account": func() error { _, _, err := b.RefreshAccount(b.ctx, her, a.ID, origin, ""); return err },
		"revoke an account":  func() error { _, _, err := b.RevokeAccount(b.ctx, her, a.ID); return err },
		"delete an account":  func() error { _, err := b.DeleteAccount(b.ctx, her, a.ID); return err },
		"reconnect an account": func() error {
			_, err := b.CreateLink(b.ctx, her, connect.NewLink{AccountID: a.ID})
			return err
		},
		"read an auth config": func() error { _, err := b.AuthConfig(b.ctx, her, c.ID); return err },
		"change an auth config": func() error {
			_, err := b.UpdateAuthConfig(b.ctx, her, c.ID, connect.AuthConfigPatch{Enabled: &no})
			return err
		},
		"delete an auth config": func() error { _, err := b.DeleteAuthConfig(b.ctx, her, c.ID); return err },
		"link to an auth config": func() error {
			_, err := b.CreateLink(b.ctx, her, connect.NewLink{AuthConfigID: c.ID, UserID: "ann"})
			return err
		},
		"import to an auth config": func() error {
			_, err := b.ImportAccount(b.ctx, her, connect.NewAccount{AuthConfigID: c.ID, UserID: "ann", Values: map[string]string{"access_token": "x"}})
			return err
		},
	} {
		if err := try(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := b.account(a.ID); now.Status != connect.Active || now.Version != a.Version {
		t.Errorf("the account is %s", now.Status)
	}
}

// Mallory names addresses in this server's own network wherever a link or a project can name one.
func TestAttackPrivateAddresses(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"169.254.169.254", "10.0.0.1", "192.168.1.1"} {
		b := newBed(t)
		c := b.oauthConfig("anyhost")
		l, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", Data: map[string]string{"server": host}})
		must(t, err)
		page := b.press(l, mallorysBrowser, nil)
		u, err := url.Parse(page)
		must(t, err)
		step, err := b.FinishCallback(b.ctx, connect.CallbackParams{State: u.Query().Get("state"), Code: "c"}, mallorysBrowser, origin)
		must(t, err)
		if step.View.Status != connect.Failed || !strings.Contains(step.View.Reason, "private or special address") {
			t.Errorf("%s: ended as %s: %s", host, step.View.Status, step.View.Reason)
		}
		b.untouched(l)
	}
}

// together holds the requests that ask whose account it is until so many have come.
type together struct {
	connect.HTTP
	all *sync.WaitGroup
}

func (h together) DoVia(p outbound.Proxy, r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/me" {
		h.all.Done()
		h.all.Wait()
	}
	return h.HTTP.DoVia(p, r)
}

// Two browsers cannot, but one browser may post the same form twice at once: the link works once.
func TestAttackFormPostedTwiceAtOnce(t *testing.T) {
	t.Parallel()
	const posts = 3
	var all sync.WaitGroup
	all.Add(posts)
	b := newBed(t, func(o *connect.Options) { o.HTTP = together{o.HTTP, &all} })
	key, _ := b.provider.Issue(ann)
	l := b.link(connect.NewLink{AuthConfigID: b.config("keyed", connect.APIKey, nil).ID})
	var connected, used atomic.Int32
	_, err := atOnce(posts, func(int) (connect.Credential, error) {
		step, err := b.SubmitLink(b.ctx, l.Token, annsBrowser, origin, map[string]string{"key": key})
		switch {
		case err == nil && step.View.Status == connect.Active:
			connected.Add(1)
		case fault.Is(err, fault.Gone):
			used.Add(1)
		default:
			t.Errorf("%+v, %v", step, err)
		}
		return connect.Credential{}, nil
	})
	must(t, err)
	if connected.Load() != 1 || used.Load() != posts-1 {
		t.Errorf("%d connected, %d were told that the link was used", connected.Load(), used.Load())
	}
}
