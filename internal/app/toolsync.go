package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
)

// newToolSync makes the service that follows what MCP servers change in their tools, with its metric.
func (p *parts) newToolSync() (*toolsync.Service, error) {
	looks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patchbay_mcp_looks_total",
		Help: "Looks at the tools of projects' MCP servers by outcome (same, changed, failed).",
	}, []string{"outcome"})
	if err := p.registry.Register(looks); err != nil {
		return nil, err
	}
	return toolsync.New(toolsync.Options{
		Store:    p.store,
		Toolkits: p.catalog,
		Servers:  p.runner,
		OnChange: catalog.OnChange(p.app.config.MCPOnChange),
		Interval: p.app.config.MCPInterval,
		Looked:   func(outcome string) { looks.WithLabelValues(outcome).Inc() },
		Now:      p.app.now,
		Log:      p.app.log,
	})
}
