package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/connect/connecttest"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/web"
)

const acme = `
slug: acme
name: Acme
description: A toolkit that exists for tests only.
version: 20261122_00
categories: [testing]
base_url: $URL
auth:
  - scheme: OAUTH2
    authorize_url: $URL/authorize
    token_url: $URL/token
    scopes: [read]
  - scheme: API_KEY
    fields:
      key*: {title: Secret key, secret: true}
    header: {X-Acme-Key: "{key}"}
identity: {GET: /me, id: id, name: profile.name, email: profile.email}
`

const acmeTools = `
- slug: LIST_THINGS
  title: List things
  description: Lists the things there are, newest first.
  hints: [read]
  request: GET /things
`

// site is the pages over a real service and a real store, with a provider to connect at.
type site struct {
	*connect.Service
	t        *testing.T
	provider *connecttest.Provider
	caller   tenant.Caller
}

func newSite(t *testing.T) *site {
	t.Helper()
	provider := connecttest.NewProvider(t)
	loaded, err := catalog.LoadToolkits(fstest.MapFS{
		"acme/toolkit.yaml": {Data: []byte(strings.ReplaceAll(acme, "$URL", provider.URL))},
		"acme/things.yaml":  {Data: []byte(acmeTools)},
	})
	must(t, err)
	snapshot, err := catalog.NewSnapshot(loaded...)
	must(t, err)
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	must(t, err)
	bus := new(notify.Bus)
	s := &site{t: t, provider: provider, caller: tenant.Caller{ProjectID: "pr_1"}}
	// The server is there before the service, whose links have to lead to it.
	var pages http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.Service, err = connect.New(connect.Options{
		Store: storetest.OpenWith(t, bus, time.Now), Catalog: func(string) connect.Toolkits { return snapshot }, HTTP: client, Bus: bus, PublicURL: server.URL,
	})
	must(t, err)
	t.Cleanup(s.Close)
	pages, err = web.New(web.Options{Links: s.Service, PublicURL: server.URL})
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) link(scheme string, credentials connect.Fields, callback string) connect.Link {
	s.t.Helper()
	c, err := s.CreateAuthConfig(s.t.Context(), s.caller, connect.NewAuthConfig{Toolkit: "acme", Scheme: scheme, Credentials: credentials})
	must(s.t, err)
	l, err := s.CreateLink(s.t.Context(), s.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: callback})
	must(s.t, err)
	return l
}

// browser follows no redirects by itself.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// visit makes a request as a browser and wants a status.
func visit(t *testing.T, b *http.Client, method, target string, form url.Values, status int) (page, location string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	must(t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
	res, err := b.Do(r)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d\n%s", method, r.URL.Path, res.Status, status, body)
	}
	return string(body), res.Header.Get("Location")
}

var ann = connecttest.Person{ID: "p1", Name: "Ann Lee", Email: "ann@example.com"}

func TestConnectByOAuth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := connect.Fields{"client_id": secret.Hide(s.provider.ClientID), "client_secret": secret.Hide(s.provider.ClientSecret)}
	l := s.link(connect.OAuth2, client, "")
	own, other := newBrowser(t), newBrowser(t)

	visit(t, other, "GET", l.URL, nil, 200) // looking is free
	page, _ := visit(t, own, "GET", l.URL, nil, 200)
	wantText(t, page, "Continue to Acme")
	_, consent := visit(t, own, "POST", l.URL, url.Values{}, 303)
	page, _ = visit(t, other, "POST", l.URL, url.Values{}, 403)
	wantText(t, page, "Wrong browser")

	back, err := url.Parse(consent)
	must(t, err)
	callback := back.Query().Get("redirect_uri") + "?" + s.provider.Consent(t, consent, ann).Encode()
	page, _ = visit(t, own, "GET", callback, nil, 200)
	wantText(t, page, "Acme is connected", "Ann Lee", "ann@example.com")
	page, _ = visit(t, own, "GET", callback, nil, 410)
	wantText(t, page, "This link was used already")
	a, err := s.Account(t.Context(), s.caller, l.Account.ID)
	must(t, err)
	if a.Status != connect.Active {
		t.Error(a.Status)
	}
}

func TestConnectByKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.link(connect.APIKey, nil, "https://app.example/cb?x=1")
	key, _ := s.provider.Issue(ann)
	b := newBrowser(t)
	visit(t, b, "GET", l.URL, nil, 200)
	page, _ := visit(t, b, "POST", l.URL, url.Values{"key": {"wrong"}}, 422)
	wantText(t, page, "Acme does not accept this.")
	_, to := visit(t, b, "POST", l.URL, url.Values{"key": {key}}, 303)
	if want := "https://app.example/cb?x=1&status=success&connected_account_id=" + l.Account.ID; to != want {
		t.Errorf("sent to %s, want %s", to, want)
	}
}
