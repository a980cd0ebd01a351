package store

import (
	"context"
	"time"
)

// ForgetDeletedBefore forgets the ids of accounts that were deleted before a time, and gives how many.
func (s *Store) ForgetDeletedBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "forget deleted accounts", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM deleted_accounts WHERE (project_id, id) IN (
			SELECT project_id, id FROM deleted_accounts WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}

// WipeRequestsBefore takes what is sealed out of connection requests that ended before a time, and gives how many had something.
// The requests stay for a while to tell their users why they do not work.
func (s *Store) WipeRequestsBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "wipe ended connection requests", func(t *tx) (int, error) {
		n, err := t.exec(`UPDATE connection_requests SET verifier = NULL, prefill = NULL, held = NULL, version = version + 1 WHERE token_hash IN (
			SELECT token_hash FROM connection_requests
			WHERE expires_at < $1 AND (verifier IS NOT NULL OR prefill IS NOT NULL OR held IS NOT NULL)
			ORDER BY expires_at LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}

// Scrub brings it about, as far as the database can, that what was deleted or replaced is not in its files any more.
func (s *Store) Scrub(ctx context.Context) error {
	return s.wrap("scrub the database", s.db.scrub(ctx))
}
