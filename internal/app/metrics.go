package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// startMetrics serves metrics on an address of their own, if the settings name one and want metrics at all. It gives nil otherwise.
func startMetrics(ctx context.Context, address string, scrape http.Handler, log *slog.Logger) (*http.Server, error) {
	if address == "" || scrape == nil {
		return nil, nil //nolint:nilnil // "none" is what the operator chose
	}
	listener, err := listen(ctx, address, "--metrics-listen or PATCHBAY_METRICS_LISTEN")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrape)
	server := &http.Server{
		Addr: listener.Addr().String(), Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: time.Minute,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	}()
	log.Info("serving metrics", "address", server.Addr)
	return server, nil
}
