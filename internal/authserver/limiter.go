package authserver

import (
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// limiter lets each address do a thing so often at once, and then once per interval; all addresses together are bounded too, because
// an attacker may have many. It counts on this node only: several nodes let through as many times more.
type limiter struct {
	burst    float64
	interval time.Duration
	all      float64 // the burst of all addresses together, refilled as many times faster than that of one

	mu      sync.Mutex
	total   bucket
	buckets map[string]bucket
}

// bucket is what is left, and when it was counted.
type bucket struct {
	left float64
	at   time.Time
}

// addressesKept bounds the memory; it takes that many addresses at once to be forgotten early.
const addressesKept = 10_000

func newLimiter(burst int, interval time.Duration, all int) *limiter {
	return &limiter{burst: float64(burst), interval: interval, all: float64(all), buckets: make(map[string]bucket)}
}

// admit counts one more from an address, or refuses with a fault of kind RateLimited.
func (l *limiter) admit(from string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.total.filled(l.all, time.Duration(float64(l.interval)*l.burst/l.all), now)
	b := l.buckets[from].filled(l.burst, l.interval, now)
	if b.left < 1 || total.left < 1 {
		refused := fault.New(fault.RateLimited, fault.SlugRateLimited, "There were too many attempts.").WithFix("Wait a little, then try again.")
		refused.After = l.interval
		return refused
	}
	if _, known := l.buckets[from]; !known && len(l.buckets) >= addressesKept {
		l.forgetOne(now)
	}
	b.left--
	total.left--
	l.buckets[from], l.total = b, total
	return nil
}

// forgive takes back the last count of an address: what succeeds was no attempt at guessing.
func (l *limiter) forgive(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.buckets[from]; ok {
		b.left = min(b.left+1, l.burst)
		l.buckets[from] = b
	}
	l.total.left = min(l.total.left+1, l.all)
}

// forgetOne drops an address that is full again or, of the few it looks at, the fullest.
func (l *limiter) forgetOne(now time.Time) {
	victim, most, looked := "", -1.0, 0
	for address, b := range l.buckets {
		left := b.filled(l.burst, l.interval, now).left
		if left > most {
			victim, most = address, left
		}
		if looked++; looked == 20 {
			break
		}
	}
	delete(l.buckets, victim)
}

func (b bucket) filled(burst float64, interval time.Duration, now time.Time) bucket {
	if b.at.IsZero() {
		return bucket{burst, now}
	}
	return bucket{min(burst, b.left+max(0, float64(now.Sub(b.at))/float64(interval))), now}
}
