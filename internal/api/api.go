package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/realtime"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// Options are what the REST edge needs.
type Options struct {
	// Required.
	Tenants  *tenant.Service
	Sessions *session.Service
	Connect  *connect.Service
	Runner   *execute.Runner
	Catalog  *catalog.Catalog
	Search   func(*catalog.Snapshot) *search.Index // the index of a snapshot, built once
	Metrics  *Metrics

	MCPServers *legacy.Service // servers of the older API
	Events     *event.Service
	Realtime   *realtime.Service
	Triggers   *trigger.Service
	Imports    *imports.Service // descriptions that become toolkits of projects
	ToolSync   *toolsync.Service

	Pages    http.Handler                // Connect pages, OAuth callbacks and logos; nil: those routes answer 404
	OAuth    http.Handler                // the OAuth endpoints of programs; nil: 404
	MCP      http.Handler                // the MCP endpoints; nil: 404
	Ready    func(context.Context) error // nil: always ready
	Gatherer prometheus.Gatherer         // served at /metrics; nil: 404

	PublicURL  string // scheme and host that clients use, without a slash at the end; empty: each request's own
	TrustProxy bool   // believe X-Forwarded-Proto and X-Forwarded-Host; only behind a proxy that sets them

	MaxBody int64            // of an API request, in bytes; 0: 10 MB. Custom tools travel in bodies of several MB
	Timeout time.Duration    // of an API request; 0: 58 s, just below the SDKs' own 60
	Log     *slog.Logger     // slog.Default when nil
	Now     func() time.Time // time.Now when nil
}

// api holds what handlers use.
type api struct {
	tenants    *tenant.Service
	sessions   *session.Service
	connect    *connect.Service
	runner     *execute.Runner
	catalog    *catalog.Catalog
	index      func(*catalog.Snapshot) *search.Index
	metrics    *Metrics
	mcpServers *legacy.Service
	events     *event.Service
	realtime   *realtime.Service
	triggers   *trigger.Service
	imports    *imports.Service
	toolsync   *toolsync.Service
	ready      func(context.Context) error
	prepared   preparedTools
	origin     func(*http.Request) (string, error)
	maxBody    int64
	timeout    time.Duration
	log        *slog.Logger
	now        func() time.Time
}

// New makes the handler of everything this server serves over HTTP.
func New(o Options) (http.Handler, error) {
	if o.Tenants == nil || o.Sessions == nil || o.Connect == nil || o.Runner == nil || o.Catalog == nil || o.Search == nil || o.Metrics == nil || o.MCPServers == nil || o.Events == nil || o.Realtime == nil || o.Triggers == nil || o.Imports == nil || o.ToolSync == nil {
		return nil, errors.New("api: Tenants, Sessions, Connect, Runner, Catalog, Search, Metrics, MCPServers, Events, Realtime, Triggers, Imports and ToolSync are required")
	}
	publicURL, err := checkPublicURL(o.PublicURL)
	if err != nil {
		return nil, err
	}
	a := &api{
		tenants: o.Tenants, sessions: o.Sessions, connect: o.Connect, runner: o.Runner,
		catalog: o.Catalog, index: o.Search, metrics: o.Metrics, ready: o.Ready, mcpServers: o.MCPServers, events: o.Events, realtime: o.Realtime, triggers: o.Triggers, imports: o.Imports, toolsync: o.ToolSync,
		origin:  Origin(publicURL, o.TrustProxy),
		maxBody: o.MaxBody, timeout: o.Timeout, log: o.Log, now: o.Now,
	}
	if a.maxBody <= 0 {
		a.maxBody = 10 << 20
	}
	if a.timeout <= 0 {
		a.timeout = 58 * time.Second
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a.middleware(a.mux(o)), nil
}

// checkPublicURL accepts an origin, perhaps with a path in front of ours, and drops a slash at its end.
func checkPublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !plainHost(u.Host) || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("api: public_url %q is not a URL of scheme and host, such as https://patchbay.example.com", text)
	}
	return strings.TrimRight(u.String(), "/"), nil
}
