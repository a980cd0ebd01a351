package tenant

import (
	"sync"

	"github.com/patchbay-dev/patchbay/internal/notify"
)

// settingsCache remembers the settings of projects. Servers have few projects, so nothing is ever forced out.
type settingsCache struct {
	mu   sync.RWMutex
	held map[string]Settings // by project id
	era  uint64              // raised by every change of settings
}

func (c *settingsCache) get(projectID string) (Settings, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.held[projectID]
	return s, ok
}

// now is asked before the store is, and given to put.
func (c *settingsCache) now() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.era
}

// put remembers what was read, unless settings changed since the era was asked for: then it may be what was before.
func (c *settingsCache) put(projectID string, s Settings, era uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.era == era {
		c.held[projectID] = s
	}
}

// hear drops what a change makes doubtful.
func (c *settingsCache) hear(change notify.Change) {
	if change.Kind != notify.Project && change.Kind != notify.Everything {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	if change.Kind == notify.Everything {
		clear(c.held)
		return
	}
	delete(c.held, change.ID)
}
