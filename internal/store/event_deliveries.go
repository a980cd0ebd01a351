package store

import (
	"github.com/patchbay-dev/patchbay/internal/event"
)

// fanOut stores a pending delivery for each event and each subscription that wants it.
func (s *Store) fanOut(t *tx, projectID string, events []event.Event) error {
	type target struct {
		id     string
		filter event.Filter
	}
	targets, err := collect(t.ctx, t.queryer, func(r row) (w target, err error) {
		err = r.Scan(&w.id, asJSON(&w.filter))
		return w, err
	}, `SELECT id, filter FROM webhook_subscriptions WHERE project_id = $1 AND status = $2`, projectID, string(event.Enabled))
	if err != nil {
		return err
	}
	for _, target := range targets {
		var wanted []event.Event
		for _, e := range events {
			if target.filter.Passes(e) {
				wanted = append(wanted, e)
			}
		}
		if err := s.deliver(t, projectID, target.id, wanted); err != nil {
			return err
		}
	}
	return nil
}

// deliver makes deliveries of events to a subscription due now, anew where there was one.
//
// The subscription's row is written even when it is due already: that makes whoever settles it (settleSubscription) wait for
// this transaction, or this one wait for it, so that what is stored here cannot be overlooked.
func (s *Store) deliver(t *tx, projectID, subscriptionID string, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	now := s.now()
	for _, e := range events {
		_, err := t.exec(`INSERT INTO event_deliveries (project_id, subscription_id, position, status, attempts, due_at, given_up_at, created_at,
				attempted_at, took, response, error)
			VALUES ($1, $2, $3, 'pending', 0, $4, $5, $4, 0, 0, 0, '')
			ON CONFLICT (project_id, subscription_id, position) DO UPDATE SET status = 'pending', attempts = 0, due_at = $4, given_up_at = $5`,
			projectID, subscriptionID, e.Position, micros(now), micros(now.Add(event.DeliverFor)))
		if err != nil {
			return err
		}
	}
	_, err := t.exec(`UPDATE webhook_subscriptions
		SET due_at = CASE WHEN due_at > 0 AND due_at < $3 THEN due_at WHEN paused_until > $3 THEN paused_until ELSE $3 END
		WHERE project_id = $1 AND id = $2`, projectID, subscriptionID, micros(now))
	return err
}
