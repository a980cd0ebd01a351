package store

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// TestScrub looks at the bytes on the disk: what was deleted, and what was replaced, is in no file of the database any more.
func TestScrub(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := Open(t.Context(), Options{
		Database: filepath.Join(directory, "patchbay.db"), MasterKey: secret.KeyFile(filepath.Join(directory, "master.key")), Bus: new(notify.Bus),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	long := connect.Fields{"token": secret.Hide(strings.Repeat("a long secret ", 1000))} // over several pages
	for _, id := range []string{"ca_deleted", "ca_replaced", "ca_kept"} {
		if err := s.CreateAccount(ctx, connect.ConnectedAccount{ID: id, ProjectID: "pr_1", Values: long}); err != nil {
			t.Fatal(err)
		}
	}
	before := make(map[string][]byte)
	for _, id := range []string{"ca_deleted", "ca_replaced", "ca_kept"} {
		var sealed []byte
		if err := s.db.reader().QueryRowContext(ctx, `SELECT fields FROM connected_accounts WHERE id = $1`, id).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		before[id] = sealed
	}
	if err := s.DeleteAccount(ctx, "pr_1", "ca_deleted"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateAccount(ctx, "pr_1", "ca_replaced", func(a *connect.ConnectedAccount) error {
		a.Values = nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(ctx); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(directory, "patchbay.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v: %v", files, err)
	}
	found := make(map[string]bool)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for id, sealed := range before {
			for at := 0; at+64 <= len(sealed); at += 64 { // pages cut it into pieces
				found[id] = found[id] || bytes.Contains(content, sealed[at:at+64])
			}
		}
	}
	if found["ca_deleted"] || found["ca_replaced"] || !found["ca_kept"] {
		t.Errorf("still on the disk: %v", found)
	}
}

// A reader that takes its time keeps the log from being emptied, and nobody from writing.
func TestScrubWaitsForNobody(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	db := s.db.(*sqliteDB)
	reading, err := db.readers.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	if err := reading.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM projects`).Scan(new(int)); err != nil {
		t.Fatal(err)
	}
	write := func(id string) {
		if _, err := s.EnsureProject(t.Context(), tenant.Project{ID: id, Name: id}); err != nil {
			t.Fatal(err)
		}
	}
	write("pr_1")
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second) // half of what SQLite would wait by itself
	defer cancel()
	if emptied, err := db.emptyLog(soon); emptied || err != nil {
		t.Errorf("while somebody reads: %t, %v", emptied, err)
	}
	write("pr_2")
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if emptied, err := db.emptyLog(t.Context()); !emptied || err != nil {
		t.Errorf("when nobody reads: %t, %v", emptied, err)
	}
	var timeout int
	if err := db.writer.QueryRowContext(t.Context(), `PRAGMA busy_timeout`).Scan(&timeout); err != nil || timeout != 10000 {
		t.Errorf("locks are waited for %d ms afterwards, %v", timeout, err)
	}
}
