package imports

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// Options of a Service.
type Options struct {
	Store   Store            // required
	Catalog *catalog.Catalog // required
	Client  *outbound.Client // required: reads addresses

	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nothing is logged
	Owner string           // names this process in leases; empty: random
	Ended func(Import)     // is told of each import that has succeeded or failed, after that was stored; nil: nobody is told
}

// Limits of what projects may import. The operator's commands have their own.
const (
	MaxDescription = 32 << 20 // bytes of a description that is read from an address
	maxUnended     = 20       // imports of one project that wait or run
	maxHeaders     = 20
	maxKept        = 100 // imports of one project, ended ones included
	KeptFor        = 30 * 24 * time.Hour
	workers        = 2 // on each node; an import takes a few times its text in memory
	maxAttempts    = 3 // an import that takes the process down with it must not do so for ever
	longest        = 5 * time.Minute
	retryAfter     = 10 * time.Second // doubled by each further attempt
)

// Service is the one door to imports. It is safe for concurrent use.
type Service struct {
	store   Store
	catalog *catalog.Catalog
	client  *outbound.Client
	now     func() time.Time
	log     *slog.Logger
	loop    *job.Loop[Import]
	running running
	ended   func(Import)
}

// New checks the options and makes a service. Nothing is imported before Start.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Catalog == nil || o.Client == nil {
		return nil, errors.New("imports: Store, Catalog and Client are required")
	}
	s := &Service{store: o.Store, catalog: o.Catalog, client: o.Client, now: o.Now, log: o.Log, ended: o.Ended}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.ended == nil {
		s.ended = func(Import) {}
	}
	var err error
	s.loop, err = job.New(job.Options[Import]{
		Name: "import", Key: func(i Import) string { return i.ID },
		Claim: s.store.ClaimImports, Renew: s.store.RenewImport, Do: s.do, Next: s.store.NextImport,
		Workers: workers, Owner: cmp.Or(o.Owner, id.New("node")), Now: s.now, Log: s.log,
	})
	return s, err
}

// Start begins to import. Stop ends it and waits; what was cut off is begun anew later. Both may be called twice.
func (s *Service) Start() { s.loop.Start() }

// Stop is described at Start.
func (s *Service) Stop() { s.loop.Stop() }

// Lag is for how long the import that waits longest has waited for a worker.
func (s *Service) Lag() time.Duration { return s.loop.Lag() }

// Post queues an import for a project. The description is nil where the request names an address to read it from.
func (s *Service) Post(ctx context.Context, projectID string, r Request, description []byte) (Import, error) {
	if err := r.check(description); err != nil {
		return Import{}, err
	}
	list, err := s.store.Imports(ctx, projectID)
	if err != nil {
		return Import{}, err
	}
	if err := s.makeRoom(ctx, projectID, list); err != nil {
		return Import{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	i := Import{ID: id.New("imp"), ProjectID: projectID, Request: r, Status: Queued, CreatedAt: now, DueAt: now}
	if err := s.store.CreateImport(ctx, i, description); err != nil {
		return Import{}, err
	}
	s.loop.Kick()
	return i, nil
}

// check refuses what can be seen to be wrong at once.
func (r *Request) check(description []byte) error {
	switch {
	case r.Kind != OpenAPI && r.Kind != GraphQL:
		return fault.New(fault.Invalid, fault.SlugInvalid, "kind: %.40q is neither openapi nor graphql.", r.Kind)
	case (r.URL == "") == (description == nil):
		return fault.New(fault.Invalid, fault.SlugInvalid, "url, description: give exactly one of them.")
	case r.URL != "" && !intake.IsAddress(r.URL):
		return fault.New(fault.Invalid, fault.SlugInvalid, "url: it must be an http or https address.")
	case r.Kind == GraphQL && description != nil && r.BaseURL == "":
		return fault.New(fault.Invalid, fault.SlugInvalid, "base_url: is required beside a GraphQL schema, which does not say where the API is.")
	case r.Kind == GraphQL && len(r.Filter) > 0:
		return fault.New(fault.Invalid, fault.SlugInvalid, "filter: is for OpenAPI descriptions only.")
	}
	if len(r.Header) > maxHeaders {
		return fault.New(fault.Invalid, fault.SlugInvalid, "headers: at most %d may be sent.", maxHeaders)
	}
	for name, value := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fault.New(fault.Invalid, fault.SlugInvalid, "headers: %.40q is not a header that can be sent.", name)
		}
	}
	if _, err := openapi.ParseFilter(r.Filter); err != nil {
		return err
	}
	if r.Auth != "" {
		if _, err := intake.ParseAuth(r.Auth); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom refuses an import when too many of the project's wait, and forgets the oldest of those that have ended.
func (s *Service) makeRoom(ctx context.Context, projectID string, newestFirst []Import) error {
	unended := 0
	for n := range newestFirst {
		i := &newestFirst[n]
		if !i.Ended() {
			unended++
			continue
		}
		if n >= maxKept-1 {
			if err := s.store.DeleteImport(ctx, projectID, i.ID); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
	}
	if unended >= maxUnended {
		return fault.New(fault.RateLimited, fault.SlugRateLimited, "The project has %d imports that wait or run, which is as many as it may have.", unended).
			WithFix("Wait for them, or cancel some: DELETE /api/v3.1/custom/toolkits/imports/{id}.")
	}
	return nil
}

// Import gives one of a project's imports.
func (s *Service) Import(ctx context.Context, projectID, id string) (Import, error) {
	return s.store.Import(ctx, projectID, id)
}

// List gives a project's imports, the newest first.
func (s *Service) List(ctx context.Context, projectID string) ([]Import, error) {
	return s.store.Imports(ctx, projectID)
}

// Cancel ends an import if it has not ended, and forgets it. A toolkit that it made stays.
func (s *Service) Cancel(ctx context.Context, projectID, id string) error {
	if err := s.store.DeleteImport(ctx, projectID, id); err != nil {
		return err
	}
	s.running.stop(id) // where it runs on another node, that one loses its lease
	s.loop.Kick()
	return nil
}

// Sweep forgets what ended long ago, and gives how many that were.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	return s.store.DeleteImportsBefore(ctx, s.now().Add(-KeptFor))
}
