package event

import (
	"context"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/job"
)

// How much of a subscription's deliveries is done in one go.
const (
	sliceLasts = 10 * time.Second // then others get their turn
	batchSize  = 64               // deliveries read at once
	atOnce     = 8                // attempts to one receiver at the same time
)

// deliverDue sends what is due of a subscription until nothing is, its receiver fails too often, or its time is over. What was
// not done is due at once again.
func (s *Service) deliverDue(ctx context.Context, lease job.Lease, sub Subscription) error {
	state := &health{sub: sub, o: &s.o}
	end := s.now().Add(sliceLasts)
	var err error
	for ctx.Err() == nil && !state.closed() && s.now().Before(end) {
		var due []DueDelivery
		due, err = s.store.DueDeliveries(ctx, sub, lease.Owner, s.now(), state.batch())
		if err != nil || len(due) == 0 {
			break
		}
		if err = s.attemptAll(ctx, state, due); err != nil {
			break
		}
	}
	settling := context.WithoutCancel(ctx)
	if state.closed() {
		if _, giveUpErr := s.store.GiveUpDeliveries(settling, sub.ProjectID, sub.ID, s.now()); giveUpErr != nil && err == nil {
			err = giveUpErr
		}
	}
	if settleErr := s.store.SettleSubscription(settling, state.settled(), lease.Owner); settleErr != nil {
		err = settleErr
	}
	return err
}

// attemptAll attempts deliveries, several at once, until the receiver has failed too often. It gives the first failure of the store.
func (s *Service) attemptAll(ctx context.Context, state *health, due []DueDelivery) error {
	var wg sync.WaitGroup
	var failed struct {
		sync.Mutex
		err error
	}
	places := make(chan struct{}, atOnce)
	for _, d := range due {
		places <- struct{}{}
		if ctx.Err() != nil || state.closed() {
			break
		}
		wg.Go(func() {
			defer func() { <-places }()
			if err := s.attempt(ctx, state, d); err != nil {
				failed.Lock()
				failed.err = err
				failed.Unlock()
			}
		})
	}
	wg.Wait()
	return failed.err
}

// attempt makes one attempt and stores what came of it. One that was cut off because the server stops is not counted.
func (s *Service) attempt(ctx context.Context, state *health, d DueDelivery) error {
	began := s.now()
	answer := s.send(ctx, state.sub, d.Event)
	if ctx.Err() != nil && answer.outcome != accepted {
		return nil
	}
	state.note(answer)
	after := s.now()
	d.Attempts++
	d.AttemptedAt, d.Took, d.Response, d.Error = began, after.Sub(began), answer.status, answer.problem
	d.Status, d.DueAt = Delivered, time.Time{}
	if answer.outcome != accepted {
		d.Status, d.DueAt = Pending, after.Add(max(s.o.pauseAfter(d.Attempts), answer.after))
		if d.DueAt.After(d.GivenUpAt) || answer.outcome == gone {
			d.Status, d.DueAt = Dead, time.Time{}
		}
	}
	err := s.store.SettleDelivery(context.WithoutCancel(ctx), d.Delivery)
	if err == nil {
		s.o.Attempted(outcomeOf(d.Delivery), d.Took)
	}
	return err
}

// outcomeOf names an attempt's outcome for metrics.
func outcomeOf(d Delivery) string {
	if d.Status == Pending {
		return "failed"
	}
	return string(d.Status)
}
