package app

import (
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/embedding"
	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/planner"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// wireMeaning makes what asks the operator's embeddings endpoint, if there is one.
func (p *parts) wireMeaning() error {
	set := p.app.config.Embeddings
	if set.URL == "" {
		return nil
	}
	endpoint, err := endpointOf(set, p.app.config.OutboundAllow, p.tracing)
	if err != nil {
		return err
	}
	asked := p.countAsked()
	p.meaning, err = embedding.New(embedding.Options{
		Endpoint: endpoint, Dimensions: set.Dimensions, Directory: filepath.Join(p.app.config.Data, "embeddings"), Patience: set.Timeout,
		Now: p.app.now, Log: p.app.log, Asked: func(purpose, outcome string) { asked.WithLabelValues(purpose, outcome).Inc() },
	})
	return err
}

// countAsked registers what is measured of the endpoint.
func (p *parts) countAsked() *prometheus.CounterVec {
	asked := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patchbay_embeddings_requests_total",
		Help: "Requests to the embeddings endpoint by what for (tools, requests) and outcome (ok, failed).",
	}, []string{"purpose", "outcome"})
	status := func(name, help string, of func(embedding.Status) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return of(p.meaning.Status()) })
	}
	p.registry.MustRegister(asked,
		status("patchbay_embeddings_up", "1 while searches use the embeddings endpoint, 0 while it fails or its model is of no use.", func(s embedding.Status) float64 {
			if s.Outage != nil || s.Poor {
				return 0
			}
			return 1
		}),
		status("patchbay_embeddings_vectors", "Texts whose vectors are kept.", func(s embedding.Status) float64 { return float64(s.Kept) }),
		status("patchbay_embeddings_missing", "Texts of tools whose vectors are still to be made.", func(s embedding.Status) float64 { return float64(s.Without) }),
	)
	return asked
}

// endpointOf reaches a model. Its own address may be private, since the operator wrote it into the settings for this; no toolkit can go
// there because of that.
func endpointOf(set config.Model, allow []string, traced *tracing) (inference.Endpoint, error) {
	own := append([]string{inference.Host(set.URL)}, allow...)
	client, err := outbound.New(outbound.Options{Allow: own, Wrap: traced.outgoing})
	return inference.Endpoint{URL: set.URL, Model: set.Model, APIKey: set.APIKey, HTTP: client}, err
}

// vectorsOf has the tools of indexes understood; nil where nobody can.
func (p *parts) vectorsOf() search.VectorsOf {
	if p.meaning == nil {
		return nil
	}
	return func(tools []*catalog.Tool) search.Vectors { return p.meaning.Table(tools) }
}

func (p *parts) vectorsOfRequests() session.Vectors {
	if p.meaning == nil {
		return nil
	}
	return p.meaning.Requests
}

func (p *parts) stopMeaning() error {
	if p.meaning == nil {
		return nil
	}
	return p.meaning.Stop()
}

// planner puts plans in words at the operator's chat endpoint; nil where there is none.
func (p *parts) planner() (session.Planner, error) {
	set := p.app.config.Chat
	if set.URL == "" {
		return nil, nil //nolint:nilnil // plans are then made of what tools declare
	}
	endpoint, err := endpointOf(set, p.app.config.OutboundAllow, p.tracing)
	if err != nil {
		return nil, err
	}
	return planner.New(planner.Options{Endpoint: endpoint, Patience: set.Timeout, Now: p.app.now, Log: p.app.log})
}
