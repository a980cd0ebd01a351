package session_test

import (
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestPersonalSessionsAreMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			view, err := w.Personal(t.Context(), ours, "ada")
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = view.Session.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("ada has %v", ids)
		}
	}
	sessions, page, err := w.List(t.Context(), ours, session.Filter{})
	if err != nil || page.Total != 1 || sessions[0].UserID != "ada" {
		t.Errorf("there are %+v, %v", sessions, err)
	}

	reads := w.store.count()
	view, err := w.Personal(t.Context(), ours, "ada")
	if err != nil || w.store.count() != reads || len(view.MetaTools()) == 0 {
		t.Errorf("a warm one costs %d reads (%v)", w.store.count()-reads, err)
	}
	for name, c := range map[string]tenant.Caller{"bob": ours, "ada": theirs} {
		other, err := w.Personal(t.Context(), c, name)
		if err != nil || other.Session.ID == ids[0] {
			t.Errorf("%s of %s shares the session: %v", name, c.ProjectID, err)
		}
	}
}

func TestAPersonalSessionIsASessionLikeAnyOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	view, err := w.Personal(t.Context(), ours, "ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Update(t.Context(), ours, view.Session.ID, session.Patch{Search: session.Optional[bool]{Set: true}}); err != nil {
		t.Fatal(err)
	}
	changed, err := w.Personal(t.Context(), ours, "ada")
	if err != nil || changed.Session.Config.Search || changed.Session.Version != 2 {
		t.Errorf("a change is lost: %+v, %v", changed, err)
	}
	if err := w.Delete(t.Context(), ours, view.Session.ID); err != nil {
		t.Fatal(err)
	}
	again, err := w.Personal(t.Context(), ours, "ada")
	if err != nil || again.Session.ID != view.Session.ID || !again.Session.Config.Search {
		t.Errorf("after it was deleted: %+v, %v", again, err)
	}
}

func TestWhoOpensPersonalSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := tenant.Caller{ProjectID: ours.ProjectID, UserID: "ada"}
	view, err := w.Personal(t.Context(), ada, "ada")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]tenant.Caller{
		"bob":             {ProjectID: ours.ProjectID, UserID: "bob"},
		"a session token": {ProjectID: ours.ProjectID, SessionID: view.Session.ID},
	} {
		if _, err := w.Personal(t.Context(), c, "ada"); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A person's caller is held to the session and to the user.
	for name, tc := range map[string]struct {
		caller tenant.Caller
		ok     bool
	}{
		"ada at hers":             {tenant.Caller{ProjectID: ours.ProjectID, SessionID: view.Session.ID, UserID: "ada"}, true},
		"bob at hers":             {tenant.Caller{ProjectID: ours.ProjectID, SessionID: view.Session.ID, UserID: "bob"}, false},
		"ada, of no session":      {ada, false},
		"ada in another project":  {tenant.Caller{ProjectID: theirs.ProjectID, SessionID: view.Session.ID, UserID: "ada"}, false},
		"ada, of another session": {tenant.Caller{ProjectID: ours.ProjectID, SessionID: "trs_other", UserID: "ada"}, false},
	} {
		if _, err := w.Open(t.Context(), tc.caller, view.Session.ID); tc.ok != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Personal(t.Context(), ours, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("a blank user: %v", err)
	}
}
