package api

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type importToolkitRequest struct {
	Kind        string            `json:"kind"`        // openapi when absent, or graphql
	URL         string            `json:"url"`         // of the description; of GraphQL also the endpoint itself
	Description json.RawMessage   `json:"description"` // in place of a URL: an object, or a text of JSON, YAML or SDL
	Headers     map[string]string `json:"headers"`     // sent when the URL is read
	Slug        string            `json:"slug"`
	Name        string            `json:"name"`
	BaseURL     string            `json:"base_url"`
	Auth        string            `json:"auth"`
	Filter      []string          `json:"filter"`
	DryRun      bool              `json:"dry_run"`
}

type importResponse struct {
	ID         string                 `json:"id"`
	Status     string                 `json:"status"` // queued, running, succeeded, failed
	Kind       string                 `json:"kind"`
	Source     *string                `json:"source"` // the address without its query; null where the description was posted
	DryRun     bool                   `json:"dry_run"`
	Progress   importProgressResponse `json:"progress"`
	Result     *importResultResponse  `json:"result"` // null until it has succeeded
	Error      *imports.Failure       `json:"error"`  // null unless it has failed
	CreatedAt  string                 `json:"created_at"`
	StartedAt  *string                `json:"started_at"`
	FinishedAt *string                `json:"finished_at"`
}

type importProgressResponse struct {
	Done  int `json:"done"`  // operations that were looked at
	Total int `json:"total"` // 0 until it is known
}

type importResultResponse struct {
	Slug       string            `json:"slug"`
	Name       string            `json:"name"`
	Version    *string           `json:"version"` // null after a dry run
	BaseURL    string            `json:"base_url"`
	AuthModes  []string          `json:"auth_modes"`
	New        bool              `json:"new"`
	Unchanged  bool              `json:"unchanged"`
	Operations int               `json:"operations"`
	Tools      int               `json:"tools_count"`
	Filtered   int               `json:"filtered_count"`
	LeftOut    []openapi.LeftOut `json:"left_out"` // the first of them
	LeftCount  int               `json:"left_out_count"`
	Notes      []string          `json:"notes"`
	AuthUnsaid bool              `json:"auth_unknown"` // the description does not say how accounts are connected
	Changes    catalog.Changes   `json:"changes"`
}

// importToolkit queues an import of a description as a toolkit of the project.
func (a *api) importToolkit(ctx context.Context, caller tenant.Caller, in importToolkitRequest) (importResponse, error) {
	description, err := descriptionText(in.Description)
	if err != nil {
		return importResponse{}, err
	}
	kind := imports.OpenAPI
	if in.Kind != "" {
		kind = imports.Kind(in.Kind)
	}
	i, err := a.imports.Post(ctx, caller.ProjectID, imports.Request{
		Kind: kind, URL: in.URL, Header: in.Headers, Slug: in.Slug, Name: in.Name, BaseURL: in.BaseURL, Auth: in.Auth, Filter: in.Filter, DryRun: in.DryRun,
	}, description)
	return importOf(i), err
}

// descriptionText gives a posted description: the text, where it is one, and otherwise the object as it stands. It is copied: the
// body's buffer is used again.
func descriptionText(raw json.RawMessage) ([]byte, error) {
	switch kindOf(raw) {
	case "string":
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, invalidRequest("description: is not a text that can be read")
		}
		return []byte(text), nil
	case "object":
		return append([]byte(nil), raw...), nil
	case "null", "nothing":
		return nil, nil
	default:
		return nil, invalidRequest("description: expected an object or a string, got " + got(kindOf(raw)))
	}
}

type getImportRequest struct {
	ID string `path:"id" json:"-"`
}

// getImport tells how far an import is, and what came of it.
func (a *api) getImport(ctx context.Context, caller tenant.Caller, in getImportRequest) (importResponse, error) {
	i, err := a.imports.Import(ctx, caller.ProjectID, in.ID)
	return importOf(i), err
}

type listImportsRequest struct {
	Limit  limit  `query:"limit" json:"-"`
	Cursor string `query:"cursor" json:"-"`
}

// listImports gives the project's imports, the newest first.
func (a *api) listImports(ctx context.Context, caller tenant.Caller, in listImportsRequest) (pageResponse[importResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[importResponse]{}, err
	}
	all, err := a.imports.List(ctx, caller.ProjectID)
	if err != nil {
		return pageResponse[importResponse]{}, err
	}
	shown, info, err := slice(all, at, in.Limit.clamp(20, 100))
	if err != nil {
		return pageResponse[importResponse]{}, err
	}
	return pageResponse[importResponse]{pageInfo: info, Items: mapped(shown, importOf)}, nil
}

type cancelImportResponse struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// cancelImport ends an import, if it has not ended, and forgets it.
func (a *api) cancelImport(ctx context.Context, caller tenant.Caller, in getImportRequest) (cancelImportResponse, error) {
	err := a.imports.Cancel(ctx, caller.ProjectID, in.ID)
	return cancelImportResponse{in.ID, true}, err
}

func importOf(i imports.Import) importResponse {
	out := importResponse{
		ID: i.ID, Status: string(i.Status), Kind: string(i.Request.Kind), Source: orNull(intake.Shown(i.Request.URL)), DryRun: i.Request.DryRun,
		Progress: importProgressResponse{i.Done, i.Total}, Error: i.Failure,
		CreatedAt: timestamp(i.CreatedAt), StartedAt: timestampOrNull(i.StartedAt), FinishedAt: timestampOrNull(i.FinishedAt),
	}
	if r := i.Result; r != nil {
		out.Result = &importResultResponse{
			Slug: r.Slug, Name: r.Name, Version: orNull(r.Version), BaseURL: r.BaseURL, AuthModes: r.Modes, New: r.New, Unchanged: r.Unchanged,
			Operations: r.Report.Operations, Tools: r.Report.Tools, Filtered: r.Report.Filtered, LeftOut: r.Report.LeftOut, LeftCount: r.LeftOut,
			Notes: r.Report.Notes, AuthUnsaid: r.Report.AuthUnknown, Changes: r.Changes,
		}
	}
	return out
}
