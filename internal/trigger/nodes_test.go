package trigger_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

// Two nodes on one Postgres share the polls: everything is found, and no event is in the log twice under any key.
func TestTwoNodesOnPostgresSharePolls(t *testing.T) {
	t.Parallel()
	database, key := postgrestest.Start(t)(t), storetest.Key(secret.NewMasterKey())
	open := func(w *world) (*store.Store, *notify.Bus) {
		bus := new(notify.Bus)
		s, err := store.Open(t.Context(), store.Options{Database: database, MasterKey: key, Bus: bus, Now: w.clock})
		must(t, err)
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s, bus
	}
	one := newWorldOver(t, newProvider(t), open)
	two := newWorldOver(t, one.provider, open)
	const instances, rounds = 12, 4
	for n := range instances {
		user := "user" + strconv.Itoa(n)
		one.account(user)
		one.watch("ACME_NEW_THING", user, `{"box":"b1","size":50}`)
	}
	for round := range rounds {
		one.provider.put("thing"+strconv.Itoa(round), start.Add(time.Duration(round)*time.Minute+time.Second))
		var nodes sync.WaitGroup
		for _, w := range []*world{one, two} {
			w.pass(time.Minute)
		}
		for _, w := range []*world{one, two} {
			nodes.Go(func() {
				if err := w.LookAtDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
	}
	events, err := one.store.EventsAfter(t.Context(), one.caller.ProjectID, 0, 1000)
	must(t, err)
	var keys []string
	for _, e := range events {
		keys = append(keys, e.Key)
	}
	slices.Sort(keys)
	if distinct := len(slices.Compact(slices.Clone(keys))); len(keys) != instances*rounds || distinct != len(keys) {
		t.Errorf("%d events, %d keys; want %d", len(keys), distinct, instances*rounds)
	}
}
