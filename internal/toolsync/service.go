package toolsync

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Servers asks MCP servers; *execute.Runner is one.
type Servers interface {
	ListServerTools(ctx context.Context, c tenant.Caller, t *catalog.Toolkit, sel connect.Selection, known []catalog.DefinedTool) (tools []catalog.DefinedTool, leftOut []string, err error)
	// ForgetServerLists has the next call of each account look at the server's list again.
	ForgetServerLists(projectID, toolkit string)
}

// Toolkits keeps the approved definitions; *catalog.Catalog is one.
type Toolkits interface {
	Definition(ctx context.Context, projectID, slug string) (*catalog.Definition, error)
	Add(ctx context.Context, projectID string, d catalog.Document) (catalog.Added, error)
}

// Options of a Service.
type Options struct {
	Store    Store    // required
	Toolkits Toolkits // required
	Servers  Servers  // required

	OnChange catalog.OnChange // of toolkits that say nothing; empty: refuse
	Interval time.Duration    // between two looks at a server's list; 0: an hour
	LeaseFor time.Duration    // how long a killed node's looks lie; 0: 30 seconds

	// Looked is told how each look went: same, changed or failed. For metrics; nil: nobody is told.
	Looked func(outcome string)

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
}

const (
	defaultInterval = time.Hour
	workers         = 4                // looks at the same time on a node
	calm            = 30 * time.Second // the least between a look and the next, whatever a server says
)

// Service is the one door to what MCP servers changed. It is safe for concurrent use. Start it to have servers looked at; Stop
// it at the end.
type Service struct {
	o     Options
	store Store
	looks *job.Loop[Watch]
}

// New checks the options and makes a service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Toolkits == nil || o.Servers == nil {
		return nil, errors.New("toolsync: Store, Toolkits and Servers are required")
	}
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Looked == nil {
		o.Looked = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, store: o.Store}
	var err error
	s.looks, err = job.New(job.Options[Watch]{
		Name: "look at an MCP server's tools", Key: func(w Watch) string { return w.ProjectID + "/" + w.Toolkit },
		Claim: o.Store.ClaimWatches, Renew: o.Store.RenewWatch, Next: o.Store.NextWatch, Do: s.look,
		Workers: workers, LeaseFor: o.LeaseFor, Now: o.Now, Log: o.Log,
	})
	return s, err
}

// Start begins to look at servers.
func (s *Service) Start() { s.looks.Start() }

// Stop ends it and waits for looks on their way.
func (s *Service) Stop() { s.looks.Stop() }

// Heard is told that a server says its list of tools changed. The look is done by whichever node is free, and soon, but never
// sooner than calm after the one before.
func (s *Service) Heard(ctx context.Context, projectID, toolkit string) {
	w, known, err := s.store.Watch(ctx, projectID, toolkit)
	if err == nil && known {
		due := s.o.Now()
		if earliest := w.CheckedAt.Add(calm); due.Before(earliest) {
			due = earliest
		}
		known, err = s.store.HastenWatch(ctx, projectID, toolkit, due)
	}
	switch {
	case err != nil:
		s.o.Log.Error("an MCP server's changed list could not be noted", "toolkit", toolkit, "error", err)
	case known:
		s.o.Log.Info("an MCP server says that its tools changed", "project", projectID, "toolkit", toolkit)
		s.looks.Kick()
	}
}

// policy is what a toolkit does about changes.
func (s *Service) policy(d *catalog.Definition) catalog.OnChange {
	return d.OnChange.Or(s.o.OnChange).Or(catalog.OnChangeRefuse)
}
