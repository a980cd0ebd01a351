package store

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const accountColumns = `id, project_id, word_id, alias, user_id, toolkit, auth_config_id, scheme, status, status_reason, fields, scopes,
	token_expires_at, identity, type, acl, created_at, updated_at, connected_at, version`

// accountRow is an account as it is stored.
type accountRow struct {
	connect.ConnectedAccount
	fields []byte // sealed Values
}

func scanAccount(r row) (a accountRow, err error) {
	err = r.Scan(&a.ID, &a.ProjectID, &a.WordID, &a.Alias, &a.UserID, &a.Toolkit, text{&a.AuthConfigID}, &a.Scheme, &a.Status, &a.StatusReason,
		&a.fields, asJSON(&a.Scopes), at(&a.TokenExpiry), asJSON(&a.Identity), &a.Type, asJSON(&a.ACL),
		at(&a.CreatedAt), at(&a.UpdatedAt), at(&a.ConnectedAt), &a.Version)
	return a, err
}

// values gives what is stored, in the order of accountColumns.
func (a *accountRow) values() []any {
	return []any{a.ID, a.ProjectID, a.WordID, a.Alias, a.UserID, a.Toolkit, orNull(a.AuthConfigID), a.Scheme, string(a.Status), a.StatusReason,
		a.fields, asJSON(a.Scopes), micros(a.TokenExpiry), asJSON(a.Identity), a.Type, asJSON(a.ACL),
		micros(a.CreatedAt), micros(a.UpdatedAt), micros(a.ConnectedAt), a.Version}
}

// sealAccount fills the sealed column from the secrets.
func (s *Store) sealAccount(ctx context.Context, a *accountRow) error {
	v, err := s.vaultOf(ctx, a.ProjectID, "connected_accounts", a.ID)
	if err == nil {
		a.fields, err = v.sealFields(a.Values, "fields")
	}
	return err
}

// openAccount fills the secrets from the sealed column.
func (s *Store) openAccount(ctx context.Context, a *accountRow) error {
	v, err := s.vaultOf(ctx, a.ProjectID, "connected_accounts", a.ID)
	if err == nil {
		a.Values, err = v.openFields(a.fields, "fields")
	}
	return err
}

// openAccounts does so for many.
func (s *Store) openAccounts(ctx context.Context, rows []accountRow) ([]connect.ConnectedAccount, error) {
	accounts := make([]connect.ConnectedAccount, len(rows))
	for i := range rows {
		if err := s.openAccount(ctx, &rows[i]); err != nil {
			return nil, err
		}
		accounts[i] = rows[i].ConnectedAccount
	}
	return accounts, nil
}

func noAccount(id string) error {
	return fault.New(fault.NotFound, fault.SlugAccountNotFound, "There is no connected account %s in this project.", id).
		WithCode(fault.CodeAccountNotFound).WithFix("List the connected accounts of the user, or connect one.")
}

// accountFault turns a broken rule of the schema into a fault about the account.
func (s *Store) accountFault(err error, a *accountRow) error {
	broken := s.db.violation(err)
	switch {
	case broken.foreignKey:
		return noAuthConfig(a.AuthConfigID)
	case broken.unique && strings.Contains(broken.on, "alias"):
		return fault.New(fault.Conflict, fault.SlugAccountInvalid, "User %s already has a %s account with the alias %q.", a.UserID, a.Toolkit, a.Alias).
			WithFix("Choose another alias, or change the alias of the other account.").Because(err)
	case broken.unique && strings.Contains(broken.on, "word_id"):
		return fault.New(fault.Conflict, fault.SlugConflict, "Another account of this project has the word id %s.", a.WordID).
			Because(connect.ErrWordIDTaken)
	case broken.unique:
		return fault.New(fault.Conflict, fault.SlugConflict, "Account %s exists already.", a.ID).Because(err)
	}
	return err
}

// CreateAccount stores a new account. Its version becomes 1.
func (s *Store) CreateAccount(ctx context.Context, a connect.ConnectedAccount) error {
	r := accountRow{ConnectedAccount: a}
	r.Version = 1
	if err := s.sealAccount(ctx, &r); err != nil {
		return err
	}
	err := s.write(ctx, "store account", func(t *tx) error {
		_, err := t.exec(`INSERT INTO connected_accounts (`+accountColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`, r.values()...)
		t.announce(notify.ConnectedAccount, a.ID, a.UserID)
		return err
	})
	return s.accountFault(err, &r)
}

// Account gives an account with its secrets.
func (s *Store) Account(ctx context.Context, projectID, id string) (connect.ConnectedAccount, error) {
	r, err := one(ctx, s, scanAccount,
		`SELECT `+accountColumns+` FROM connected_accounts WHERE project_id = $1 AND id = $2`, projectID, id)
	if err != nil {
		return connect.ConnectedAccount{}, s.wrap("read account", s.orMissing(err, func() error { return noAccount(id) }))
	}
	err = s.openAccount(ctx, &r)
	return r.ConnectedAccount, s.wrap("read account", err)
}

// UpdateAccount reads, changes and writes in one step. Id, project and user of an account never change.
func (s *Store) UpdateAccount(ctx context.Context, projectID, id string, update func(*connect.ConnectedAccount) error) (connect.ConnectedAccount, error) {
	var r accountRow
	err := swap(ctx, "Account "+id, func() (err error) {
		if r.ConnectedAccount, err = s.Account(ctx, projectID, id); err != nil {
			return err
		}
		userID, version, status := r.UserID, r.Version, r.Status
		if err := update(&r.ConnectedAccount); err != nil {
			return err
		}
		r.ID, r.ProjectID, r.UserID, r.Version = id, projectID, userID, version+1
		if err := s.sealAccount(ctx, &r); err != nil {
			return err
		}
		events, err := s.eventsOf(ctx, status, r.ConnectedAccount)
		if err != nil {
			return err
		}
		return s.accountFault(s.replaceAccount(ctx, &r, events), &r)
	})
	return r.ConnectedAccount, err
}

// eventsOf gives what an account's change of status, if it is one, is told by.
func (s *Store) eventsOf(ctx context.Context, before connect.Status, a connect.ConnectedAccount) ([]eventRow, error) {
	if s.accountEvents == nil || a.Status == before {
		return nil, nil
	}
	events, err := s.accountEvents(ctx, before, a)
	if err != nil {
		return nil, err
	}
	return s.sealEvents(ctx, events)
}

// replaceAccount writes an account, and the events that tell of it, if the version before it is still what is stored. One that
// was connected anew is no longer paused: its failures were the former grant's.
func (s *Store) replaceAccount(ctx context.Context, r *accountRow, events []eventRow) error {
	return s.write(ctx, "update account", func(t *tx) error {
		n, err := t.exec(`UPDATE connected_accounts SET word_id = $3, alias = $4, user_id = $5, toolkit = $6, auth_config_id = $7, scheme = $8,
			status = $9, status_reason = $10, fields = $11, scopes = $12, token_expires_at = $13, identity = $14, type = $15, acl = $16,
			created_at = $17, updated_at = $18, connected_at = $19, version = $20,
			refresh_failures = CASE connected_at WHEN $19 THEN refresh_failures ELSE 0 END,
			refresh_after = CASE connected_at WHEN $19 THEN refresh_after ELSE 0 END
			WHERE id = $1 AND project_id = $2 AND version = $20 - 1`, r.values()...)
		if err == nil && n == 0 {
			return errSwapped
		}
		if err != nil {
			return err
		}
		t.announce(notify.ConnectedAccount, r.ID, r.UserID)
		_, err = s.appendEvents(t, events)
		return err
	})
}

// DeleteAccount deletes an account and its requests, and remembers its id.
func (s *Store) DeleteAccount(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete account", func(t *tx) error {
		if err := s.rememberDeleted(t, `project_id = $1 AND id = $2`, projectID, id); err != nil {
			return err
		}
		n, err := t.execAnnouncing(notify.ConnectedAccount,
			`DELETE FROM connected_accounts WHERE project_id = $1 AND id = $2 RETURNING id, user_id`, projectID, id)
		if err == nil && n == 0 {
			return noAccount(id)
		}
		return err
	})
}

// rememberDeleted keeps the ids of accounts that are about to go. The condition has two parameters.
func (s *Store) rememberDeleted(t *tx, condition string, args ...any) error {
	_, err := t.exec(`INSERT INTO deleted_accounts (project_id, id, deleted_at)
		SELECT project_id, id, CAST($3 AS BIGINT) FROM connected_accounts WHERE `+condition+`
		ON CONFLICT (project_id, id) DO UPDATE SET deleted_at = excluded.deleted_at`, append(args, micros(s.now()))...)
	return err
}

// AccountWasDeleted reports whether the project once had an account under this id.
func (s *Store) AccountWasDeleted(ctx context.Context, projectID, id string) (bool, error) {
	var n int
	err := s.db.reader().QueryRowContext(ctx,
		`SELECT count(*) FROM deleted_accounts WHERE project_id = $1 AND id = $2`, projectID, id).Scan(&n)
	return n > 0, s.wrap("find deleted account", err)
}

// ListAccounts gives accounts with their secrets.
func (s *Store) ListAccounts(ctx context.Context, projectID string, f connect.AccountFilter) ([]connect.ConnectedAccount, connect.Page, error) {
	l := listing[accountRow]{
		columns: accountColumns, from: "connected_accounts", order: "created_at", tie: "id",
		ascending: f.Ascending, limit: f.Limit, cursor: f.Cursor, scan: scanAccount,
		key: func(a accountRow) (int64, string) { return micros(a.CreatedAt), a.ID },
	}
	if f.OrderUpdated {
		l.order = "updated_at"
		l.key = func(a accountRow) (int64, string) { return micros(a.UpdatedAt), a.ID }
	}
	l.where.and("project_id = ?", projectID)
	in(&l.where, "id", f.IDs)
	in(&l.where, "toolkit", f.Toolkits)
	in(&l.where, "status", f.Statuses)
	in(&l.where, "user_id", f.UserIDs)
	in(&l.where, "auth_config_id", f.AuthConfigIDs)
	if f.Type != "" {
		l.where.and("type = ?", f.Type)
	}
	rows, page, err := list(ctx, s, l)
	if err != nil {
		return nil, page, s.wrap("list accounts", err)
	}
	accounts, err := s.openAccounts(ctx, rows)
	return accounts, page, s.wrap("list accounts", err)
}
