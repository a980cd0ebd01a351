package event

import (
	"context"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// DeliveryStatus says how far a delivery got.
type DeliveryStatus string

// The statuses of a delivery.
const (
	Pending   DeliveryStatus = "pending"
	Delivered DeliveryStatus = "delivered" // the receiver answered 2xx
	Dead      DeliveryStatus = "dead"      // given up; a replay tries again
)

// DeliverFor is for how long a delivery is tried before it is given up.
const DeliverFor = 24 * time.Hour

// Delivery is the telling of one event to one subscription: what happened to it so far.
type Delivery struct {
	ProjectID      string
	SubscriptionID string
	EventID        string
	EventType      Type
	Position       int64 // of the event
	Status         DeliveryStatus
	Attempts       int
	DueAt          time.Time // of the next attempt, while pending
	GivenUpAt      time.Time // when it will be, if no attempt succeeds
	CreatedAt      time.Time
	AttemptedAt    time.Time // the last attempt; zero: none yet
	Took           time.Duration
	Response       int    // HTTP status of the last attempt; 0: none came
	Error          string // what was wrong with the last attempt
}

// DueDelivery is a delivery to be attempted, with its event.
type DueDelivery struct {
	Delivery
	Event Event
}

// DeliveryFilter narrows ListDeliveries, newest event first; zero values do not filter.
type DeliveryFilter struct {
	Status DeliveryStatus
	Limit  int
	Cursor string
}

// ListDeliveries gives the deliveries of a subscription: its log.
func (s *Service) ListDeliveries(ctx context.Context, c tenant.Caller, subscriptionID string, f DeliveryFilter) ([]Delivery, Page, error) {
	if f.Status != "" && !slices.Contains([]DeliveryStatus{Pending, Delivered, Dead}, f.Status) {
		return nil, Page{}, fault.New(fault.Invalid, fault.SlugInvalid, "There is no delivery status %q.", cut(string(f.Status))).
			WithFix("Use pending, delivered or dead.")
	}
	if _, err := s.store.Subscription(ctx, c.ProjectID, subscriptionID); err != nil {
		return nil, Page{}, err
	}
	return s.store.ListDeliveries(ctx, c.ProjectID, subscriptionID, f)
}
