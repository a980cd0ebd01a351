package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
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
	server := catalog.MCPToolkit{Slug: in.Slug, Name: config.Name, AppURL: config.AppURL, OnChange: in.OnChange}
	for _, s := range config.Schemes {
		server.Schemes = append(server.Schemes, catalog.MCPScheme{Mode: s.Mode, Headers: s.Headers, KeyTitle: keyTitle(s.KeyField), Discovery: s.Discovery})
	}
	known, err := a.catalog.Definition(ctx, caller.ProjectID, catalog.MCPSlug(in.Slug))
	if err != nil {
		return catalog.Document{}, err
	}
	document := catalog.Document{}
	if known != nil {
		document.Over = known.Version
	}
	document.Definition, err = server.Definition(known)
	return document, err
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
	Approve   bool   `json:"approve"` // changes of tools that were approved before, unseen
}

type syncCustomToolkitResponse struct {
	Slug    string          `json:"slug"`
	Version string          `json:"version"`
	Synced  int             `json:"synced_count"`
	LeftOut []string        `json:"left_out"` // tools that cannot be used here, and why
	Changes catalog.Changes `json:"changes"`
	Pending toolkitChanges  `json:"pending"`
}

// syncCustomToolkit lists the tools of an MCP server: they become the toolkit's, or what is different in them waits for approval.
func (a *api) syncCustomToolkit(ctx context.Context, caller tenant.Caller, in syncCustomToolkitRequest) (syncCustomToolkitResponse, error) {
	if in.Slug == "" {
		return syncCustomToolkitResponse{}, invalidRequest("slug: is required")
	}
	synced, err := a.toolsync.Sync(ctx, caller, in.Slug, in.AccountID, in.Approve)
	if err != nil {
		return syncCustomToolkitResponse{}, err
	}
	if synced.LeftOut == nil {
		synced.LeftOut = []string{}
	}
	return syncCustomToolkitResponse{synced.Slug, synced.Version, synced.Tools, synced.LeftOut, synced.Diff, changesOf(synced.Pending)}, nil
}

// toolkitChanges is what waits for approval in a toolkit.
type toolkitChanges struct {
	Slug      string               `json:"slug"`
	Name      string               `json:"name"`
	OnChange  catalog.OnChange     `json:"on_change"`
	Revision  *string              `json:"revision"` // to be named in approving; null when nothing waits
	Changes   []catalog.ToolChange `json:"changes"`
	AccountID *string              `json:"connected_account_id"` // that the server is asked with
	CheckedAt *string              `json:"checked_at"`
	Problem   *string              `json:"problem"` // why the server could not be asked the last time
}

func changesOf(p toolsync.Pending) toolkitChanges {
	out := toolkitChanges{
		Slug: p.Toolkit, Name: p.Name, OnChange: p.OnChange, Revision: orNull(p.Revision), Changes: p.Changes, AccountID: orNull(p.AccountID),
		Problem: orNull(p.Problem),
	}
	if out.Changes == nil {
		out.Changes = []catalog.ToolChange{}
	}
	if !p.CheckedAt.IsZero() {
		out.CheckedAt = orNull(timestamp(p.CheckedAt))
	}
	return out
}

type listToolkitChangesRequest struct {
	Slug string `query:"toolkit_slug" json:"-"`
}

type listToolkitChangesResponse struct {
	Items []toolkitChanges `json:"items"`
}

// listToolkitChanges shows what MCP servers changed in their tools and nobody has approved yet.
func (a *api) listToolkitChanges(ctx context.Context, caller tenant.Caller, in listToolkitChangesRequest) (listToolkitChangesResponse, error) {
	list, err := a.toolsync.Pending(ctx, caller, in.Slug)
	if err != nil {
		return listToolkitChangesResponse{}, err
	}
	return listToolkitChangesResponse{mapped(list, changesOf)}, nil
}

type approveToolkitChangesRequest struct {
	Slug     string   `json:"slug"`
	Revision string   `json:"revision"`
	Tools    []string `json:"tools"` // slugs; none: all that changed
}

type approveToolkitChangesResponse struct {
	Slug    string          `json:"slug"`
	Version string          `json:"version"`
	Changes catalog.Changes `json:"changes"`
	Pending toolkitChanges  `json:"pending"` // what still waits
}

// approveToolkitChanges makes changes that were seen the toolkit's.
func (a *api) approveToolkitChanges(ctx context.Context, caller tenant.Caller, in approveToolkitChangesRequest) (approveToolkitChangesResponse, error) {
	if in.Slug == "" {
		return approveToolkitChangesResponse{}, invalidRequest("slug: is required")
	}
	added, pending, err := a.toolsync.Approve(ctx, caller, in.Slug, in.Revision, in.Tools)
	if err != nil {
		return approveToolkitChangesResponse{}, err
	}
	return approveToolkitChangesResponse{added.Slug, added.Version, added.Diff, changesOf(pending)}, nil
}
