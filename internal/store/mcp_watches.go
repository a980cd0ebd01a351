package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
)

var _ toolsync.Store = (*Store)(nil)

const watchColumns = `project_id, toolkit, account_id, seen, revision, problem, failures, checked_at, due_at`

func scanWatch(r row) (w toolsync.Watch, err error) {
	err = r.Scan(&w.ProjectID, &w.Toolkit, &w.AccountID, asJSON(&w.Seen), &w.Revision, &w.Problem, &w.Failures, at(&w.CheckedAt), at(&w.DueAt))
	return w, err
}

// PutWatch stores a watch, in place of the toolkit's former one, and ends the lease on it.
func (s *Store) PutWatch(ctx context.Context, w toolsync.Watch) error {
	return s.write(ctx, "store MCP server's watch", func(t *tx) error {
		_, err := t.exec(`INSERT INTO mcp_watches (`+watchColumns+`, asked_at, lease_owner, lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', 0)
			ON CONFLICT (project_id, toolkit) DO UPDATE SET account_id = excluded.account_id, seen = excluded.seen, revision = excluded.revision,
				problem = excluded.problem, failures = excluded.failures, checked_at = excluded.checked_at, due_at = excluded.due_at,
				lease_owner = '', lease_until = 0`,
			w.ProjectID, w.Toolkit, w.AccountID, asJSON(w.Seen), w.Revision, w.Problem, w.Failures, micros(w.CheckedAt), micros(w.DueAt))
		return err
	})
}

// Watch gives the watch of a toolkit; false when it was never synced.
func (s *Store) Watch(ctx context.Context, projectID, toolkit string) (toolsync.Watch, bool, error) {
	w, err := scanWatch(s.db.reader().QueryRowContext(ctx, `SELECT `+watchColumns+` FROM mcp_watches WHERE project_id = $1 AND toolkit = $2`, projectID, toolkit))
	if errors.Is(err, sql.ErrNoRows) {
		return toolsync.Watch{}, false, nil
	}
	return w, err == nil, s.wrap("read MCP server's watch", err)
}

// Watches gives those of a project, by toolkit.
func (s *Store) Watches(ctx context.Context, projectID string) ([]toolsync.Watch, error) {
	list, err := collect(ctx, s.db.listReader(), scanWatch, `SELECT `+watchColumns+` FROM mcp_watches WHERE project_id = $1 ORDER BY toolkit`, projectID)
	return list, s.wrap("list MCP servers' watches", err)
}

// DeleteWatch forgets a toolkit's.
func (s *Store) DeleteWatch(ctx context.Context, projectID, toolkit string) error {
	return s.write(ctx, "delete MCP server's watch", func(t *tx) error {
		_, err := t.exec(`DELETE FROM mcp_watches WHERE project_id = $1 AND toolkit = $2`, projectID, toolkit)
		return err
	})
}

// HastenWatch makes the next look due at a time, unless it is due before; false when there is none to hasten.
func (s *Store) HastenWatch(ctx context.Context, projectID, toolkit string, due time.Time) (bool, error) {
	hastened := false
	err := s.write(ctx, "hasten the look at an MCP server", func(t *tx) error {
		n, err := t.exec(`UPDATE mcp_watches SET asked_at = $3, due_at = CASE WHEN due_at < $3 THEN due_at ELSE $3 END
			WHERE project_id = $1 AND toolkit = $2 AND (due_at > $3 OR lease_owner <> '' AND asked_at < $3)`, projectID, toolkit, micros(due))
		hastened = n > 0
		return err
	})
	return hastened, err
}

// ClaimWatches leases looks that are due.
func (s *Store) ClaimWatches(ctx context.Context, l job.Lease, n int) ([]toolsync.Watch, error) {
	var claimed []toolsync.Watch
	err := s.write(ctx, "claim looks at MCP servers", func(t *tx) (err error) {
		claimed, err = collect(t.ctx, t.queryer, scanWatch, `UPDATE mcp_watches SET lease_owner = $1, lease_until = $3
			WHERE (project_id, toolkit) IN (SELECT project_id, toolkit FROM mcp_watches WHERE due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $4)
			AND lease_until <= $2 RETURNING `+watchColumns, l.Owner, micros(l.Now), micros(l.Until), n)
		return err
	})
	return claimed, err
}

// RenewWatch prolongs a lease; false when the owner has it no more.
func (s *Store) RenewWatch(ctx context.Context, l job.Lease, w toolsync.Watch) (bool, error) {
	held := false
	err := s.write(ctx, "renew the lease of a look at an MCP server", func(t *tx) error {
		n, err := t.exec(`UPDATE mcp_watches SET lease_until = $4 WHERE project_id = $1 AND toolkit = $2 AND lease_owner = $3`,
			w.ProjectID, w.Toolkit, l.Owner, micros(l.Until))
		held = n > 0
		return err
	})
	return held, err
}

// NextWatch gives when the earliest look that nobody holds is due; zero when there is none.
func (s *Store) NextWatch(ctx context.Context, now time.Time) (time.Time, error) {
	var due time.Time
	err := s.db.reader().QueryRowContext(ctx, `SELECT due_at FROM mcp_watches WHERE due_at > 0 AND lease_until <= $1 ORDER BY due_at LIMIT 1`, micros(now)).Scan(at(&due))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return due, s.wrap("find the next look at an MCP server", err)
}

// FinishWatch stores what a look found with the events that tell of it, and gives the lease up. A look that was asked for after
// this one began stays due.
func (s *Store) FinishWatch(ctx context.Context, l job.Lease, w toolsync.Watch, events []event.Event) error {
	rows, err := s.sealEvents(ctx, events)
	if err != nil {
		return err
	}
	return s.write(ctx, "finish the look at an MCP server", func(t *tx) error {
		n, err := t.exec(`UPDATE mcp_watches SET seen = $4, revision = $5, problem = $6, failures = $7, checked_at = $8,
			due_at = CASE WHEN asked_at > $10 AND asked_at < $9 THEN asked_at ELSE $9 END, lease_owner = '', lease_until = 0
			WHERE project_id = $1 AND toolkit = $2 AND lease_owner = $3`,
			w.ProjectID, w.Toolkit, l.Owner, asJSON(w.Seen), w.Revision, w.Problem, w.Failures, micros(w.CheckedAt), micros(w.DueAt), micros(l.Now))
		if err != nil || n == 0 {
			return err
		}
		_, err = s.appendEvents(t, rows)
		return err
	})
}
