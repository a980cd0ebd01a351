package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// toolkitConfig is an MCP server in the contract's words (section 16).
type toolkitConfig struct {
	Name    string          `json:"name"`
	AppURL  string          `json:"app_url"`
	Logo    json.RawMessage `json:"logo_file"` // taken and not shown
	Schemes []struct {
		Mode      string            `json:"mode"`
		Headers   map[string]string `json:"headers"`
		KeyField  json.RawMessage   `json:"api_key_field"` // a name, or an object with a display name
		Discovery string            `json:"discovery_url"`
	} `json:"auth_schemes"`
}

// serverDocument makes the toolkit of an MCP server, or changes what people read of one. Its tools come with the first sync.
func (a *api) serverDocument(ctx context.Context, caller tenant.Caller, in upsertCustomToolkitRequest) (catalog.Document, error) {
	var config toolkitConfig
	strict := json.NewDecoder(bytes.NewReader(in.ToolkitConfig))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&config); err != nil {
		return catalog.Document{}, invalidRequest("toolkit_config: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	server := catalog.MCPToolkit{Slug: in.Slug, Name: config.Name, AppURL: config.AppURL}
	for _, s := range config.Schemes {
		server.Schemes = append(server.Schemes, catalog.MCPScheme{Mode: s.Mode, Headers: s.Headers, KeyTitle: keyTitle(s.KeyField), Discovery: s.Discovery})
	}
	known, err := a.catalog.Definition(ctx, caller.ProjectID, catalog.MCPSlug(in.Slug))
	if err != nil {
		return catalog.Document{}, err
	}
	d, err := server.Definition(known)
	return catalog.Document{Definition: d}, err
}

// keyTitle reads what people are to call the key.
func keyTitle(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	var field struct {
		DisplayName string `json:"display_name"`
		Label       string `json:"label"`
		Name        string `json:"name"`
	}
	if json.Unmarshal(raw, &field) != nil {
		return ""
	}
	for _, title := range []string{field.DisplayName, field.Label, field.Name} {
		if title != "" {
			return title
		}
	}
	return ""
}

type syncCustomToolkitRequest struct {
	Slug      string `json:"slug"`
	AccountID string `json:"connected_account_id"`
}

type syncCustomToolkitResponse struct {
	Slug    string          `json:"slug"`
	Version string          `json:"version"`
	Synced  int             `json:"synced_count"`
	LeftOut []string        `json:"left_out"` // tools that cannot be used here, and why
	Changes catalog.Changes `json:"changes"`
}

// syncCustomToolkit lists the tools of an MCP server and makes them the toolkit's next version.
func (a *api) syncCustomToolkit(ctx context.Context, caller tenant.Caller, in syncCustomToolkitRequest) (syncCustomToolkitResponse, error) {
	var none syncCustomToolkitResponse
	if in.Slug == "" {
		return none, invalidRequest("slug: is required")
	}
	slug := catalog.MCPSlug(in.Slug)
	known, err := a.catalog.Definition(ctx, caller.ProjectID, slug)
	if err != nil {
		return none, err
	}
	if known == nil || known.Source.Kind != catalog.SourceMCP {
		return none, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "The project has registered no MCP server %q.", short(in.Slug)).
			WithFix("Register it: POST /api/v3.1/custom/toolkits/upsert with toolkit_config.")
	}
	tk, err := known.Bare()
	if err != nil {
		return none, err
	}
	if !tk.NoAuth() && in.AccountID == "" {
		return none, invalidRequest("connected_account_id: is required, " + tk.Name + " lists its tools to connected accounts only")
	}
	tools, leftOut, err := a.runner.ListServerTools(ctx, caller, tk, connect.Selection{AccountID: in.AccountID}, known.Tools)
	if err != nil {
		return none, err
	}
	added, err := a.catalog.Add(ctx, caller.ProjectID, catalog.Document{Definition: known.WithMCPTools(tools)})
	if err != nil {
		return none, err
	}
	if leftOut == nil {
		leftOut = []string{}
	}
	return syncCustomToolkitResponse{added.Slug, added.Version, len(tools), leftOut, added.Diff}, nil
}
