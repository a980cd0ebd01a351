package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

var idempotencyBehaviours = behaviours{
	"a key is claimed, answered and replayed": idempotentReplayed,
	"of many who claim a key one works":       idempotentRaced,
	"a key that was dropped is free":          idempotentDropped,
	"a key is free again after a day":         idempotentAged,
	"old keys are deleted":                    idempotentDeleted,
	"the same key in another project is free": idempotentForeign,
}

func idempotentReplayed(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, first, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	same(t, "first", first, true)
	prior, first, err := f.BeginIdempotent(ctx, ours, "key", "another print", start.Add(time.Second))
	must(t, err)
	same(t, "second while the first runs", first, false)
	same(t, "prior", prior, execute.Idempotent{Fingerprint: "print", CreatedAt: start})
	must(t, f.FinishIdempotent(ctx, ours, "key", []byte(`{"a":1}`)))
	prior, first, err = f.BeginIdempotent(ctx, ours, "key", "print", start.Add(time.Minute))
	must(t, err)
	same(t, "third", first, false)
	same(t, "prior", prior, execute.Idempotent{Fingerprint: "print", Answer: []byte(`{"a":1}`), CreatedAt: start})
	wantKind(t, "finish what was not begun", f.FinishIdempotent(ctx, ours, "other", nil), fault.NotFound)
}

func idempotentRaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	var firsts atomic.Int32
	for i, err := range together(12, func(int) error {
		_, first, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
		if first {
			firsts.Add(1)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	same(t, "firsts", firsts.Load(), int32(1))
}

func idempotentDropped(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, _, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	must(t, f.DropIdempotent(ctx, ours, "key"))
	must(t, f.DropIdempotent(ctx, ours, "key"))
	_, first, err := f.BeginIdempotent(ctx, ours, "key", "another print", start)
	must(t, err)
	same(t, "first", first, true)
}

func idempotentAged(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, _, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	must(t, f.FinishIdempotent(ctx, ours, "key", []byte("old")))
	_, first, err := f.BeginIdempotent(ctx, ours, "key", "print", start.Add(24*time.Hour-time.Microsecond))
	must(t, err)
	same(t, "within a day", first, false)
	_, first, err = f.BeginIdempotent(ctx, ours, "key", "another print", start.Add(24*time.Hour))
	must(t, err)
	same(t, "after a day", first, true)
	prior, _, err := f.BeginIdempotent(ctx, ours, "key", "another print", start.Add(24*time.Hour))
	must(t, err)
	same(t, "prior", prior, execute.Idempotent{Fingerprint: "another print", CreatedAt: start.Add(24 * time.Hour)})
}

func idempotentDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, key := range []string{"a", "b", "c"} {
		_, _, err := f.BeginIdempotent(ctx, ours, key, "print", start.Add(time.Duration(i)*time.Second))
		must(t, err)
	}
	same(t, "deleted", got(f.DeleteIdempotentBefore(ctx, start.Add(2*time.Second)))(t), 2)
	_, first, err := f.BeginIdempotent(ctx, ours, "c", "print", start)
	must(t, err)
	same(t, "c", first, false)
}

func idempotentForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, _, err := f.BeginIdempotent(ctx, theirs, "key", "print", start)
	must(t, err)
	wantKind(t, "finish", f.FinishIdempotent(ctx, ours, "key", []byte("x")), fault.NotFound)
	must(t, f.DropIdempotent(ctx, ours, "key"))
	_, first, err := f.BeginIdempotent(ctx, ours, "key", "print", start)
	must(t, err)
	same(t, "ours", first, true)
	prior, first, err := f.BeginIdempotent(ctx, theirs, "key", "print", start)
	must(t, err)
	same(t, "theirs", first, false)
	same(t, "their answer", len(prior.Answer), 0)
}
