package connect

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// RefresherOptions of a Refresher.
type RefresherOptions struct {
	Interval time.Duration // between sweeps; 0: 30 seconds
	AtOnce   int           // refreshes on their way at the same time; 0: 16
	Batch    int           // accounts read at once; 0: 500
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
	setDefault(&o.Batch, 500)
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

// Sweep does once what is due: all of it, however many accounts of it cannot be refreshed.
func (r *Refresher) Sweep(ctx context.Context) error {
	s := r.service
	expireErr := s.expireLinks(ctx)
	run := sweep{service: s, places: make(chan struct{}, r.o.AtOnce), silent: make(map[string]int)}
	defer run.started.Wait()
	due := DueFilter{EndsBefore: s.now().Add(s.o.RefreshLead), Now: s.now(), LongestPause: longestPause, Limit: r.o.Batch}
	for ctx.Err() == nil {
		accounts, err := s.store.AccountsToRefresh(ctx, due)
		if err != nil {
			return errors.Join(expireErr, err)
		}
		for _, a := range accounts {
			run.refresh(ctx, a)
		}
		if len(accounts) < due.Limit {
			break
		}
		due.After = accounts[len(accounts)-1]
	}
	return expireErr
}

// hostDown is how many refreshes at a host may get no answer, one after the other, before a sweep leaves the rest of the accounts
// there to the next: a provider that hangs must not hold up the accounts of all others.
const hostDown = 8

// sweep is one round over the accounts that are due.
type sweep struct {
	service *Service
	places  chan struct{}
	started sync.WaitGroup

	mu     sync.Mutex
	silent map[string]int // by host: refreshes without an answer since the last with one
}

// refresh starts the refresh of an account as soon as there is a place.
func (w *sweep) refresh(ctx context.Context, a ConnectedAccount) {
	host, due := w.service.due(ctx, a)
	if ctx.Err() != nil || !due {
		return
	}
	w.places <- struct{}{}
	if w.down(host) {
		<-w.places
		return
	}
	w.started.Go(func() {
		defer func() { <-w.places }()
		_, err := w.service.refresh(ctx, a, "")
		w.note(host, err)
		if err != nil && ctx.Err() == nil {
			w.service.log.LogAttrs(ctx, slog.LevelInfo, "token not refreshed", slog.String("account", a.ID),
				slog.String("toolkit", a.Toolkit), slog.String("error", err.Error()))
		}
	})
}

func (w *sweep) down(host string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silent[host] >= hostDown
}

func (w *sweep) note(host string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var p *providerError
	if errors.As(err, &p) && p.code == noAnswer {
		w.silent[host]++
	} else {
		w.silent[host] = 0
	}
}

// due tells whether an account's token is to be replaced now, without asking the store again, and at which host.
func (s *Service) due(ctx context.Context, a ConnectedAccount) (host string, due bool) {
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return "", false // no toolkit or no app any more: calls say so
	}
	at := s.renewAt(a, g, scheme)
	return tokenHost(g), !at.IsZero() && !s.now().Before(at) && s.troubles.check(a.ID, s.now()) == nil
}

// tokenHost is where an account's tokens come from, as far as the toolkit declares it.
func tokenHost(g Grant) string {
	var declared *mapping.Text
	switch {
	case g.Declared.OAuth2 != nil:
		declared = g.Declared.OAuth2.TokenURL
	case g.Declared.Exchange != nil:
		declared = g.Declared.Exchange.URL
	}
	if declared == nil {
		return g.Toolkit.Slug
	}
	expanded, err := declared.ExpandFields(urlFields(g))
	if err != nil {
		return g.Toolkit.Slug
	}
	u, err := url.Parse(expanded)
	if err != nil {
		return g.Toolkit.Slug
	}
	return u.Host
}
