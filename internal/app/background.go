package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// background runs jobs again and again until it is stopped.
type background struct {
	log    *slog.Logger
	ctx    context.Context // of the jobs, which have no caller; stop ends it
	cancel context.CancelFunc
	jobs   sync.WaitGroup
}

func newBackground(log *slog.Logger) *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{log: log, ctx: ctx, cancel: cancel}
}

// every runs a job at once and then after each interval. A failure is logged and does not end the job; a run that takes
// longer than the interval delays the next one.
func (b *background) every(interval time.Duration, name string, job func(context.Context) error) {
	b.jobs.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-b.ctx.Done():
				return
			case <-timer.C:
			}
			if err := job(b.ctx); err != nil && b.ctx.Err() == nil {
				b.log.Error("background job failed", "job", name, "error", err)
			}
			timer.Reset(interval)
		}
	})
}

// stop cancels the jobs and waits for them.
func (b *background) stop() {
	b.cancel()
	b.jobs.Wait()
}
