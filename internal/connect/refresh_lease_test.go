package connect_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// beats counts how often leases were renewed.
type beats struct {
	connect.Store
	n    atomic.Int32
	many chan struct{} // closed after so many that a lease of which none was seen would have been taken for dead
}

func (s *beats) RenewRefresh(ctx context.Context, projectID, accountID, owner string) (bool, error) {
	held, err := s.Store.RenewRefresh(ctx, projectID, accountID, owner)
	if s.n.Add(1) == 10 {
		close(s.many)
	}
	return held, err
}

// patient sends requests for tokens only when it may.
type patient struct {
	connect.HTTP
	asked atomic.Int32
	again chan struct{} // closed when a second one asks
	may   chan struct{}
}

func (h *patient) DoVia(p outbound.Proxy, r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/token" {
		if h.asked.Add(1) == 2 {
			close(h.again)
		}
		<-h.may
	}
	return h.HTTP.DoVia(p, r)
}

// TestARefreshThatTakesLongIsLeftAlone: a provider may think for longer than a lease outlives its node.
func TestARefreshThatTakesLongIsLeftAlone(t *testing.T) {
	t.Parallel()
	var seen *beats
	b := newBed(t, func(o *connect.Options) {
		seen = &beats{Store: o.Store, many: make(chan struct{})}
		o.Store, o.RefreshLease = seen, time.Second
	})
	b.provider.Rotate = true
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	slow := &patient{HTTP: b.options.HTTP, again: make(chan struct{}), may: make(chan struct{})}
	nodes := make([]*connect.Service, 2)
	for i := range nodes {
		nodes[i] = newService(t, b.with(func(o *connect.Options) { o.HTTP = slow }))
	}
	b.clock.Move(2 * time.Hour)
	go func() {
		defer close(slow.may)
		select {
		case <-seen.many:
		case <-slow.again:
		case <-b.ctx.Done():
		}
	}()
	creds, err := atOnce(2, func(i int) (connect.Credential, error) { return nodes[i].Credential(b.ctx, b.caller, a) })
	must(t, err)
	if n := slow.asked.Load(); n != 1 {
		t.Errorf("%d nodes asked for a token at the same time", n)
	}
	for _, c := range creds {
		if bearer(c) != b.account(a.ID).Values["access_token"].Reveal() {
			t.Error("a node handed out another token than the new one")
		}
	}
}
