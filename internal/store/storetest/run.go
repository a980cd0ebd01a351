package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// Run shows that a database behaves. Empty gives the URL or path of a database with nothing in it.
func Run(t *testing.T, empty func(t testing.TB) string) {
	for _, noun := range []struct {
		name       string
		behaviours behaviours
	}{
		{"tenant", tenantBehaviours},
		{"project settings", projectSettingsBehaviours},
		{"auth configs", authConfigBehaviours},
		{"connected accounts", connectedAccountBehaviours},
		{"refresh", refreshBehaviours},
		{"connection requests", connectionRequestBehaviours},
		{"sessions", sessionBehaviours},
		{"memories", memoryBehaviours},
		{"MCP servers", mcpServerBehaviours},
		{"execution logs", executionLogBehaviours},
		{"idempotency", idempotencyBehaviours},
		{"events", eventBehaviours},
		{"webhook subscriptions", subscriptionBehaviours},
		{"triggers", triggerBehaviours},
		{"oauth", oauthBehaviours},
		{"toolkits", toolkitBehaviours},
		{"imports", importBehaviours},
		{"MCP watches", watchBehaviours},
		{"keysets", keysetBehaviours},
		{"key rotation", rotationBehaviours},
		{"retention", retentionBehaviours},
	} {
		t.Run(noun.name, func(t *testing.T) {
			t.Parallel()
			for name, behaves := range noun.behaviours {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					behaves(t, newFixture(t, empty(t)))
				})
			}
		})
	}
}

// behaviours are tests by what they show, each on a database of its own.
type behaviours map[string]func(t *testing.T, f *fixture)

// The projects of the tests: ours, and the one that must never be seen through ours.
const (
	ours   = "pr_ours"
	theirs = "pr_theirs"
)

// start is the time at which tests begin. Times are kept to the microsecond.
var start = time.Date(2026, 7, 28, 12, 0, 0, 123_456_000, time.UTC)

// fixture is an open store with a clock that stands still and an ear on the bus.
type fixture struct {
	*store.Store
	database string
	key      secret.MasterKey

	mu    sync.Mutex
	time  time.Time
	heard []notify.Change
}

func newFixture(t *testing.T, database string) *fixture {
	f := &fixture{database: database, key: secret.NewMasterKey(), time: start}
	bus := new(notify.Bus)
	bus.Subscribe(func(c notify.Change) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.heard = append(f.heard, c)
	})
	f.Store = open(t, store.Options{Database: database, MasterKey: Key(f.key), Bus: bus, Now: f.now})
	return f
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

// pass lets time pass.
func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

// news gives what the bus was told since the last call.
func (f *fixture) news() []notify.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	heard := f.heard
	f.heard = nil
	return heard
}
