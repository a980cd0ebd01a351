package trigger_test

import (
	"errors"
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

// However quiet a list is, what is asked for keeps up with the time: providers refuse to look back for months.
func TestPollOfAQuietListKeepsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	for range 40 {
		w.pass(24 * time.Hour)
		w.lookNow()
	}
	if since := w.read(made.ID).Position.Since; w.clock().Sub(since) > 48*time.Hour {
		t.Errorf("after 40 quiet days it asks for what happened since %s ago", w.clock().Sub(since))
	}
	w.provider.put("shown hours late", w.clock().Add(-20*time.Hour))
	w.look()
	w.wantEvents("shown hours late")
}

// A page that the provider no longer knows, because the server was down in the middle of a sweep, say, does not end the trigger:
// the sweep begins anew.
func TestPollBeginsAnewWhenItsPageIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	for n, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		w.provider.put(id, start.Add(time.Duration(n+1)*time.Second))
	}
	w.look()
	w.provider.forgetPages()
	for range 3 {
		w.pass(2 * time.Hour)
		w.lookNow()
	}
	w.wantEvents("d", "e", "f", "g", "a", "b", "c")
	if i := w.read(made.ID); i.Status != trigger.Active || i.Failures != 0 || i.Position.Sweep != nil {
		t.Errorf("%+v", i)
	}
}

// One element that the declaration does not fit keeps none of the others from being found; a page of nothing else is a failure.
func TestPollPassesByWhatItCannotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.provider.put("before", start.Add(time.Second))
	w.provider.put(unreadable, start.Add(2*time.Second))
	w.provider.put("after", start.Add(3*time.Second))
	w.look()
	w.pass(10 * time.Second)
	w.lookNow()
	w.wantEvents("before", "after")
	w.provider.put(unreadable, start.Add(4*time.Second))
	w.provider.put(unreadable, start.Add(5*time.Second))
	w.look()
	if i := w.read(made.ID); i.Failures != 1 {
		t.Errorf("nothing could be read, and the look is called good: %+v", i)
	}
}

// An account that cannot be read just now is no reason to try without a pause.
func TestPollOfAnUnreadableAccountWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.pass(time.Minute)
	w.unreadable = errors.New("the vault is shut")
	if err := w.LookAtDue(t.Context()); !errors.Is(err, w.unreadable) {
		t.Errorf("error %v", err)
	}
	if next, err := w.store.NextPoll(t.Context(), w.clock()); err != nil || !next.IsZero() {
		t.Errorf("due again at %s, %v; now it is %s", next, err, w.clock())
	}
	w.unreadable = nil
	w.provider.put("new", start.Add(time.Second))
	w.look() // the lease ended meanwhile
	w.look()
	w.wantEvents("new")
}

// Somebody's wrong clock must not hide what happens until then.
func TestPollIsNotLedIntoTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	w.provider.put("of next year", start.AddDate(1, 0, 0))
	w.look()
	w.provider.put("of today", start.Add(time.Minute))
	w.look()
	w.wantEvents("of next year", "of today")
}
