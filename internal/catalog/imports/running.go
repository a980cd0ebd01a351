package imports

import (
	"context"
	"sync"
)

// running are the imports under way in this process, so that cancelling one takes effect at once.
type running struct {
	mu  sync.Mutex
	ids map[string]context.CancelFunc
}

// begin gives the context of an import, and what to call when it has ended.
func (r *running) begin(ctx context.Context, id string) (of context.Context, ended func()) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = map[string]context.CancelFunc{}
	}
	r.ids[id] = cancel
	return ctx, func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.ids, id)
	}
}

func (r *running) stop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.ids[id]; cancel != nil {
		cancel()
	}
}
