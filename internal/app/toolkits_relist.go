package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Relister asks MCP servers that were added to the server for their tools anew, for whoever runs it; as Keys, without a key.
type Relister interface {
	// Relist lists a server's tools, with an account of the default project where the server wants one, and makes them the
	// toolkit's. With dryRun it only says what would change.
	Relist(ctx context.Context, slug, accountID string, dryRun bool) (Relisted, error)
	io.Closer
}

// Relisted says what came of it.
type Relisted struct {
	Slug    string               `json:"slug"`
	Version string               `json:"version,omitempty"` // empty: nothing was kept
	Tools   int                  `json:"tools"`
	LeftOut []string             `json:"left_out"`
	Changes []catalog.ToolChange `json:"changes"`
}

// OpenRelister gives the Relister of the server that the settings describe, as OpenKeys does its keys. Where the server does not
// run, or on Postgres, this process asks in its place.
func OpenRelister(ctx context.Context, c config.Config) (Relister, error) {
	if c.Database.Reveal() == "sqlite" {
		if running, ok := dialControl(ctx, c.Data); ok {
			return controlToolkits{running}, nil
		}
	}
	p, err := New(Options{Config: c}).wire(ctx)
	if err != nil {
		return nil, err
	}
	project, err := p.tenants.EnsureProject(ctx, defaultProject)
	if err != nil {
		return nil, errors.Join(err, p.close(ctx))
	}
	return &relister{catalog: p.catalog, runner: p.runner, projectID: project.ID, Closer: closing(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), quickly)
		defer cancel()
		return p.close(ctx)
	})}, nil
}

// closing is an io.Closer.
type closing func() error

// Close calls it.
func (c closing) Close() error { return c() }

// relister works with the server's own parts.
type relister struct {
	catalog   *catalog.Catalog
	runner    *execute.Runner
	projectID string
	io.Closer
}

// Relist asks the server.
func (r *relister) Relist(ctx context.Context, slug, accountID string, dryRun bool) (Relisted, error) {
	out := Relisted{Slug: slug, LeftOut: []string{}, Changes: []catalog.ToolChange{}}
	d, err := r.catalog.Definition(ctx, "", slug)
	if err != nil {
		return out, err
	}
	if d == nil || d.Source.Kind != catalog.SourceMCP {
		return out, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "No MCP server %q was added to this server.", slug).
			WithFix("Add it with patchbay toolkit add --mcp. What a project registered is listed with: patchbay toolkit sync.")
	}
	tk, served := r.catalog.Snapshot("").Toolkit(slug) // as the settings have it
	if !served {
		if tk, err = d.Bare(); err != nil {
			return out, err
		}
	}
	if !tk.NoAuth() && accountID == "" {
		return out, fault.New(fault.Invalid, fault.SlugInvalid, "%s lists its tools to connected accounts only.", tk.Name).
			WithFix("Connect an account (patchbay connect %s --user USER) and name it: --account ca_…", slug)
	}
	caller := tenant.Caller{ProjectID: r.projectID}
	tools, leftOut, err := r.runner.ListServerTools(ctx, caller, tk, connect.Selection{AccountID: accountID}, d.Tools)
	if err != nil {
		return out, err
	}
	out.Tools, out.LeftOut = len(tools), append(out.LeftOut, leftOut...)
	out.Changes = append(out.Changes, catalog.CompareMCP(d.Tools, tools)...)
	if dryRun {
		return out, nil
	}
	added, err := r.catalog.Add(ctx, "", d.WithMCPTools(tools))
	if err != nil {
		return out, err
	}
	out.Version = added.Version
	r.runner.ForgetServerLists(r.projectID, slug)
	return out, nil
}

// relistRoute is what the control socket offers of it.
func relistRoute(mux *http.ServeMux, r Relister) {
	mux.HandleFunc("POST /toolkits/{slug}/relist", func(w http.ResponseWriter, q *http.Request) {
		out, err := r.Relist(q.Context(), q.PathValue("slug"), q.FormValue("account"), q.FormValue("dry_run") == "true")
		answer(w, out, err)
	})
}

// Relist has the running server ask.
func (t controlToolkits) Relist(ctx context.Context, slug, accountID string, dryRun bool) (out Relisted, err error) {
	query := url.Values{"account": {accountID}, "dry_run": {strconv.FormatBool(dryRun)}}
	err = t.ask(ctx, http.MethodPost, "/toolkits/"+url.PathEscape(slug)+"/relist?"+query.Encode(), nil, &out)
	return out, err
}
