package execute_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// world is a Runner before an upstream that a test plays.
type world struct {
	*execute.Runner
	t        *testing.T
	toolkit  *catalog.Toolkit
	accounts *accounts
	store    *memoryStore
	upstream *httptest.Server
	client   *outbound.Client

	mu       sync.Mutex
	requests []received
}

// received is a request as the upstream saw it.
type received struct {
	Method, URL, Body string
	Header            http.Header
}

func newWorld(t *testing.T, upstream http.HandlerFunc, changes ...func(*execute.Options)) *world {
	t.Helper()
	w := &world{t: t, accounts: &accounts{key: "key-of-the-account"}, store: newMemoryStore()}
	w.upstream = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		w.requests = append(w.requests, received{r.Method, r.URL.String(), string(body), r.Header})
		w.mu.Unlock()
		upstream(rw, r)
	}))
	t.Cleanup(w.upstream.Close)
	w.toolkit = loadToolkit(t, "acme", w.upstream.URL)
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.client = client
	o := execute.Options{Accounts: w.accounts, Client: client, Store: w.store}
	for _, change := range changes {
		change(&o)
	}
	if w.Runner, err = execute.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// loadToolkit loads a toolkit of testdata, rebased to a test server.
func loadToolkit(t testing.TB, slug, base string) *catalog.Toolkit {
	t.Helper()
	toolkit, problems := catalog.LoadToolkit(os.DirFS("testdata/toolkits"), slug)
	for _, p := range problems {
		t.Error(p)
	}
	toolkit, err := toolkit.With(catalog.Override{BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	return toolkit
}

func toolNamed(t testing.TB, toolkit *catalog.Toolkit, name string) *catalog.Tool {
	t.Helper()
	for _, tool := range toolkit.Tools {
		if tool.Slug == strings.ToUpper(toolkit.Slug)+"_"+name {
			return tool
		}
	}
	t.Fatalf("no tool %s", name)
	return nil
}

var caller = tenant.Caller{ProjectID: "pr_1", RequestID: "req_1"}

func (w *world) call(name, arguments string) execute.Call {
	w.t.Helper()
	d := json.NewDecoder(strings.NewReader(arguments))
	d.UseNumber()
	var args map[string]any
	if err := d.Decode(&args); err != nil {
		w.t.Fatal(err)
	}
	return execute.Call{Tool: toolNamed(w.t, w.toolkit, name), Arguments: args, Select: connect.Selection{UserID: "ann"}, Origin: "api"}
}

// run runs a tool and fails the test when the call did not reach it.
func (w *world) run(name, arguments string) execute.Result {
	w.t.Helper()
	res, err := w.Run(w.t.Context(), caller, w.call(name, arguments))
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	if !json.Valid(res.Data) || res.Data[0] != '{' {
		w.t.Errorf("%s: data is not a JSON object: %s", name, res.Data)
	}
	return res
}

func (w *world) seen() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

// wantRequests fails the test when the upstream was asked another number of times.
func (w *world) wantRequests(n int) {
	w.t.Helper()
	if got := len(w.seen()); got != n {
		w.t.Errorf("the upstream got %d requests, want %d", got, n)
	}
}

// logged gives the log entries written so far, after having them written.
func (w *world) logged() []execute.LogEntry {
	w.t.Helper()
	if err := w.Stop(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return w.store.entries
}

// wantFailure checks that a tool ran and failed, and that the caller is told all of this.
func wantFailure(t *testing.T, res execute.Result, parts ...string) {
	t.Helper()
	if res.Error == "" {
		t.Fatalf("the call succeeded: %s", res.Data)
	}
	for _, part := range parts {
		if !strings.Contains(res.Error, part) {
			t.Errorf("the error lacks %q: %s", part, res.Error)
		}
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind, slug string) *fault.Error {
	t.Helper()
	f := fault.From(err)
	if err == nil || f.Kind != kind || f.Slug != slug {
		t.Fatalf("got %v, want a fault %s", err, slug)
	}
	return f
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// accounts plays connect.Service: one account with an API key.
type accounts struct {
	mu       sync.Mutex
	key      string
	proxy    outbound.Proxy
	scopes   []string // of the grant
	fresh    string   // what a refused key is replaced by; empty: it cannot be
	expired  bool
	missing  bool
	rejected int
	selected []connect.Selection
}

func (a *accounts) Select(_ context.Context, _ tenant.Caller, sel connect.Selection) (connect.ConnectedAccount, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.selected = append(a.selected, sel)
	switch {
	case a.missing:
		return connect.ConnectedAccount{}, fault.New(fault.NotFound, fault.SlugExecuteAccountNotFound, "User ann has not connected Acme.").
			WithCode(fault.CodeExecuteNoAccount)
	case a.expired:
		return connect.ConnectedAccount{}, fault.New(fault.Unprocessable, fault.SlugAccountState, "The Acme account ca_1 is EXPIRED.").WithFix("Reconnect it.")
	}
	return connect.ConnectedAccount{ID: "ca_1", AuthConfigID: "ac_1", UserID: "ann", Toolkit: sel.Toolkit, Status: connect.Active, Scopes: a.scopes}, nil
}

func (a *accounts) Credential(_ context.Context, _ tenant.Caller, account connect.ConnectedAccount) (connect.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	cred := keyCredential(account.ID, a.key)
	cred.Proxy = a.proxy
	return cred, nil
}

func (a *accounts) Rejected(context.Context, tenant.Caller, connect.ConnectedAccount, connect.Credential) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rejected++
	if a.fresh == "" {
		a.expired = true
		return false, nil
	}
	a.key, a.fresh = a.fresh, ""
	return true, nil
}

func (a *accounts) CredentialFrom(_ context.Context, _ *catalog.Toolkit, scheme string, values connect.Fields) (connect.Credential, error) {
	if scheme != "API_KEY" {
		return connect.Credential{}, fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Scheme %q is not supported here.", scheme)
	}
	cred := keyCredential("", values["api_key"].Reveal())
	cred.Fields = map[string]string{"subdomain": values["subdomain"].Reveal()}
	return cred, nil
}

func keyCredential(account, key string) connect.Credential {
	return connect.Credential{
		AccountID: account, Scheme: "API_KEY", Header: map[string]secret.Value{"Authorization": secret.Hide("Bearer " + key)},
		Env: map[string]secret.Value{"ACCOUNT_KEY": secret.Hide(key)},
	}
}

// memoryStore plays the store's part of this package. The store's own suite shows that the real one does the same.
type memoryStore struct {
	mu      sync.Mutex
	entries []execute.LogEntry
	failing error
	answers map[string]execute.Idempotent
}

func newMemoryStore() *memoryStore {
	return &memoryStore{answers: map[string]execute.Idempotent{}}
}

func (s *memoryStore) AppendLogs(_ context.Context, entries []execute.LogEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		return s.failing
	}
	s.entries = append(s.entries, entries...)
	return nil
}

func (s *memoryStore) Log(context.Context, string, string) (execute.LogEntry, error) {
	return execute.LogEntry{}, fault.New(fault.NotFound, fault.SlugNotFound, "no such entry")
}

func (s *memoryStore) DeleteLogsBefore(context.Context, time.Time) (int, error) { return 0, nil }

func (s *memoryStore) BeginIdempotent(_ context.Context, project, key, fingerprint string, now time.Time) (execute.Idempotent, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if prior, ok := s.answers[project+key]; ok {
		return prior, false, nil
	}
	s.answers[project+key] = execute.Idempotent{Fingerprint: fingerprint, CreatedAt: now}
	return execute.Idempotent{}, true, nil
}

func (s *memoryStore) FinishIdempotent(ctx context.Context, project, key string, answer []byte) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	prior := s.answers[project+key]
	prior.Answer = answer
	s.answers[project+key] = prior
	return nil
}

func (s *memoryStore) DropIdempotent(_ context.Context, project, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.answers, project+key)
	return nil
}

func (s *memoryStore) DeleteIdempotentBefore(context.Context, time.Time) (int, error) { return 0, nil }

func withDeadline(d time.Duration) func(*execute.Options) {
	return func(o *execute.Options) { o.Deadline = d }
}

// proxyVia proxies a call over a transport that only reports the request.
func (w *world) proxyVia(t *testing.T, call execute.ProxyCall, report func(*http.Request)) (execute.ProxyResult, error) {
	t.Helper()
	client, err := outbound.New(outbound.Options{Wrap: func(http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			report(r)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := execute.New(execute.Options{Accounts: w.accounts, Client: client, Store: w.store})
	if err != nil {
		t.Fatal(err)
	}
	return r.Proxy(t.Context(), caller, call)
}
