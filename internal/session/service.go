package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/planner"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Service is the one door to sessions. Make it with New.
type Service struct {
	store    Store
	catalog  Catalog
	accounts Connections
	runner   Runner
	index    func(*catalog.Snapshot) Index
	vectors  Vectors
	planner  Planner
	now      func() time.Time
	newID    func(prefix string) string
	log      *slog.Logger
	opened   func(cached bool)

	sessions  *cache.Cache[string, *openSession]
	tokens    *cache.Cache[string, tokenOwner]
	policies  *cache.Cache[string, *policy]
	snapshots *cache.Cache[string, *snapshotState]
	memories  *cache.Cache[string, Memory] // by task
	changed   broadcast                    // wakes those who wait for a connection
}

// Options are what a Service is made of.
type Options struct {
	Store       Store
	Catalog     Catalog
	Connections Connections
	Runner      Runner
	Bus         *notify.Bus                   // nil: nobody else writes sessions
	Index       func(*catalog.Snapshot) Index // keeps the index of each snapshot; nil: a search.Indexes
	Vectors     Vectors                       // of requests, by the model that made those of the indexes; nil: there is none
	Planner     Planner                       // puts plans in words; nil: they are made of what tools declare
	Now         func() time.Time              // nil: time.Now
	NewID       func(prefix string) string    // nil: id.New
	Log         *slog.Logger                  // nil: discard
	Opened      func(cached bool)             // is told of each session that is opened, for metrics; nil: nobody is told
	Cached      int                           // how many sessions are kept in memory; 0: 4,096
}

// Catalog gives the toolkits of a project: the current ones, and with some at other versions.
type Catalog interface {
	Snapshot(projectID string) *catalog.Snapshot
	Pinned(projectID string, pins map[string]string) (s *catalog.Snapshot, missing []string)
}

// Connections is what sessions need of package connect.
type Connections interface {
	AuthConfig(ctx context.Context, c tenant.Caller, id string) (connect.AuthConfig, error)
	AuthConfigFor(ctx context.Context, c tenant.Caller, toolkit, preferredID string, forSession bool) (connect.AuthConfig, error)
	ListAuthConfigs(ctx context.Context, c tenant.Caller, f connect.AuthConfigFilter) ([]connect.AuthConfig, connect.Page, error)
	ManagedSchemes(toolkit string) []string
	ListAccounts(ctx context.Context, c tenant.Caller, f connect.AccountFilter) ([]connect.ConnectedAccount, connect.Page, error)
	WasDeleted(ctx context.Context, c tenant.Caller, accountID string) (bool, error)
	AccountsOf(ctx context.Context, c tenant.Caller, userID string) ([]connect.ConnectedAccount, error)
	Choices(ctx context.Context, c tenant.Caller, sel connect.Selection) (connect.Choices, error)
	UpdateAccount(ctx context.Context, c tenant.Caller, id string, p connect.AccountPatch) (connect.ConnectedAccount, error)
	DeleteAccount(ctx context.Context, c tenant.Caller, id string) (connect.Revocation, error)
	CreateLink(ctx context.Context, c tenant.Caller, n connect.NewLink) (connect.Link, error)
	CheckCallback(ctx context.Context, c tenant.Caller, callback string) error
}

// Runner runs the apps' tools; see package execute.
type Runner interface {
	Run(ctx context.Context, c tenant.Caller, call execute.Call) (execute.Result, error)
	Proxy(ctx context.Context, c tenant.Caller, call execute.ProxyCall) (execute.ProxyResult, error)
}

// Index ranks the tools of one snapshot; see package search.
type Index interface {
	Find(q search.Query) search.Found
	Toolkits(text string) []*catalog.Toolkit
}

// Planner puts the steps of a task in words, and names no tools but the task's; see package planner. Nil are steps that it does not have.
type Planner interface {
	Plan(ctx context.Context, t planner.Task) []string
}

// Vectors gives the vectors of requests in plain words; nil for one that has none, now or at all. It must not keep a search waiting.
type Vectors func(ctx context.Context, texts []string) [][]float32

const (
	defaultCached   = 4096
	cachedPolicies  = 512
	cachedSnapshots = 8
	cachedMemories  = 1024
	// maxAge bounds how long a cached session or memory is believed when word of a change was lost.
	maxAge = time.Minute
)

// New makes the Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Catalog == nil || o.Connections == nil || o.Runner == nil {
		return nil, errors.New("session: Options need Store, Catalog, Connections and Runner")
	}
	s := &Service{
		store: o.Store, catalog: o.Catalog, accounts: o.Connections, runner: o.Runner,
		index: o.Index, vectors: o.Vectors, planner: o.Planner, now: o.Now, newID: o.NewID, log: o.Log, opened: o.Opened,
		sessions:  cache.New[string, *openSession](cache.Options{Limit: cmp.Or(o.Cached, defaultCached)}),
		tokens:    cache.New[string, tokenOwner](cache.Options{Limit: cmp.Or(o.Cached, defaultCached)}),
		policies:  cache.New[string, *policy](cache.Options{Limit: cachedPolicies}),
		snapshots: cache.New[string, *snapshotState](cache.Options{Limit: cachedSnapshots}),
		memories:  cache.New[string, Memory](cache.Options{Limit: cachedMemories, Life: maxAge, Now: o.Now}),
	}
	if s.index == nil {
		indexes := search.NewIndexes(search.IndexesOptions{})
		s.index = func(c *catalog.Snapshot) Index { return indexes.Of(c) }
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = id.New
	}
	if s.opened == nil {
		s.opened = func(bool) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if o.Bus != nil {
		o.Bus.Subscribe(s.hear)
	}
	return s, nil
}

// hear drops what a change made stale.
func (s *Service) hear(c notify.Change) {
	switch c.Kind {
	case notify.Session:
		s.sessions.Drop(c.ID)
	case notify.Memory:
		s.memories.Drop(c.ID)
	case notify.ConnectedAccount:
		s.changed.send()
	case notify.Everything:
		s.sessions.Clear()
		s.memories.Clear()
		s.changed.send()
	}
}

// openSession is a session in memory, with the view made for the snapshot it was last asked for.
type openSession struct {
	session Session
	readAt  time.Time
	view    *View
}

// tokenOwner is where a session token leads.
type tokenOwner struct{ projectID, sessionID string }

// Open gives the view of a session: what its user may see and call right now. Warm calls read memory only. A session token
// opens only its own session.
func (s *Service) Open(ctx context.Context, c tenant.Caller, id string) (*View, error) {
	if c.Restricted() && c.SessionID != id {
		return nil, notFound(id)
	}
	open, cached := s.sessions.Get(id)
	cached = cached && s.now().Sub(open.readAt) <= maxAge
	s.opened(cached)
	if !cached {
		var err error
		if open, err = s.read(ctx, c.ProjectID, id); err != nil {
			return nil, err
		}
	}
	if open.session.ProjectID != c.ProjectID || c.UserID != "" && open.session.UserID != c.UserID || s.over(open.session) {
		return nil, notFound(id)
	}
	return s.view(open), nil
}

func (s *Service) read(ctx context.Context, projectID, id string) (*openSession, error) {
	mark := s.sessions.Mark()
	stored, err := s.store.Session(ctx, projectID, id)
	if err != nil {
		return nil, sessionFault(err, id)
	}
	return s.remember(mark, stored), nil
}

func (s *Service) remember(mark cache.Mark, stored Session) *openSession {
	open := &openSession{session: stored, readAt: s.now()}
	open.view = s.makeView(stored)
	s.sessions.Put(stored.ID, open, mark)
	return open
}

// view gives the view of an open session over the current snapshot.
func (s *Service) view(open *openSession) *View {
	if open.view.current == s.catalog.Snapshot(open.session.ProjectID).ID {
		return open.view
	}
	mark := s.sessions.Mark()
	renewed := &openSession{session: open.session, readAt: open.readAt, view: s.makeView(open.session)}
	s.sessions.Put(open.session.ID, renewed, mark)
	return renewed.view
}

// makeView applies a session's configuration to the current catalog, with the versions that the session is pinned to.
func (s *Service) makeView(stored Session) *View {
	current := s.catalog.Snapshot(stored.ProjectID)
	snapshot, missing := current, []string(nil)
	if pins := stored.Config.ToolkitVersions; len(pins) > 0 {
		snapshot, missing = s.catalog.Pinned(stored.ProjectID, pins)
	}
	key := policyKey(stored.Config, snapshot)
	p, ok := s.policies.Get(key)
	if !ok {
		p = compilePolicy(key, stored.Config, snapshot)
		s.policies.Put(key, p, s.policies.Mark())
	}
	return &View{Session: stored, Catalog: snapshot, policy: p, current: current.ID, missing: missing}
}

func (s *Service) over(stored Session) bool {
	return !stored.ExpiresAt.IsZero() && !s.now().Before(stored.ExpiresAt)
}

func notFound(id string) error {
	return fault.New(fault.NotFound, fault.SlugSessionNotFound, "Session %q does not exist.", id).
		WithFix("It may have been deleted or have ended. Make a new one: POST /api/v3.1/tool_router/session.")
}

// sessionFault gives a missing session its own slug, whatever the store called it.
func sessionFault(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return notFound(id)
	}
	return err
}

// Authenticate finds the caller behind a session token. The caller it gives reaches that one session and nothing else.
func (s *Service) Authenticate(ctx context.Context, token string) (tenant.Caller, error) {
	if !id.Has(id.SessionToken, token) {
		return tenant.Caller{}, wrongToken()
	}
	hash := hashToken(token)
	owner, ok := s.tokens.Get(hash)
	if !ok {
		mark := s.sessions.Mark()
		stored, err := s.store.SessionByToken(ctx, hash)
		if fault.Is(err, fault.NotFound) {
			return tenant.Caller{}, wrongToken()
		}
		if err != nil {
			return tenant.Caller{}, err
		}
		s.remember(mark, stored)
		owner = tokenOwner{stored.ProjectID, stored.ID}
		s.tokens.Put(hash, owner, s.tokens.Mark())
	}
	caller := tenant.Caller{ProjectID: owner.projectID, SessionID: owner.sessionID}
	view, err := s.Open(ctx, caller, owner.sessionID)
	if fault.Is(err, fault.NotFound) {
		return tenant.Caller{}, wrongToken()
	}
	if err != nil {
		return tenant.Caller{}, err
	}
	if view.Session.TokenHash != hash {
		return tenant.Caller{}, wrongToken()
	}
	return caller, nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func wrongToken() error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "The session token is not valid, or its session has ended.").
		WithFix("Make a new session; its answer carries a new token.")
}

// Delete ends a session at once, on every node. Users, auth configs and accounts stay.
func (s *Service) Delete(ctx context.Context, c tenant.Caller, id string) error {
	if err := wholeProject(c); err != nil {
		return err
	}
	if err := s.store.DeleteSession(ctx, c.ProjectID, id); err != nil {
		return sessionFault(err, id)
	}
	s.sessions.Drop(id)
	return nil
}

// List gives the project's sessions, newest first.
func (s *Service) List(ctx context.Context, c tenant.Caller, f Filter) ([]Session, connect.Page, error) {
	if err := wholeProject(c); err != nil {
		return nil, connect.Page{}, err
	}
	return s.store.ListSessions(ctx, c.ProjectID, f)
}

// History gives the versions of a session's configuration, newest first; the first is the one in force.
func (s *Service) History(ctx context.Context, c tenant.Caller, id string, limit int, cursor string) ([]Revision, connect.Page, error) {
	if _, err := s.Open(ctx, c, id); err != nil {
		return nil, connect.Page{}, err
	}
	return s.store.Revisions(ctx, c.ProjectID, id, limit, cursor)
}

// Sweep deletes sessions whose time to live has passed, and memories of tasks that noted nothing for long. It gives how many
// sessions; they are unusable from that moment on, swept or not.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	n, err := s.store.DeleteExpiredSessions(ctx, s.now())
	_, forget := s.store.DeleteMemoriesBefore(ctx, s.now().Add(-memoryLife))
	return n, errors.Join(err, forget)
}

// wholeProject refuses callers who hold one session's token: an agent must not widen its own policy.
func wholeProject(c tenant.Caller) error {
	if !c.Restricted() {
		return nil
	}
	return fault.New(fault.Forbidden, fault.SlugForbidden, "A session token runs the tools of its session; it cannot change, delete, list or make sessions, nor send raw requests.").
		WithFix("Use a project API key for this.")
}

// project is the caller by whom other packages are asked once the session has decided: they scope by project and user,
// and know nothing of session tokens.
func project(c tenant.Caller) tenant.Caller {
	c.SessionID, c.UserID = "", ""
	return c
}
