package app_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
)

// browser is a person's browser, which follows no redirect by itself.
type browser struct {
	t      *testing.T
	client *http.Client
	away   bool // nobody answers what programs ask
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is what a browser got.
type page struct {
	url, body string
	status    int
	header    http.Header
}

func (b *browser) do(method, target string, form url.Values, header http.Header) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{target, string(body), resp.StatusCode, resp.Header}
}

func (b *browser) get(target string) page { b.t.Helper(); return b.do("GET", target, nil, nil) }

// follow goes where an answer leads.
func (b *browser) follow(p page) page {
	b.t.Helper()
	location := p.header.Get("Location")
	base, err := url.Parse(p.url)
	if err != nil || location == "" {
		b.t.Fatalf("%s leads nowhere: %d %s", p.url, p.status, p.body)
	}
	to, err := base.Parse(location)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.get(to.String())
}

var (
	forms  = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)"[^>]*>(.*?)</form>`)
	inputs = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// form gives what a form of a page holds, with values put over it.
func (p page) form(t *testing.T, action string, values ...string) (target string, fields url.Values) {
	t.Helper()
	for _, form := range forms.FindAllStringSubmatch(p.body, -1) {
		if form[1] != action {
			continue
		}
		fields = url.Values{}
		for _, input := range inputs.FindAllStringSubmatch(form[2], -1) {
			fields.Set(input[1], html.UnescapeString(input[2]))
		}
		for i := 0; i < len(values); i += 2 {
			fields.Set(values[i], values[i+1])
		}
		base, err := url.Parse(p.url)
		if err != nil {
			t.Fatal(err)
		}
		to, err := base.Parse(action)
		if err != nil {
			t.Fatal(err)
		}
		return to.String(), fields
	}
	t.Fatalf("no form to %s at %s: %d %s", action, p.url, p.status, p.body)
	return "", nil
}

func (b *browser) submit(p page, action string, values ...string) page {
	b.t.Helper()
	target, fields := p.form(b.t, action, values...)
	return b.do("POST", target, fields, nil)
}

// answer opens a client's request, signs in with a key if need be, says yes or no, and gives the address that the client is told by.
func (b *browser) answer(request, key, word string) *url.URL {
	b.t.Helper()
	p := b.get(request)
	if strings.Contains(p.body, `action="sign-in"`) {
		p = b.follow(b.submit(p, "sign-in", "key", key))
	}
	p = b.submit(p, "authorize", "answer", word)
	location, err := url.Parse(p.header.Get("Location"))
	if err != nil || p.status != http.StatusSeeOther {
		b.t.Fatalf("the answer is %d %s", p.status, p.body)
	}
	return location
}

// logIn connects the Go SDK's client to an MCP URL as a program without a key does, with a person who agrees.
func logIn(t *testing.T, mcpURL string, b *browser, key string) *mcp.ClientSession {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		Client: &http.Client{Transport: transport},
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "Go program", RedirectURIs: []string{"http://127.0.0.1:4711/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		}},
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			if b.away {
				return nil, errors.New("nobody is there")
			}
			q := b.answer(args.URL, key, "allow").Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "login", Version: "1"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: mcpURL, OAuthHandler: handler, HTTPClient: &http.Client{Transport: transport}, DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func usesTools(t *testing.T, session *mcp.ClientSession) {
	t.Helper()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{
		Name: "COMPOSIO_SEARCH_TOOLS", Arguments: map[string]any{"queries": []map[string]any{{"use_case": "look up a Hacker News user"}}},
	})
	if err != nil || result.IsError {
		t.Fatalf("a search is answered %+v, %v", result, err)
	}
}

// program is an MCP client of the tests' own making, so that they see what it is given.
type program struct {
	t        *testing.T
	base     string
	id       string
	redirect string
}

func newProgram(t *testing.T, base, redirect string) program {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"client_name": "A program", "redirect_uris": []string{redirect}, "token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"},
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/oauth/register", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	status, answer := send(t, req)
	var registered struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(answer), &registered); err != nil || status != http.StatusCreated {
		t.Fatalf("registering is answered %d %s", status, answer)
	}
	return program{t, base, registered.ID, redirect}
}

const verifier = "a-verifier-of-at-least-forty-three-characters"

// request is the address that the program sends its person to, with changes.
func (p program) request(changes ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {p.redirect}, "state": {"s"}, "resource": {p.base + "/mcp"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
	}
	return p.base + "/oauth/authorize?" + q.Encode()
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// tokens exchanges a code.
func (p program) tokens(code string) (got tokens) {
	p.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {p.id}, "code": {code}, "redirect_uri": {p.redirect}, "code_verifier": {verifier}}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, answer := send(p.t, req)
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK || got.Access == "" || got.Refresh == "" {
		p.t.Fatalf("the exchange is answered %d %s", status, answer)
	}
	return got
}

// mcpStatus asks an MCP endpoint for its tools.
func mcpStatus(t *testing.T, target string, headers map[string]string) (int, string) {
	t.Helper()
	return mcpPost(t, target, headers, "2025-11-25", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
}

func TestAClientWithoutAKeyLogsIn(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir()))
	welcome, b := server.Welcome(), newBrowser(t)
	session := logIn(t, server.URL()+"/mcp", b, welcome.PersonalKey.Reveal())
	usesTools(t, session)

	// The same person is there by their key, and for the application by its own.
	for who, tc := range map[string]struct {
		query   string
		headers map[string]string
		want    int
	}{
		"the personal key":              {"", map[string]string{"x-consumer-api-key": welcome.PersonalKey.Reveal()}, 200},
		"the personal key as bearer":    {"", map[string]string{"Authorization": "Bearer " + welcome.PersonalKey.Reveal()}, 200},
		"the project key":               {"", map[string]string{"x-api-key": welcome.APIKey.Reveal()}, 200},
		"the project key for a user":    {"?user_id=ada", map[string]string{"x-api-key": welcome.APIKey.Reveal()}, 200},
		"a wrong personal key":          {"", map[string]string{"x-consumer-api-key": "ck_wrong"}, 401},
		"nothing":                       {"", nil, 401},
		"the personal key for somebody": {"?user_id=ada", map[string]string{"x-consumer-api-key": welcome.PersonalKey.Reveal()}, 200}, // still its own person
	} {
		if status, body := mcpStatus(t, server.URL()+"/mcp"+tc.query, tc.headers); status != tc.want {
			t.Errorf("%s is answered %d %s", who, status, body)
		}
	}
	sdk := client(t, server, welcome.APIKey.Reveal())
	ids := map[string]string{}
	for s, err := range sdk.Sessions.All(t.Context(), patchbay.SessionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids[s.UserID] = s.ID
	}
	if len(ids) != 2 || ids["ada"] == "" || ids["default"] == "" {
		t.Errorf("the personal sessions are %v", ids)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/api/v3.1/toolkits", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", welcome.PersonalKey.Reveal())
	if status, _ := send(t, req); status != http.StatusUnauthorized {
		t.Errorf("a personal key opens the API: %d", status)
	}

	// The person sees the program, and ends it.
	list := b.get(server.URL() + "/oauth/clients")
	if !strings.Contains(list.body, "Go program") || !strings.Contains(list.body, server.URL()+"/mcp") {
		t.Errorf("the list is %s", list.body)
	}
	if ended := b.follow(b.submit(list, "clients")); strings.Contains(ended.body, "Go program") {
		t.Error("the program is still listed")
	}
	b.away = true
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "COMPOSIO_SEARCH_TOOLS"}); err == nil {
		t.Error("the program's token works on")
	}
	out := b.submit(list, "sign-out")
	if again := b.get(server.URL() + "/oauth/clients"); out.status != http.StatusSeeOther || !strings.Contains(again.body, "Personal key") {
		t.Errorf("signing out is answered %d, and then %s", out.status, again.body)
	}
}

func TestPagesCannotBeMisused(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir()))
	key := server.Welcome().PersonalKey.Reveal()
	ada, eve := newBrowser(t), newBrowser(t)
	local := newProgram(t, server.URL(), "http://127.0.0.1:4711/cb")
	remote := newProgram(t, server.URL(), "https://program.example/cb")
	crossSite := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}

	signIn := ada.get(local.request())
	for _, p := range []page{signIn, ada.get(server.URL() + "/oauth/clients")} {
		if policy := p.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") ||
			p.header.Get("X-Frame-Options") != "DENY" || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s can be framed or kept: %v", p.url, p.header)
		}
		if strings.Contains(p.body, "A program") && strings.Contains(p.body, "calls itself") {
			t.Error("a stranger is told of clients")
		}
	}
	target, fields := signIn.form(t, "sign-in", "key", key)
	for name, p := range map[string]page{
		"another site":          ada.do("POST", target, fields, crossSite),
		"another browser":       eve.do("POST", target, fields, nil), // eve's page, in ada's browser
		"no form of the page's": ada.do("POST", target, url.Values{"key": {key}}, nil),
	} {
		if p.status != http.StatusForbidden || p.header.Get("Set-Cookie") != "" && strings.Contains(p.header.Get("Set-Cookie"), "login") {
			t.Errorf("signing in from %s is answered %d", name, p.status)
		}
	}
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/oauth/authorize.evil", "/\\evil.example"} {
		target, fields := signIn.form(t, "sign-in", "key", key, "next", next)
		if p := ada.do("POST", target, fields, nil); p.header.Get("Location") != "/oauth/clients" {
			t.Errorf("after signing in, %q leads to %q", next, p.header.Get("Location"))
		}
	}
	if p := ada.submit(signIn, "sign-in", "key", "ck_wrong"); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, "not valid") {
		t.Errorf("a wrong key is answered %d", p.status)
	}

	consent := ada.get(local.request())
	if !strings.Contains(consent.body, "Nobody has checked that name") || !strings.Contains(consent.body, "this computer") || !strings.Contains(consent.body, "<dd>default</dd>") {
		t.Errorf("the person is asked: %s", consent.body)
	}
	if policy := consent.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the consent page's policy is %s", policy)
	}
	target, fields = consent.form(t, "authorize", "answer", "allow")
	for name, p := range map[string]page{
		"another site":    ada.do("POST", target, fields, crossSite),
		"another browser": eve.do("POST", target, fields, nil),
		"no consent":      ada.do("POST", target, url.Values{"answer": {"allow"}}, nil),
	} {
		if p.status != http.StatusForbidden || p.header.Get("Location") != "" {
			t.Errorf("agreeing from %s is answered %d %s", name, p.status, p.header.Get("Location"))
		}
	}
	if named := ada.get(remote.request("resource", server.URL()+"/mcp")); !strings.Contains(named.body, "program.example") {
		t.Errorf("the person is not told where the answer goes: %s", named.body)
	}

	// Errors go back by themselves to a program on this computer only.
	if p := ada.get(local.request("code_challenge_method", "plain")); p.status != http.StatusSeeOther || !strings.HasPrefix(p.header.Get("Location"), "http://127.0.0.1:4711/cb?") {
		t.Errorf("a local program is told of an error by %d %s", p.status, p.header.Get("Location"))
	}
	if p := ada.get(remote.request("code_challenge_method", "plain")); p.status != http.StatusBadRequest || p.header.Get("Location") != "" || !strings.Contains(p.body, `href="https://program.example/cb?error=`) {
		t.Errorf("this server sends people to whoever registered: %d %s %s", p.status, p.header.Get("Location"), p.body)
	}
	if p := ada.get(local.request("redirect_uri", "https://evil.example/")); p.status != http.StatusBadRequest || p.header.Get("Location") != "" || strings.Contains(p.body, `href="https://evil`) {
		t.Errorf("an address that is not registered: %d %s", p.status, p.header.Get("Location"))
	}
}

// TestFormsLeadWhereTheyGo: a browser stays on the page, as if nothing had been pressed, when a redirect behind a form is not one that
// the page's policy lets it follow. Programs send their person on, and one on this computer is told of what is wrong by a redirect.
func TestFormsLeadWhereTheyGo(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir()))
	key, b := server.Welcome().PersonalKey.Reveal(), newBrowser(t)
	local := newProgram(t, server.URL(), "http://127.0.0.1:4711/cb")
	wantTargets := func(p page, want string) {
		t.Helper()
		if policy := p.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; form-action "+want) {
			t.Errorf("the policy of %s is %q; its forms lead to %s", p.url, policy, want)
		}
	}
	signIn := b.get(local.request("code_challenge_method", "plain"))
	wantTargets(signIn, "'self' http://127.0.0.1:* http://localhost:*")
	wantTargets(b.get(server.URL()+"/oauth/clients"), "'self'")
	if told := b.follow(b.submit(signIn, "sign-in", "key", key)); !strings.HasPrefix(told.header.Get("Location"), "http://127.0.0.1:4711/cb?error=") {
		t.Errorf("the program is not told after signing in: %d %v", told.status, told.header)
	}
	wantTargets(b.get(server.URL()+"/oauth/clients"), "'self'")
	wantTargets(b.get(local.request()), "'self' https: http:")
	wantTargets(b.get(newProgram(t, server.URL(), "https://program.example/cb").request()), "'self' https:")
	wantTargets(b.get(newProgram(t, server.URL(), "cursor://program/cb").request()), "'self' https: cursor:")
}

func TestCookiesOfPages(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir()))
	b := newBrowser(t)
	tls := http.Header{"X-Forwarded-Proto": {"https"}}
	p := b.do("GET", server.URL()+"/oauth/clients", nil, tls)
	target, fields := p.form(t, "sign-in", "key", server.Welcome().PersonalKey.Reveal())
	cookies := p.header["Set-Cookie"]
	for i, cookie := range cookies {
		cookies[i], _, _ = strings.Cut(cookie, ";")
	}
	signedIn := b.do("POST", target, fields, http.Header{"X-Forwarded-Proto": {"https"}, "Cookie": cookies})
	cookie := signedIn.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-patchbay_login=osi_", "Path=/;", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("no %s in the cookie %q", want, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") {
		t.Errorf("the cookie is for other hosts: %q", cookie)
	}
}

// TestNothingOfALoginIsLogged runs a login with the most talkative log.
func TestNothingOfALoginIsLogged(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	settings := load(t, t.TempDir(), "PATCHBAY_LOG_LEVEL=debug", "PATCHBAY_LOG_FORMAT=json")
	server := app.New(app.Options{Config: settings, Toolkits: hackerNews(), Log: app.NewLogger(settings, &log)})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, key := newBrowser(t), server.Welcome().PersonalKey.Reveal()
	program := newProgram(t, server.URL(), "http://127.0.0.1:4711/cb")
	code := b.answer(program.request(), key, "allow").Query().Get("code")
	got := program.tokens(code)
	if status, body := mcpStatus(t, server.URL()+"/mcp", map[string]string{"Authorization": "Bearer " + got.Access}); status != http.StatusOK {
		t.Fatalf("the token is answered %d %s", status, body)
	}
	target, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{key, code, got.Access, got.Refresh, verifier}
	for _, cookie := range b.client.Jar.Cookies(target) {
		secrets = append(secrets, cookie.Value)
	}
	stop(t, server)
	if len(secrets) != 7 {
		t.Errorf("%d secrets were used", len(secrets))
	}
	for _, hidden := range secrets {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
}

func TestGrantsEndOnEveryNode(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)(t)
	masterKey := base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32])
	environ := []string{"PATCHBAY_DATABASE=" + database, "PATCHBAY_MASTER_KEY=" + masterKey}
	one := start(t, load(t, t.TempDir(), environ...))
	two := start(t, load(t, t.TempDir(), environ...))
	b := newBrowser(t)
	program := newProgram(t, one.URL(), "http://127.0.0.1:4711/cb")
	got := program.tokens(b.answer(program.request(), one.Welcome().PersonalKey.Reveal(), "allow").Query().Get("code"))

	// Both nodes are one server to their clients, so both are asked by the name of the first.
	ask := func(node *app.App) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+node.Address()+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = strings.TrimPrefix(one.URL(), "http://")
		req.Header = http.Header{"Authorization": {"Bearer " + got.Access}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		status, _ := send(t, req)
		return status
	}
	for _, node := range []*app.App{one, two} {
		if status := ask(node); status != http.StatusOK {
			t.Fatalf("a node answers %d", status)
		}
	}
	grants, err := app.OpenGrants(t.Context(), load(t, t.TempDir(), environ...))
	if err != nil {
		t.Fatal(err)
	}
	defer grants.Close()
	ended, err := grants.RevokeGrants(t.Context(), "default")
	if err != nil || len(ended) != 1 {
		t.Fatalf("ended %v, %v", ended, err)
	}
	for _, node := range []*app.App{one, two} {
		for ask(node) != http.StatusUnauthorized { // until word has reached it; the test's deadline ends this
			if t.Context().Err() != nil {
				t.Fatal("a node lets it in")
			}
		}
	}
}
