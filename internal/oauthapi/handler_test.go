package oauthapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/oauthapi"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// server notes what it is asked, and answers what the test wants.
type server struct {
	oauthapi.Server
	proof authserver.ClientProof
	form  url.Values
	token string
	asked authserver.NewClient
	from  string
	err   error
}

func (s *server) Metadata(origin string) authserver.Metadata {
	return authserver.Metadata{Issuer: origin}
}

func (s *server) ResourceMetadata(origin, path string) (authserver.ResourceMetadata, bool) {
	return authserver.ResourceMetadata{Resource: origin + path}, path == "/mcp" || path == "/tool_router/trs_1/mcp"
}

func (s *server) Exchange(_ context.Context, _ string, proof authserver.ClientProof, form url.Values, from string) (authserver.Tokens, error) {
	s.proof, s.form, s.from = proof, form, from
	return authserver.Tokens{Access: secret.Hide("oat_1"), Life: time.Hour, Scope: "tools"}, s.err
}

func (s *server) Revoke(_ context.Context, proof authserver.ClientProof, token, _ string) error {
	s.proof, s.token = proof, token
	return s.err
}

func (s *server) Register(_ context.Context, n authserver.NewClient, _ string) (authserver.Client, secret.Value, error) {
	s.asked = n
	return authserver.Client{ID: "oc_1", Name: n.Name, RedirectURIs: n.RedirectURIs, AuthMethod: authserver.SecretBasic, Refreshes: true, CreatedAt: time.Unix(1, 0)}, secret.Hide("ocs_1"), s.err
}

func (s *server) ask(t *testing.T, method, path, media, body string, headers ...string) (*http.Response, map[string]any) {
	t.Helper()
	handler, err := oauthapi.New(oauthapi.Options{
		Server:    s,
		PublicURL: func(*http.Request) (string, error) { return "https://bay.example", nil },
		Address:   func(*http.Request) string { return "192.0.2.1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	res := w.Result()
	defer res.Body.Close()
	answer := map[string]any{}
	if res.Header.Get("Content-Type") == "application/json" {
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be kept", method, path)
		}
	}
	return res, answer
}

const form = "application/x-www-form-urlencoded"

func TestDescriptions(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/.well-known/oauth-authorization-server":                      "issuer",
		"/.well-known/openid-configuration":                            "issuer",
		"/.well-known/oauth-protected-resource/mcp":                    "resource",
		"/.well-known/oauth-protected-resource/tool_router/trs_1/mcp":  "resource",
		"/.well-known/oauth-protected-resource/tool_router/trs_1/nope": "",
		"/.well-known/oauth-protected-resource/":                       "",
	} {
		res, answer := new(server).ask(t, "GET", path, "", "")
		if want == "" {
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d %v", path, res.StatusCode, answer)
			}
			continue
		}
		if text, _ := answer[want].(string); res.StatusCode != http.StatusOK || !strings.HasPrefix(text, "https://bay.example") || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, res.StatusCode, answer)
		}
	}
}

func TestHowClientsShowWhoTheyAre(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body, media, basic string
		id, secret         string // empty id: refused
	}{
		"by name":             {body: "client_id=oc_1&code=x", id: "oc_1"},
		"in the form":         {body: "client_id=oc_1&client_secret=s%2B1", id: "oc_1", secret: "s+1"},
		"by Basic":            {body: "code=x", basic: "oc_1:s%2B1", id: "oc_1", secret: "s+1"},
		"by Basic, and name":  {body: "client_id=oc_1", basic: "oc_1:s", id: "oc_1", secret: "s"},
		"a document by Basic": {body: "", basic: "https%3A%2F%2Fa.example%2Fc:", id: "https://a.example/c"},
		"two names":           {body: "client_id=oc_2", basic: "oc_1:s"},
		"two secrets":         {body: "client_secret=t", basic: "oc_1:s"},
		"the name twice":      {body: "client_id=oc_1&client_id=oc_2"},
		"badly encoded Basic": {body: "", basic: "oc_1:%zz"},
		"no form":             {body: "client_id=oc_1", media: "application/json"},
		"a broken form":       {body: "client_id=%zz"},
		"a long form":         {body: "client_id=" + strings.Repeat("x", 70_000)},
	} {
		s := &server{}
		media := form
		if tc.media != "" {
			media = tc.media
		}
		var headers []string
		if tc.basic != "" {
			r := &http.Request{Header: http.Header{}}
			user, password, _ := strings.Cut(tc.basic, ":")
			r.SetBasicAuth(user, password)
			headers = []string{"Authorization", r.Header.Get("Authorization")}
		}
		res, answer := s.ask(t, "POST", "/oauth/token", media, tc.body, headers...)
		if tc.id == "" {
			if res.StatusCode != http.StatusBadRequest || answer["error"] != "invalid_request" || s.form != nil {
				t.Errorf("%s: %d %v", name, res.StatusCode, answer)
			}
			continue
		}
		if s.proof.ID != tc.id || s.proof.Secret.Reveal() != tc.secret || s.from != "192.0.2.1" {
			t.Errorf("%s: %q %q", name, s.proof.ID, s.proof.Secret.Reveal())
		}
		if answer["access_token"] != "oat_1" || answer["token_type"] != "Bearer" || answer["expires_in"] != 3600.0 || answer["refresh_token"] != nil {
			t.Errorf("%s: %v", name, answer)
		}
	}
}

func TestHowErrorsAreTold(t *testing.T) {
	t.Parallel()
	limited := fault.New(fault.RateLimited, fault.SlugRateLimited, "Too many.")
	limited.After = 10 * time.Second
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
		header string
	}{
		"a code":            {fault.New(fault.Invalid, fault.SlugOAuthInvalidGrant, "It says \"no\" – really."), 400, "invalid_grant", ""},
		"a client":          {fault.New(fault.Unauthorized, fault.SlugOAuthInvalidClient, "No."), 401, "invalid_client", "Www-Authenticate"},
		"too many":          {limited, 429, "temporarily_unavailable", "Retry-After"},
		"the database away": {fault.New(fault.Unavailable, fault.SlugUnavailable, "Away."), 503, "temporarily_unavailable", ""},
		"a fault of ours":   {errors.New("the password is hunter2"), 500, "server_error", ""},
		"a general fault":   {fault.New(fault.Invalid, fault.SlugInvalid, "No."), 400, "invalid_request", ""},
	} {
		res, answer := (&server{err: tc.err}).ask(t, "POST", "/oauth/token", form, "", "Authorization", "Basic eDp5")
		text, _ := answer["error_description"].(string)
		if res.StatusCode != tc.status || answer["error"] != tc.code || strings.Contains(text, "hunter2") || tc.header != "" && res.Header.Get(tc.header) == "" {
			t.Errorf("%s: %d %v %v", name, res.StatusCode, answer, res.Header)
		}
		if strings.ContainsAny(text, "\"\\–") { // RFC 6749 section 5.2
			t.Errorf("%s: the description has characters that it must not have: %q", name, text)
		}
	}
}

func TestRegistrationOnTheWire(t *testing.T) {
	t.Parallel()
	s := &server{}
	res, answer := s.ask(t, "POST", "/oauth/register", "application/json",
		`{"client_name":"C","redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code","refresh_token"],"logo_uri":"x","software_id":1}`)
	want := map[string]any{
		"client_id": "oc_1", "client_secret": "ocs_1", "client_secret_expires_at": 0.0, "client_id_issued_at": 1.0, "client_name": "C",
		"token_endpoint_auth_method": "client_secret_basic", "scope": "tools",
	}
	for name, value := range want {
		if answer[name] != value {
			t.Errorf("%s is %v, want %v", name, answer[name], value)
		}
	}
	if res.StatusCode != http.StatusCreated || s.asked.Name != "C" || len(s.asked.GrantTypes) != 2 || len(s.asked.RedirectURIs) != 1 {
		t.Errorf("%d: registered %+v", res.StatusCode, s.asked)
	}
	for name, body := range map[string]string{"no JSON": "x", "a list": "[]", "a number for a text": `{"client_name":1}`, "a long one": `{"client_name":"` + strings.Repeat("x", 70_000) + `"}`} {
		if res, answer := new(server).ask(t, "POST", "/oauth/register", "application/json", body); res.StatusCode != http.StatusBadRequest || answer["error"] != "invalid_client_metadata" {
			t.Errorf("%s: %d %v", name, res.StatusCode, answer)
		}
	}
	if res, _ := new(server).ask(t, "POST", "/oauth/register", form, "{}"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a form registers: %d", res.StatusCode)
	}
}

func TestRevocationOnTheWire(t *testing.T) {
	t.Parallel()
	s := &server{}
	if res, _ := s.ask(t, "POST", "/oauth/revoke", form, "client_id=oc_1&token=ort_1&token_type_hint=refresh_token"); res.StatusCode != http.StatusOK || s.token != "ort_1" || s.proof.ID != "oc_1" {
		t.Errorf("%d: ended %q for %q", res.StatusCode, s.token, s.proof.ID)
	}
	if res, _ := s.ask(t, "GET", "/oauth/revoke", "", ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", res.StatusCode)
	}
}
