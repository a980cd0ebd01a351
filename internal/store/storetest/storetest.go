// Package storetest holds the behaviour that every database must show, and opens stores for the tests of other packages.
// It is imported by tests only.
package storetest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// Open gives an empty store on SQLite in a directory of the test's own, closed when the test ends.
func Open(t testing.TB) *store.Store { return OpenWith(t, new(notify.Bus), time.Now) }

// OpenWith is Open with a bus that the test listens to and a clock that it holds.
func OpenWith(t testing.TB, bus *notify.Bus, now func() time.Time) *store.Store {
	t.Helper()
	key := secret.NewMasterKey()
	s, err := store.Open(t.Context(), store.Options{
		Database:  filepath.Join(t.TempDir(), "patchbay.db"),
		MasterKey: func(bool) (secret.MasterKey, error) { return key, nil },
		Bus:       bus,
		Now:       now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
