package session_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

func value[T any](v T) session.Optional[T] { return session.Optional[T]{Set: true, Value: v} }
func null[T any]() session.Optional[T]     { return session.Optional[T]{Set: true, Null: true} }

// Absent keeps, null clears, maps replace whole, blocks merge field by field.
func TestPatch(t *testing.T) {
	t.Parallel()
	begin := session.Config{
		Toolkits:          &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}},
		Tools:             map[string]session.ToolFilter{"gmail": {Disable: []string{"GMAIL_DELETE_MESSAGE"}}},
		Tags:              &session.TagFilter{Enable: []string{"readOnlyHint"}},
		AuthConfigs:       map[string]string{"gmail": "ac_1"},
		ConnectedAccounts: map[string][]string{"gmail": {"ca_1"}},
		ToolkitVersions:   map[string]string{"gmail": "latest"},
		ManageConnections: session.ManageConnections{Enable: true, Wait: true, AllowRemoval: false, CallbackURL: "https://app.example/cb"},
		Workbench:         session.Workbench{Enable: true, ProxyExecution: false, OffloadThreshold: 500, Size: "large"},
		MultiAccount:      session.MultiAccount{Enable: true, Max: 3, RequireExplicit: true},
		Preload:           session.Preload{Tools: []string{"GMAIL_SEND_EMAIL"}},
		Timezone:          "Europe/Paris",
		LinkURLOverwrite:  "https://login.example",
		Permissions:       json.RawMessage(`{"default":"allow_all"}`),
	}
	yes, no, four := true, false, 4
	fresh := session.DefaultConfig()
	cases := map[string]struct {
		patch session.Patch
		want  func(*session.Config)
	}{
		"nothing":                 {session.Patch{}, func(*session.Config) {}},
		"toolkits replaced":       {session.Patch{Toolkits: value(&session.ToolkitFilter{Disable: []string{"slack"}})}, func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"slack"}} }},
		"toolkits cleared":        {session.Patch{Toolkits: null[*session.ToolkitFilter]()}, func(c *session.Config) { c.Toolkits = nil }},
		"tools replaced whole":    {session.Patch{Tools: value(map[string]session.ToolFilter{"slack": {}})}, func(c *session.Config) { c.Tools = map[string]session.ToolFilter{"slack": {}} }},
		"tools cleared":           {session.Patch{Tools: null[map[string]session.ToolFilter]()}, func(c *session.Config) { c.Tools = nil }},
		"tags cleared":            {session.Patch{Tags: null[*session.TagFilter]()}, func(c *session.Config) { c.Tags = nil }},
		"auth configs replaced":   {session.Patch{AuthConfigs: value(map[string]string{"slack": "ac_2"})}, func(c *session.Config) { c.AuthConfigs = map[string]string{"slack": "ac_2"} }},
		"accounts cleared":        {session.Patch{ConnectedAccounts: null[map[string][]string]()}, func(c *session.Config) { c.ConnectedAccounts = nil }},
		"versions cleared":        {session.Patch{ToolkitVersions: null[map[string]string]()}, func(c *session.Config) { c.ToolkitVersions = nil }},
		"one field of a block":    {session.Patch{ManageConnections: value(session.ManageConnectionsPatch{Wait: &no})}, func(c *session.Config) { c.ManageConnections.Wait = false }},
		"only the callback":       {session.Patch{ManageConnections: value(session.ManageConnectionsPatch{CallbackURL: null[string]()})}, func(c *session.Config) { c.ManageConnections.CallbackURL = "" }},
		"connections cleared":     {session.Patch{ManageConnections: null[session.ManageConnectionsPatch]()}, func(c *session.Config) { c.ManageConnections = fresh.ManageConnections }},
		"workbench merged":        {session.Patch{Workbench: value(session.WorkbenchPatch{ProxyExecution: &yes})}, func(c *session.Config) { c.Workbench.ProxyExecution = true }},
		"workbench cleared":       {session.Patch{Workbench: null[session.WorkbenchPatch]()}, func(c *session.Config) { c.Workbench = fresh.Workbench }},
		"multi account merged":    {session.Patch{MultiAccount: value(session.MultiAccountPatch{Max: &four})}, func(c *session.Config) { c.MultiAccount.Max = 4 }},
		"multi account off":       {session.Patch{MultiAccount: value(session.MultiAccountPatch{Enable: &no})}, func(c *session.Config) { c.MultiAccount = session.MultiAccount{} }},
		"multi account cleared":   {session.Patch{MultiAccount: null[session.MultiAccountPatch]()}, func(c *session.Config) { c.MultiAccount = session.MultiAccount{} }},
		"preload replaced":        {session.Patch{Preload: value(session.Preload{All: true})}, func(c *session.Config) { c.Preload = session.Preload{All: true} }},
		"search on":               {session.Patch{Search: value(true)}, func(c *session.Config) { c.Search = true }},
		"switches cleared":        {session.Patch{Search: null[bool](), MultiExecute: null[bool]()}, func(c *session.Config) { c.Search, c.MultiExecute = true, true }},
		"overwrite cleared":       {session.Patch{LinkURLOverwrite: null[string]()}, func(c *session.Config) { c.LinkURLOverwrite = "" }},
		"experimental cleared":    {session.Patch{Experimental: null[struct{}]()}, func(c *session.Config) { c.Timezone, c.LinkURLOverwrite, c.Permissions = "", "", nil }},
		"experimental with zone":  {session.Patch{Timezone: value("Asia/Tokyo")}, func(c *session.Config) { c.Timezone = "Asia/Tokyo" }},
		"permissions are cleared": {session.Patch{Permissions: null[json.RawMessage]()}, func(c *session.Config) { c.Permissions = nil }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := begin
			c.want(&want)
			same(t, c.patch.Apply(begin), want)
		})
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.create(t, "ann", nil)
	id := created.Session.ID
	w.clock.move(time.Hour)
	view, _, err := w.Update(t.Context(), ours, id, session.Patch{
		ExpectedVersion: 1, Toolkits: value(&session.ToolkitFilter{Only: true, Enable: []string{"GMAIL"}}), Search: value(false), TTL: value(60),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := view.Session
	if s.Version != 2 || s.UserID != "ann" || !s.UpdatedAt.Equal(today.Add(time.Hour)) || !s.CreatedAt.Equal(today) || !s.ExpiresAt.Equal(today.Add(time.Hour+time.Minute)) {
		t.Errorf("session %+v", s)
	}
	same(t, s.Config.Toolkits.Enable, []string{"gmail"})
	same(t, view.MetaTools(), []string{"COMPOSIO_MANAGE_CONNECTIONS", "COMPOSIO_MULTI_EXECUTE_TOOL"})

	// The next call sees it, on this path and on that of a token.
	_, err = w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "SLACK_SEND_MESSAGE"})
	wantFault(t, err, fault.Forbidden, fault.SlugSessionToolNotAllowed)
	if _, err := w.Authenticate(t.Context(), created.Token); err != nil {
		t.Errorf("the token stopped working: %v", err)
	}

	_, _, err = w.Update(t.Context(), ours, id, session.Patch{ExpectedVersion: 1, Search: value(true)})
	if f := wantFault(t, err, fault.Conflict, fault.SlugSessionConflict); !f.NoRetry {
		t.Error("an SDK would repeat a lost lock")
	}
	_, _, err = w.Update(t.Context(), ours, id, session.Patch{Toolkits: value(&session.ToolkitFilter{Only: true, Enable: []string{"gmial"}})})
	if f := wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid); !f.NoRetry {
		t.Error("an SDK would repeat it")
	}
	_, _, err = w.Update(t.Context(), theirs, id, session.Patch{})
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)

	revisions, _, err := w.History(t.Context(), ours, id, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(revisions) != 2 || revisions[0].Version != 2 || revisions[0].Config.Search || revisions[1].Version != 1 || !revisions[1].Config.Search {
		t.Errorf("history %+v", revisions)
	}
}

// An account that dies after it was pinned is no reason to refuse another change of the session.
func TestUpdateKeepsDeadPins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	id := w.create(t, "ann", func(c *session.Config) { c.ConnectedAccounts = map[string][]string{"github": {"ca_github"}} }).Session.ID
	if err := w.store.DeleteAccount(t.Context(), ours.ProjectID, "ca_github"); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := w.Update(t.Context(), ours, id, session.Patch{Timezone: value("Asia/Tokyo")})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || warnings[0].Code != "CONNECTED_ACCOUNT_UNUSABLE" {
		t.Errorf("warnings %v", warnings)
	}
}

func TestUpdateRefusesContradictions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_gmail", "gmail")
	for _, id := range []string{"ca_1", "ca_2"} {
		w.account(t, id, "ann", "gmail", "ac_gmail", nil)
	}
	id := w.create(t, "ann", func(c *session.Config) {
		c.MultiAccount.Enable = true
		c.ConnectedAccounts = map[string][]string{"gmail": {"ca_1", "ca_2"}}
	}).Session.ID
	no, three := false, 3
	_, _, err := w.Update(t.Context(), ours, id, session.Patch{MultiAccount: value(session.MultiAccountPatch{Enable: &no})})
	wantFault(t, err, fault.Invalid, fault.SlugInvalidAccountIDs)
	_, _, err = w.Update(t.Context(), ours, id, session.Patch{
		MultiAccount: value(session.MultiAccountPatch{Enable: &no, Max: &three}), ConnectedAccounts: null[map[string][]string](),
	})
	wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid)
	if _, _, err = w.Update(t.Context(), ours, id, session.Patch{
		MultiAccount: value(session.MultiAccountPatch{Enable: &no}), ConnectedAccounts: null[map[string][]string](),
	}); err != nil {
		t.Error(err)
	}
}

// Updates and calls at the same time: each call sees the session before or after an update, never in between, every update
// lands, and once the updates are over every call sees the last.
func TestUpdateRacesExecute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	const updates = 20
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "HACKERNEWS_GET_TOP_STORIES"})
				if err != nil && !fault.Is(err, fault.Forbidden) {
					t.Error(err)
					return
				}
			}
		})
	}
	var writers sync.WaitGroup
	for writer := range 2 {
		writers.Go(func() {
			for i := range updates / 2 {
				filter := value(&session.ToolkitFilter{Disable: []string{"hackernews"}})
				if (i+writer)%2 == 0 {
					filter = null[*session.ToolkitFilter]()
				}
				for {
					_, _, err := w.Update(t.Context(), ours, id, session.Patch{Toolkits: filter})
					if fault.Is(err, fault.Conflict) { // the other writer won five times running
						continue
					}
					if err != nil {
						t.Error(err)
					}
					break
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	group.Wait()
	view, err := w.Open(t.Context(), ours, id)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := w.store.Session(t.Context(), ours.ProjectID, id)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Version != updates+1 {
		t.Errorf("version %d after %d updates", stored.Version, updates)
	}
	same(t, view.Session, stored)
}

// A view is renewed when the catalog is replaced.
func TestViewFollowsTheCatalog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	before, err := w.Open(t.Context(), ours, id)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Open(t.Context(), ours, id)
	if err != nil || again != before {
		t.Errorf("the view is made anew for each request (%v)", err)
	}
	replaced := testCatalog(t)
	replaced.ID = "another"
	w.catalog.Replace(replaced)
	after, err := w.Open(t.Context(), ours, id)
	if err != nil {
		t.Fatal(err)
	}
	if after.Catalog != replaced || after.Key() == before.Key() {
		t.Error("the view is still over the old catalog")
	}
}
