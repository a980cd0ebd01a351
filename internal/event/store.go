package event

import (
	"context"
	"time"
)

// Store keeps events, subscriptions and deliveries. A missing row, or one of another project, is a fault of kind NotFound. Secrets
// and the data of events are sealed.
type Store interface {
	// AppendEvents stores those events, all of one project, whose key its log does not have yet, and a pending delivery of each for
	// every enabled subscription whose filter it passes, all in one transaction. It gives those that it stored.
	AppendEvents(ctx context.Context, events []Event) (added []Event, err error)
	Event(ctx context.Context, projectID, id string) (Event, error)
	// EventsAfter gives events behind a position, in order. Whoever goes on from the last it was given misses none.
	EventsAfter(ctx context.Context, projectID string, position int64, limit int) ([]Event, error)
	LastPosition(ctx context.Context, projectID string) (int64, error) // 0: there was never an event
	// EventsLogged gives events of a replay's range behind a position, in order, without their data.
	EventsLogged(ctx context.Context, projectID, subscriptionID string, r Replay, position int64, limit int) ([]Event, error)
	// DeleteEventsBefore deletes events that were logged before a time, with their deliveries, but for those that are on their way.
	DeleteEventsBefore(ctx context.Context, before time.Time) (int, error)

	CreateSubscription(ctx context.Context, s Subscription) error
	Subscription(ctx context.Context, projectID, id string) (Subscription, error)
	// UpdateSubscription reads, changes and writes in one step: update may run again when somebody else wrote in between. When
	// Failures are 0 after the update, what is pending is due as if the subscription had never been paused.
	UpdateSubscription(ctx context.Context, projectID, id string, update func(*Subscription) error) (Subscription, error)
	DeleteSubscription(ctx context.Context, projectID, id string) error
	ListSubscriptions(ctx context.Context, projectID string, f SubscriptionFilter) ([]Subscription, Page, error)

	ListDeliveries(ctx context.Context, projectID, subscriptionID string, f DeliveryFilter) ([]Delivery, Page, error)
	// Redeliver makes deliveries of the events at these positions due now, whether or not there were any.
	Redeliver(ctx context.Context, projectID, subscriptionID string, positions []int64) error

	// NextDelivery gives when the earliest pending delivery is due of a subscription that nobody delivers to now; zero: none.
	NextDelivery(ctx context.Context, now time.Time) (time.Time, error)
	// ClaimSubscriptions leases subscriptions that have deliveries due and that nobody delivers to, longest due first. One that
	// cannot be opened keeps none of the others from being given.
	ClaimSubscriptions(ctx context.Context, owner string, now, until time.Time, limit int) ([]Subscription, error)
	RenewSubscription(ctx context.Context, projectID, id, owner string, until time.Time) (bool, error)
	// DueDeliveries gives pending deliveries of a subscription that are due, longest first; none when the subscription was changed
	// since sub was read, is disabled, or is leased to another owner.
	DueDeliveries(ctx context.Context, sub Subscription, owner string, now time.Time, limit int) ([]DueDelivery, error)
	// SettleDelivery stores what came of an attempt, unless the delivery was settled otherwise meanwhile.
	SettleDelivery(ctx context.Context, d Delivery) error
	// GiveUpDeliveries marks pending deliveries dead whose time is over and gives how many.
	GiveUpDeliveries(ctx context.Context, projectID, subscriptionID string, now time.Time) (int, error)
	// SettleSubscription gives a lease up, if owner still has it: Failures, PausedUntil and, when the receiver said that it is gone,
	// Status and DisabledReason are stored unless the subscription was changed meanwhile; and it is due again when its
	// earliest pending delivery is.
	SettleSubscription(ctx context.Context, sub Subscription, owner string) error
}
