package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// Toolkits adds toolkits to the server, for all projects, and takes them away, for whoever runs it; as Keys, without a key. It
// is where package intake puts what it brings in.
type Toolkits interface {
	// Known gives the definition that was added under a slug; nil when there is none.
	Known(ctx context.Context, slug string) (*catalog.Definition, error)
	// Put adds a definition, as a new version where there is one already, and has it served at once, on every node.
	Put(ctx context.Context, d *catalog.Definition) error
	// Remove takes a toolkit that was added away, in all its versions.
	Remove(ctx context.Context, slug string) error
	io.Closer
}

// OpenToolkits gives the toolkits of the server that the settings describe, as OpenKeys does its keys.
func OpenToolkits(ctx context.Context, c config.Config) (Toolkits, error) {
	if c.Database.Reveal() == "sqlite" {
		if running, ok := dialControl(ctx, c.Data); ok {
			return controlToolkits{running}, nil
		}
	}
	o, err := catalogOptions(c, toolkits.FS)
	if err != nil {
		return nil, err
	}
	bus := &notify.Bus{}
	db, err := store.Open(ctx, store.Options{Database: databaseOf(c), MasterKey: masterKeyOf(c), Bus: bus})
	if err != nil {
		return nil, err
	}
	o.Store, o.Bus = db, bus
	whole, err := catalog.Open(ctx, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &storeToolkits{catalog: whole, Closer: db}, nil
}

// storeToolkits works on the database itself.
type storeToolkits struct {
	catalog *catalog.Catalog
	io.Closer
}

// Known asks the catalog.
func (t *storeToolkits) Known(ctx context.Context, slug string) (*catalog.Definition, error) {
	return t.catalog.Definition(ctx, "", slug)
}

// Put adds to the catalog.
func (t *storeToolkits) Put(ctx context.Context, d *catalog.Definition) error {
	_, err := t.catalog.Add(ctx, "", catalog.Document{Definition: d})
	return err
}

// Remove takes out of the catalog.
func (t *storeToolkits) Remove(ctx context.Context, slug string) error {
	return t.catalog.Remove(ctx, "", slug)
}

// toolkitRoutes are what the control socket offers of toolkits.
func toolkitRoutes(mux *http.ServeMux, t Toolkits) {
	mux.HandleFunc("GET /toolkits/{slug}", func(w http.ResponseWriter, r *http.Request) {
		d, err := t.Known(r.Context(), r.PathValue("slug"))
		answer(w, d, err)
	})
	mux.HandleFunc("PUT /toolkits", func(w http.ResponseWriter, r *http.Request) {
		var d catalog.Definition
		err := json.NewDecoder(r.Body).Decode(&d)
		if err == nil {
			err = t.Put(r.Context(), &d)
		}
		answer(w, struct{}{}, err)
	})
	mux.HandleFunc("DELETE /toolkits/{slug}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, t.Remove(r.Context(), r.PathValue("slug")))
	})
}

// controlToolkits asks a running server. Large toolkits take a while to be packed, so it waits longer than others.
type controlToolkits struct{ *controlClient }

const packingTime = 5 * time.Minute

// Known asks the running server.
func (t controlToolkits) Known(ctx context.Context, slug string) (d *catalog.Definition, err error) {
	err = t.ask(ctx, http.MethodGet, "/toolkits/"+url.PathEscape(slug), nil, &d)
	return d, err
}

// Put hands the definition to the running server.
func (t controlToolkits) Put(ctx context.Context, d *catalog.Definition) error {
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode toolkit: %w", err)
	}
	return t.ask(ctx, http.MethodPut, "/toolkits", body, &struct{}{})
}

// Remove has the running server take it away.
func (t controlToolkits) Remove(ctx context.Context, slug string) error {
	return t.ask(ctx, http.MethodDelete, "/toolkits/"+url.PathEscape(slug), nil, &struct{}{})
}

func (t controlToolkits) ask(ctx context.Context, method, path string, body []byte, to any) error {
	ctx, cancel := context.WithTimeout(ctx, packingTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://patchbay"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := t.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", rootOf(err))
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return json.NewDecoder(response.Body).Decode(to)
	}
	var r refusal
	if err := json.NewDecoder(response.Body).Decode(&r); err != nil {
		return fault.New(fault.Unavailable, fault.SlugUnavailable, "The running server answered %s.", response.Status)
	}
	return r.fault()
}
