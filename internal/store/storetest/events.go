package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

var eventBehaviours = behaviours{
	"an event comes back as it was stored":         eventReadBack,
	"a key is stored once":                         eventKeyOnce,
	"positions are in the order of commits":        eventPositionsOrdered,
	"events come with their deliveries":            eventFannedOut,
	"events of another project are not there":      eventForeign,
	"old events are deleted with their deliveries": eventsDeleted,
	"a read of large events ends early":            eventsReadInParts,
}

func anEvent(project, key string) event.Event {
	return event.Event{
		ID: "msg_" + key, LogID: "log_" + key, ProjectID: project, Key: key, Type: event.TriggerMessage, OccurredAt: start.Add(-time.Minute),
		CreatedAt: start, Toolkit: "acme", TriggerSlug: "ACME_NEW_THING", TriggerID: "ti_1", AccountID: "ca_1", AuthConfigID: "ac_1",
		UserID: "user_7", Data: []byte(`{"a":"\u0000"}`),
	}
}

func eventReadBack(t *testing.T, f *fixture) {
	ctx := t.Context()
	e := anEvent(ours, "k")
	f.news()
	added := got(f.AppendEvents(ctx, []event.Event{e}))(t)
	e.Position = 1
	same(t, "added", added, []event.Event{e})
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Event, ID: ours}})
	same(t, "read", got(f.Event(ctx, ours, e.ID))(t), e)
	same(t, "log", got(f.EventsAfter(ctx, ours, 0, 10))(t), []event.Event{e})
	same(t, "last position", got(f.LastPosition(ctx, ours))(t), int64(1))
	same(t, "last position of an empty log", got(f.LastPosition(ctx, theirs))(t), int64(0))
}

func eventKeyOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "a"), anEvent(ours, "b")}))(t)
	f.news()
	again := anEvent(ours, "b")
	again.ID = "msg_other"
	same(t, "again", len(got(f.AppendEvents(ctx, []event.Event{again}))(t)), 0)
	same(t, "news", len(f.news()), 0)
	added := got(f.AppendEvents(ctx, []event.Event{again, anEvent(ours, "c"), anEvent(ours, "a")}))(t)
	same(t, "added", len(added), 1)
	same(t, "its key", added[0].Key, "c")
	all := got(f.EventsAfter(ctx, ours, 0, 10))(t)
	same(t, "all", len(all), 3)
	same(t, "kept", all[1].ID, "msg_b")
	var failed int
	for _, err := range together(8, func(int) error {
		added, err := f.AppendEvents(ctx, []event.Event{anEvent(ours, "raced")})
		if err == nil && len(added) == 0 {
			return errRefused
		}
		return err
	}) {
		if err != nil {
			failed++
		}
	}
	same(t, "those who came too late", failed, 7)
}

// Whoever reads behind the last position that was seen must not miss an event that was committed later with a lower one.
func eventPositionsOrdered(t *testing.T, f *fixture) {
	ctx := t.Context()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i, err := range together(8, func(i int) error {
			for j := range 10 {
				if _, err := f.AppendEvents(ctx, []event.Event{anEvent(ours, fmt.Sprintf("%d-%d-a", i, j)), anEvent(ours, fmt.Sprintf("%d-%d-b", i, j))}); err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
	}()
	seen, position := 0, int64(0)
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		for {
			batch := got(f.EventsAfter(ctx, ours, position, 7))(t)
			if len(batch) == 0 {
				break
			}
			seen += len(batch)
			position = batch[len(batch)-1].Position
		}
	}
	same(t, "seen", seen, 160)
}

func eventFannedOut(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSubscription(ctx, aSubscription("all")))
	narrow := aSubscription("narrow")
	narrow.Filter.UserIDs = []string{"user_8"}
	must(t, f.CreateSubscription(ctx, narrow))
	off := aSubscription("off")
	off.Status = event.Disabled
	must(t, f.CreateSubscription(ctx, off))
	foreign := aSubscription("foreign")
	foreign.ProjectID = theirs
	must(t, f.CreateSubscription(ctx, foreign))
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "a"), anEvent(ours, "b")}))(t)
	for id, want := range map[string]int{"ws_all": 2, "ws_narrow": 0, "ws_off": 0} {
		_, page, err := f.ListDeliveries(ctx, ours, id, event.DeliveryFilter{Limit: 1})
		must(t, err)
		same(t, "deliveries to "+id, page.Total, want)
	}
	same(t, "next", got(f.NextDelivery(ctx, start))(t), start)
}

func eventForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	got(f.AppendEvents(ctx, []event.Event{anEvent(theirs, "k")}))(t)
	_, err := f.Event(ctx, ours, "msg_k")
	wantKind(t, "event", err, fault.NotFound)
	same(t, "log", len(got(f.EventsAfter(ctx, ours, 0, 10))(t)), 0)
	_, err = f.AppendEvents(ctx, []event.Event{anEvent(ours, "one"), anEvent(theirs, "two")})
	wantKind(t, "two projects at once", err, fault.Internal)
	same(t, "log", len(got(f.EventsAfter(ctx, ours, 0, 10))(t)), 0)
}

func eventsDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSubscription(ctx, aSubscription("all")))
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "old")}))(t)
	f.pass(time.Hour)
	got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "new")}))(t)
	same(t, "deleted while it is on its way", got(f.DeleteEventsBefore(ctx, start.Add(time.Minute)))(t), 0)
	f.pass(event.DeliverFor)
	same(t, "deleted", got(f.DeleteEventsBefore(ctx, start.Add(time.Minute)))(t), 1)
	_, page, err := f.ListDeliveries(ctx, ours, "ws_all", event.DeliveryFilter{})
	must(t, err)
	same(t, "deliveries", page.Total, 1)
	same(t, "last position", got(f.LastPosition(ctx, ours))(t), int64(2))
	same(t, "an old key is free", len(got(f.AppendEvents(ctx, []event.Event{anEvent(ours, "old")}))(t)), 1)
}

// eventsReadInParts reads more data than one read may hold in memory: it comes in several, and whole.
func eventsReadInParts(t *testing.T, f *fixture) {
	ctx := t.Context()
	large := []byte(`{"a":"` + strings.Repeat("a", 3<<20) + `"}`)
	for i := range 8 {
		e := anEvent(ours, fmt.Sprint(i))
		e.Data = large
		got(f.AppendEvents(ctx, []event.Event{e}))(t)
	}
	first := got(f.EventsAfter(ctx, ours, 0, 10))(t)
	same(t, "first read", len(first), 6)
	rest := got(f.EventsAfter(ctx, ours, first[5].Position, 10))(t)
	same(t, "second read", len(rest), 2)
	same(t, "whole", len(rest[0].Data), len(large))
}
