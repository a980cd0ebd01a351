package secret_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// oneKey asks a source that has one key.
func oneKey(source secret.KeySource, fresh bool) (secret.MasterKey, error) {
	keys, err := source(context.Background(), fresh)
	if err != nil {
		return secret.MasterKey{}, err
	}
	if len(keys) != 1 {
		return secret.MasterKey{}, errors.New("not one key")
	}
	return keys[0].(secret.MasterKey), nil
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "master.key")
	made, err := oneKey(secret.KeyFile(path), true)
	if err != nil {
		t.Fatal(err)
	}
	state, err := os.Stat(path)
	if err != nil || state.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v: %v", state.Mode(), err)
	}
	for _, fresh := range []bool{true, false} { // a key that is there is never replaced
		if got, err := oneKey(secret.KeyFile(path), fresh); err != nil || got != made {
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
			if keys[i], err = oneKey(secret.KeyFile(path), true); err != nil {
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
				_, err := oneKey(secret.KeyFile(path), fresh)
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

func TestKeyReferences(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	file := filepath.Join(t.TempDir(), "key")
	if _, err := oneKey(secret.KeyFile(file), true); err != nil {
		t.Fatal(err)
	}
	inFile, err := oneKey(secret.KeyFile(file), false)
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
		if got, err := oneKey(secret.KeyReferences(reference, secret.References{Lookup: lookup}), true); err != nil || got != want {
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
		_, err := oneKey(secret.KeyReferences(reference, secret.References{Lookup: lookup}), true)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), message) || fault.From(err).Fix == "" {
			t.Errorf("%s: got %v, want a fault with %q and a fix", reference, err, message)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a file that was named was made")
	}
}

func TestKeyFileRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	old, err := oneKey(secret.KeyFile(path), true)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} { // a rotation that is begun again makes no third key
		if added, err := secret.AddKey(path); err != nil || added != want {
			t.Errorf("key added the %d. time: %t, %v", i+1, added, err)
		}
	}
	keys, err := secret.KeyFile(path)(t.Context(), false)
	if err != nil || len(keys) != 2 || keys[1] != secret.Wrapper(old) || keys[0] == secret.Wrapper(old) {
		t.Fatalf("%d keys, or not the new one before the old: %v", len(keys), err)
	}
	retired, err := secret.RetireKeys(path, time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC))
	if err != nil || retired != path+".retired-20260728T120000Z" {
		t.Fatalf("retired to %q: %v", retired, err)
	}
	if kept, err := oneKey(secret.KeyFile(path), false); err != nil || kept != keys[0] {
		t.Errorf("the file does not hold the new key alone: %v", err)
	}
	if gone, err := oneKey(secret.KeyFile(retired), false); err != nil || gone != old { // which also looks at the mode
		t.Errorf("the old key was not kept: %v", err)
	}
	if again, err := secret.RetireKeys(path, time.Now()); err != nil || again != "" {
		t.Errorf("one key was retired to %q: %v", again, err)
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".master.key-*")); err != nil || len(files) != 0 {
		t.Errorf("drafts left: %v, %v", files, err)
	}
}

func TestSeveralKeyReferences(t *testing.T) {
	t.Parallel()
	first, second := secret.NewMasterKey(), secret.NewMasterKey()
	lookup := func(name string) (string, bool) {
		return map[string]string{"NEW": first.Reveal(), "BOTH": first.Reveal() + " " + second.Reveal()}[name], true
	}
	for _, reference := range []string{
		first.Reveal() + "," + second.Reveal(), "env:NEW, " + second.Reveal(), "env:BOTH",
	} {
		keys, err := secret.KeyReferences(reference, secret.References{Lookup: lookup})(t.Context(), false)
		if err != nil || len(keys) != 2 || keys[0] != secret.Wrapper(first) || keys[1] != secret.Wrapper(second) {
			t.Errorf("%.10s…: %d keys, %v", reference, len(keys), err)
		}
	}
	if _, err := secret.KeyReferences(first.Reveal()+",", secret.References{Lookup: lookup})(t.Context(), false); !fault.Is(err, fault.Invalid) {
		t.Errorf("a comma with nothing behind it: %v", err)
	}
}

func TestFileOf(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey().Reveal()
	for setting, want := range map[string]string{
		"file:/etc/key": "/etc/key", " file:key ": "key", "": "", key: "", "env:KEY": "", "file:/a,file:/b": "", key + ",file:/a": "",
	} {
		if path, ok := secret.FileOf(setting); path != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", setting, path, ok)
		}
	}
}
