package connect

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// RefresherOptions of a Refresher.
type RefresherOptions struct {
	Interval time.Duration // between sweeps; 0: 30 seconds
	AtOnce   int           // refreshes on their way at the same time; 0: 16
	Batch    int           // accounts per sweep; 0: 2000
}

// Refresher replaces tokens ahead of their end and ends links that nobody finished, in the background. Any number of nodes may
// run one: the store's leases see to it that each token is replaced once. Nothing is lost when it is killed; whatever is due
// is due again at the next sweep of any node.
type Refresher struct {
	service *Service
	o       RefresherOptions

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// NewRefresher makes a refresher for a service.
func NewRefresher(s *Service, o RefresherOptions) *Refresher {
	setDefault(&o.Interval, 30*time.Second)
	setDefault(&o.AtOnce, 16)
	setDefault(&o.Batch, 2000)
	return &Refresher{service: s, o: o}
}

// Start begins sweeping. Starting twice is the same as once.
func (r *Refresher) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	r.done = make(chan struct{})
	go r.run(ctx, r.done)
}

// Stop ends sweeping and waits for what is on its way. It may be called before Start, and twice.
func (r *Refresher) Stop() {
	r.mu.Lock()
	cancel, done := r.cancel, r.done
	r.cancel = nil
	r.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

func (r *Refresher) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	for {
		if err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
			r.service.log.LogAttrs(ctx, slog.LevelError, "refresh sweep failed", slog.String("error", err.Error()))
		}
		pause := r.o.Interval - r.o.Interval/10 + rand.N(r.o.Interval/5) // nodes drift apart
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Sweep does once what is due.
func (r *Refresher) Sweep(ctx context.Context) error {
	s := r.service
	now := s.now()
	_, expireErr := s.store.ExpireRequests(ctx, now, linkTimedOut)
	accounts, err := s.store.AccountsToRefresh(ctx, now.Add(s.o.RefreshLead), r.o.Batch)
	if err != nil {
		return errors.Join(expireErr, err)
	}
	var wg sync.WaitGroup
	places := make(chan struct{}, r.o.AtOnce)
	for _, a := range accounts {
		if ctx.Err() != nil {
			break
		}
		if !s.due(ctx, a) {
			continue
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if _, err := s.refresh(ctx, a, ""); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelInfo, "token not refreshed", slog.String("account", a.ID),
					slog.String("toolkit", a.Toolkit), slog.String("error", err.Error()))
			}
		})
	}
	wg.Wait()
	return expireErr
}

// due tells whether an account's token is to be replaced now, without asking the store again.
func (s *Service) due(ctx context.Context, a ConnectedAccount) bool {
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return false // no toolkit or no app any more: calls say so
	}
	at := s.renewAt(a, g, scheme)
	return !at.IsZero() && !s.now().Before(at) && s.troubles.check(a.ID, s.now()) == nil
}
