package tenant

import (
	"sync"

	"github.com/patchbay-dev/patchbay/internal/notify"
)

// cachedKeys bounds the cache: far more keys than one server sees, and about a megabyte at most.
const cachedKeys = 4096

// callerCache remembers which caller is behind the hash of a key. Only keys that work are remembered, so guesses cost a
// lookup but no memory.
type callerCache struct {
	limit int

	mu      sync.RWMutex
	callers map[string]Caller
	era     uint64 // raised by every change of a key
}

func newCallerCache(limit int) *callerCache {
	return &callerCache{limit: limit, callers: make(map[string]Caller)}
}

// get gives the caller behind a hash. The era belongs into the put that follows a miss.
func (c *callerCache) get(hash string) (caller Caller, era uint64, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	caller, ok = c.callers[hash]
	return caller, c.era, ok
}

// put remembers what was read from the store, unless a key changed since the get: then what was read may be the state
// before that change.
func (c *callerCache) put(hash string, caller Caller, era uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.era != era {
		return
	}
	if len(c.callers) >= c.limit {
		for victim := range c.callers { // any one: a wrongly chosen victim costs one lookup
			delete(c.callers, victim)
			break
		}
	}
	c.callers[hash] = caller
}

// hear drops what a change makes doubtful.
func (c *callerCache) hear(change notify.Change) {
	if change.Kind != notify.Key && change.Kind != notify.Everything {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	if change.Kind == notify.Everything {
		clear(c.callers)
		return
	}
	for hash, caller := range c.callers {
		if caller.KeyID == change.ID {
			delete(c.callers, hash)
		}
	}
}
