package notify_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/notify"
)

func TestBus(t *testing.T) {
	t.Parallel()
	var bus notify.Bus
	bus.Publish(notify.Change{Kind: notify.Key, ID: "nobody listens"})
	var first, second []notify.Change
	bus.Subscribe(func(c notify.Change) { first = append(first, c) })
	one := notify.Change{Kind: notify.Session, ID: "trs_1"}
	bus.Publish(one)
	bus.Subscribe(func(c notify.Change) { second = append(second, c) })
	two := notify.Change{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "ann"}
	bus.Publish(two)
	if diff := cmp.Diff([]notify.Change{one, two}, first); diff != "" {
		t.Errorf("first subscriber (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]notify.Change{two}, second); diff != "" {
		t.Errorf("second subscriber (-want +got):\n%s", diff)
	}
}

func TestBusFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var bus notify.Bus
	var mu sync.Mutex
	heard := 0
	bus.Subscribe(func(notify.Change) { mu.Lock(); heard++; mu.Unlock() })
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { bus.Publish(notify.Change{Kind: notify.Everything}) })
		all.Go(func() { bus.Subscribe(func(notify.Change) {}) })
	}
	all.Wait()
	if heard != 10 {
		t.Errorf("heard %d changes, want 10", heard)
	}
}
