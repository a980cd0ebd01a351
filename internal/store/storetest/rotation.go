package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
)

var rotationBehaviours = behaviours{
	"what was sealed before opens after the old keys are gone": rotationWhole,
	"others read and write while all is sealed anew":           rotationWhileServing,
	"a rotation that was broken off goes on":                   rotationBrokenOff,
	"a keyset is replaced by whoever read it last":             keysetReplaced,
}

func keysetReplaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := got(f.EnsureKeyset(ctx, "pr_1", []byte("first")))(t)
	same(t, "replaced", got(f.ReplaceKeyset(ctx, first, secret.Keyset{Owner: "pr_1", Wrapped: []byte("second"), Rotated: start}))(t), true)
	same(t, "replaced by the slower", got(f.ReplaceKeyset(ctx, first, secret.Keyset{Owner: "pr_1", Wrapped: []byte("third")}))(t), false)
	same(t, "listed", got(f.Keysets(ctx))(t)[0], secret.Keyset{Owner: "pr_1", Wrapped: []byte("second"), Rotated: start})
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Keyset, ID: "pr_1"}})
}

// withSealed stores something in every kind of row that is sealed.
func (f *fixture) withSealed(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	for i := range 450 { // more than two batches
		must(t, f.CreateAccount(ctx, connect.ConnectedAccount{ID: fmt.Sprintf("ca_%03d", i), ProjectID: ours, Values: token(0)}))
	}
	must(t, f.CreateRequest(ctx, connect.ConnectionRequest{TokenHash: "link", ProjectID: ours, AccountID: "ca_000", Verifier: secret.Hide("verifier"), Prefill: token(0)}))
	_, _, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	must(t, f.FinishIdempotent(ctx, ours, "key", []byte("answer")))
	must(t, f.CreateSession(ctx, session.Session{ID: "trs_1", ProjectID: ours}))
	f.note(t, memoryKey(ours, "trs_1", "task"), "a note")
}

func token(n int64) connect.Fields {
	return connect.Fields{"access_token": secret.Hide(fmt.Sprintf("token %d", n))}
}

// stillOpens reads everything that withSealed stored.
func (f *fixture) stillOpens(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	same(t, "auth config", got(f.AuthConfig(ctx, ours, "ac_1"))(t), anAuthConfig("ac_1", ours))
	accounts, _, err := f.ListAccounts(ctx, ours, connect.AccountFilter{})
	must(t, err)
	same(t, "accounts", len(accounts), 450)
	same(t, "verifier", got(f.RequestByToken(ctx, "link"))(t).Verifier.Reveal(), "verifier")
	answer, first, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	same(t, "first", first, false)
	same(t, "answer", string(answer.Answer), "answer")
	same(t, "memory", f.memory(t, memoryKey(ours, "trs_1", "task")).Notes, []session.Note{{Toolkit: "slack", Text: "a note"}})
}

func rotationWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withSealed(t)
	f.pass(time.Hour)
	began := got(f.BeginRotation(ctx))(t)
	same(t, "rotated", got(f.Keyring().Rotate(ctx, began))(t), 2)
	same(t, "sealed with old keys", got(f.SealedWithOldKeys(ctx))(t) > 450, true)
	var last store.Resealing
	must(t, f.Reseal(ctx, func(r store.Resealing) { last = r }))
	same(t, "sealed with old keys in the end", got(f.SealedWithOldKeys(ctx))(t), 0)
	same(t, "values sealed anew", last.Resealed, 450+3+2+1+1)
	must(t, f.FinishRotation(ctx, began))
	f.pass(secret.SettleTime)
	same(t, "retired", got(f.Keyring().Retire(ctx))(t), 2)
	f.stillOpens(t)

	must(t, f.Close())
	f.Store = open(t, store.Options{Database: f.database, MasterKey: Key(f.key), Bus: new(notify.Bus), Now: f.now})
	f.stillOpens(t)
}

// rotationWhileServing lets writers change the same accounts over and over while the keys are rotated three times. No write is
// lost, nothing stays under an old key, and everything can be read at any time.
func rotationWhileServing(t *testing.T, f *fixture) {
	f.withSealed(t)
	w := &writers{fixture: f, written: make([]int64, 20)}
	w.moved = sync.NewCond(&w.mu)
	w.start(t)
	for range 3 {
		f.pass(time.Hour)
		began := got(f.BeginRotation(t.Context()))(t)
		_, err := f.Keyring().Rotate(t.Context(), began)
		must(t, err)
		w.wait() // SettleTime stands for this: what was sealed before is stored by now
		must(t, f.Reseal(t.Context(), func(store.Resealing) {}))
		must(t, f.FinishRotation(t.Context(), began))
		same(t, "sealed with old keys", got(f.SealedWithOldKeys(t.Context()))(t), 0)
		f.pass(secret.SettleTime)
		_, err = f.Keyring().Retire(t.Context())
		must(t, err)
		w.wait()
	}
	for i, n := range w.stop() {
		a := got(f.Account(t.Context(), ours, writtenID(i)))(t)
		same(t, a.ID, a.Values, token(n))
	}
	f.stillOpens(t)
}

// writers are goroutines that each write to an account of their own, and read it again.
type writers struct {
	*fixture
	running sync.WaitGroup

	mu      sync.Mutex
	moved   *sync.Cond // a write is done, or a writer gave up
	written []int64    // the number of the last write of each
	ended   bool
}

func writtenID(writer int) string { return fmt.Sprintf("ca_%03d", writer*20) }

func (w *writers) start(t *testing.T) {
	for i := range w.written {
		w.running.Go(func() {
			for n := int64(1); ; n++ {
				err := w.write(t.Context(), writtenID(i), n)
				if err != nil {
					t.Errorf("write %d of %s: %v", n, writtenID(i), err)
				}
				w.mu.Lock()
				w.written[i] = n
				w.ended = w.ended || err != nil
				ended := w.ended
				w.moved.Broadcast()
				w.mu.Unlock()
				if ended {
					return
				}
			}
		})
	}
	t.Cleanup(func() { w.stop() })
}

func (w *writers) write(ctx context.Context, id string, n int64) error {
	_, err := w.UpdateAccount(ctx, ours, id, func(a *connect.ConnectedAccount) error {
		a.Values = token(n)
		return nil
	})
	if err != nil {
		return err
	}
	a, err := w.Account(ctx, ours, id)
	if err == nil && a.Values["access_token"] != token(n)["access_token"] {
		err = errors.New("it is not what was written")
	}
	return err
}

// wait waits until every writer has begun a write and ended it.
func (w *writers) wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, before := range slices.Clone(w.written) {
		for w.written[i] < before+2 && !w.ended {
			w.moved.Wait()
		}
	}
}

// stop ends the writers and gives the number of the last write of each.
func (w *writers) stop() []int64 {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.running.Wait()
	return w.written
}

func rotationBrokenOff(t *testing.T, f *fixture) {
	f.withSealed(t)
	f.pass(time.Hour)
	began := got(f.BeginRotation(t.Context()))(t)
	_, err := f.Keyring().Rotate(t.Context(), began)
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	err = f.Reseal(ctx, func(r store.Resealing) {
		if r.Resealed > 100 {
			stop()
		}
	})
	same(t, "broken off", errors.Is(err, context.Canceled), true)
	left := got(f.SealedWithOldKeys(t.Context()))(t)
	same(t, "something is left to do", left > 0 && left < 450, true)
	f.stillOpens(t)

	must(t, f.Close())
	f.Store = open(t, store.Options{Database: f.database, MasterKey: Key(f.key), Bus: new(notify.Bus), Now: f.now})
	f.pass(time.Hour)
	same(t, "it is still the same rotation", got(f.BeginRotation(t.Context()))(t).Equal(began), true)
	before := got(f.Keysets(t.Context()))(t)
	_, err = f.Keyring().Rotate(t.Context(), began)
	must(t, err)
	for i, after := range got(f.Keysets(t.Context()))(t) {
		same(t, "no further key for "+after.Owner, bytes.Equal(before[i].Wrapped, after.Wrapped), true)
	}
	must(t, f.Reseal(t.Context(), func(store.Resealing) {}))
	same(t, "left in the end", got(f.SealedWithOldKeys(t.Context()))(t), 0)
	f.stillOpens(t)
	must(t, f.FinishRotation(t.Context(), began))
	same(t, "the next is another rotation", got(f.BeginRotation(t.Context()))(t).After(began), true)
}
