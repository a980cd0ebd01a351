package storetest

import "testing"

func accountRemembered(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	for _, id := range []string{"ca_1", "ca_2", "ca_3"} {
		must(t, f.CreateAccount(ctx, anAccount(id, ours)))
	}
	must(t, f.DeleteAccount(ctx, ours, "ca_1"))
	same(t, "deleted", got(f.AccountWasDeleted(ctx, ours, "ca_1"))(t), true)
	same(t, "alive", got(f.AccountWasDeleted(ctx, ours, "ca_2"))(t), false)
	same(t, "never there", got(f.AccountWasDeleted(ctx, ours, "ca_9"))(t), false)
	same(t, "another project", got(f.AccountWasDeleted(ctx, theirs, "ca_1"))(t), false)

	must(t, f.DeleteAuthConfig(ctx, ours, "ac_1"))
	same(t, "deleted with its auth config", got(f.AccountWasDeleted(ctx, ours, "ca_3"))(t), true)
}
