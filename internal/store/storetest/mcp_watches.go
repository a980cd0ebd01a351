package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
)

var watchBehaviours = behaviours{
	"a watch comes back whole":                          watchWhole,
	"a look is held by one node, and finished by it":    watchLeased,
	"a look that is asked for meanwhile stays due":      watchHastened,
	"a sync takes the place of a look that is going on": watchReplaced,
}

func aWatch(projectID, toolkit string) toolsync.Watch {
	return toolsync.Watch{
		ProjectID: projectID, Toolkit: toolkit, AccountID: "ca_1", Revision: "r1", Problem: "it is down", Failures: 2,
		Seen: toolsync.Seen{Gone: []string{"old"}, Tools: []catalog.DefinedTool{{
			Slug: "T_A", Name: "A", Input: json.RawMessage(`{"type":"object","properties":{"a\u0000":{"const":9007199254740993}}}`), MCP: &catalog.DefinedMCP{Tool: "a", Hash: "h"},
		}}},
		CheckedAt: start, DueAt: start.Add(time.Hour),
	}
}

func watchWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want, other := aWatch(ours, "custom_b"), aWatch(ours, "custom_a")
	must(t, f.PutWatch(ctx, want))
	must(t, f.PutWatch(ctx, other))
	must(t, f.PutWatch(ctx, aWatch(theirs, "custom_b")))
	w, known, err := f.Watch(ctx, ours, "custom_b")
	must(t, err)
	same(t, "read", w, want)
	if _, there, err := f.Watch(ctx, ours, "custom_c"); there || err != nil {
		t.Errorf("one that is not there: %t %v", there, err)
	}
	if !known {
		t.Error("not known")
	}
	same(t, "listed", got(f.Watches(ctx, ours))(t), []toolsync.Watch{other, want})
	want.Problem, want.Failures, want.Seen = "", 0, toolsync.Seen{}
	must(t, f.PutWatch(ctx, want))
	must(t, f.DeleteWatch(ctx, ours, "custom_a"))
	same(t, "changed", got(f.Watches(ctx, ours))(t), []toolsync.Watch{want})
	same(t, "theirs", got(f.Watches(ctx, theirs))(t), []toolsync.Watch{aWatch(theirs, "custom_b")})
}

func watchLeased(t *testing.T, f *fixture) {
	ctx := t.Context()
	w := aWatch(ours, "custom_a")
	must(t, f.PutWatch(ctx, w))
	if early := got(f.ClaimWatches(ctx, lease("me", start), 5))(t); len(early) != 0 {
		t.Errorf("claimed before it is due: %v", early)
	}
	same(t, "next", got(f.NextWatch(ctx, start))(t), w.DueAt)
	l := lease("me", w.DueAt)
	same(t, "claimed", got(f.ClaimWatches(ctx, l, 5))(t), []toolsync.Watch{w})
	if second := got(f.ClaimWatches(ctx, lease("other", w.DueAt), 5))(t); len(second) != 0 {
		t.Errorf("claimed twice: %v", second)
	}
	if next := got(f.NextWatch(ctx, w.DueAt))(t); !next.IsZero() {
		t.Errorf("due at %s, and held", next)
	}
	if !got(f.RenewWatch(ctx, l, w))(t) || got(f.RenewWatch(ctx, lease("other", w.DueAt), w))(t) {
		t.Error("the lease is not its owner's")
	}
	w.Revision, w.DueAt = "r2", w.DueAt.Add(time.Hour)
	stolen := w
	stolen.Revision = "stolen"
	must(t, f.FinishWatch(ctx, lease("other", w.DueAt), stolen, []event.Event{anEventOf("stolen")}))
	must(t, f.FinishWatch(ctx, l, w, []event.Event{anEventOf("changed")}))
	same(t, "finished", got(f.Watches(ctx, ours))(t), []toolsync.Watch{w})
	same(t, "events", f.eventKeys(t), []string{"changed"})
	same(t, "next", got(f.NextWatch(ctx, start))(t), w.DueAt)
}

func watchHastened(t *testing.T, f *fixture) {
	ctx := t.Context()
	w := aWatch(ours, "custom_a")
	must(t, f.PutWatch(ctx, w))
	soon := start.Add(time.Minute)
	if !got(f.HastenWatch(ctx, ours, "custom_a", soon))(t) || got(f.HastenWatch(ctx, ours, "custom_a", soon.Add(time.Second)))(t) {
		t.Error("hastened is what comes sooner")
	}
	if got(f.HastenWatch(ctx, ours, "custom_b", soon))(t) || got(f.HastenWatch(ctx, theirs, "custom_a", soon))(t) {
		t.Error("there is nothing to hasten")
	}
	same(t, "next", got(f.NextWatch(ctx, start))(t), soon)
	l := lease("me", soon)
	got(f.ClaimWatches(ctx, l, 1))(t)
	meanwhile := soon.Add(time.Second)
	if !got(f.HastenWatch(ctx, ours, "custom_a", meanwhile))(t) {
		t.Error("not hastened while it is looked at")
	}
	w.DueAt = soon.Add(time.Hour)
	must(t, f.FinishWatch(ctx, l, w, nil))
	same(t, "next after all", got(f.NextWatch(ctx, start))(t), meanwhile)
	l = lease("me", meanwhile)
	got(f.ClaimWatches(ctx, l, 1))(t)
	must(t, f.FinishWatch(ctx, l, w, nil))
	same(t, "next at last", got(f.NextWatch(ctx, start))(t), w.DueAt)
}

func watchReplaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	w := aWatch(ours, "custom_a")
	must(t, f.PutWatch(ctx, w))
	l := lease("me", w.DueAt)
	got(f.ClaimWatches(ctx, l, 1))(t)
	synced := w
	synced.Revision, synced.AccountID, synced.DueAt = "by hand", "ca_2", w.DueAt.Add(time.Hour)
	must(t, f.PutWatch(ctx, synced))
	must(t, f.FinishWatch(ctx, l, w, []event.Event{anEventOf("late")}))
	same(t, "the sync counts", got(f.Watches(ctx, ours))(t), []toolsync.Watch{synced})
	same(t, "events", len(f.eventKeys(t)), 0)
}
