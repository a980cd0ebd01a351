package storetest

import (
	"bytes"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

var keysetBehaviours = behaviours{
	"a keyset is kept once made":            keysetOnce,
	"the wrong master key does not open":    keysetWrongKey,
	"what is sealed opens after a restart":  keysetReopened,
	"of many who make a keyset one is kept": keysetRaced,
}

func keysetOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, err := f.Keyset(ctx, "pr_1")
	wantKind(t, "none yet", err, fault.NotFound)
	same(t, "made", got(f.EnsureKeyset(ctx, "pr_1", []byte{0, 1, 255}))(t), []byte{0, 1, 255})
	same(t, "made again", got(f.EnsureKeyset(ctx, "pr_1", []byte("other")))(t), []byte{0, 1, 255})
	same(t, "read", got(f.Keyset(ctx, "pr_1"))(t), []byte{0, 1, 255})
}

func keysetRaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	kept := make([][]byte, 8)
	for i, err := range together(len(kept), func(i int) (err error) {
		kept[i], err = f.EnsureKeyset(ctx, "pr_1", []byte{byte(i)})
		return err
	}) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
		if !bytes.Equal(kept[i], kept[0]) {
			t.Errorf("caller %d got %v, caller 0 %v", i, kept[i], kept[0])
		}
	}
}

func keysetWrongKey(t *testing.T, f *fixture) {
	must(t, f.Close())
	_, err := store.Open(t.Context(), store.Options{Database: f.database, MasterKey: Key(secret.NewMasterKey()), Bus: new(notify.Bus)})
	wantKind(t, "open", err, fault.Invalid)
	same(t, "message", fault.From(err).Message, "This master key does not open this database.")
	same(t, "has a fix", fault.From(err).Fix != "", true)
}

func keysetReopened(t *testing.T, f *fixture) {
	f.withAuthConfig(t, ours)
	must(t, f.Close())
	f.Store = open(t, store.Options{Database: f.database, MasterKey: Key(f.key), Bus: new(notify.Bus)})
	same(t, "read", got(f.AuthConfig(t.Context(), ours, "ac_1"))(t), anAuthConfig("ac_1", ours))
}
