package store_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.File)
}

// TestSQLiteSealed looks for secrets in the files themselves.
func TestSQLiteSealed(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	hidden := func(what string) secret.Value { return secret.Hide("SECRET-" + what) }
	fields := func(what string) connect.Fields { return connect.Fields{"name": hidden(what)} }
	for _, err := range []error{
		s.CreateAuthConfig(t.Context(), connect.AuthConfig{
			ID: "ac_1", ProjectID: "pr_1", Name: "PLAIN-name", Credentials: fields("credentials"), Shared: fields("shared"), ProxyKey: hidden("proxy"),
		}),
		s.CreateAccount(t.Context(), connect.ConnectedAccount{ID: "ca_1", ProjectID: "pr_1", AuthConfigID: "ac_1", Values: fields("values")}),
		s.CreateRequest(t.Context(), connect.ConnectionRequest{
			TokenHash: "hash", ProjectID: "pr_1", AccountID: "ca_1", Verifier: hidden("verifier"), Prefill: fields("prefill"),
		}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.BeginIdempotent(t.Context(), "pr_1", "key", "print", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.FinishIdempotent(t.Context(), "pr_1", "key", []byte("SECRET-answer")); err != nil {
		t.Fatal(err)
	}
	plain := false
	look := func(when string) {
		t.Helper()
		for name, content := range readAll(t, directory) {
			plain = plain || bytes.Contains(content, []byte("PLAIN-name"))
			if at := bytes.Index(content, []byte("SECRET-")); at >= 0 {
				t.Errorf("%s: %s holds %q", when, name, content[at:min(at+20, len(content))])
			}
		}
	}
	look("while open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("when closed")
	if !plain {
		t.Error("the files do not hold what is not secret either: the test looks in the wrong place")
	}
}

// readAll gives the content of all files below a directory.
func readAll(t *testing.T, directory string) map[string][]byte {
	t.Helper()
	contents := make(map[string][]byte)
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			contents[entry.Name()], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// TestSQLiteSealedInPlace moves a sealed value to another row, where it must not open.
func TestSQLiteSealedInPlace(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []string{"ca_1", "ca_2"} {
		err := s.CreateAccount(t.Context(), connect.ConnectedAccount{ID: id, ProjectID: "pr_1", Values: connect.Fields{"of": secret.Hide(id)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	thief, err := sql.Open("sqlite", filepath.Join(directory, "patchbay.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	_, err = thief.Exec(`UPDATE connected_accounts SET fields = (SELECT fields FROM connected_accounts WHERE id = 'ca_1') WHERE id = 'ca_2'`)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Account(t.Context(), "pr_1", "ca_2")
	if err == nil {
		t.Errorf("the stolen value opened: %s", a.Values["of"].Reveal())
	}
}

// TestSQLiteFilesArePrivate checks that nobody else on the machine can read what the server writes.
func TestSQLiteFilesArePrivate(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "data")
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seen := 0
	err = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen < 5 { // directory, key, database, -wal, -shm
		t.Fatalf("%d files: %v", seen, err)
	}
}

// TestSQLiteOneProcess refuses a second server on the same file, and lets it in when the first is gone.
func TestSQLiteOneProcess(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	first, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openData(t.Context(), directory); !fault.Is(err, fault.Conflict) {
		t.Errorf("second: got %v, want kind Conflict", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Ready(t.Context()); err == nil {
		t.Error("a closed database answers")
	}
}

// TestSQLiteLostKey starts with the key file gone: no new key may be made for an old database.
func TestSQLiteLostKey(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(directory, "master.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := openData(t.Context(), directory); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v, want a fault that says what is missing", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made")
	}
}

// TestSQLiteNewerSchema refuses a database that a newer server has used.
func TestSQLiteNewerSchema(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	newer, err := sql.Open("sqlite", filepath.Join(directory, "patchbay.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	if _, err := newer.Exec(`INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := openData(t.Context(), directory); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "9999") {
		t.Errorf("got %v, want a fault that names the version", err)
	}
}
