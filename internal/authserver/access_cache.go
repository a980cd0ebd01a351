package authserver

import (
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const (
	cachedTokens = 4096
	// believedFor bounds how long a token is believed when word of its end was lost.
	believedFor = time.Minute
)

// access is what a token opens, as far as it was checked.
type access struct {
	person   tenant.Person
	resource string
	grantID  string // empty for a token of another issuer
	expires  time.Time
	checked  time.Time
}

// accessCache remembers what is behind the hash of a token. Only tokens that work are remembered.
type accessCache struct {
	mu   sync.RWMutex
	held map[string]access
	era  uint64 // raised by every change of a grant
}

func newAccessCache() *accessCache { return &accessCache{held: make(map[string]access)} }

// get gives what a token opens, if that was checked a moment ago. The era belongs into the put that follows a miss.
func (c *accessCache) get(hash string, now time.Time) (a access, era uint64, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a, ok = c.held[hash]
	return a, c.era, ok && now.Before(a.expires) && now.Sub(a.checked) < believedFor
}

// put remembers what was read, unless a grant changed since the get: then it may be the state before that change.
func (c *accessCache) put(hash string, a access, era uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.era != era {
		return
	}
	if len(c.held) >= cachedTokens {
		for victim := range c.held { // any one: a wrongly chosen victim costs one lookup
			delete(c.held, victim)
			break
		}
	}
	c.held[hash] = a
}

// hear drops what a change makes doubtful.
func (c *accessCache) hear(change notify.Change) {
	if change.Kind != notify.Grant && change.Kind != notify.Everything {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	for hash, a := range c.held {
		if change.Kind == notify.Everything || a.grantID == change.ID {
			delete(c.held, hash)
		}
	}
}
