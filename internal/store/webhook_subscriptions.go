package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const subscriptionColumns = `project_id, id, url, payload, filter, status, disabled_reason, secret, previous_secret, previous_until,
	failures, paused_until, created_at, updated_at, version`

// subscriptionRow is a subscription as it is stored.
type subscriptionRow struct {
	event.Subscription
	secret, previous []byte // sealed
}

func scanSubscription(r row) (s subscriptionRow, err error) {
	err = r.Scan(&s.ProjectID, &s.ID, &s.URL, &s.Payload, asJSON(&s.Filter), &s.Status, &s.DisabledReason, &s.secret, &s.previous,
		at(&s.PreviousUntil), &s.Failures, at(&s.PausedUntil), at(&s.CreatedAt), at(&s.UpdatedAt), &s.Version)
	return s, err
}

// values gives what is stored, in the order of subscriptionColumns.
func (r *subscriptionRow) values() []any {
	return []any{r.ProjectID, r.ID, r.URL, string(r.Payload), asJSON(r.Filter), string(r.Status), r.DisabledReason, r.secret, r.previous,
		micros(r.PreviousUntil), r.Failures, micros(r.PausedUntil), micros(r.CreatedAt), micros(r.UpdatedAt), r.Version}
}

// sealSubscription fills the sealed columns from the secrets.
func (s *Store) sealSubscription(ctx context.Context, r *subscriptionRow) error {
	v, err := s.vaultOf(ctx, r.ProjectID, "webhook_subscriptions", r.ID)
	if err != nil {
		return err
	}
	if r.secret, err = v.sealValue(r.Secret, "secret"); err != nil {
		return err
	}
	r.previous, err = v.sealValue(r.PreviousSecret, "previous_secret")
	return err
}

// openSubscription fills the secrets from the sealed columns.
func (s *Store) openSubscription(ctx context.Context, r *subscriptionRow) (event.Subscription, error) {
	v, err := s.vaultOf(ctx, r.ProjectID, "webhook_subscriptions", r.ID)
	if err != nil {
		return r.Subscription, err
	}
	if r.Secret, err = v.openValue(r.secret, "secret"); err != nil {
		return r.Subscription, err
	}
	r.PreviousSecret, err = v.openValue(r.previous, "previous_secret")
	return r.Subscription, err
}

func (s *Store) openSubscriptions(ctx context.Context, rows []subscriptionRow) ([]event.Subscription, error) {
	subs := make([]event.Subscription, len(rows))
	for i := range rows {
		var err error
		if subs[i], err = s.openSubscription(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return subs, nil
}

func noSubscription(id string) error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "There is no webhook subscription %s in this project.", id).
		WithFix("List the webhook subscriptions to see which there are.")
}

// CreateSubscription stores a new subscription. Its version becomes 1.
func (s *Store) CreateSubscription(ctx context.Context, sub event.Subscription) error {
	r := subscriptionRow{Subscription: sub}
	r.Version = 1
	if err := s.sealSubscription(ctx, &r); err != nil {
		return err
	}
	return s.write(ctx, "store webhook subscription", func(t *tx) error {
		_, err := t.exec(`INSERT INTO webhook_subscriptions (`+subscriptionColumns+`, due_at, lease_owner, lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, '', 0)`, r.values()...)
		return err
	})
}

// Subscription gives a subscription with its secrets.
func (s *Store) Subscription(ctx context.Context, projectID, id string) (event.Subscription, error) {
	r, err := scanSubscription(s.db.reader().QueryRowContext(ctx,
		`SELECT `+subscriptionColumns+` FROM webhook_subscriptions WHERE project_id = $1 AND id = $2`, projectID, id))
	if err != nil {
		return event.Subscription{}, s.wrap("read webhook subscription", s.orMissing(err, func() error { return noSubscription(id) }))
	}
	sub, err := s.openSubscription(ctx, &r)
	return sub, s.wrap("read webhook subscription", err)
}

// UpdateSubscription reads, changes and writes in one step, and makes what is pending due when it should be after the change.
func (s *Store) UpdateSubscription(ctx context.Context, projectID, id string, update func(*event.Subscription) error) (event.Subscription, error) {
	var r subscriptionRow
	err := swap(ctx, "Webhook subscription "+id, func() (err error) {
		if r.Subscription, err = s.Subscription(ctx, projectID, id); err != nil {
			return err
		}
		version := r.Version
		if err := update(&r.Subscription); err != nil {
			return err
		}
		r.ID, r.ProjectID, r.Version = id, projectID, version+1
		if err := s.sealSubscription(ctx, &r); err != nil {
			return err
		}
		return s.replaceSubscription(ctx, &r)
	})
	return r.Subscription, err
}

// replaceSubscription writes a subscription if the version before it is still what is stored.
func (s *Store) replaceSubscription(ctx context.Context, r *subscriptionRow) error {
	return s.write(ctx, "update webhook subscription", func(t *tx) error {
		n, err := t.exec(`UPDATE webhook_subscriptions SET url = $3, payload = $4, filter = $5, status = $6, disabled_reason = $7, secret = $8,
			previous_secret = $9, previous_until = $10, failures = $11, paused_until = $12, created_at = $13, updated_at = $14, version = $15
			WHERE project_id = $1 AND id = $2 AND version = $15 - 1`, r.values()...)
		if err != nil {
			return err
		}
		if n == 0 {
			return errSwapped
		}
		t.announce(notify.Subscription, r.ID, "")
		return s.scheduleSubscription(t, r.ProjectID, r.ID)
	})
}

// scheduleSubscription makes a subscription due when its earliest pending delivery is, but not before its pause is over. The
// transaction must have written the subscription's row already, so that nobody adds a delivery between the look and the
// write (Store.deliver writes the row too).
func (s *Store) scheduleSubscription(t *tx, projectID, id string) error {
	var earliest int64
	err := t.queryer.QueryRowContext(t.ctx, `SELECT COALESCE(MIN(due_at), 0) FROM event_deliveries
		WHERE project_id = $1 AND subscription_id = $2 AND status = 'pending'`, projectID, id).Scan(&earliest)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE webhook_subscriptions SET due_at = CASE WHEN status <> 'ENABLED' OR CAST($3 AS BIGINT) = 0 THEN 0
			WHEN paused_until > $3 THEN paused_until ELSE $3 END
		WHERE project_id = $1 AND id = $2`, projectID, id, earliest)
	return err
}

// DeleteSubscription deletes a subscription and its deliveries.
func (s *Store) DeleteSubscription(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete webhook subscription", func(t *tx) error {
		n, err := t.exec(`DELETE FROM webhook_subscriptions WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noSubscription(id)
		}
		return err
	})
}

// ListSubscriptions gives subscriptions with their secrets, oldest first.
func (s *Store) ListSubscriptions(ctx context.Context, projectID string, f event.SubscriptionFilter) ([]event.Subscription, event.Page, error) {
	l := listing[subscriptionRow]{
		columns: subscriptionColumns, from: "webhook_subscriptions", order: "created_at", tie: "id", ascending: true,
		limit: f.Limit, cursor: f.Cursor, scan: scanSubscription,
		key: func(r subscriptionRow) (int64, string) { return micros(r.CreatedAt), r.ID },
	}
	l.where.and("project_id = ?", projectID)
	rows, page, err := list(ctx, s, l)
	if err != nil {
		return nil, event.Page{}, s.wrap("list webhook subscriptions", err)
	}
	subs, err := s.openSubscriptions(ctx, rows)
	return subs, event.Page(page), s.wrap("list webhook subscriptions", err)
}

// NextDelivery gives when the earliest delivery is due of a subscription that nobody delivers to.
func (s *Store) NextDelivery(ctx context.Context, now time.Time) (time.Time, error) {
	var due time.Time
	err := s.db.reader().QueryRowContext(ctx, `SELECT due_at FROM webhook_subscriptions
		WHERE due_at > 0 AND lease_until <= $1 ORDER BY due_at LIMIT 1`, micros(now)).Scan(at(&due))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return due, s.wrap("find the next delivery", err)
}

// ClaimSubscriptions leases subscriptions that have deliveries due.
func (s *Store) ClaimSubscriptions(ctx context.Context, owner string, now, until time.Time, limit int) ([]event.Subscription, error) {
	var rows []subscriptionRow
	err := s.write(ctx, "claim webhook subscriptions", func(t *tx) (err error) {
		rows, err = collect(t.ctx, t.queryer, scanSubscription, `UPDATE webhook_subscriptions SET lease_owner = $1, lease_until = $3
			WHERE (project_id, id) IN (SELECT project_id, id FROM webhook_subscriptions
				WHERE due_at > 0 AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $4)
			AND lease_until <= $2 RETURNING `+subscriptionColumns, owner, micros(now), micros(until), limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	var subs []event.Subscription
	for i := range rows {
		sub, failed := s.openSubscription(ctx, &rows[i])
		if failed != nil { // its lease runs out, and it is tried again: meanwhile the others are served
			s.log.Error("a webhook subscription's secret cannot be opened", "project", sub.ProjectID, "subscription", sub.ID, "error", failed)
			err = failed
			continue
		}
		subs = append(subs, sub)
	}
	if len(subs) > 0 {
		err = nil
	}
	return subs, s.wrap("claim webhook subscriptions", err)
}

// RenewSubscription prolongs a lease; false when owner has it no more.
func (s *Store) RenewSubscription(ctx context.Context, projectID, id, owner string, until time.Time) (bool, error) {
	held := false
	err := s.write(ctx, "renew the lease of a webhook subscription", func(t *tx) error {
		n, err := t.exec(`UPDATE webhook_subscriptions SET lease_until = $4 WHERE project_id = $1 AND id = $2 AND lease_owner = $3`,
			projectID, id, owner, micros(until))
		held = n > 0
		return err
	})
	return held, err
}

// SettleSubscription gives a lease up and stores how the receiver is.
func (s *Store) SettleSubscription(ctx context.Context, sub event.Subscription, owner string) error {
	return s.write(ctx, "settle webhook subscription", func(t *tx) error {
		n, err := t.exec(`UPDATE webhook_subscriptions SET lease_owner = '', lease_until = 0 WHERE project_id = $1 AND id = $2 AND lease_owner = $3`,
			sub.ProjectID, sub.ID, owner)
		if err != nil || n == 0 {
			return err
		}
		if _, err := t.exec(`UPDATE webhook_subscriptions SET failures = $4, paused_until = $5, status = $6, disabled_reason = $7
			WHERE project_id = $1 AND id = $2 AND version = $3`,
			sub.ProjectID, sub.ID, sub.Version, sub.Failures, micros(sub.PausedUntil), string(sub.Status), sub.DisabledReason); err != nil {
			return err
		}
		return s.scheduleSubscription(t, sub.ProjectID, sub.ID)
	})
}
