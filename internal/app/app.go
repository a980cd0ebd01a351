package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// Options of an App.
type Options struct {
	Config   config.Config    // as config.Load gives it
	Toolkits fs.FS            // nil: those that the binary brings along
	Version  string           // of the binary, told to MCP clients; empty: "dev"
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // nil: time.Now
}

// App is a whole server. Start it once, Stop it once.
type App struct {
	config  config.Config
	shipped fs.FS
	version string
	log     *slog.Logger
	now     func() time.Time

	listener net.Listener
	server   *http.Server
	parts    *parts
	control  *controlServer     // nil where the database can be shared
	metrics  *http.Server       // nil where they are served with everything else
	endCalls context.CancelFunc // cancels the requests that are still running
	failed   chan error
	stopping atomic.Bool
	welcome  Welcome
}

// Welcome is what the person who started the server wants to know.
type Welcome struct {
	URL    string       // base URL for clients
	First  bool         // whether this server has just been set up
	APIKey secret.Value // the key that was made, on the first start without one in the settings; not to be had again

	// PersonalKey was made with it, for the user "default": it signs a person in on the pages and opens the personal endpoint.
	PersonalKey secret.Value
}

// New makes an App. Nothing is opened before Start.
func New(o Options) *App {
	a := &App{config: o.Config, shipped: o.Toolkits, version: o.Version, log: o.Log, now: o.Now, failed: make(chan error, 1)}
	if a.shipped == nil {
		a.shipped = toolkits.FS
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Start opens the store, makes all parts, begins to listen and to work in the background. It returns when requests are
// answered, or with everything closed again and an error that says what is wrong. The context is for starting only.
func (a *App) Start(ctx context.Context) (err error) {
	a.parts, err = a.wire(ctx)
	if err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return errors.Join(err, a.parts.close(ctx))
	}
	base, endCalls := context.WithCancel(context.Background())
	a.endCalls = endCalls
	a.server = newServer(base, a.parts.handler, a.log)
	a.parts.start()
	go func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- err
		}
	}()
	a.log.Info("serving", "url", a.welcome.URL, "address", a.listener.Addr().String())
	return nil
}

// open begins to listen and makes the first key if need be; in this order, because a key that was made must also be shown.
func (a *App) open(ctx context.Context) (err error) {
	a.listener, err = listen(ctx, a.config.Listen, "--listen or PATCHBAY_LISTEN")
	if err != nil {
		return err
	}
	if a.metrics, err = startMetrics(ctx, a.config.MetricsListen, a.parts.scrape, a.log); err != nil {
		return errors.Join(err, a.listener.Close())
	}
	project, made, err := ensureProject(ctx, a.config, a.parts.tenants)
	if err != nil {
		err = errors.Join(err, a.listener.Close())
		if a.metrics != nil {
			err = errors.Join(err, a.metrics.Close())
		}
		return err
	}
	a.openControl(ctx, project)
	a.welcome = made
	a.welcome.URL = a.config.PublicURL
	if a.welcome.URL == "" {
		a.welcome.URL = reachableURL(a.listener.Addr())
	}
	return nil
}

// openControl opens the control socket. Without it the server works, but the operator's commands need it stopped; the path
// of the data directory may be too long for a socket.
func (a *App) openControl(ctx context.Context, project tenant.Project) {
	if a.config.Database.Reveal() != "sqlite" {
		return
	}
	keys := &storeKeys{store: a.parts.store, tenants: a.parts.tenants, caller: tenant.Caller{ProjectID: project.ID}}
	var err error
	grants := &storeGrants{people: a.parts.people, projectID: project.ID, Closer: keys}
	secrets := &storeSecrets{store: a.parts.store, keyFile: keyFileOf(a.config), now: a.now}
	added := &storeToolkits{catalog: a.parts.catalog}
	state := &storeCondition{store: a.parts.store, catalog: a.parts.catalog, secrets: secrets, now: a.now, running: true}
	relister := &relister{catalog: a.parts.catalog, runner: a.parts.runner, projectID: project.ID}
	if a.control, err = startControl(ctx, a.config.Data, controlled{keys, grants, secrets, added, state, relister}, a.log); err != nil {
		a.log.Warn(`"patchbay key", "patchbay grant", "patchbay secrets" and "patchbay toolkit add" will not work while this server runs`, "error", err)
	}
}

// URL gives the address under which a started server can be reached.
func (a *App) URL() string { return a.welcome.URL }

// Address gives the address that a started server listens on.
func (a *App) Address() string { return a.listener.Addr().String() }

// MetricsAddress gives the address on which a started server serves metrics alone; empty when there is none.
func (a *App) MetricsAddress() string {
	if a.metrics == nil {
		return ""
	}
	return a.metrics.Addr
}

// Welcome gives what Start found out.
func (a *App) Welcome() Welcome { return a.welcome }

// Failed yields an error if the listener breaks down while the server should be running.
func (a *App) Failed() <-chan error { return a.failed }

// Stop ends a started server: it refuses new connections, lets running calls finish until the context ends and cancels
// them then, stops the work in the background, writes what is still to be written, and closes the store. Stopping twice is the same as once.
func (a *App) Stop(ctx context.Context) error {
	if a.stopping.Swap(true) {
		return nil
	}
	err := a.server.Shutdown(ctx)
	a.endCalls()
	if err != nil {
		a.log.Warn("calls were cut off because they did not finish in time")
		err = a.server.Close()
	}
	// What is left takes moments, and must be done even when the calls used all the time there was.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if a.control != nil {
		err = errors.Join(err, a.control.stop(closing))
	}
	if a.metrics != nil {
		err = errors.Join(err, a.metrics.Shutdown(closing))
	}
	return errors.Join(err, a.parts.close(closing))
}

// ready says whether requests can be served, for load balancers.
func (a *App) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errors.New("the server is stopping")
	}
	return a.parts.store.Ready(ctx)
}
