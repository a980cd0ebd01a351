package store

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// idempotencyWindow is for how long a key stands for its first call (execute.Call.IdempotencyKey).
const idempotencyWindow = 24 * time.Hour

// BeginIdempotent claims a key. A claim that is older than the window counts for nothing.
func (s *Store) BeginIdempotent(ctx context.Context, projectID, key, fingerprint string, now time.Time) (execute.Idempotent, bool, error) {
	first := false
	err := s.write(ctx, "claim idempotency key", func(t *tx) error {
		n, err := t.exec(`INSERT INTO idempotent_answers (project_id, key, fingerprint, answer, created_at) VALUES ($1, $2, $3, NULL, $4)
			ON CONFLICT (project_id, key) DO UPDATE SET fingerprint = $3, answer = NULL, created_at = $4
			WHERE idempotent_answers.created_at <= $5`,
			projectID, key, fingerprint, micros(now), micros(now.Add(-idempotencyWindow)))
		first = n > 0
		return err
	})
	if err != nil || first {
		return execute.Idempotent{}, first, err
	}
	prior, err := s.idempotent(ctx, projectID, key)
	if fault.Is(err, fault.NotFound) { // the first call gave up in this very moment
		return s.BeginIdempotent(ctx, projectID, key, fingerprint, now)
	}
	return prior, false, err
}

func (s *Store) idempotent(ctx context.Context, projectID, key string) (execute.Idempotent, error) {
	var prior execute.Idempotent
	var sealed []byte
	err := s.db.reader().QueryRowContext(ctx,
		`SELECT fingerprint, answer, created_at FROM idempotent_answers WHERE project_id = $1 AND key = $2`, projectID, key).
		Scan(&prior.Fingerprint, &sealed, at(&prior.CreatedAt))
	if err != nil {
		return prior, s.wrap("read idempotent answer", s.orMissing(err, noIdempotencyKey))
	}
	v, err := s.vaultOf(ctx, projectID, "idempotent_answers", key)
	if err == nil {
		prior.Answer, err = v.openBytes(sealed, "answer")
	}
	return prior, s.wrap("read idempotent answer", err)
}

func noIdempotencyKey() error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "No call was begun under this idempotency key.")
}

// FinishIdempotent stores the answer of the call that claimed the key.
func (s *Store) FinishIdempotent(ctx context.Context, projectID, key string, answer []byte) error {
	v, err := s.vaultOf(ctx, projectID, "idempotent_answers", key)
	if err != nil {
		return err
	}
	sealed, err := v.sealBytes(answer, "answer")
	if err != nil {
		return err
	}
	return s.write(ctx, "store idempotent answer", func(t *tx) error {
		n, err := t.exec(`UPDATE idempotent_answers SET answer = $3 WHERE project_id = $1 AND key = $2`, projectID, key, sealed)
		if err == nil && n == 0 {
			return noIdempotencyKey()
		}
		return err
	})
}

// DropIdempotent gives a key up, so that the next call under it is a first one.
func (s *Store) DropIdempotent(ctx context.Context, projectID, key string) error {
	return s.write(ctx, "drop idempotency key", func(t *tx) error {
		_, err := t.exec(`DELETE FROM idempotent_answers WHERE project_id = $1 AND key = $2`, projectID, key)
		return err
	})
}

// DeleteIdempotentBefore deletes what was claimed before a time and gives how many.
func (s *Store) DeleteIdempotentBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete idempotent answers", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM idempotent_answers WHERE (project_id, key) IN (
			SELECT project_id, key FROM idempotent_answers WHERE created_at < $1 ORDER BY created_at LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}
