package store

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// CreateLogin stores a sign-in.
func (s *Store) CreateLogin(ctx context.Context, l authserver.Login) error {
	return s.write(ctx, "store sign-in", func(t *tx) error {
		_, err := t.exec(`INSERT INTO logins (hash, project_id, user_id, key_id, issuer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			l.Hash, l.Person.ProjectID, l.Person.UserID, l.Person.KeyID, l.Issuer, micros(l.CreatedAt), micros(l.ExpiresAt))
		return err
	})
}

// LoginByHash finds who is signed in, in whatever project. A sign-in ends with the personal key that it was made with.
func (s *Store) LoginByHash(ctx context.Context, hash string, when time.Time) (l authserver.Login, err error) {
	err = s.db.reader().QueryRowContext(ctx, `SELECT l.hash, l.project_id, l.user_id, l.key_id, l.issuer, l.created_at, l.expires_at FROM logins l
		WHERE l.hash = $1 AND l.expires_at > $2 AND (l.key_id = '' OR EXISTS (
			SELECT 1 FROM api_keys k WHERE k.project_id = l.project_id AND k.id = l.key_id AND k.revoked_at = 0))`, hash, micros(when)).
		Scan(&l.Hash, &l.Person.ProjectID, &l.Person.UserID, &l.Person.KeyID, &l.Issuer, at(&l.CreatedAt), at(&l.ExpiresAt))
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "Nobody is signed in by this.") })
	return l, s.wrap("find sign-in", err)
}

// DeleteLogin ends a sign-in.
func (s *Store) DeleteLogin(ctx context.Context, hash string) error {
	return s.write(ctx, "end sign-in", func(t *tx) error {
		_, err := t.exec(`DELETE FROM logins WHERE hash = $1`, hash)
		return err
	})
}

// DeleteLogins ends every sign-in of a user, or of the whole project when userID is empty.
func (s *Store) DeleteLogins(ctx context.Context, projectID, userID string) error {
	return s.write(ctx, "end sign-ins", func(t *tx) error {
		query, args := `DELETE FROM logins WHERE project_id = $1`, []any{projectID}
		if userID != "" {
			query, args = query+` AND user_id = $2`, append(args, userID)
		}
		_, err := t.exec(query, args...)
		return err
	})
}
