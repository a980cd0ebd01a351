package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/realtime"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// stack is the whole server below the HTTP edge, with a real store and a provider on the loopback interface.
type stack struct {
	handler  http.Handler
	store    *store.Store
	events   *event.Service
	attempts chan string // how deliveries went
	triggers *trigger.Service
	calls    chan string         // what became of providers' calls
	imported chan imports.Import // that have ended
	toolsync *toolsync.Service
	looks    chan string // what became of looks at MCP servers
	connect  *connect.Service
	upstream *upstream
	log      *lockedBuffer
	clock    *clock
	project  tenant.Project
	key      string // of project
	otherKey string // of another project
}

type stackOption func(*Options)

// startTime is when the clock of every stack stands at first.
var startTime = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// newStack wires everything over the toolkits in testdata.
func newStack(t testing.TB, options ...stackOption) *stack {
	t.Helper()
	toolkits, err := catalog.LoadToolkits(os.DirFS("testdata/toolkits"))
	must(t, err)
	return newStackOver(t, toolkits, options...)
}

func newStackOver(t testing.TB, toolkits []*catalog.Toolkit, options ...stackOption) *stack {
	t.Helper()
	s := &stack{upstream: newUpstream(t), log: new(lockedBuffer), clock: &clock{now: startTime}}
	bus := new(notify.Bus)
	s.store = storetest.OpenWith(t, bus, s.clock.Now)

	for i, tk := range toolkits {
		override := catalog.Override{BaseURL: s.upstream.URL}
		if _, oauth := tk.Scheme("OAUTH2"); oauth {
			override.TokenURL, override.RevokeURL = s.upstream.URL+"/oauth/token", s.upstream.URL+"/oauth/revoke"
		}
		var err error
		toolkits[i], err = tk.With(override)
		must(t, err)
	}
	var shipped []catalog.Shipped
	for _, tk := range toolkits {
		shipped = append(shipped, catalog.Shipped{Toolkit: tk})
	}
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	must(t, err)
	tools, err := catalog.Open(t.Context(), catalog.Options{
		Shipped: shipped, Store: s.store, Directory: t.TempDir(), Bus: bus, Now: s.clock.Now,
		CheckURL: func(address string) error { return client.Check(t.Context(), address) },
	})
	must(t, err)
	index := search.NewIndexes(search.IndexesOptions{}).Of

	registry := prometheus.NewRegistry()
	metrics, err := NewMetrics(registry)
	must(t, err)
	tenants, err := tenant.New(tenant.Options{Store: s.store, Bus: bus, Now: s.clock.Now})
	must(t, err)
	connections, err := connect.New(connect.Options{
		Store: s.store, HTTP: client, Bus: bus, Now: s.clock.Now, Refreshed: metrics.TokenRefreshed, Settings: tenants.Settings,
		Catalog: func(projectID string) connect.Toolkits { return tools.Snapshot(projectID) },
		Apps: map[string]connect.OAuthApp{
			"acme": {ClientID: "operator-app", ClientSecret: secret.Hide("operator-secret-value")},
		},
	})
	must(t, err)
	s.connect = connections
	t.Cleanup(connections.Close)
	runner, err := execute.New(execute.Options{
		Accounts: connections, Client: client, Store: s.store, Now: s.clock.Now, Called: metrics.ToolCalled,
		ToolsChanged: func(ctx context.Context, project, toolkit string) { s.toolsync.Heard(ctx, project, toolkit) },
	})
	must(t, err)
	runner.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	sessions, err := session.New(session.Options{
		Store: s.store, Catalog: tools, Connections: connections, Runner: runner, Bus: bus, Now: s.clock.Now,
		Opened: metrics.SessionOpened,
		Index:  func(s *catalog.Snapshot) session.Index { return index(s) },
	})
	must(t, err)

	servers, err := legacy.New(legacy.Options{Store: s.store, Sessions: sessions, Connections: connections, Catalog: tools, Bus: bus, Now: s.clock.Now})
	must(t, err)

	s.attempts = make(chan string, 100)
	events, err := event.New(event.Options{
		Store: s.store, HTTP: client, Bus: bus, Now: s.clock.Now,
		OrganisationID: func(context.Context, string) string { return "ok_test" },
		Attempted:      func(outcome string, _ time.Duration) { s.attempts <- outcome },
	})
	must(t, err)
	events.Start()
	t.Cleanup(events.Stop)
	live, err := realtime.New(realtime.Options{Events: events, Sealer: s.store.Keyring().Server(), Now: s.clock.Now})
	must(t, err)
	s.events = events

	s.project, err = tenants.EnsureProject(t.Context(), "default")
	must(t, err)
	other, err := tenants.EnsureProject(t.Context(), "other")
	must(t, err)
	_, s.key, err = tenants.CreateKey(t.Context(), s.project.ID, "test")
	must(t, err)
	_, s.otherKey, err = tenants.CreateKey(t.Context(), other.ID, "test")
	must(t, err)

	s.calls, s.looks = make(chan string, 100), make(chan string, 100)
	s.triggers, err = trigger.New(trigger.Options{
		Store: s.store, Catalog: func(projectID string) *catalog.Snapshot { return tools.Snapshot(projectID) },
		Connections: connections, Runner: runner, Now: s.clock.Now,
		Received: func(_, outcome string) { s.calls <- outcome },
	})
	must(t, err)

	s.imported = make(chan imports.Import, 100)
	imported, err := imports.New(imports.Options{
		Store: s.store, Catalog: tools, Client: client, Now: s.clock.Now, Ended: func(i imports.Import) { s.imported <- i },
	})
	must(t, err)
	imported.Start()
	t.Cleanup(imported.Stop)

	s.toolsync, err = toolsync.New(toolsync.Options{Store: s.store, Toolkits: tools, Servers: runner, Now: s.clock.Now, Looked: func(outcome string) { s.looks <- outcome }})
	must(t, err)

	o := Options{
		Triggers: s.triggers, ToolSync: s.toolsync, Imports: imported,
		Tenants: tenants, Sessions: sessions, Connect: connections, Runner: runner, Catalog: tools, Metrics: metrics, MCPServers: servers, Events: events, Realtime: live,
		Search: index, Gatherer: registry, Now: s.clock.Now,
		Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, option := range options {
		option(&o)
	}
	s.handler, err = New(o)
	must(t, err)
	return s
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// upstream is a provider: it knows things and facts, hands out tokens, and remembers what it was asked.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	requests []upstreamRequest
}

type upstreamRequest struct {
	method, path, query, authorization, body string
	header                                   http.Header
}

func newUpstream(t testing.TB) *upstream {
	u := new(upstream)
	mux := http.NewServeMux()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	mux.HandleFunc("GET /me", answer(200, `{"id":"u1","name":"Ada","email":"ada@acme.test"}`))
	mux.HandleFunc("POST /things", answer(201, `{"id":"th_9","number":12345678901234567890,"note":"<b>&"}`))
	mux.HandleFunc("GET /things", answer(200, `[{"id":"th_1"},{"id":"th_2"}]`))
	mux.HandleFunc("DELETE /things/{id}", answer(404, `{"error":{"message":"no such thing"}}`))
	mux.HandleFunc("GET /facts/{id}", answer(200, `{"fact":"Water is wet."}`))
	mux.HandleFunc("GET /facts", answer(200, `[]`))
	mux.HandleFunc("GET /picture", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Write([]byte("\x89PNG\r\n\x1a\n"))
	})
	mux.HandleFunc("/teapot", answer(418, `{"short":"and stout"}`))
	mux.HandleFunc("POST /oauth/token", answer(200, `{"access_token":"at-fresh-000000","refresh_token":"rt-fresh-000000","token_type":"bearer","expires_in":3600}`))
	mux.HandleFunc("POST /oauth/revoke", answer(200, `{}`))
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		u.mu.Lock()
		u.requests = append(u.requests, upstreamRequest{
			r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), string(body), r.Header.Clone(),
		})
		u.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) all() []upstreamRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]upstreamRequest(nil), u.requests...)
}

func (u *upstream) last(t testing.TB) upstreamRequest {
	t.Helper()
	all := u.all()
	if len(all) == 0 {
		t.Fatal("the provider was not asked")
	}
	return all[len(all)-1]
}

// lockedBuffer is a log that a test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request is one request of a test. The zero value of key means the project's own; "-" means none.
type request struct {
	method, path, body, key string
	header                  map[string]string
}

// do sends a request and holds the answer against openapi.json.
func (s *stack) do(t testing.TB, q request) answer {
	t.Helper()
	r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
	r.Host = "patchbay.test"
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch q.key {
	case "":
		r.Header.Set("X-Api-Key", s.key)
	case "-":
	default:
		r.Header.Set("X-Api-Key", q.key)
	}
	for name, text := range q.header {
		r.Header.Set(name, text)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	checkAgainstContract(t, r, q.body, w)
	if length := w.Header().Get("Content-Length"); length != "" && length != strconv.Itoa(w.Body.Len()) {
		t.Errorf("%s %s announced %s bytes and sent %d", q.method, q.path, length, w.Body.Len())
	}
	if w.Code == http.StatusInternalServerError {
		t.Logf("the log says: %s", s.log)
	}
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

func (s *stack) get(t testing.TB, path string) answer {
	t.Helper()
	return s.do(t, request{method: "GET", path: "/api/v3.1" + path})
}

func (s *stack) post(t testing.TB, path, body string) answer {
	t.Helper()
	return s.do(t, request{method: "POST", path: "/api/v3.1" + path, body: body})
}

func (s *stack) patch(t testing.TB, path, body string) answer {
	t.Helper()
	return s.do(t, request{method: "PATCH", path: "/api/v3.1" + path, body: body})
}

func (s *stack) delete(t testing.TB, path string) answer {
	t.Helper()
	return s.do(t, request{method: "DELETE", path: "/api/v3.1" + path})
}

// ok fails the test unless the status is the expected one.
func (a answer) ok(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// at gives a member of the answer by path, such as "mcp.url" or "items.0.slug".
func (a answer) at(t testing.TB, path string) any {
	t.Helper()
	var v any
	must(t, json.Unmarshal(a.body, &v))
	for name := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			member, ok := node[name]
			if !ok {
				t.Fatalf("no %s in %s", path, a.body)
			}
			v = member
		case []any:
			i := 0
			for _, c := range name {
				i = i*10 + int(c-'0')
			}
			if i >= len(node) {
				t.Fatalf("no %s in %s", path, a.body)
			}
			v = node[i]
		default:
			t.Fatalf("no %s in %s", path, a.body)
		}
	}
	return v
}

func (a answer) text(t testing.TB, path string) string {
	t.Helper()
	text, ok := a.at(t, path).(string)
	if !ok {
		t.Fatalf("%s is not a text in %s", path, a.body)
	}
	return text
}

// slugs lists the slugs of a page's items.
func (a answer) slugs(t testing.TB) []string {
	t.Helper()
	slugs := []string{}
	for _, item := range a.at(t, "items").([]any) {
		slugs = append(slugs, item.(map[string]any)["slug"].(string))
	}
	return slugs
}

// fault reads an error envelope.
func (a answer) fault(t testing.TB) errorBody {
	t.Helper()
	var e errorResponse
	must(t, json.Unmarshal(a.body, &e))
	return e.Error
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// session makes a session and gives its id.
func (s *stack) session(t testing.TB, body string) string {
	t.Helper()
	return s.post(t, "/tool_router/session", body).ok(t, 201).text(t, "session_id")
}

// keyAccount connects a user to acme by an API key and gives the ids of the auth config and the account.
func (s *stack) keyAccount(t testing.TB, user string) (authConfig, account string) {
	t.Helper()
	authConfig = s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY"}}`).
		ok(t, 201).text(t, "auth_config.id")
	return authConfig, s.accountOf(t, authConfig, user)
}

func (s *stack) accountOf(t testing.TB, authConfig, user string) string {
	t.Helper()
	return s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+authConfig+`"},"connection":{"user_id":"`+user+`",
		"state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"acme-key-0123456789"}}}}`).ok(t, 201).text(t, "id")
}
