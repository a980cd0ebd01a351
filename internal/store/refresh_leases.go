package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// AccountsToRefresh gives ACTIVE accounts of all projects whose token is about to end, soonest first. One whose secrets cannot be opened
// comes without them, and must not keep the tokens of all others from being refreshed: whoever refreshes it finds out why.
func (s *Store) AccountsToRefresh(ctx context.Context, f connect.DueFilter) ([]connect.ConnectedAccount, error) {
	rows, err := collect(ctx, s.db.reader(), scanAccount, `SELECT `+accountColumns+` FROM connected_accounts
		WHERE status = 'ACTIVE' AND token_expires_at > 0 AND token_expires_at < $1
		AND token_expires_at >= $2 AND (token_expires_at, project_id, id) > ($2, $3, $4)
		AND (refresh_after <= $5 OR refresh_after > $6)
		ORDER BY token_expires_at, project_id, id LIMIT $7`,
		micros(f.EndsBefore), micros(f.After.TokenExpiry), f.After.ProjectID, f.After.ID, micros(f.Now), micros(f.Now.Add(f.LongestPause)), f.Limit)
	if err != nil {
		return nil, s.wrap("list accounts to refresh", err)
	}
	accounts := make([]connect.ConnectedAccount, len(rows))
	for i := range rows {
		if err := s.openAccount(ctx, &rows[i]); err != nil && ctx.Err() != nil {
			return nil, s.wrap("list accounts to refresh", err)
		}
		accounts[i] = rows[i].ConnectedAccount
	}
	return accounts, nil
}

const leaseColumns = `refresh_owner, refresh_beat, refresh_failures, refresh_after`

func scanLease(r row) (l connect.Lease, err error) {
	err = r.Scan(&l.Owner, &l.Beat, &l.Retry.Failures, at(&l.Retry.After))
	return l, err
}

// ClaimRefresh takes the right to refresh an account if nobody has it, or if whoever has it was found dead. It gives how the
// lease stands then.
func (s *Store) ClaimRefresh(ctx context.Context, projectID, accountID, owner string, dead connect.Lease) (connect.Lease, error) {
	var lease connect.Lease
	err := s.write(ctx, "claim refresh", func(t *tx) (err error) {
		lease, err = scanLease(t.queryer.QueryRowContext(t.ctx, `UPDATE connected_accounts SET refresh_owner = $3, refresh_beat = refresh_beat + 1
			WHERE project_id = $1 AND id = $2 AND (refresh_owner = '' OR refresh_owner = $3 OR refresh_owner = $4 AND refresh_beat = $5)
			RETURNING `+leaseColumns, projectID, accountID, owner, dead.Owner, dead.Beat))
		if errors.Is(err, sql.ErrNoRows) { // somebody else has it, or there is no such account
			lease, err = scanLease(t.queryer.QueryRowContext(t.ctx,
				`SELECT `+leaseColumns+` FROM connected_accounts WHERE project_id = $1 AND id = $2`, projectID, accountID))
		}
		return s.orMissing(err, func() error { return noAccount(accountID) })
	})
	return lease, err
}

// RenewRefresh shows that the owner of a lease lives; false when it is no longer the owner.
func (s *Store) RenewRefresh(ctx context.Context, projectID, accountID, owner string) (bool, error) {
	held := false
	err := s.write(ctx, "renew refresh lease", func(t *tx) error {
		n, err := t.exec(`UPDATE connected_accounts SET refresh_beat = refresh_beat + 1
			WHERE project_id = $1 AND id = $2 AND refresh_owner = $3`, projectID, accountID, owner)
		held = n > 0
		return err
	})
	return held, err
}

// ReleaseRefresh gives the right back, if the owner still has it, and notes when to try next.
func (s *Store) ReleaseRefresh(ctx context.Context, projectID, accountID, owner string, next connect.Retry) error {
	return s.write(ctx, "release refresh", func(t *tx) error {
		_, err := t.exec(`UPDATE connected_accounts SET refresh_owner = '', refresh_failures = $4, refresh_after = $5
			WHERE project_id = $1 AND id = $2 AND refresh_owner = $3`, projectID, accountID, owner, next.Failures, micros(next.After))
		return err
	})
}

// releaseAll ends every lease: where no other process can have the database open, their owners are dead.
func (s *Store) releaseAll(ctx context.Context) error {
	return s.write(ctx, "release the leases of a process that died", func(t *tx) error {
		for _, statement := range []string{
			`UPDATE connected_accounts SET refresh_owner = '' WHERE refresh_owner <> ''`,
			`UPDATE webhook_subscriptions SET lease_owner = '', lease_until = 0 WHERE lease_owner <> ''`,
			`UPDATE trigger_instances SET lease_owner = '', lease_until = 0 WHERE lease_owner <> ''`,
			`UPDATE mcp_watches SET lease_owner = '', lease_until = 0 WHERE lease_owner <> ''`,
		} {
			if _, err := t.exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
}
