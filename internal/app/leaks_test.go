package app_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app"
)

// TestNoSecretLeaks uses a server in every way that touches a secret, also in ways that fail and at providers that repeat what they
// were sent, and then looks for the secrets in every log line, trace, answer, database file and backup.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	w := newLeakWorld(t)
	w.useOAuth()
	w.useKeys()
	w.useSessions()
	w.useOAuth1()
	w.useProxy()
	w.useWebhooks()
	w.useLogins()
	w.useSilence()
	w.useBadInput()
	w.backup()
	stop(t, w.server)
	w.search()
}

// leakWorld is a server whose every output is kept, and a provider that repeats whatever it is sent.
type leakWorld struct {
	*testing.T
	server    *app.App
	data      string
	collected lockedBuffer // traces
	logged    lockedBuffer
	archive   string
	browser   *http.Client

	mu      sync.Mutex
	answers []keptAnswer
	never   map[string]string // secrets that are shown to nobody: name -> text
	atRest  map[string]string // secrets that their owner is shown, once: not in anything that is kept
	tokens  int

	provider *httptest.Server
	mood     atomic.Value  // how the provider answers: "", "echo", "garbage", "refuse", "hang"
	hung     chan struct{} // told of each request that is left without the end of its answer
	sunk     chan struct{} // told of each event that was delivered
}

// keptAnswer is what the server said to somebody.
type keptAnswer struct{ request, text string }

func newLeakWorld(t *testing.T) *leakWorld {
	w := &leakWorld{T: t, data: t.TempDir(), never: make(map[string]string), atRest: make(map[string]string),
		hung: make(chan struct{}), sunk: make(chan struct{}, 100)}
	w.mood.Store("")
	w.provider = httptest.NewServer(http.HandlerFunc(w.serveProvider))
	t.Cleanup(w.provider.Close)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(&w.collected, r.Body) }))
	t.Cleanup(collector.Close)
	w.atRest["project key"] = operatorsKey
	toolkits := t.TempDir()
	w.writeToolkit(toolkits)
	settings := load(t, w.data, "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_OUTBOUND_ALLOW=127.0.0.1/32", "PATCHBAY_TOOLKIT_DIRS="+toolkits,
		"PATCHBAY_LOG_LEVEL=debug", "PATCHBAY_TELEMETRY_OTLP_ENDPOINT="+collector.URL)
	w.server = app.New(app.Options{Config: settings, Toolkits: hackerNews(), Log: slog.New(slog.NewJSONHandler(&w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, w.server) })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	w.browser = &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

// writeToolkit writes the provider's toolkit.
func (w *leakWorld) writeToolkit(directory string) {
	w.Helper()
	at := filepath.Join(directory, "leaky")
	if err := os.MkdirAll(at, 0o700); err != nil {
		w.Fatal(err)
	}
	for name, content := range map[string]string{
		"toolkit.yaml": `slug: leaky
name: Leaky
description: A provider that repeats what it is sent.
version: 20260101_00
categories: [testing]
docs: https://example.com
app_url: https://example.com
popularity: 1
base_url: ` + w.provider.URL + `
auth:
  - scheme: OAUTH2
    authorize_url: ` + w.provider.URL + `/authorize
    token_url: ` + w.provider.URL + `/token
    revoke_url: ` + w.provider.URL + `/revoke
    scopes: {default: [all]}
  - scheme: OAUTH1
    request_token_url: ` + w.provider.URL + `/oauth1/request
    authorize_url: ` + w.provider.URL + `/oauth1/authorize
    access_token_url: ` + w.provider.URL + `/oauth1/access
  - scheme: API_KEY
    fields:
      api_key*: {title: Key, secret: true}
    header: {X-Key: "{api_key}"}
  - scheme: BASIC
    fields:
      username*: {title: Name}
      password*: {title: Password, secret: true}
identity: {GET: /me, id: id, name: name}
errors:
  message: [message]
  reconnect_on: [401]
`,
		"things.yaml": `- slug: GET_THING
  title: Get a thing
  description: Gives the thing that has a name.
  hints: [read]
  input:
    name*: Its name.
  request: GET /things/{name}
  example: {name: a}
`,
	} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(content), 0o600); err != nil {
			w.Fatal(err)
		}
	}
}

// secret makes a secret that must not be seen anywhere.
func (w *leakWorld) secret(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tokens++
	text := fmt.Sprintf("%s-SECRET-%03d/+%x", strings.ReplaceAll(name, " ", "_"), w.tokens, w.tokens*7919)
	w.never[fmt.Sprintf("%s %d", name, w.tokens)] = text
	return text
}

func (w *leakWorld) once(name, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atRest[fmt.Sprintf("%s %d", name, len(w.atRest))] = text
}

// serveProvider answers well, or badly with everything that it was sent.
func (w *leakWorld) serveProvider(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form, _ := url.ParseQuery(string(body))
	if verifier := form.Get("code_verifier"); verifier != "" {
		w.once("verifier", verifier)
	}
	user, password, _ := r.BasicAuth()
	proxied := r.Header.Get("Proxy-Authorization") // first, for long answers are cut
	pair, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(proxied, "Basic "))
	sent := fmt.Sprint(proxied, " ", string(pair), " ", string(body), " ", r.Header, " ", user, " ", password, " ", form)
	switch mood := w.mood.Load(); {
	case r.URL.Path == "/authorize":
		q := r.URL.Query()
		w.once("state", q.Get("state"))
		code := fmt.Sprintf("code-%d-for-one-use-only", len(sent))
		w.once("code", code)
		http.Redirect(rw, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	case r.URL.Path == "/oauth1/authorize":
		http.Redirect(rw, r, w.server.URL()+"/api/v3.1/toolkits/auth/callback?"+url.Values{"oauth_token": r.URL.Query()["oauth_token"], "oauth_verifier": {w.secret("verifier of OAuth 1")}}.Encode(), http.StatusFound)
	case r.URL.Path == "/sink":
		defer func() { w.sunk <- struct{}{} }()
		rw.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(rw, sent)
	case mood == "hang":
		fmt.Fprintf(rw, `{"you_sent": %q`, sent)
		http.NewResponseController(rw).Flush()
		w.hung <- struct{}{}
		<-r.Context().Done()
	case mood == "echo":
		rw.Header().Set("X-Echo", strings.ReplaceAll(sent, "\n", " "))
		rw.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+form.Get("refresh_token")+`"`)
		rw.WriteHeader(http.StatusInternalServerError)
		writeJSON(rw, map[string]any{"message": "it went wrong with " + sent, "error": sent, "error_description": sent})
	case mood == "refuse":
		rw.WriteHeader(http.StatusUnauthorized)
		writeJSON(rw, map[string]any{"error": "invalid_grant", "error_description": "no: " + sent, "message": "no: " + sent})
	case mood == "garbage":
		fmt.Fprintf(rw, "<html>%s</html>", sent)
	case r.URL.Path == "/token":
		writeJSON(rw, map[string]any{"access_token": w.secret("access token"), "refresh_token": w.secret("refresh token"), "id_token": w.secret("id token"),
			"token_type": "bearer", "expires_in": 3600, "scope": "all"})
	case strings.HasPrefix(r.URL.Path, "/oauth1/"):
		answer := url.Values{"oauth_token": {w.secret("token of OAuth 1")}, "oauth_token_secret": {w.secret("token secret")}, "oauth_callback_confirmed": {"true"}}
		if r.URL.Path == "/oauth1/request" { // goes to the consent page and back, in the person's browser
			answer.Set("oauth_token", fmt.Sprintf("temporary-%d-for-one-use-only", len(sent)))
			w.once("temporary token", answer.Get("oauth_token"))
		}
		io.WriteString(rw, answer.Encode())
	default:
		writeJSON(rw, map[string]any{"id": "u1", "name": "Ann", "you_sent": sent})
	}
}

func writeJSON(w io.Writer, value any) { json.NewEncoder(w).Encode(value) }

// do sends a request as an application does, keeps the answer, and gives a member of it.
func (w *leakWorld) do(method, path, body string) map[string]any {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.server.URL()+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("X-Api-Key", operatorsKey)
	req.Header.Set("Content-Type", "application/json")
	_, text := w.send(req)
	return object(text)
}

// object reads an answer; of pages, which are no JSON, there is nothing to read.
func object(text string) (answer map[string]any) {
	json.Unmarshal([]byte(text), &answer)
	return answer
}

func (w *leakWorld) send(req *http.Request) (*http.Response, string) {
	w.Helper()
	resp, err := w.browser.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	location, cookies := resp.Header.Get("Location"), resp.Cookies()
	for _, cookie := range cookies {
		w.once("cookie "+cookie.Name, cookie.Value)
	}
	if strings.HasPrefix(req.URL.String(), w.server.URL()) {
		w.mu.Lock()
		w.answers = append(w.answers, keptAnswer{req.Method + " " + req.URL.Path, location + "\n" + string(content)})
		w.mu.Unlock()
	}
	return resp, string(content)
}

// want ends the test when a member is not there: then a later step would test nothing.
func (w *leakWorld) want(answer map[string]any, member string) string {
	w.Helper()
	text, ok := answer[member].(string)
	if !ok || text == "" {
		w.Fatalf("no %s in %v", member, answer)
	}
	return text
}

var formToken = regexp.MustCompile(`name="([a-z_]+)" value="([^"]*)"`)

// follow opens a Connect Link as a person's browser does, up to the end.
func (w *leakWorld) follow(link string, fields url.Values) string {
	w.Helper()
	w.once("link token", link[strings.LastIndex(link, "/")+1:])
	req, _ := http.NewRequestWithContext(w.Context(), http.MethodGet, link, nil)
	_, page := w.send(req)
	for _, match := range formToken.FindAllStringSubmatch(page, -1) {
		if _, given := fields[match[1]]; !given {
			fields.Set(match[1], match[2])
		}
	}
	req, _ = http.NewRequestWithContext(w.Context(), http.MethodPost, link, strings.NewReader(fields.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", w.server.URL())
	resp, page := w.send(req)
	for resp.Header.Get("Location") != "" {
		next, err := resp.Request.URL.Parse(resp.Header.Get("Location"))
		if err != nil || next.Host == "app.example" {
			break
		}
		req, _ = http.NewRequestWithContext(w.Context(), http.MethodGet, next.String(), nil)
		resp, page = w.send(req)
	}
	return page
}

func (w *leakWorld) config(scheme, credentials string) string {
	w.Helper()
	made := w.do("POST", "/api/v3.1/auth_configs", `{"toolkit":{"slug":"leaky"},"auth_config":{"type":"use_custom_auth","name":"c","authScheme":"`+scheme+`","credentials":{`+credentials+`}}}`)
	config, _ := made["auth_config"].(map[string]any)
	return w.want(config, "id")
}

func (w *leakWorld) link(config, user string) (account, link string) {
	w.Helper()
	made := w.do("POST", "/api/v3.1/connected_accounts/link", `{"auth_config_id":"`+config+`","user_id":"`+user+`"}`)
	return w.want(made, "connected_account_id"), w.want(made, "redirect_url")
}

func (w *leakWorld) active(account string) {
	w.Helper()
	if got := w.do("GET", "/api/v3.1/connected_accounts/"+account, ""); got["status"] != "ACTIVE" {
		w.Fatalf("%s is %v: %v", account, got["status"], got["status_reason"])
	}
}

// moods are the provider's ways to answer, the good one last.
var moods = []string{"echo", "garbage", "refuse", ""}

// useOAuth connects, fails to connect, calls, refreshes and revokes.
func (w *leakWorld) useOAuth() {
	clientSecret := w.secret("client secret")
	config := w.config("OAUTH2", `"client_id":"app","client_secret":"`+clientSecret+`"`)
	w.do("PATCH", "/api/v3.1/auth_configs/"+config, `{"type":"custom","credentials":{"client_secret":"`+clientSecret+`"}}`)
	w.do("GET", "/api/v3.1/auth_configs/"+config, "")
	w.do("GET", "/api/v3.1/auth_configs", "")
	for _, mood := range moods[:3] {
		_, link := w.link(config, "failing")
		w.mood.Store(mood)
		w.follow(link, url.Values{})
		w.mood.Store("")
	}
	account, link := w.link(config, "ann")
	w.follow(link, url.Values{})
	w.active(account)
	w.call("ann", account)
	for _, mood := range []string{"echo", "garbage", "", "refuse"} { // which ends the grant
		w.mood.Store(mood)
		w.do("POST", "/api/v3.1/connected_accounts/"+account+"/refresh", `{}`)
	}
	w.mood.Store("")
	w.do("GET", "/api/v3.1/connected_accounts/"+account, "")

	second, link := w.link(config, "bob")
	w.follow(link, url.Values{})
	w.active(second)
	w.mood.Store("echo")
	w.do("POST", "/api/v3.1/connected_accounts/"+second+"/revoke?mode=final", "")
	w.do("GET", "/api/v3.1/connected_accounts/"+second, "")
	w.mood.Store("")
	third, link := w.link(config, "cid")
	w.follow(link, url.Values{})
	w.active(third)
	w.mood.Store("echo")
	w.do("POST", "/api/v3.1/connected_accounts/"+third+"/revoke", "")
	w.do("GET", "/api/v3.1/connected_accounts/"+third, "")
	w.do("DELETE", "/api/v3.1/connected_accounts/"+second, "")
	w.mood.Store("")
	access, refresh := w.secret("imported access token"), w.secret("imported refresh token")
	w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"ann","state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"`+
		access+`","refresh_token":"`+refresh+`"}}}}`)
	w.call("ann", "")
	w.do("GET", "/api/v3.1/connected_accounts?user_ids=ann", "")
	w.do("GET", "/api/v3/connected_accounts?user_ids=ann", "")
}

// useKeys connects accounts with keys and passwords, through pages and without.
func (w *leakWorld) useKeys() {
	keyed := w.config("API_KEY", "")
	account, link := w.link(keyed, "keyed")
	w.mood.Store("echo")
	w.follow(link, url.Values{"api_key": {w.secret("mistyped key")}, "field_api_key": {w.secret("mistyped key")}})
	w.mood.Store("")
	typed := w.secret("typed key")
	w.follow(link, url.Values{"api_key": {typed}, "field_api_key": {typed}})
	w.do("GET", "/api/v3.1/connected_accounts/"+account, "")
	made := w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+keyed+`"},"connection":{"user_id":"direct","state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"`+
		w.secret("given key")+`"}}}}`)
	direct := w.want(made, "id")
	w.call("direct", direct)
	w.do("PATCH", "/api/v3.1/connected_accounts/"+direct, `{"connection":{"state":{"authScheme":"API_KEY","val":{"api_key":"`+w.secret("new key")+`"}}}}`)
	w.call("direct", direct)
	basic := w.config("BASIC", "")
	made = w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+basic+`"},"connection":{"user_id":"based","state":{"authScheme":"BASIC","val":{"status":"ACTIVE","username":"ann","password":"`+
		w.secret("password")+`"}}}}`)
	w.call("based", w.want(made, "id"))
}

// call runs a tool in every way, at a provider in every mood.
func (w *leakWorld) call(user, account string) {
	for i := range 2 * len(moods) {
		w.mood.Store(moods[i%len(moods)])
		if moods[i%len(moods)] == "refuse" && i < len(moods) {
			continue // it may end the account, and then nothing is called any more
		}
		body := `{"user_id":"` + user + `","connected_account_id":"` + account + `","arguments":{"name":"a"}}`
		if account == "" {
			body = `{"user_id":"` + user + `","arguments":{"name":"a"}}`
		}
		w.do("POST", "/api/v3.1/tools/execute/LEAKY_GET_THING", body)
		if account != "" {
			w.do("POST", "/api/v3.1/tools/execute/proxy", `{"connected_account_id":"`+account+`","endpoint":"/things/p","method":"GET"}`)
			w.do("POST", "/api/v3.1/tools/execute/proxy", `{"connected_account_id":"`+account+`","endpoint":"`+w.provider.URL+`.evil.example/","method":"GET"}`)
		}
		custom := w.secret("custom token")
		w.do("POST", "/api/v3.1/tools/execute/LEAKY_GET_THING", `{"user_id":"`+user+`","arguments":{"name":"a"},"custom_auth_params":{"parameters":[{"in":"header","name":"Authorization","value":"Bearer `+custom+`"}]}}`)
	}
	w.mood.Store("")
}

// useSessions calls over MCP and REST with a session's own token.
func (w *leakWorld) useSessions() {
	made := w.do("POST", "/api/v3.1/tool_router/session", `{"user_id":"direct","toolkits":{"enable":["leaky"]}}`)
	id := w.want(made, "session_id")
	mcp, _ := made["mcp"].(map[string]any)
	headers, _ := mcp["headers"].(map[string]any)
	token := w.want(headers, "Authorization")
	w.once("session token", strings.TrimPrefix(token, "Bearer "))
	for _, mood := range moods {
		w.mood.Store(mood)
		w.do("POST", "/api/v3.1/tool_router/session/"+id+"/execute", `{"tool_slug":"LEAKY_GET_THING","arguments":{"name":"a"}}`)
		for _, bearer := range []string{token, "Bearer pst_" + w.secret("wrong session token")} {
			req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.want(mcp, "url"), strings.NewReader(
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"COMPOSIO_MULTI_EXECUTE_TOOL","arguments":{"tools":[{"tool_slug":"LEAKY_GET_THING","arguments":{"name":"a"}}]}}}`))
			if err != nil {
				w.Fatal(err)
			}
			req.Header.Set("Authorization", bearer)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", "application/json, text/event-stream")
			w.send(req)
		}
	}
	w.mood.Store("")
	w.do("GET", "/api/v3.1/tool_router/session/"+id, "")
	w.do("GET", "/api/v3.1/tool_router/session/"+id+"/toolkits", "")
}

// useBadInput sends secrets where they do not belong.
func (w *leakWorld) useBadInput() {
	s := func() string { return w.secret("misplaced") }
	for _, request := range []struct{ method, path, body string }{
		{"POST", "/auth_configs", `{"toolkit":{"slug":"leaky"},"auth_config":{"type":"use_custom_auth","authScheme":"OAUTH2","credentials":{"client_id":"a","client_secret":["` + s() + `"]}}}`},
		{"POST", "/auth_configs", `{"toolkit":{"slug":"leaky"},"auth_config":{"type":"use_custom_auth","authScheme":"OAUTH2","credentials":"` + s() + `"}}`},
		{"POST", "/auth_configs", `{"toolkit":{"slug":"leaky"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY","credentials":{"client_secret":"` + s() + `"}`}, // cut off
		{"POST", "/connected_accounts", `{"auth_config":{"id":"ac_nosuch"},"connection":{"state":{"authScheme":"API_KEY","val":{"api_key":"` + s() + `"}}}}`},
		{"POST", "/connected_accounts", `{"auth_config":{"id":7},"connection":{"state":{"authScheme":"API_KEY","val":"` + s() + `"}}}`},
		{"POST", "/connected_accounts", `{"auth_config":{"id":"x"},"connection":{"state":{"authScheme":"API_KEY","val":{"api_key":"` + s() + "\x00" + `"}}}}`},
		{"POST", "/tools/execute/LEAKY_GET_THING", `{"user_id":"direct","arguments":{"name":"a"},"custom_auth_params":{"parameters":[{"in":"` + "cookie" + `","name":"Authorization","value":"` + s() + `"}]}}`},
		{"POST", "/tools/execute/LEAKY_GET_THING", `{"user_id":"direct","arguments":{"name":"a"},"custom_auth_params":"` + s() + `"}`},
		{"PATCH", "/connected_accounts/ca_nosuch", `{"connection":{"state":{"authScheme":"API_KEY","val":{"api_key":"` + s() + `"}}}}`},
	} {
		w.do(request.method, "/api/v3.1"+request.path, request.body)
	}
	for _, header := range []string{"X-Api-Key", "Authorization", "X-User-Api-Key"} {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL()+"/api/v3.1/toolkits", nil)
		if err != nil {
			w.Fatal(err)
		}
		req.Header.Set(header, w.secret("wrong key"))
		w.send(req)
	}
	for _, path := range []string{"/link/lt_nosuch", "/api/v3.1/toolkits/auth/callback?code=c0de-that-nobody-made&state=state-that-nobody-made", "/api/v3.1/toolkits/auth/callback?error=denied&state=nobodys-state"} {
		w.once("in a URL", "c0de-that-nobody-made")
		w.do("GET", path, "")
	}
}

// backup makes one while the server runs.
func (w *leakWorld) backup() {
	w.archive = filepath.Join(w.TempDir(), "backup.tar.gz")
	_, err := app.Backup(w.Context(), app.BackupOptions{Config: load(w.T, w.data), To: w.archive, Version: "test", Now: time.Now})
	if err != nil {
		w.Fatal(err)
	}
}

// search looks for every secret, in every form, in everything that was said and kept.
func (w *leakWorld) search() {
	kept := map[string][]byte{"log": []byte(w.logged.String()), "traces": []byte(w.collected.String())}
	if len(kept["log"]) < 10_000 || len(kept["traces"]) < 1_000 || len(w.answers) < 100 || len(w.never) < 60 {
		w.Fatalf("too little to look at: %d bytes of log, %d of traces, %d answers, %d secrets", len(kept["log"]), len(kept["traces"]), len(w.answers), len(w.never))
	}
	w.readFiles(kept)
	w.readBackup(kept)
	for name, text := range w.never {
		for where, content := range kept {
			w.look(name, text, where, content)
		}
		for _, answer := range w.answers {
			w.look(name, text, answer.request, []byte(answer.text))
		}
	}
	for name, text := range w.atRest {
		for where, content := range kept {
			w.look(name, text, where, content)
		}
	}
}

func (w *leakWorld) readFiles(kept map[string][]byte) {
	err := filepath.WalkDir(w.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		kept["file "+entry.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(kept["file patchbay.db"]) == 0 {
		w.Fatalf("read the data: %v", err)
	}
}

func (w *leakWorld) readBackup(kept map[string][]byte) {
	file, err := os.Open(w.archive)
	if err != nil {
		w.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		w.Fatal(err)
	}
	for archive := tar.NewReader(unpacked); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			w.Fatal(err)
		}
		if kept["backup "+header.Name], err = io.ReadAll(archive); err != nil {
			w.Fatal(err)
		}
	}
	if len(kept["backup patchbay.db"]) == 0 || kept["backup master.key"] != nil {
		w.Error("the backup has no database, or the master key")
	}
}

// look finds a secret as it is and in the forms that encoders give it.
func (w *leakWorld) look(name, text, where string, content []byte) {
	w.Helper()
	inJSON, _ := json.Marshal(text)
	for form, needle := range map[string]string{
		"": text, "in base64": base64.StdEncoding.EncodeToString([]byte(text)), "in base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(text)),
		"escaped": url.QueryEscape(text), "escaped for a path": url.PathEscape(text), "in hex": hex.EncodeToString([]byte(text)), "in JSON": strings.Trim(string(inJSON), `"`),
	} {
		if at := bytes.Index(content, []byte(needle)); at >= 0 {
			around := content[max(0, at-150):min(len(content), at+len(needle)+50)]
			w.Errorf("%s is in %s %s: …%q…", name, where, form, around)
			return
		}
	}
}
