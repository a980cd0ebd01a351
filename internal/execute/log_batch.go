package execute

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The log is written in batches, away from the calls: entries linger so that one transaction takes many, a busy server
// writes as soon as a batch is full, and a store that does not keep up costs entries rather than memory or calls.
const (
	logLinger   = 200 * time.Millisecond
	logFull     = 512
	logMost     = 16_384 // about 8 MB
	logTimeout  = 10 * time.Second
	logRetryGap = time.Second
)

// logBatch collects log entries and writes them from one goroutine of its own.
type logBatch struct {
	store   Store
	log     *slog.Logger
	dropped atomic.Int64

	mu      sync.Mutex
	pending []LogEntry
	spare   []LogEntry // the memory of the batch written last
	started bool
	stopped bool

	wake chan struct{} // an entry came, or a batch is full
	quit chan struct{} // closed by stop
	done chan struct{} // closed when the goroutine ends
}

func newLogBatch(store Store, log *slog.Logger) *logBatch {
	return &logBatch{store: store, log: log, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
}

// add never waits and does no I/O.
func (b *logBatch) add(e LogEntry) {
	b.mu.Lock()
	n := len(b.pending)
	if n >= logMost {
		b.mu.Unlock()
		b.dropped.Add(1)
		return
	}
	b.pending = append(b.pending, e)
	b.mu.Unlock()
	if n == 0 || n+1 == logFull {
		b.signal()
	}
}

func (b *logBatch) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *logBatch) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.started && !b.stopped {
		b.started = true
		go b.run()
	}
}

// stop writes what is left, unless ctx ends first. Entries that come later are written by the next stop.
func (b *logBatch) stop(ctx context.Context) error {
	b.mu.Lock()
	if !b.stopped {
		b.stopped = true
		close(b.quit)
	}
	started := b.started
	b.mu.Unlock()
	if started {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.write(ctx)
	return ctx.Err()
}

func (b *logBatch) run() {
	defer close(b.done)
	for {
		select {
		case <-b.wake:
			b.linger(logLinger)
		case <-b.quit:
			return
		}
		if !b.write(context.Background()) {
			b.linger(logRetryGap)
			b.signal()
		}
	}
}

// linger waits, but not when a batch is full or the end has come.
func (b *logBatch) linger(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.wake:
	case <-b.quit:
	}
}

// write stores all that is pending and reports whether that worked. What could not be stored stays pending.
func (b *logBatch) write(ctx context.Context) bool {
	b.mu.Lock()
	batch := b.pending
	b.pending, b.spare = b.spare[:0], nil
	b.mu.Unlock()
	if len(batch) == 0 {
		b.recycle(batch)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	if err := b.store.AppendLogs(ctx, batch); err != nil {
		b.log.Error("could not write the execution log", "entries", len(batch), "error", err)
		b.putBack(batch)
		return false
	}
	b.recycle(batch)
	return true
}

func (b *logBatch) recycle(batch []LogEntry) {
	clear(batch)
	b.mu.Lock()
	b.spare = batch[:0]
	b.mu.Unlock()
}

// putBack keeps a batch for another try; the newest entries go when there are too many.
func (b *logBatch) putBack(batch []LogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Concat(batch, b.pending)
	if n := len(all); n > logMost {
		b.dropped.Add(int64(n - logMost))
		all = all[:logMost]
	}
	b.pending = all
}
