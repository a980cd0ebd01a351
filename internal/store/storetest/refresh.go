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
	"the claim of a dead owner is taken over":      refreshTakenOver,
	"accounts whose next try is to come wait":      refreshPaused,
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
	due := got(f.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: start.Add(time.Hour), Now: start, LongestPause: time.Hour, After: connect.ConnectedAccount{}, Limit: 10}))(t)
	same(t, "due", idsOf(due, accountID), []string{"ca_b", "ca_c", "ca_a"})
	same(t, "secrets", due[0].Values["refresh_token"].Reveal(), "refresh of ca_b")
	due = got(f.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: start.Add(time.Hour), Now: start, LongestPause: time.Hour, After: connect.ConnectedAccount{}, Limit: 2}))(t)
	same(t, "first two", idsOf(due, accountID), []string{"ca_b", "ca_c"})
	due = got(f.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: start.Add(time.Hour), Now: start, LongestPause: time.Hour, After: due[1], Limit: 2}))(t)
	same(t, "the rest", idsOf(due, accountID), []string{"ca_a"})

	for _, id := range []string{"ca_x", "ca_y", "ca_z"} { // which end together
		a := anAccount(id, ours)
		a.TokenExpiry = start.Add(3 * time.Minute)
		must(t, f.CreateAccount(ctx, a))
	}
	var paged []string
	for after := (connect.ConnectedAccount{}); ; {
		page := got(f.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: start.Add(time.Hour), Now: start, LongestPause: time.Hour, After: after, Limit: 2}))(t)
		if len(page) == 0 {
			break
		}
		paged, after = append(paged, idsOf(page, accountID)...), page[len(page)-1]
	}
	same(t, "all pages", paged, []string{"ca_b", "ca_c", "ca_a", "ca_x", "ca_y", "ca_z"})
}

func refreshClaimed(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	f.news()
	claim := func(owner string, dead connect.Lease) connect.Lease {
		t.Helper()
		return got(f.ClaimRefresh(ctx, ours, "ca_1", owner, dead))(t)
	}
	none := connect.Lease{}
	same(t, "a claims", claim("a", none).Owner, "a")
	same(t, "b cannot", claim("b", none).Owner, "a")
	same(t, "a keeps it", claim("a", none).Owner, "a")
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "b", connect.Retry{Failures: 9}))
	same(t, "b released nothing", claim("b", none).Owner, "a")
	next := connect.Retry{Failures: 3, After: start.Add(time.Minute)}
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "a", next))
	held := claim("b", none)
	same(t, "b claims what was released", held.Owner, "b")
	same(t, "b learns when to try", held.Retry, next)

	_, err := f.ClaimRefresh(ctx, ours, "ca_none", "a", none)
	wantKind(t, "no such account", err, fault.NotFound)
	same(t, "version", got(f.Account(ctx, ours, "ca_1"))(t).Version, int64(1))
	same(t, "news", len(f.news()), 0)
}

// refreshTakenOver lets an owner die, and another one see that.
func refreshTakenOver(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	claim := func(owner string, dead connect.Lease) connect.Lease {
		t.Helper()
		return got(f.ClaimRefresh(ctx, ours, "ca_1", owner, dead))(t)
	}
	claim("a", connect.Lease{})
	seen := claim("b", connect.Lease{})
	same(t, "seen again while nothing happened", claim("b", connect.Lease{}), seen)
	same(t, "a lives", got(f.RenewRefresh(ctx, ours, "ca_1", "a"))(t), true)
	alive := claim("b", seen)
	same(t, "b cannot take it from the living", alive.Owner, "a")
	same(t, "b cannot show that a lives", got(f.RenewRefresh(ctx, ours, "ca_1", "b"))(t), false)
	same(t, "b takes it from the dead", claim("b", alive).Owner, "b")
	same(t, "c comes too late", claim("c", alive).Owner, "b")
	same(t, "a is told", got(f.RenewRefresh(ctx, ours, "ca_1", "a"))(t), false)
	must(t, f.ReleaseRefresh(ctx, ours, "ca_1", "a", connect.Retry{}))
	same(t, "a released nothing", claim("c", connect.Lease{}).Owner, "b")
}

// refreshPaused leaves out accounts whose next try is still to come, and does not believe a time that is too far off.
func refreshPaused(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	for id, after := range map[string]time.Time{"ca_over": start, "ca_paused": start.Add(time.Minute), "ca_far": start.Add(2 * time.Hour)} {
		a := anAccount(id, ours)
		a.TokenExpiry = start
		must(t, f.CreateAccount(ctx, a))
		got(f.ClaimRefresh(ctx, ours, id, "a", connect.Lease{}))(t)
		must(t, f.ReleaseRefresh(ctx, ours, id, "a", connect.Retry{Failures: 1, After: after}))
	}
	due := got(f.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: start.Add(time.Hour), Now: start, LongestPause: time.Hour, Limit: 9}))(t)
	same(t, "due", idsOf(due, accountID), []string{"ca_far", "ca_over"})

	paused := func(change func(*connect.ConnectedAccount)) connect.Retry {
		got(f.UpdateAccount(ctx, ours, "ca_paused", func(a *connect.ConnectedAccount) error { change(a); return nil }))(t)
		lease := got(f.ClaimRefresh(ctx, ours, "ca_paused", "a", connect.Lease{}))(t)
		must(t, f.ReleaseRefresh(ctx, ours, "ca_paused", "a", lease.Retry))
		return lease.Retry
	}
	same(t, "after another change", paused(func(a *connect.ConnectedAccount) { a.Alias = "work" }).Failures, 1)
	same(t, "connected anew", paused(func(a *connect.ConnectedAccount) { a.ConnectedAt = start.Add(time.Hour) }), connect.Retry{})
}

func refreshRaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	var won atomic.Int32
	race := func(dead connect.Lease) {
		t.Helper()
		won.Store(0)
		for i, err := range together(12, func(i int) error {
			owner := string(rune('a'+i)) + dead.Owner
			lease, err := f.ClaimRefresh(ctx, ours, "ca_1", owner, dead)
			if lease.Owner == owner {
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
	race(connect.Lease{})
	race(got(f.ClaimRefresh(ctx, ours, "ca_1", "none of them", connect.Lease{}))(t))
}

func refreshUpdated(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	got(f.ClaimRefresh(ctx, ours, "ca_1", "a", connect.Lease{}))(t)
	got(f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { a.Status = connect.Active; return nil }))(t)
	same(t, "b", got(f.ClaimRefresh(ctx, ours, "ca_1", "b", connect.Lease{}))(t).Owner, "a")
}
