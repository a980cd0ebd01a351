package connect_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
)

// issuer is a provider that issues tokens for what an account holds. Requests to /token are answered by grant; /me takes the
// last token that was issued.
type issuer struct {
	URL string

	mu    sync.Mutex
	grant func(asked) (status int, body string)
	token string // issued last
	me    string // what /me answers to any token; empty: only to the last
	asked []asked
}

// asked is one request for a token.
type asked struct {
	Path   string
	Header http.Header
	Form   url.Values
	N      int // counts from 1
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.URL.Path == "/me" && i.me != "" {
		fmt.Fprint(w, i.me)
		return
	}
	if r.URL.Path == "/me" {
		if i.token == "" || r.Header.Get("Authorization") != "Bearer "+i.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"id":"p1","profile":{"name":"Ann Lee"}}`)
		return
	}
	a := asked{Path: r.URL.Path, Header: r.Header.Clone(), N: len(i.asked) + 1}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var object map[string]string
		json.NewDecoder(r.Body).Decode(&object)
		a.Form = url.Values{}
		for name, v := range object {
			a.Form.Set(name, v)
		}
	} else {
		r.ParseForm()
		a.Form = r.PostForm
	}
	i.asked = append(i.asked, a)
	status, body := i.grant(a)
	w.WriteHeader(status)
	fmt.Fprint(w, strings.ReplaceAll(body, "TOKEN", fmt.Sprintf("issued-%d", a.N)))
	if status < 300 {
		i.token = fmt.Sprintf("issued-%d", a.N)
	}
}

// answer replaces what the provider says from now on.
func (i *issuer) answer(grant func(asked) (int, string)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.grant = grant
}

// last is the latest request for a token.
func (i *issuer) last(t *testing.T) asked {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.asked) == 0 {
		t.Fatal("no token was asked for")
	}
	return i.asked[len(i.asked)-1]
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.asked)
}

func always(status int, body string) func(asked) (int, string) {
	return func(asked) (int, string) { return status, body }
}

// newIssuedBed is a bed with one toolkit "issued", which is connected as auth says. $URL in it is the issuer's.
func newIssuedBed(t *testing.T, auth string, grant func(asked) (int, string)) (*bed, *issuer) {
	t.Helper()
	i := &issuer{grant: grant}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL
	snapshot := issuedToolkit(t, strings.ReplaceAll(auth, "$URL", i.URL), i.URL)
	b := newBed(t, func(o *connect.Options) {
		o.Catalog = func(string) connect.Toolkits { return snapshot }
	})
	return b, i
}

func issuedToolkit(t *testing.T, auth, baseURL string) *catalog.Snapshot {
	t.Helper()
	text := `slug: issued
name: Issued
description: A toolkit that exists for tests only.
version: 20261122_00
categories: [testing]
base_url: ` + baseURL + `
identity: {GET: /me, id: id, name: profile.name}
auth:
` + auth
	loaded, err := catalog.LoadToolkits(fstest.MapFS{
		"issued/toolkit.yaml": {Data: []byte(text)}, "issued/things.yaml": {Data: []byte(things)},
	})
	must(t, err)
	snapshot, err := catalog.NewSnapshot(loaded...)
	must(t, err)
	return snapshot
}

// byForm connects an account through the Connect page, and gives the step in which it ended.
func (b *bed) byForm(c connect.AuthConfig, form map[string]string) (connect.Link, connect.LinkStep) {
	b.t.Helper()
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(b.t, err)
	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, form)
	must(b.t, err)
	return l, step
}

// authorization is what a request for an account carries.
func (b *bed) authorization(accountID string) string {
	b.t.Helper()
	c, err := b.Credential(b.ctx, b.caller, b.account(accountID))
	must(b.t, err)
	return c.Header["Authorization"].Reveal()
}

// hides checks that no text says a secret.
func hides(t *testing.T, texts []string, secrets ...string) {
	t.Helper()
	for _, text := range texts {
		for _, v := range secrets {
			if strings.Contains(text, v) {
				t.Errorf("%q shows in %q", v, text)
			}
		}
	}
}

func faultsOf(step connect.LinkStep) string {
	var b strings.Builder
	for name, text := range step.Faults {
		b.WriteString(name + ": " + text + "\n")
	}
	return b.String()
}

func fieldsOf(v connect.LinkView) string {
	var names []string
	for _, f := range v.Fields {
		name := f.Name
		if f.Required {
			name += "*"
		}
		if f.Secret {
			name += "?"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func parseBasic(header string) (user, password string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": {header}}}).BasicAuth()
}
