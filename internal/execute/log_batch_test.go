package execute

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// logStore keeps batches and fails when told to.
type logStore struct {
	Store
	mu      sync.Mutex
	batches [][]LogEntry
	err     error
}

func (s *logStore) AppendLogs(_ context.Context, entries []LogEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.batches = append(s.batches, append([]LogEntry(nil), entries...))
	return nil
}

func (s *logStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *logStore) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sizes []int
	for _, b := range s.batches {
		sizes = append(sizes, len(b))
	}
	return sizes
}

// newTestLog makes a log that ends with the test, which must run in a bubble.
func newTestLog(t *testing.T) (*logBatch, *logStore) {
	t.Helper()
	s := &logStore{}
	b := newLogBatch(s, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := b.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b, s
}

func addMany(b *logBatch, n int) {
	for range n {
		b.add(LogEntry{ID: "log_1"})
	}
}

func wantSizes(t *testing.T, got []int, want ...int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("batches of %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("batches of %v, want %v", got, want)
		}
	}
}

func TestLogLingers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newTestLog(t)
		b.start()
		addMany(b, 3)
		time.Sleep(logLinger - time.Millisecond)
		wantSizes(t, s.sizes())
		time.Sleep(2 * time.Millisecond)
		wantSizes(t, s.sizes(), 3)
		time.Sleep(time.Hour) // nothing to write: nothing is written
		wantSizes(t, s.sizes(), 3)
		addMany(b, 2)
		time.Sleep(2 * logLinger)
		wantSizes(t, s.sizes(), 3, 2)
	})
}

func TestFullLogIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newTestLog(t)
		b.start()
		b.add(LogEntry{})
		synctest.Wait()
		addMany(b, logFull-1)
		synctest.Wait()
		wantSizes(t, s.sizes(), logFull)
	})
}

func TestStopWritesTheRest(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*logBatch){"started": (*logBatch).start, "never started": func(*logBatch) {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, s := newTestLog(t)
				start(b)
				addMany(b, 5)
				began := time.Now()
				if err := b.stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantSizes(t, s.sizes(), 5)
				if time.Since(began) > logLinger {
					t.Error("stopping took its time")
				}
			})
		})
	}
}

func TestStoreThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newTestLog(t)
		s.fail(errors.New("disk full"))
		b.start()
		addMany(b, 2)
		time.Sleep(time.Second)
		addMany(b, 1)
		wantSizes(t, s.sizes())
		s.fail(nil)
		time.Sleep(2 * logRetryGap)
		wantSizes(t, s.sizes(), 3)
		if b.dropped.Load() != 0 {
			t.Errorf("%d dropped", b.dropped.Load())
		}
	})
}

func TestOverflowIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newTestLog(t)
		addMany(b, logMost+7)
		if got := b.dropped.Load(); got != 7 {
			t.Errorf("%d dropped, want 7", got)
		}
		s.fail(errors.New("disk full"))
		b.start()
		time.Sleep(logLinger + time.Millisecond)
		addMany(b, 3)
		time.Sleep(10 * time.Second)
		s.fail(nil)
		time.Sleep(10 * time.Second)
		wantSizes(t, s.sizes(), logMost)
		if got := b.dropped.Load(); got != 10 {
			t.Errorf("%d dropped, want 10", got)
		}
	})
}
