package inference

import (
	"errors"
	"sync"
	"time"
)

// Outage remembers that an endpoint failed, so that nobody waits for it again and again: after a failure it is left alone for a
// second, after each further one for twice as long, up to a minute or what the endpoint asks for. One request is then let through
// to see. The zero value is not ready: set Now.
type Outage struct {
	Now     func() time.Time
	Changed func(down bool, reason error) // is told when it begins and when it is over; nil: nobody is told

	mu    sync.Mutex
	down  bool
	pause time.Duration
	until time.Time
	last  error
}

// The pauses.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	longestAsked = 10 * time.Minute // that an endpoint may ask for by Retry-After
)

// Allows reports whether a request may be sent now. During an outage it lets one through each time the pause is over.
func (o *Outage) Allows() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return true
	}
	if o.Now().Before(o.until) {
		return false
	}
	o.until = o.Now().Add(o.pause) // the others go on without, until this one has come back
	return true
}

// Wait gives how long until a request may be sent.
func (o *Outage) Wait() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return 0
	}
	return max(0, o.until.Sub(o.Now()))
}

// Reason gives why the endpoint is left alone; nil when it is not.
func (o *Outage) Reason() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return nil
	}
	return o.last
}

// Note takes in how a request went; err is nil when it went well.
func (o *Outage) Note(err error) {
	o.mu.Lock()
	was := o.down
	o.down = err != nil
	o.last = err
	if o.down {
		o.pause = min(max(2*o.pause, firstPause), longestPause)
		pause := o.pause
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			pause = max(pause, min(refused.After, longestAsked))
		}
		o.until = o.Now().Add(pause)
	} else {
		o.pause = 0
	}
	changed := o.Changed
	now := o.down
	o.mu.Unlock()
	if was != now && changed != nil {
		changed(now, err)
	}
}
