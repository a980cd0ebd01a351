package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/toolkits"
)

const operatorsKey = "ak_operators_own_key_0123456789"

func TestTheFirstStartMakesAKeyAndLaterStartsKeepIt(t *testing.T) {
	t.Parallel()
	settings := load(t, t.TempDir())
	server := start(t, settings)
	welcome := server.Welcome()
	if !welcome.First || welcome.APIKey.Empty() || welcome.URL != server.URL() {
		t.Fatalf("first start: %+v", welcome)
	}
	key := welcome.APIKey.Reveal()
	session, err := client(t, server, key).Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, server)

	server = start(t, settings)
	if again := server.Welcome(); again.First || !again.APIKey.Empty() {
		t.Errorf("second start: %+v", again)
	}
	if _, err := client(t, server, key).Sessions.Use(t.Context(), session.ID); err != nil {
		t.Errorf("the session is lost: %v", err)
	}
}

func TestAKeyFromTheSettingsIsAdopted(t *testing.T) {
	t.Parallel()
	settings := load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey)
	for range 2 {
		server := start(t, settings)
		if welcome := server.Welcome(); !welcome.APIKey.Empty() {
			t.Error("a key was made although one was given")
		}
		if _, err := client(t, server, operatorsKey).Toolkits.Get(t.Context(), "hackernews"); err != nil {
			t.Error(err)
		}
		stop(t, server)
	}
}

// TestStopLetsRunningCallsFinish holds a tool call at its provider while the server is told to stop.
func TestStopLetsRunningCallsFinish(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	server := start(t, load(t, t.TempDir(), provider.settings()...))
	sdk := client(t, server, operatorsKey)
	answered := make(chan error, 1)
	go func() {
		_, err := sdk.Tools.Execute(t.Context(), "ada", slowCall)
		answered <- err
	}()
	<-provider.asked
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(t.Context()) }()
	refusesConnections(t, server.URL())
	close(provider.release)
	if err := <-answered; err != nil {
		t.Errorf("the call was cut off: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopCutsCallsOffWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	server := start(t, load(t, t.TempDir(), provider.settings()...))
	sdk := client(t, server, operatorsKey)
	answered := make(chan error, 1)
	go func() {
		_, err := sdk.Tools.Execute(t.Context(), "ada", slowCall)
		answered <- err
	}()
	<-provider.asked
	noTime, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Stop(noTime); err != nil {
		t.Error(err)
	}
	if err := <-answered; err == nil {
		t.Error("the call was answered although nothing released it")
	}
}

func TestAFailedStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data := t.TempDir()
	failing := app.New(app.Options{Config: load(t, data, "PATCHBAY_LISTEN="+taken.Addr().String()), Toolkits: hackerNews()})
	err = failing.Start(t.Context())
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(f.Message, taken.Addr().String()) || f.Fix == "" {
		t.Fatalf("got %v", err)
	}
	if again := start(t, load(t, data)); again.Welcome().APIKey.Empty() { // and the database's lock is free again
		t.Error("the first key was made by the start that failed, and never shown")
	}
}

func TestSettingsThatDoNotFitAreExplained(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		environ []string
		want    string
	}{
		"a toolkit that does not exist": {
			environ: []string{"PATCHBAY_TOOLKITS_HACKER_NEWS_BASE_URL=http://127.0.0.1:1"},
			want:    `The settings speak of a toolkit "hacker_news", which this server does not have.`,
		},
		"a toolkit directory without toolkits": {
			environ: []string{"PATCHBAY_TOOLKIT_DIRS=" + t.TempDir()},
			want:    "cannot be used",
		},
		"OAuth for a toolkit without": {
			environ: []string{"PATCHBAY_TOOLKITS_HACKERNEWS_OAUTH2_TOKEN_URL=https://a.example/token"},
			want:    "hackernews",
		},
		"a master key that is none": {
			environ: []string{"PATCHBAY_MASTER_KEY=secret"},
			want:    "The master key is not 32 bytes in base64.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := app.New(app.Options{Config: load(t, t.TempDir(), tc.environ...), Toolkits: hackerNews()}).Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAnotherMasterKeyIsRefused keeps an operator who lost the key from writing on with a new one.
func TestAnotherMasterKeyIsRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	stop(t, start(t, load(t, data)))
	if err := os.Remove(filepath.Join(data, "master.key")); err != nil {
		t.Fatal(err)
	}
	err := app.New(app.Options{Config: load(t, data), Toolkits: hackerNews()}).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
}

func TestProbesAndMetrics(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		environ []string
		want    map[string]int
	}{
		"as they come": {want: map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/openapi.json": 200, "/nothing": 404}},
		"without":      {environ: []string{"PATCHBAY_METRICS=false"}, want: map[string]int{"/metrics": 404}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, load(t, t.TempDir(), tc.environ...))
			for path, want := range tc.want {
				if status, _ := get(t, server.URL()+path, nil); status != want {
					t.Errorf("%s answers %d, want %d", path, status, want)
				}
			}
		})
	}
}

func TestMetricsOnAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir(), "PATCHBAY_METRICS_LISTEN=127.0.0.1:0"))
	if status, _ := get(t, server.URL()+"/metrics", nil); status != http.StatusNotFound {
		t.Errorf("the server's own address answers %d", status)
	}
	alone := "http://" + server.MetricsAddress()
	if status, body := get(t, alone+"/metrics", nil); status != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("the address for metrics answers %d", status)
	}
	for _, path := range []string{"/", "/healthz", "/api/v3.1/toolkits"} {
		if status, _ := get(t, alone+path, nil); status != http.StatusNotFound {
			t.Errorf("the address for metrics answers %d at %s", status, path)
		}
	}
	off := start(t, load(t, t.TempDir(), "PATCHBAY_METRICS_LISTEN=127.0.0.1:0", "PATCHBAY_METRICS=false"))
	if off.MetricsAddress() != "" {
		t.Error("metrics that are switched off are served")
	}
}

// Whoever starts a server that cannot start is told what to do.
func TestStartErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "patchbay.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		data, fix string
		environ   []string
	}{
		"an address of another machine": {t.TempDir(), "of this machine", []string{"PATCHBAY_LISTEN=192.0.2.1:8484"}},
		"metrics on another machine":    {t.TempDir(), "PATCHBAY_METRICS_LISTEN", []string{"PATCHBAY_METRICS_LISTEN=192.0.2.1:9464"}},
		"a damaged database":            {damaged, "backup", nil},
		"a Postgres that is not there":  {t.TempDir(), "host, port", []string{"PATCHBAY_DATABASE=postgres://u:pass-word@127.0.0.1:1/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := app.New(app.Options{Config: load(t, tc.data, tc.environ...), Toolkits: hackerNews()})
			err := a.Start(t.Context())
			if err == nil {
				stop(t, a)
				t.Fatal("it started")
			}
			if f := fault.From(err); !strings.Contains(f.Fix, tc.fix) || strings.Contains(err.Error(), "pass-word") {
				t.Errorf("%v; fix: %q", err, f.Fix)
			}
		})
	}
}

func TestURLsFollowThePublicURLOrATrustedProxy(t *testing.T) {
	t.Parallel()
	forwarded := http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"bay.example"}}
	for name, tc := range map[string]struct {
		environ []string
		want    string // what the MCP URL begins with; empty: the server's own address
	}{
		"a proxy on this machine is believed": {want: "https://bay.example/tool_router/"},
		"one that is not trusted is not":      {environ: []string{"PATCHBAY_TRUSTED_PROXIES=10.0.0.0/8"}},
		"the settings win":                    {environ: []string{"PATCHBAY_PUBLIC_URL=https://public.example"}, want: "https://public.example/tool_router/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, load(t, t.TempDir(), append(tc.environ, "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_LISTEN=127.0.0.1:0")...))
			want := tc.want
			address := server.URL()
			if len(tc.environ) > 0 && strings.HasPrefix(tc.environ[0], "PATCHBAY_PUBLIC_URL") {
				address = "http://" + server.Address()
			}
			if want == "" {
				want = address + "/tool_router/"
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/api/v3.1/tool_router/session", strings.NewReader(`{"user_id":"ada"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = forwarded.Clone()
			req.Header.Set("X-Api-Key", operatorsKey)
			_, body := send(t, req)
			if !strings.Contains(body, `"url":"`+want) {
				t.Errorf("no MCP URL at %s in %s", want, body)
			}
		})
	}
}

// TestNothingSecretIsLogged runs a session's life with the most talkative log.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	close(provider.release)
	var log lockedBuffer
	settings := load(t, t.TempDir(), append(provider.settings(), "PATCHBAY_LOG_LEVEL=debug", "PATCHBAY_LOG_FORMAT=json")...)
	server := app.New(app.Options{Config: settings, Toolkits: hackerNews(), Log: app.NewLogger(settings, &log)})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	sdk := client(t, server, operatorsKey)
	session, err := sdk.Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Execute(t.Context(), slowCall); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, server, operatorsKey+"wrong").Sessions.Use(t.Context(), session.ID); err == nil {
		t.Fatal("a wrong key was let in")
	}
	stop(t, server)
	token := strings.TrimPrefix(session.MCP().Headers["Authorization"], "Bearer ")
	if token == "" {
		t.Fatalf("the session came without a token: %v", session.MCP())
	}
	written := log.String()
	for _, hidden := range []string{operatorsKey, token, "operators_own", strings.TrimPrefix(token, "pst_")} {
		if strings.Contains(written, hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
	if !strings.Contains(written, session.ID) || !strings.Contains(written, `"status":401`) {
		t.Errorf("the log does not tell what happened: %s", written)
	}
}

// provider stands in for Hacker News and holds each request until it is released.
type provider struct {
	url     string
	asked   chan struct{}
	release chan struct{}
	seen    atomic.Pointer[http.Header] // of the last request
}

func (p *provider) header() http.Header { return *p.seen.Load() }

// slowCall is a call that ends at the provider.
var slowCall = patchbay.Call{Tool: "HACKERNEWS_GET_USER", Arguments: map[string]any{"username": "pg"}}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{asked: make(chan struct{}, 10), release: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.seen.Store(&r.Header)
		p.asked <- struct{}{}
		select {
		case <-p.release:
		case <-r.Context().Done():
		}
		io.WriteString(w, `{"id":"pg","karma":1}`)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *provider) settings() []string {
	return []string{"PATCHBAY_TOOLKITS_HACKERNEWS_BASE_URL=" + p.url, "PATCHBAY_OUTBOUND_ALLOW=127.0.0.1/32", "PATCHBAY_API_KEY=" + operatorsKey}
}

// hackerNews is a catalog of one toolkit, as it is shipped: enough for a server, and quickly read.
func hackerNews() fs.FS { return onlyToolkit{toolkits.FS} }

type onlyToolkit struct{ fs.ReadDirFS }

// ReadDir hides the other toolkits.
func (o onlyToolkit) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := o.ReadDirFS.ReadDir(name)
	if name == "." {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() != "hackernews" })
	}
	return entries, err
}

// load reads settings with a data directory and a free port.
func load(t *testing.T, data string, environ ...string) config.Config {
	t.Helper()
	environ = append([]string{"PATCHBAY_DATA=" + data, "PATCHBAY_LISTEN=127.0.0.1:0"}, environ...)
	c, err := config.Load(config.Sources{Environ: environ, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start starts a server; the test's end stops it, unless the test did.
func start(t *testing.T, c config.Config) *app.App {
	t.Helper()
	server := app.New(app.Options{Config: c, Toolkits: hackerNews()})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *app.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// client makes an SDK client whose connections end with the test.
func client(t *testing.T, server *app.App, key string) *patchbay.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := patchbay.New(patchbay.Options{BaseURL: "http://" + server.Address(), APIKey: key, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, target string, header http.Header) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	return send(t, req)
}

func send(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

// refusesConnections waits until nobody can connect any more.
func refusesConnections(t *testing.T, target string) {
	t.Helper()
	address := strings.TrimPrefix(target, "http://")
	for t.Context().Err() == nil {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		connection.Close()
	}
	t.Fatal("connections are still accepted")
}

// lockedBuffer is a log that many goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
