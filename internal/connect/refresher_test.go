package connect_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/connect/connecttest"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Accounts that cannot be refreshed are the first of every sweep, since their tokens ended first. Those behind them get their
// turn in the same sweep.
func TestStuckAccountsDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	var stuck []string
	for i := range 20 {
		a := b.connected(c, fmt.Sprintf("stuck_%d", i), ann)
		stuck = append(stuck, a.Values["refresh_token"].Reveal())
	}
	b.clock.Move(time.Minute)
	well := b.connected(c, "well", bob)
	b.provider.Change(func() {
		b.provider.Fail = func(_ *http.Request, form url.Values) (int, string, bool) {
			return 503, "down", slices.Contains(stuck, form.Get("refresh_token"))
		}
	})
	b.clock.Move(2 * time.Hour)
	must(t, connect.NewRefresher(b.Service, connect.RefresherOptions{Batch: 3}).Sweep(b.ctx))
	if now := b.account(well.ID); now.Values["access_token"] == well.Values["access_token"] {
		t.Error("the account behind those that are stuck was not refreshed")
	}
	if n := b.provider.Refreshes(); n != 21 {
		t.Errorf("%d refreshes of 21 accounts", n)
	}
}

// A provider that takes connections and never answers costs a sweep a few tries, not one for each of its accounts.
func TestSilentProviderIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	for i := range 30 {
		b.connected(c, fmt.Sprintf("user_%d", i), ann)
	}
	b.clock.Move(2 * time.Hour)
	var mu sync.Mutex
	tries := 0
	s := newService(t, b.with(func(o *connect.Options) {
		o.HTTP = connecttest.Transport(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			tries++
			return nil, fmt.Errorf("reset")
		})
	}))
	must(t, connect.NewRefresher(s, connect.RefresherOptions{AtOnce: 2}).Sweep(b.ctx))
	if tries < 8 || tries > 10 {
		t.Errorf("the provider was tried %d times", tries)
	}
}

// What failed refreshes leave is stored: a server that is started anew goes on waiting, and so do other nodes.
func TestPauseOutlivesARestart(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	b.provider.Change(func() { b.provider.Fail = failOn("/token", 503, "down") })
	b.clock.Move(2 * time.Hour)
	_, err := b.Credential(b.ctx, b.caller, a)
	wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "stays connected")
	asked := b.provider.Refreshes()

	restarted := newService(t, b.options)
	_, err = restarted.Credential(b.ctx, b.caller, a)
	wantFault(t, err, fault.Unavailable, fault.SlugUpstream, "stays connected")
	must(t, connect.NewRefresher(newService(t, b.options), connect.RefresherOptions{}).Sweep(b.ctx))
	if n := b.provider.Refreshes() - asked; n != 0 {
		t.Errorf("the provider was asked %d times right after the restart", n)
	}

	pauses := []time.Duration{fault.From(err).After}
	for range 8 { // and each restart counts on
		b.clock.Move(pauses[len(pauses)-1])
		_, err := newService(t, b.options).Credential(b.ctx, b.caller, a)
		pauses = append(pauses, fault.From(err).After)
	}
	if last := pauses[len(pauses)-1]; last < 5*time.Minute || last > 10*time.Minute {
		t.Errorf("pauses of %v do not grow to ten minutes", pauses)
	}

	b.provider.Change(func() { b.provider.Fail = nil })
	b.clock.Move(10 * time.Minute)
	must(t, connect.NewRefresher(newService(t, b.options), connect.RefresherOptions{}).Sweep(b.ctx))
	if now := b.account(a.ID); now.Values["access_token"] == a.Values["access_token"] {
		t.Error("not refreshed once the provider was well again")
	}
	b.provider.Change(func() { b.provider.Fail = failOn("/token", 503, "down") })
	b.clock.Move(2 * time.Hour)
	_, err = b.Credential(b.ctx, b.caller, b.account(a.ID))
	if after := fault.From(err).After; after > 5*time.Second {
		t.Errorf("a success did not end the count: %v", after)
	}
}
