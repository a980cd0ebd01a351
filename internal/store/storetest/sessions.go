package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
)

var sessionBehaviours = behaviours{
	"a session comes back whole":               sessionWhole,
	"a session is found by its token":          sessionByToken,
	"the newest session of a user is found":    sessionNewest,
	"an update keeps what it replaces":         sessionUpdated,
	"parallel updates all land in the history": sessionCounted,
	"sessions are listed by filter":            sessionsFiltered,
	"sessions are paged":                       sessionsPaged,
	"revisions are paged":                      revisionsPaged,
	"a deleted session is gone":                sessionDeleted,
	"an ended session does not exist":          sessionEnded,
	"another project's session does not exist": sessionForeign,
}

// aSession has something in every field.
func aSession(id, projectID string) session.Session {
	tags := &session.TagFilter{Enable: []string{"readOnlyHint"}, Disable: []string{"destructiveHint"}}
	return session.Session{
		ID: id, ProjectID: projectID, UserID: "user of " + id, Version: 1, TokenHash: "token of " + id,
		CreatedAt: start, UpdatedAt: start, ExpiresAt: start.Add(time.Hour),
		Config: session.Config{
			Toolkits:          &session.ToolkitFilter{Enable: []string{"github"}, Only: true},
			Tools:             map[string]session.ToolFilter{"github": {Disable: []string{"GITHUB_DELETE_A_REPOSITORY"}, Tags: tags}},
			Tags:              tags,
			AuthConfigs:       map[string]string{"github": "ac_1"},
			ConnectedAccounts: map[string][]string{"github": {"ca_1", "ca_2"}},
			ToolkitVersions:   map[string]string{"github": "20260101_00"},
			ManageConnections: session.ManageConnections{Enable: true, CallbackURL: "https://app.example", Wait: true, AllowRemoval: true},
			Workbench:         session.Workbench{Enable: true, ProxyExecution: true, OffloadThreshold: 10, Size: "small"},
			MultiAccount:      session.MultiAccount{Enable: true, Max: 3, RequireExplicit: true},
			Preload:           session.Preload{Tools: []string{"GITHUB_GET_A_REPOSITORY"}},
			Search:            true, MultiExecute: true, Timezone: "Europe/Berlin", LinkURLOverwrite: "https://link.example",
			Permissions: json.RawMessage(`{"a":[1,2]}`),
		},
	}
}

func sessionWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aSession("trs_1", ours)
	must(t, f.CreateSession(ctx, want))
	same(t, "read", got(f.Session(ctx, ours, "trs_1"))(t), want)
	wantKind(t, "same id", f.CreateSession(ctx, want), fault.Conflict)

	bare := session.Session{ID: "trs_2", ProjectID: ours, Version: 1}
	must(t, f.CreateSession(ctx, bare))
	same(t, "bare", got(f.Session(ctx, ours, "trs_2"))(t), bare)
	revisions, page, err := f.Revisions(ctx, ours, "trs_1", 0, "")
	must(t, err)
	same(t, "revisions", revisions, []session.Revision{{SessionID: "trs_1", Version: 1, Config: want.Config, CreatedAt: start}})
	same(t, "page", page, connect.Page{Total: 1})
}

func sessionByToken(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aSession("trs_1", ours)
	without := aSession("trs_2", ours)
	without.TokenHash = ""
	must(t, f.CreateSession(ctx, want))
	must(t, f.CreateSession(ctx, without))
	same(t, "found", got(f.SessionByToken(ctx, "token of trs_1"))(t), want)
	for _, hash := range []string{"", "token of nothing"} {
		_, err := f.SessionByToken(ctx, hash)
		wantKind(t, fmt.Sprintf("token hash %q", hash), err, fault.NotFound)
	}
}

func sessionNewest(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, id := range []string{"trs_old", "trs_b", "trs_a", "trs_ended"} {
		v := aSession(id, ours)
		v.UserID, v.CreatedAt = "ann", start.Add(time.Duration(min(i, 1))*time.Second)
		if id == "trs_ended" {
			v.CreatedAt, v.ExpiresAt = start.Add(time.Minute), start
		}
		must(t, f.CreateSession(ctx, v))
	}
	must(t, f.CreateSession(ctx, aSession("trs_bob", ours)))
	same(t, "newest", got(f.NewestSession(ctx, ours, "ann"))(t).ID, "trs_b")
	_, err := f.NewestSession(ctx, ours, "nobody")
	wantKind(t, "nobody's", err, fault.NotFound)
	_, err = f.NewestSession(ctx, theirs, "ann")
	wantKind(t, "in another project", err, fault.NotFound)
}

func sessionUpdated(t *testing.T, f *fixture) {
	ctx := t.Context()
	before := aSession("trs_1", ours)
	must(t, f.CreateSession(ctx, before))
	f.news()
	want := aSession("trs_1", ours)
	want.Version, want.UpdatedAt, want.ExpiresAt, want.TokenHash = 2, start.Add(time.Minute), time.Time{}, "another token"
	want.Config.Tools["github"] = session.ToolFilter{Enable: []string{"ONE"}, Only: true}
	want.Config.Search = false
	after := got(f.UpdateSession(ctx, ours, "trs_1", func(v *session.Session) error {
		same(t, "before", *v, before)
		v.Config.Tools["github"] = session.ToolFilter{Enable: []string{"ONE"}, Only: true} // in place: the history must not see it
		v.Config.Search = false
		v.UpdatedAt, v.ExpiresAt, v.TokenHash = want.UpdatedAt, want.ExpiresAt, want.TokenHash
		v.ID, v.ProjectID, v.Version = "trs_other", theirs, 99 // an update cannot move it
		return nil
	}))(t)
	same(t, "given back", after, want)
	same(t, "read", got(f.Session(ctx, ours, "trs_1"))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Session, ID: "trs_1"}})
	_, err := f.SessionByToken(ctx, before.TokenHash)
	wantKind(t, "old token", err, fault.NotFound)

	revisions, _, err := f.Revisions(ctx, ours, "trs_1", 0, "")
	must(t, err)
	same(t, "revisions", revisions, []session.Revision{
		{SessionID: "trs_1", Version: 2, Config: want.Config, CreatedAt: want.UpdatedAt},
		{SessionID: "trs_1", Version: 1, Config: before.Config, CreatedAt: start},
	})

	_, err = f.UpdateSession(ctx, ours, "trs_1", func(v *session.Session) error { v.Config.Search = true; return errRefused })
	same(t, "refused", err == errRefused, true)
	same(t, "read after refusal", got(f.Session(ctx, ours, "trs_1"))(t), want)
	same(t, "news after refusal", len(f.news()), 0)
}

func sessionCounted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	const writers = 16
	for i, err := range together(writers, func(i int) error {
		_, err := f.UpdateSession(ctx, ours, "trs_1", func(v *session.Session) error {
			v.Config.Preload.Tools = append(v.Config.Preload.Tools, "ONE_MORE")
			return nil
		})
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	same(t, "version", got(f.Session(ctx, ours, "trs_1"))(t).Version, 1+writers)
	revisions, page, err := f.Revisions(ctx, ours, "trs_1", 0, "")
	must(t, err)
	same(t, "total", page.Total, 1+writers)
	for i, r := range revisions {
		same(t, "version", r.Version, 1+writers-i)
		same(t, "tools", len(r.Config.Preload.Tools), r.Version)
	}
}

func sessionsFiltered(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, user := range []string{"ann", "bob", "Annabel"} {
		v := aSession("trs_"+string(rune('a'+i)), ours)
		v.UserID, v.CreatedAt = user, start.Add(time.Duration(i)*time.Second)
		must(t, f.CreateSession(ctx, v))
	}
	must(t, f.CreateSession(ctx, aSession("trs_z", theirs)))
	for name, test := range map[string]struct {
		filter session.Filter
		want   []string
	}{
		"nothing":        {session.Filter{}, []string{"trs_c", "trs_b", "trs_a"}},
		"users":          {session.Filter{UserIDs: []string{"ann", "bob", "cid"}}, []string{"trs_b", "trs_a"}},
		"part of a user": {session.Filter{Search: "ann"}, []string{"trs_c", "trs_a"}},
		"part of an id":  {session.Filter{Search: "s_b"}, []string{"trs_b"}},
		"both":           {session.Filter{Search: "ann", UserIDs: []string{"ann"}}, []string{"trs_a"}},
	} {
		sessions, page, err := f.ListSessions(ctx, ours, test.filter)
		must(t, err)
		same(t, name, idsOf(sessions, sessionID), test.want)
		same(t, name+": page", page, connect.Page{Total: len(test.want)})
	}
}

func sessionID(v session.Session) string { return v.ID }

func sessionsPaged(t *testing.T, f *fixture) {
	ctx := t.Context()
	var ids []string
	for i := range 7 {
		v := aSession("trs_"+string(rune('a'+i)), ours)
		v.CreatedAt = start.Add(time.Duration(i/3) * time.Second)
		must(t, f.CreateSession(ctx, v))
		ids = append(ids, v.ID)
	}
	for limit := 1; limit <= 8; limit++ {
		all := pages(t, 7, func(cursor string) ([]session.Session, connect.Page, error) {
			return f.ListSessions(ctx, ours, session.Filter{Limit: limit, Cursor: cursor})
		})
		same(t, "pages", idsOf(all, sessionID), reversed(ids))
	}
	_, _, err := f.ListSessions(ctx, ours, session.Filter{Cursor: "made up"})
	wantKind(t, "made up cursor", err, fault.Invalid)
}

func revisionsPaged(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	for range 4 {
		got(f.UpdateSession(ctx, ours, "trs_1", func(*session.Session) error { return nil }))(t)
	}
	for limit := 1; limit <= 6; limit++ {
		all := pages(t, 5, func(cursor string) ([]session.Revision, connect.Page, error) {
			return f.Revisions(ctx, ours, "trs_1", limit, cursor)
		})
		var versions []int
		for _, r := range all {
			versions = append(versions, r.Version)
		}
		same(t, fmt.Sprintf("versions, %d a page", limit), versions, []int{5, 4, 3, 2, 1})
	}
	_, _, err := f.Revisions(ctx, ours, "trs_1", 2, "made up")
	wantKind(t, "made up cursor", err, fault.Invalid)
}

func sessionDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	got(f.UpdateSession(ctx, ours, "trs_1", func(*session.Session) error { return nil }))(t)
	f.news()
	must(t, f.DeleteSession(ctx, ours, "trs_1"))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Session, ID: "trs_1"}})
	wantNoSession(t, f, ours)
	wantKind(t, "delete again", f.DeleteSession(ctx, ours, "trs_1"), fault.NotFound)

	must(t, f.CreateSession(ctx, aSession("trs_1", ours))) // nothing of the old one comes back
	_, page, err := f.Revisions(ctx, ours, "trs_1", 0, "")
	must(t, err)
	same(t, "revisions", page.Total, 1)
	got(f.UpdateSession(ctx, ours, "trs_1", func(*session.Session) error { return nil }))(t)
}

func sessionEnded(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	endless := aSession("trs_2", ours)
	endless.ExpiresAt = time.Time{}
	must(t, f.CreateSession(ctx, endless))
	f.pass(time.Hour - time.Microsecond)
	got(f.Session(ctx, ours, "trs_1"))(t)
	f.pass(time.Microsecond)
	wantNoSession(t, f, ours)
	f.news()
	same(t, "deleted", got(f.DeleteExpiredSessions(ctx, f.now()))(t), 1)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Session, ID: "trs_1"}})
	same(t, "deleted again", got(f.DeleteExpiredSessions(ctx, f.now()))(t), 0)
	got(f.Session(ctx, ours, "trs_2"))(t)
}

func sessionForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aSession("trs_1", theirs)
	must(t, f.CreateSession(ctx, want))
	_, err := f.Session(ctx, ours, "trs_1")
	wantKind(t, "get", err, fault.NotFound)
	_, err = f.UpdateSession(ctx, ours, "trs_1", func(*session.Session) error { t.Error("update saw it"); return nil })
	wantKind(t, "update", err, fault.NotFound)
	_, _, err = f.Revisions(ctx, ours, "trs_1", 0, "")
	wantKind(t, "revisions", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteSession(ctx, ours, "trs_1"), fault.NotFound)
	sessions, page, err := f.ListSessions(ctx, ours, session.Filter{Search: "trs"})
	must(t, err)
	same(t, "list", len(sessions)+page.Total, 0)
	same(t, "untouched", got(f.Session(ctx, theirs, "trs_1"))(t), want)
}

// wantNoSession checks that trs_1 cannot be reached in any way.
func wantNoSession(t *testing.T, f *fixture, projectID string) {
	t.Helper()
	ctx := t.Context()
	_, err := f.Session(ctx, projectID, "trs_1")
	wantKind(t, "get", err, fault.NotFound)
	_, err = f.SessionByToken(ctx, "token of trs_1")
	wantKind(t, "by token", err, fault.NotFound)
	_, err = f.NewestSession(ctx, projectID, "user of trs_1")
	wantKind(t, "newest", err, fault.NotFound)
	_, err = f.UpdateSession(ctx, projectID, "trs_1", func(*session.Session) error { t.Error("update saw it"); return nil })
	wantKind(t, "update", err, fault.NotFound)
	_, _, err = f.Revisions(ctx, projectID, "trs_1", 0, "")
	wantKind(t, "revisions", err, fault.NotFound)
	sessions, _, err := f.ListSessions(ctx, projectID, session.Filter{UserIDs: []string{"user of trs_1"}})
	must(t, err)
	same(t, "list", len(sessions), 0)
}
