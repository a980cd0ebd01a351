package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// TestRotationOfARunningServer rotates through the control socket, retires the old keys when their time has come, and starts again
// with the new master key alone.
func TestRotationOfARunningServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	settings := load(t, data, "PATCHBAY_API_KEY="+operatorsKey)
	c := &movedClock{time: time.Now()}
	server := app.New(app.Options{Config: settings, Toolkits: hackerNews(), Now: c.now})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	subscribed(t, server)
	secrets, err := app.OpenSecrets(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	defer secrets.Close()
	key := filepath.Join(data, "master.key")
	before := read(t, key)

	c.pass(time.Second) // the keysets were made a moment ago
	done, err := secrets.Rotate(t.Context(), func(app.RotationProgress) {})
	if err != nil || !done.NewMaster || done.Keysets < 2 || done.KeyFile != key {
		t.Fatalf("rotated %+v: %v", done, err)
	}
	subscribed(t, server)
	if _, err := secrets.Retire(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("retired at once: %v", err)
	}
	if _, err := secrets.Rotate(t.Context(), func(app.RotationProgress) {}); !fault.Is(err, fault.Conflict) {
		t.Errorf("rotated again before the old keys were retired: %v", err)
	}
	c.pass(secret.SettleTime)
	retired, err := secrets.Retire(t.Context())
	if err != nil || retired.Keysets != done.Keysets || read(t, retired.KeyFile) != before {
		t.Fatalf("retired %+v: %v", retired, err)
	}
	if after := read(t, key); strings.Count(after, "\n") != 1 || after == before {
		t.Error("the key file does not hold the new key alone")
	}
	state, err := secrets.State(t.Context())
	if err != nil || state.SealedWithOld != 0 || state.WithOldKeys != 0 || state.OldMasterKeys != 0 || state.Retirable != nil {
		t.Errorf("in the end: %+v, %v", state, err)
	}
	stop(t, server)
	subscribed(t, start(t, settings))
}

// TestRotationWithAKeyInTheEnvironment changes the master key as nodes without a key file do: the new key is put before the old
// one, and the old one is left out when everything is wrapped with the new.
func TestRotationWithAKeyInTheEnvironment(t *testing.T) {
	t.Parallel()
	data, old, replacement := t.TempDir(), secret.NewMasterKey().Reveal(), secret.NewMasterKey().Reveal()
	with := func(keys string) (app.Secrets, error) {
		return app.OpenSecrets(t.Context(), load(t, data, "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_MASTER_KEY="+keys))
	}
	stop(t, start(t, load(t, data, "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_MASTER_KEY="+old)))
	both, err := with(replacement + "," + old)
	if err != nil {
		t.Fatal(err)
	}
	done, err := both.Rotate(t.Context(), func(app.RotationProgress) {})
	if err != nil || !done.NewMaster || done.KeyFile != "" {
		t.Fatalf("rotated %+v: %v", done, err)
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}
	alone, err := with(replacement)
	if err != nil {
		t.Fatalf("with the new key alone: %v", err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := with(old); !fault.Is(err, fault.Invalid) {
		t.Errorf("with the old key alone: %v", err)
	}
}

// subscribed stores something that is sealed, and has all of its kind opened.
func subscribed(t *testing.T, server *app.App) {
	t.Helper()
	for _, request := range []struct{ method, body string }{
		{http.MethodPost, `{"webhook_url":"https://hooks.example.com/patchbay","enabled_events":["composio.trigger.message"]}`}, {http.MethodGet, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), request.method, "http://"+server.Address()+"/api/v3.1/webhook_subscriptions", strings.NewReader(request.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Api-Key", operatorsKey)
		req.Header.Set("Content-Type", "application/json")
		if status, body := send(t, req); status >= http.StatusBadRequest {
			t.Fatalf("%s: %d %s", request.method, status, body)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// movedClock is a time that goes on only when the test says so.
type movedClock struct {
	mu   sync.Mutex
	time time.Time
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *movedClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}
