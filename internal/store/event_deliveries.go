package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const (
	deliveryColumns = `d.project_id, d.subscription_id, d.position, e.id, e.type, d.status, d.attempts, d.due_at, d.given_up_at, d.created_at,
	d.attempted_at, d.took, d.response, d.error`
	deliveryFrom = `event_deliveries d JOIN events e ON e.project_id = d.project_id AND e.position = d.position`
)

// deliveryDest gives where the columns of a delivery are scanned to.
func deliveryDest(d *event.Delivery, took *int64) []any {
	return []any{&d.ProjectID, &d.SubscriptionID, &d.Position, &d.EventID, &d.EventType, &d.Status, &d.Attempts, at(&d.DueAt), at(&d.GivenUpAt),
		at(&d.CreatedAt), at(&d.AttemptedAt), took, &d.Response, &d.Error}
}

func scanDelivery(r row) (d event.Delivery, err error) {
	var took int64
	err = r.Scan(deliveryDest(&d, &took)...)
	d.Took = time.Duration(took) * time.Microsecond
	return d, err
}

// fanOut stores a pending delivery for each event and each subscription that wants it.
func (s *Store) fanOut(t *tx, projectID string, events []event.Event) error {
	type target struct {
		id     string
		filter event.Filter
	}
	targets, err := collect(t.ctx, t.queryer, func(r row) (w target, err error) {
		err = r.Scan(&w.id, asJSON(&w.filter))
		return w, err
	}, `SELECT id, filter FROM webhook_subscriptions WHERE project_id = $1 AND status = 'ENABLED'`, projectID)
	if err != nil {
		return err
	}
	for _, target := range targets {
		var wanted []int64
		for _, e := range events {
			if target.filter.Passes(e) {
				wanted = append(wanted, e.Position)
			}
		}
		if err := s.deliver(t, projectID, target.id, wanted); err != nil {
			return err
		}
	}
	return nil
}

// deliver makes deliveries of the events at these positions due now, anew where there was one.
//
// The subscription's row is written even when it is due already: that makes whoever settles it (scheduleSubscription) wait for
// this transaction, or this one wait for it, so that what is stored here cannot be overlooked.
func (s *Store) deliver(t *tx, projectID, subscriptionID string, positions []int64) error {
	if len(positions) == 0 {
		return nil
	}
	now := s.now()
	for _, position := range positions {
		_, err := t.exec(`INSERT INTO event_deliveries (project_id, subscription_id, position, status, attempts, due_at, given_up_at, created_at,
				attempted_at, took, response, error)
			VALUES ($1, $2, $3, 'pending', 0, $4, $5, $4, 0, 0, 0, '')
			ON CONFLICT (project_id, subscription_id, position) DO UPDATE SET status = 'pending', attempts = 0, due_at = $4, given_up_at = $5`,
			projectID, subscriptionID, position, micros(now), micros(now.Add(event.DeliverFor)))
		if err != nil {
			return err
		}
	}
	_, err := t.exec(`UPDATE webhook_subscriptions
		SET due_at = CASE WHEN due_at > 0 AND due_at < $3 THEN due_at WHEN paused_until > $3 THEN paused_until ELSE $3 END
		WHERE project_id = $1 AND id = $2`, projectID, subscriptionID, micros(now))
	return err
}

// Redeliver makes deliveries of the events at these positions due now, whether or not there were any.
func (s *Store) Redeliver(ctx context.Context, projectID, subscriptionID string, positions []int64) error {
	if len(positions) == 0 {
		return nil
	}
	err := s.write(ctx, "replay events", func(t *tx) error {
		t.announce(notify.Subscription, subscriptionID, "")
		return s.deliver(t, projectID, subscriptionID, positions)
	})
	if s.db.violation(err).foreignKey {
		return noSubscription(subscriptionID)
	}
	return err
}

// ListDeliveries gives deliveries of a subscription, those of the newest events first.
func (s *Store) ListDeliveries(ctx context.Context, projectID, subscriptionID string, f event.DeliveryFilter) ([]event.Delivery, event.Page, error) {
	l := listing[event.Delivery]{
		columns: deliveryColumns, from: deliveryFrom, order: "d.position", tie: "d.subscription_id",
		limit: f.Limit, cursor: f.Cursor, scan: scanDelivery,
		key: func(d event.Delivery) (int64, string) { return d.Position, d.SubscriptionID },
	}
	l.where.and("d.project_id = ?", projectID)
	l.where.and("d.subscription_id = ?", subscriptionID)
	if f.Status != "" {
		l.where.and("d.status = ?", string(f.Status))
	}
	deliveries, page, err := list(ctx, s, l)
	return deliveries, event.Page(page), s.wrap("list deliveries", err)
}

// DueDeliveries gives deliveries that are due, with their events.
func (s *Store) DueDeliveries(ctx context.Context, sub event.Subscription, owner string, now time.Time, limit int) ([]event.DueDelivery, error) {
	type dueRow struct {
		event.Delivery
		event eventRow
	}
	rows, err := collectUntil(ctx, s.db.reader(), func(r row) (d dueRow, err error) {
		var took int64
		e := &d.event
		err = r.Scan(append(deliveryDest(&d.Delivery, &took), &e.Key, &e.LogID, &e.Toolkit, &e.TriggerSlug, &e.TriggerID, &e.AccountID,
			&e.AuthConfigID, &e.UserID, &e.data, at(&e.OccurredAt), at(&e.CreatedAt))...)
		e.ProjectID, e.Position, e.ID, e.Type = d.ProjectID, d.Position, d.EventID, d.EventType
		return d, err
	}, dataBudget(func(d dueRow) []byte { return d.event.data }), `SELECT `+deliveryColumns+`, e.key, e.log_id, e.toolkit, e.trigger_slug, e.trigger_id, e.account_id, e.auth_config_id, e.user_id, e.data,
			e.occurred_at, e.created_at
		FROM webhook_subscriptions s JOIN event_deliveries d ON d.project_id = s.project_id AND d.subscription_id = s.id
			JOIN events e ON e.project_id = d.project_id AND e.position = d.position
		WHERE s.project_id = $1 AND s.id = $2 AND s.version = $3 AND s.lease_owner = $4 AND s.status = 'ENABLED'
			AND d.status = 'pending' AND d.due_at <= $5
		ORDER BY d.due_at LIMIT $6`, sub.ProjectID, sub.ID, sub.Version, owner, micros(now), limit)
	if err != nil {
		return nil, s.wrap("read due deliveries", err)
	}
	due := make([]event.DueDelivery, len(rows))
	for i := range rows {
		due[i].Delivery = rows[i].Delivery
		if due[i].Event, err = s.openEvent(ctx, &rows[i].event); err != nil {
			return nil, s.wrap("read due deliveries", err)
		}
	}
	return due, nil
}

// SettleDelivery stores what came of an attempt. One that was settled, or made due anew, since the attempt began stays as it is.
func (s *Store) SettleDelivery(ctx context.Context, d event.Delivery) error {
	return s.write(ctx, "settle delivery", func(t *tx) error {
		_, err := t.exec(`UPDATE event_deliveries SET status = $4, attempts = $5, due_at = $6, attempted_at = $7, took = $8, response = $9, error = $10
			WHERE project_id = $1 AND subscription_id = $2 AND position = $3 AND status = 'pending' AND attempts = $5 - 1`,
			d.ProjectID, d.SubscriptionID, d.Position, string(d.Status), d.Attempts, micros(d.DueAt), micros(d.AttemptedAt), d.Took.Microseconds(),
			d.Response, d.Error)
		return err
	})
}

// GiveUpDeliveries marks pending deliveries dead whose time is over.
func (s *Store) GiveUpDeliveries(ctx context.Context, projectID, subscriptionID string, now time.Time) (int, error) {
	return s.inBatches(ctx, "give up deliveries", func(t *tx) (int, error) {
		n, err := t.exec(`UPDATE event_deliveries SET status = 'dead', due_at = 0,
				error = CASE WHEN error = '' THEN 'The receiver was down for as long as a delivery is tried.' ELSE error END
			WHERE (project_id, subscription_id, position) IN (SELECT project_id, subscription_id, position FROM event_deliveries
				WHERE project_id = $1 AND subscription_id = $2 AND status = 'pending' AND given_up_at < $3 LIMIT $4)`,
			projectID, subscriptionID, micros(now), batch)
		return int(n), err
	})
}

// EventsLogged gives events of a replay's range behind a position, in order, without their data.
func (s *Store) EventsLogged(ctx context.Context, projectID, subscriptionID string, r event.Replay, position int64, limit int) ([]event.Event, error) {
	where := conditions{}
	where.and("e.project_id = ?", projectID)
	where.and("e.position > ?", position)
	where.and("e.created_at >= ?", micros(r.From))
	where.and("e.created_at < ?", micros(r.To))
	from := "events e"
	if r.DeadOnly {
		from = "event_deliveries d JOIN events e ON e.project_id = d.project_id AND e.position = d.position"
		where.and("d.project_id = ?", projectID)
		where.and("d.subscription_id = ?", subscriptionID)
		where.and("d.status = ?", string(event.Dead))
	}
	columns := "e.project_id, e.position, e.id, e.type, e.toolkit, e.trigger_slug, e.trigger_id, e.account_id, e.auth_config_id, e.user_id"
	events, err := collect(ctx, s.db.listReader(), func(r row) (e event.Event, err error) {
		err = r.Scan(&e.ProjectID, &e.Position, &e.ID, &e.Type, &e.Toolkit, &e.TriggerSlug, &e.TriggerID, &e.AccountID, &e.AuthConfigID, &e.UserID)
		return e, err
	}, "SELECT "+columns+" FROM "+from+where.text+" ORDER BY e.position LIMIT "+strconv.Itoa(limit), where.args...)
	return events, s.wrap("read events to replay", err)
}

// DeadDeliveries gives how many of the deliveries made since a time were given up, and the newest of them; none is no fault.
func (s *Store) DeadDeliveries(ctx context.Context, since time.Time) (n int, newest event.Delivery, err error) {
	err = s.db.reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM event_deliveries WHERE status = 'dead' AND created_at >= $1`, micros(since)).Scan(&n)
	if err != nil || n == 0 {
		return 0, newest, s.wrap("count dead deliveries", err)
	}
	newest, err = scanDelivery(s.db.reader().QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM `+deliveryFrom+`
		WHERE d.status = 'dead' AND d.created_at >= $1 ORDER BY d.created_at DESC LIMIT 1`, micros(since)))
	if errors.Is(err, sql.ErrNoRows) { // replayed in this moment
		return 0, newest, nil
	}
	return n, newest, s.wrap("read the newest dead delivery", err)
}
