package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestTheSameKeyIsTheSameEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.subscribe("a.test")
		first := w.happen("e", 2)
		added, err := w.Append(t.Context(), []event.Event{message("e1"), message("e2"), message("e2")})
		must(t, err)
		if len(added) != 1 || added[0].Key != "e2" {
			t.Errorf("added %v", added)
		}
		theirs := message("e1")
		theirs.ProjectID = "pr_theirs"
		added, err = w.Append(t.Context(), []event.Event{theirs})
		must(t, err)
		if len(added) != 1 || added[0].ID == first[1].ID {
			t.Errorf("in another project: %v", added)
		}
		pass(time.Second)
		if n := len(w.got("a.test")); n != 3 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestEventsThatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for name, break_ := range map[string]func(*event.Event){
			"no key":      func(e *event.Event) { e.Key = "" },
			"a list":      func(e *event.Event) { e.Data = json.RawMessage(`[1]`) },
			"no JSON":     func(e *event.Event) { e.Data = json.RawMessage(`{"a":`) },
			"too large":   func(e *event.Event) { e.Data = json.RawMessage(`{"a":"` + strings.Repeat("x", 5<<20) + `"}`) },
			"two at once": func(e *event.Event) { e.ProjectID = "pr_theirs" },
		} {
			e := message(name)
			break_(&e)
			if _, err := w.Append(t.Context(), []event.Event{message("good " + name), e}); err == nil {
				t.Errorf("%s: stored", name)
			}
		}
		batch, err := w.Events(t.Context(), caller, event.Look{After: "0"}, 0)
		must(t, err)
		if len(batch.Events) != 0 {
			t.Errorf("stored %v", batch.Events)
		}
		e := message("nothing")
		e.Data = nil
		added, err := w.Append(t.Context(), []event.Event{e})
		must(t, err)
		if string(added[0].Data) != "{}" || added[0].OccurredAt.IsZero() || !strings.HasPrefix(added[0].ID, "msg_") || !strings.HasPrefix(added[0].LogID, "log_") {
			t.Errorf("added %+v", added[0])
		}
	})
}

// Whoever follows the log while many append sees every event once, in order.
func TestAFollowerMissesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		seen := make(map[string]int)
		last := int64(0)
		followed := make(chan error, 1)
		go func() {
			followed <- w.Follow(ctx, caller, event.Look{After: "0"}, func(b event.Batch) error {
				for _, e := range b.Events {
					seen[e.Key]++
					if e.Position <= last {
						return fmt.Errorf("position %d after %d", e.Position, last)
					}
					last = e.Position
				}
				return nil
			})
		}()
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				for j := range 10 {
					if _, err := w.Append(t.Context(), []event.Event{message(fmt.Sprintf("%d.%d", i, j))}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		pass(time.Second)
		stop()
		if err := <-followed; !errors.Is(err, context.Canceled) {
			t.Errorf("following ended with %v", err)
		}
		if len(seen) != 200 {
			t.Errorf("%d of 200 seen", len(seen))
		}
	})
}

func TestFollowingGoesOnFromItsCursor(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		e := w.happen("e", 3)
		batch, err := w.Events(t.Context(), caller, event.Look{After: event.Cursor(e[0]), Limit: 1}, 0)
		must(t, err)
		if len(batch.Events) != 1 || batch.Events[0].ID != e[1].ID || batch.Next != event.Cursor(e[1]) {
			t.Errorf("batch %+v", batch)
		}
		other := tenant.Caller{ProjectID: "pr_theirs"}
		if batch, err = w.Events(t.Context(), other, event.Look{After: "0"}, 0); err != nil || len(batch.Events) != 0 {
			t.Errorf("another project reads %v %v", batch.Events, err)
		}
		if _, err = w.Events(t.Context(), caller, event.Look{After: "-1"}, 0); !fault.Is(err, fault.Invalid) {
			t.Errorf("a cursor of nobody's: %v", err)
		}
	})
}

func TestWaitingForEventsEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		batch, err := w.Events(t.Context(), caller, event.Look{Filter: event.Filter{UserIDs: []string{"nobody"}}}, 20*time.Second)
		must(t, err)
		if took := time.Since(began); took != 20*time.Second || len(batch.Events) != 0 || batch.Next != "0" {
			t.Errorf("waited %s for %+v", took, batch)
		}
		time.AfterFunc(time.Second, w.CloseStreams)
		began = time.Now()
		_, err = w.Events(t.Context(), caller, event.Look{}, 20*time.Second)
		must(t, err)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %s to let go", took)
		}
	})
}

func TestOldEventsAreSwept(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		sub := w.subscribe("a.test")
		old := w.happen("old", 1)[0]
		pass(time.Second)
		w.Stop()
		pass(10 * 24 * time.Hour)
		fresh := w.happen("fresh", 1)[0]
		pass(time.Hour)
		n, err := w.Sweep(t.Context(), time.Now()) // more than may be: what is on its way stays
		must(t, err)
		if _, err := w.Event(t.Context(), caller, old.ID); n != 1 || !fault.Is(err, fault.NotFound) {
			t.Errorf("swept %d; the old one: %v", n, err)
		}
		if _, err := w.Event(t.Context(), caller, fresh.ID); err != nil {
			t.Errorf("the fresh one: %v", err)
		}
		if log := w.deliveries(sub, ""); len(log) != 1 {
			t.Errorf("log %+v", log)
		}
	})
}

// An event that was replayed shortly before its time is over is delivered all the same.
func TestAReplayedEventIsNotSweptAway(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		sub := w.subscribe("a.test")
		old := w.happen("old", 1)[0]
		pass(10 * 24 * time.Hour)
		w.receive("a.test", answering(http.StatusBadGateway))
		_, err := w.Replay(t.Context(), caller, sub.ID, event.Replay{EventIDs: []string{old.ID}})
		must(t, err)
		pass(time.Hour)
		n, err := w.Sweep(t.Context(), time.Now())
		must(t, err)
		if pending := w.deliveries(sub, event.Pending); n != 0 || len(pending) != 1 {
			t.Fatalf("swept %d; pending: %+v", n, pending)
		}
		w.Stop() // nobody gives it up: its time passes all the same
		pass(25 * time.Hour)
		n, err = w.Sweep(t.Context(), time.Now())
		must(t, err)
		if n != 1 {
			t.Errorf("swept %d after a day", n)
		}
	})
}

func TestAProjectHasSoManySubscriptions(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for range 200 {
			w.subscribe("a.test")
		}
		url := "https://a.test/"
		change := event.SubscriptionChange{URL: &url, Filter: &event.Filter{Types: []event.Type{event.TriggerMessage}}}
		if _, err := w.CreateSubscription(t.Context(), caller, change); !fault.Is(err, fault.Conflict) {
			t.Errorf("one more: %v", err)
		}
		if _, err := w.CreateSubscription(t.Context(), tenant.Caller{ProjectID: "pr_theirs"}, change); err != nil {
			t.Errorf("another project's first: %v", err)
		}
	})
}

// A key holds so many streams open and no more; others have their own, and what is closed is free again.
func TestStreamsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		var open sync.WaitGroup
		for range streamsPerKey {
			open.Go(func() { w.Follow(ctx, caller, event.Look{}, func(event.Batch) error { return nil }) })
		}
		pass(time.Second)
		err := w.Follow(t.Context(), caller, event.Look{}, func(event.Batch) error { return errors.New("it was let in") })
		if !fault.Is(err, fault.RateLimited) || !strings.Contains(err.Error(), "5 streams") {
			t.Errorf("one more stream: %v", err)
		}
		if _, err := w.Events(t.Context(), caller, event.Look{}, time.Second); !fault.Is(err, fault.RateLimited) {
			t.Errorf("a read that waits: %v", err)
		}
		if _, err := w.Events(t.Context(), caller, event.Look{}, 0); err != nil {
			t.Errorf("a read that does not wait: %v", err)
		}
		other := caller
		other.KeyID = "key_other"
		if _, err := w.Events(t.Context(), other, event.Look{}, time.Second); err != nil {
			t.Errorf("another key: %v", err)
		}
		stop()
		open.Wait()
		if _, err := w.Events(t.Context(), caller, event.Look{}, time.Second); err != nil {
			t.Errorf("after they were closed: %v", err)
		}
	})
}
