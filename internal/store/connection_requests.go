package store

import (
	"context"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const requestColumns = `token_hash, state_hash, project_id, account_id, user_id, callback_url, redirect_uri, verifier, browser, prefill,
	created_at, expires_at, finished_at, version, claim_hash, held`

// requestRow is a connection request as it is stored.
type requestRow struct {
	connect.ConnectionRequest
	verifier, prefill, held []byte // sealed
	version                 int64
}

func scanRequest(r row) (q requestRow, err error) {
	err = r.Scan(&q.TokenHash, &q.StateHash, &q.ProjectID, &q.AccountID, &q.UserID, &q.CallbackURL, &q.RedirectURI, &q.verifier, &q.Browser,
		&q.prefill, at(&q.CreatedAt), at(&q.ExpiresAt), at(&q.FinishedAt), &q.version, &q.ClaimHash, &q.held)
	return q, err
}

// values gives what is stored, in the order of requestColumns.
func (q *requestRow) values() []any {
	return []any{q.TokenHash, q.StateHash, q.ProjectID, q.AccountID, q.UserID, q.CallbackURL, q.RedirectURI, q.verifier, q.Browser,
		q.prefill, micros(q.CreatedAt), micros(q.ExpiresAt), micros(q.FinishedAt), q.version, q.ClaimHash, q.held}
}

// sealRequest fills the sealed columns from the secrets.
func (s *Store) sealRequest(ctx context.Context, q *requestRow) error {
	v, err := s.vaultOf(ctx, q.ProjectID, "connection_requests", q.TokenHash)
	if err != nil {
		return err
	}
	if q.verifier, err = v.sealValue(q.Verifier, "verifier"); err != nil {
		return err
	}
	if q.held, err = v.sealValue(q.Held, "held"); err != nil {
		return err
	}
	q.prefill, err = v.sealFields(q.Prefill, "prefill")
	return err
}

// openRequest fills the secrets from the sealed columns.
func (s *Store) openRequest(ctx context.Context, q *requestRow) error {
	v, err := s.vaultOf(ctx, q.ProjectID, "connection_requests", q.TokenHash)
	if err != nil {
		return err
	}
	if q.Verifier, err = v.openValue(q.verifier, "verifier"); err != nil {
		return err
	}
	if q.Held, err = v.openValue(q.held, "held"); err != nil {
		return err
	}
	q.Prefill, err = v.openFields(q.prefill, "prefill")
	return err
}

func noRequest() error {
	return fault.New(fault.NotFound, fault.SlugLinkNotFound, "This link is not known.").
		WithFix("Ask for a new link where you got this one.")
}

// CreateRequest stores a new request.
func (s *Store) CreateRequest(ctx context.Context, q connect.ConnectionRequest) error {
	r := requestRow{ConnectionRequest: q, version: 1}
	if err := s.sealRequest(ctx, &r); err != nil {
		return err
	}
	err := s.write(ctx, "store connection request", func(t *tx) error {
		_, err := t.exec(`INSERT INTO connection_requests (`+requestColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`, r.values()...)
		return err
	})
	return s.requestFault(err, &r)
}

// requestFault turns a broken rule of the schema into a fault about the request.
func (s *Store) requestFault(err error, q *requestRow) error {
	switch broken := s.db.violation(err); {
	case broken.foreignKey:
		return noAccount(q.AccountID)
	case broken.unique && strings.Contains(broken.on, "state"):
		return fault.New(fault.Conflict, fault.SlugConflict, "Another connection request has this state.").Because(err)
	case broken.unique:
		return fault.New(fault.Conflict, fault.SlugConflict, "This connection request exists already.").Because(err)
	}
	return err
}

// RequestByToken finds a request by the hash of its link token, in whatever project.
func (s *Store) RequestByToken(ctx context.Context, tokenHash string) (connect.ConnectionRequest, error) {
	q, err := s.request(ctx, `token_hash = $1`, tokenHash)
	return q.ConnectionRequest, err
}

// RequestByState finds a request by the hash of the OAuth state, in whatever project.
func (s *Store) RequestByState(ctx context.Context, stateHash string) (connect.ConnectionRequest, error) {
	q, err := s.request(ctx, `state_hash = $1 AND state_hash <> ''`, stateHash)
	return q.ConnectionRequest, err
}

// RequestByClaim finds a request of a project by the hash of the claim to it.
func (s *Store) RequestByClaim(ctx context.Context, projectID, claimHash string) (connect.ConnectionRequest, error) {
	q, err := s.request(ctx, `claim_hash = $1 AND claim_hash <> '' AND project_id = $2`, claimHash, projectID)
	return q.ConnectionRequest, err
}

func (s *Store) request(ctx context.Context, where string, args ...any) (requestRow, error) {
	q, err := scanRequest(s.db.reader().QueryRowContext(ctx, `SELECT `+requestColumns+` FROM connection_requests WHERE `+where, args...))
	if err != nil {
		return q, s.wrap("read connection request", s.orMissing(err, noRequest))
	}
	return q, s.wrap("read connection request", s.openRequest(ctx, &q))
}

// UpdateRequest reads, changes and writes in one step.
func (s *Store) UpdateRequest(ctx context.Context, tokenHash string, update func(*connect.ConnectionRequest) error) (connect.ConnectionRequest, error) {
	var q requestRow
	err := swap(ctx, "The connection request", func() (err error) {
		if q, err = s.request(ctx, `token_hash = $1`, tokenHash); err != nil {
			return err
		}
		projectID, accountID := q.ProjectID, q.AccountID
		if err := update(&q.ConnectionRequest); err != nil {
			return err
		}
		q.TokenHash, q.ProjectID, q.AccountID = tokenHash, projectID, accountID
		if err := s.sealRequest(ctx, &q); err != nil {
			return err
		}
		return s.requestFault(s.replaceRequest(ctx, &q), &q)
	})
	return q.ConnectionRequest, err
}

// replaceRequest writes a request if the version it was read with is still what is stored.
func (s *Store) replaceRequest(ctx context.Context, q *requestRow) error {
	return s.write(ctx, "update connection request", func(t *tx) error {
		n, err := t.exec(`UPDATE connection_requests SET state_hash = $2, project_id = $3, account_id = $4, user_id = $5, callback_url = $6,
			redirect_uri = $7, verifier = $8, browser = $9, prefill = $10, created_at = $11, expires_at = $12, finished_at = $13,
			claim_hash = $15, held = $16, version = version + 1 WHERE token_hash = $1 AND version = $14`, q.values()...)
		if err == nil && n == 0 {
			return errSwapped
		}
		return err
	})
}

// EndRequests ends the requests of an account that are still open, and forgets what they held. One that is being finished at this
// moment finds its version gone.
func (s *Store) EndRequests(ctx context.Context, projectID, accountID string, now time.Time) (int, error) {
	var ended int64
	err := s.write(ctx, "end connection requests", func(t *tx) (err error) {
		ended, err = t.exec(`UPDATE connection_requests SET expires_at = $3, state_hash = '', claim_hash = '', verifier = NULL, held = NULL,
				prefill = NULL, version = version + 1
			WHERE project_id = $1 AND account_id = $2 AND expires_at > $3 AND finished_at = 0`, projectID, accountID, micros(now))
		return err
	})
	return int(ended), err
}

// requestsKept is for how long an ended request still tells its user why it does not work.
const requestsKept = 30 * 24 * time.Hour

// ExpireRequests marks accounts that still wait although their request is over as EXPIRED and says which; an account with
// another request that still runs, or one that is connected, stays as it is. A request is over at its end, and one that ends later
// than farthest is over too: a clock was wrong when it was made. Requests that ended long ago are deleted.
func (s *Store) ExpireRequests(ctx context.Context, now, farthest time.Time, reason string) ([]connect.StatusChange, error) {
	var expired []connect.StatusChange
	_, err := s.inBatches(ctx, "expire connection requests", func(t *tx) (int, error) {
		some, err := waitingInVain(t, now, farthest)
		if err != nil {
			return 0, err
		}
		done := expired
		for _, w := range some {
			n, err := t.exec(`UPDATE connected_accounts SET status = 'EXPIRED', status_reason = $4, updated_at = $5, version = version + 1
				WHERE project_id = $1 AND id = $2 AND status = $3`, w.ProjectID, w.AccountID, string(w.Before), reason, micros(now))
			if err != nil {
				return 0, err
			}
			if n > 0 {
				t.announce(notify.ConnectedAccount, w.AccountID, w.userID)
				done = append(done, w.StatusChange)
			}
		}
		expired = done
		return len(some), nil
	})
	if err != nil {
		return expired, err
	}
	_, err = s.inBatches(ctx, "forget what was held for connection requests", func(t *tx) (int, error) {
		n, err := t.exec(`UPDATE connection_requests SET claim_hash = '', held = NULL, prefill = NULL, version = version + 1
			WHERE token_hash IN (SELECT token_hash FROM connection_requests
				WHERE claim_hash <> '' AND claim_hash > '' AND expires_at <= $1 LIMIT $2)`, micros(now), batch) // said twice for the index
		return int(n), err
	})
	if err != nil {
		return expired, err
	}
	_, err = s.inBatches(ctx, "delete old connection requests", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM connection_requests WHERE token_hash IN (
			SELECT token_hash FROM connection_requests WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
			micros(now.Add(-requestsKept)), batch)
		return int(n), err
	})
	return expired, err
}

// waiting is an account that still waits for its user.
type waiting struct {
	connect.StatusChange
	userID string
}

// waitingInVain gives a batch of the accounts whose request is over.
func waitingInVain(t *tx, now, farthest time.Time) ([]waiting, error) {
	return collect(t.ctx, t.queryer, func(r row) (w waiting, err error) {
		err = r.Scan(&w.ProjectID, &w.AccountID, &w.userID, &w.Before)
		return w, err
	}, `SELECT a.project_id, a.id, a.user_id, a.status FROM connected_accounts a
		WHERE a.status IN ('INITIALIZING', 'INITIATED')
		AND EXISTS (SELECT 1 FROM connection_requests r
			WHERE r.project_id = a.project_id AND r.account_id = a.id AND (r.expires_at <= $1 OR r.expires_at > $2))
		AND NOT EXISTS (SELECT 1 FROM connection_requests r
			WHERE r.project_id = a.project_id AND r.account_id = a.id AND r.expires_at > $1 AND r.expires_at <= $2 AND r.finished_at = 0)
		LIMIT $3`, micros(now), micros(farthest), batch)
}
