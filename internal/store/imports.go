package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
)

var _ imports.Store = (*Store)(nil)

const importColumns = `project_id, id, status, done, total, attempts, result, failure, created_at, started_at, finished_at, due_at, request`

// importRow is an import with its request as it is stored.
type importRow struct {
	imports.Import
	request []byte
}

func scanImport(r row) (i importRow, err error) {
	err = r.Scan(&i.ProjectID, &i.ID, &i.Status, &i.Done, &i.Total, &i.Attempts, asJSON(&i.Result), asJSON(&i.Failure),
		at(&i.CreatedAt), at(&i.StartedAt), at(&i.FinishedAt), at(&i.DueAt), &i.request)
	return i, err
}

// openImports opens the requests of rows.
func (s *Store) openImports(ctx context.Context, rows []importRow) ([]imports.Import, error) {
	out := make([]imports.Import, len(rows))
	for n, r := range rows {
		v, err := s.vaultOf(ctx, r.ProjectID, "imports", r.ID)
		if err != nil {
			return nil, err
		}
		request, err := v.openBytes(r.request, "request")
		if err != nil {
			return nil, err
		}
		out[n] = r.Import
		if json.Unmarshal(request, &out[n].Request) != nil {
			return nil, fmt.Errorf("decode the request of import %s", r.ID) // the cause would quote it
		}
	}
	return out, nil
}

func noImport(id string) error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "There is no import %.80q in this project.", id).
		WithFix("GET /api/v3.1/custom/toolkits/imports lists those that there are.")
}

// CreateImport stores an import with the description that came along.
func (s *Store) CreateImport(ctx context.Context, i imports.Import, description []byte) error {
	v, err := s.vaultOf(ctx, i.ProjectID, "imports", i.ID)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(i.Request)
	if err != nil {
		return fmt.Errorf("encode the request of import %s: %w", i.ID, err)
	}
	request, err := v.sealBytes(plain, "request")
	if err != nil {
		return err
	}
	if description, err = v.sealBytes(description, "description"); err != nil {
		return err
	}
	return s.write(ctx, "store import", func(t *tx) error {
		_, err := t.exec(`INSERT INTO imports (`+importColumns+`, lease_owner, lease_until, description)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', 0, $14)`,
			i.ProjectID, i.ID, string(i.Status), i.Done, i.Total, i.Attempts, asJSON(i.Result), asJSON(i.Failure),
			micros(i.CreatedAt), micros(i.StartedAt), micros(i.FinishedAt), micros(i.DueAt), request, description)
		return err
	})
}

// Import gives an import.
func (s *Store) Import(ctx context.Context, projectID, id string) (imports.Import, error) {
	r, err := scanImport(s.db.reader().QueryRowContext(ctx, `SELECT `+importColumns+` FROM imports WHERE project_id = $1 AND id = $2`, projectID, id))
	if err != nil {
		return imports.Import{}, s.wrap("read import", s.orMissing(err, func() error { return noImport(id) }))
	}
	opened, err := s.openImports(ctx, []importRow{r})
	if err != nil {
		return imports.Import{}, s.wrap("read import", err)
	}
	return opened[0], nil
}

// Imports gives all imports of a project, the newest first.
func (s *Store) Imports(ctx context.Context, projectID string) ([]imports.Import, error) {
	rows, err := collect(ctx, s.db.listReader(), scanImport, `SELECT `+importColumns+` FROM imports
		WHERE project_id = $1 ORDER BY created_at DESC, id DESC`, projectID)
	if err != nil {
		return nil, s.wrap("list imports", err)
	}
	opened, err := s.openImports(ctx, rows)
	return opened, s.wrap("list imports", err)
}

// ImportDescription gives the description that came along with an import; nil when none did.
func (s *Store) ImportDescription(ctx context.Context, projectID, id string) ([]byte, error) {
	var sealed []byte
	err := s.db.reader().QueryRowContext(ctx, `SELECT description FROM imports WHERE project_id = $1 AND id = $2`, projectID, id).Scan(&sealed)
	if err != nil {
		return nil, s.wrap("read import", s.orMissing(err, func() error { return noImport(id) }))
	}
	v, err := s.vaultOf(ctx, projectID, "imports", id)
	if err != nil {
		return nil, err
	}
	return v.openBytes(sealed, "description")
}

// DeleteImport deletes an import, whoever is at it.
func (s *Store) DeleteImport(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete import", func(t *tx) error {
		n, err := t.exec(`DELETE FROM imports WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noImport(id)
		}
		return err
	})
}

// DeleteImportsBefore deletes imports that ended before a time, and gives how many.
func (s *Store) DeleteImportsBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete imports", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM imports WHERE (project_id, id) IN (SELECT project_id, id FROM imports
			WHERE finished_at > 0 AND finished_at < $1 ORDER BY finished_at LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}

// nobodyBefore holds of an import i that is the first of its project among those that have not ended.
const nobodyBefore = `NOT EXISTS (SELECT 1 FROM imports e WHERE e.project_id = i.project_id AND e.due_at > 0
	AND (e.created_at < i.created_at OR e.created_at = i.created_at AND e.id < i.id))`

// ClaimImports leases imports that are due, of each project the first only.
func (s *Store) ClaimImports(ctx context.Context, l job.Lease, n int) ([]imports.Import, error) {
	var rows []importRow
	err := s.write(ctx, "claim imports", func(t *tx) (err error) {
		rows, err = collect(t.ctx, t.queryer, scanImport, `UPDATE imports SET lease_owner = $1, lease_until = $3, status = 'running', attempts = attempts + 1,
				started_at = CASE WHEN started_at = 0 THEN $2 ELSE started_at END
			WHERE (project_id, id) IN (SELECT i.project_id, i.id FROM imports i
				WHERE i.due_at > 0 AND i.due_at <= $2 AND i.lease_until <= $2 AND `+nobodyBefore+` ORDER BY i.due_at LIMIT $4)
			AND lease_until <= $2 AND due_at > 0 RETURNING `+importColumns, l.Owner, micros(l.Now), micros(l.Until), n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.openImports(ctx, rows)
}

// NextImport gives when the earliest import is due that can be claimed.
func (s *Store) NextImport(ctx context.Context, now time.Time) (time.Time, error) {
	var due time.Time
	err := s.db.reader().QueryRowContext(ctx, `SELECT i.due_at FROM imports i
		WHERE i.due_at > 0 AND i.lease_until <= $1 AND `+nobodyBefore+` ORDER BY i.due_at LIMIT 1`, micros(now)).Scan(at(&due))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return due, s.wrap("find the next import", err)
}

// RenewImport prolongs a lease; false when the owner has it no more.
func (s *Store) RenewImport(ctx context.Context, l job.Lease, i imports.Import) (bool, error) {
	return s.asOwner(ctx, "renew the lease of an import", l, i, `lease_until = $4`, micros(l.Until))
}

// ProgressImport stores how far an import is.
func (s *Store) ProgressImport(ctx context.Context, l job.Lease, i imports.Import) error {
	_, err := s.asOwner(ctx, "store the progress of an import", l, i, `done = $4, total = $5`, i.Done, i.Total)
	return err
}

// SettleImport stores what came of a try and gives the lease up; false when the owner has it no more.
func (s *Store) SettleImport(ctx context.Context, l job.Lease, i imports.Import) (bool, error) {
	return s.asOwner(ctx, "settle import", l, i, `status = $4, done = $5, total = $6, attempts = $7, result = $8, failure = $9, finished_at = $10,
		due_at = $11, lease_owner = '', lease_until = 0, description = CASE WHEN CAST($11 AS BIGINT) = 0 THEN NULL ELSE description END`,
		string(i.Status), i.Done, i.Total, i.Attempts, asJSON(i.Result), asJSON(i.Failure), micros(i.FinishedAt), micros(i.DueAt))
}

// asOwner changes an import that the lease's owner has, and reports whether that is so.
func (s *Store) asOwner(ctx context.Context, doing string, l job.Lease, i imports.Import, set string, args ...any) (held bool, err error) {
	err = s.write(ctx, doing, func(t *tx) error {
		n, err := t.exec(`UPDATE imports SET `+set+` WHERE project_id = $1 AND id = $2 AND lease_owner = $3`, append([]any{i.ProjectID, i.ID, l.Owner}, args...)...)
		held = n > 0
		return err
	})
	return held, err
}
