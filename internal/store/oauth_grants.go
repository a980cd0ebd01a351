package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

// grantColumns are qualified by g, as queries of tokens join their grants.
const grantColumns = `g.project_id, g.id, g.user_id, g.client_id, g.client_name, g.client_host, g.resource, g.scope, g.refreshes,
	g.code_hash, g.redirect_uri, g.challenge, g.code_expires_at, g.code_used_at, g.created_at, g.used_at, g.expires_at, g.revoked_at, g.reason, g.key_id`

// grantDest gives where grantColumns are scanned to.
func grantDest(g *authserver.Grant) []any {
	return []any{&g.ProjectID, &g.ID, &g.UserID, &g.ClientID, &g.ClientName, &g.ClientHost, &g.Resource, &g.Scope, &g.Refreshes,
		&g.Code.Hash, &g.Code.RedirectURI, &g.Code.Challenge, at(&g.Code.ExpiresAt), at(&g.Code.UsedAt),
		at(&g.CreatedAt), at(&g.UsedAt), at(&g.ExpiresAt), at(&g.RevokedAt), &g.Reason, &g.KeyID}
}

func scanGrant(r row) (g authserver.Grant, err error) {
	err = r.Scan(grantDest(&g)...)
	return g, err
}

func noGrant(id string) error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "There is no grant %s in this project.", id).
		WithFix("Look at the list again: patchbay grant list. It may have ended.")
}

// CreateGrant stores a grant with its code, and notes that its client was used.
func (s *Store) CreateGrant(ctx context.Context, g authserver.Grant) error {
	err := s.write(ctx, "store grant", func(t *tx) error {
		_, err := t.exec(`INSERT INTO oauth_grants (`+strings.ReplaceAll(grantColumns, "g.", "")+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
			g.ProjectID, g.ID, g.UserID, g.ClientID, g.ClientName, g.ClientHost, g.Resource, g.Scope, g.Refreshes,
			g.Code.Hash, g.Code.RedirectURI, g.Code.Challenge, micros(g.Code.ExpiresAt), micros(g.Code.UsedAt),
			micros(g.CreatedAt), micros(g.UsedAt), micros(g.ExpiresAt), micros(g.RevokedAt), g.Reason, g.KeyID)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE oauth_clients SET used_at = $2 WHERE id = $1`, g.ClientID, micros(g.CreatedAt))
		return err
	})
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "Grant %s, or its code, exists already.", g.ID).Because(err)
	}
	return err
}

// Grant gives a grant, ended or not.
func (s *Store) Grant(ctx context.Context, projectID, id string) (authserver.Grant, error) {
	g, err := scanGrant(s.db.reader().QueryRowContext(ctx,
		`SELECT `+grantColumns+` FROM oauth_grants g WHERE g.project_id = $1 AND g.id = $2`, projectID, id))
	err = s.orMissing(err, func() error { return noGrant(id) })
	return g, s.wrap("read grant", err)
}

// GrantByCode finds the grant of an authorization code, in whatever project.
func (s *Store) GrantByCode(ctx context.Context, codeHash string) (authserver.Grant, error) {
	g, err := scanGrant(s.db.reader().QueryRowContext(ctx, `SELECT `+grantColumns+` FROM oauth_grants g WHERE g.code_hash = $1`, codeHash))
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "There is no such code.") })
	return g, s.wrap("find grant", err)
}

// spent says that a code or a token was used before, or that its grant was ended.
func spent() error {
	return fault.New(fault.Conflict, fault.SlugConflict, "It was used before, or its grant was ended.")
}

// keyStands is true of a grant that was given with a key which still works. RevokeKey ends those of a key; this is for the one that was
// stored in the same moment.
const keyStands = `(key_id = '' OR EXISTS (SELECT 1 FROM api_keys k WHERE k.project_id = oauth_grants.project_id AND k.id = oauth_grants.key_id AND k.revoked_at = 0))`

// RedeemCode marks a grant's code as used and stores the first tokens, in one step.
func (s *Store) RedeemCode(ctx context.Context, g authserver.Grant, tokens []authserver.Token, when time.Time) error {
	return s.write(ctx, "redeem code", func(t *tx) error {
		n, err := t.exec(`UPDATE oauth_grants SET code_used_at = $3, used_at = $3, expires_at = $4
			WHERE project_id = $1 AND id = $2 AND code_used_at = 0 AND revoked_at = 0 AND `+keyStands, g.ProjectID, g.ID, micros(when), micros(lastEnd(tokens)))
		if err == nil && n == 0 {
			return spent()
		}
		if err != nil {
			return err
		}
		return insertTokens(t, tokens)
	})
}

// RotateToken marks a refresh token as used and stores the next tokens, in one step.
func (s *Store) RotateToken(ctx context.Context, used authserver.Token, tokens []authserver.Token, when time.Time) error {
	return s.write(ctx, "rotate token", func(t *tx) error {
		n, err := t.exec(`UPDATE oauth_grants SET used_at = $3, expires_at = $4 WHERE project_id = $1 AND id = $2 AND revoked_at = 0 AND `+keyStands,
			used.ProjectID, used.GrantID, micros(when), micros(lastEnd(tokens)))
		if err == nil && n == 1 {
			n, err = t.exec(`UPDATE oauth_tokens SET used_at = $2 WHERE hash = $1 AND used_at = 0`, used.Hash, micros(when))
		}
		if err == nil && n == 0 {
			return spent()
		}
		if err != nil {
			return err
		}
		return insertTokens(t, tokens)
	})
}

// lastEnd is when the last of some tokens ends.
func lastEnd(tokens []authserver.Token) (end time.Time) {
	for _, token := range tokens {
		if token.ExpiresAt.After(end) {
			end = token.ExpiresAt
		}
	}
	return end
}

func insertTokens(t *tx, tokens []authserver.Token) error {
	for _, token := range tokens {
		_, err := t.exec(`INSERT INTO oauth_tokens (hash, project_id, grant_id, kind, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			token.Hash, token.ProjectID, token.GrantID, string(token.Kind), micros(token.CreatedAt), micros(token.ExpiresAt), micros(token.UsedAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// TokenByHash gives a token with its grant, ended or not, in whatever project.
func (s *Store) TokenByHash(ctx context.Context, hash string) (token authserver.Token, g authserver.Grant, err error) {
	dest := append([]any{&token.Hash, &token.ProjectID, &token.GrantID, &token.Kind, at(&token.CreatedAt), at(&token.ExpiresAt), at(&token.UsedAt)}, grantDest(&g)...)
	err = s.db.reader().QueryRowContext(ctx, `SELECT t.hash, t.project_id, t.grant_id, t.kind, t.created_at, t.expires_at, t.used_at, `+grantColumns+`
		FROM oauth_tokens t JOIN oauth_grants g ON g.project_id = t.project_id AND g.id = t.grant_id WHERE t.hash = $1`, hash).Scan(dest...)
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "There is no such token.") })
	return token, g, s.wrap("find token", err)
}

// DeleteToken ends one token.
func (s *Store) DeleteToken(ctx context.Context, token authserver.Token) error {
	return s.write(ctx, "delete token", func(t *tx) error {
		_, err := t.exec(`DELETE FROM oauth_tokens WHERE hash = $1`, token.Hash)
		t.announce(notify.Grant, token.GrantID, "")
		return err
	})
}

// grantsListed bounds a list.
const grantsListed = 1000

// ListGrants gives the grants that stand at a time and have been redeemed, newest first: of one user, or of the whole project.
func (s *Store) ListGrants(ctx context.Context, projectID, userID string, when time.Time) ([]authserver.Grant, error) {
	var where conditions
	where.and("g.project_id = ?", projectID)
	if userID != "" {
		where.and("g.user_id = ?", userID)
	}
	where.and("g.revoked_at = 0 AND g.code_used_at > 0 AND g.expires_at > ?", micros(when))
	grants, err := collect(ctx, s.db.listReader(), scanGrant,
		`SELECT `+grantColumns+` FROM oauth_grants g`+where.text+` ORDER BY g.created_at DESC, g.id DESC LIMIT `+strconv.Itoa(grantsListed), where.args...)
	return grants, s.wrap("list grants", err)
}

// RevokeGrant ends a grant. One that was revoked before keeps its date and reason.
func (s *Store) RevokeGrant(ctx context.Context, projectID, id, reason string, when time.Time) (authserver.Grant, error) {
	err := s.write(ctx, "revoke grant", func(t *tx) error {
		_, err := t.exec(`UPDATE oauth_grants SET revoked_at = $3, reason = $4 WHERE project_id = $1 AND id = $2 AND revoked_at = 0`,
			projectID, id, micros(when), reason)
		t.announce(notify.Grant, id, "")
		return err
	})
	if err != nil {
		return authserver.Grant{}, err
	}
	return s.Grant(ctx, projectID, id)
}

// RevokeGrants ends every grant of a user, or of the whole project, and gives those that it ended.
func (s *Store) RevokeGrants(ctx context.Context, projectID, userID, reason string, when time.Time) ([]authserver.Grant, error) {
	var ended []authserver.Grant
	_, err := s.inBatches(ctx, "revoke grants", func(t *tx) (int, error) {
		query := `UPDATE oauth_grants AS g SET revoked_at = $2, reason = $3 WHERE g.project_id = $1 AND g.id IN (
			SELECT o.id FROM oauth_grants o WHERE o.project_id = $1 AND o.revoked_at = 0 LIMIT $4) RETURNING ` + strings.ReplaceAll(grantColumns, "g.", "")
		args := []any{projectID, micros(when), reason, batch}
		if userID != "" {
			query = strings.Replace(query, "o.revoked_at = 0", "o.user_id = $5 AND o.revoked_at = 0", 1)
			args = append(args, userID)
		}
		some, err := collect(t.ctx, t.queryer, scanGrant, query, args...)
		for _, g := range some {
			t.announce(notify.Grant, g.ID, "")
		}
		ended = append(ended, some...)
		return len(some), err
	})
	return ended, err
}
