package connect

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// unsaved holds tokens that a provider gave and the store did not take yet, by account.
type unsaved struct {
	mu     sync.Mutex
	tokens map[string]Tokens
}

func (u *unsaved) keep(accountID string, t Tokens) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tokens == nil {
		u.tokens = make(map[string]Tokens)
	}
	u.tokens[accountID] = t
}

func (u *unsaved) take(accountID string) (Tokens, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t, ok := u.tokens[accountID]
	delete(u.tokens, accountID)
	return t, ok
}

func (u *unsaved) holds(accountID string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, ok := u.tokens[accountID]
	return ok
}

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
	if f, ok := t.failing[accountID]; ok && now.Before(f.until) {
		return f.fault
	}
	return nil
}

// note counts a failure and gives the fault for it.
func (t *troubles) note(accountID, toolkit string, err error, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failing == nil || len(t.failing) > mostNoted {
		t.failing = make(map[string]trouble)
	}
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
	t.failing[accountID] = f
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
	return ok && now.Sub(at) < time.Minute
}

// over forgets an account's failures.
func (t *troubles) over(accountID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failing, accountID)
}
