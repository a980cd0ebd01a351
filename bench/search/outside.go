package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/embedding"
	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/search"
)

// outside is a model to rank with, at an endpoint; without a URL there is none.
type outside struct{ url, model, directory string }

// meaning gives the vectors of requests; nil gives none.
type meaning struct{ service *embedding.Service }

// understand gives an index the vectors of its tools and waits for them.
func (o outside) understand(index *search.Index) (*meaning, error) {
	if o.url == "" {
		return nil, nil //nolint:nilnil // no model
	}
	client, err := outbound.New(outbound.Options{Allow: []string{inference.Host(o.url)}})
	if err != nil {
		return nil, err
	}
	service, err := embedding.New(embedding.Options{
		Endpoint: inference.Endpoint{URL: o.url, Model: o.model, HTTP: client}, Directory: o.directory,
		Patience: time.Minute, Pace: time.Millisecond, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	var table *embedding.Table
	index.WithVectors(func(tools []*catalog.Tool) search.Vectors {
		table = service.Table(tools)
		return table
	})
	service.Start()
	for began := time.Now(); !table.Ready(); time.Sleep(100 * time.Millisecond) {
		if status := service.Status(); status.Poor || time.Since(began) > time.Hour {
			return nil, errors.New("the model gives no vectors that can be used")
		}
	}
	fmt.Fprintf(os.Stderr, "%d texts have vectors\n", service.Status().Kept)
	return &meaning{service}, nil
}

func (m *meaning) of(text string) []float32 {
	if m == nil {
		return nil
	}
	return m.service.Requests(context.Background(), []string{text})[0]
}

func (m *meaning) stop() {
	if m != nil {
		_ = m.service.Stop() // what matters has been kept
	}
}
