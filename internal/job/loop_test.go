package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/job"
)

// table is work in memory, leased as a store does it.
type table struct {
	mu       sync.Mutex
	due      map[string]time.Time
	leases   map[string]job.Lease
	done     []string
	claims   int
	broken   error
	claimMax int
}

func newTable() *table {
	return &table{due: make(map[string]time.Time), leases: make(map[string]job.Lease)}
}

func (w *table) add(key string, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due[key] = due
}

func (w *table) claim(_ context.Context, l job.Lease, n int) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims++
	w.claimMax = max(w.claimMax, n)
	if w.broken != nil {
		return nil, w.broken
	}
	var keys []string
	for key, due := range w.due {
		if len(keys) < n && !due.After(l.Now) && !w.leases[key].Until.After(l.Now) {
			keys = append(keys, key)
			w.leases[key] = l
		}
	}
	return keys, nil
}

func (w *table) renew(_ context.Context, l job.Lease, key string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leases[key].Owner != l.Owner {
		return false, nil
	}
	w.leases[key] = l
	return true, nil
}

func (w *table) next(_ context.Context, now time.Time) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var next time.Time
	for key, due := range w.due {
		if !w.leases[key].Until.After(now) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

func (w *table) settle(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, key)
	delete(w.due, key)
	delete(w.leases, key)
}

func (w *table) finished() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

func (w *table) loop(t *testing.T, owner string, do func(ctx context.Context, key string) error, workers int) *job.Loop[string] {
	t.Helper()
	l, err := job.New(job.Options[string]{
		Name: "test", Key: func(k string) string { return k }, Claim: w.claim, Renew: w.renew, Next: w.next, Owner: owner, Workers: workers,
		Do: func(ctx context.Context, _ job.Lease, key string) error { return do(ctx, key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(l.Stop)
	return l
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWorkIsDoneWhenItIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.add("now", time.Now())
		w.add("later", time.Now().Add(2*time.Second))
		w.loop(t, "a", func(_ context.Context, key string) error { w.settle(key); return nil }, 4)
		pass(time.Second)
		if got := w.finished(); !slices.Equal(got, []string{"now"}) {
			t.Errorf("after a second: %v", got)
		}
		pass(1100 * time.Millisecond)
		if got := w.finished(); !slices.Equal(got, []string{"now", "later"}) {
			t.Errorf("after two: %v", got)
		}
	})
}

func TestAKickIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		l := w.loop(t, "a", func(_ context.Context, key string) error { w.settle(key); return nil }, 4)
		pass(time.Second)
		w.add("new", time.Now())
		l.Kick()
		pass(time.Millisecond)
		if len(w.finished()) != 1 {
			t.Error("the kick was not heard")
		}
		w.add("unannounced", time.Now())
		pass(6 * time.Second)
		if len(w.finished()) != 2 {
			t.Error("work that nobody announced was not found")
		}
	})
}

func TestWorkersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		for i := range 10 {
			w.add(fmt.Sprint(i), time.Now())
		}
		var mu sync.Mutex
		running, most := 0, 0
		w.loop(t, "a", func(_ context.Context, key string) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			w.settle(key)
			return nil
		}, 3)
		pass(4*time.Second + 100*time.Millisecond)
		if most != 3 || len(w.finished()) != 10 || w.claimMax != 3 {
			t.Errorf("at most %d at once, %d done, %d claimed at once", most, len(w.finished()), w.claimMax)
		}
	})
}

func TestLongWorkKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.add("long", time.Now())
		begun := make(map[string]int)
		var mu sync.Mutex
		do := func(owner string) func(context.Context, string) error {
			return func(ctx context.Context, key string) error {
				mu.Lock()
				begun[owner]++
				mu.Unlock()
				select {
				case <-time.After(5 * time.Minute):
					w.settle(key)
				case <-ctx.Done():
				}
				return nil
			}
		}
		w.loop(t, "a", do("a"), 2)
		w.loop(t, "b", do("b"), 2)
		pass(6 * time.Minute)
		if len(w.finished()) != 1 || begun["a"]+begun["b"] != 1 {
			t.Errorf("done %v, begun %v", w.finished(), begun)
		}
	})
}

func TestALostLeaseEndsTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.add("one", time.Now())
		ended := make(chan time.Time, 1)
		w.loop(t, "a", func(ctx context.Context, _ string) error {
			<-ctx.Done()
			ended <- time.Now()
			return ctx.Err()
		}, 1)
		pass(time.Second)
		began := time.Now()
		w.mu.Lock()
		w.leases["one"] = job.Lease{Owner: "b", Until: time.Now().Add(time.Hour)}
		w.mu.Unlock()
		if took := (<-ended).Sub(began); took > 10*time.Second {
			t.Errorf("it went on for %s", took)
		}
	})
}

func TestAKilledNodesWorkIsTakenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.add("one", time.Now())
		w.leases["one"] = job.Lease{Owner: "killed", Until: time.Now().Add(30 * time.Second)}
		w.loop(t, "b", func(_ context.Context, key string) error { w.settle(key); return nil }, 1)
		pass(29 * time.Second)
		if len(w.finished()) != 0 {
			t.Error("a lease was not respected")
		}
		pass(10 * time.Second)
		if len(w.finished()) != 1 {
			t.Error("the work lies")
		}
	})
}

func TestFailuresDoNotEndTheLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.broken = errors.New("the database is away")
		w.add("one", time.Now())
		l := w.loop(t, "a", func(_ context.Context, key string) error { w.settle(key); return errors.New("and yet") }, 1)
		pass(time.Minute)
		if lag := l.Lag(); lag < 59*time.Second || w.claims > 20 {
			t.Errorf("lag %s, %d claims in a minute", lag, w.claims)
		}
		w.mu.Lock()
		w.broken = nil
		w.mu.Unlock()
		pass(10 * time.Second)
		if len(w.finished()) != 1 || l.Lag() != 0 {
			t.Errorf("done %v, lag %s", w.finished(), l.Lag())
		}
	})
}

func TestStopWaitsForTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTable()
		w.add("one", time.Now())
		l := w.loop(t, "a", func(ctx context.Context, key string) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			w.settle(key)
			return nil
		}, 1)
		pass(time.Second)
		l.Stop()
		l.Stop()
		if len(w.finished()) != 1 {
			t.Error("Stop did not wait")
		}
		w.add("two", time.Now())
		pass(time.Minute)
		if len(w.finished()) != 1 {
			t.Error("a stopped loop works")
		}
	})
}

func TestOptionsAreRequired(t *testing.T) {
	t.Parallel()
	if _, err := job.New(job.Options[string]{Name: "x"}); err == nil {
		t.Error("a loop without Claim was made")
	}
}
