package trigger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// start is when the clock of every world stands at first.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a Service over a real store, real accounts and the real runner, before a provider that a test plays.
type world struct {
	*trigger.Service
	t        *testing.T
	store    *store.Store
	connect  *connect.Service
	provider *provider
	caller   tenant.Caller
	config   connect.AuthConfig

	unreadable error // what asking for an account gives, if not nil

	mu       sync.Mutex
	now      time.Time
	outcomes []string
}

// connections are the world's own, as long as they can be read.
type connections struct {
	*connect.Service
	w *world
}

func (c connections) Account(ctx context.Context, caller tenant.Caller, id string) (connect.ConnectedAccount, error) {
	if c.w.unreadable != nil {
		return connect.ConnectedAccount{}, c.w.unreadable
	}
	return c.Service.Account(ctx, caller, id)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOver(t, newProvider(t), func(w *world) (*store.Store, *notify.Bus) {
		bus := new(notify.Bus)
		return storetest.OpenWith(t, bus, w.clock), bus
	})
}

func newWorldOver(t *testing.T, p *provider, open func(*world) (*store.Store, *notify.Bus)) *world {
	t.Helper()
	w := &world{t: t, provider: p, caller: tenant.Caller{ProjectID: "pr_1"}, now: start}
	var bus *notify.Bus
	w.store, bus = open(w)
	toolkit, problems := catalog.LoadToolkit(os.DirFS("testdata/toolkits"), "acme")
	for _, p := range problems {
		t.Fatal(p)
	}
	toolkit, err := toolkit.With(catalog.Override{BaseURL: w.provider.URL})
	must(t, err)
	snapshot, err := catalog.NewSnapshot(toolkit)
	must(t, err)
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	must(t, err)
	t.Cleanup(client.Close)
	w.connect, err = connect.New(connect.Options{
		Store: w.store, HTTP: client, Bus: bus, Now: w.clock,
		Catalog:       func(string) connect.Toolkits { return snapshot },
		StatusChanged: func(ctx context.Context, b connect.Status, a connect.ConnectedAccount) { w.AccountChanged(ctx, b, a) },
		Leaving:       func(ctx context.Context, a connect.ConnectedAccount) { w.AccountLeaves(ctx, a) },
	})
	must(t, err)
	t.Cleanup(w.connect.Close)
	runner, err := execute.New(execute.Options{Accounts: w.connect, Client: client, Store: w.store, Now: w.clock})
	must(t, err)
	w.Service, err = trigger.New(trigger.Options{
		Store: w.store, Catalog: func(string) *catalog.Snapshot { return snapshot }, Connections: connections{w.connect, w}, Runner: runner, Now: w.clock,
		Received: func(_, outcome string) { w.outcomes = append(w.outcomes, outcome) },
		Jitter:   func(d time.Duration) time.Duration { return d },
		Patience: 3,
	})
	must(t, err)
	w.config, err = w.connect.CreateAuthConfig(t.Context(), w.caller, connect.NewAuthConfig{Toolkit: "acme"})
	must(t, err)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) account(userID string) connect.ConnectedAccount {
	w.t.Helper()
	a, err := w.connect.ImportAccount(w.t.Context(), w.caller, connect.NewAccount{
		AuthConfigID: w.config.ID, UserID: userID, Values: map[string]string{"api_key": "key-of-" + userID},
	})
	must(w.t, err)
	return a
}

// watch makes an instance, or fails the test.
func (w *world) watch(slug, userID, config string, accountID ...string) trigger.Made {
	w.t.Helper()
	wanted := w.wanted(slug, userID, config)
	if len(accountID) > 0 {
		wanted.AccountID = accountID[0]
	}
	made, err := w.Upsert(w.t.Context(), w.caller, wanted)
	must(w.t, err)
	return made
}

func (w *world) wanted(slug, userID, config string) trigger.Wanted {
	w.t.Helper()
	var object map[string]any
	must(w.t, json.Unmarshal([]byte(config), &object))
	return trigger.Wanted{Trigger: slug, UserID: userID, Config: object, From: "https://patchbay.example"}
}

// look lets a minute pass and does the looks that are due, until none is.
func (w *world) look() {
	w.t.Helper()
	w.pass(time.Minute)
	w.lookNow()
}

func (w *world) lookNow() {
	w.t.Helper()
	must(w.t, w.LookAtDue(w.t.Context()))
}

func (w *world) read(id string) trigger.Instance {
	w.t.Helper()
	i, err := w.Instance(w.t.Context(), w.caller, id)
	must(w.t, err)
	return i
}

// events gives the data of all events so far, and of those of other types their type.
func (w *world) events() []string {
	w.t.Helper()
	events, err := w.store.EventsAfter(w.t.Context(), w.caller.ProjectID, 0, 1000)
	must(w.t, err)
	var said []string
	for _, e := range events {
		if e.Type != event.TriggerMessage {
			said = append(said, string(e.Type))
			continue
		}
		var data map[string]any
		must(w.t, json.Unmarshal(e.Data, &data))
		for _, name := range []string{"id", "text"} {
			if v, ok := data[name]; ok {
				said = append(said, fmt.Sprint(v))
			}
		}
	}
	return said
}

func (w *world) wantEvents(want ...string) {
	w.t.Helper()
	if got := w.events(); !slices.Equal(got, want) {
		w.t.Errorf("events: %v; want %v", got, want)
	}
}

// provider is an app with boxes of things, and webhooks.
type provider struct {
	*httptest.Server
	mu       sync.Mutex
	things   []thing // newest first
	changes  []string
	hooks    map[string]map[string]any // by path
	requests []string
	status   int // to answer everything with; 0: as it is
	pages    int // what pages are counted from; others it does not know
}

type thing struct {
	ID     string    `json:"id"`
	Grams  string    `json:"grams"`
	At     time.Time `json:"at"`
	Hidden bool      `json:"hidden,omitempty"`
}

func newProvider(t *testing.T) *provider {
	p := &provider{hooks: map[string]map[string]any{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

// unreadable is the id of a thing whose weight is no number, as the toolkit takes it to be.
const unreadable = "unreadable"

func (p *provider) put(id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	grams := "12"
	if id == unreadable {
		grams = "unknown"
	}
	p.things = append([]thing{{ID: id, Grams: grams, At: at}}, p.things...)
}

func (p *provider) fail(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// forgetPages makes the provider refuse the page tokens that it gave so far.
func (p *provider) forgetPages() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages += 100
}

func (p *provider) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.requests
	p.requests = nil
	return asked
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r.Method+" "+r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	if p.status != 0 {
		w.WriteHeader(p.status)
		fmt.Fprintf(w, `{"error":"no: %d"}`, p.status)
		return
	}
	switch {
	case r.URL.Path == "/things":
		p.list(w, r)
	case r.URL.Path == "/changes":
		var from int
		fmt.Sscan(r.URL.Query().Get("from"), &from)
		changes := []map[string]string{}
		for _, id := range p.changes[from:] {
			changes = append(changes, map[string]string{"id": id})
		}
		json.NewEncoder(w).Encode(map[string]any{"changes": changes, "mark": len(p.changes)})
	case r.URL.Path == "/me":
		json.NewEncoder(w).Encode(map[string]any{"team": "team of " + strings.TrimPrefix(r.Header.Get("X-Key"), "key-of-")})
	case strings.HasSuffix(r.URL.Path, "/hooks") && r.Method == http.MethodPost:
		var hook map[string]any
		json.NewDecoder(r.Body).Decode(&hook)
		id := fmt.Sprint(len(p.hooks) + 1)
		p.hooks[r.URL.Path+"/"+id] = hook
		json.NewEncoder(w).Encode(map[string]any{"id": id})
	case r.Method == http.MethodDelete:
		delete(p.hooks, r.URL.Path)
		fmt.Fprint(w, `{}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"nothing here"}`)
	}
}

func (p *provider) list(w http.ResponseWriter, r *http.Request) {
	page, size := p.pages, 2
	fmt.Sscan(r.URL.Query().Get("page"), &page)
	if page -= p.pages; page < 0 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"no such page"}`)
		return
	}
	fmt.Sscan(r.URL.Query().Get("size"), &size)
	from, to := min(page*size, len(p.things)), min(page*size+size, len(p.things))
	answer := map[string]any{"things": p.things[from:to]}
	if to < len(p.things) {
		answer["next"] = p.pages + page + 1
	}
	json.NewEncoder(w).Encode(answer)
}

func (p *provider) hook(t *testing.T) map[string]any {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hooks) != 1 {
		t.Fatalf("%d webhooks at the provider: %v", len(p.hooks), p.hooks)
	}
	for _, hook := range p.hooks {
		return hook
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, kind fault.Kind, part string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(fault.From(err).Message+" "+fault.From(err).Fix, part) {
		t.Errorf("error %v; want kind %d and %q", err, kind, part)
	}
}
