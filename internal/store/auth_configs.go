package store

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const authConfigColumns = `id, project_id, toolkit, name, scheme, managed, credentials, scopes, user_scopes, shared,
	tools_for_creation, tools_for_execution, proxy_url, proxy_key, enabled, enabled_for_sessions, created_at, updated_at, version,
	verifier_url, show_secrets`

// authConfigRow is an auth config as it is stored.
type authConfigRow struct {
	connect.AuthConfig
	credentials, shared, proxyKey []byte // sealed
	version                       int64
}

func scanAuthConfig(r row) (c authConfigRow, err error) {
	err = r.Scan(&c.ID, &c.ProjectID, &c.Toolkit, &c.Name, &c.Scheme, &c.Managed, &c.credentials, asJSON(&c.Scopes), asJSON(&c.UserScopes), &c.shared,
		asJSON(&c.ToolsForCreation), asJSON(&c.ToolsForExecution), &c.ProxyURL, &c.proxyKey, &c.Enabled, &c.EnabledForSessions,
		at(&c.CreatedAt), at(&c.UpdatedAt), &c.version, &c.VerifierURL, &c.ShowSecrets, &c.Connections)
	return c, err
}

// selectAuthConfig reads the columns that scanAuthConfig scans, with the number of accounts.
const selectAuthConfig = authConfigColumns + `,
	(SELECT COUNT(*) FROM connected_accounts a WHERE a.project_id = auth_configs.project_id AND a.auth_config_id = auth_configs.id)`

// values gives what is stored, in the order of authConfigColumns.
func (c *authConfigRow) values() []any {
	return []any{c.ID, c.ProjectID, c.Toolkit, c.Name, c.Scheme, c.Managed, c.credentials, asJSON(c.Scopes), asJSON(c.UserScopes), c.shared,
		asJSON(c.ToolsForCreation), asJSON(c.ToolsForExecution), c.ProxyURL, c.proxyKey, c.Enabled, c.EnabledForSessions,
		micros(c.CreatedAt), micros(c.UpdatedAt), c.version, c.VerifierURL, c.ShowSecrets}
}

// sealAuthConfig fills the sealed columns from the secrets.
func (s *Store) sealAuthConfig(ctx context.Context, c *authConfigRow) error {
	v, err := s.vaultOf(ctx, c.ProjectID, "auth_configs", c.ID)
	if err != nil {
		return err
	}
	if c.credentials, err = v.sealFields(c.Credentials, "credentials"); err != nil {
		return err
	}
	if c.shared, err = v.sealFields(c.Shared, "shared"); err != nil {
		return err
	}
	c.proxyKey, err = v.sealValue(c.ProxyKey, "proxy_key")
	return err
}

// openAuthConfig fills the secrets from the sealed columns.
func (s *Store) openAuthConfig(ctx context.Context, c *authConfigRow) error {
	v, err := s.vaultOf(ctx, c.ProjectID, "auth_configs", c.ID)
	if err != nil {
		return err
	}
	if c.Credentials, err = v.openFields(c.credentials, "credentials"); err != nil {
		return err
	}
	if c.Shared, err = v.openFields(c.shared, "shared"); err != nil {
		return err
	}
	c.ProxyKey, err = v.openValue(c.proxyKey, "proxy_key")
	return err
}

func noAuthConfig(id string) error {
	return fault.New(fault.NotFound, fault.SlugAuthConfigNotFound, "There is no auth config %s in this project.", id).
		WithFix("List the auth configs of the project, or create one.")
}

// CreateAuthConfig stores a new auth config.
func (s *Store) CreateAuthConfig(ctx context.Context, c connect.AuthConfig) error {
	r := authConfigRow{AuthConfig: c, version: 1}
	if err := s.sealAuthConfig(ctx, &r); err != nil {
		return err
	}
	err := s.write(ctx, "store auth config", func(t *tx) error {
		_, err := t.exec(`INSERT INTO auth_configs (`+authConfigColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`, r.values()...)
		t.announce(notify.AuthConfig, c.ID, "")
		return err
	})
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "Auth config %s exists already.", c.ID).Because(err)
	}
	return err
}

// AuthConfig gives an auth config with its secrets and the number of its accounts.
func (s *Store) AuthConfig(ctx context.Context, projectID, id string) (connect.AuthConfig, error) {
	r, err := s.authConfig(ctx, projectID, id)
	return r.AuthConfig, err
}

func (s *Store) authConfig(ctx context.Context, projectID, id string) (authConfigRow, error) {
	r, err := one(ctx, s, scanAuthConfig,
		`SELECT `+selectAuthConfig+` FROM auth_configs WHERE project_id = $1 AND id = $2`, projectID, id)
	if err != nil {
		return r, s.wrap("read auth config", s.orMissing(err, func() error { return noAuthConfig(id) }))
	}
	return r, s.wrap("read auth config", s.openAuthConfig(ctx, &r))
}

// UpdateAuthConfig reads, changes and writes in one step.
func (s *Store) UpdateAuthConfig(ctx context.Context, projectID, id string, update func(*connect.AuthConfig) error) (connect.AuthConfig, error) {
	var r authConfigRow
	err := swap(ctx, "Auth config "+id, func() (err error) {
		if r, err = s.authConfig(ctx, projectID, id); err != nil {
			return err
		}
		if err := update(&r.AuthConfig); err != nil {
			return err
		}
		r.ID, r.ProjectID = id, projectID
		if err := s.sealAuthConfig(ctx, &r); err != nil {
			return err
		}
		return s.replaceAuthConfig(ctx, &r)
	})
	return r.AuthConfig, err
}

// replaceAuthConfig writes an auth config if the version it was read with is still what is stored.
func (s *Store) replaceAuthConfig(ctx context.Context, r *authConfigRow) error {
	return s.write(ctx, "update auth config", func(t *tx) error {
		n, err := t.exec(`UPDATE auth_configs SET toolkit = $3, name = $4, scheme = $5, managed = $6, credentials = $7, scopes = $8, user_scopes = $9,
			shared = $10, tools_for_creation = $11, tools_for_execution = $12, proxy_url = $13, proxy_key = $14, enabled = $15,
			enabled_for_sessions = $16, created_at = $17, updated_at = $18, verifier_url = $20, show_secrets = $21, version = version + 1
			WHERE id = $1 AND project_id = $2 AND version = $19`, r.values()...)
		if err == nil && n == 0 {
			return errSwapped
		}
		t.announce(notify.AuthConfig, r.ID, "")
		return err
	})
}

// DeleteAuthConfig deletes an auth config and its accounts.
func (s *Store) DeleteAuthConfig(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete auth config", func(t *tx) error {
		if err := s.rememberDeleted(t, `project_id = $1 AND auth_config_id = $2`, projectID, id); err != nil {
			return err
		}
		_, err := t.execAnnouncing(notify.ConnectedAccount,
			`DELETE FROM connected_accounts WHERE project_id = $1 AND auth_config_id = $2 RETURNING id, user_id`, projectID, id)
		if err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM auth_configs WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noAuthConfig(id)
		}
		t.announce(notify.AuthConfig, id, "")
		return err
	})
}

// ListAuthConfigs gives auth configs with their secrets and the number of their accounts, newest first.
func (s *Store) ListAuthConfigs(ctx context.Context, projectID string, f connect.AuthConfigFilter) ([]connect.AuthConfig, connect.Page, error) {
	l := listing[authConfigRow]{
		columns: selectAuthConfig, from: "auth_configs", order: "created_at", tie: "id",
		limit: f.Limit, cursor: f.Cursor, scan: scanAuthConfig,
		key: func(r authConfigRow) (int64, string) { return micros(r.CreatedAt), r.ID },
	}
	l.where.and("project_id = ?", projectID)
	in(&l.where, "toolkit", f.Toolkits)
	if f.Managed != nil {
		l.where.and("managed = ?", *f.Managed)
	}
	if !f.ShowDisabled {
		l.where.and("enabled")
	}
	if f.ForSessions {
		l.where.and("enabled_for_sessions")
	}
	l.where.contains(f.Search, "name", "id", "toolkit")
	rows, page, err := list(ctx, s, l)
	if err != nil {
		return nil, page, s.wrap("list auth configs", err)
	}
	configs := make([]connect.AuthConfig, len(rows))
	for i := range rows {
		if err := s.openAuthConfig(ctx, &rows[i]); err != nil {
			return nil, page, s.wrap("list auth configs", err)
		}
		configs[i] = rows[i].AuthConfig
	}
	return configs, page, nil
}
