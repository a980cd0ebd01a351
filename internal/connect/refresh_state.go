package connect

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Back-off after a refresh that failed for a reason that may pass.
const (
	firstPause   = 5 * time.Second
	longestPause = 10 * time.Minute
	mostNoted    = 4096 // accounts
)

// troubles remembers, on this node, when an account's refresh may be tried again, and which were renewed just now.
type troubles struct {
	mu      sync.Mutex
	failing map[string]trouble
	fresh   map[string]time.Time
}

type trouble struct {
	failures int
	until    time.Time
	fault    *fault.Error
}

// check gives the fault of the last try while it is too early for another.
func (t *troubles) check(accountID string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.failing[accountID]; ok && paused(f.until, now) {
		return f.fault
	}
	return nil
}

// paused tells whether a time before which nothing is to be tried is still to come. One that is further off than any pause was
// noted by a clock that was wrong.
func paused(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) <= longestPause
}

// learn takes over what another node, or this one before it was restarted, noted in the store, and gives a fault while it is
// too early for another try.
func (t *troubles) learn(a ConnectedAccount, stored Retry, now time.Time) error {
	if stored.Failures == 0 {
		t.over(a.ID)
		return nil
	}
	wait := stored.After.Sub(now)
	f := fault.New(fault.Unavailable, fault.SlugUpstream, "%s could not renew the access just now.", a.Toolkit).
		WithFix("The account stays connected. Try again in %s.", wait.Round(time.Second))
	f.After = wait
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remember(a.ID, trouble{stored.Failures, stored.After, f})
	if !paused(stored.After, now) {
		return nil
	}
	return f
}

// retry is what is stored of an account's failures.
func (t *troubles) retry(accountID string) Retry {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failing[accountID]
	return Retry{f.failures, f.until}
}

// remember keeps the number of accounts in trouble bounded.
func (t *troubles) remember(accountID string, f trouble) {
	if t.failing == nil || len(t.failing) > mostNoted {
		t.failing = make(map[string]trouble)
	}
	t.failing[accountID] = f
}

// note counts a failure and gives the fault for it.
func (t *troubles) note(accountID, toolkit string, err error, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failing[accountID]
	pause := min(firstPause<<min(f.failures, 10), longestPause)
	pause = pause/2 + rand.N(pause/2) // not all accounts at once
	var p *providerError
	if errors.As(err, &p) {
		pause = max(pause, min(p.after, longestPause))
	}
	f.failures++
	f.until = now.Add(pause)
	f.fault = fault.New(fault.Unavailable, fault.SlugUpstream, "%s could not renew the access just now: %s", toolkit, transientText(err)).
		WithFix("The account stays connected. Try again in %s.", pause.Round(time.Second)).Because(err)
	f.fault.After = pause
	t.remember(accountID, f)
	return f.fault
}

func transientText(err error) string {
	var p *providerError
	if errors.As(err, &p) {
		return p.text
	}
	return fault.From(err).Message
}

// renewed notes a success.
func (t *troubles) renewed(accountID string, now time.Time) {
	t.over(accountID)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fresh == nil || len(t.fresh) > mostNoted {
		t.fresh = make(map[string]time.Time)
	}
	t.fresh[accountID] = now
}

// justRenewed tells whether the token is so new that renewing it again cannot help.
func (t *troubles) justRenewed(accountID string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, ok := t.fresh[accountID]
	since := now.Sub(at)
	return ok && since >= 0 && since < time.Minute // not before it: the clock was turned back
}

// over forgets an account's failures.
func (t *troubles) over(accountID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failing, accountID)
}
