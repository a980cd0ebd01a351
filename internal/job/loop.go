package job

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-dev/patchbay/internal/id"
)

// Lease is a right to do a piece of work until a time. When it passes, somebody else may take the work up.
type Lease struct {
	Owner string    // this loop on this node, and no other
	Now   time.Time // when it is asked for: what is due by now, and what nobody holds by now, can be had
	Until time.Time
}

// Options of a Loop over pieces of work of type T. A piece is known by its Key.
type Options[T any] struct {
	Name string         // for the log and metrics, such as "delivery"; required
	Key  func(T) string // required

	// Claim leases up to n pieces that are due and that nobody holds, the longest due first. Required.
	//
	// One statement does it on both databases: UPDATE … SET lease_owner, lease_until WHERE id IN (SELECT … LIMIT n) AND lease_until <=
	// now RETURNING …; the condition is repeated outside so that of two nodes that see the same row one gets it.
	Claim func(ctx context.Context, l Lease, n int) ([]T, error)
	// Renew prolongs the lease of a piece that is being done; false when somebody else has it. Required.
	Renew func(ctx context.Context, l Lease, work T) (bool, error)
	// Do does a piece and settles it: stores what came of it, when it is due again if ever, and gives the lease up (only if the
	// owner still has it). An error is logged, and the work is due again when the lease ends. The context ends when the loop
	// is stopped or the lease is lost; what was begun should then be settled if that is quick (context.WithoutCancel), or
	// given up. Required.
	Do func(ctx context.Context, l Lease, work T) error
	// Next gives when the earliest piece that nobody holds is due: in the past when it waits for a worker, zero when there is
	// none. Required: it is how the loop knows when to look again, and what its lag is.
	Next func(ctx context.Context, now time.Time) (time.Time, error)

	Workers  int              // pieces done at the same time; 0: 16
	Interval time.Duration    // between looks when there is nothing to do and nobody kicks; 0: 5 seconds
	LeaseFor time.Duration    // how long a killed node's work lies; 0: 30 seconds. Renewed at each third of it
	Owner    string           // 0: random
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// Loop does due work in the background. Start it once; Stop it once.
type Loop[T any] struct {
	o    Options[T]
	kick chan struct{} // capacity 1

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}

	workers sync.WaitGroup
	places  chan struct{}
	next    atomic.Int64 // microseconds; of Next when last asked, 0 for none
}

// The defaults that Options speak of.
const (
	defaultWorkers  = 16
	defaultInterval = 5 * time.Second
	defaultLeaseFor = 30 * time.Second
	shortestPause   = 20 * time.Millisecond // between looks, so that a row that cannot be claimed does not keep a processor busy
)

// New checks the options and makes a loop.
func New[T any](o Options[T]) (*Loop[T], error) {
	if o.Name == "" || o.Key == nil || o.Claim == nil || o.Renew == nil || o.Do == nil || o.Next == nil {
		return nil, errors.New("job: Name, Key, Claim, Renew, Do and Next are required")
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.LeaseFor <= 0 {
		o.LeaseFor = defaultLeaseFor
	}
	if o.Owner == "" {
		o.Owner = id.New("node")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Loop[T]{o: o, kick: make(chan struct{}, 1), places: make(chan struct{}, o.Workers)}, nil
}

// Start begins to work. Starting twice is the same as once.
func (l *Loop[T]) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	l.done = make(chan struct{})
	go l.run(ctx, l.done)
}

// Stop ends the loop: nothing more is claimed, what is being done is told to end, and Stop waits for it. It may be called before
// Start, and twice.
func (l *Loop[T]) Stop() {
	l.mu.Lock()
	cancel, done := l.cancel, l.done
	l.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// Kick makes the loop look now instead of at the next interval: call it when work was stored, from the notify.Bus so that all
// nodes hear it. It never blocks.
func (l *Loop[T]) Kick() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Lag is for how long the earliest due piece has waited for a worker, as of the last look; zero when nothing waits. It grows
// when nothing is claimed, for whatever reason, so it is what to raise an alarm by.
func (l *Loop[T]) Lag() time.Duration {
	next := l.next.Load()
	if next == 0 {
		return 0
	}
	return max(0, l.o.Now().Sub(time.UnixMicro(next)))
}

// run looks for work until the context ends, then waits for the workers.
func (l *Loop[T]) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	defer l.workers.Wait()
	for {
		pause, err := l.look(ctx)
		if err != nil && ctx.Err() == nil {
			l.o.Log.LogAttrs(ctx, slog.LevelError, "due work could not be claimed", slog.String("job", l.o.Name), slog.String("error", err.Error()))
			pause = l.o.Interval
		}
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
		case <-time.After(pause):
		}
	}
}

// look claims what the free workers can do, and says how long to wait before the next look.
func (l *Loop[T]) look(ctx context.Context) (time.Duration, error) {
	now := l.o.Now()
	next, err := l.o.Next(ctx, now)
	if err != nil {
		return 0, err
	}
	l.note(next)
	if next.IsZero() || next.After(now) {
		return l.pause(now, next), nil
	}
	free := l.reserve(ctx)
	lease := l.lease()
	work, err := l.o.Claim(ctx, lease, free)
	for range free - len(work) {
		<-l.places
	}
	if err != nil {
		return 0, err
	}
	for _, one := range work {
		l.workers.Go(func() {
			defer l.Kick() // there may be more for the free place
			defer func() { <-l.places }()
			l.do(ctx, lease, one)
		})
	}
	return shortestPause, nil
}

// reserve takes all free places, waiting for one if there is none. It gives none when the context ends.
func (l *Loop[T]) reserve(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case l.places <- struct{}{}:
	}
	for free := 1; ; free++ {
		select {
		case l.places <- struct{}{}:
		default:
			return free
		}
	}
}

func (l *Loop[T]) lease() Lease {
	now := l.o.Now()
	return Lease{Owner: l.o.Owner, Now: now, Until: now.Add(l.o.LeaseFor)}
}

// pause is how long to wait: until the next piece is due, but no longer than the interval, which nodes stretch differently.
func (l *Loop[T]) pause(now, next time.Time) time.Duration {
	pause := l.o.Interval - l.o.Interval/10 + rand.N(l.o.Interval/5+1)
	if !next.IsZero() {
		pause = min(pause, next.Sub(now))
	}
	return max(pause, shortestPause)
}

func (l *Loop[T]) note(next time.Time) {
	if next.IsZero() {
		l.next.Store(0)
		return
	}
	l.next.Store(next.UnixMicro())
}

// do does one piece while its lease is renewed.
func (l *Loop[T]) do(ctx context.Context, lease Lease, work T) {
	ctx, cancel := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		l.renew(ctx, cancel, work)
	}()
	err := l.o.Do(ctx, lease, work)
	stopped := ctx.Err() != nil
	cancel()
	<-renewed
	if err != nil && !stopped {
		l.o.Log.LogAttrs(ctx, slog.LevelError, "due work failed", slog.String("job", l.o.Name),
			slog.String("work", l.o.Key(work)), slog.String("error", err.Error()))
	}
}

// renew prolongs a lease until the context ends, and ends the work when the lease is lost.
func (l *Loop[T]) renew(ctx context.Context, lost context.CancelFunc, work T) {
	until := l.o.Now().Add(l.o.LeaseFor)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.o.LeaseFor / 3):
		}
		lease := l.lease()
		held, err := l.o.Renew(ctx, lease, work)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && held:
			until = lease.Until
		case err == nil || !l.o.Now().Before(until):
			l.o.Log.LogAttrs(ctx, slog.LevelWarn, "a lease was lost", slog.String("job", l.o.Name), slog.String("work", l.o.Key(work)))
			lost()
			return
		}
	}
}
