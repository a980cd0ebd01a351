package api

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type upsertCustomToolkitRequest struct {
	Slug          string            `json:"slug"`           // when given, it has to be the document's own
	ToolkitConfig json.RawMessage   `json:"toolkit_config"` // an MCP server, in the contract's words
	Definition    json.RawMessage   `json:"definition"`     // what an importer made
	Files         map[string]string `json:"files"`          // a toolkit in our own format: toolkit.yaml and the files beside it
	OnChange      catalog.OnChange  `json:"on_change"`      // with toolkit_config: when the server changes its tools; empty: as it was
	DryRun        bool              `json:"dry_run"`        // only check
}

type upsertCustomToolkitResponse struct {
	Slug      string          `json:"slug"`
	Version   string          `json:"version,omitempty"`
	Tools     int             `json:"tools_count"`
	Unchanged bool            `json:"unchanged"`
	Changes   catalog.Changes `json:"changes"`
}

// upsertCustomToolkit stores a toolkit for the project, or a new version of it.
func (a *api) upsertCustomToolkit(ctx context.Context, caller tenant.Caller, in upsertCustomToolkitRequest) (upsertCustomToolkitResponse, error) {
	document, err := a.customDocument(ctx, caller, in)
	if err != nil {
		return upsertCustomToolkitResponse{}, err
	}
	if len(in.ToolkitConfig) > 0 {
		in.Slug = document.Definition.Slug
	}
	if in.Slug != "" || in.DryRun {
		tk, err := a.catalog.Check(caller.ProjectID, document)
		if err != nil {
			return upsertCustomToolkitResponse{}, err
		}
		if in.Slug != "" && !strings.EqualFold(in.Slug, tk.Slug) {
			return upsertCustomToolkitResponse{}, invalidRequest("slug: the toolkit calls itself " + tk.Slug + ", not " + short(in.Slug))
		}
		if in.DryRun {
			return upsertCustomToolkitResponse{Slug: tk.Slug, Tools: len(tk.Tools)}, nil
		}
	}
	added, err := a.catalog.Add(ctx, caller.ProjectID, document)
	if err != nil {
		return upsertCustomToolkitResponse{}, err
	}
	return upsertCustomToolkitResponse{added.Slug, added.Version, added.Tools, added.Unchanged, added.Diff}, nil
}

func (a *api) customDocument(ctx context.Context, caller tenant.Caller, in upsertCustomToolkitRequest) (catalog.Document, error) {
	given := 0
	for _, there := range []bool{len(in.ToolkitConfig) > 0, len(in.Definition) > 0, in.Files != nil} {
		if there {
			given++
		}
	}
	switch {
	case in.OnChange != "" && len(in.ToolkitConfig) == 0:
		return catalog.Document{}, invalidRequest("on_change: goes with toolkit_config")
	case given != 1:
		return catalog.Document{}, invalidRequest("toolkit_config, definition, files: give exactly one of them")
	case len(in.ToolkitConfig) > 0:
		return a.serverDocument(ctx, caller, in)
	case in.Files != nil:
		return catalog.Document{Files: in.Files}, nil
	}
	var d catalog.Definition
	strict := json.NewDecoder(bytes.NewReader(in.Definition))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&d); err != nil {
		return catalog.Document{}, invalidRequest("definition: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	return catalog.Document{Definition: &d}, nil
}

type listCustomToolkitsRequest struct {
	Limit  limit  `query:"limit" json:"-"`
	Cursor string `query:"cursor" json:"-"`
}

type customToolkitResponse struct {
	Slug      string   `json:"slug"`
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Kind      string   `json:"kind"` // openapi, graphql, mcp, custom
	Source    *string  `json:"source"`
	Tools     int      `json:"tools_count"`
	Versions  []string `json:"available_versions"`
	CreatedAt string   `json:"created_at"` // of the version
	Problem   *string  `json:"problem"`    // why it is not served; null when it is
}

// listCustomToolkits lists what was stored for the project, also what cannot be served.
func (a *api) listCustomToolkits(_ context.Context, caller tenant.Caller, in listCustomToolkitsRequest) (pageResponse[customToolkitResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[customToolkitResponse]{}, err
	}
	shown, info, err := slice(a.catalog.List(caller.ProjectID), at, in.Limit.clamp(20, 1000))
	if err != nil {
		return pageResponse[customToolkitResponse]{}, err
	}
	left, snapshot := a.catalog.LeftOut(caller.ProjectID), a.catalog.Snapshot(caller.ProjectID)
	return pageResponse[customToolkitResponse]{pageInfo: info, Items: mapped(shown, func(s catalog.Stored) customToolkitResponse {
		out := customToolkitResponse{
			Slug: s.Slug, Name: s.Name, Version: s.Version, Kind: s.Source.Kind, Source: orNull(s.Source.URL), Tools: s.Tools,
			Versions: []string{s.Version}, CreatedAt: timestamp(s.CreatedAt),
		}
		if tk, ok := snapshot.Toolkit(s.Slug); ok && tk.Custom {
			out.Versions = tk.Versions
		}
		if i := slices.IndexFunc(left, func(l catalog.LeftOut) bool { return l.Slug == s.Slug }); i >= 0 {
			out.Problem = &left[i].Reason
		}
		return out
	})}, nil
}

type deleteCustomToolkitRequest struct {
	Slug string `path:"slug" json:"-"`
}

type deleteCustomToolkitResponse struct {
	Slug        string   `json:"slug"`
	Deleted     bool     `json:"deleted"`
	RevokeJobs  []string `json:"revoke_job_ids"` // none: accounts are revoked before the answer
	AuthConfigs int      `json:"auth_configs_deleted"`
	Accounts    int      `json:"connected_accounts_deleted"`
}

// deleteCustomToolkit deletes a toolkit of the project in all its versions, and what it was connected by: nobody could use that
// any more.
func (a *api) deleteCustomToolkit(ctx context.Context, caller tenant.Caller, in deleteCustomToolkitRequest) (deleteCustomToolkitResponse, error) {
	slug := strings.ToLower(in.Slug)
	out := deleteCustomToolkitResponse{Slug: slug, Deleted: true, RevokeJobs: []string{}}
	if !slices.ContainsFunc(a.catalog.List(caller.ProjectID), func(s catalog.Stored) bool { return s.Slug == slug }) {
		return out, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "The project has no toolkit %q of its own.", short(in.Slug)).
			WithFix("GET /api/v3.1/custom/toolkits lists them.")
	}
	if tk, ok := a.catalog.Snapshot(caller.ProjectID).Toolkit(slug); !ok || tk.Custom { // else the accounts are those of the server's toolkit
		configs, _, err := a.connect.ListAuthConfigs(ctx, caller, connect.AuthConfigFilter{Toolkits: []string{slug}, ShowDisabled: true})
		if err != nil {
			return out, err
		}
		for _, config := range configs {
			if _, err := a.connect.DeleteAuthConfig(ctx, caller, config.ID); err != nil {
				return out, err
			}
			out.AuthConfigs++
			out.Accounts += config.Connections
		}
	}
	if err := a.toolsync.Forget(ctx, caller, slug); err != nil {
		return out, err
	}
	return out, a.catalog.Remove(ctx, caller.ProjectID, slug)
}

type pinToolkitRequest struct {
	Slug    string `path:"slug" json:"-"`
	Version string `json:"version"`
}

type pinToolkitResponse struct {
	Slug    string `json:"slug"`
	Version string `json:"version"` // that is in force now
	Pinned  bool   `json:"pinned"`
}

// pinToolkit keeps the project at one version of a toolkit; "latest" lets it follow again.
func (a *api) pinToolkit(ctx context.Context, caller tenant.Caller, in pinToolkitRequest) (pinToolkitResponse, error) {
	if in.Version == "" {
		return pinToolkitResponse{}, invalidRequest("version: is required, a version of the toolkit or latest")
	}
	if err := a.catalog.Pin(ctx, caller.ProjectID, in.Slug, in.Version); err != nil {
		return pinToolkitResponse{}, err
	}
	tk, ok := a.catalog.Snapshot(caller.ProjectID).Toolkit(in.Slug)
	if !ok {
		return pinToolkitResponse{}, toolkitNotFound(a.catalog.Snapshot(caller.ProjectID), in.Slug)
	}
	return pinToolkitResponse{tk.Slug, tk.Version, !catalog.IsLatest(in.Version)}, nil
}
