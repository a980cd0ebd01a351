package tenant

import (
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const (
	// rememberedKeys and rememberedSettings are far more than one server has; a thousand of either are some hundred kilobytes.
	rememberedKeys     = 4096
	rememberedSettings = 4096
	// rememberedFor bounds how long a revoked key goes on working when word of its end was lost.
	rememberedFor = time.Minute
)

// callers is by the hash of a key. Only keys that work are remembered, so guesses cost a lookup but no memory.
type callers = cache.Cache[string, Caller]

func newCallers(now func() time.Time) *callers {
	return cache.New[string, Caller](cache.Options{Limit: rememberedKeys, Life: rememberedFor, Now: now})
}

// hear drops what a change makes doubtful.
func (s *Service) hear(change notify.Change) {
	switch change.Kind {
	case notify.Key:
		s.known.DropFunc(func(_ string, c Caller) bool { return c.KeyID == change.ID })
	case notify.Project:
		s.settings.Drop(change.ID)
	case notify.Everything:
		s.known.Clear()
		s.settings.Clear()
	}
}
