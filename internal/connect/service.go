package connect

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Toolkits is what connect reads of a project's catalog; a *catalog.Snapshot is one.
type Toolkits interface {
	Toolkit(slug string) (*catalog.Toolkit, bool)
	Tool(slug string) (*catalog.Tool, bool)
	NearestToolkits(slug string, n int) []string
	NearestTools(slug string, n int) []string
}

// HTTP does requests to providers, through the proxy of an auth config where it has one; an *outbound.Client is one.
type HTTP interface {
	Do(*http.Request) (*http.Response, error)
	DoVia(outbound.Proxy, *http.Request) (*http.Response, error)
}

// OAuthApp is the operator's own OAuth app of a toolkit, from the settings. Auth configs that are managed use it.
type OAuthApp struct {
	ClientID     string
	ClientSecret secret.Value
	Scopes       []string // empty: the toolkit's default
}

// Options of a Service.
type Options struct {
	Store   Store                           // required
	Catalog func(projectID string) Toolkits // required; asked once per operation
	HTTP    HTTP                            // required
	Bus     *notify.Bus                     // required: what it tells of is dropped from memory

	Apps        map[string]OAuthApp                                // by toolkit slug; none: every project brings its own apps
	ProjectName func(ctx context.Context, projectID string) string // for the Connect pages; nil: the project's id
	// Settings are what a project chose for itself. Nil: no project chose anything.
	Settings func(ctx context.Context, projectID string) (tenant.Settings, error)
	// StatusChanged is told of every change of an account's status, whatever made it: a call, the end of a link, the refresh in the
	// background. It is told once, on the node that made the change, after the change is stored; a node that dies in between
	// tells nobody, so what must not be lost is written by the store together with the change. It must be quick. Nil: nobody is
	// told.
	StatusChanged func(ctx context.Context, before Status, a ConnectedAccount)

	// Leaving is told of an account that is about to be deleted, while its credential still works: whatever was made with it at the
	// provider can be removed. Deleting waits for it. Nil: nobody is told.
	Leaving func(ctx context.Context, a ConnectedAccount)

	// Refreshed is told how each try to refresh a token went (refreshed, failed, expired), for metrics. Nil: nobody is told.
	Refreshed func(outcome string)

	PublicURL    string        // scheme and host that users and providers see; empty: the origin of each request
	CallbackPath string        // where providers send users back; empty: /api/v3.1/toolkits/auth/callback
	LinkLife     time.Duration // of a link until its user begins, and then again until it is finished; 0: ten minutes
	RefreshLead  time.Duration // how long before its end a token is refreshed, at most a third of its life; 0: five minutes
	RefreshLease time.Duration // for how long the lease of a refresh outlives the node that took it; 0: ten seconds
	Node         string        // names this process in refresh leases; empty: random

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
}

// The defaults that Options speak of.
const (
	defaultCallbackPath = "/api/v3.1/toolkits/auth/callback"
	defaultLinkLife     = 10 * time.Minute
	defaultRefreshLead  = 5 * time.Minute
	defaultRefreshLease = 10 * time.Second
)

// How much is remembered of what is stored. Changes drop it at once; the life is for changes that were missed.
const (
	rememberedUsers    = 4096
	rememberedAccounts = 8192
	rememberedConfigs  = 4096
	rememberedFor      = time.Minute
)

// Service is the one door to auth configs, accounts and links. It is safe for concurrent use.
type Service struct {
	o       Options
	store   Store
	auth    *authClient
	schemes map[string]Scheme
	now     func() time.Time
	log     *slog.Logger

	users    *cache.Cache[string, *userAccounts] // by user id
	accounts *cache.Cache[string, ConnectedAccount]
	configs  *cache.Cache[string, AuthConfig]
	prepared *cache.Cache[string, prepared] // credentials, by account id

	flights  singleflight.Group // refreshes, by account
	running  sync.WaitGroup     // the goroutines of flights
	managed  singleflight.Group // managed auth configs being made, by project and toolkit
	troubles troubles

	closing chan struct{}
	close   func()
}

// New checks the options and makes a service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Catalog == nil || o.HTTP == nil || o.Bus == nil {
		return nil, errors.New("connect: Store, Catalog, HTTP and Bus are required")
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, errors.New("connect: PublicURL must be a whole http or https URL")
		}
		o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	}
	setDefault(&o.CallbackPath, defaultCallbackPath)
	setDefault(&o.LinkLife, defaultLinkLife)
	setDefault(&o.RefreshLead, defaultRefreshLead)
	setDefault(&o.RefreshLease, defaultRefreshLease)
	setDefault(&o.Node, id.New("node"))
	setDefault(&o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refreshed == nil {
		o.Refreshed = func(string) {}
	}
	if o.Settings == nil {
		o.Settings = func(context.Context, string) (tenant.Settings, error) { return tenant.Settings{}, nil }
	}
	if o.ProjectName == nil {
		o.ProjectName = func(_ context.Context, projectID string) string { return projectID }
	}
	auth := &authClient{http: o.HTTP, now: o.Now}
	s := &Service{
		o: o, store: o.Store, auth: auth, schemes: newSchemes(auth), now: o.Now, log: o.Log,
		users:    cache.New[string, *userAccounts](cache.Options{Limit: rememberedUsers, Life: rememberedFor, Now: o.Now}),
		accounts: cache.New[string, ConnectedAccount](cache.Options{Limit: rememberedAccounts, Life: rememberedFor, Now: o.Now}),
		configs:  cache.New[string, AuthConfig](cache.Options{Limit: rememberedConfigs, Life: rememberedFor, Now: o.Now}),
		prepared: cache.New[string, prepared](cache.Options{Limit: rememberedAccounts, Life: rememberedFor, Now: o.Now}),
	}
	s.closing = make(chan struct{})
	s.close = sync.OnceFunc(func() { close(s.closing) })
	o.Bus.Subscribe(s.forget)
	return s, nil
}

func setDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// Close waits for refreshes on their way, so that no token is lost. Closing twice does no harm.
func (s *Service) Close() {
	s.close()
	s.running.Wait()
}

// toolkit finds a toolkit of the project. One that does not exist is a fault with the nearest names.
func (s *Service) toolkit(c tenant.Caller, slug string) (*catalog.Toolkit, error) {
	toolkits := s.o.Catalog(c.ProjectID)
	if t, ok := toolkits.Toolkit(slug); ok {
		return t, nil
	}
	f := fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q.", slug)
	if near := toolkits.NearestToolkits(slug, 3); len(near) > 0 {
		return nil, f.WithFix("Did you mean %s?", strings.Join(near, ", "))
	}
	return nil, f.WithFix("List the toolkits to see what there is.")
}

// origin is where users reach this server: as configured, or as the request at hand came in.
func (s *Service) origin(ofRequest string) string {
	if s.o.PublicURL != "" {
		return s.o.PublicURL
	}
	return strings.TrimSuffix(ofRequest, "/")
}
