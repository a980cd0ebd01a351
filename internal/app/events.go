package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/api"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
)

// newEvents makes the service that keeps events and delivers them, with its metrics.
func (p *parts) newEvents() (*event.Service, error) {
	attempts := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "patchbay_webhook_attempt_seconds",
		Help:    "Attempts to deliver an event to a webhook: delivered, failed (and tried again) or dead (given up).",
		Buckets: []float64{.01, .05, .1, .5, 1, 5, 15},
	}, []string{"outcome"})
	events, err := event.New(event.Options{
		Store:          p.store,
		HTTP:           p.outbound,
		Bus:            p.bus,
		OrganisationID: p.organisationOf,
		Attempted: func(outcome string, took time.Duration) {
			attempts.WithLabelValues(outcome).Observe(took.Seconds())
		},
		FirstPause:    p.app.config.FirstRetry,
		StreamsPerKey: p.app.config.MaxStreams,
		LongestPause:  p.app.config.LongestRetry,
		Now:           p.app.now,
		Log:           p.app.log,
	})
	if err != nil {
		return nil, err
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "patchbay_webhook_lag_seconds",
		Help: "For how long the webhook delivery that waits longest has been due. It grows when deliveries stand still.",
	}, func() float64 { return events.Lag().Seconds() })
	for _, metric := range []prometheus.Collector{attempts, lag} {
		if err := p.registry.Register(metric); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// accountEvents tells of an account that worked and does not any more, until its user connects it again.
func (p *parts) accountEvents(ctx context.Context, before connect.Status, a connect.ConnectedAccount) ([]event.Event, error) {
	if before != connect.Active || a.Status != connect.Expired {
		return nil, nil
	}
	data, err := api.AccountData(ctx, p.connect, a)
	if err != nil {
		return nil, err
	}
	return []event.Event{{
		ProjectID: a.ProjectID, Type: event.AccountExpired, Key: fmt.Sprintf("expired:%s:%d", a.ID, a.Version),
		Toolkit: a.Toolkit, AccountID: a.ID, AuthConfigID: a.AuthConfigID, UserID: a.UserID, Data: data,
	}}, nil
}

// organisationOf gives the organisation of a project.
func (p *parts) organisationOf(ctx context.Context, projectID string) string {
	projects, err := p.tenants.ListProjects(ctx)
	if err != nil {
		return ""
	}
	for _, project := range projects {
		if project.ID == projectID {
			return project.OrganisationID
		}
	}
	return ""
}
