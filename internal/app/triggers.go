package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// newTriggers makes the service that watches accounts, with its metrics.
func (p *parts) newTriggers() (*trigger.Service, error) {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patchbay_webhook_calls_total",
		Help: "Calls of providers by outcome. Of all but accepted, ignored, handshake and repeated nothing is stored.",
	}, []string{"toolkit", "outcome"})
	looks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patchbay_polls_total",
		Help: "Looks at lists of providers by outcome (found, nothing, failed).",
	}, []string{"outcome"})
	found := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "patchbay_poll_events_total",
		Help: "Events that polls found.",
	})
	triggers, err := trigger.New(trigger.Options{
		Store:       p.store,
		Catalog:     func(projectID string) *catalog.Snapshot { return p.catalog.Snapshot(projectID) },
		Connections: p.connect,
		Runner:      p.runner,
		Interval:    p.app.config.PollInterval,
		MinInterval: p.app.config.MinPollInterval,
		Received:    func(toolkit, outcome string) { calls.WithLabelValues(toolkit, outcome).Inc() },
		Looked: func(outcome string, events int) {
			looks.WithLabelValues(outcome).Inc()
			found.Add(float64(events))
		},
		Now: p.app.now,
		Log: p.app.log,
	})
	if err != nil {
		return nil, err
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "patchbay_poll_lag_seconds",
		Help: "For how long the poll that waits longest has been due. It grows when polls stand still.",
	}, func() float64 { return triggers.Lag().Seconds() })
	for _, metric := range []prometheus.Collector{calls, looks, found, lag} {
		if err := p.registry.Register(metric); err != nil {
			return nil, err
		}
	}
	return triggers, nil
}
