package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// groupForTest gives the writer of an open store, with a table to write to.
func groupForTest(t *testing.T) (*Store, *groupWriter) {
	t.Helper()
	s := openForTest(t)
	w := s.db.(*sqliteDB).group
	err := w.write(t.Context(), func(t *tx) error {
		_, err := t.exec(`CREATE TABLE notes (text TEXT NOT NULL UNIQUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// insert writes notes, one statement each.
func insert(texts ...string) func(*tx) error {
	return func(t *tx) error {
		for _, text := range texts {
			if _, err := t.exec(`INSERT INTO notes (text) VALUES ($1)`, text); err != nil {
				return err
			}
		}
		return nil
	}
}

// notes gives what is stored.
func notes(t *testing.T, s *Store) string {
	t.Helper()
	var all string
	err := s.db.reader().QueryRowContext(t.Context(), `SELECT COALESCE(GROUP_CONCAT(text, ''), '') FROM (SELECT text FROM notes ORDER BY text)`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// queue puts writes into the queue without running them, as if their callers waited for the turn.
func queue(ctx context.Context, w *groupWriter, fs ...func(*tx) error) []*groupWrite {
	var writes []*groupWrite
	for _, f := range fs {
		writes = append(writes, &groupWrite{ctx: ctx, f: f, done: make(chan error, 1)})
	}
	w.waiting = append(w.waiting, writes...)
	return writes
}

// TestGroupWriterUndoesAlone lets some writes of a group fail: only what they did is undone.
func TestGroupWriterUndoesAlone(t *testing.T) {
	t.Parallel()
	s, w := groupForTest(t)
	refused := errors.New("refused")
	ended, end := context.WithCancel(t.Context())
	end()
	writes := queue(t.Context(), w,
		insert("a", "b"),
		insert("c", "a"), // breaks a rule after its first statement
		func(t *tx) error { return errors.Join(insert("d")(t), refused) },
		insert("e"),
	)
	late := queue(ended, w, insert("f"))[0]
	if err := w.write(t.Context(), insert("g")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []func(error) bool{
		func(err error) bool { return err == nil },
		func(err error) bool { return s.db.violation(err).unique },
		func(err error) bool { return errors.Is(err, refused) },
		func(err error) bool { return err == nil },
	} {
		if err := <-writes[i].done; !want(err) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if err := <-late.done; !errors.Is(err, context.Canceled) {
		t.Errorf("write of a caller that is gone: %v", err)
	}
	if got := notes(t, s); got != "abeg" {
		t.Errorf("stored %q, want %q", got, "abeg")
	}
}

// TestGroupWriterLimit spreads a long queue over several transactions; all of it is written.
func TestGroupWriterLimit(t *testing.T) {
	t.Parallel()
	s, w := groupForTest(t)
	var texts []func(*tx) error
	for i := range groupLimit + 10 {
		texts = append(texts, insert(string(rune('一'+i))))
	}
	writes := queue(t.Context(), w, texts...)
	if err := w.write(t.Context(), insert("!")); err != nil {
		t.Fatal(err)
	}
	for i, one := range writes {
		if err := <-one.done; err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := len([]rune(notes(t, s))); got != groupLimit+11 {
		t.Errorf("stored %d, want %d", got, groupLimit+11)
	}
}

// TestGroupWriterPanic lets a write panic: its caller panics, the others of the group get an error, and the writer goes on.
func TestGroupWriterPanic(t *testing.T) {
	t.Parallel()
	s, w := groupForTest(t)
	other := queue(t.Context(), w, insert("a"))[0]
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		w.write(t.Context(), func(*tx) error { panic("a mistake") })
	}()
	if err := <-other.done; !errors.Is(err, errAbandoned) {
		t.Errorf("the other write: %v", err)
	}
	if err := w.write(t.Context(), insert("b")); err != nil {
		t.Fatal(err)
	}
	if got := notes(t, s); got != "b" {
		t.Errorf("stored %q, want %q", got, "b")
	}
}

// TestGroupWriterLeaves takes a caller whose context ends out of the queue, at once.
func TestGroupWriterLeaves(t *testing.T) {
	t.Parallel()
	s, w := groupForTest(t)
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{}, 1) // made in the bubble, so that it knows who waits for it
		w := &groupWriter{db: w.db, prepared: w.prepared, turn: turn}
		turn <- struct{}{} // somebody commits
		ctx, end := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- w.write(ctx, insert("a")) }()
		synctest.Wait()
		end()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if len(w.waiting) != 0 {
			t.Errorf("%d still wait", len(w.waiting))
		}
	})
	if got := notes(t, s); got != "" {
		t.Errorf("stored %q", got)
	}
}
