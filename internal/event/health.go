package event

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Retries of one delivery: 5 seconds after the first failure, twice as long after each further one, at most an hour.
//
// Pauses of a receiver that fails whatever it is sent: after ten failures in a row it is left alone, and tried with one delivery at
// a time until it takes one. So a receiver that is down costs little, and is found to be up again within a minute.
const (
	defaultFirstPause   = 5 * time.Second
	defaultLongestPause = time.Hour
	failuresToPause     = 10
	defaultRecovery     = time.Minute
	longestAsked        = time.Hour // that a receiver may ask for by Retry-After
)

// pauseAfter is how long a delivery waits after its nth failed attempt. No two wait alike, so that they do not all come
// back at the same moment.
func (o *Options) pauseAfter(attempts int) time.Duration {
	return jittered(min(o.FirstPause<<min(attempts-1, 20), o.LongestPause))
}

// recovery is how long a receiver is left alone after it failed so many times more than it may.
func (o *Options) recovery(failures int) time.Duration {
	return jittered(min(o.FirstPause<<min(failures, 20), o.Recovery))
}

func jittered(pause time.Duration) time.Duration {
	return pause - pause/5 + rand.N(2*pause/5)
}

// health is what is known of a receiver while it is delivered to.
type health struct {
	sub Subscription // as it was claimed
	o   *Options

	mu       sync.Mutex
	failures int // since this began, in a row
	took     bool
	until    time.Time // pause; zero: none
	gone     bool
}

// failed counts the failures in a row, those before this began included.
func (h *health) failed() int {
	if h.took {
		return h.failures
	}
	return h.sub.Failures + h.failures
}

// note takes an attempt into account.
func (h *health) note(a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.outcome == accepted {
		h.took, h.failures = true, 0
		return
	}
	h.failures++
	h.gone = h.gone || a.outcome == gone
	if n := h.failed() - failuresToPause; n >= 0 {
		h.pause(h.o.recovery(n))
	}
	if a.after > 0 {
		h.pause(a.after)
	}
}

func (h *health) pause(d time.Duration) {
	if until := h.o.Now().Add(d); until.After(h.until) {
		h.until = until
	}
}

// closed reports whether the receiver is to be left alone for now.
func (h *health) closed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone || !h.until.IsZero()
}

// batch is how many deliveries to send next: one while the receiver has to show that it is back.
func (h *health) batch() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed() >= failuresToPause {
		return 1
	}
	return batchSize
}

// settled gives the subscription as it is to be stored.
func (h *health) settled() Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	sub := h.sub
	sub.Failures, sub.PausedUntil = h.failed(), h.until
	if h.gone {
		sub.Status, sub.DisabledReason = Disabled, "The receiver answered 410 Gone."
	}
	return sub
}
