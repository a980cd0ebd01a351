package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

// tx is one writing transaction. It notes what it changes; the bus hears of it after the commit.
type tx struct {
	ctx     context.Context
	queryer queryer
	changes []notify.Change
}

// exec runs a statement and gives the number of rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	result, err := t.queryer.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// announce notes a change. The owner is the user of a connected account, and empty for other kinds.
func (t *tx) announce(kind notify.Kind, id, owner string) {
	t.changes = append(t.changes, notify.Change{Kind: kind, ID: id, Owner: owner})
}

// execAnnouncing runs a statement that ends in "RETURNING id, owner", announces a change for each row, and gives how many
// there were. Where a kind of change has no owner, the statement returns ” for it.
func (t *tx) execAnnouncing(kind notify.Kind, query string, args ...any) (int, error) {
	rows, err := t.queryer.QueryContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		change := notify.Change{Kind: kind}
		if err := rows.Scan(&change.ID, &change.Owner); err != nil {
			return n, err
		}
		t.changes = append(t.changes, change)
	}
	return n, rows.Err()
}

// write runs f in one transaction and tells the bus, after the commit, of what f announced. Nobody else writes to a SQLite
// database while f runs, so f runs statements and does nothing else. Doing names the work for the log.
func (s *Store) write(ctx context.Context, doing string, f func(*tx) error) error {
	var done *tx
	err := s.db.write(ctx, func(t *tx) error {
		done = t
		return f(t)
	})
	if err != nil {
		return s.wrap(doing, err)
	}
	for _, change := range done.changes {
		s.bus.Publish(change)
	}
	return nil
}

// wrap names what was being done when a database error came up. Faults stay as they are; a text that the database cannot hold
// becomes one, and so does a database that is out of service.
func (s *Store) wrap(doing string, err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	if s.db.violation(err).text {
		return fault.New(fault.Invalid, fault.SlugInvalid, "A text of the request has a character that cannot be stored (NUL, or bytes that are not UTF-8).").
			Because(err)
	}
	if errors.Is(err, errNoAnswer) || s.db.unavailable(err) {
		return s.outOfService(doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// orMissing turns "no row" into the fault of kind NotFound that missing makes. There is no row either for a text that the
// database cannot hold.
func (s *Store) orMissing(err error, missing func() error) error {
	if errors.Is(err, sql.ErrNoRows) || s.db.violation(err).text {
		return missing()
	}
	return err
}

// Compare-and-swap: of the writers that meet, one always gets through, so only a row that many write to without pause comes
// near the limit.
const (
	swapTries = 200
	swapPause = time.Millisecond // at most, after a try that lost
)

// errSwapped says that another writer came in between the read and the write.
var errSwapped = errors.New("changed meanwhile")

// swap runs try (read, change, write if the version is still the same) until no other writer comes in between.
func swap(ctx context.Context, what string, try func() error) error {
	for range swapTries {
		err := try()
		if !errors.Is(err, errSwapped) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(swapPause)):
		}
	}
	return fault.New(fault.Conflict, fault.SlugConflict, "%s is being changed by too many requests at once.", what).
		WithFix("Try again in a moment.")
}

// batch is how many rows one transaction of a clean-up touches: few enough that other writers hardly wait.
const batch = 500

// inBatches repeats a clean-up, each time in a transaction of its own, until it touches less than a batch. It gives how many
// rows it touched in all.
func (s *Store) inBatches(ctx context.Context, doing string, f func(*tx) (int, error)) (int, error) {
	total := 0
	for {
		n := 0
		err := s.write(ctx, doing, func(t *tx) (err error) {
			n, err = f(t)
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
		if n < batch {
			return total, nil
		}
	}
}
