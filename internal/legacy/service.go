package legacy

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Service is the one door to servers of the older API. Make it with New.
type Service struct {
	store    Store
	sessions Sessions
	accounts Connections
	catalog  Catalog
	now      func() time.Time
	newID    func() string
	open     *cache.Cache[visit, string] // the sessions that serve the visitors of late
}

const (
	maxOpened = 4096
	// maxAge bounds how long an entry is believed when word of a change was lost.
	maxAge = time.Minute
)

// visit is what a request to a server's URL names.
type visit struct {
	projectID, serverID string
	visitor             Visitor
}

// Options are what a Service is made of.
type Options struct {
	Store       Store
	Sessions    Sessions
	Connections Connections
	Catalog     Catalog
	Bus         *notify.Bus      // nil: nobody else writes servers and sessions
	Now         func() time.Time // nil: time.Now
	NewID       func() string    // nil: a random UUID
}

// Sessions is what servers need of package session.
type Sessions interface {
	Create(ctx context.Context, c tenant.Caller, n session.NewSession) (session.Created, error)
	Update(ctx context.Context, c tenant.Caller, id string, p session.Patch) (*session.View, []session.Warning, error)
	Open(ctx context.Context, c tenant.Caller, id string) (*session.View, error)
	Delete(ctx context.Context, c tenant.Caller, id string) error
}

// Connections is what servers need of package connect.
type Connections interface {
	AuthConfig(ctx context.Context, c tenant.Caller, id string) (connect.AuthConfig, error)
	Account(ctx context.Context, c tenant.Caller, id string) (connect.ConnectedAccount, error)
}

// Catalog gives the toolkits of a project.
type Catalog interface {
	Snapshot(projectID string) *catalog.Snapshot
}

// New makes the Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Sessions == nil || o.Connections == nil || o.Catalog == nil {
		return nil, errors.New("legacy: Options need Store, Sessions, Connections and Catalog")
	}
	s := &Service{store: o.Store, sessions: o.Sessions, accounts: o.Connections, catalog: o.Catalog, now: o.Now, newID: o.NewID}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = uuid.NewString
	}
	s.open = cache.New[visit, string](cache.Options{Limit: maxOpened, Life: maxAge, Now: s.now})
	if o.Bus != nil {
		o.Bus.Subscribe(s.hear)
	}
	return s, nil
}

// hear drops what a change made stale.
func (s *Service) hear(c notify.Change) {
	switch c.Kind {
	case notify.MCPServer:
		s.open.DropFunc(func(v visit, _ string) bool { return v.serverID == c.ID })
	case notify.Session:
		s.open.DropFunc(func(_ visit, sessionID string) bool { return sessionID == c.ID })
	case notify.Everything:
		s.open.Clear()
	}
}

// Server gives a server.
func (s *Service) Server(ctx context.Context, c tenant.Caller, id string) (Server, error) {
	if err := wholeProject(c); err != nil {
		return Server{}, err
	}
	return s.store.MCPServer(ctx, c.ProjectID, id)
}

// List gives a page of the project's servers and how many there are on all pages.
func (s *Service) List(ctx context.Context, c tenant.Caller, f Filter) ([]Server, int, error) {
	if err := wholeProject(c); err != nil {
		return nil, 0, err
	}
	return s.store.ListMCPServers(ctx, c.ProjectID, f)
}

// Delete ends a server: its URL, its instances and their sessions. Users, auth configs and accounts stay.
func (s *Service) Delete(ctx context.Context, c tenant.Caller, id string) error {
	if err := wholeProject(c); err != nil {
		return err
	}
	return s.store.DeleteMCPServer(ctx, c.ProjectID, id)
}

// wholeProject refuses callers who hold one session's token.
func wholeProject(c tenant.Caller) error {
	if !c.Restricted() {
		return nil
	}
	return fault.New(fault.Forbidden, fault.SlugForbidden, "A session token opens its own session and no MCP server.").
		WithFix("Use a project API key for this.")
}
