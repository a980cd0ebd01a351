package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// signInServer is a resource (an MCP server) with its authorization server. Its documents may be changed before it is asked.
type signInServer struct {
	*httptest.Server
	resource   map[string]any // RFC 9728; nil: there is none
	metadata   map[string]any // RFC 8414; nil: there is none
	registered registration   // what a client said of itself
	given      map[string]any // what it is answered
	tokenForms []url.Values
	basic      []string // user of HTTP Basic, by token request
	challenge  string   // with which the resource refuses requests without a token; empty: there is no resource
}

func newSignInServer(t *testing.T) *signInServer {
	t.Helper()
	s := &signInServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.resource = map[string]any{"resource": s.URL + "/mcp", "authorization_servers": []string{s.URL + "/as"}, "scopes_supported": []string{"tools"}}
	s.metadata = map[string]any{
		"issuer": s.URL + "/as", "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"registration_endpoint": s.URL + "/register", "revocation_endpoint": s.URL + "/revoke",
		"code_challenge_methods_supported": []string{"S256"}, "authorization_response_iss_parameter_supported": true,
		"client_id_metadata_document_supported": true, "scopes_supported": []string{"tools", "offline_access"},
	}
	s.given = map[string]any{"client_id": "client-7"}
	return s
}

func (s *signInServer) serve(w http.ResponseWriter, r *http.Request) {
	answer := func(v map[string]any) {
		if v == nil {
			http.NotFound(w, r)
			return
		}
		json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/.well-known/oauth-protected-resource/mcp":
		if s.challenge != "" {
			http.NotFound(w, r)
			return
		}
		answer(s.resource)
	case "/documents/mcp.json":
		answer(s.resource)
	case "/mcp":
		if s.challenge == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", s.challenge)
		w.WriteHeader(http.StatusUnauthorized)
	case "/.well-known/oauth-authorization-server/as":
		answer(s.metadata)
	case "/register":
		json.NewDecoder(r.Body).Decode(&s.registered)
		answer(s.given)
	case "/token":
		r.ParseForm()
		user, _, _ := r.BasicAuth()
		s.tokenForms, s.basic = append(s.tokenForms, r.PostForm), append(s.basic, user)
		answer(map[string]any{"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 60, "token_type": "Bearer"})
	case "/revoke":
		w.WriteHeader(http.StatusOK)
	default:
		http.NotFound(w, r)
	}
}

// straight sends requests with no guard, so that loopback servers are reached.
type straight struct{}

func (straight) Do(r *http.Request) (*http.Response, error) { return (&http.Client{}).Do(r) }

func (s straight) DoVia(_ outbound.Proxy, r *http.Request) (*http.Response, error) { return s.Do(r) }

func (s *signInServer) grant(t *testing.T, mode string) Grant {
	t.Helper()
	return Grant{
		Toolkit:  &catalog.Toolkit{Slug: "remote", Name: "Remote"},
		Declared: &catalog.AuthScheme{Mode: mode, Discover: compile(t, s.URL+"/mcp")},
	}
}

func newDCR() dcrScheme {
	return dcrScheme{discovered{&authClient{http: straight{}, now: time.Now}}}
}

func TestDCRFromNothingToTokens(t *testing.T) {
	t.Parallel()
	s, scheme := newSignInServer(t), newDCR()
	g := s.grant(t, DCROAuth)
	h := Handshake{State: "state-1", RedirectURI: "https://patchbay.example/api/v3.1/toolkits/auth/callback"}
	target, err := scheme.Begin(t.Context(), g, &h)
	if err != nil {
		t.Fatal(err)
	}
	want := registration{
		Name: clientName, Redirects: []string{h.RedirectURI}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Responses: []string{"code"}, ClientAuth: "none", Type: "web",
	}
	if diff := cmp.Diff(want, s.registered); diff != "" {
		t.Errorf("the client registers as (-want +got)\n%s", diff)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, value := range map[string]string{
		"client_id": "client-7", "state": "state-1", "redirect_uri": h.RedirectURI, "response_type": "code", "code_challenge_method": "S256",
		"resource": s.URL + "/mcp", "scope": "tools offline_access",
	} {
		if q.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, q.Get(name), value)
		}
	}

	g.Values = h.Kept
	tokens, err := scheme.Finish(t.Context(), g, h, CallbackParams{State: "state-1", Code: "code-1", Issuer: s.URL + "/as"})
	if err != nil || tokens.Values["access_token"].Reveal() != "at-1" {
		t.Fatalf("tokens %v, %v", tokens.Values, err)
	}
	form := s.tokenForms[0]
	if form.Get("code") != "code-1" || form.Get("client_id") != "client-7" || form.Get("resource") != s.URL+"/mcp" || form.Get("code_verifier") != h.Verifier.Reveal() || form.Has("client_secret") {
		t.Errorf("the code is exchanged with %v", form)
	}

	g.Values = over(h.Kept, tokens.Values)
	if !scheme.CanRefresh(g) {
		t.Fatal("the tokens cannot be renewed")
	}
	if _, err := scheme.Refresh(t.Context(), g); err != nil || s.tokenForms[1].Get("refresh_token") != "rt-1" || s.tokenForms[1].Get("resource") != s.URL+"/mcp" {
		t.Errorf("renewed with %v (%v)", s.tokenForms[1], err)
	}
	if ended, err := scheme.Revoke(t.Context(), g); err != nil || !slices.Contains(ended, "access_token") {
		t.Errorf("revoked %v (%v)", ended, err)
	}
}

// Where a resource describes itself it may say in its refusal alone (RFC 9728 section 5.1).
func TestDiscoveryByRefusal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ challenge, resource, want string }{
		"named":               {`Bearer realm="x", resource_metadata="%s/documents/mcp.json", scope="tools"`, "/mcp", ""},
		"of somebody else":    {`Bearer resource_metadata="%s/documents/mcp.json"`, "/other", "another resource"},
		"nothing named":       {`Bearer realm="%s"`, "/mcp", "how to sign in"},
		"no address":          {`Bearer resource_metadata="javascript:%s"`, "/mcp", "how to sign in"},
		"a password in it":    {`Bearer resource_metadata="http://u:p@%s"`, "/mcp", "how to sign in"},
		"nothing is there":    {`Bearer resource_metadata="%s/nowhere"`, "/mcp", "how to sign in"},
		"the refusal is long": {`Bearer ` + strings.Repeat(`a="b", `, 500) + `resource_metadata="%s/documents/mcp.json"`, "/mcp", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSignInServer(t)
			s.challenge, s.resource["resource"] = fmt.Sprintf(c.challenge, s.URL), s.URL+c.resource
			_, err := newDCR().Begin(t.Context(), s.grant(t, DCROAuth), &Handshake{State: "s", RedirectURI: "https://patchbay.example/cb"})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func TestDCRAsksForTheScopesOfTheAuthConfig(t *testing.T) {
	t.Parallel()
	s := newSignInServer(t)
	g := s.grant(t, DCROAuth)
	g.Scopes = []string{"tools.read"}
	target, err := newDCR().Begin(t.Context(), g, &Handshake{State: "s", RedirectURI: "https://patchbay.example/cb"})
	if err != nil {
		t.Fatal(err)
	}
	if u, _ := url.Parse(target); u.Query().Get("scope") != "tools.read offline_access" {
		t.Errorf("it asks for %q", u.Query().Get("scope"))
	}
}

func TestDCRWithAConfidentialClient(t *testing.T) {
	t.Parallel()
	s, scheme := newSignInServer(t), newDCR()
	s.metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic", "client_secret_post"}
	s.given = map[string]any{"client_id": "client-8", "client_secret": "hush", "token_endpoint_auth_method": "client_secret_basic"}
	g, h := s.grant(t, DCROAuth), Handshake{State: "s", RedirectURI: "https://patchbay.example/cb"}
	if _, err := scheme.Begin(t.Context(), g, &h); err != nil {
		t.Fatal(err)
	}
	if s.registered.ClientAuth != "client_secret_basic" {
		t.Errorf("the client asks for %q", s.registered.ClientAuth)
	}
	g.Values = h.Kept
	if _, err := scheme.Finish(t.Context(), g, h, CallbackParams{Code: "c", Issuer: s.URL + "/as"}); err != nil || s.basic[0] != "client-8" {
		t.Errorf("the client proves itself as %q (%v)", s.basic[0], err)
	}
}

func TestCIMDIsKnownByItsDocument(t *testing.T) {
	t.Parallel()
	s := newSignInServer(t)
	scheme := cimdScheme{discovered{&authClient{http: straight{}, now: time.Now}}}
	g := s.grant(t, CIMDOAuth)
	h := Handshake{State: "s", RedirectURI: "https://patchbay.example/under/api/v3.1/toolkits/auth/callback"}
	target, err := scheme.Begin(t.Context(), g, &h)
	if err != nil {
		t.Fatal(err)
	}
	document := DescribeClient("https://patchbay.example/under", "/api/v3.1/toolkits/auth/callback")
	if u, _ := url.Parse(target); u.Query().Get("client_id") != document.ID || !slices.Contains(document.Redirects, h.RedirectURI) {
		t.Errorf("the browser goes to %s, the document says %+v", target, document)
	}
	if s.registered.Name != "" {
		t.Error("it registered all the same")
	}
	for name, spoil := range map[string]func(*Handshake){
		"no https":     func(h *Handshake) { h.RedirectURI = "http://127.0.0.1:8484/cb" },
		"not known of": func(*Handshake) { s.metadata["client_id_metadata_document_supported"] = false },
	} {
		spoilt := h
		spoil(&spoilt)
		if _, err := scheme.Begin(t.Context(), g, &spoilt); err == nil || !strings.Contains(err.Error(), "DCR_OAUTH") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDiscoveryRefuses holds a client against servers that speak for others or would let a code be stolen.
func TestDiscoveryRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*signInServer)
		code  string
	}{
		"a resource that names another":      {func(s *signInServer) { s.resource["resource"] = "https://victim.example/mcp" }, "wrong_resource"},
		"a resource beside the one asked":    {func(s *signInServer) { s.resource["resource"] = s.URL + "/mcpother" }, "wrong_resource"},
		"metadata of another issuer":         {func(s *signInServer) { s.metadata["issuer"] = "https://victim.example" }, "wrong_issuer"},
		"no PKCE":                            {func(s *signInServer) { s.metadata["code_challenge_methods_supported"] = []string{"plain"} }, "no_pkce"},
		"an endpoint that is a script":       {func(s *signInServer) { s.metadata["authorization_endpoint"] = "javascript:alert(1)" }, "bad_endpoint"},
		"an endpoint with a password":        {func(s *signInServer) { s.metadata["token_endpoint"] = "https://a:b@evil.example" }, "bad_endpoint"},
		"no token endpoint":                  {func(s *signInServer) { delete(s.metadata, "token_endpoint") }, "bad_endpoint"},
		"no metadata at all":                 {func(s *signInServer) { s.metadata = nil }, "no_metadata"},
		"no registration":                    {func(s *signInServer) { delete(s.metadata, "registration_endpoint") }, "no_registration"},
		"a registration without a client id": {func(s *signInServer) { s.given = map[string]any{} }, "unusable_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSignInServer(t)
			c.spoil(s)
			_, err := newDCR().Begin(t.Context(), s.grant(t, DCROAuth), &Handshake{RedirectURI: "https://patchbay.example/cb"})
			var refusal *providerError
			if !errors.As(err, &refusal) || refusal.code != c.code {
				t.Errorf("it is answered %v, want the code %s", err, c.code)
			}
		})
	}
}

func TestAnAnswerFromAnotherIssuerIsRefused(t *testing.T) {
	t.Parallel()
	s, scheme := newSignInServer(t), newDCR()
	g, h := s.grant(t, DCROAuth), Handshake{State: "s", RedirectURI: "https://patchbay.example/cb"}
	if _, err := scheme.Begin(t.Context(), g, &h); err != nil {
		t.Fatal(err)
	}
	g.Values = h.Kept
	for _, issuer := range []string{"", "https://evil.example"} {
		if _, err := scheme.Finish(t.Context(), g, h, CallbackParams{Code: "c", Issuer: issuer}); err == nil {
			t.Errorf("issuer %q is accepted", issuer)
		}
	}
	if len(s.tokenForms) != 0 {
		t.Error("the code was given to the token endpoint all the same")
	}
}

func TestAResourceWithoutMetadataIsItsOwnServer(t *testing.T) {
	t.Parallel()
	own := http.NewServeMux()
	server := httptest.NewServer(own)
	t.Cleanup(server.Close)
	own.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/a", "token_endpoint": server.URL + "/t"})
	})
	found, err := newDCR().auth.discover(context.Background(), Grant{Declared: &catalog.AuthScheme{Discover: compile(t, server.URL+"/sse")}})
	if err != nil || found.TokenURL != server.URL+"/t" || found.resource != "" {
		t.Errorf("found %+v (%v)", found, err)
	}
}
