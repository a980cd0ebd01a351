package patchbay

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// CustomToolkits keeps the project's own toolkits: apps that nobody else has, and MCP servers. Get it from a Client.
type CustomToolkits struct{ t *transport }

// NewToolkit is a toolkit to be stored. Exactly one of Files, Definition and Server says what it is.
type NewToolkit struct {
	Slug       string            `json:"slug,omitempty"`       // of a Server its name here; of the others their own, to be sure
	Files      map[string]string `json:"files,omitempty"`      // the server's own format: toolkit.yaml and the tool files beside it
	Definition json.RawMessage   `json:"definition,omitempty"` // what "patchbay toolkit add --out" wrote
	Server     *ToolkitServer    `json:"toolkit_config,omitempty"`
	OnChange   string            `json:"on_change,omitempty"` // of a Server that changes its tools: "refuse", "run" or "follow"
	DryRun     bool              `json:"dry_run,omitempty"`   // only check
}

// ToolkitServer is an MCP server that speaks streamable HTTP. Its tools come with Sync.
type ToolkitServer struct {
	Name    string         `json:"name"`
	URL     string         `json:"app_url"`
	Schemes []ServerSignIn `json:"auth_schemes"`
}

// ServerSignIn is a way in which accounts are connected at an MCP server.
type ServerSignIn struct {
	Mode      string            `json:"mode"`                    // "NO_AUTH", "API_KEY" or "DCR_OAUTH"
	Headers   map[string]string `json:"headers,omitempty"`       // of API_KEY: with {{generic_api_key}} where the key goes
	Discovery string            `json:"discovery_url,omitempty"` // of DCR_OAUTH: where the server describes its sign-in
}

// StoredToolkit says what storing a toolkit came to.
type StoredToolkit struct {
	Slug      string         `json:"slug"`
	Version   string         `json:"version"`
	Tools     int            `json:"tools_count"`
	Unchanged bool           `json:"unchanged"` // it was there already
	Changes   ToolkitChanges `json:"changes"`
}

// ToolkitChanges are what is different from the version before.
type ToolkitChanges struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Renamed []struct {
		From string `json:"from"` // still resolves
		To   string `json:"to"`
	} `json:"renamed"`
	Changed    []string `json:"changed"`
	Deprecated []string `json:"deprecated"`
}

// SyncedToolkit says what came of listing an MCP server's tools.
type SyncedToolkit struct {
	Slug    string         `json:"slug"`
	Version string         `json:"version"`
	Tools   int            `json:"synced_count"`
	LeftOut []string       `json:"left_out"` // tools that cannot be used, and why
	Changes ToolkitChanges `json:"changes"`
	Pending PendingChanges `json:"pending"` // what waits for approval
}

// CustomToolkit is one of the project's own.
type CustomToolkit struct {
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Versions  []string  `json:"available_versions"` // newest first
	Kind      string    `json:"kind"`               // "openapi", "graphql", "mcp" or "custom"
	Source    string    `json:"source"`
	Tools     int       `json:"tools_count"`
	CreatedAt time.Time `json:"created_at"` // of the version
	Problem   string    `json:"problem"`    // why it is not served; empty when it is
}

// Put stores a toolkit, or a new version of it.
func (s CustomToolkits) Put(ctx context.Context, k NewToolkit) (StoredToolkit, error) {
	var stored StoredToolkit
	err := s.t.post(ctx, "/custom/toolkits/upsert", k, &stored)
	return stored, err
}

// Sync lists the tools of an MCP server. The first time they become the toolkit's; later what is different waits for approval.
// Servers with accounts need one to list them with.
func (s CustomToolkits) Sync(ctx context.Context, slug, accountID string) (SyncedToolkit, error) {
	var synced SyncedToolkit
	body := struct {
		Slug      string `json:"slug"`
		AccountID string `json:"connected_account_id,omitempty"`
	}{slug, accountID}
	err := s.t.post(ctx, "/custom/toolkits/sync", body, &synced)
	return synced, err
}

// All goes through the project's own toolkits by slug, those that cannot be served included.
func (s CustomToolkits) All(ctx context.Context) iter.Seq2[CustomToolkit, error] {
	return all[CustomToolkit](ctx, s.t, "/custom/toolkits", queryOf())
}

// Delete removes a toolkit in all its versions, with its auth configs and connected accounts.
func (s CustomToolkits) Delete(ctx context.Context, slug string) error {
	escaped, err := segment("the toolkit's slug", slug)
	if err != nil {
		return err
	}
	return s.t.delete(ctx, "/custom/toolkits/"+escaped, nil)
}
