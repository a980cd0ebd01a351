package store

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/fault"
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
		_, err := t.exec(`INSERT INTO keysets (owner, wrapped) VALUES ($1, $2) ON CONFLICT (owner) DO NOTHING`, owner, wrapped)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Keyset(ctx, owner)
}
