package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBackgroundJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBackground(slog.New(slog.NewTextHandler(&log, nil)))
		began, ran := time.Now(), []time.Duration(nil)
		b.every(time.Minute, "sweep", func(context.Context) error {
			ran = append(ran, time.Since(began))
			if len(ran) == 2 {
				return errors.New("the disk is full")
			}
			return nil
		})
		time.Sleep(3*time.Minute + time.Second)
		b.stop()
		time.Sleep(time.Hour)

		want := []time.Duration{0, time.Minute, 2 * time.Minute, 3 * time.Minute}
		if diff := cmp.Diff(want, ran); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log.String(), `job=sweep error="the disk is full"`) {
			t.Errorf("the failure is not in the log: %q", log.String())
		}
	})
}

func TestStopWaitsForARunningJobAndCancelsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBackground(slog.New(slog.NewTextHandler(&log, nil)))
		cleanedUp := false
		b.every(time.Minute, "slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			cleanedUp = true
			return ctx.Err()
		})
		synctest.Wait()
		b.stop()
		if !cleanedUp {
			t.Error("stop did not wait for the job")
		}
		if log.Len() > 0 {
			t.Errorf("being stopped was logged as a failure: %s", log.String())
		}
	})
}
