package execute

import (
	"context"
	"sync"
)

// background is work that no call waits for.
type background struct {
	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

// run begins a piece of work; it reports false after close.
func (b *background) run(work func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.work.Go(work)
	return true
}

// close lets nothing more begin, and waits for what was begun as long as the context lets it.
func (b *background) close(ctx context.Context) {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	waitFor(ctx, &b.work)
}

// waitFor waits as long as a context lets it.
func waitFor(ctx context.Context, work *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
