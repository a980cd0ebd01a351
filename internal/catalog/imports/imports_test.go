package imports_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

const project = "pr_1"

// world is a store and a catalog, over which services come and go as processes do.
type world struct {
	store   *store.Store
	catalog *catalog.Catalog
	client  *outbound.Client
	ended   chan imports.Import
	mu      sync.Mutex
	ahead   time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{ended: make(chan imports.Import, 100)}
	bus := &notify.Bus{}
	w.store = storetest.OpenWith(t, bus, w.now)
	var err error
	w.client, err = outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	must(t, err)
	w.catalog, err = catalog.Open(t.Context(), catalog.Options{
		Store: w.store, Directory: t.TempDir(), Bus: bus, Now: w.now, CheckURL: func(at string) error { return w.client.Check(t.Context(), at) },
	})
	must(t, err)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// service starts a process.
func (w *world) service(t *testing.T) *imports.Service {
	t.Helper()
	s, err := imports.New(imports.Options{
		Store: w.store, Catalog: w.catalog, Client: w.client, Now: w.now, Ended: func(i imports.Import) { w.ended <- i },
	})
	must(t, err)
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

func description(title string) []byte {
	return fmt.Appendf(nil, `{"openapi":"3.0.0","info":{"title":%q},"servers":[{"url":"https://api.example.com"}],
		"paths":{"/a":{"get":{"operationId":"a","responses":{"200":{"description":"ok"}}}}}}`, title)
}

func inline(slug string) imports.Request { return imports.Request{Kind: imports.OpenAPI, Slug: slug} }

// hanging is a server that takes requests and answers none until the test ends.
func hanging(t *testing.T) (address string, asked chan struct{}) {
	t.Helper()
	asked, end := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-end:
		}
	}))
	t.Cleanup(func() { close(end); server.Close() })
	return server.URL, asked
}

func TestAnImportOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, err := imports.New(imports.Options{Store: w.store, Catalog: w.catalog, Client: w.client, Now: w.now})
	must(t, err)
	i, err := made.Post(t.Context(), project, inline("one"), description("One")) // nobody works yet
	must(t, err)
	killed := job.Lease{Owner: "killed", Now: w.now(), Until: w.now().Add(30 * time.Second)}
	if claimed, err := w.store.ClaimImports(t.Context(), killed, 1); err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v: %v", claimed, err)
	}
	w.pass(31 * time.Second)
	w.service(t)
	got := <-w.ended
	if got.ID != i.ID || got.Status != imports.Succeeded || got.Attempts != 2 {
		t.Errorf("ended %+v", got)
	}
	if _, ok := w.catalog.Snapshot(project).Toolkit("one"); !ok {
		t.Error("there is no toolkit")
	}
}

func TestWhatKillsTheProcessIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, err := imports.New(imports.Options{Store: w.store, Catalog: w.catalog, Client: w.client, Now: w.now})
	must(t, err)
	_, err = made.Post(t.Context(), project, inline("one"), description("One"))
	must(t, err)
	for range 3 {
		lease := job.Lease{Owner: "killed", Now: w.now(), Until: w.now().Add(30 * time.Second)}
		if claimed, err := w.store.ClaimImports(t.Context(), lease, 1); err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %v: %v", claimed, err)
		}
		w.pass(31 * time.Second)
	}
	w.service(t)
	if got := <-w.ended; got.Status != imports.Failed || got.Failure == nil || !strings.Contains(got.Failure.Message, "ended 3 times") {
		t.Errorf("ended %+v", got)
	}
}

func TestAStoppedProcessLeavesItsImportToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address, asked := hanging(t)
	first := w.service(t)
	i, err := first.Post(t.Context(), project, imports.Request{Kind: imports.OpenAPI, URL: address}, nil)
	must(t, err)
	<-asked
	first.Stop()
	left, err := w.store.Import(t.Context(), project, i.ID)
	must(t, err)
	if left.Status != imports.Queued || left.Attempts != 0 {
		t.Errorf("left behind %+v", left)
	}
	w.service(t)
	<-asked // the next goes on at once: the lease was given up
}

func TestACancelledImportEndsAndStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address, asked := hanging(t)
	s := w.service(t)
	i, err := s.Post(t.Context(), project, imports.Request{Kind: imports.OpenAPI, URL: address}, nil)
	must(t, err)
	next, err := s.Post(t.Context(), project, inline("next"), description("Next"))
	must(t, err)
	<-asked
	if waits, err := s.Import(t.Context(), project, next.ID); err != nil || waits.Status != imports.Queued {
		t.Errorf("a second import of the project is %s while the first runs: %v", waits.Status, err)
	}
	if _, err := s.Post(t.Context(), "pr_2", inline("theirs"), description("Theirs")); err != nil {
		t.Fatal(err)
	}
	if got := <-w.ended; got.ProjectID != "pr_2" {
		t.Errorf("another project had to wait for %+v", got)
	}
	must(t, s.Cancel(t.Context(), project, i.ID))
	if got := <-w.ended; got.ID != next.ID || got.Status != imports.Succeeded {
		t.Errorf("after the cancelled one: %+v", got)
	}
	if _, err := s.Import(t.Context(), project, i.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("the cancelled import is still there: %v", err)
	}
}

// tampered is a store that does something before it does what it is asked.
type tampered struct {
	imports.Store
	beforeRead   func() error
	beforeSettle func(imports.Import)
}

// ImportDescription reads the description, unless that is to fail.
func (s tampered) ImportDescription(ctx context.Context, projectID, id string) ([]byte, error) {
	if err := s.beforeRead(); err != nil {
		return nil, err
	}
	return s.Store.ImportDescription(ctx, projectID, id)
}

// SettleImport stores what came of an import.
func (s tampered) SettleImport(ctx context.Context, l job.Lease, i imports.Import) (bool, error) {
	s.beforeSettle(i)
	return s.Store.SettleImport(ctx, l, i)
}

// tamper starts a process over a store that is tampered with, and posts an import. Nil does nothing.
func (w *world) tamper(t *testing.T, beforeRead func() error, beforeSettle func(imports.Import)) (*imports.Service, imports.Import) {
	t.Helper()
	store := tampered{w.store, func() error { return nil }, func(imports.Import) {}}
	if beforeRead != nil {
		store.beforeRead = beforeRead
	}
	if beforeSettle != nil {
		store.beforeSettle = beforeSettle
	}
	s, err := imports.New(imports.Options{Store: store, Catalog: w.catalog, Client: w.client, Now: w.now, Ended: func(i imports.Import) { w.ended <- i }})
	must(t, err)
	i, err := s.Post(t.Context(), project, inline("one"), description("One"))
	must(t, err)
	s.Start()
	t.Cleanup(s.Stop)
	return s, i
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	times := 0
	away := func() error {
		if times++; times == 1 {
			return fmt.Errorf("the database is away")
		}
		return nil
	}
	w.tamper(t, away, func(imports.Import) { w.pass(time.Minute) }) // until it is due again
	if got := <-w.ended; got.Status != imports.Succeeded || got.Attempts != 2 {
		t.Errorf("ended %+v", got)
	}
}

func TestAPanicIsTheImportsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tamper(t, func() error { panic("a description that nobody foresaw") }, nil)
	if got := <-w.ended; got.Status != imports.Failed || got.Attempts != 1 {
		t.Errorf("ended %+v", got)
	}
}

// storedThen is a catalog's store that does something once a toolkit is stored.
type storedThen struct {
	catalog.Store
	then func(ctx context.Context)
}

// CreateToolkit stores a toolkit.
func (s storedThen) CreateToolkit(ctx context.Context, v catalog.Stored, document []byte) error {
	err := s.Store.CreateToolkit(ctx, v, document)
	s.then(ctx)
	return err
}

// What is stored is done: that the process is told to stop at that moment does not make it undone.
func TestAnImportThatSucceedsWhileTheProcessStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started := make(chan *imports.Service, 1)
	var err error
	w.catalog, err = catalog.Open(t.Context(), catalog.Options{Now: w.now, Store: storedThen{w.store, func(ctx context.Context) {
		go (<-started).Stop()
		<-ctx.Done()
	}}})
	must(t, err)
	s, _ := w.tamper(t, nil, nil)
	started <- s
	if got := <-w.ended; got.Status != imports.Succeeded || got.Result == nil || !got.Result.New {
		t.Errorf("ended %+v", got)
	}
}

// Nobody is told that an import ended which somebody else deleted, or does again.
func TestAnImportThatIsNotOursAnyMoreDoesNotEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	settled := make(chan struct{}, 1)
	s, _ := w.tamper(t, nil, func(i imports.Import) {
		if err := w.store.DeleteImport(context.Background(), project, i.ID); err != nil {
			t.Error(err)
		}
		settled <- struct{}{}
	})
	<-settled
	s.Stop()
	select {
	case got := <-w.ended:
		t.Errorf("ended %+v", got)
	default:
	}
}

// The address may hold a secret; what is told of an import is not sealed.
func TestWhatIsToldOfAnImportHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write(description("One")) }))
	t.Cleanup(server.Close)
	s := w.service(t)
	_, err := s.Post(t.Context(), project, imports.Request{Kind: imports.OpenAPI, URL: server.URL + "/one.json?token=hidden"}, nil)
	must(t, err)
	got := <-w.ended
	if told := fmt.Sprintf("%+v", got.Result); got.Result == nil || strings.Contains(told, "hidden") {
		t.Errorf("result %s", told)
	}
}

func TestAProjectCannotQueueWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := imports.New(imports.Options{Store: w.store, Catalog: w.catalog, Client: w.client, Now: w.now})
	must(t, err)
	for range 20 {
		_, err := s.Post(t.Context(), project, inline("one"), description("One"))
		must(t, err)
	}
	if _, err := s.Post(t.Context(), project, inline("one"), description("One")); !fault.Is(err, fault.RateLimited) {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.Post(t.Context(), "pr_2", inline("one"), description("One")); err != nil {
		t.Errorf("another project: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
