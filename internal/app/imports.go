package app

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
)

// newImports makes the service that turns posted descriptions into toolkits, with its metric.
func (p *parts) newImports() (*imports.Service, error) {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patchbay_imports_total",
		Help: "Imports of descriptions that have ended, by outcome (succeeded, failed).",
	}, []string{"outcome"})
	service, err := imports.New(imports.Options{
		Store: p.store, Catalog: p.catalog, Client: p.outbound, Now: p.app.now, Log: p.app.log,
		Ended: func(i imports.Import) { ended.WithLabelValues(string(i.Status)).Inc() },
	})
	if err != nil {
		return nil, err
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "patchbay_import_lag_seconds",
		Help: "For how long the import of a description that waits longest has been due. It grows when imports stand still.",
	}, func() float64 { return service.Lag().Seconds() })
	return service, errors.Join(p.registry.Register(lag), p.registry.Register(ended))
}
