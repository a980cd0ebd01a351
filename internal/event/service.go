package event

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

// HTTP does requests to receivers; an *outbound.Client is one.
type HTTP interface {
	Do(*http.Request) (*http.Response, error)
}

// Options of a Service.
type Options struct {
	Store Store       // required
	HTTP  HTTP        // required
	Bus   *notify.Bus // required: what it tells of wakes deliveries and streams

	// OrganisationID gives the organisation of a project, for the metadata of lifecycle events. Nil: "".
	OrganisationID func(ctx context.Context, projectID string) string
	// Attempted is told how each attempt to deliver went (delivered, failed, dead) and how long it took, after that was stored.
	// Nil: nobody is told.
	Attempted func(outcome string, took time.Duration)

	Node    string        // names this process in leases; empty: random
	Workers int           // subscriptions delivered to at the same time; 0: 64
	Timeout time.Duration // of one attempt; 0: 15 seconds

	FirstPause   time.Duration // of a delivery after its first failure, doubled by each further one; 0: 5 seconds
	LongestPause time.Duration // at most; 0: an hour
	Recovery     time.Duration // of a receiver that fails whatever it is sent, at most; 0: a minute, or LongestPause if that is less

	StreamsPerKey int // how many streams and waiting reads of the log a project key may hold open on this node; 0: 100

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
}

// The defaults that Options speak of.
const (
	defaultWorkers = 64
	defaultTimeout = 15 * time.Second
	defaultStreams = 100
)

// Service is the one door to events, subscriptions and deliveries. It is safe for concurrent use.
type Service struct {
	o     Options
	store Store
	now   func() time.Time
	log   *slog.Logger
	loop  *job.Loop[Subscription]
	ears  ears

	streams streams
	open    openStreams
}

// New checks the options and makes a service. Nothing is delivered before Start.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.HTTP == nil || o.Bus == nil {
		return nil, errors.New("event: Store, HTTP and Bus are required")
	}
	setDefault(&o.Node, id.New("node"))
	setDefault(&o.Workers, defaultWorkers)
	setDefault(&o.StreamsPerKey, defaultStreams)
	setDefault(&o.Timeout, defaultTimeout)
	setDefault(&o.FirstPause, defaultFirstPause)
	setDefault(&o.LongestPause, defaultLongestPause)
	setDefault(&o.Recovery, min(defaultRecovery, o.LongestPause))
	setDefault(&o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OrganisationID == nil {
		o.OrganisationID = func(context.Context, string) string { return "" }
	}
	if o.Attempted == nil {
		o.Attempted = func(string, time.Duration) {}
	}
	s := &Service{o: o, store: o.Store, now: o.Now, log: o.Log}
	var err error
	if s.loop, err = s.newLoop(); err != nil {
		return nil, err
	}
	o.Bus.Subscribe(s.heard)
	return s, nil
}

func setDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// newLoop makes the loop that delivers. A piece of its work is a subscription with deliveries due: so one receiver's deliveries
// never take the place of another's.
func (s *Service) newLoop() (*job.Loop[Subscription], error) {
	return job.New(job.Options[Subscription]{
		Name: "delivery",
		Key:  func(sub Subscription) string { return sub.ID },
		Claim: func(ctx context.Context, l job.Lease, n int) ([]Subscription, error) {
			return s.store.ClaimSubscriptions(ctx, l.Owner, l.Now, l.Until, n)
		},
		Renew: func(ctx context.Context, l job.Lease, sub Subscription) (bool, error) {
			return s.store.RenewSubscription(ctx, sub.ProjectID, sub.ID, l.Owner, l.Until)
		},
		Do:      s.deliverDue,
		Next:    s.store.NextDelivery,
		Workers: s.o.Workers, Owner: s.o.Node, Now: s.now, Log: s.log,
	})
}

// Start begins to deliver. Starting twice is the same as once.
func (s *Service) Start() { s.loop.Start() }

// Stop ends delivering and waits for what is on its way; attempts that were cut off are made again by whoever comes next. It may
// be called before Start, and twice.
func (s *Service) Stop() { s.loop.Stop() }

// CloseStreams ends all that Follow and Events hold open, so that a server that stops need not wait for its clients.
func (s *Service) CloseStreams() { s.streams.close(true) }

// Lag is for how long the delivery that waits longest has been due.
func (s *Service) Lag() time.Duration { return s.loop.Lag() }

// heard wakes those whom a change concerns.
func (s *Service) heard(c notify.Change) {
	switch c.Kind {
	case notify.Event:
		s.ears.wake(c.ID)
		s.loop.Kick()
	case notify.Subscription:
		s.loop.Kick()
	case notify.Key: // whoever used it must not go on; the others come back with their cursors
		s.streams.close(false)
	case notify.Everything:
		s.streams.close(false)
		s.ears.wakeAll()
		s.loop.Kick()
	}
}

// Render writes an event in a form of payload, as its receivers get it.
func (s *Service) Render(ctx context.Context, e Event, form Payload) ([]byte, error) {
	organisationID := ""
	if e.Type != TriggerMessage {
		organisationID = s.o.OrganisationID(ctx, e.ProjectID)
	}
	return render(e, form, organisationID)
}

// Append logs events, of one project, and has them delivered. One whose key the log knows is left out: it is the same event
// again. What is given back are the others.
func (s *Service) Append(ctx context.Context, events []Event) (added []Event, err error) {
	if len(events) == 0 {
		return nil, nil
	}
	return s.store.AppendEvents(ctx, events)
}

// Sweep deletes events that were logged before a time, with their deliveries.
func (s *Service) Sweep(ctx context.Context, before time.Time) (int, error) {
	if pending := s.now().Add(-DeliverFor - time.Hour); before.After(pending) {
		before = pending // not while they may still be on their way
	}
	return s.store.DeleteEventsBefore(ctx, before)
}
