package legacy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var (
	today  = time.Date(2026, 7, 28, 9, 30, 0, 0, time.UTC)
	caller = tenant.Caller{ProjectID: "pr_ours", KeyID: "key_1"}
	anna   = legacy.Visitor{UserID: "anna"}
)

// world is the service over a real store and real sessions' rows. Auth configs, accounts and the checks of sessions are
// played: what becomes of a visitor is this package's matter, the rest is theirs.
type world struct {
	*legacy.Service
	store    *countingStore
	sessions *fakeSessions
	bus      *notify.Bus
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{bus: new(notify.Bus)}
	now := func() time.Time { return today }
	w.store = &countingStore{Store: storetest.OpenWith(t, w.bus, now)}
	if _, err := w.store.EnsureProject(t.Context(), tenant.Project{ID: caller.ProjectID, Name: "ours", CreatedAt: today}); err != nil {
		t.Fatal(err)
	}
	w.sessions = &fakeSessions{store: w.store.Store, configs: map[string]session.Config{}}
	var err error
	w.Service, err = legacy.New(legacy.Options{
		Store: w.store, Sessions: w.sessions, Connections: fakeConnections{}, Catalog: testCatalog(t), Bus: w.bus, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type countingStore struct {
	*store.Store
	mu    sync.Mutex
	reads int
}

func (s *countingStore) MCPServer(ctx context.Context, projectID, id string) (legacy.Server, error) {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	return s.Store.MCPServer(ctx, projectID, id)
}

// fakeSessions keeps sessions in the real store without asking what they say.
type fakeSessions struct {
	store *store.Store

	mu      sync.Mutex
	made    int
	configs map[string]session.Config
}

func (f *fakeSessions) Create(ctx context.Context, c tenant.Caller, n session.NewSession) (session.Created, error) {
	f.mu.Lock()
	f.made++
	id := fmt.Sprintf("trs_%d", f.made)
	f.configs[id] = n.Config
	f.mu.Unlock()
	made := session.Session{ID: id, ProjectID: c.ProjectID, UserID: n.UserID, Version: 1, CreatedAt: today, UpdatedAt: today}
	return session.Created{Session: made}, f.store.CreateSession(ctx, made)
}

func (f *fakeSessions) Update(ctx context.Context, c tenant.Caller, id string, p session.Patch) (*session.View, []session.Warning, error) {
	_, err := f.store.UpdateSession(ctx, c.ProjectID, id, func(*session.Session) error { return nil })
	if err == nil {
		f.mu.Lock()
		f.configs[id] = p.Apply(f.configs[id])
		f.mu.Unlock()
	}
	return nil, nil, err
}

func (f *fakeSessions) Open(ctx context.Context, c tenant.Caller, id string) (*session.View, error) {
	_, err := f.store.Session(ctx, c.ProjectID, id)
	return nil, err
}

func (f *fakeSessions) Delete(ctx context.Context, c tenant.Caller, id string) error {
	return f.store.DeleteSession(ctx, c.ProjectID, id)
}

func (f *fakeSessions) config(t *testing.T, id string) session.Config {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	config, ok := f.configs[id]
	if !ok {
		t.Fatalf("there is no session %q", id)
	}
	return config
}

// fakeConnections knows auth configs named after their toolkit, ac_mail and ac_code, and accounts named after both.
type fakeConnections struct{}

func (fakeConnections) AuthConfig(_ context.Context, _ tenant.Caller, id string) (connect.AuthConfig, error) {
	toolkit, ok := strings.CutPrefix(id, "ac_")
	if !ok || toolkit == "gone" {
		return connect.AuthConfig{}, fault.New(fault.NotFound, fault.SlugNotFound, "no auth config")
	}
	return connect.AuthConfig{ID: id, Toolkit: strings.TrimSuffix(toolkit, "2")}, nil
}

func (fakeConnections) Account(_ context.Context, _ tenant.Caller, id string) (connect.ConnectedAccount, error) {
	user, toolkit, ok := strings.Cut(strings.TrimPrefix(id, "ca_"), "_")
	if !ok {
		return connect.ConnectedAccount{}, fault.New(fault.NotFound, fault.SlugNotFound, "no account")
	}
	return connect.ConnectedAccount{ID: id, UserID: user, Toolkit: toolkit}, nil
}

func testCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	files := fstest.MapFS{}
	for _, slug := range []string{"mail", "code"} {
		files[slug+"/toolkit.yaml"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(
			"slug: %s\nname: %s\ndescription: A toolkit that exists for tests only.\nversion: 20260101_00\ncategories: [testing]\nbase_url: https://api.example.com\n", slug, slug))}
		tools := ""
		for _, name := range []string{"SEND", "READ"} {
			tools += fmt.Sprintf("- slug: %s\n  aliases: [OLD_%s]\n  title: %s something\n  description: Does what a test wants done, and nothing besides.\n  hints: [read]\n  request: GET /%s\n",
				name, name, name, strings.ToLower(name))
		}
		files[slug+"/all.yaml"] = &fstest.MapFile{Data: []byte(tools)}
	}
	toolkits, err := catalog.LoadToolkits(files)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := catalog.NewSnapshot(toolkits...)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.New(snapshot)
}

func (w *world) create(t *testing.T, n legacy.NewServer) legacy.Server {
	t.Helper()
	if n.Name == "" {
		n.Name = "my server"
	}
	server, err := w.Create(t.Context(), caller, n)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func (w *world) open(t *testing.T, serverID string, v legacy.Visitor) string {
	t.Helper()
	id, err := w.Open(t.Context(), caller, serverID, v)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAServerBecomesASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{
		AuthConfigIDs: []string{"ac_mail"}, Toolkits: []string{"CODE"}, AllowedTools: []string{"MAIL_OLD_SEND", "CODE_READ"},
	})
	got := w.sessions.config(t, w.open(t, server.ID, anna))
	want := session.Config{
		Toolkits:    &session.ToolkitFilter{Enable: []string{"code", "mail"}, Only: true},
		AuthConfigs: map[string]string{"mail": "ac_mail"},
		Tools: map[string]session.ToolFilter{
			"mail": {Enable: []string{"MAIL_SEND"}, Only: true}, "code": {Enable: []string{"CODE_READ"}, Only: true},
		},
		ManageConnections: session.ManageConnections{OnCall: true},
		Preload:           session.Preload{All: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the session's configuration (-want +got)\n%s", diff)
	}
}

func TestNoAllowedToolsMeansAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no := false
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}, ManagedAuth: &no})
	got := w.sessions.config(t, w.open(t, server.ID, anna))
	if got.Tools != nil || got.ManageConnections.OnCall {
		t.Errorf("a server without allowed_tools and managed auth becomes %+v", got)
	}
}

func TestAToolkitWithoutAllowedToolsHasNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail", "code"}, AllowedTools: []string{"MAIL_SEND"}})
	got := w.sessions.config(t, w.open(t, server.ID, anna)).Tools["code"]
	if !got.Only || len(got.Enable) != 0 {
		t.Errorf("tools.code is %+v, want none", got)
	}
}

func TestVisitors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	first := w.open(t, server.ID, anna)
	if again := w.open(t, server.ID, anna); again != first {
		t.Errorf("the second visit is served by %s, the first was by %s", again, first)
	}
	if other := w.open(t, server.ID, legacy.Visitor{UserID: "ben"}); other == first {
		t.Error("two users share a session")
	}
	helped := w.open(t, server.ID, legacy.Visitor{UserID: "anna", Helpers: true})
	if helped == first || !w.sessions.config(t, helped).ManageConnections.Enable {
		t.Error("a visitor who asks for the connection helpers does not get them")
	}
	pinned := w.open(t, server.ID, legacy.Visitor{AccountID: "ca_carl_mail"})
	if diff := cmp.Diff(map[string][]string{"mail": {"ca_carl_mail"}}, w.sessions.config(t, pinned).ConnectedAccounts); diff != "" {
		t.Errorf("accounts of a visitor by account (-want +got)\n%s", diff)
	}
	stored, err := w.store.Session(t.Context(), caller.ProjectID, pinned)
	if err != nil || stored.UserID != "carl" {
		t.Errorf("the session by account is of user %q (%v), want its owner carl", stored.UserID, err)
	}
}

func TestWarmVisitsReadNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	w.open(t, server.ID, anna)
	before := w.store.reads
	w.open(t, server.ID, anna)
	if w.store.reads != before {
		t.Errorf("a warm visit reads the server %d times", w.store.reads-before)
	}
}

func TestASessionFollowsItsServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}, AllowedTools: []string{"MAIL_SEND"}})
	first := w.open(t, server.ID, anna)
	if _, err := w.Update(t.Context(), caller, server.ID, legacy.Patch{AllowedTools: []string{"MAIL_READ"}}); err != nil {
		t.Fatal(err)
	}
	if after := w.open(t, server.ID, anna); after != first {
		t.Errorf("a change of the server made session %s out of %s", after, first)
	}
	if got := w.sessions.config(t, first).Tools["mail"].Enable; !cmp.Equal(got, []string{"MAIL_READ"}) {
		t.Errorf("the session still has %v", got)
	}
}

// Toolkits that an update leaves out go, with what belongs to them.
func TestAnUpdateDropsToolkits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type lists struct{ Toolkits, AuthConfigIDs, AllowedTools []string }
	for name, tc := range map[string]struct {
		allowed []string
		patch   legacy.Patch
		want    lists
		refused string
	}{
		"toolkits alone":             {nil, legacy.Patch{Toolkits: []string{"MAIL"}}, lists{[]string{"mail"}, []string{"ac_mail"}, nil}, ""},
		"with tools of both":         {[]string{"MAIL_OLD_SEND", "CODE_READ"}, legacy.Patch{Toolkits: []string{"mail"}}, lists{[]string{"mail"}, []string{"ac_mail"}, []string{"MAIL_OLD_SEND"}}, ""},
		"auth configs alone":         {[]string{"MAIL_SEND", "CODE_READ"}, legacy.Patch{AuthConfigIDs: []string{"ac_code"}}, lists{[]string{"code"}, []string{"ac_code"}, []string{"CODE_READ"}}, ""},
		"as the SDKs send it":        {[]string{"MAIL_SEND", "CODE_READ"}, legacy.Patch{Toolkits: []string{"code"}, AuthConfigIDs: []string{}}, lists{[]string{"code"}, nil, []string{"CODE_READ"}}, ""},
		"no tool would be left":      {[]string{"CODE_READ"}, legacy.Patch{Toolkits: []string{"mail"}}, lists{}, "none of the server's tools"},
		"tools that are given count": {[]string{"CODE_READ"}, legacy.Patch{Toolkits: []string{"mail"}, AllowedTools: []string{"MAIL_READ"}}, lists{[]string{"mail"}, []string{"ac_mail"}, []string{"MAIL_READ"}}, ""},
		"tools of what is left out":  {nil, legacy.Patch{Toolkits: []string{"mail"}, AllowedTools: []string{"CODE_READ"}}, lists{}, "which the server does not have"},
		"none at all":                {nil, legacy.Patch{Toolkits: []string{}}, lists{}, "at least one toolkit"},
	} {
		server := w.create(t, legacy.NewServer{AuthConfigIDs: []string{"ac_mail", "ac_code"}, AllowedTools: tc.allowed})
		updated, err := w.Update(t.Context(), caller, server.ID, tc.patch)
		if tc.refused != "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.refused) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tc.want, lists{updated.Toolkits, updated.AuthConfigIDs, updated.AllowedTools}, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestADeletedSessionIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	first := w.open(t, server.ID, anna)
	if err := w.sessions.Delete(t.Context(), caller, first); err != nil {
		t.Fatal(err)
	}
	if second := w.open(t, server.ID, anna); second == first {
		t.Error("a deleted session still serves")
	}
}

func TestADeletedServerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	sessionID := w.open(t, server.ID, anna)
	if err := w.Delete(t.Context(), caller, server.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Open(t.Context(), caller, server.ID, anna); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted server is opened: %v", err)
	}
	if _, err := w.store.Session(t.Context(), caller.ProjectID, sessionID); !fault.Is(err, fault.NotFound) {
		t.Errorf("its session is still there: %v", err)
	}
}

func TestManyFirstVisitsAtOnceMakeOneSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			var err error
			if ids[i], err = w.Open(t.Context(), caller, server.ID, anna); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("the visits are served by %v", ids)
		}
	}
	left, _, err := w.store.ListSessions(t.Context(), caller.ProjectID, session.Filter{Limit: 100})
	if err != nil || len(left) != 1 {
		t.Errorf("%d sessions are left (%v), want 1", len(left), err)
	}
}

func TestADeletedAuthConfigCostsItsToolkitOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stored := legacy.Server{
		ID: "s", ProjectID: caller.ProjectID, Name: "older", Toolkits: []string{"mail", "vanished"}, AuthConfigIDs: []string{"ac_gone"}, Version: 1,
		CreatedAt: today, UpdatedAt: today,
	}
	if err := w.store.CreateMCPServer(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	got := w.sessions.config(t, w.open(t, "s", anna))
	if diff := cmp.Diff([]string{"mail"}, got.Toolkits.Enable); diff != "" || len(got.AuthConfigs) != 0 {
		t.Errorf("toolkits (-want +got)\n%s, auth configs %v", diff, got.AuthConfigs)
	}
}

func TestRefusedServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		server legacy.NewServer
		want   []string // parts of the details
	}{
		"short name":    {legacy.NewServer{Name: "abc", Toolkits: []string{"mail"}}, []string{"name:"}},
		"odd name":      {legacy.NewServer{Name: "under_score", Toolkits: []string{"mail"}}, []string{"name:"}},
		"nothing":       {legacy.NewServer{Name: "good name"}, []string{"at least one toolkit"}},
		"all at once":   {legacy.NewServer{Name: "x", Toolkits: []string{"mial"}, AuthConfigIDs: []string{"nope"}, AllowedTools: []string{"MAIL_SND"}}, []string{"name:", "mail", "nope", "MAIL_SEND"}},
		"foreign tool":  {legacy.NewServer{Name: "good name", Toolkits: []string{"mail"}, AllowedTools: []string{"CODE_READ"}}, []string{"which the server does not have"}},
		"two of a kind": {legacy.NewServer{Name: "good name", AuthConfigIDs: []string{"ac_mail", "ac_mail2"}}, []string{"one per toolkit"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Create(t.Context(), caller, c.server)
			f := fault.From(err)
			if f == nil || f.Kind != fault.Invalid || f.Fix == "" {
				t.Fatalf("it is answered %v", err)
			}
			details := strings.Join(f.Details, "\n")
			for _, part := range c.want {
				if !strings.Contains(details, part) {
					t.Errorf("the details do not speak of %q:\n%s", part, details)
				}
			}
		})
	}
}

func TestRefusedVisitors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.create(t, legacy.NewServer{Toolkits: []string{"mail"}})
	for name, c := range map[string]struct {
		caller  tenant.Caller
		visitor legacy.Visitor
		want    fault.Kind
	}{
		"nobody":             {caller, legacy.Visitor{}, fault.Invalid},
		"a blank":            {caller, legacy.Visitor{UserID: " "}, fault.Invalid},
		"a null character":   {caller, legacy.Visitor{UserID: "a\x00b"}, fault.Invalid},
		"no UTF-8":           {caller, legacy.Visitor{UserID: "\xff"}, fault.Invalid},
		"too long":           {caller, legacy.Visitor{UserID: strings.Repeat("é", 257)}, fault.Invalid},
		"an unknown account": {caller, legacy.Visitor{AccountID: "ca"}, fault.NotFound},
		"a session token":    {tenant.Caller{ProjectID: caller.ProjectID, SessionID: "trs_1"}, anna, fault.Forbidden},
		"another project":    {tenant.Caller{ProjectID: "pr_theirs"}, anna, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := w.Open(t.Context(), c.caller, server.ID, c.visitor); !fault.Is(err, c.want) {
				t.Errorf("it is answered %v", err)
			}
		})
	}
}
