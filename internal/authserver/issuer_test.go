package authserver_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// idp is an OpenID Connect issuer with one user, who has just signed in there.
type idp struct {
	*httptest.Server
	key     *rsa.PrivateKey
	claims  map[string]any // of the id_token it gives next
	form    url.Values     // that it was last asked with for tokens
	keysets int            // how often its keys were read
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{key: key, claims: map[string]any{}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(body)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		p.keysets++
		answer(w, map[string]any{"keys": []map[string]any{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		p.form = r.PostForm
		if r.PostForm.Get("code") != "good" {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant"})
			return
		}
		answer(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.sign(p.key, p.claims)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// sign makes a JWT.
func (p *idp) sign(key *rsa.PrivateKey, claims map[string]any) string {
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "1", "typ": "JWT"})
	body, _ := json.Marshal(claims)
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// newSignIn is a world whose people may sign in at an issuer, with changes to how.
func newSignIn(t *testing.T, p *idp, changes ...func(*authserver.IssuerOptions)) *world {
	t.Helper()
	client, err := outbound.New(outbound.Options{Allow: []string{p.Listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, func(w *world, o *authserver.Options) {
		options := authserver.IssuerOptions{
			URL: p.URL, ClientID: "patchbay", ClientSecret: secret.Hide("the secret"), HTTP: client.HTTP(), Now: w.clock,
			Project: func(context.Context) (string, error) { return w.project, nil },
		}
		for _, change := range changes {
			change(&options)
		}
		o.Issuer, err = authserver.NewIssuer(options)
		if err != nil {
			t.Fatal(err)
		}
	})
}

// visit goes to the issuer and comes back with the claims of a good id_token, changed: nil takes a claim away.
func (w *world) visit(p *idp, browser string, claims map[string]any, changes ...string) (authserver.Login, secret.Value, string, error) {
	w.t.Helper()
	location, err := w.VisitIssuer(w.t.Context(), origin, "browser", "/oauth/authorize?x=1")
	w.must(err)
	u, err := url.Parse(location)
	w.must(err)
	asked := u.Query()
	if asked.Get("redirect_uri") != origin+"/oauth/callback" || asked.Get("code_challenge_method") != "S256" || !strings.Contains(asked.Get("scope"), "openid") {
		w.t.Errorf("the issuer is asked %v", asked)
	}
	p.claims = map[string]any{
		"iss": p.URL, "aud": "patchbay", "sub": "u-1", "nonce": asked.Get("nonce"), "exp": w.clock().Add(time.Hour).Unix(), "iat": w.clock().Unix(),
		"email": "ada@example.com", "email_verified": true,
	}
	for name, value := range claims {
		if p.claims[name] = value; value == nil {
			delete(p.claims, name)
		}
	}
	return w.ReturnFromIssuer(w.t.Context(), origin, browser, with(url.Values{"state": {asked.Get("state")}, "code": {"good"}, "iss": {p.URL}}, changes...))
}

func TestPeopleSignInAtAnIssuer(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p)
	login, cookie, next, err := w.visit(p, "browser", nil)
	w.must(err)
	if login.Person.UserID != "u-1" || login.Person.ProjectID != w.project || login.Issuer != p.URL || next != "/oauth/authorize?x=1" {
		t.Errorf("signed in %+v, on to %q", login, next)
	}
	if again, err := w.Login(t.Context(), cookie.Reveal()); err != nil || again.Person != login.Person {
		t.Errorf("the cookie is of %+v, %v", again, err)
	}
	if len(p.form.Get("code_verifier")) < 43 {
		t.Errorf("the code was exchanged without PKCE: %v", p.form)
	}
}

func TestAnswersOfIssuersThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p)
	for name, tc := range map[string]struct {
		browser string
		claims  map[string]any
		changes []string
	}{
		"another browser":         {browser: "another"},
		"another state":           {changes: []string{"state", "made up"}},
		"a mixed-up issuer":       {changes: []string{"iss", "https://evil.example"}},
		"a no":                    {changes: []string{"error", "access_denied"}},
		"a code of somebody else": {changes: []string{"code", "bad"}},
		"another visit's proof":   {claims: map[string]any{"nonce": "another"}},
		"no nonce":                {claims: map[string]any{"nonce": nil}},
		"another client's proof":  {claims: map[string]any{"aud": "another"}},
		"another issuer's proof":  {claims: map[string]any{"iss": "https://evil.example"}},
		"an old proof":            {claims: map[string]any{"exp": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()}},
		"nobody":                  {claims: map[string]any{"sub": ""}},
		"a number":                {claims: map[string]any{"sub": 1}},
	} {
		browser := "browser"
		if tc.browser != "" {
			browser = tc.browser
		}
		if _, _, _, err := w.visit(p, browser, tc.claims, tc.changes...); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "the secret") {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}
	key := p.key
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	p.key = other
	if _, _, _, err := w.visit(p, "browser", nil); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a proof that somebody else signed: %v", err)
	}
	p.key = key
}

func TestWhoMayCome(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p, func(o *authserver.IssuerOptions) {
		o.UserClaim, o.Users = "email", []string{"@example.com", "guest@other.example"}
	})
	for name, tc := range map[string]struct {
		claims map[string]any
		user   string // empty: nobody
	}{
		"of the domain":           {map[string]any{"email": "ada@example.com"}, "ada@example.com"},
		"whatever the case of it": {map[string]any{"email": "ada@Example.com"}, "ada@Example.com"},
		"on the list":             {map[string]any{"email": "guest@other.example"}, "guest@other.example"},
		"a domain that looks so":  {map[string]any{"email": "ada@evil-example.com"}, ""},
		"two signs":               {map[string]any{"email": "ada@example.com@evil.example"}, ""},
		"not on the list":         {map[string]any{"email": "eve@other.example"}, ""},
		"nobody verified it":      {map[string]any{"email_verified": false}, ""},
		"nobody says so":          {map[string]any{"email_verified": nil}, ""},
		"no address":              {map[string]any{"email": nil}, ""},
	} {
		login, _, _, err := w.visit(p, "browser", tc.claims)
		if login.Person.UserID != tc.user || (tc.user == "") != fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %+v, %v", name, login.Person, err)
		}
	}
}

func TestTokensOfTheIssuer(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p, func(o *authserver.IssuerOptions) { o.Tokens, o.Audiences = true, []string{"mcp-api"} })
	token := func(key *rsa.PrivateKey, changes ...any) string {
		claims := map[string]any{"iss": p.URL, "aud": personal, "sub": "u-1", "exp": w.clock().Add(time.Hour).Unix()}
		for i := 0; i < len(changes); i += 2 {
			claims[changes[i].(string)] = changes[i+1]
		}
		return p.sign(key, claims)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	for name, tc := range map[string]struct {
		token, path, user string
	}{
		"for this endpoint":          {token(p.key), "/mcp", "u-1"},
		"for one of several":         {token(p.key, "aud", []string{"x", personal}), "/mcp", "u-1"},
		"for the operator's API":     {token(p.key, "aud", "mcp-api"), "/mcp", "u-1"},
		"for another endpoint":       {token(p.key, "aud", sessions), "/mcp", ""},
		"at another endpoint":        {token(p.key), "/tool_router/trs_ada/mcp", ""},
		"at no MCP endpoint":         {token(p.key, "aud", "mcp-api"), "/v3/mcp/x", ""},
		"a proof of having come":     {token(p.key, "aud", "patchbay"), "/mcp", ""},
		"for nobody":                 {token(p.key, "aud", ""), "/mcp", ""},
		"of another issuer":          {token(p.key, "iss", "https://evil.example"), "/mcp", ""},
		"that has ended":             {token(p.key, "exp", w.clock().Add(-time.Hour).Unix()), "/mcp", ""},
		"that somebody else signed":  {token(other), "/mcp", ""},
		"that nobody signed":         {unsigned(token(p.key)), "/mcp", ""},
		"with another last letter":   {token(p.key)[:40] + "x" + token(p.key)[41:], "/mcp", ""},
		"with the key as a password": {"eyJhbGciOiJIUzI1NiJ9.e30.x", "/mcp", ""},
	} {
		for range 2 { // what was remembered must be the same
			person, err := w.Person(t.Context(), tc.token, origin, tc.path)
			if person.UserID != tc.user || (tc.user == "") != fault.Is(err, fault.Unauthorized) {
				t.Errorf("%s: %+v, %v", name, person, err)
			}
		}
	}
	if m, _ := w.ResourceMetadata(origin, "/mcp"); len(m.AuthorizationServers) != 2 || m.AuthorizationServers[1] != p.URL {
		t.Errorf("clients are told of %v", m.AuthorizationServers)
	}

	before, limited := p.keysets, 0
	for i := range 200 { // each names a key that nobody knows
		strange := strings.Replace(token(p.key, "n", i), "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEi", "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIi", 1)
		if _, err := w.Person(t.Context(), strange, origin, "/mcp"); fault.Is(err, fault.RateLimited) {
			limited++
		} else if err == nil {
			t.Fatal("a token of an unknown key works")
		}
	}
	if n := p.keysets - before; n > 60 || limited < 100 {
		t.Errorf("strangers made this server read the issuer's keys %d times; %d of 200 were refused at once", n, limited)
	}
}

// unsigned says of a token that no signature is needed.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
}

func TestTokensOfTheIssuerNeedTheOperatorsWord(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p)
	token := p.sign(p.key, map[string]any{"iss": p.URL, "aud": personal, "sub": "u-1", "exp": w.clock().Add(time.Hour).Unix()})
	_, err := w.Person(t.Context(), token, origin, "/mcp")
	wantSlug(t, "a token of the issuer", err, fault.SlugOAuthInvalidToken)
	if m, _ := w.ResourceMetadata(origin, "/mcp"); len(m.AuthorizationServers) != 1 {
		t.Errorf("clients are told of %v", m.AuthorizationServers)
	}
}

func TestIssuersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	good := authserver.IssuerOptions{
		URL: "https://login.example", ClientID: "patchbay", HTTP: http.DefaultClient, Project: func(context.Context) (string, error) { return "", nil },
	}
	if _, err := authserver.NewIssuer(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*authserver.IssuerOptions){
		"no client":                 func(o *authserver.IssuerOptions) { o.ClientID = "" },
		"no URL":                    func(o *authserver.IssuerOptions) { o.URL = "login.example" },
		"its client as audience":    func(o *authserver.IssuerOptions) { o.Audiences = []string{"patchbay"} },
		"no project for its people": func(o *authserver.IssuerOptions) { o.Project = nil },
	} {
		o := good
		change(&o)
		if _, err := authserver.NewIssuer(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestAnIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	w := newSignIn(t, p)
	p.Server.Config.SetKeepAlivesEnabled(false)
	p.Close()
	if _, err := w.VisitIssuer(t.Context(), origin, "browser", ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, _, err := w.SignIn(t.Context(), w.keys["ada"], "here"); err != nil {
		t.Errorf("a personal key does not work without it: %v", err)
	}
}
