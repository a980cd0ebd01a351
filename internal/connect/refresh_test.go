package connect_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func (b *bed) credential(a connect.ConnectedAccount) connect.Credential {
	b.t.Helper()
	cred, err := b.Credential(b.ctx, b.caller, a)
	must(b.t, err)
	return cred
}

func bearer(c connect.Credential) string {
	return strings.TrimPrefix(c.Header["Authorization"].Reveal(), "Bearer ")
}

// atOnce runs f in many goroutines that start together, and gives what each returned.
func atOnce(n int, f func(i int) (connect.Credential, error)) ([]connect.Credential, error) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	creds, errs := make([]connect.Credential, n), make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-start
			creds[i], errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return creds, errors.Join(errs...)
}

// claimingStore counts the claims of refresh leases.
type claimingStore struct {
	connect.Store
	claims atomic.Int32
}

func (s *claimingStore) ClaimRefresh(ctx context.Context, projectID, accountID, owner string, dead connect.Lease) (connect.Lease, error) {
	s.claims.Add(1)
	return s.Store.ClaimRefresh(ctx, projectID, accountID, owner, dead)
}

func TestManyCallsRefreshOnce(t *testing.T) {
	t.Parallel()
	var claiming *claimingStore
	b := newBed(t, func(o *connect.Options) {
		claiming = &claimingStore{Store: o.Store}
		o.Store = claiming
	})
	b.provider.Rotate = true // a second use of the same refresh token would end the grant
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	b.clock.Move(2 * time.Hour)

	creds, err := atOnce(200, func(int) (connect.Credential, error) { return b.Credential(b.ctx, b.caller, a) })
	must(t, err)
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	if n := claiming.claims.Load(); n > 20 {
		t.Errorf("%d calls went to the store for the lease", n)
	}
	now := b.account(a.ID)
	for _, c := range creds {
		if bearer(c) != now.Values["access_token"].Reveal() || bearer(c) == a.Values["access_token"].Reveal() {
			t.Fatal("a call got another token than the new one")
		}
	}
	if now.Status != connect.Active || now.Values["refresh_token"] == a.Values["refresh_token"] {
		t.Errorf("%s; the new refresh token was not kept", now.Status)
	}
}

func TestManyNodesRefreshOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.Rotate = true
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	nodes := make([]*connect.Service, 4)
	for i := range nodes {
		nodes[i] = newService(t, b.options)
	}
	for round := 1; round <= 3; round++ {
		b.clock.Move(2 * time.Hour)
		creds, err := atOnce(40, func(i int) (connect.Credential, error) {
			return nodes[i%len(nodes)].Credential(b.ctx, b.caller, a)
		})
		must(t, err)
		if n := b.provider.Refreshes(); n != round {
			t.Fatalf("%d refreshes in round %d", n, round)
		}
		for _, c := range creds {
			if bearer(c) != b.account(a.ID).Values["access_token"].Reveal() {
				t.Fatal("a node handed out another token than the new one")
			}
		}
	}
}

func TestWhenTokensAreRefreshed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expiresIn int
		after     time.Duration
		refreshed bool
	}{
		"long before the end":             {3600, 54 * time.Minute, false},
		"five minutes before the end":     {3600, 55 * time.Minute, true},
		"after the end":                   {3600, 2 * time.Hour, true},
		"a short life, two thirds not up": {60, 39 * time.Second, false},
		"a short life, two thirds up":     {60, 40 * time.Second, true},
		"no end":                          {0, 1000 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.provider.ExpiresIn = test.expiresIn
			a := b.connected(b.oauthConfig("acme"), "u", ann)
			b.clock.Move(test.after)
			cred := b.credential(a)
			if got := b.provider.Refreshes() == 1; got != test.refreshed {
				t.Errorf("refreshed: %v", got)
			}
			if got := bearer(cred) != a.Values["access_token"].Reveal(); got != test.refreshed {
				t.Errorf("new token: %v", got)
			}
		})
	}
}

func TestRefreshAgainstAProviderInTrouble(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func(*http.Request, url.Values) (int, string, bool){
		"503":               failOn("/token", 503, "<html>down</html>"),
		"429":               failOn("/token", 429, `{"error":"rate_limited"}`),
		"a firewall's 403":  failOn("/token", 403, "<html>blocked</html>"),
		"a passing error":   failOn("/token", 400, `{"error":"temporarily_unavailable"}`),
		"nonsense":          failOn("/token", 200, "]["),
		"slack's ok: false": failOn("/token", 200, `{"ok":false,"error":"ratelimited"}`),
		"a mistyped client": failOn("/token", 401, `{"error":"invalid_client"}`),
		"github's client":   failOn("/token", 200, `{"error":"incorrect_client_credentials"}`),
		"a wrong address":   failOn("/token", 404, `{"error":"Not Found","status":404}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			a := b.connected(b.oauthConfig("acme"), "u", ann)
			b.provider.Change(func() { b.provider.Fail = failure })

			b.clock.Move(56 * time.Minute)
			if cred := b.credential(a); bearer(cred) != a.Values["access_token"].Reveal() {
				t.Error("the token that still works was not used")
			}
			b.clock.Move(10 * time.Minute)
			asked := b.provider.Refreshes()
			for range 5 {
				_, err := b.Credential(b.ctx, b.caller, a)
				wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "Acme", "stays connected")
				if fault.From(err).After <= 0 {
					t.Error("nobody says how long to wait")
				}
			}
			if n := b.provider.Refreshes() - asked; n > 1 {
				t.Errorf("the provider was asked %d times in a row", n)
			}
			if now := b.account(a.ID); now.Status != connect.Active {
				t.Errorf("account is %s", now.Status)
			}

			b.provider.Change(func() { b.provider.Fail = nil })
			b.clock.Move(10 * time.Minute)
			if cred := b.credential(a); bearer(cred) == a.Values["access_token"].Reveal() {
				t.Error("not refreshed once the provider was well again")
			}
		})
	}
}

func TestRefreshOfADeadGrant(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func(*http.Request, url.Values) (int, string, bool){
		"revoked by the user": nil,
		"github, status 200":  failOn("/token", 200, `{"error":"bad_refresh_token","error_description":"The refresh token is bad"}`),
		"github, as a form":   failOn("/token", 200, `error=bad_refresh_token&error_description=bad`),
		"slack":               failOn("/token", 200, `{"ok":false,"error":"invalid_refresh_token"}`),
		"an error object":     failOn("/token", 400, `{"error":{"code":"190","type":"OAuthException","message":"Session expired"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			a := b.connected(b.oauthConfig("acme"), "u", ann)
			if failure == nil {
				b.provider.End(ann)
			}
			b.provider.Change(func() { b.provider.Fail = failure })
			b.clock.Move(2 * time.Hour)
			_, err := b.Credential(b.ctx, b.caller, a)
			wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, a.ID, "EXPIRED", "refused to renew", "Reconnect")
			now := b.account(a.ID)
			if now.Status != connect.Expired || !strings.Contains(now.StatusReason, "Acme refused to renew the access (") {
				t.Errorf("%s: %s", now.Status, now.StatusReason)
			}
			if last := (*b.statuses)[len(*b.statuses)-1]; last != "ACTIVE > EXPIRED" {
				t.Errorf("announced %v", *b.statuses)
			}
		})
	}
}

func TestTokenThatEndsAndCannotBeRenewed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.NoRefresh = true
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	b.clock.Move(59 * time.Minute)
	b.credential(a)
	b.provider.End(ann)
	b.clock.Move(2 * time.Minute)
	_, err := b.Credential(b.ctx, b.caller, a)
	wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, "EXPIRED", "no way to renew")
}

// brokenStore fails to write accounts while it is broken.
type brokenStore struct {
	connect.Store
	broken atomic.Bool
	tries  atomic.Int32
}

func (s *brokenStore) UpdateAccount(ctx context.Context, projectID, id string, update func(*connect.ConnectedAccount) error) (connect.ConnectedAccount, error) {
	if s.broken.Load() {
		s.tries.Add(1)
		return connect.ConnectedAccount{}, errors.New("disk full")
	}
	return s.Store.UpdateAccount(ctx, projectID, id, update)
}

func TestNewTokensAreStoredBeforeTheyAreUsed(t *testing.T) {
	t.Parallel()
	var broken *brokenStore
	b := newBed(t, func(o *connect.Options) {
		broken = &brokenStore{Store: o.Store}
		o.Store = broken
	})
	b.provider.Rotate = true
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	b.clock.Move(2 * time.Hour)

	broken.broken.Store(true)
	cred, err := b.Credential(b.ctx, b.caller, a)
	wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "could not be stored")
	if len(cred.Header) > 0 || broken.tries.Load() < 2 {
		t.Errorf("a token that is not stored was handed out, or was given up at once (%d tries)", broken.tries.Load())
	}
	broken.broken.Store(false)
	b.clock.Move(time.Minute)
	cred = b.credential(a)
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("%d refreshes: the old refresh token was used twice", n)
	}
	if bearer(cred) != b.account(a.ID).Values["access_token"].Reveal() {
		t.Error("what was handed out is not what is stored")
	}
}

func TestReconnectedWhileRefreshing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"the old grant is dead":    {400, `{"error":"invalid_grant"}`},
		"the old grant is renewed": {200, `{"access_token":"old-renewed","refresh_token":"old-renewed","expires_in":3600}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			a := b.connected(b.oauthConfig("acme"), "u", ann)
			b.provider.Change(func() {
				b.provider.Fail = func(r *http.Request, form url.Values) (int, string, bool) {
					if form.Get("grant_type") != "refresh_token" {
						return 0, "", false
					}
					// While the provider thinks, the user connects anew.
					_, err := b.store.UpdateAccount(b.ctx, a.ProjectID, a.ID, func(a *connect.ConnectedAccount) error {
						a.Values = connect.Fields{"access_token": secret.Hide("newer"), "refresh_token": secret.Hide("newer")}
						a.TokenExpiry = b.clock.Now().Add(time.Hour)
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					return answer.status, answer.body, true
				}
			})
			b.clock.Move(2 * time.Hour)
			if cred := b.credential(a); bearer(cred) != "newer" {
				t.Errorf("got %s", bearer(cred))
			}
			if now := b.account(a.ID); now.Status != connect.Active || now.Values["refresh_token"].Reveal() != "newer" {
				t.Errorf("%s: the newer grant was lost", now.Status)
			}
		})
	}
}

// TestCredentialOfAnOlderReading asks with the account as it was before a refused token was renewed, as a running call does.
func TestCredentialOfAnOlderReading(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	before := b.connected(b.oauthConfig("acme"), "u", ann)
	old := b.credential(before)
	if retry, err := b.Rejected(b.ctx, b.caller, before, old); err != nil || !retry {
		t.Fatalf("retry %t: %v", retry, err)
	}
	if bearer(b.credential(before)) == bearer(old) {
		t.Error("the call goes on with the token that was refused")
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	t.Run("a token that ended early is renewed", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		cred := b.credential(a)
		retry, err := b.Rejected(b.ctx, b.caller, a, cred)
		must(t, err)
		if !retry || b.provider.Refreshes() != 1 {
			t.Fatalf("retry %v, %d refreshes", retry, b.provider.Refreshes())
		}
		if again := b.credential(b.account(a.ID)); bearer(again) == bearer(cred) {
			t.Error("the same token again")
		}
		// Others that met the same rejection only have to fetch what is there.
		retry, err = b.Rejected(b.ctx, b.caller, a, cred)
		must(t, err)
		if !retry || b.provider.Refreshes() != 1 {
			t.Errorf("retry %v, %d refreshes", retry, b.provider.Refreshes())
		}
	})
	t.Run("a fresh token is not renewed over and over", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		for range 3 {
			now := b.account(a.ID)
			_, err := b.Rejected(b.ctx, b.caller, now, b.credential(now))
			must(t, err)
		}
		if n := b.provider.Refreshes(); n != 1 {
			t.Errorf("%d refreshes", n)
		}
		if now := b.account(a.ID); now.Status != connect.Active {
			t.Errorf("%s, although the provider knows whose it is", now.Status)
		}
	})
	t.Run("a dead grant", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		cred := b.credential(a)
		b.provider.End(ann)
		retry, err := b.Rejected(b.ctx, b.caller, a, cred)
		must(t, err)
		if now := b.account(a.ID); retry || now.Status != connect.Expired {
			t.Errorf("retry %v, %s", retry, now.Status)
		}
	})
	t.Run("a key that works, for something forbidden", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "u"})
		retry, err := b.Rejected(b.ctx, b.caller, a, b.credential(a))
		must(t, err)
		if now := b.account(a.ID); retry || now.Status != connect.Active {
			t.Errorf("retry %v, %s", retry, now.Status)
		}
	})
	t.Run("a key that ended", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "u"})
		cred := b.credential(a)
		b.provider.End(ann)
		retry, err := b.Rejected(b.ctx, b.caller, a, cred)
		must(t, err)
		if now := b.account(a.ID); retry || now.Status != connect.Expired || !strings.Contains(now.StatusReason, "no longer accepts") {
			t.Errorf("retry %v, %s: %s", retry, now.Status, now.StatusReason)
		}
	})
}

func TestRefreshAccount(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	fresh, l, err := b.RefreshAccount(b.ctx, b.caller, a.ID, origin, "")
	must(t, err)
	if l != nil || fresh.Status != connect.Active || fresh.Values["access_token"] == a.Values["access_token"] {
		t.Errorf("link %v, %s", l, fresh.Status)
	}
	k := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "u"})
	kept, l, err := b.RefreshAccount(b.ctx, b.caller, k.ID, origin, "https://app.example/")
	must(t, err)
	if l == nil || kept.ID != k.ID || kept.Status != connect.Active || l.Request.CallbackURL != "https://app.example/" {
		t.Errorf("link %v for %s, which is %s", l, kept.ID, kept.Status)
	}
	b.provider.End(ann)
	gone, l, err := b.RefreshAccount(b.ctx, b.caller, a.ID, origin, "")
	must(t, err)
	if l == nil || gone.ID != a.ID || gone.Status != connect.Initializing {
		t.Errorf("link %v for %s, which is %s", l, gone.ID, gone.Status)
	}
}

// Asking for a refresh is no reason to lose a connection: whatever the provider's trouble, the account stays as it is.
func TestRefreshAccountNeverDowngrades(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	b.provider.Change(func() { b.provider.Fail = failOn("/token", 503, "down") })
	for range 3 {
		_, l, err := b.RefreshAccount(b.ctx, b.caller, a.ID, origin, "")
		wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "stays connected")
		if now := b.account(a.ID); l != nil || now.Status != connect.Active || now.Version != a.Version {
			t.Errorf("link %v for an account that is %s", l, now.Status)
		}
	}
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("the provider was asked %d times in a row", n)
	}
	if cred := b.credential(a); bearer(cred) != a.Values["access_token"].Reveal() {
		t.Error("the token that still works was not used")
	}
}

func TestRefresher(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	soon := b.connected(c, "u1", ann)
	waiting := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u3"})
	b.clock.Move(30 * time.Minute)
	later := b.connected(c, "u2", bob)
	b.clock.Move(26 * time.Minute)

	r := connect.NewRefresher(b.Service, connect.RefresherOptions{})
	must(t, r.Sweep(b.ctx))
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	if now := b.account(soon.ID); now.Values["access_token"] == soon.Values["access_token"] {
		t.Error("the token that was about to end was not refreshed")
	}
	if now := b.account(later.ID); now.Version != later.Version {
		t.Error("a token that lives on was refreshed")
	}
	if now := b.account(waiting.Account.ID); now.Status != connect.Expired || now.StatusReason == "" {
		t.Errorf("the account of a link that nobody opened is %s", now.Status)
	}
	must(t, r.Sweep(b.ctx))
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("%d refreshes after another sweep", n)
	}
}

func TestRefresherStartStop(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.connected(b.oauthConfig("acme"), "u1", ann)
	b.clock.Move(2 * time.Hour)
	refreshed := make(chan struct{})
	var once sync.Once
	b.bus.Subscribe(func(connectChange) { // any change after this is the refresh
		if b.provider.Refreshes() > 0 {
			once.Do(func() { close(refreshed) })
		}
	})
	r := connect.NewRefresher(b.Service, connect.RefresherOptions{Interval: time.Hour})
	r.Stop()
	r.Start()
	r.Start()
	<-refreshed
	r.Stop()
	r.Stop()
	if now := b.account(a.ID); now.Values["access_token"] == a.Values["access_token"] {
		t.Error("not refreshed")
	}
}

func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.Rotate = true
	c := b.oauthConfig("acme")
	l := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u"})
	authorize := b.press(l, "browser-secret-1234", nil)
	back := b.provider.Consent(t, authorize, ann)
	_, err := b.FinishCallback(b.ctx, params(back), "browser-secret-1234", origin)
	must(t, err)
	a := b.account(l.Account.ID)
	b.clock.Move(2 * time.Hour)
	b.provider.Change(func() {
		b.provider.Fail = func(r *http.Request, form url.Values) (int, string, bool) { // a provider that quotes what it was sent
			return 400, `{"error":"invalid_grant","error_description":"bad ` + form.Get("refresh_token") + ` from ` + form.Get("client_secret") + `"}`, r.URL.Path == "/token"
		}
	})
	_, err = b.Credential(b.ctx, b.caller, a)
	if err == nil {
		t.Fatal("no error")
	}
	now := b.account(a.ID)
	public := b.PublicValues(b.caller, a)
	credentials := b.PublicCredentials(b.caller, c)
	everything := strings.Join([]string{b.log.String(), err.Error(), now.StatusReason, l.Request.TokenHash, public["access_token"], public["refresh_token"], credentials["client_secret"]}, "\n")
	for what, s := range map[string]string{
		"access token": a.Values["access_token"].Reveal(), "refresh token": a.Values["refresh_token"].Reveal(), "client secret": b.provider.ClientSecret,
		"link token": l.Token, "state": back.Get("state"), "code": back.Get("code"), "browser": "browser-secret-1234",
	} {
		if s == "" || strings.Contains(everything, s) {
			t.Errorf("the %s shows in logs, errors, reasons or public values", what)
		}
	}
	if !strings.Contains(now.StatusReason, "invalid_grant: bad [redacted] from [redacted]") {
		t.Errorf("reason: %s", now.StatusReason)
	}
	if credentials["client_id"] != b.provider.ClientID || public["access_token"] != connect.Redacted {
		t.Errorf("%v %v", credentials, public["access_token"])
	}
}

// Providers quote what they were sent in whatever form it reached them.
func TestSecretsAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	for name, quoted := range map[string]func(r *http.Request, form url.Values) string{
		"as a form": func(_ *http.Request, form url.Values) string { return form.Encode() },
		"in a path": func(_ *http.Request, form url.Values) string { return url.PathEscape(form.Get("client_secret")) },
		"as PHP's JSON": func(_ *http.Request, form url.Values) string {
			return strings.ReplaceAll(form.Get("client_secret"), "/", `\\/`)
		},
		"as HTTP Basic": func(_ *http.Request, form url.Values) string {
			return base64.StdEncoding.EncodeToString([]byte(form.Get("client_id") + ":" + url.QueryEscape(form.Get("client_secret"))))
		},
		"cut at the end": func(_ *http.Request, form url.Values) string {
			return strings.Repeat("x", 270) + form.Get("client_secret")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.provider.ClientSecret = "s3cr/t+with=signs&more"
			a := b.connected(b.oauthConfig("acme"), "u", ann)
			b.clock.Move(2 * time.Hour)
			b.provider.Change(func() {
				b.provider.Fail = func(r *http.Request, form url.Values) (int, string, bool) {
					return 400, `{"error":"invalid_grant","error_description":"` + quoted(r, form) + `"}`, r.URL.Path == "/token"
				}
			})
			b.Credential(b.ctx, b.caller, a)
			if reason := b.account(a.ID).StatusReason; strings.Contains(reason, "s3cr") || !strings.Contains(reason, "[redacted]") {
				t.Error(reason)
			}
		})
	}
}
