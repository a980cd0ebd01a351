// Package storetest holds the behaviour that a store must show on every database (Run), and opens stores for the tests of
// other packages (Open). It is imported by tests only.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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
		Database:  File(t),
		MasterKey: Key(secret.NewMasterKey()),
		Bus:       bus,
		Now:       now,
	})
}

// File gives the path of a SQLite database that has its schema and nothing in it, in a directory of the test's own.
func File(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "patchbay.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// migrated gives the content of such a database. It is made once in a process: under the race detector the migrations cost ten
// times what most tests do with the database afterwards.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	directory, err := os.MkdirTemp("", "patchbay-store-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	path := filepath.Join(directory, "patchbay.db")
	// Opening stops at the master key, when the schema is made and nothing is stored yet: each test has a key of its own.
	_, err = store.Open(context.Background(), store.Options{
		Database: path, Bus: new(notify.Bus),
		MasterKey: func(context.Context, bool) ([]secret.Wrapper, error) { return nil, errSchemaMade },
	})
	if !errors.Is(err, errSchemaMade) {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	return os.ReadFile(path)
})

var errSchemaMade = errors.New("the schema is made")

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
