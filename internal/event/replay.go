package event

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Replay says which events are to be delivered again. Either EventIDs, or a range of times.
type Replay struct {
	EventIDs []string  // whatever the subscription's filter says
	From, To time.Time // of logging; From is required, a zero To is now
	DeadOnly bool      // of the range, only what was given up
	After    string    // continues a range where an earlier replay stopped: its Next
}

// Replayed is what came of a Replay.
type Replayed struct {
	Count int
	Next  string // not empty: there is more in the range; ask again with it as After
}

// How much one replay does.
const (
	mostReplayed = 10_000 // events of a range that are looked at
	mostNamed    = 1000   // event ids
	replayBatch  = 500    // per transaction
)

// Replay makes events of the past due for a subscription again. They keep their ids, so a receiver that remembers what it saw can
// tell them from new ones.
func (s *Service) Replay(ctx context.Context, c tenant.Caller, subscriptionID string, r Replay) (Replayed, error) {
	sub, err := s.store.Subscription(ctx, c.ProjectID, subscriptionID)
	if err != nil {
		return Replayed{}, err
	}
	if sub.Status != Enabled {
		return Replayed{}, fault.New(fault.Conflict, fault.SlugConflict, "The subscription is disabled, so nothing can be replayed to it.").
			WithFix("Enable it first: PATCH it with {\"status\": \"ENABLED\"}.")
	}
	switch {
	case len(r.EventIDs) > 0:
		return s.replayNamed(ctx, sub, r.EventIDs)
	case r.From.IsZero():
		return Replayed{}, fault.New(fault.Invalid, fault.SlugInvalid, "Nothing was said about what to replay.").
			WithFix("Give event_ids, or from and perhaps to.")
	default:
		return s.replayRange(ctx, sub, r)
	}
}

func (s *Service) replayNamed(ctx context.Context, sub Subscription, ids []string) (Replayed, error) {
	if len(ids) > mostNamed {
		return Replayed{}, fault.New(fault.Invalid, fault.SlugInvalid, "At most %d events can be named at once.", mostNamed)
	}
	events := make([]Event, len(ids))
	for i, eventID := range ids {
		var err error
		if events[i], err = s.store.Event(ctx, sub.ProjectID, eventID); err != nil {
			return Replayed{}, err
		}
	}
	return Replayed{Count: len(events)}, s.store.Redeliver(ctx, sub.ProjectID, sub.ID, positions(events))
}

func (s *Service) replayRange(ctx context.Context, sub Subscription, r Replay) (Replayed, error) {
	position, err := parsePosition(r.After)
	if err != nil {
		return Replayed{}, err
	}
	if r.To.IsZero() {
		r.To = s.now()
	}
	var done Replayed
	for seen := 0; seen < mostReplayed; {
		heads, err := s.store.EventsLogged(ctx, sub.ProjectID, sub.ID, r, position, replayBatch)
		if err != nil {
			return done, err
		}
		var wanted []Event
		for _, e := range heads {
			if sub.Filter.Passes(e) {
				wanted = append(wanted, e)
			}
		}
		if err := s.store.Redeliver(ctx, sub.ProjectID, sub.ID, positions(wanted)); err != nil {
			return done, err
		}
		done.Count += len(wanted)
		if len(heads) < replayBatch {
			return done, nil
		}
		seen += len(heads)
		position = heads[len(heads)-1].Position
	}
	done.Next = formatPosition(position)
	return done, nil
}

func positions(events []Event) []int64 {
	all := make([]int64, len(events))
	for i, e := range events {
		all[i] = e.Position
	}
	return all
}
