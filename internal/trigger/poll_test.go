package trigger_test

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

func TestPollStartsFromNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.provider.put("old", start.Add(-time.Hour))
	w.provider.put("recent", start.Add(-time.Minute))
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	if !made.New || made.Status != trigger.Active || made.Config["size"] == nil {
		t.Errorf("made: %+v", made)
	}
	w.look()
	w.wantEvents()
	w.provider.put("new", start.Add(30*time.Second))
	w.look()
	w.look() // what was found is not found again
	w.wantEvents("new")
	i := w.read(made.ID)
	if !i.LookedAt.Equal(w.clock()) || !i.DueAt.Equal(w.clock().Add(time.Minute)) {
		t.Errorf("looked at %s, due at %s; now %s", i.LookedAt, i.DueAt, w.clock())
	}
}

// A provider's clock may be behind ours, and its index late: the window reaches back, and what is in it twice is one event.
func TestPollReachesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.provider.put("late", start.Add(-5*time.Minute))
	w.look()
	w.provider.put("much too late", start.Add(-time.Hour))
	w.look()
	w.wantEvents("late")
}

// After a long time away everything is found, the oldest first, in looks that are bounded.
func TestPollCatchesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.pass(5 * time.Hour)
	var want []string
	for n, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		w.provider.put(id, start.Add(time.Duration(n+1)*time.Minute))
	}
	w.provider.asked()
	w.lookNow() // two pages of two
	if asked := w.provider.asked(); len(asked) != 2 {
		t.Errorf("one look sent %d requests", len(asked))
	}
	w.wantEvents("d", "e", "f", "g")
	if i := w.read(made.ID); i.Position.Sweep == nil || i.DueAt.Sub(w.clock()) > 10*time.Second {
		t.Errorf("the rest is not due soon: %+v", i)
	}
	w.pass(10 * time.Second)
	w.lookNow()
	want = []string{"d", "e", "f", "g", "a", "b", "c"}
	w.wantEvents(want...)
	w.look()
	w.wantEvents(want...)
}

func TestPollKeepsWhatItFoundBeforeAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.provider.put("x", start)
	w.watch("ACME_CHANGE", "ann", `{}`)
	w.provider.changes = []string{"one", "two"}
	w.look()
	w.wantEvents("one", "two")
	w.provider.changes = append(w.provider.changes, "three")
	w.look()
	w.wantEvents("one", "two", "three")
}

func TestPollBacksOffAndGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.provider.fail(503)
	for range 5 {
		w.pass(2 * time.Hour)
		w.lookNow()
	}
	if i := w.read(made.ID); i.Status != trigger.Active || i.Failures == 0 || i.DueAt.Sub(w.clock()) < 2*time.Minute {
		t.Errorf("a provider that is down: %+v", i)
	}
	w.provider.fail(0)
	w.provider.put("meanwhile", start.Add(time.Hour))
	w.pass(2 * time.Hour)
	w.lookNow()
	w.wantEvents("meanwhile")
	w.provider.fail(404)
	for range 3 {
		w.pass(2 * time.Hour)
		w.lookNow()
	}
	i := w.read(made.ID)
	if i.Status != trigger.Disabled || i.Reason != trigger.PollingFailure || i.Why == "" || !i.DueAt.IsZero() {
		t.Errorf("a list that is gone: %+v", i)
	}
	w.wantEvents("meanwhile", "composio.trigger.disabled")
}

func TestPollPausesWithItsAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	off, on := false, true
	_, err := w.connect.UpdateAccount(t.Context(), w.caller, a.ID, connect.AccountPatch{Enabled: &off})
	must(t, err)
	if i := w.read(made.ID); i.Status != trigger.Paused || i.Reason != trigger.ConnectionExpired {
		t.Errorf("after the account went: %+v", i)
	}
	w.provider.put("meanwhile", start.Add(time.Second))
	w.provider.asked()
	w.pass(10 * time.Minute)
	w.lookNow()
	if asked := w.provider.asked(); len(asked) != 0 {
		t.Errorf("a paused trigger asked for %v", asked)
	}
	_, err = w.connect.UpdateAccount(t.Context(), w.caller, a.ID, connect.AccountPatch{Enabled: &on})
	must(t, err)
	w.lookNow()
	w.wantEvents("composio.trigger.disabled", "meanwhile")
}

func TestGenericPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.provider.put("a", start)
	made := w.watch("ACME_LIST_ITEM_ADDED", "ann", `{"tool":"ACME_LIST_THINGS","arguments":{"box":"b1"},"items":"things","interval":2}`)
	w.provider.put("b", start)
	w.look()
	w.look()
	if events, err := w.store.EventsAfter(t.Context(), "pr_1", 0, 10); err != nil || len(events) != 1 || events[0].Key != made.ID+":b" {
		t.Errorf("events %v, %v", events, err)
	}
	for config, part := range map[string]string{
		`{"tool":"ACME_DELETE_THING"}`:                                               "changes something",
		`{"tool":"ACME_NOTHING"}`:                                                    "has no tool",
		`{"tool":"ACME_LIST_THINGS"}`:                                                "box",
		`{"tool":"ACME_LIST_THINGS","arguments":{"box":"b1"},"key":"a["}`:            "path",
		`{"tool":"ACME_LIST_THINGS","arguments":{"box":"b1"},"interval":0.5}`:        "triggers.min_interval",
		`{"tool":"ACME_LIST_THINGS","arguments":{"box":"b1"},"items":"things[0]"}`:   "there is no list",
		`{"tool":"ACME_LIST_THINGS","arguments":{"box":"b1"},"nonsense":true,"x":1}`: "",
	} {
		_, err := w.Upsert(t.Context(), w.caller, w.wanted("ACME_LIST_ITEM_ADDED", "ann", config))
		if part != "" {
			wantKind(t, err, fault.Invalid, part)
		}
	}
}

// Two nodes share the polls of one database: each due poll is done by one, and nothing is found twice.
func TestTwoNodesSharePolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, user := range []string{"a", "b", "c", "d"} {
		w.account(user)
		w.watch("ACME_NEW_THING", user, `{"box":"b1"}`)
	}
	w.provider.put("x", start.Add(time.Second))
	w.pass(time.Minute)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- w.LookAtDue(t.Context()) }()
	}
	must(t, <-done)
	must(t, <-done)
	w.wantEvents("x", "x", "x", "x") // one for each instance
}
