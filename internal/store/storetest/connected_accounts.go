package storetest

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

var connectedAccountBehaviours = behaviours{
	"an account comes back whole":               accountWhole,
	"an account without anything comes back":    accountBare,
	"an alias is taken once":                    accountAlias,
	"a word id is taken once":                   accountWordID,
	"an account needs its auth config":          accountOrphan,
	"an account changes in one step":            accountUpdated,
	"parallel changes all land":                 accountCounted,
	"its requests go with a deleted account":    accountDeleted,
	"the id of a deleted account is remembered": accountRemembered,
	"accounts are listed by filter":             accountsFiltered,
	"accounts are paged in every order":         accountsPaged,
	"another project's account does not exist":  accountForeign,
	"a text that cannot be stored is refused":   accountUnstorable,
}

// anAccount has something in every field, and belongs to the auth config ac_1.
func anAccount(id, projectID string) connect.ConnectedAccount {
	return connect.ConnectedAccount{
		ID: id, WordID: "word-" + id, Alias: "alias of " + id, ProjectID: projectID, UserID: "user of " + id, Toolkit: "github",
		AuthConfigID: "ac_1", Scheme: "OAUTH2", Status: connect.Active, StatusReason: "because",
		Values: connect.Fields{"access_token": secret.Hide("token of " + id), "refresh_token": secret.Hide("refresh of " + id)},
		Scopes: []string{"repo"}, TokenExpiry: start.Add(time.Hour),
		Identity: connect.Identity{ID: "7", Name: "Octo", Email: "octo@example.com", Avatar: "https://example.com/7.png"},
		Type:     connect.Shared, ACL: connect.ACL{AllowAll: true, Allowed: []string{"a"}, Denied: []string{"b"}},
		CreatedAt: start, UpdatedAt: start.Add(time.Second), ConnectedAt: start.Add(time.Minute), Version: 1,
	}
}

// withAuthConfig stores the auth config that anAccount belongs to.
func (f *fixture) withAuthConfig(t *testing.T, projectIDs ...string) {
	t.Helper()
	for _, projectID := range projectIDs {
		must(t, f.CreateAuthConfig(t.Context(), anAuthConfig("ac_1", projectID)))
	}
	f.news()
}

func accountWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	want := anAccount("ca_1", ours)
	must(t, f.CreateAccount(ctx, want))
	same(t, "read", got(f.Account(ctx, ours, "ca_1"))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "user of ca_1"}})

	again := anAccount("ca_1", ours)
	again.Alias, again.WordID = "", ""
	wantKind(t, "same id", f.CreateAccount(ctx, again), fault.Conflict)
}

func accountBare(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := connect.ConnectedAccount{ID: "ca_1", ProjectID: ours, Version: 1}
	must(t, f.CreateAccount(ctx, want))
	same(t, "read", got(f.Account(ctx, ours, "ca_1"))(t), want)
}

func accountAlias(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours, theirs)
	named := func(id, projectID, user, toolkit, alias string) connect.ConnectedAccount {
		a := anAccount(id, projectID)
		a.UserID, a.Toolkit, a.Alias = user, toolkit, alias
		return a
	}
	for _, free := range []connect.ConnectedAccount{
		named("ca_1", ours, "ann", "github", "work"),
		named("ca_2", ours, "ann", "github", "home"),
		named("ca_3", ours, "ann", "gmail", "work"),
		named("ca_4", ours, "bob", "github", "work"),
		named("ca_5", theirs, "ann", "github", "work"),
		named("ca_6", ours, "ann", "github", ""),
		named("ca_7", ours, "ann", "github", ""),
	} {
		must(t, f.CreateAccount(ctx, free))
	}
	wantKind(t, "create", f.CreateAccount(ctx, named("ca_8", ours, "ann", "github", "work")), fault.Conflict)
	_, err := f.UpdateAccount(ctx, ours, "ca_2", func(a *connect.ConnectedAccount) error { a.Alias = "work"; return nil })
	wantKind(t, "update", err, fault.Conflict)
	if errors.Is(err, connect.ErrWordIDTaken) {
		t.Error("a taken alias is told as a taken word id")
	}
	got(f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { a.Alias = ""; return nil }))(t)
	got(f.UpdateAccount(ctx, ours, "ca_2", func(a *connect.ConnectedAccount) error { a.Alias = "work"; return nil }))(t)
}

func accountWordID(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours, theirs)
	worded := func(id, projectID, word string) connect.ConnectedAccount {
		a := anAccount(id, projectID)
		a.WordID = word
		return a
	}
	must(t, f.CreateAccount(ctx, worded("ca_1", ours, "github_calm-otter")))
	must(t, f.CreateAccount(ctx, worded("ca_2", theirs, "github_calm-otter")))
	err := f.CreateAccount(ctx, worded("ca_3", ours, "github_calm-otter"))
	wantKind(t, "create", err, fault.Conflict)
	if !errors.Is(err, connect.ErrWordIDTaken) {
		t.Errorf("got %v, want connect.ErrWordIDTaken", err)
	}
}

func accountOrphan(t *testing.T, f *fixture) {
	ctx := t.Context()
	wantKind(t, "no auth config", f.CreateAccount(ctx, anAccount("ca_1", ours)), fault.NotFound)
	f.withAuthConfig(t, theirs)
	wantKind(t, "another project's auth config", f.CreateAccount(ctx, anAccount("ca_1", ours)), fault.NotFound)
}

func accountUpdated(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	f.news()
	want := connect.ConnectedAccount{
		ID: "ca_1", WordID: "other-word", ProjectID: ours, UserID: "user of ca_1", Toolkit: "github", AuthConfigID: "ac_1",
		Scheme: "API_KEY", Status: connect.Expired, Values: connect.Fields{"key": secret.Hide("k")},
		Type: connect.Private, CreatedAt: start, UpdatedAt: start.Add(time.Hour), Version: 2,
	}
	after := got(f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error {
		same(t, "before", *a, anAccount("ca_1", ours))
		*a = want
		a.ID, a.ProjectID, a.UserID, a.Version = "ca_other", theirs, "somebody else", 99 // an update cannot move it
		return nil
	}))(t)
	same(t, "given back", after, want)
	same(t, "read", got(f.Account(ctx, ours, "ca_1"))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "user of ca_1"}})

	_, err := f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { a.Alias = "never"; return errRefused })
	same(t, "refused", err == errRefused, true)
	same(t, "read after refusal", got(f.Account(ctx, ours, "ca_1"))(t), want)
}

func accountCounted(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	const writers, writes = 16, 5
	for i, err := range together(writers, func(int) error {
		for range writes {
			_, err := f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error {
				n, _ := strconv.Atoi(a.Values["count"].Reveal())
				a.Values["count"] = secret.Hide(strconv.Itoa(n + 1))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	a := got(f.Account(ctx, ours, "ca_1"))(t)
	same(t, "count", a.Values["count"].Reveal(), strconv.Itoa(writers*writes))
	same(t, "version", a.Version, int64(1+writers*writes))
}

func accountDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	f.news()
	must(t, f.DeleteAccount(ctx, ours, "ca_1"))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "user of ca_1"}})
	_, err := f.Account(ctx, ours, "ca_1")
	wantKind(t, "get", err, fault.NotFound)
	_, err = f.RequestByToken(ctx, "token 1")
	wantKind(t, "request", err, fault.NotFound)
	wantKind(t, "delete again", f.DeleteAccount(ctx, ours, "ca_1"), fault.NotFound)
	same(t, "news after nothing", len(f.news()), 0)
	same(t, "auth config's accounts", got(f.AuthConfig(ctx, ours, "ac_1"))(t).Connections, 0)
}

func accountsFiltered(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours, theirs)
	must(t, f.CreateAuthConfig(ctx, anAuthConfig("ac_2", ours)))
	for i, change := range []func(*connect.ConnectedAccount){
		func(a *connect.ConnectedAccount) {},
		func(a *connect.ConnectedAccount) { a.Toolkit = "gmail" },
		func(a *connect.ConnectedAccount) { a.Status = connect.Expired },
		func(a *connect.ConnectedAccount) { a.UserID = "ann" },
		func(a *connect.ConnectedAccount) { a.AuthConfigID = "ac_2" },
		func(a *connect.ConnectedAccount) { a.Type = connect.Private },
		func(a *connect.ConnectedAccount) { a.ProjectID = theirs },
	} {
		a := anAccount("ca_"+string(rune('a'+i)), ours)
		a.CreatedAt, a.UpdatedAt = start.Add(time.Duration(i)*time.Second), start.Add(-time.Duration(i)*time.Second)
		change(&a)
		must(t, f.CreateAccount(ctx, a))
	}
	all := []string{"ca_f", "ca_e", "ca_d", "ca_c", "ca_b", "ca_a"}
	for name, test := range map[string]struct {
		filter connect.AccountFilter
		want   []string
	}{
		"nothing":                 {connect.AccountFilter{}, all},
		"ids":                     {connect.AccountFilter{IDs: []string{"ca_b", "ca_e", "ca_g", "ca_none"}}, []string{"ca_e", "ca_b"}},
		"toolkits":                {connect.AccountFilter{Toolkits: []string{"gmail"}}, []string{"ca_b"}},
		"statuses":                {connect.AccountFilter{Statuses: []connect.Status{connect.Expired, connect.Failed}}, []string{"ca_c"}},
		"users":                   {connect.AccountFilter{UserIDs: []string{"ann", "bob"}}, []string{"ca_d"}},
		"auth configs":            {connect.AccountFilter{AuthConfigIDs: []string{"ac_2"}}, []string{"ca_e"}},
		"private":                 {connect.AccountFilter{Type: connect.Private}, []string{"ca_f"}},
		"several":                 {connect.AccountFilter{Toolkits: []string{"github"}, UserIDs: []string{"ann"}, Type: connect.Shared}, []string{"ca_d"}},
		"oldest first":            {connect.AccountFilter{Ascending: true}, reversed(all)},
		"by update":               {connect.AccountFilter{OrderUpdated: true}, reversed(all)},
		"by update, oldest first": {connect.AccountFilter{OrderUpdated: true, Ascending: true}, all},
	} {
		accounts, page, err := f.ListAccounts(ctx, ours, test.filter)
		must(t, err)
		same(t, name, idsOf(accounts, accountID), test.want)
		same(t, name+": page", page, connect.Page{Total: len(test.want)})
	}
	accounts, _, err := f.ListAccounts(ctx, theirs, connect.AccountFilter{})
	must(t, err)
	same(t, "secrets in a list", accounts[0].Values["access_token"].Reveal(), "token of ca_g")
}

func accountID(a connect.ConnectedAccount) string { return a.ID }

func reversed(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}

func accountsPaged(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	var ids []string
	for i := range 9 { // three of each time, so that a page ends between equals
		a := anAccount("ca_"+string(rune('a'+i)), ours)
		a.CreatedAt = start.Add(time.Duration(i/3) * time.Microsecond)
		a.UpdatedAt = a.CreatedAt
		must(t, f.CreateAccount(ctx, a))
		ids = append(ids, a.ID)
	}
	for _, updated := range []bool{false, true} {
		for _, ascending := range []bool{false, true} {
			want := ids
			if !ascending {
				want = reversed(ids)
			}
			for limit := 1; limit <= 10; limit++ {
				all := pages(t, 9, func(cursor string) ([]connect.ConnectedAccount, connect.Page, error) {
					return f.ListAccounts(ctx, ours, connect.AccountFilter{OrderUpdated: updated, Ascending: ascending, Limit: limit, Cursor: cursor})
				})
				same(t, "pages", idsOf(all, accountID), want)
			}
		}
	}

	first, page, err := f.ListAccounts(ctx, ours, connect.AccountFilter{Limit: 4})
	must(t, err)
	newest := anAccount("ca_z", ours)
	newest.CreatedAt = start.Add(time.Hour)
	must(t, f.CreateAccount(ctx, newest)) // what is added at the front does not shift the next page
	must(t, f.DeleteAccount(ctx, ours, first[3].ID))
	second, _, err := f.ListAccounts(ctx, ours, connect.AccountFilter{Limit: 4, Cursor: page.Next})
	must(t, err)
	same(t, "second page", idsOf(second, accountID), reversed(ids)[4:8])
}

func accountForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours, theirs)
	want := anAccount("ca_1", theirs)
	must(t, f.CreateAccount(ctx, want))
	_, err := f.Account(ctx, ours, "ca_1")
	wantKind(t, "get", err, fault.NotFound)
	_, err = f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { t.Error("update saw it"); return nil })
	wantKind(t, "update", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteAccount(ctx, ours, "ca_1"), fault.NotFound)
	_, err = f.ClaimRefresh(ctx, ours, "ca_1", "node", connect.Lease{})
	wantKind(t, "claim", err, fault.NotFound)
	accounts, page, err := f.ListAccounts(ctx, ours, connect.AccountFilter{IDs: []string{"ca_1"}})
	must(t, err)
	same(t, "list", len(accounts)+page.Total, 0)
	wantKind(t, "request for it", f.CreateRequest(ctx, aRequest("1", ours)), fault.NotFound)
	same(t, "untouched", got(f.Account(ctx, theirs, "ca_1"))(t), want)
}

func accountUnstorable(t *testing.T, f *fixture) {
	for _, text := range []string{"nul \x00 inside", "not UTF-8 \xff"} {
		a := connect.ConnectedAccount{ID: "ca_1", ProjectID: ours, UserID: text}
		if err := f.CreateAccount(t.Context(), a); err != nil && !fault.Is(err, fault.Invalid) { // SQLite stores it
			t.Errorf("create: got %v, want kind Invalid or nothing", err)
		}
		_, err := f.Account(t.Context(), ours, text)
		wantKind(t, "get", err, fault.NotFound)
		_, _, err = f.ListAccounts(t.Context(), ours, connect.AccountFilter{IDs: []string{text}})
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("list: got %v, want kind Invalid or nothing", err)
		}
		must(t, ignoreNotFound(f.DeleteAccount(t.Context(), ours, "ca_1")))
	}
}

// ignoreNotFound gives no error for what was not there.
func ignoreNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
