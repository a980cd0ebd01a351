package secret_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestParseMasterKey(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	if err != nil || len(raw) != 32 {
		t.Fatalf("a new key is %d bytes: %v", len(raw), err)
	}
	for name, text := range map[string]string{
		"as it is written": key.Reveal(),
		"with a newline":   " " + key.Reveal() + "\n",
		"without padding":  strings.TrimRight(key.Reveal(), "="),
		"URL alphabet":     base64.URLEncoding.EncodeToString(raw),
		"URL, unpadded":    base64.RawURLEncoding.EncodeToString(raw),
	} {
		if got, err := secret.ParseMasterKey(text); err != nil || got != key {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty":         "",
		"not base64":    "hunter2 hunter2 hunter2 hunter2 hunter2 hunter",
		"31 bytes":      base64.StdEncoding.EncodeToString(raw[:31]),
		"33 bytes":      base64.StdEncoding.EncodeToString(append(raw, 0)),
		"16 bytes":      base64.StdEncoding.EncodeToString(raw[:16]),
		"hex, 64 chars": fmt.Sprintf("%x", raw),
	} {
		_, err := secret.ParseMasterKey(text)
		if !fault.Is(err, fault.Invalid) || fault.From(err).Fix == "" {
			t.Errorf("%s: got %v, want a fault of kind Invalid with a fix", name, err)
		}
		if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the key is in the error: %v", name, err)
		}
	}
}

func TestMasterKeyHidesItself(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	asJSON, err := json.Marshal(struct{ Key secret.MasterKey }{key})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("", "key", key)
	raw, _ := base64.StdEncoding.DecodeString(key.Reveal())
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", key), "%+v": fmt.Sprintf("%+v", struct{ K secret.MasterKey }{key}), "%#v": fmt.Sprintf("%#v", key),
		"%s": fmt.Sprintf("%s", key), "%d": fmt.Sprintf("%d", key), "json": string(asJSON), "slog": logged.String(),
	} {
		if !strings.Contains(text, "[redacted]") || strings.Contains(text, fmt.Sprint(raw[0])+" "+fmt.Sprint(raw[1])) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "master.key")
	made, err := secret.KeyFile(path)(true)
	if err != nil {
		t.Fatal(err)
	}
	state, err := os.Stat(path)
	if err != nil || state.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v: %v", state.Mode(), err)
	}
	for _, fresh := range []bool{true, false} { // a key that is there is never replaced
		if got, err := secret.KeyFile(path)(fresh); err != nil || got != made {
			t.Errorf("read again, fresh %t: %v", fresh, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files beside the key: %v", len(entries)-1, err)
	}
}

// TestKeyFileRace starts many servers on one data directory at once: they agree on one key.
func TestKeyFileRace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	keys := make([]secret.MasterKey, 16)
	var servers sync.WaitGroup
	for i := range keys {
		servers.Go(func() {
			var err error
			if keys[i], err = secret.KeyFile(path)(true); err != nil {
				t.Error(err)
			}
		})
	}
	servers.Wait()
	for i, key := range keys {
		if key != keys[0] {
			t.Errorf("server %d has another key", i)
		}
	}
}

func TestKeyFileRefused(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey().Reveal()
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		want    string // in the message
	}{
		"readable by the group": {key, 0o640, "mode 0640"},
		"readable by all":       {key, 0o604, "mode 0604"},
		"writable by the group": {key, 0o620, "mode 0620"},
		"empty":                 {"", 0o600, "empty"},
		"no key":                {"hello", 0o600, "does not hold"},
		"far too long":          {strings.Repeat(key, 100), 0o600, "does not hold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			for _, fresh := range []bool{true, false} {
				_, err := secret.KeyFile(path)(fresh)
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v, want a fault with %q and the path", err, test.want)
				}
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != test.content {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func TestKeyReference(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	file := filepath.Join(t.TempDir(), "key")
	if _, err := secret.KeyFile(file)(true); err != nil {
		t.Fatal(err)
	}
	inFile, err := secret.KeyFile(file)(false)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) {
		return map[string]string{"KEY": key.Reveal(), "EMPTY": ""}[name], name != "UNSET"
	}
	for reference, want := range map[string]secret.MasterKey{
		key.Reveal():   key,
		"env:KEY":      key,
		"file:" + file: inFile,
	} {
		if got, err := secret.KeyReference(reference, lookup)(true); err != nil || got != want {
			t.Errorf("%s: %v", reference, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	for reference, message := range map[string]string{
		"env:UNSET":       "UNSET, which is not set",
		"env:EMPTY":       "32 bytes in base64",
		"file:" + missing: "does not exist",
		"something":       "32 bytes in base64",
	} {
		_, err := secret.KeyReference(reference, lookup)(true)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), message) || fault.From(err).Fix == "" {
			t.Errorf("%s: got %v, want a fault with %q and a fix", reference, err, message)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a file that was named was made")
	}
}
