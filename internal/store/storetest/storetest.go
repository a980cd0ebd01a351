// Package storetest holds the behaviour that a store must show on every database (Run), and opens stores for the tests of
// other packages (Open). It is imported by tests only.
package storetest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// Open gives an empty store on SQLite in a directory of the test's own, closed when the test ends.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenWith(t, new(notify.Bus), time.Now)
}

// OpenWith is Open with a bus that the test listens to and a clock that it holds.
func OpenWith(t testing.TB, bus *notify.Bus, now func() time.Time) *store.Store {
	t.Helper()
	return open(t, store.Options{
		Database:  filepath.Join(t.TempDir(), "patchbay.db"),
		MasterKey: Key(secret.NewMasterKey()),
		Bus:       bus,
		Now:       now,
	})
}

// Key is a source that always gives the same key.
func Key(key secret.MasterKey) secret.KeySource {
	return func(context.Context, bool) ([]secret.Wrapper, error) { return []secret.Wrapper{key}, nil }
}

func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
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
