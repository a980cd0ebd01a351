package app

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/patchbay-dev/patchbay/internal/api"
	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/embedding"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/mcpserver"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/oauthapi"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/realtime"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
	"github.com/patchbay-dev/patchbay/internal/trigger"
	"github.com/patchbay-dev/patchbay/web"
)

// idempotencyLife is how long an answer is remembered under its idempotency key (API contract).
const idempotencyLife = 24 * time.Hour

// parts are the pieces of a server, in the order in which they are made: each is given some of those before it.
type parts struct {
	app        *App
	background *background

	catalog  *catalog.Catalog
	index    func(*catalog.Snapshot) *search.Index
	bus      *notify.Bus
	meaning  *embedding.Service // nil unless the settings name a model
	store    *store.Store
	tenants  *tenant.Service
	tracing  *tracing // nil unless the settings name a collector
	outbound *outbound.Client

	registry  *prometheus.Registry
	metrics   *api.Metrics
	connect   *connect.Service
	refresher *connect.Refresher
	runner    *execute.Runner
	sessions  *session.Service
	events    *event.Service
	triggers  *trigger.Service
	imports   *imports.Service
	toolsync  *toolsync.Service
	legacy    *legacy.Service

	people *authserver.Service

	handler http.Handler
	scrape  http.Handler // of /metrics on a listener of its own; nil: it is served with everything else, or not at all
}

// wire makes every part of the server. This file is the one place where that happens.
func (a *App) wire(ctx context.Context) (*parts, error) {
	p := &parts{app: a, background: newBackground(a.log), bus: &notify.Bus{}, registry: prometheus.NewRegistry()}
	err := p.wireFoundation(ctx)
	if err == nil {
		err = p.wireServices()
	}
	if err == nil {
		err = p.wireEdges()
	}
	if err != nil && p.store != nil {
		err = errors.Join(err, p.store.Close())
	}
	if err != nil {
		err = errors.Join(err, p.tracing.stop(ctx))
	}
	return p, err
}

// wireFoundation makes what everything else stands on: toolkits, database, projects, the way out.
func (p *parts) wireFoundation(ctx context.Context) error {
	a := p.app
	toolkits, err := catalogOptions(a.config, a.shipped)
	if err != nil {
		return err
	}
	p.tracing, err = newTracing(ctx, a.config.TraceEndpoint, a.version)
	if err != nil {
		return err
	}
	p.outbound, err = outbound.New(outbound.Options{Allow: a.config.OutboundAllow, Wrap: p.tracing.outgoing})
	if err != nil {
		return err
	}
	p.store, err = store.Open(ctx, store.Options{
		Database:  databaseOf(a.config),
		MasterKey: masterKeyOf(a.config),
		Bus:       p.bus,
		Now:       a.now,
		Logger:    a.log,

		AccountEvents: p.accountEvents,
	})
	if err != nil {
		return err
	}
	if err := p.wireMeaning(); err != nil {
		return err
	}
	if err := p.openCatalog(ctx, toolkits); err != nil {
		return err
	}
	p.tenants, err = tenant.New(tenant.Options{Store: p.store, Bus: p.bus, Now: a.now, Defaults: a.config.Connect})
	return err
}

// wireServices makes the product: accounts, calls, sessions.
func (p *parts) wireServices() (err error) {
	a := p.app
	p.metrics, err = api.NewMetrics(p.registry)
	if err != nil {
		return err
	}
	p.connect, err = connect.New(connect.Options{
		Store:       p.store,
		Catalog:     func(projectID string) connect.Toolkits { return p.catalog.Snapshot(projectID) },
		HTTP:        p.outbound,
		Bus:         p.bus,
		Apps:        oauthApps(a.config.Toolkits),
		ProjectName: p.projectName,
		Settings:    p.tenants.Settings,
		Refreshed:   p.metrics.TokenRefreshed,
		StatusChanged: func(ctx context.Context, before connect.Status, a connect.ConnectedAccount) {
			p.triggers.AccountChanged(ctx, before, a)
		},
		Leaving:   func(ctx context.Context, a connect.ConnectedAccount) { p.triggers.AccountLeaves(ctx, a) },
		PublicURL: a.config.PublicURL,
		Now:       a.now,
		Log:       a.log,
	})
	if err != nil {
		return err
	}
	p.refresher = connect.NewRefresher(p.connect, connect.RefresherOptions{Interval: a.config.RefreshInterval})
	p.runner, err = execute.New(execute.Options{
		Accounts:     p.connect,
		Client:       p.outbound,
		Store:        p.store,
		Called:       p.metrics.ToolCalled,
		Programs:     programOptions(&a.config, a.log),
		OnChange:     catalog.OnChange(a.config.MCPOnChange),
		ToolsChanged: func(ctx context.Context, project, toolkit string) { p.toolsync.Heard(ctx, project, toolkit) },
		Now:          a.now,
		Log:          a.log,
	})
	if err != nil {
		return err
	}
	plans, err := p.planner()
	if err != nil {
		return err
	}
	p.sessions, err = session.New(session.Options{
		Store:       p.store,
		Catalog:     p.catalog,
		Connections: p.connect,
		Runner:      p.runner,
		Bus:         p.bus,
		Index:       func(s *catalog.Snapshot) session.Index { return p.index(s) },
		Vectors:     p.vectorsOfRequests(),
		Planner:     plans,
		Opened:      p.metrics.SessionOpened,
		Now:         a.now,
		Log:         a.log,
	})
	if err != nil {
		return err
	}
	p.legacy, err = legacy.New(legacy.Options{
		Store: p.store, Sessions: p.sessions, Connections: p.connect, Catalog: p.catalog, Bus: p.bus, Now: a.now,
	})
	if err != nil {
		return err
	}
	p.events, err = p.newEvents()
	if err != nil {
		return err
	}
	p.triggers, err = p.newTriggers()
	if err != nil {
		return err
	}
	p.imports, err = p.newImports()
	if err != nil {
		return err
	}
	p.toolsync, err = p.newToolSync()
	return err
}

// wireEdges makes what answers requests: pages, MCP and REST, one handler in the end.
func (p *parts) wireEdges() error {
	a, c := p.app, p.app.config
	if err := p.wirePeople(); err != nil {
		return err
	}
	pages, err := web.New(web.Options{
		Links: p.connect, People: p.people, Address: clientAddress, ToolkitName: p.toolkitName, PublicURL: c.PublicURL, Log: a.log,
	})
	if err != nil {
		return err
	}
	oauth, err := oauthapi.New(oauthapi.Options{Server: p.people, PublicURL: api.Origin(c.PublicURL, true), Address: clientAddress, Log: a.log})
	if err != nil {
		return err
	}
	mcp, err := mcpserver.New(mcpserver.Options{
		Sessions:  mcpserver.Of(p.sessions),
		Servers:   p.legacy.Open,
		People:    p.people,
		Keys:      p.tenants.Authenticate,
		PublicURL: api.Origin(c.PublicURL, true),
		Hosts:     hostsOf(c.PublicURL),
		Sealer:    p.store.Keyring().Server(),
		Version:   a.version,
		MaxBody:   c.MaxRequest,
		Log:       a.log,
		Now:       a.now,
	})
	if err != nil {
		return err
	}
	live, err := realtime.New(realtime.Options{Events: p.events, Sealer: p.store.Keyring().Server(), Now: a.now, Log: a.log})
	if err != nil {
		return err
	}
	rest, err := api.New(api.Options{
		Tenants:    p.tenants,
		Sessions:   p.sessions,
		Connect:    p.connect,
		Runner:     p.runner,
		Catalog:    p.catalog,
		Search:     p.index,
		Metrics:    p.metrics,
		MCPServers: p.legacy,
		Events:     p.events,
		Realtime:   live,
		Triggers:   p.triggers,
		Imports:    p.imports,
		ToolSync:   p.toolsync,
		Pages:      pages,
		OAuth:      oauth,
		MCP:        mcp,
		Ready:      a.ready,
		Gatherer:   p.publicGatherer(),
		PublicURL:  c.PublicURL,
		TrustProxy: true, // trustProxies lets through only what trusted ones say
		MaxBody:    c.MaxRequest,
		Log:        a.log,
		Now:        a.now,
	})
	if err != nil {
		return err
	}
	p.handler = trustProxies(c.TrustedProxies, p.tracing.incoming(rest))
	return nil
}

// publicGatherer gives what the server's own address serves at /metrics: nothing when the settings name an address for that alone.
func (p *parts) publicGatherer() prometheus.Gatherer {
	gatherer := p.gatherer()
	if gatherer == nil || p.app.config.MetricsListen == "" {
		return gatherer
	}
	p.scrape = promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{})
	return nil
}

// gatherer gives what /metrics serves; nil when the operator does not want it.
func (p *parts) gatherer() prometheus.Gatherer {
	if !p.app.config.Metrics {
		return nil
	}
	p.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "patchbay_logs_dropped_total",
			Help: "Entries of the tool call log that were given up because the store did not keep up.",
		}, func() float64 { return float64(p.runner.LogsDropped()) }),
	)
	return p.registry
}

// projectName is what the Connect pages call a project.
func (p *parts) projectName(ctx context.Context, projectID string) string {
	projects, err := p.tenants.ListProjects(ctx)
	if err != nil {
		return projectID
	}
	for _, project := range projects {
		if project.ID == projectID {
			return project.Name
		}
	}
	return projectID
}

// toolkitName is what pages call a toolkit.
func (p *parts) toolkitName(slug string) (string, bool) {
	toolkit, ok := p.catalog.Snapshot("").Toolkit(slug)
	if !ok {
		return "", false
	}
	return toolkit.Name, true
}

// hostsOf gives the name by which a public URL reaches the server.
func hostsOf(publicURL string) []string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return []string{u.Hostname()}
}

// start begins the work in the background.
func (p *parts) start() {
	p.catalog.Start()
	if p.meaning != nil {
		p.meaning.Start()
	}
	p.runner.Start()
	p.refresher.Start()
	p.events.Start()
	p.triggers.Start()
	p.imports.Start()
	p.toolsync.Start()
	p.app.server.RegisterOnShutdown(p.events.CloseStreams) // they would keep it waiting
	p.background.every(p.app.config.SweepInterval, "sweep", p.sweep)
	p.background.jobs.Go(func() {
		p.sessions.Warm("") // the shared catalog's index, before the first search asks for it
		fitMemory()
	})
}

// sweep clears what time has made useless.
func (p *parts) sweep(ctx context.Context) error {
	now := p.app.now()
	_, sessions := p.sessions.Sweep(ctx)
	_, packed := p.catalog.Sweep(ctx)
	_, imported := p.imports.Sweep(ctx)
	_, answers := p.store.DeleteIdempotentBefore(ctx, now.Add(-idempotencyLife))
	_, logs := p.store.DeleteLogsBefore(ctx, now.Add(-p.app.config.LogRetention))
	_, events := p.events.Sweep(ctx, now.Add(-p.app.config.EventRetention))
	_, calls := p.store.DeleteReceiptsBefore(ctx, now.Add(-trigger.ReceiptsFor))
	return errors.Join(p.people.Sweep(ctx), sessions, packed, imported, answers, logs, events, calls, p.retain(ctx, now))
}

// close ends the parts in the reverse of the order in which they depend on each other.
func (p *parts) close(ctx context.Context) error {
	p.background.stop()
	p.imports.Stop()
	p.catalog.Stop()
	p.refresher.Stop()
	p.triggers.Stop()
	p.toolsync.Stop()
	p.events.Stop()
	err := errors.Join(p.runner.Stop(ctx), p.stopMeaning())
	p.connect.Close()
	return errors.Join(err, p.store.Close(), p.tracing.stop(ctx))
}
