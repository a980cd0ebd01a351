package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

var subscriptionBehaviours = behaviours{
	"a subscription comes back as it was stored":            subscriptionReadBack,
	"subscriptions are listed oldest first":                 subscriptionsListed,
	"a subscription of another project is not there":        subscriptionForeign,
	"a lease is had by one":                                 subscriptionLeased,
	"a lease that ended is free, and lost to who had it":    subscriptionLeaseLost,
	"deliveries are due to who has the lease, until change": deliveriesDue,
	"a settled subscription is due when its earliest is":    subscriptionSettled,
	"a pause holds what comes meanwhile":                    subscriptionPaused,
	"an event that comes while it is settled is not lost":   subscriptionSettledInARace,
	"deliveries are given up":                               deliveriesGivenUp,
	"a replay finds its range":                              eventsReplayed,
}

func aSubscription(name string) event.Subscription {
	return event.Subscription{
		ID: "ws_" + name, ProjectID: ours, URL: "https://example.com/" + name, Payload: event.V2, Status: event.Enabled,
		Filter: event.Filter{Types: []event.Type{event.TriggerMessage}}, Secret: secret.Hide("whsec_" + name), CreatedAt: start, UpdatedAt: start,
	}
}

func subscriptionReadBack(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := aSubscription("a")
	sub.Filter = event.Filter{Types: []event.Type{event.TriggerMessage}, Toolkits: []string{"acme"}, UserIDs: []string{"ü"}}
	sub.PreviousSecret, sub.PreviousUntil = secret.Hide("whsec_before"), start.Add(time.Hour)
	must(t, f.CreateSubscription(ctx, sub))
	sub.Version = 1
	same(t, "read", got(f.Subscription(ctx, ours, sub.ID))(t), sub)
	updated, err := f.UpdateSubscription(ctx, ours, sub.ID, func(s *event.Subscription) error {
		s.URL, s.Payload, s.Secret, s.PreviousSecret = "https://example.com/other", event.V1, secret.Hide("whsec_new"), secret.Value{}
		return nil
	})
	must(t, err)
	same(t, "version", updated.Version, int64(2))
	same(t, "read again", got(f.Subscription(ctx, ours, sub.ID))(t), updated)
	_, err = f.UpdateSubscription(ctx, ours, sub.ID, func(*event.Subscription) error { return errRefused })
	same(t, "refused", errors.Is(err, errRefused), true)
	for i, err := range together(8, func(int) error {
		_, err := f.UpdateSubscription(ctx, ours, sub.ID, func(s *event.Subscription) error { s.Failures++; return nil })
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	same(t, "failures", got(f.Subscription(ctx, ours, sub.ID))(t).Failures, 8)
}

func subscriptionsListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i := range 5 {
		sub := aSubscription(fmt.Sprint(4 - i))
		sub.CreatedAt = start.Add(time.Duration(i) * time.Second)
		must(t, f.CreateSubscription(ctx, sub))
	}
	var ids []string
	for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
		subs, page, err := f.ListSubscriptions(ctx, ours, event.SubscriptionFilter{Limit: 2, Cursor: cursor})
		must(t, err)
		same(t, "total", page.Total, 5)
		for _, sub := range subs {
			ids = append(ids, sub.ID)
		}
		cursor = page.Next
	}
	same(t, "order", ids, []string{"ws_4", "ws_3", "ws_2", "ws_1", "ws_0"})
}

func subscriptionForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := aSubscription("a")
	sub.ProjectID = theirs
	must(t, f.CreateSubscription(ctx, sub))
	_, err := f.Subscription(ctx, ours, sub.ID)
	wantKind(t, "read", err, fault.NotFound)
	_, err = f.UpdateSubscription(ctx, ours, sub.ID, func(*event.Subscription) error { return nil })
	wantKind(t, "update", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteSubscription(ctx, ours, sub.ID), fault.NotFound)
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "a")}))(t)
	wantKind(t, "replay", f.Redeliver(ctx, ours, sub.ID, []int64{1}), fault.NotFound)
}

// withDeliveries gives a subscription with three deliveries due at the start.
func withDeliveries(t *testing.T, f *fixture) event.Subscription {
	t.Helper()
	must(t, f.CreateSubscription(t.Context(), aSubscription("a")))
	got(f.AppendEvents(t.Context(), []event.Event{anEvent(ours, "a"), anEvent(ours, "b"), anEvent(ours, "c")}))(t)
	return got(f.Subscription(t.Context(), ours, "ws_a"))(t)
}

func subscriptionLeased(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i := range 6 {
		must(t, f.CreateSubscription(ctx, aSubscription(fmt.Sprint(i))))
	}
	same(t, "nothing is due", len(got(f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 10))(t)), 0)
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "a")}))(t)
	same(t, "not yet", len(got(f.ClaimSubscriptions(ctx, "a", start.Add(-time.Second), start.Add(time.Minute), 10))(t)), 0)
	owners := make([]int, 4)
	for i, err := range together(4, func(i int) error {
		for range 6 {
			subs, err := f.ClaimSubscriptions(ctx, fmt.Sprint("node", i), start, start.Add(time.Minute), 2)
			if err != nil {
				return err
			}
			owners[i] += len(subs)
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("node %d: %v", i, err)
		}
	}
	same(t, "claimed", owners[0]+owners[1]+owners[2]+owners[3], 6)
	same(t, "next, while all are held", got(f.NextDelivery(ctx, start))(t), time.Time{})
	same(t, "next, when the leases have ended", got(f.NextDelivery(ctx, start.Add(time.Minute)))(t), start)
}

func subscriptionLeaseLost(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	got(f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 1))(t)
	same(t, "renewed", got(f.RenewSubscription(ctx, ours, sub.ID, "a", start.Add(2*time.Minute)))(t), true)
	same(t, "held", len(got(f.ClaimSubscriptions(ctx, "b", start.Add(time.Minute), start.Add(time.Hour), 1))(t)), 0)
	claimed := got(f.ClaimSubscriptions(ctx, "b", start.Add(2*time.Minute), start.Add(time.Hour), 1))(t)
	same(t, "claimed by another", claimed, []event.Subscription{sub})
	same(t, "renewed by who lost it", got(f.RenewSubscription(ctx, ours, sub.ID, "a", start.Add(time.Hour)))(t), false)
	sub.Failures = 9
	must(t, f.SettleSubscription(ctx, sub, "a"))
	same(t, "settled by who lost it", got(f.Subscription(ctx, ours, sub.ID))(t).Failures, 0)
	same(t, "still held", got(f.RenewSubscription(ctx, ours, sub.ID, "b", start.Add(time.Hour)))(t), true)
}

func deliveriesDue(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	got(f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 1))(t)
	same(t, "for another", len(got(f.DueDeliveries(ctx, sub, "b", start, 10))(t)), 0)
	same(t, "before", len(got(f.DueDeliveries(ctx, sub, "a", start.Add(-time.Second), 10))(t)), 0)
	due := got(f.DueDeliveries(ctx, sub, "a", start, 2))(t)
	same(t, "how many", len(due), 2)
	want := anEvent(ours, due[0].Event.Key)
	want.Position = due[0].Position
	same(t, "event", due[0].Event, want)
	same(t, "delivery", due[0].Delivery, event.Delivery{
		ProjectID: ours, SubscriptionID: sub.ID, EventID: want.ID, EventType: event.TriggerMessage, Position: want.Position,
		Status: event.Pending, DueAt: start, GivenUpAt: start.Add(event.DeliverFor), CreatedAt: start,
	})
	d := due[0].Delivery
	d.Status, d.Attempts, d.DueAt, d.AttemptedAt, d.Took, d.Response, d.Error = event.Pending, 1, start.Add(time.Hour), start.Add(time.Second), time.Millisecond, 500, "no"
	must(t, f.SettleDelivery(ctx, d))
	same(t, "due after a failure", len(got(f.DueDeliveries(ctx, sub, "a", start, 10))(t)), 2)
	log, _, err := f.ListDeliveries(ctx, ours, sub.ID, event.DeliveryFilter{})
	must(t, err)
	same(t, "log", log[3-d.Position], d)
	late := d
	late.Status = event.Delivered // what another node was told of the same attempt
	must(t, f.SettleDelivery(ctx, late))
	same(t, "settled once", len(deliveredOf(t, f, sub)), 0)
	changed, err := f.UpdateSubscription(ctx, ours, sub.ID, func(s *event.Subscription) error { s.URL += "/new"; return nil })
	must(t, err)
	same(t, "to the old address", len(got(f.DueDeliveries(ctx, sub, "a", start, 10))(t)), 0)
	same(t, "to the new", len(got(f.DueDeliveries(ctx, changed, "a", start, 10))(t)), 2)
}

func deliveredOf(t *testing.T, f *fixture, sub event.Subscription) []event.Delivery {
	t.Helper()
	log, _, err := f.ListDeliveries(t.Context(), ours, sub.ID, event.DeliveryFilter{Status: event.Delivered})
	must(t, err)
	return log
}

func subscriptionSettled(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	got(f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 1))(t)
	for i, d := range got(f.DueDeliveries(ctx, sub, "a", start, 10))(t) {
		d.Attempts, d.DueAt = 1, start.Add(time.Duration(i+1)*time.Hour)
		must(t, f.SettleDelivery(ctx, d.Delivery))
	}
	sub.Failures, sub.PausedUntil = 3, start.Add(90*time.Minute)
	must(t, f.SettleSubscription(ctx, sub, "a"))
	same(t, "next, with a pause", got(f.NextDelivery(ctx, start))(t), start.Add(90*time.Minute))
	same(t, "stored", got(f.Subscription(ctx, ours, sub.ID))(t), sub)
	_, err := f.UpdateSubscription(ctx, ours, sub.ID, func(s *event.Subscription) error {
		s.Failures, s.PausedUntil = 0, time.Time{}
		return nil
	})
	must(t, err)
	same(t, "next, without the pause", got(f.NextDelivery(ctx, start))(t), start.Add(time.Hour))
	_, err = f.UpdateSubscription(ctx, ours, sub.ID, func(s *event.Subscription) error { s.Status = event.Disabled; return nil })
	must(t, err)
	same(t, "next, disabled", got(f.NextDelivery(ctx, start))(t), time.Time{})
}

func subscriptionPaused(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	got(f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 1))(t)
	for _, d := range got(f.DueDeliveries(ctx, sub, "a", start, 10))(t) {
		d.Status, d.Attempts, d.DueAt = event.Delivered, 1, time.Time{}
		must(t, f.SettleDelivery(ctx, d.Delivery))
	}
	sub.PausedUntil = start.Add(time.Hour)
	must(t, f.SettleSubscription(ctx, sub, "a"))
	same(t, "next, with nothing pending", got(f.NextDelivery(ctx, start))(t), time.Time{})
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "d")}))(t)
	same(t, "next", got(f.NextDelivery(ctx, start))(t), start.Add(time.Hour))
}

// Events are appended while the subscription is settled over and over: whatever is pending in the end is also due.
func subscriptionSettledInARace(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	for i, err := range together(4, func(i int) error {
		for j := range 15 {
			if i > 0 {
				if _, err := f.AppendEvents(ctx, []event.Event{anEvent(ours, fmt.Sprintf("%d-%d", i, j))}); err != nil {
					return err
				}
				continue
			}
			if _, err := f.ClaimSubscriptions(ctx, "a", start, start.Add(time.Minute), 1); err != nil {
				return err
			}
			due, err := f.DueDeliveries(ctx, sub, "a", start, 10)
			if err != nil {
				return err
			}
			for _, d := range due {
				d.Status, d.Attempts, d.DueAt = event.Delivered, 1, time.Time{}
				if err := f.SettleDelivery(ctx, d.Delivery); err != nil {
					return err
				}
			}
			if err := f.SettleSubscription(ctx, sub, "a"); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	_, pending, err := f.ListDeliveries(ctx, ours, sub.ID, event.DeliveryFilter{Status: event.Pending, Limit: 1})
	must(t, err)
	next := got(f.NextDelivery(ctx, start))(t)
	if (pending.Total > 0) != !next.IsZero() {
		t.Errorf("%d are pending, and the next is due %v", pending.Total, next)
	}
}

func deliveriesGivenUp(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	same(t, "too early", got(f.GiveUpDeliveries(ctx, ours, sub.ID, start.Add(event.DeliverFor)))(t), 0)
	same(t, "given up", got(f.GiveUpDeliveries(ctx, ours, sub.ID, start.Add(event.DeliverFor+time.Second)))(t), 3)
	dead, _, err := f.ListDeliveries(ctx, ours, sub.ID, event.DeliveryFilter{Status: event.Dead})
	must(t, err)
	if len(dead) != 3 || dead[0].Error == "" || !dead[0].DueAt.IsZero() {
		t.Errorf("dead: %+v", dead)
	}
	n, newest, err := f.DeadDeliveries(ctx, start)
	must(t, err)
	same(t, "counted", n, 3)
	same(t, "the newest", newest.SubscriptionID, sub.ID)
	n, newest, err = f.DeadDeliveries(ctx, start.Add(time.Second))
	must(t, err)
	same(t, "counted of those made later", n, 0)
	same(t, "the newest of them", newest, event.Delivery{})
	must(t, f.Redeliver(ctx, ours, sub.ID, []int64{1}))
	pending, _, err := f.ListDeliveries(ctx, ours, sub.ID, event.DeliveryFilter{Status: event.Pending})
	must(t, err)
	if len(pending) != 1 || pending[0].Position != 1 || pending[0].Attempts != 0 || !pending[0].DueAt.Equal(start) {
		t.Errorf("made due anew: %+v", pending)
	}
}

func eventsReplayed(t *testing.T, f *fixture) {
	ctx := t.Context()
	sub := withDeliveries(t, f)
	f.pass(time.Hour)
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "later")}))(t)
	positions := func(r event.Replay, after int64, limit int) []int64 {
		var all []int64
		for _, e := range got(f.EventsLogged(ctx, ours, sub.ID, r, after, limit))(t) {
			all = append(all, e.Position)
		}
		return all
	}
	same(t, "a range", positions(event.Replay{From: start, To: start.Add(time.Minute)}, 0, 10), []int64{1, 2, 3})
	same(t, "its second page", positions(event.Replay{From: start, To: start.Add(time.Minute)}, 1, 1), []int64{2})
	same(t, "a later range", positions(event.Replay{From: start.Add(time.Minute), To: start.Add(2 * time.Hour)}, 0, 10), []int64{4})
	got(f.GiveUpDeliveries(ctx, ours, sub.ID, start.Add(event.DeliverFor+time.Second)))(t)
	same(t, "what was given up", positions(event.Replay{From: start, To: start.Add(2 * time.Hour), DeadOnly: true}, 0, 10), []int64{1, 2, 3})
	same(t, "for another project", len(got(f.EventsLogged(ctx, theirs, sub.ID, event.Replay{From: start, To: start.Add(time.Hour)}, 0, 10))(t)), 0)
}
