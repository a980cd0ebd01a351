package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// TestKeys makes, uses and revokes a key with the server running and without.
func TestKeys(t *testing.T) {
	t.Parallel()
	settings := load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey)
	made := map[string]string{} // id -> key
	stopped := openKeys(t, settings)
	makeKey(t, stopped, "made while stopped", made)
	if err := stopped.Close(); err != nil {
		t.Fatal(err)
	}
	server := start(t, settings)
	running := openKeys(t, settings)
	makeKey(t, running, "made while running", made)
	list, err := running.List(t.Context())
	if err != nil || len(list) != 3 || list[0].Name != "from the settings" && list[0].Name != "made while running" {
		t.Fatalf("got %v, %v", list, err)
	}
	for id, key := range made {
		sdk := client(t, server, key)
		if _, err := sdk.Toolkits.Get(t.Context(), "hackernews"); err != nil {
			t.Errorf("%s does not work: %v", id, err)
		}
		revoked, err := running.Revoke(t.Context(), id)
		if err != nil || revoked.RevokedAt.IsZero() {
			t.Errorf("revoke %s: %v, %v", id, revoked, err)
		}
		if _, err := sdk.Toolkits.Get(t.Context(), "hackernews"); err == nil {
			t.Errorf("%s works on after it was revoked", id)
		}
	}
	if _, err := running.Revoke(t.Context(), "key_nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoking a key that does not exist: %v", err)
	}
}

func TestTheControlSocketIsPrivateAndGoesAway(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	socket := filepath.Join(data, "control.sock")
	if err := os.WriteFile(socket, nil, 0o600); err != nil { // left by a server that was killed
		t.Fatal(err)
	}
	server := start(t, load(t, data))
	state, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if state.Mode()&os.ModeSocket == 0 || state.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", state.Mode())
	}
	stop(t, server)
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func openKeys(t *testing.T, c config.Config) app.Keys {
	t.Helper()
	keys, err := app.OpenKeys(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	return keys
}

func makeKey(t *testing.T, keys app.Keys, name string, made map[string]string) {
	t.Helper()
	key, text, err := keys.Create(t.Context(), name, "")
	if err != nil || key.Name != name {
		t.Fatalf("got %v, %v", key, err)
	}
	made[key.ID] = text.Reveal()
}
