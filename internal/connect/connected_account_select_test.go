package connect_test

import (
	"context"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// imported makes an ACTIVE account of the keyed toolkit, a minute after whatever was made before.
func (b *bed) imported(c connect.AuthConfig, n connect.NewAccount) connect.ConnectedAccount {
	b.t.Helper()
	b.clock.Move(time.Minute)
	key, _ := b.provider.Issue(ann)
	n.AuthConfigID, n.Values = c.ID, map[string]string{"key": key}
	a, err := b.ImportAccount(b.ctx, b.caller, n)
	must(b.t, err)
	return a
}

func (b *bed) enable(id string, on bool) {
	b.t.Helper()
	_, err := b.UpdateAccount(b.ctx, b.caller, id, connect.AccountPatch{Enabled: &on})
	must(b.t, err)
}

func (b *bed) wantSelected(sel connect.Selection, want connect.ConnectedAccount) {
	b.t.Helper()
	got, err := b.Select(b.ctx, b.caller, sel)
	must(b.t, err)
	if got.ID != want.ID {
		b.t.Errorf("selected %s, want %s", got.ID, want.ID)
	}
}

func TestSelectPrecedence(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c1, c2 := b.config("keyed", connect.APIKey, nil), b.config("keyed", connect.APIKey, nil)
	work := b.imported(c1, connect.NewAccount{UserID: "u", Alias: "Work"})
	home := b.imported(c2, connect.NewAccount{UserID: "u", Alias: "home"})
	last := b.imported(c2, connect.NewAccount{UserID: "u"})
	b.imported(c1, connect.NewAccount{UserID: "somebody else"})
	sel := connect.Selection{UserID: "u", Toolkit: "keyed"}
	with := func(f func(*connect.Selection)) connect.Selection { s := sel; f(&s); return s }

	b.wantSelected(sel, last)
	b.wantSelected(with(func(s *connect.Selection) { s.ForSession = true }), last)
	b.wantSelected(with(func(s *connect.Selection) { s.AuthConfigID = c1.ID }), work)
	b.wantSelected(with(func(s *connect.Selection) { s.Pinned = []string{home.ID} }), home)
	b.wantSelected(with(func(s *connect.Selection) { s.Pinned = []string{home.ID}; s.AuthConfigID = c1.ID }), home)
	b.wantSelected(with(func(s *connect.Selection) { s.Pinned = []string{work.ID, home.ID} }), home)
	b.wantSelected(with(func(s *connect.Selection) { s.AccountID = work.ID }), work)
	b.wantSelected(with(func(s *connect.Selection) { s.AccountID = work.ID; s.UserID = "" }), work)
	for _, name := range []string{work.ID, work.WordID, "Work", "work"} {
		b.wantSelected(with(func(s *connect.Selection) { s.Account = name; s.RequireExplicit = true }), work)
	}

	b.enable(last.ID, false) // seen by the next call
	b.wantSelected(sel, home)
	b.enable(last.ID, true)
	b.wantSelected(sel, last)

	fail := func(s connect.Selection, kind fault.Kind, slug string, words ...string) {
		t.Helper()
		_, err := b.Select(b.ctx, b.caller, s)
		wantFault(t, err, kind, slug, words...)
	}
	fail(with(func(s *connect.Selection) { s.RequireExplicit = true }), fault.Invalid, fault.SlugAccountRequired,
		work.ID, work.WordID, `alias "Work"`, "Ann Lee <ann@example.com>", home.ID, last.ID, "3 Keyed accounts")
	fail(with(func(s *connect.Selection) { s.Account = "office" }), fault.Invalid, fault.SlugAccountRequired, "office", work.WordID, home.WordID)
	fail(with(func(s *connect.Selection) { s.Account = home.ID; s.Pinned = []string{work.ID} }), fault.Invalid, fault.SlugAccountRequired, work.ID)
	fail(connect.Selection{UserID: "u", Toolkit: "kyed"}, fault.NotFound, fault.SlugToolkitNotFound, "keyed")
	foreign := b.caller
	b.caller = tenant.Caller{ProjectID: "pr_2"}
	fail(sel, fault.NotFound, fault.SlugExecuteAccountNotFound)
	fail(with(func(s *connect.Selection) { s.AccountID = work.ID }), fault.NotFound, fault.SlugExecuteAccountNotFound)
	b.caller = foreign
}

func TestSelectSaysWhyNot(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.config("keyed", connect.APIKey, nil)
	direct := connect.Selection{UserID: "u", Toolkit: "keyed"}
	inSession := direct
	inSession.ForSession = true
	fail := func(s connect.Selection, kind fault.Kind, slug string, code int, words ...string) {
		t.Helper()
		_, err := b.Select(b.ctx, b.caller, s)
		wantFault(t, err, kind, slug, words...)
		if got := fault.From(err).Code; got != code {
			t.Errorf("code %d, want %d", got, code)
		}
	}

	fail(direct, fault.NotFound, fault.SlugExecuteAccountNotFound, 1803, "User u has not connected Keyed.", "connected_accounts/link")
	fail(inSession, fault.Invalid, fault.SlugNoActiveConnection, 4302, "User u has not connected Keyed.", "COMPOSIO_MANAGE_CONNECTIONS")

	l := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u"})
	fail(inSession, fault.Invalid, fault.SlugNoActiveConnection, 4302, "link was not finished")
	key, _ := b.provider.Issue(ann)
	b.press(l, "browser-1", map[string]string{"key": key})
	a := b.account(l.Account.ID)
	b.wantSelected(inSession, a)

	b.enable(a.ID, false)
	fail(direct, fault.Unprocessable, fault.SlugAccountState, 1803, "switched off", `{"enabled":true}`, "Ann Lee")
	fail(inSession, fault.Invalid, fault.SlugNoActiveConnection, 4302, "switched off")
	b.enable(a.ID, true)

	off, on := false, true
	_, err := b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Enabled: &off})
	must(t, err)
	fail(direct, fault.Unprocessable, fault.SlugAuthConfigInvalid, 0, "Auth config "+c.ID+" is disabled", "ENABLED")
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Enabled: &on, EnabledForSessions: &off})
	must(t, err)
	b.wantSelected(direct, a)
	fail(inSession, fault.Invalid, fault.SlugNoActiveConnection, 4302, "not enabled for sessions")
	only := []string{"KEYED_LIST_THINGS"}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{EnabledForSessions: &on, ToolsForExecution: &only})
	must(t, err)
	withTool := inSession
	withTool.Tool = "KEYED_MAKE_THING"
	fail(withTool, fault.Forbidden, fault.SlugForbidden, 0, "KEYED_MAKE_THING")
	withTool.Tool = "KEYED_LIST_THINGS"
	b.wantSelected(withTool, a)

	b.provider.End(ann)
	cred, err := b.Credential(b.ctx, b.caller, a)
	must(t, err)
	_, err = b.Rejected(b.ctx, b.caller, a, cred)
	must(t, err)
	fail(direct, fault.Unprocessable, fault.SlugAccountState, 1803, "is EXPIRED since 2026-11-22", "no longer accepts", "Reconnect")

	_, err = b.DeleteAccount(b.ctx, b.caller, a.ID)
	must(t, err)
	pinned := inSession
	pinned.Pinned = []string{a.ID}
	fail(pinned, fault.Invalid, fault.SlugNoActiveConnection, 4302, a.ID+" does not exist any more")
	direct.AccountID = a.ID
	fail(direct, fault.NotFound, fault.SlugExecuteAccountNotFound, 1810, a.ID)
}

func TestSelectForeignAccounts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.config("keyed", connect.APIKey, nil)
	private := b.imported(c, connect.NewAccount{UserID: "owner"})
	other := b.oauthConfig("acme")
	for name, sel := range map[string]connect.Selection{
		"by id":             {UserID: "u", Toolkit: "keyed", AccountID: private.ID},
		"an unknown id":     {UserID: "u", Toolkit: "keyed", AccountID: "ca_unknown"},
		"from another room": {UserID: "owner", Toolkit: "keyed", AuthConfigID: other.ID},
	} {
		_, err := b.Select(b.ctx, b.caller, sel)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := b.Select(b.ctx, b.caller, connect.Selection{UserID: "u", Toolkit: "keyed", Pinned: []string{private.ID}, ForSession: true})
	wantFault(t, err, fault.Invalid, fault.SlugNoActiveConnection, private.ID)
	_, err = b.Select(b.ctx, b.caller, connect.Selection{UserID: "owner", Toolkit: "acme", AccountID: private.ID})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "belongs to keyed")
}

func TestSelectShared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		acl  connect.ACL
		user string
		may  bool
	}{
		"nobody is named":           {connect.ACL{}, "u", false},
		"everybody":                 {connect.ACL{AllowAll: true}, "u", true},
		"allowed":                   {connect.ACL{Allowed: []string{"u"}}, "u", true},
		"another is allowed":        {connect.ACL{Allowed: []string{"v"}}, "u", false},
		"denied beats everybody":    {connect.ACL{AllowAll: true, Denied: []string{"u"}}, "u", false},
		"denied beats allowed":      {connect.ACL{Allowed: []string{"u"}, Denied: []string{"u"}}, "u", false},
		"the creator":               {connect.ACL{}, "owner", true},
		"the creator, even denied":  {connect.ACL{Denied: []string{"owner"}}, "owner", true},
		"another denied, but alone": {connect.ACL{AllowAll: true, Denied: []string{"v"}}, "u", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			a := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "owner", AccountType: connect.Shared, ACL: &test.acl})
			for _, sel := range []connect.Selection{
				{UserID: test.user, Toolkit: "keyed", Pinned: []string{a.ID}, ForSession: true},
				{UserID: test.user, Toolkit: "keyed", AccountID: a.ID},
			} {
				if test.may {
					b.wantSelected(sel, a)
					continue
				}
				_, err := b.Select(b.ctx, b.caller, sel)
				wantFault(t, err, fault.Forbidden, fault.SlugSharedAccessDenied, a.ID)
			}
			_, err := b.Select(b.ctx, b.caller, connect.Selection{UserID: test.user, Toolkit: "keyed", ForSession: true})
			wantFault(t, err, fault.Invalid, fault.SlugNoActiveConnection) // never chosen unless it is pinned
		})
	}
}

// countingStore counts what is read.
type countingStore struct {
	connect.Store
	reads int
}

func (s *countingStore) Account(ctx context.Context, projectID, id string) (connect.ConnectedAccount, error) {
	s.reads++
	return s.Store.Account(ctx, projectID, id)
}

func (s *countingStore) AuthConfig(ctx context.Context, projectID, id string) (connect.AuthConfig, error) {
	s.reads++
	return s.Store.AuthConfig(ctx, projectID, id)
}

func (s *countingStore) ListAccounts(ctx context.Context, projectID string, f connect.AccountFilter) ([]connect.ConnectedAccount, connect.Page, error) {
	s.reads++
	return s.Store.ListAccounts(ctx, projectID, f)
}

func TestWarmCallsReadMemoryOnly(t *testing.T) {
	t.Parallel()
	var counting *countingStore
	b := newBed(t, func(o *connect.Options) {
		counting = &countingStore{Store: o.Store}
		o.Store = counting
	})
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	call := func() {
		t.Helper()
		for _, sel := range []connect.Selection{{UserID: "u", Toolkit: "acme", ForSession: true}, {UserID: "u", Toolkit: "acme", Pinned: []string{a.ID}, ForSession: true}} {
			got, err := b.Select(b.ctx, b.caller, sel)
			must(t, err)
			_, err = b.Credential(b.ctx, b.caller, got)
			must(t, err)
		}
	}
	call()
	counting.reads = 0
	call()
	if counting.reads != 0 {
		t.Errorf("a warm call read the store %d times", counting.reads)
	}
	b.clock.Move(2 * time.Minute) // what is remembered is not remembered for ever
	call()
	if counting.reads == 0 {
		t.Error("what was remembered is never looked at again")
	}
}
