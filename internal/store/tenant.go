package store

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const projectColumns = `id, organisation_id, name, created_at`

func scanProject(r row) (p tenant.Project, err error) {
	err = r.Scan(&p.ID, &p.OrganisationID, &p.Name, at(&p.CreatedAt))
	return p, err
}

// EnsureProject makes a project unless one of this name exists, and gives the one that is kept.
func (s *Store) EnsureProject(ctx context.Context, p tenant.Project) (tenant.Project, error) {
	err := s.write(ctx, "store project", func(t *tx) error {
		_, err := t.exec(`INSERT INTO projects (`+projectColumns+`) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`,
			p.ID, p.OrganisationID, p.Name, micros(p.CreatedAt))
		return err
	})
	if s.db.violation(err).unique {
		return tenant.Project{}, fault.New(fault.Conflict, fault.SlugConflict, "Project %s exists under another name.", p.ID)
	}
	if err != nil {
		return tenant.Project{}, err
	}
	kept, err := scanProject(s.db.reader().QueryRowContext(ctx, `SELECT `+projectColumns+` FROM projects WHERE name = $1`, p.Name))
	return kept, s.wrap("read project", err)
}

// ListProjects gives all projects, oldest first.
func (s *Store) ListProjects(ctx context.Context) ([]tenant.Project, error) {
	projects, err := collect(ctx, s.db.reader(), scanProject, `SELECT `+projectColumns+` FROM projects ORDER BY created_at, id`)
	return projects, s.wrap("list projects", err)
}

const keyColumns = `id, project_id, user_id, name, hint, hash, created_at, revoked_at`

func scanKey(r row) (k tenant.Key, err error) {
	err = r.Scan(&k.ID, &k.ProjectID, &k.UserID, &k.Name, &k.Hint, &k.Hash, at(&k.CreatedAt), at(&k.RevokedAt))
	return k, err
}

// CreateKey stores a key.
func (s *Store) CreateKey(ctx context.Context, k tenant.Key) error {
	err := s.write(ctx, "store API key", func(t *tx) error {
		_, err := t.exec(`INSERT INTO api_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			k.ID, k.ProjectID, k.UserID, k.Name, k.Hint, k.Hash, micros(k.CreatedAt), micros(k.RevokedAt))
		t.announce(notify.Key, k.ID, "")
		return err
	})
	switch broken := s.db.violation(err); {
	case broken.unique:
		return fault.New(fault.Conflict, fault.SlugConflict, "This API key exists already.").Because(err)
	case broken.foreignKey:
		return fault.New(fault.NotFound, fault.SlugNotFound, "There is no project %s.", k.ProjectID).Because(err)
	}
	return err
}

// KeyByHash finds a key, revoked or not.
func (s *Store) KeyByHash(ctx context.Context, hash string) (tenant.Key, error) {
	k, err := one(ctx, s, scanKey,
		`SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, hash)
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "There is no such API key.") })
	return k, s.wrap("find API key", err)
}

// ListKeys gives a project's keys, newest first.
func (s *Store) ListKeys(ctx context.Context, projectID string) ([]tenant.Key, error) {
	keys, err := collect(ctx, s.db.reader(), scanKey,
		`SELECT `+keyColumns+` FROM api_keys WHERE project_id = $1 ORDER BY created_at DESC, id DESC`, projectID)
	return keys, s.wrap("list API keys", err)
}

// RevokeKey ends a key, and what was allowed to MCP clients by whoever had signed in with it. One that was revoked before keeps its
// date.
func (s *Store) RevokeKey(ctx context.Context, projectID, keyID string, at time.Time) (tenant.Key, error) {
	err := s.write(ctx, "revoke API key", func(t *tx) error {
		_, err := t.exec(`UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at = 0`,
			projectID, keyID, micros(at))
		if err != nil {
			return err
		}
		t.announce(notify.Key, keyID, "")
		_, err = t.execAnnouncing(notify.Grant, `UPDATE oauth_grants SET revoked_at = $3, reason = 'the key that its user had signed in with was revoked'
			WHERE project_id = $1 AND key_id = $2 AND key_id <> '' AND revoked_at = 0 RETURNING id, ''`, projectID, keyID, micros(at))
		return err
	})
	if err != nil {
		return tenant.Key{}, err
	}
	k, err := one(ctx, s, scanKey,
		`SELECT `+keyColumns+` FROM api_keys WHERE project_id = $1 AND id = $2`, projectID, keyID)
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugNotFound, "There is no API key %s in this project.", keyID)
	})
	return k, s.wrap("read API key", err)
}
