package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// today is when the tests take place.
var today = time.Date(2026, 7, 28, 9, 30, 0, 0, time.UTC)

var (
	ours   = tenant.Caller{ProjectID: "pr_ours", KeyID: "key_1"}
	theirs = tenant.Caller{ProjectID: "pr_theirs", KeyID: "key_2"}
)

const origin = "https://patchbay.example"

// world is a session service over a real store and real connections. Only the apps behind the tools are played.
type world struct {
	*session.Service
	store   *countingStore
	connect *connect.Service
	catalog *catalog.Catalog
	runner  *fakeRunner
	bus     *notify.Bus
	clock   *clock
}

// clock stands still until a test moves it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// countingStore counts the reads of sessions and memories.
type countingStore struct {
	*store.Store
	mu    sync.Mutex
	reads int

	memoryReads int
	memoryKeys  map[session.MemoryKey]bool // that were read
	failMemory  error
}

func (s *countingStore) Memory(ctx context.Context, key session.MemoryKey) (session.Memory, error) {
	s.mu.Lock()
	s.memoryReads++
	if s.memoryKeys == nil {
		s.memoryKeys = make(map[session.MemoryKey]bool)
	}
	s.memoryKeys[key] = true
	failure := s.failMemory
	s.mu.Unlock()
	if failure != nil {
		return session.Memory{}, failure
	}
	return s.Store.Memory(ctx, key)
}

func (s *countingStore) Session(ctx context.Context, projectID, id string) (session.Session, error) {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	return s.Store.Session(ctx, projectID, id)
}

func (s *countingStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, session.Options{})
}

func newWorldWith(t testing.TB, o session.Options) *world {
	t.Helper()
	w := &world{bus: new(notify.Bus), clock: &clock{at: today}, catalog: catalog.New(testCatalog(t))}
	w.store = &countingStore{Store: storetest.OpenWith(t, w.bus, w.clock.now)}
	for _, c := range []tenant.Caller{ours, theirs} {
		if _, err := w.store.EnsureProject(t.Context(), tenant.Project{ID: c.ProjectID, Name: c.ProjectID, CreatedAt: today}); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.connect, err = connect.New(connect.Options{
		Store:   w.store,
		Catalog: func(projectID string) connect.Toolkits { return w.catalog.Snapshot(projectID) },
		HTTP:    noNetwork{}, Bus: w.bus, Now: w.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.connect.Close)
	w.runner = &fakeRunner{connect: w.connect}
	o.Store, o.Catalog, o.Connections, o.Runner = w.store, w.catalog, w.connect, w.runner
	o.Bus, o.Now, o.NewID = w.bus, w.clock.now, numbered()
	if w.Service, err = session.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// numbered makes ids that are the same in every run.
func numbered() func(string) string {
	var mu sync.Mutex
	n := 0
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%s_%012d", prefix, n)
	}
}

type noNetwork struct{}

func (noNetwork) Do(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("a test asked for %s", r.URL)
}

func (n noNetwork) DoVia(_ outbound.Proxy, r *http.Request) (*http.Response, error) { return n.Do(r) }

// fakeRunner plays the apps: it chooses the account as the real one does and answers what the test says.
type fakeRunner struct {
	connect *connect.Service
	answer  func(execute.Call) (execute.Result, error) // nil: {"ok": true}

	mu    sync.Mutex
	calls []execute.Call
	proxy []execute.ProxyCall
}

func (r *fakeRunner) Run(ctx context.Context, c tenant.Caller, call execute.Call) (execute.Result, error) {
	r.mu.Lock()
	r.calls = append(r.calls, call)
	r.mu.Unlock()
	var account connect.ConnectedAccount
	if !call.Tool.Toolkit.NoAuth() {
		var err error
		if account, err = r.connect.Select(ctx, c, call.Select); err != nil {
			return execute.Result{}, err
		}
	}
	result := execute.Result{Data: json.RawMessage(`{"ok":true}`)}
	if r.answer != nil {
		var err error
		if result, err = r.answer(call); err != nil {
			return execute.Result{}, err
		}
	}
	if call.Offload != nil && result.Error == "" {
		var err error
		if result.Data, err = call.Offload(ctx, result.Data); err != nil {
			return execute.Result{}, err
		}
	}
	result.LogID, result.AccountID = "log_test", account.ID
	return result, nil
}

func (r *fakeRunner) Proxy(_ context.Context, _ tenant.Caller, call execute.ProxyCall) (execute.ProxyResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proxy = append(r.proxy, call)
	return execute.ProxyResult{Status: 200}, nil
}

func (r *fakeRunner) ran() []execute.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]execute.Call(nil), r.calls...)
}

// testCatalog has a few toolkits of different kinds.
func testCatalog(t testing.TB) *catalog.Snapshot {
	t.Helper()
	bearer := []catalog.AuthScheme{{Mode: "BEARER_TOKEN", AccountFields: []catalog.Field{{Name: "token", Required: true, Secret: true}}}}
	snapshot, err := catalog.NewSnapshot(
		&catalog.Toolkit{
			Slug: "github", Name: "GitHub", Description: "Repositories, issues and pull requests.", Version: "20260701_00", Versions: []string{"20260701_00", "20260101_00"},
			Auth: bearer, Popularity: 1, Aliases: []string{"gh"},
			Tools: []*catalog.Tool{
				{
					Slug: "GITHUB_CREATE_AN_ISSUE", Aliases: []string{"GITHUB_CREATE_ISSUE"}, Name: "Create an issue", Important: true,
					Description: "Opens an issue in a repository. Labels must exist.",
					Hints:       catalog.Hints{Create: true}, Held: &catalog.Detail{
						Input: schema("owner*", "repo*", "title*", "body"), Output: answerSchema,
						Before: []string{"GITHUB_LIST_REPOSITORIES"}, After: []string{"GITHUB_LIST_REPOSITORY_ISSUES"},
						Pitfalls: []string{"The repository must have issues enabled."},
					},
				},
				{
					Slug: "GITHUB_LIST_REPOSITORIES", Name: "List repositories", Description: "Repositories that the account can see.",
					Hints: catalog.Hints{Read: true, Idempotent: true}, Held: &catalog.Detail{Input: schema("page"), Output: answerSchema, Page: &catalog.Page{At: "page"}},
				},
				{
					Slug: "GITHUB_LIST_REPOSITORY_ISSUES", Name: "List issues of a repository", Description: "Issues of a repository, newest first.",
					Hints: catalog.Hints{Read: true, Idempotent: true}, Held: &catalog.Detail{Input: schema("owner*", "repo*"), Output: answerSchema},
				},
				{
					Slug: "GITHUB_DELETE_A_REPOSITORY", Name: "Delete a repository", Description: "Deletes a repository for good.",
					Hints: catalog.Hints{Destructive: true}, Held: &catalog.Detail{Input: schema("owner*", "repo*"), Output: answerSchema},
				},
			},
		},
		&catalog.Toolkit{
			Slug: "gmail", Name: "Gmail", Description: "Read and send email.", Version: "20260701_00", Auth: bearer, Popularity: 2,
			Tools: []*catalog.Tool{
				{
					Slug: "GMAIL_SEND_EMAIL", Name: "Send an email", Description: "Sends an email.", Important: true,
					Hints: catalog.Hints{Create: true}, Held: &catalog.Detail{Input: schema("to*", "subject", "body"), Output: answerSchema},
				},
				{
					Slug: "GMAIL_FETCH_EMAILS", Name: "Fetch emails", Description: "Finds emails.",
					Hints: catalog.Hints{Read: true, Idempotent: true}, Held: &catalog.Detail{Input: schema("query"), Output: answerSchema},
				},
				{
					Slug: "GMAIL_DELETE_MESSAGE", Name: "Delete a message", Description: "Deletes an email for good.",
					Hints: catalog.Hints{Destructive: true, Idempotent: true}, Held: &catalog.Detail{Input: schema("message_id*"), Output: answerSchema},
				},
			},
		},
		&catalog.Toolkit{
			Slug: "slack", Name: "Slack", Description: "Channels and messages.", Version: "20260701_00", Auth: bearer, Popularity: 3,
			Tools: []*catalog.Tool{
				{
					Slug: "SLACK_SEND_MESSAGE", Name: "Send a message", Description: "Posts a message to a channel.",
					Hints: catalog.Hints{Create: true}, Held: &catalog.Detail{Input: schema("channel*", "text*"), Output: answerSchema},
				},
				{
					Slug: "SLACK_LIST_CHANNELS", Name: "List channels", Description: "Channels of the workspace.",
					Hints: catalog.Hints{Read: true, Idempotent: true}, Held: &catalog.Detail{Input: schema(), Output: answerSchema},
				},
			},
		},
		&catalog.Toolkit{
			Slug: "hackernews", Name: "Hacker News", Description: "Stories and comments.", Version: "20260701_00", Popularity: 4,
			Tools: []*catalog.Tool{{
				Slug: "HACKERNEWS_GET_TOP_STORIES", Name: "Get top stories", Description: "The stories on the front page.", NoAuth: true,
				Hints: catalog.Hints{Read: true, Idempotent: true}, Held: &catalog.Detail{Input: schema("limit"), Output: answerSchema},
			}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

var answerSchema = catalog.Schema{JSON: json.RawMessage(`{"type":"object","properties":{"data":{"type":"object"},"error":{"type":["string","null"]},"successful":{"type":"boolean"}}}`)}

// schema makes an input schema of text arguments; a star marks the required ones.
func schema(names ...string) catalog.Schema {
	properties := make(map[string]any)
	required := []string{}
	for _, name := range names {
		if name[len(name)-1] == '*' {
			name = name[:len(name)-1]
			required = append(required, name)
		}
		properties[name] = map[string]string{"type": "string"}
	}
	text, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": required})
	if err != nil {
		panic(err)
	}
	return catalog.Schema{JSON: text}
}

// create makes a session or fails the test.
func (w *world) create(t testing.TB, userID string, change func(*session.Config)) session.Created {
	t.Helper()
	config := session.DefaultConfig()
	if change != nil {
		change(&config)
	}
	created, err := w.Create(t.Context(), ours, session.NewSession{UserID: userID, Config: config})
	if err != nil {
		t.Fatalf("create: %v\n%q", err, fault.From(err).Details)
	}
	return created
}

// authConfig stores the auth config of a toolkit under a known id.
func (w *world) authConfig(t testing.TB, c tenant.Caller, id, toolkit string) {
	t.Helper()
	err := w.store.CreateAuthConfig(t.Context(), connect.AuthConfig{
		ID: id, ProjectID: c.ProjectID, Toolkit: toolkit, Name: toolkit, Scheme: "BEARER_TOKEN", Enabled: true, EnabledForSessions: true, CreatedAt: today, UpdatedAt: today,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// account stores an account under a known id, ACTIVE unless the test changes it.
func (w *world) account(t testing.TB, id, userID, toolkit, authConfigID string, change func(*connect.ConnectedAccount)) connect.ConnectedAccount {
	t.Helper()
	a := connect.ConnectedAccount{
		ID: id, WordID: toolkit + "_" + id[3:], ProjectID: ours.ProjectID, UserID: userID, Toolkit: toolkit, AuthConfigID: authConfigID, Scheme: "BEARER_TOKEN",
		Status: connect.Active, Values: connect.Fields{"token": secret.Hide("a token that nobody may see")}, Type: connect.Private,
		Identity: connect.Identity{ID: "7", Email: userID + "@example.com"}, CreatedAt: today, UpdatedAt: today, ConnectedAt: today, Version: 1,
	}
	if change != nil {
		change(&a)
	}
	if err := w.store.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

// withGitHub gives a user a GitHub account ca_github.
func (w *world) withGitHub(t testing.TB, userID string) {
	t.Helper()
	w.authConfig(t, ours, "ac_github", "github")
	w.account(t, "ca_github", userID, "github", "ac_github", nil)
}

// run calls a tool in a session and fails the test when the call made no sense.
func (w *world) run(t testing.TB, sessionID, slug string, arguments map[string]any) session.Outcome {
	t.Helper()
	out, err := w.Execute(t.Context(), ours, sessionID, session.ToolCall{Slug: slug, Arguments: arguments, Origin: origin, Via: "session"})
	if err != nil {
		t.Fatalf("%s: %v\n%q", slug, err, fault.From(err).Details)
	}
	return out
}

// golden compares an answer with a file in testdata, after putting fixed texts in place of random ones.
func golden(t *testing.T, name string, data json.RawMessage) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, secrets.ReplaceAll(data, []byte("$1…")), "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

var secrets = regexp.MustCompile(`(lt_)[A-Za-z0-9_-]{20,}`)

// decode reads an answer into plain values.
func decode(t testing.TB, data json.RawMessage) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantFault fails the test unless err is a fault of this kind and slug that SDKs do not repeat.
func wantFault(t *testing.T, err error, kind fault.Kind, slug string) *fault.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", slug)
	}
	f := fault.From(err)
	if f.Kind != kind || f.Slug != slug {
		t.Fatalf("kind %d, slug %s (%v); want kind %d, slug %s", f.Kind, f.Slug, err, kind, slug)
	}
	return f
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
