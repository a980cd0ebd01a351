package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

var refreshBehaviours = behaviours{
	"accounts to refresh are those that end first": refreshListed,
	"one owner at a time may refresh":              refreshClaimed,
	"of many who claim one wins":                   refreshRaced,
	"a claim survives an update":                   refreshUpdated,
}

func refreshListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours, theirs)
	for i, change := range []func(*connect.ConnectedAccount){
		func(a *connect.ConnectedAccount) { a.TokenExpiry = start.Add(3 * time.Minute) },
		func(a *connect.ConnectedAccount) { a.TokenExpiry, a.ProjectID = start.Add(time.Minute), theirs },
		func(a *connect.ConnectedAccount) { a.TokenExpiry = start.Add(2 * time.Minute) },
		func(a *connect.ConnectedAccount) { a.TokenExpiry, a.Status = start, connect.Inactive },
		func(a *connect.ConnectedAccount) { a.TokenExpiry = time.Time{} },
		func(a *connect.ConnectedAccount) { a.TokenExpiry = start.Add(time.Hour) },
	} {
		a := anAccount("ca_"+string(rune('a'+i)), ours)
		change(&a)
		must(t, f.CreateAccount(ctx, a))
	}
	due := got(f.AccountsToRefresh(ctx, start.Add(time.Hour), 10))(t)
	same(t, "due", idsOf(due, accountID), []string{"ca_b", "ca_c", "ca_a"})
	same(t, "secrets", due[0].Values["refresh_token"].Reveal(), "refresh of ca_b")
	due = got(f.AccountsToRefresh(ctx, start.Add(time.Hour), 2))(t)
	same(t, "first two", idsOf(due, accountID), []string{"ca_b", "ca_c"})
}

func refreshClaimed(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	f.news()
	claim := func(owner string, now, until time.Time) bool {
		t.Helper()
		return got(f.ClaimRefresh(ctx, ours, "ca_1", owner, now, until))(t)
	}
	lease := start.Add(time.Minute)
	same(t, "a claims", claim("a", start, lease), true)
	same(t, "b cannot", claim("b", start, lease), false)
	same(t, "a keeps it", claim("a", start, lease), true)
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "b"))
	same(t, "b released nothing", claim("b", start, lease), false)
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "a"))
	same(t, "b claims what was released", claim("b", start, lease), true)
	same(t, "a cannot just before the end", claim("a", lease.Add(-time.Microsecond), lease.Add(time.Minute)), false)
	same(t, "a claims what has ended", claim("a", lease, lease.Add(time.Minute)), true)
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "b"))
	same(t, "b came too late to release", claim("b", lease, lease.Add(time.Minute)), false)

	_, err := f.ClaimRefresh(ctx, ours, "ca_none", "a", start, lease)
	wantKind(t, "no such account", err, fault.NotFound)
	same(t, "version", got(f.Account(ctx, ours, "ca_1"))(t).Version, int64(1))
	same(t, "news", len(f.news()), 0)
}

func refreshRaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	var won atomic.Int32
	for i, err := range together(12, func(i int) error {
		claimed, err := f.ClaimRefresh(ctx, ours, "ca_1", string(rune('a'+i)), start, start.Add(time.Minute))
		if claimed {
			won.Add(1)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("owner %d: %v", i, err)
		}
	}
	same(t, "winners", won.Load(), int32(1))
}

func refreshUpdated(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	got(f.ClaimRefresh(ctx, ours, "ca_1", "a", start, start.Add(time.Minute)))(t)
	got(f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { a.Status = connect.Active; return nil }))(t)
	same(t, "b", got(f.ClaimRefresh(ctx, ours, "ca_1", "b", start, start.Add(time.Minute)))(t), false)
}
