package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// groupWriter lets writes that wait for the one writing connection share a transaction, and so the cost of bringing it to
// the disk: one caller alone pays for a whole commit, a hundred at once pay for one together. Whose turn it is takes all who
// wait along; there is no goroutine behind it.
type groupWriter struct {
	db       *sql.DB // one connection
	prepared *prepared
	turn     chan struct{} // capacity 1: holds a token while somebody commits

	mu      sync.Mutex
	waiting []*groupWrite
}

// groupWrite is one caller's write.
type groupWrite struct {
	ctx  context.Context
	f    func(*tx) error
	done chan error // capacity 1
}

// groupLimit bounds how many writes share a transaction, so that the first does not wait long for the last.
const groupLimit = 256

func newGroupWriter(db *sql.DB) *groupWriter {
	return &groupWriter{db: db, prepared: newPrepared(db), turn: make(chan struct{}, 1)}
}

// write runs f in a transaction that it may share with others; whether f fails is its own affair. It returns when what f
// wrote is on the disk. A context that ends while f waits takes it out of the queue; once it runs, it runs to its end.
func (w *groupWriter) write(ctx context.Context, f func(*tx) error) error {
	own := &groupWrite{ctx: ctx, f: f, done: make(chan error, 1)}
	w.mu.Lock()
	w.waiting = append(w.waiting, own)
	w.mu.Unlock()
	for {
		select {
		case err := <-own.done:
			return err
		case w.turn <- struct{}{}:
			w.commitWaiting()
		case <-ctx.Done():
			if w.leave(own) {
				return ctx.Err()
			}
			return <-own.done
		}
	}
}

// leave takes a write out of the queue; false when it is being run.
func (w *groupWriter) leave(own *groupWrite) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.waiting {
		if other == own {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// commitWaiting runs all who wait in one transaction, tells each how it went, and passes the turn on.
func (w *groupWriter) commitWaiting() {
	defer func() { <-w.turn }()
	w.mu.Lock()
	group := w.waiting[:min(len(w.waiting), groupLimit)]
	w.waiting = w.waiting[len(group):]
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	w.mu.Unlock()
	if len(group) == 0 {
		return
	}
	results := make([]error, len(group))
	err := errAbandoned // stays if a write panics: nobody may wait forever
	defer func() {
		for i, one := range group {
			one.done <- errors.Join(results[i], err)
		}
	}()
	err = w.runGroup(group, results)
}

// errAbandoned is what the others of a group get when one of its writes panics.
var errAbandoned = errors.New("the transaction was abandoned")

// runGroup runs the writes of a group in one transaction. A write that fails is undone alone and gets its error in results;
// an error of runGroup itself means that nothing of the whole group was kept.
func (w *groupWriter) runGroup(group []*groupWrite, results []error) error {
	begun, err := w.db.BeginTx(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	statements := &preparedTx{Tx: begun, prepared: w.prepared}
	defer statements.learn()
	defer begun.Rollback() // does nothing after the commit
	for i, one := range group {
		if results[i] = one.ctx.Err(); results[i] != nil {
			continue
		}
		// SQLite undoes the whole transaction when it interrupts a statement, so the end of one caller's context must not.
		t := &tx{ctx: context.WithoutCancel(one.ctx), queryer: statements}
		if len(group) == 1 {
			if results[i] = one.f(t); results[i] != nil {
				return nil
			}
			break
		}
		if err := undoable(t, one.f, &results[i]); err != nil {
			return err
		}
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// undoable runs f within a savepoint and gives f's own error in result. An error of undoable itself means that the
// transaction cannot go on.
func undoable(t *tx, f func(*tx) error, result *error) error {
	if _, err := t.exec(`SAVEPOINT one`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if *result = f(t); *result != nil {
		if _, err := t.exec(`ROLLBACK TO one`); err != nil {
			return fmt.Errorf("undo: %w", errors.Join(err, *result)) // a full disk, for one, has undone the whole transaction already
		}
	}
	if _, err := t.exec(`RELEASE one`); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}
