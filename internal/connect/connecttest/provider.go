// Package connecttest holds a provider to connect accounts at, for tests: an OAuth 2 server that checks what real ones check,
// and says no in the ways in which they do. It is imported by tests only.
package connecttest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// Provider is an OAuth 2 server with an API that knows whose token it is asked with. Set its fields before it is used; use
// Change for those that change while it runs.
type Provider struct {
	URL string

	ClientID, ClientSecret string
	RedirectURI            string                                       // when set, the only one that is registered
	BasicAuth              bool                                         // clients prove themselves by HTTP Basic only
	JSONBody               bool                                         // token requests are JSON only
	Rotate                 bool                                         // a refresh token works once, and using it twice ends the grant
	NoRefresh              bool                                         // hand out no refresh tokens
	ExpiresIn              int                                          // seconds; 0: not said
	FormAnswers            bool                                         // answer token requests as a form, as GitHub does
	Token                  func(access, refresh string, who Person) any // builds the token answer; nil: the usual one
	Fail                   func(r *http.Request, form url.Values) (status int, body string, ok bool)

	mu       sync.Mutex
	codes    map[string]code
	grants   map[string]*grant // by access token
	refresh  map[string]*grant // by refresh token
	used     map[string]*grant // refresh tokens that were rotated away
	requests []Request
}

// Person is whoever signs in.
type Person struct{ ID, Name, Email string }

// Request is one that reached the provider.
type Request struct {
	Method, Path string
	Form         url.Values
	Header       http.Header
}

type code struct {
	who                    Person
	challenge, redirectURI string
	scope                  string
}

type grant struct {
	who     Person
	scope   string
	revoked bool
}

// NewProvider starts a provider that stops with the test.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{
		ClientID: "client-1", ClientSecret: "s3cret/with+signs", ExpiresIn: 3600,
		codes: map[string]code{}, grants: map[string]*grant{}, refresh: map[string]*grant{}, used: map[string]*grant{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /revoke", p.revoke)
	mux.HandleFunc("GET /me", p.me)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		form := readForm(r)
		p.requests = append(p.requests, Request{r.Method, r.URL.Path, form, r.Header.Clone()})
		if p.Fail != nil {
			if status, body, ok := p.Fail(r, form); ok {
				w.WriteHeader(status)
				fmt.Fprint(w, body)
				return
			}
		}
		r.Form, r.PostForm = form, form
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Change runs f while no request is served.
func (p *Provider) Change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Requests gives what reached a path, in order.
func (p *Provider) Requests(path string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.requests), func(r Request) bool { return r.Path != path })
}

// Refreshes counts the refreshes that were asked for.
func (p *Provider) Refreshes() int {
	n := 0
	for _, r := range p.Requests("/token") {
		if r.Form.Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

// Consent is what the provider's page does when somebody agrees there: it gives the query of the way back. An authorize URL
// that a real provider would refuse fails the test.
func (p *Provider) Consent(t testing.TB, authorizeURL string, who Person) url.Values {
	t.Helper()
	u, err := url.Parse(authorizeURL)
	if err != nil || !strings.HasPrefix(authorizeURL, p.URL+"/authorize?") {
		t.Fatalf("not this provider's consent page: %s", authorizeURL)
	}
	q := u.Query()
	switch {
	case q.Get("response_type") != "code", q.Get("client_id") != p.ClientID, q.Get("state") == "":
		t.Fatalf("the provider refuses %s", authorizeURL)
	case p.RedirectURI != "" && q.Get("redirect_uri") != p.RedirectURI:
		t.Fatalf("redirect_uri %s is not registered", q.Get("redirect_uri"))
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		t.Fatalf("code_challenge_method is %q", q.Get("code_challenge_method"))
	}
	c := "code_" + random()
	p.Change(func() {
		p.codes[c] = code{who, q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("scope")}
	})
	return url.Values{"code": {c}, "state": {q.Get("state")}}
}

// Issue gives a person's tokens without any consent, as an application would have them from elsewhere.
func (p *Provider) Issue(who Person) (access, refresh string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.issue(&grant{who: who})
}

// End makes all tokens of a person useless, as that person can do in the provider's settings.
func (p *Provider) End(who Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.grants {
		if g.who == who {
			g.revoked = true
		}
	}
}

func (p *Provider) issue(g *grant) (access, refresh string) {
	access = "at_" + random()
	p.grants[access] = g
	if !p.NoRefresh {
		refresh = "rt_" + random()
		p.refresh[refresh] = g
	}
	return access, refresh
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if !p.clientIsRight(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"); isJSON != p.JSONBody {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	switch r.Form.Get("grant_type") {
	case "authorization_code":
		p.exchange(w, r)
	case "refresh_token":
		p.refreshGrant(w, r)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

func (p *Provider) clientIsRight(r *http.Request) bool {
	id, key, ok := r.BasicAuth()
	if ok {
		id, _ = url.QueryUnescape(id)
		key, _ = url.QueryUnescape(key)
	} else {
		id, key = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	return ok == p.BasicAuth && id == p.ClientID && key == p.ClientSecret
}

func (p *Provider) exchange(w http.ResponseWriter, r *http.Request) {
	c, ok := p.codes[r.Form.Get("code")]
	delete(p.codes, r.Form.Get("code"))
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	switch {
	case !ok, c.redirectURI != r.Form.Get("redirect_uri"),
		c.challenge != "" && c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	p.answer(w, &grant{who: c.who, scope: c.scope})
}

func (p *Provider) refreshGrant(w http.ResponseWriter, r *http.Request) {
	token := r.Form.Get("refresh_token")
	if g := p.used[token]; g != nil {
		g.revoked = true // it was stolen, for all the provider knows
	}
	g := p.refresh[token]
	if g == nil || g.revoked {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if p.Rotate {
		delete(p.refresh, token)
		p.used[token] = g
	}
	p.answer(w, g)
}

func (p *Provider) answer(w http.ResponseWriter, g *grant) {
	access, refresh := p.issue(g)
	if p.Token != nil {
		json.NewEncoder(w).Encode(p.Token(access, refresh, g.who))
		return
	}
	values := map[string]any{"access_token": access, "token_type": "bearer", "scope": g.scope}
	if refresh != "" && (p.Rotate || p.ExpiresIn > 0) {
		values["refresh_token"] = refresh
	}
	if p.ExpiresIn > 0 {
		values["expires_in"] = p.ExpiresIn
	}
	if !p.FormAnswers {
		json.NewEncoder(w).Encode(values)
		return
	}
	form := make(url.Values)
	for name, v := range values {
		form.Set(name, fmt.Sprint(v))
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
	fmt.Fprint(w, form.Encode())
}

func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	if !p.clientIsRight(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	for _, held := range []map[string]*grant{p.grants, p.refresh} {
		if g := held[r.Form.Get("token")]; g != nil {
			g.revoked = true
		}
	}
}

// me answers whose token it is: by bearer token, or by an API key that a grant was issued for.
func (p *Provider) me(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if key := r.Header.Get("X-Acme-Key"); key != "" {
		token = key
	}
	g := p.grants[token]
	if g == nil || g.revoked {
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"id": g.who.ID, "profile": map[string]any{"name": g.who.Name, "email": g.who.Email}})
}

func readForm(r *http.Request) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		r.ParseForm()
		return r.Form
	}
	var object map[string]any
	json.NewDecoder(r.Body).Decode(&object)
	form := make(url.Values)
	for name, v := range object {
		form.Set(name, fmt.Sprint(v))
	}
	return form
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "The provider says " + code})
}

func random() string { return rand.Text() }

// Transport answers requests in place of the network.
type Transport func(*http.Request) (*http.Response, error)

// Do implements connect.HTTP.
func (f Transport) Do(r *http.Request) (*http.Response, error) { return f(r) }

// DoVia implements connect.HTTP.
func (f Transport) DoVia(_ outbound.Proxy, r *http.Request) (*http.Response, error) { return f(r) }

// Whose gives the person whose access token this is, as long as it works.
func (p *Provider) Whose(access string) (Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[access]
	if g == nil || g.revoked {
		return Person{}, false
	}
	return g.who, true
}
