package connect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// A clock that jumps, and comes back, costs each account at most a refresh a jump, and none its connection.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{
		"an hour ahead": time.Hour, "an hour back": -time.Hour,
		"a year ahead": 365 * 24 * time.Hour, "a year back": -365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.provider.Rotate = true
			c := b.oauthConfig("acme")
			var ids []string
			for i := range 5 {
				ids = append(ids, b.connected(c, fmt.Sprintf("user_%d", i), ann).ID)
			}
			b.provider.NoRefresh = true
			short := b.connected(c, "short", bob).ID // ends, and has nothing to be renewed with
			b.provider.Change(func() { b.provider.NoRefresh = false })

			asked := 0
			for _, move := range []time.Duration{jump, -jump, jump, -jump} {
				b.clock.Move(move)
				for range 3 { // all that runs again and again
					must(t, connect.NewRefresher(b.Service, connect.RefresherOptions{}).Sweep(b.ctx))
					for _, id := range append([]string{short}, ids...) {
						cred := b.credential(b.account(id))
						if _, works := b.provider.Whose(bearer(cred)); !works {
							t.Fatal("a token that does not work was handed out")
						}
					}
				}
				if n := b.provider.Refreshes() - asked; n > len(ids) {
					t.Errorf("%d refreshes of %d accounts after a jump of %v", n, len(ids), move)
				}
				asked = b.provider.Refreshes()
			}
			for _, id := range append([]string{short}, ids...) {
				if a := b.account(id); a.Status != connect.Active {
					t.Errorf("account is %s: %s", a.Status, a.StatusReason)
				}
			}
		})
	}
}

// What waits for a time must not wait for as long as the clock was turned back.
func TestClockTurnedBack(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	t.Run("a link", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		b.clock.Move(-year)
		_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
		wantFault(t, err, fault.Gone, fault.SlugLinkExpired)
		if a := b.account(l.Account.ID); a.Status != connect.Expired {
			t.Errorf("account is %s", a.Status)
		}
	})
	t.Run("a pause after a failure", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		b.clock.Move(2 * time.Hour)
		b.provider.Change(func() { b.provider.Fail = failOn("/token", 503, "down") })
		_, err := b.Credential(b.ctx, b.caller, a)
		wantFault(t, err, fault.Unavailable, fault.SlugUpstream)
		b.provider.Change(func() { b.provider.Fail = nil })
		b.clock.Move(-year)
		for _, s := range []*connect.Service{b.Service, newService(t, b.options)} {
			if _, err := s.Credential(b.ctx, b.caller, b.account(a.ID)); err != nil {
				t.Errorf("still waiting: %v", err)
			}
		}
	})
	t.Run("a rejected token", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		b.clock.Move(2 * time.Hour)
		cred := b.credential(a) // renewed just now
		b.clock.Move(-year)
		now := b.account(a.ID)
		retry, err := b.Rejected(b.ctx, b.caller, now, cred)
		must(t, err)
		if !retry || b.account(a.ID).Status != connect.Active {
			t.Errorf("retry %v, %s", retry, b.account(a.ID).Status)
		}
	})
}

// The end of a link is a change of status like any other.
func TestExpiredLinksAreAnnounced(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	l := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u1"})
	b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u2"})
	_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	*b.statuses = nil
	b.clock.Move(11 * time.Minute)
	must(t, connect.NewRefresher(b.Service, connect.RefresherOptions{}).Sweep(b.ctx))
	must(t, connect.NewRefresher(b.Service, connect.RefresherOptions{}).Sweep(b.ctx))
	told := map[string]int{}
	for _, s := range *b.statuses {
		told[s]++
	}
	if len(*b.statuses) != 2 || told["INITIATED > EXPIRED"] != 1 || told["INITIALIZING > EXPIRED"] != 1 {
		t.Errorf("announced %v", *b.statuses)
	}
}
