package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/patchbay-dev/patchbay/internal/api"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/web"
)

// idempotencyLife is how long an answer is remembered under its idempotency key (API contract).
const idempotencyLife = 24 * time.Hour

// parts are the pieces of a server that something still has to be done with after they are wired.
type parts struct {
	app        *App
	store      *store.Store
	tenants    *tenant.Service
	connect    *connect.Service
	refresher  *connect.Refresher
	runner     *execute.Runner
	sessions   *session.Service
	handler    http.Handler
	background *background
}

// wire makes every part of the server and gives each what it needs, from the lowest level to the highest. This is the one
// place where that happens.
func (a *App) wire(ctx context.Context) (_ *parts, err error) {
	c := a.config
	p := &parts{app: a, background: newBackground(a.log)}
	bus := &notify.Bus{}

	snapshot, err := loadCatalog(c, a.shipped)
	if err != nil {
		return nil, err
	}
	toolkits := catalog.New(snapshot)
	p.store, err = store.Open(ctx, store.Options{Database: databaseOf(c), MasterKey: masterKeyOf(c), Bus: bus, Now: a.now, Logger: a.log})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.store.Close())
		}
	}()
	p.tenants, err = tenant.New(tenant.Options{Store: p.store, Bus: bus, Now: a.now})
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics, err := api.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	client, err := outbound.New(outbound.Options{Allow: c.OutboundAllow})
	if err != nil {
		return nil, err
	}
	p.connect, err = connect.New(connect.Options{
		Store:       p.store,
		Catalog:     func(projectID string) connect.Toolkits { return toolkits.Snapshot(projectID) },
		HTTP:        client,
		Bus:         bus,
		Apps:        oauthApps(c.Toolkits),
		ProjectName: p.projectName,
		Refreshed:   metrics.TokenRefreshed,
		PublicURL:   c.PublicURL,
		Now:         a.now,
		Log:         a.log,
	})
	if err != nil {
		return nil, err
	}
	p.refresher = connect.NewRefresher(p.connect, connect.RefresherOptions{Interval: c.RefreshInterval})
	p.runner, err = execute.New(execute.Options{Accounts: p.connect, Client: client, Store: p.store, Called: metrics.ToolCalled, Now: a.now, Log: a.log})
	if err != nil {
		return nil, err
	}
	index := &indexes{}
	p.sessions, err = session.New(session.Options{
		Store:       p.store,
		Catalog:     toolkits,
		Connections: p.connect,
		Runner:      p.runner,
		Opened:      metrics.SessionOpened,
		Bus:         bus,
		Index:       func(s *catalog.Snapshot) session.Index { return index.get(s) },
		Now:         a.now,
		Log:         a.log,
	})
	if err != nil {
		return nil, err
	}

	pages, err := web.New(web.Options{Links: p.connect, ToolkitName: toolkitName(toolkits), PublicURL: c.PublicURL, Log: a.log})
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Options{Links: p.connect, ToolkitName: toolkitName(toolkits), PublicURL: c.PublicURL, Log: a.log})
	if err != nil {
		return nil, err
	}
	mcp, err := mcpserver.New(mcpserver.Options{
		Sessions:  mcpserver.Of(p.sessions),
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
		return nil, err
	}
	edge := api.Options{
		Tenants:    p.tenants,
		Sessions:   p.sessions,
		Connect:    p.connect,
		Runner:     p.runner,
		Catalog:    toolkits,
		Search:     index.get,
		Metrics:    metrics,
		Pages:      pages,
		MCP:        mcp,
		Pages:      pages,
		Ready:      a.ready,
		PublicURL:  c.PublicURL,
		TrustProxy: true, // trustProxies lets through only what trusted ones say
		MaxBody:    c.MaxRequest,
		Log:        a.log,
		Now:        a.now,
	}
	if c.Metrics {
		edge.Gatherer = registry
	}
	handler, err := api.New(edge)
	if err != nil {
		return nil, err
	}
	p.handler = trustProxies(c.TrustedProxies, handler)
	return p, nil
}

// toolkitName finds the name that a toolkit's logo stands for.
func toolkitName(toolkits *catalog.Catalog) func(string) (string, bool) {
	return func(slug string) (string, bool) {
		t, ok := toolkits.Snapshot("").Toolkit(slug)
		if !ok {
			return "", false
		}
		return t.Name, true
	}
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

// start begins the work in the background.
func (p *parts) start() {
	c := p.app.config
	p.runner.Start()
	p.refresher.Start()
	p.background.every(c.SweepInterval, "sweep", p.sweep)
}

// sweep clears what time has made useless.
func (p *parts) sweep(ctx context.Context) error {
	now := p.app.now()
	_, sessions := p.sessions.Sweep(ctx)
	_, answers := p.store.DeleteIdempotentBefore(ctx, now.Add(-idempotencyLife))
	_, logs := p.store.DeleteLogsBefore(ctx, now.Add(-p.app.config.LogRetention))
	return errors.Join(sessions, answers, logs)
}

// close ends the parts in the reverse of the order in which they depend on each other.
func (p *parts) close(ctx context.Context) error {
	p.background.stop()
	p.refresher.Stop()
	err := p.runner.Stop(ctx)
	p.connect.Close()
	return errors.Join(err, p.store.Close())
}
