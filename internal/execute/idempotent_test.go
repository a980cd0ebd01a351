package execute_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

func (w *world) keyed(name, arguments, key string) execute.Call {
	call := w.call(name, arguments)
	call.IdempotencyKey = key
	return call
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]execute.Store{"in memory": newMemoryStore(), "in SQLite": storetest.Open(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(201, `{"id":9}`), func(o *execute.Options) { o.Store = kept })
			first, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, "k1"))
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, "k1"))
			if err != nil {
				t.Fatal(err)
			}
			if first.Replayed || !again.Replayed {
				t.Errorf("replayed: %v, %v", first.Replayed, again.Replayed)
			}
			again.Replayed = false
			if d := cmp.Diff(first, again, cmpopts.IgnoreUnexported(execute.Result{})); d != "" {
				t.Error(d)
			}
			w.wantRequests(1)

			_, err = w.Run(t.Context(), caller, w.keyed(write, `{"title": "Other"}`, "k1"))
			wantFault(t, err, fault.Conflict, fault.SlugIdempotencyConflict)
			custom := w.keyed(write, writeArgs, "k1")
			custom.Custom = &execute.CustomAuth{Fields: connect.Fields{"api_key": secret.Hide("another")}}
			_, err = w.Run(t.Context(), caller, custom)
			wantFault(t, err, fault.Conflict, fault.SlugIdempotencyConflict)
			other := caller
			other.ProjectID = "pr_2" // whose keys are its own
			if res, err := w.Run(t.Context(), other, w.keyed(write, `{"title": "Other"}`, "k1")); err != nil || res.Replayed {
				t.Error(res, err)
			}
		})
	}
}

// A failure of the provider is an answer like any other, and is replayed; a call that did nothing gives its key back.
func TestWhatIsReplayed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		upstream http.HandlerFunc
		requests int // after two calls under one key
	}{
		"refused by the provider":   {status(422, `{"message":"no"}`), 1},
		"the outcome is not known":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1},
		"accepted, then unreadable": {status(200, `{"id`), 1},
		"too many requests":         {status(429, `{}`), 2},
		"credential refused":        {status(401, `{}`), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.upstream)
			for range 2 {
				w.accounts.expired = false
				if res, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, "k1")); err != nil || res.Error == "" {
					t.Error(res, err)
				}
			}
			w.wantRequests(tc.requests)
		})
	}
}

func TestKeysOfCallsThatWereNotMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	w.accounts.missing = true
	if _, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, "k1")); err == nil {
		t.Fatal("no fault")
	}
	w.accounts.missing = false
	if res, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, "k1")); err != nil || res.Replayed || res.Error != "" {
		t.Error(res, err)
	}
	_, err := w.Run(t.Context(), caller, w.keyed(write, writeArgs, strings.Repeat("k", 256)))
	wantFault(t, err, fault.Invalid, fault.SlugInvalid)
	w.wantRequests(1)
}

// The client gives up and repeats while the first call is on its way: the call is made once, and the repeat gets its answer.
func TestRepeatWhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		answerJSON(rw, 201, `{"id":9}`)
	})
	type outcome struct {
		res execute.Result
		err error
	}
	run := func(ctx context.Context) chan outcome {
		done := make(chan outcome, 1)
		go func() {
			res, err := w.Run(ctx, caller, w.keyed(write, writeArgs, "k1"))
			done <- outcome{res, err}
		}()
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := run(ctx)
	<-arrived
	cancel() // the first client is gone
	second := run(t.Context())
	close(release)
	if got := <-first; got.err != nil || string(got.res.Data) != `{"id":9}` {
		t.Error(got)
	}
	if got := <-second; got.err != nil || string(got.res.Data) != `{"id":9}` || !got.res.Replayed {
		t.Error(got)
	}
	w.wantRequests(1)
}

func TestRepeatOfACallThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		age  time.Duration
		want string
		took time.Duration
	}{
		"still running":  {0, "still running", 20 * time.Second},
		"never finished": {2 * time.Minute, "never finished", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(200, `{}`))
			call := w.keyed(write, writeArgs, "k1")
			synctest.Test(t, func(t *testing.T) {
				// A claim of another node that does not get its answer.
				prior := &stuck{memoryStore: newMemoryStore(), since: time.Now().Add(-tc.age)}
				r, err := execute.New(execute.Options{Accounts: w.accounts, Client: w.client, Store: prior})
				if err != nil {
					t.Fatal(err)
				}
				started := time.Now()
				_, err = r.Run(t.Context(), caller, call)
				f := wantFault(t, err, fault.Conflict, fault.SlugIdempotencyConflict)
				if !strings.Contains(f.Message, tc.want) {
					t.Error(f.Message)
				}
				if took := time.Since(started); took > tc.took || took < tc.took-2*time.Second {
					t.Errorf("took %s, want about %s", took, tc.took)
				}
			})
			w.wantRequests(0)
		})
	}
}

// stuck is a store in which every key is claimed by a call that does not end.
type stuck struct {
	*memoryStore
	since time.Time
}

func (s *stuck) BeginIdempotent(_ context.Context, _, _, fingerprint string, _ time.Time) (execute.Idempotent, bool, error) {
	return execute.Idempotent{Fingerprint: fingerprint, CreatedAt: s.since}, false, nil
}
