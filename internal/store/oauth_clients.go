package store

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const oauthClientColumns = `id, secret_hash, name, redirect_uris, auth_method, refreshes, created_at, used_at`

func scanOAuthClient(r row) (c authserver.Client, err error) {
	err = r.Scan(&c.ID, &c.SecretHash, &c.Name, asJSON(&c.RedirectURIs), &c.AuthMethod, &c.Refreshes, at(&c.CreatedAt), at(&c.UsedAt))
	return c, err
}

// CreateOAuthClient stores a client. Of those that nobody has used, the oldest go when there are more than so many.
func (s *Store) CreateOAuthClient(ctx context.Context, c authserver.Client, unusedMost int) error {
	err := s.write(ctx, "store OAuth client", func(t *tx) error {
		_, err := t.exec(`INSERT INTO oauth_clients (`+oauthClientColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.ID, c.SecretHash, c.Name, asJSON(c.RedirectURIs), string(c.AuthMethod), c.Refreshes, micros(c.CreatedAt), micros(c.UsedAt))
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM oauth_clients WHERE id IN (
			SELECT id FROM oauth_clients WHERE used_at = 0 ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2)`, batch, unusedMost)
		return err
	})
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "OAuth client %s exists already.", c.ID).Because(err)
	}
	return err
}

// OAuthClient gives a client.
func (s *Store) OAuthClient(ctx context.Context, id string) (authserver.Client, error) {
	c, err := scanOAuthClient(s.db.reader().QueryRowContext(ctx, `SELECT `+oauthClientColumns+` FROM oauth_clients WHERE id = $1`, id))
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "There is no such OAuth client.") })
	return c, s.wrap("read OAuth client", err)
}

// SweepOAuth deletes what has ended, clients registered before a time that were never used, and those last used before another.
func (s *Store) SweepOAuth(ctx context.Context, now, registeredBefore, usedBefore time.Time) error {
	sweep := func(doing, query string, before time.Time) error {
		_, err := s.inBatches(ctx, doing, func(t *tx) (int, error) {
			n, err := t.exec(query, micros(before), batch)
			return int(n), err
		})
		return err
	}
	return errors.Join(
		sweep("delete ended tokens", `DELETE FROM oauth_tokens WHERE hash IN (
			SELECT hash FROM oauth_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, now),
		sweep("delete ended grants", `DELETE FROM oauth_grants WHERE (project_id, id) IN (
			SELECT project_id, id FROM oauth_grants WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, now),
		sweep("delete ended sign-ins", `DELETE FROM logins WHERE hash IN (
			SELECT hash FROM logins WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, now),
		sweep("delete unused OAuth clients", `DELETE FROM oauth_clients WHERE id IN (
			SELECT id FROM oauth_clients WHERE used_at = 0 AND created_at <= $1 ORDER BY created_at LIMIT $2)`, registeredBefore),
		sweep("delete forgotten OAuth clients", `DELETE FROM oauth_clients WHERE id IN (
			SELECT id FROM oauth_clients WHERE used_at > 0 AND used_at <= $1 ORDER BY used_at LIMIT $2)`, usedBefore),
	)
}
