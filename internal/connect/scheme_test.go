package connect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// sample is one grant of a scheme and what a request carries for it. Every scheme has one: the suite below does the rest.
type sample struct {
	client, values map[string]string
	header         map[string]string
}

var samples = map[string]sample{
	OAuth2: {
		client: map[string]string{"client_id": "id-1", "client_secret": "client-secret"},
		values: map[string]string{"access_token": "secret-access", "refresh_token": "secret-refresh", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	APIKey: {
		values: map[string]string{"api_key": "secret-key", "subdomain": "shop-1"},
		header: map[string]string{"X-Api-Key": "secret-key"},
	},
	BearerToken: {
		values: map[string]string{"token": "secret-token", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Bearer secret-token"},
	},
	Basic: {
		values: map[string]string{"username": "ann", "password": "secret-word", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Basic YW5uOnNlY3JldC13b3Jk"},
	},
	S2SOAuth2: {
		client: map[string]string{"client_id": "id-1", "client_secret": "client-secret"},
		values: map[string]string{"access_token": "secret-access", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	GoogleServiceAccount: {
		values: map[string]string{"access_token": "secret-access", "credentials_json": "secret-file", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	ServiceAccount: {
		values: map[string]string{
			"access_token": "secret-access", "application_id": "app-1", "installation_id": "inst-1", "private_key": "secret-key", "subdomain": "shop-1",
		},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	BasicWithJWT: {
		values: map[string]string{"access_token": "secret-access", "username": "ann", "password": "secret-word", "subdomain": "shop-1"},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	OAuth1: {
		client: map[string]string{"consumer_key": "id-1", "consumer_secret": "client-secret"},
		values: map[string]string{"oauth_token": "secret-token", "oauth_token_secret": "secret-token-secret", "subdomain": "shop-1"},
		header: map[string]string{},
	},
	DCROAuth: {
		values: map[string]string{
			"access_token": "secret-access", "refresh_token": "secret-refresh", "client_id": "id-1", "token_url": "https://shop-1.example.com/token", "subdomain": "shop-1",
		},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	CIMDOAuth: {
		values: map[string]string{
			"access_token": "secret-access", "refresh_token": "secret-refresh", "client_id": "https://patchbay.example/oauth/client.json",
			"token_url": "https://shop-1.example.com/token", "subdomain": "shop-1",
		},
		header: map[string]string{"Authorization": "Bearer secret-access"},
	},
	NoAuth: {
		values: map[string]string{"subdomain": "shop-1"},
		header: map[string]string{},
	},
}

// TestSchemes is the behaviour that every scheme must show.
func TestSchemes(t *testing.T) {
	t.Parallel()
	for mode, scheme := range newSchemes(&authClient{http: &temporaryTokens{}, now: time.Now}) {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, ok := samples[mode]
			if !ok {
				t.Fatal("the scheme has no sample; add one to samples")
			}
			suite := schemeSuite{mode, scheme, s}
			t.Run("names its fields", suite.namesItsFields)
			t.Run("keeps declared fields", suite.keepsDeclaredFields)
			t.Run("asks for what is missing", suite.asksForWhatIsMissing)
			t.Run("places the proof", suite.placesTheProof)
			t.Run("obeys the toolkit", suite.obeysTheToolkit)
			t.Run("hides its secrets", suite.hidesItsSecrets)
			if flow, ok := scheme.(redirecting); ok {
				t.Run("sends the user away", func(t *testing.T) { suite.sendsTheUserAway(t, flow) })
			}
			if r, ok := scheme.(refreshing); ok {
				t.Run("refreshes only what it can", func(t *testing.T) { suite.refreshesOnlyWhatItCan(t, r) })
			}
		})
	}
}

// temporaryTokens is a provider that gives every request another temporary token (RFC 5849 section 2.1), says where to sign in
// (RFC 8414) and takes every client (RFC 7591).
type temporaryTokens struct{ n atomic.Int64 }

func (p *temporaryTokens) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	n := p.n.Add(1)
	origin := "https://" + r.URL.Host
	switch r.URL.Path {
	case "/.well-known/oauth-protected-resource":
		http.NotFound(w, r)
		return w.Result(), nil
	case "/.well-known/oauth-authorization-server":
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"registration_endpoint":%q,"client_id_metadata_document_supported":true}`,
			origin, origin+"/authorize?fixed=1", origin+"/token", origin+"/register")
		return w.Result(), nil
	case "/register":
		fmt.Fprintf(w, `{"client_id":"client-%d"}`, n)
		return w.Result(), nil
	}
	fmt.Fprintf(w, "oauth_token=temporary-%d&oauth_token_secret=hidden-%d&oauth_callback_confirmed=true", n, n)
	return w.Result(), nil
}

func (p *temporaryTokens) DoVia(_ outbound.Proxy, r *http.Request) (*http.Response, error) {
	return p.Do(r)
}

type schemeSuite struct {
	mode   string
	scheme Scheme
	sample sample
}

func (s schemeSuite) grant(t *testing.T) Grant {
	t.Helper()
	declared := &catalog.AuthScheme{
		Mode:          s.mode,
		ConfigFields:  s.scheme.ConfigFields(nil),
		AccountFields: s.scheme.AccountFields([]catalog.Field{{Name: "subdomain", Title: "Subdomain", Type: "string"}}),
	}
	if _, ok := s.scheme.(redirecting); ok {
		declared.OAuth2 = &catalog.OAuth2{
			AuthorizeURL: compile(t, "https://{subdomain}.example.com/authorize?fixed=1"), TokenURL: compile(t, "https://{subdomain}.example.com/token"), PKCE: true,
		}
	}
	if s.mode == DCROAuth || s.mode == CIMDOAuth {
		declared.Discover = compile(t, "https://{subdomain}.example.com")
	}
	if s.mode == OAuth1 {
		declared.OAuth1 = &catalog.OAuth1{
			RequestURL: compile(t, "https://{subdomain}.example.com/request"), AuthorizeURL: compile(t, "https://{subdomain}.example.com/authorize?fixed=1"),
			AccessURL: compile(t, "https://{subdomain}.example.com/access"), Signature: "HMAC-SHA1",
		}
	}
	return Grant{
		Toolkit: &catalog.Toolkit{Slug: "sample", Name: "Sample"}, Declared: declared,
		Client: hide(s.sample.client), Values: hide(s.sample.values), Scopes: []string{"a", "b"},
	}
}

func (s schemeSuite) secrets(g Grant) []string {
	var out []string
	open := urlFields(g)
	for name, v := range over(g.Client, g.Values) {
		if _, shown := open[name]; !shown {
			out = append(out, v.Reveal())
		}
	}
	return out
}

func (s schemeSuite) namesItsFields(t *testing.T) {
	for _, f := range slices.Concat(s.scheme.ConfigFields(nil), s.scheme.AccountFields(nil)) {
		if f.Name == "" || f.Title == "" || f.Type == "" {
			t.Errorf("a person cannot fill in %+v", f)
		}
	}
}

func (s schemeSuite) keepsDeclaredFields(t *testing.T) {
	own := catalog.Field{Name: "own", Title: "Own", Type: "string", Required: true}
	for what, got := range map[string][]catalog.Field{"config": s.scheme.ConfigFields([]catalog.Field{own}), "account": s.scheme.AccountFields([]catalog.Field{own})} {
		if !slices.Contains(got, own) {
			t.Errorf("the declared %s field is gone", what)
		}
	}
	for _, usual := range s.scheme.AccountFields(nil) {
		usual.Title = "Renamed"
		got := s.scheme.AccountFields([]catalog.Field{usual})
		if n := len(slices.DeleteFunc(slices.Clone(got), func(f catalog.Field) bool { return f.Name != usual.Name })); n != 1 || !slices.Contains(got, usual) {
			t.Errorf("%s is asked for %d times, or under the wrong title", usual.Name, n)
		}
	}
}

func (s schemeSuite) asksForWhatIsMissing(t *testing.T) {
	fields := s.scheme.AccountFields(nil)
	_, faults := checkFields(fields, map[string]string{})
	for _, f := range fields {
		if _, asked := faults[f.Name]; asked != f.Required || f.Required && !strings.Contains(faults[f.Name], f.Title) {
			t.Errorf("%s: %q", f.Name, faults[f.Name])
		}
	}
}

func (s schemeSuite) placesTheProof(t *testing.T) {
	c, err := newCredential(s.scheme, s.grant(t), "ca_1", s.mode)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, v := range c.Header {
		got[name] = v.Reveal()
	}
	if diff := cmp.Diff(s.sample.header, got); diff != "" {
		t.Error(diff)
	}
	if c.Fields["subdomain"] != "shop-1" || c.AccountID != "ca_1" || c.Scheme != s.mode {
		t.Errorf("%+v", c.Fields)
	}
}

func (s schemeSuite) obeysTheToolkit(t *testing.T) {
	g := s.grant(t)
	if proof(g).Empty() {
		t.Skip("there is no proof to place")
	}
	g.Declared.Header = map[string]*mapping.Text{"X-Own": text(t, "k={access_token}"), "X-Absent": text(t, "{nothing}")}
	g.Declared.Query = map[string]*mapping.Text{"q": text(t, "{token}")}
	c, err := newCredential(s.scheme, g, "ca_1", s.mode)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, "https://api.example.com/?a=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(r)
	want := proof(g).Reveal()
	if r.Header.Get("X-Own") != "k="+want || r.URL.Query().Get("q") != want || r.URL.Query().Get("a") != "1" || len(r.Header) != 1 {
		t.Errorf("%v %s", r.Header, r.URL)
	}
}

func (s schemeSuite) hidesItsSecrets(t *testing.T) {
	g := s.grant(t)
	c, err := newCredential(s.scheme, g, "ca_1", s.mode)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v", c, c, c, encoded, mask(g.Values, g.Declared.AccountFields))
	for _, v := range s.secrets(g) {
		if strings.Contains(printed, v) {
			t.Errorf("%q shows", v)
		}
		for name, open := range c.Fields {
			if strings.Contains(open, v) {
				t.Errorf("%q is offered to URLs as %s", v, name)
			}
		}
	}
}

func (s schemeSuite) sendsTheUserAway(t *testing.T, flow redirecting) {
	t.Helper()
	g := s.grant(t)
	h := Handshake{State: "state-1", RedirectURI: "https://patchbay.example/back"}
	to, err := flow.Begin(t.Context(), g, &h)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Host != "shop-1.example.com" || u.Query().Get("fixed") != "1" {
		t.Fatalf("%s: %v", to, err)
	}
	if h.State == "" || !strings.Contains(to, url.QueryEscape(h.State)) {
		t.Error("nothing comes back by which the way back is known")
	}
	for _, v := range append(s.secrets(g), h.Verifier.Reveal()) {
		if v != "" && strings.Contains(to, v) {
			t.Errorf("%q is in the address", v)
		}
	}
	other := Handshake{State: "state-2", RedirectURI: h.RedirectURI}
	if _, err := flow.Begin(t.Context(), g, &other); err != nil || !h.Verifier.Empty() && other.Verifier == h.Verifier {
		t.Error("two handshakes share a verifier")
	}
}

func (s schemeSuite) refreshesOnlyWhatItCan(t *testing.T, r refreshing) {
	t.Helper()
	g := s.grant(t)
	if !r.CanRefresh(g) {
		t.Error("the sample cannot be refreshed")
	}
	g.Values, g.Client = Fields{}, Fields{}
	if r.CanRefresh(g) {
		t.Error("nothing at all can be refreshed")
	}
}

func TestBearerTokenStandsInForOAuth(t *testing.T) {
	t.Parallel()
	oauth := catalog.AuthScheme{
		Mode: OAuth2, OAuth2: &catalog.OAuth2{}, Header: map[string]*mapping.Text{"X-Token": text(t, "{access_token}")},
		AccountFields: []catalog.Field{{Name: "region", Title: "Region", Type: "string"}},
	}
	s := &Service{schemes: newSchemes(nil)}
	toolkit := &catalog.Toolkit{Slug: "t", Auth: []catalog.AuthScheme{oauth, {Mode: "SAML"}}}
	var modes []string
	for _, d := range s.Schemes(toolkit) {
		modes = append(modes, d.Mode)
	}
	if diff := cmp.Diff([]string{OAuth2, BearerToken}, modes); diff != "" {
		t.Fatal(diff)
	}
	declared, scheme, ok := s.declaration(toolkit, BearerToken)
	if !ok || len(declared.AccountFields) != 2 {
		t.Fatalf("%+v", declared)
	}
	c, err := newCredential(scheme, Grant{Toolkit: toolkit, Declared: declared, Values: hide(map[string]string{"token": "x"})}, "ca", BearerToken)
	if err != nil || c.Header["X-Token"].Reveal() != "x" {
		t.Errorf("%v %v", err, c.Header["X-Token"].Reveal())
	}
	if _, _, ok := s.declaration(&catalog.Toolkit{Auth: []catalog.AuthScheme{{Mode: APIKey}}}, BearerToken); ok {
		t.Error("a toolkit without OAuth takes a bearer token")
	}
}

func TestProjectOnly(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"https://api.example.com/{x}/token":   false,
		"https://{x}.example.com/token":       false,
		"https://a.{x}.example.com/token":     false,
		"https://{x}/token":                   true,
		"https://{x}.com/token":               true,
		"https://accounts.example.{x}/token":  true,
		"https://example{x}.com/token":        true,
		"https://{x}.eu-{x}.example.io/token": false,
		"{x}":                                 true,
	} {
		d := &catalog.AuthScheme{OAuth2: &catalog.OAuth2{AuthorizeURL: compile(t, "https://example.com/"), TokenURL: compile(t, url)}}
		if got := projectOnly(AuthConfig{}, oauth2Scheme{}, Grant{Declared: d})["x"]; got != want {
			t.Errorf("%s: only the project may fill it in: %v", url, got)
		}
	}
	own, theirs := compile(t, "https://example.com/"), compile(t, "https://{x}/")
	for way, d := range map[string]catalog.AuthScheme{
		"authorization":      {OAuth2: &catalog.OAuth2{AuthorizeURL: theirs, TokenURL: own}},
		"revocation":         {OAuth2: &catalog.OAuth2{TokenURL: own, Revoke: &catalog.Revoke{URL: theirs}}},
		"a request token":    {OAuth1: &catalog.OAuth1{RequestURL: theirs, AuthorizeURL: own, AccessURL: own}},
		"an access token":    {OAuth1: &catalog.OAuth1{RequestURL: own, AuthorizeURL: own, AccessURL: theirs}},
		"the page of OAuth1": {OAuth1: &catalog.OAuth1{RequestURL: own, AuthorizeURL: theirs, AccessURL: own}},
		"an exchange":        {Exchange: &catalog.Exchange{URL: theirs}},
	} {
		if !projectOnly(AuthConfig{}, oauth2Scheme{}, Grant{Declared: &d})["x"] {
			t.Errorf("the secret may leave by %s", way)
		}
	}
}

func compile(t *testing.T, url string) *mapping.Text {
	t.Helper()
	c, err := mapping.CompileURL(url, mapping.Scope{Fields: []string{"subdomain", "x"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func text(t *testing.T, source string) *mapping.Text {
	t.Helper()
	c, err := mapping.CompileText(source, mapping.Scope{Fields: []string{"access_token", "token", "nothing"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
