package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Keyset gives the wrapped keyset of an owner.
func (s *Store) Keyset(ctx context.Context, owner string) ([]byte, error) {
	var wrapped []byte
	err := s.db.reader().QueryRowContext(ctx, `SELECT wrapped FROM keysets WHERE owner = $1`, owner).Scan(&wrapped)
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugNotFound, "There is no keyset for %s.", owner)
	})
	return wrapped, s.wrap("read keyset", err)
}

// EnsureKeyset stores a wrapped keyset unless the owner has one, and gives the one that is kept.
func (s *Store) EnsureKeyset(ctx context.Context, owner string, wrapped []byte) ([]byte, error) {
	err := s.write(ctx, "store keyset", func(t *tx) error {
		_, err := t.exec(`INSERT INTO keysets (owner, wrapped, rotated_at) VALUES ($1, $2, 0) ON CONFLICT (owner) DO NOTHING`, owner, wrapped)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Keyset(ctx, owner)
}

// Keysets gives all keysets, ordered by owner.
func (s *Store) Keysets(ctx context.Context) ([]secret.Keyset, error) {
	keysets, err := collect(ctx, s.db.reader(), func(r row) (k secret.Keyset, err error) {
		err = r.Scan(&k.Owner, &k.Wrapped, at(&k.Rotated))
		return k, err
	}, `SELECT owner, wrapped, rotated_at FROM keysets ORDER BY owner`)
	return keysets, s.wrap("list keysets", err)
}

// ReplaceKeyset stores another keyset for an owner if the old one is still what is stored.
func (s *Store) ReplaceKeyset(ctx context.Context, old []byte, k secret.Keyset) (bool, error) {
	replaced := false
	err := s.write(ctx, "replace keyset", func(t *tx) error {
		n, err := t.exec(`UPDATE keysets SET wrapped = $3, rotated_at = $4 WHERE owner = $1 AND wrapped = $2`, k.Owner, old, k.Wrapped, micros(k.Rotated))
		if replaced = n > 0; replaced {
			t.announce(notify.Keyset, k.Owner, "")
		}
		return err
	})
	return replaced, err
}

// BeginRotation gives when the rotation that is under way began; if there is none, one begins now.
func (s *Store) BeginRotation(ctx context.Context) (time.Time, error) {
	err := s.write(ctx, "begin key rotation", func(t *tx) error {
		_, err := t.exec(`INSERT INTO key_rotations (id, started_at, finished_at) VALUES (1, $1, 0)
			ON CONFLICT (id) DO UPDATE SET started_at = $1, finished_at = 0 WHERE key_rotations.finished_at > 0`, micros(s.now()))
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	started, _, err := s.Rotation(ctx)
	return started, err
}

// FinishRotation notes that the rotation which began at a time has re-sealed everything.
func (s *Store) FinishRotation(ctx context.Context, started time.Time) error {
	return s.write(ctx, "finish key rotation", func(t *tx) error {
		_, err := t.exec(`UPDATE key_rotations SET finished_at = $2 WHERE id = 1 AND started_at = $1`, micros(started), micros(s.now()))
		return err
	})
}

// Rotation gives when the last rotation began and ended; zero for none, or not yet.
func (s *Store) Rotation(ctx context.Context) (started, finished time.Time, err error) {
	err = s.db.reader().QueryRowContext(ctx, `SELECT started_at, finished_at FROM key_rotations WHERE id = 1`).Scan(at(&started), at(&finished))
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return started, finished, s.wrap("read key rotation", err)
}
