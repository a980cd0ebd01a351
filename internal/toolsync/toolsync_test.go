package toolsync_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
)

const project = "pr_1"

var caller = tenant.Caller{ProjectID: project}

// server is an MCP server as the service sees it: a list.
type server struct {
	mu     sync.Mutex
	tools  []catalog.DefinedTool
	err    error
	asked  []string // accounts
	forgot int

	meanwhile func() // happens while the list is read
}

func (s *server) ListServerTools(_ context.Context, _ tenant.Caller, _ *catalog.Toolkit, sel connect.Selection, _ []catalog.DefinedTool) ([]catalog.DefinedTool, []string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, sel.AccountID)
	if meanwhile := s.meanwhile; meanwhile != nil {
		s.meanwhile = nil
		meanwhile()
	}
	return s.tools, nil, s.err
}

func (s *server) ForgetServerLists(string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgot++
}

func (s *server) lists(err error, tools ...catalog.DefinedTool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tools, s.err = tools, err
}

func tool(name, hash string) catalog.DefinedTool {
	return catalog.DefinedTool{
		Slug: "CUSTOM_X_" + strings.ToUpper(name), Name: name, Description: "Edition " + hash + ".", MCP: &catalog.DefinedMCP{Tool: name, Hash: hash},
	}
}

type world struct {
	*toolsync.Service
	t      *testing.T
	server *server
	store  *store.Store
	kept   *catalog.Catalog
	looks  chan string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T, onChange catalog.OnChange) *world {
	t.Helper()
	w := &world{t: t, server: &server{}, looks: make(chan string, 10), now: time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)}
	bus := new(notify.Bus)
	w.store = storetest.OpenWith(t, bus, w.time)
	var err error
	if w.kept, err = catalog.Open(t.Context(), catalog.Options{Store: w.store, Bus: bus, Now: w.time}); err != nil {
		t.Fatal(err)
	}
	w.Service, err = toolsync.New(toolsync.Options{
		Store: w.store, Toolkits: w.kept, Servers: w.server, Now: w.time, Looked: func(outcome string) { w.looks <- outcome },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := catalog.MCPToolkit{
		Slug: "x", Name: "X", AppURL: "https://x.example/mcp", OnChange: onChange,
		Schemes: []catalog.MCPScheme{{Mode: "API_KEY", Headers: map[string]string{"K": "{{generic_api_key}}"}}},
	}
	d, err := m.Definition(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.kept.Add(t.Context(), project, catalog.Document{Definition: d}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// synced is a world whose server was synced with these tools.
func synced(t *testing.T, onChange catalog.OnChange, tools ...catalog.DefinedTool) *world {
	t.Helper()
	w := newWorld(t, onChange)
	w.server.lists(nil, tools...)
	if _, err := w.Sync(t.Context(), caller, "x", "ca_1", false); err != nil {
		t.Fatal(err)
	}
	return w
}

// look has the service look at what is due, and gives the outcome.
func (w *world) look() string {
	w.t.Helper()
	w.Start()
	w.t.Cleanup(w.Stop)
	return <-w.looks
}

func (w *world) description(slug string) string {
	t, ok := w.kept.Snapshot(project).Tool(slug)
	if !ok {
		return ""
	}
	return t.Description
}

func (w *world) pending() toolsync.Pending {
	w.t.Helper()
	list, err := w.Pending(w.t.Context(), caller, "")
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d: %v", len(list), err)
	}
	return list[0]
}

func (w *world) events() []event.Event {
	w.t.Helper()
	list, err := w.store.EventsAfter(w.t.Context(), project, 0, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestLooksTellOfChangesAndHoldThem(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"), tool("b", "1"))
	w.server.lists(nil, tool("a", "2"), tool("c", "1"))
	w.later(time.Hour)
	if outcome := w.look(); outcome != "changed" {
		t.Fatalf("outcome %s", outcome)
	}
	w.Stop() // which waits for the look to be stored
	p := w.pending()
	if len(p.Changes) != 3 || p.OnChange != catalog.OnChangeRefuse || p.AccountID != "ca_1" || !p.CheckedAt.Equal(w.time()) {
		t.Errorf("pending %+v", p)
	}
	for slug, want := range map[string]string{"CUSTOM_X_A": "Edition 1.", "CUSTOM_X_B": "Edition 1.", "CUSTOM_X_C": ""} {
		if got := w.description(slug); got != want {
			t.Errorf("sessions see %s as %q", slug, got)
		}
	}
	events := w.events()
	if len(events) != 1 || events[0].Type != event.ToolkitChanged || events[0].Toolkit != "custom_x" || !strings.Contains(string(events[0].Data), `"revision":"`+p.Revision+`"`) ||
		strings.Contains(string(events[0].Data), "Edition") {
		t.Errorf("events %+v", events)
	}
	if w.server.asked[len(w.server.asked)-1] != "ca_1" || w.server.forgot < 2 {
		t.Errorf("asked as %q, lists forgotten %d times", w.server.asked, w.server.forgot)
	}
	if _, left, err := w.Approve(t.Context(), caller, "custom_x", p.Revision, nil); err != nil || len(left.Changes) != 0 {
		t.Errorf("approved all: %+v, %v", left, err)
	}
	if w.description("CUSTOM_X_A") != "Edition 2." || w.description("CUSTOM_X_B") != "" || w.description("CUSTOM_X_C") == "" {
		t.Error("approved changes are not served")
	}
}

func TestLooksThatFindNothingNewTellNothing(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	w.server.lists(nil, tool("a", "2"))
	if s, err := w.Sync(t.Context(), caller, "x", "ca_1", false); err != nil || len(s.Pending.Changes) != 1 {
		t.Fatalf("synced %+v: %v", s, err)
	}
	w.later(time.Hour)
	if outcome := w.look(); outcome != "same" {
		t.Errorf("outcome %s: whoever synced knows it", outcome)
	}
	w.Stop()
	if events := w.events(); len(events) != 0 {
		t.Errorf("events %+v", events)
	}
}

func TestToolkitsThatFollow(t *testing.T) {
	t.Parallel()
	w := synced(t, catalog.OnChangeFollow, tool("a", "1"), tool("b", "1"))
	w.server.lists(nil, tool("a", "2"))
	w.later(time.Hour)
	if outcome := w.look(); outcome != "same" {
		t.Errorf("outcome %s", outcome)
	}
	if w.description("CUSTOM_X_A") != "Edition 2." || w.description("CUSTOM_X_B") != "" {
		t.Error("what the server says is not served")
	}
}

func TestLooksThatFail(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	w.server.lists(fault.New(fault.Upstream, fault.SlugUpstream, "the server is down").Because(errors.New("dial tcp 10.0.0.1")))
	w.later(time.Hour)
	if outcome := w.look(); outcome != "failed" {
		t.Errorf("outcome %s", outcome)
	}
	w.Stop()
	if p := w.pending(); p.Problem != "the server is down" || len(p.Changes) != 0 || w.description("CUSTOM_X_A") == "" {
		t.Errorf("pending %+v", p)
	}
	next, err := w.store.NextWatch(t.Context(), w.time())
	if err != nil || !next.Equal(w.time().Add(time.Hour)) {
		t.Errorf("next look %s: %v", next, err)
	}
}

// What a server says is a stranger's text, of any length and of any bytes, and databases do not take all of them.
func TestProblemsThatCannotBeStoredAsTheyAre(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	w.server.lists(fault.New(fault.Upstream, fault.SlugUpstream, "%s", "x\x00y"+strings.Repeat("é", 300)))
	w.later(time.Hour)
	if outcome := w.look(); outcome != "failed" {
		t.Errorf("outcome %s", outcome)
	}
	w.Stop()
	p := w.pending().Problem
	if !utf8.ValidString(p) || strings.Contains(p, "\x00") || len(p) > 500 || !strings.HasSuffix(p, "éé") {
		t.Errorf("problem %q", p)
	}
}

// changeMeanwhile has the definition changed while the server lists its tools.
func (w *world) changeMeanwhile(change func(d *catalog.Definition)) {
	w.server.meanwhile = func() {
		d, err := w.kept.Definition(context.Background(), project, "custom_x")
		if err != nil {
			panic(err)
		}
		d.Version = ""
		change(d)
		if _, err := w.kept.Add(context.Background(), project, catalog.Document{Definition: d}); err != nil {
			panic(err)
		}
	}
}

// Who takes a policy back while a look that follows the server is on its way has the last word.
func TestALookDoesNotUndoWhatWasSaidMeanwhile(t *testing.T) {
	t.Parallel()
	w := synced(t, catalog.OnChangeFollow, tool("a", "1"))
	w.server.lists(nil, tool("a", "2"))
	w.changeMeanwhile(func(d *catalog.Definition) { d.OnChange = catalog.OnChangeRefuse })
	w.later(time.Hour)
	if outcome := w.look(); outcome != "changed" {
		t.Errorf("outcome %s", outcome)
	}
	w.Stop()
	if p := w.pending(); p.OnChange != catalog.OnChangeRefuse || len(p.Changes) != 1 || w.description("CUSTOM_X_A") != "Edition 1." {
		t.Errorf("pending %+v, served %q", p, w.description("CUSTOM_X_A"))
	}
}

func TestALookDoesNotBringBackWhatWasDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	w := synced(t, catalog.OnChangeFollow, tool("a", "1"))
	w.server.lists(nil, tool("a", "2"))
	w.server.meanwhile = func() {
		if err := errors.Join(w.Forget(context.Background(), caller, "custom_x"), w.kept.Remove(context.Background(), project, "custom_x")); err != nil {
			panic(err)
		}
	}
	w.later(time.Hour)
	w.look()
	w.Stop()
	if list := w.kept.List(project); len(list) != 0 {
		t.Errorf("it is there again: %+v", list)
	}
}

func TestASyncDoesNotUndoAnApproval(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	w.server.lists(nil, tool("a", "2"))
	w.changeMeanwhile(func(d *catalog.Definition) { d.Tools = []catalog.DefinedTool{tool("a", "2")} })
	synced, err := w.Sync(t.Context(), caller, "x", "ca_1", false)
	if err != nil || len(synced.Pending.Changes) != 0 || w.description("CUSTOM_X_A") != "Edition 2." {
		t.Errorf("synced %+v, served %q: %v", synced, w.description("CUSTOM_X_A"), err)
	}
}

func TestServersThatSayTheirListChanged(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	w.server.lists(nil, tool("a", "2"))
	w.Heard(t.Context(), project, "custom_x")
	w.Heard(t.Context(), "pr_2", "custom_x")
	w.Heard(t.Context(), project, "unknown")
	next, err := w.store.NextWatch(t.Context(), w.time())
	if wait := next.Sub(w.time()); err != nil || wait <= 0 || wait > time.Minute {
		t.Errorf("the next look is in %s, soon and not at once after another: %v", wait, err)
	}
	w.later(time.Minute)
	if outcome := w.look(); outcome != "changed" {
		t.Errorf("outcome %s", outcome)
	}
}

func TestApprovalsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := synced(t, "", tool("a", "1"))
	for name, c := range map[string]struct {
		slug, revision string
		tools          []string
		want           fault.Kind
	}{
		"nothing waits": {"x", "r", nil, fault.Conflict}, "an unknown server": {"y", "r", nil, fault.NotFound},
	} {
		if _, _, err := w.Approve(t.Context(), caller, c.slug, c.revision, c.tools); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.server.lists(nil, tool("a", "2"))
	seen, err := w.Sync(t.Context(), caller, "x", "ca_1", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Approve(t.Context(), caller, "x", seen.Pending.Revision, []string{"a", "b"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tool of which nothing waits: %v", err)
	}
	if _, err := w.Sync(t.Context(), caller, "x", "", true); !fault.Is(err, fault.Invalid) {
		t.Errorf("synced without an account: %v", err)
	}
	w.server.lists(nil, tool("a", "3")) // meanwhile
	if _, err := w.Sync(t.Context(), caller, "x", "ca_1", false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Approve(t.Context(), caller, "x", seen.Pending.Revision, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("what nobody saw is approved: %v", err)
	}
	if _, err := w.Sync(t.Context(), tenant.Caller{ProjectID: "pr_2"}, "x", "ca_1", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project's: %v", err)
	}
	if w.description("CUSTOM_X_A") != "Edition 1." {
		t.Error("something was approved")
	}
}
