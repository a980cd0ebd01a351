package storetest

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

var retentionBehaviours = behaviours{
	"deleted accounts are forgotten in the end":  deletedForgotten,
	"what an ended request has sealed is wiped":  requestsWiped,
	"what is wiped does not come back by itself": wipedForGood,
}

func deletedForgotten(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	for _, id := range []string{"ca_old", "ca_new"} {
		must(t, f.CreateAccount(ctx, anAccount(id, ours)))
	}
	must(t, f.DeleteAccount(ctx, ours, "ca_old"))
	f.pass(time.Hour)
	must(t, f.DeleteAccount(ctx, ours, "ca_new"))
	same(t, "forgotten", got(f.ForgetDeletedBefore(ctx, f.now()))(t), 1)
	same(t, "the older", got(f.AccountWasDeleted(ctx, ours, "ca_old"))(t), false)
	same(t, "the newer", got(f.AccountWasDeleted(ctx, ours, "ca_new"))(t), true)
	same(t, "forgotten again", got(f.ForgetDeletedBefore(ctx, f.now()))(t), 0)
}

// withRequests stores a request that ends in an hour, and one that ends in two.
func (f *fixture) withRequests(t *testing.T) {
	t.Helper()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(t.Context(), anAccount("ca_1", ours)))
	for i, token := range []string{"first", "second"} {
		must(t, f.CreateRequest(t.Context(), connect.ConnectionRequest{TokenHash: token, ProjectID: ours, AccountID: "ca_1",
			ExpiresAt: start.Add(time.Duration(i+1) * time.Hour), Verifier: secret.Hide("verifier"), Prefill: token0}))
	}
}

var token0 = connect.Fields{"subdomain": secret.Hide("acme")}

func requestsWiped(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withRequests(t)
	same(t, "wiped", got(f.WipeRequestsBefore(ctx, start.Add(90*time.Minute)))(t), 1)
	ended := got(f.RequestByToken(ctx, "first"))(t)
	same(t, "verifier", ended.Verifier.Empty(), true)
	same(t, "prefill", len(ended.Prefill), 0)
	same(t, "of the other", got(f.RequestByToken(ctx, "second"))(t).Verifier.Reveal(), "verifier")
	same(t, "wiped again", got(f.WipeRequestsBefore(ctx, start.Add(90*time.Minute)))(t), 0)
}

// wipedForGood lets a writer that read the request before it was wiped write it: the wiping was later, and the writer reads again.
func wipedForGood(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withRequests(t)
	wiped := false
	_, err := f.UpdateRequest(ctx, "first", func(r *connect.ConnectionRequest) error {
		if !wiped {
			wiped = true
			same(t, "wiped", got(f.WipeRequestsBefore(ctx, start.Add(90*time.Minute)))(t), 1)
		}
		r.FinishedAt = f.now()
		return nil
	})
	must(t, err)
	ended := got(f.RequestByToken(ctx, "first"))(t)
	same(t, "verifier", ended.Verifier.Empty(), true)
	same(t, "finished", ended.FinishedAt.IsZero(), false)
}
