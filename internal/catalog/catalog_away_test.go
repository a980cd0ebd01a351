package catalog_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

// flaky is a store whose documents cannot be read while it is away.
type flaky struct {
	catalog.Store
	away atomic.Bool
}

func (f *flaky) ToolkitDocument(ctx context.Context, projectID, slug, version string) ([]byte, error) {
	if f.away.Load() {
		return nil, fault.New(fault.Unavailable, fault.SlugUnavailable, "away")
	}
	return f.Store.ToolkitDocument(ctx, projectID, slug, version)
}

// A database that is away for a moment costs toolkits for that moment, and not until somebody changes them.
func TestToolkitsComeBackWithTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := new(notify.Bus)
		store := &flaky{Store: storetest.OpenWith(t, bus, time.Now)}
		first, err := catalog.Open(t.Context(), catalog.Options{Store: store, Bus: bus})
		must(t, err)
		for project, slug := range map[string]string{"": "shared", "pr_1": "own"} {
			_, err := first.Add(t.Context(), project, definition(slug, "LIST"))
			must(t, err)
		}
		store.away.Store(true)
		second, err := catalog.Open(t.Context(), catalog.Options{Store: store, Bus: bus})
		must(t, err)
		second.Start()
		defer second.Stop()
		if _, ok := second.Snapshot("pr_1").Toolkit("own"); ok || len(second.LeftOut("pr_1")) != 1 || len(second.LeftOut("")) != 1 {
			t.Fatalf("while it is away: %v, %+v, %+v", ok, second.LeftOut("pr_1"), second.LeftOut(""))
		}
		store.away.Store(false)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		for _, slug := range []string{"shared", "own"} {
			if _, ok := second.Snapshot("pr_1").Toolkit(slug); !ok {
				t.Errorf("%s is still missing", slug)
			}
		}
		if left := append(second.LeftOut("pr_1"), second.LeftOut("")...); len(left) != 0 {
			t.Errorf("left out: %+v", left)
		}
	})
}

// slow is a store that keeps the documents of one project back until it is told to go on.
type slow struct {
	catalog.Store
	project string
	goOn    chan struct{}
	reads   atomic.Int64
}

func (s *slow) ToolkitDocument(ctx context.Context, projectID, slug, version string) ([]byte, error) {
	if projectID == s.project {
		s.reads.Add(1)
		<-s.goOn
	}
	return s.Store.ToolkitDocument(ctx, projectID, slug, version)
}

// A project whose toolkits take their time keeps nobody else waiting, and is read once for all who ask meanwhile.
func TestSlowToolkitsOfOneProject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slow{Store: storetest.Open(t), project: "pr_slow", goOn: make(chan struct{})}
		first, err := catalog.Open(t.Context(), catalog.Options{Store: store.Store})
		must(t, err)
		for project, slug := range map[string]string{"pr_slow": "late", "pr_fast": "early"} {
			_, err := first.Add(t.Context(), project, definition(slug, "LIST"))
			must(t, err)
		}
		second, err := catalog.Open(t.Context(), catalog.Options{Store: store})
		must(t, err)
		var late atomic.Int64
		for range 3 {
			go func() {
				if _, ok := second.Snapshot("pr_slow").Toolkit("late"); ok {
					late.Add(1)
				}
			}()
		}
		synctest.Wait()
		if _, ok := second.Snapshot("pr_fast").Toolkit("early"); !ok { // would wait for ever
			t.Error("the other project has no toolkit")
		}
		close(store.goOn)
		synctest.Wait()
		if late.Load() != 3 || store.reads.Load() != 1 {
			t.Errorf("%d of 3 have the toolkit, after %d reads", late.Load(), store.reads.Load())
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
