package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// TestServersAreListedWithAnAccount adds a server of a registry that tells its tools to connected accounts only, in a part of its
// address that they say, and has them listed with one.
func TestServersAreListedWithAnAccount(t *testing.T) {
	t.Parallel()
	var edition atomic.Value
	edition.Store("Reads.")
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		s := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1"}, nil)
		s.AddTool(&mcp.Tool{Name: "read", Description: edition.Load().(string), InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "a note"}}}, nil
		})
		return s
	}, &mcp.StreamableHTTPOptions{Stateless: true})
	notes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/acme/mcp" || r.Header.Get("X-Key") != "key-of-ann" {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(notes.Close)

	cfg := load(t, t.TempDir(), "PATCHBAY_OUTBOUND_ALLOW=127.0.0.1/32", "PATCHBAY_API_KEY="+operatorsKey)
	server := start(t, cfg)
	toolkits, err := app.OpenToolkits(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { toolkits.Close() })
	reader, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.json")
	text := `{"name":"com.acme/notes","version":"1","remotes":[{"type":"streamable-http","url":"` + notes.URL + `/{tenant}/mcp","variables":{"tenant":{"isRequired":true}},
		"headers":[{"name":"X-Key","isRequired":true,"isSecret":true}]}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := intake.Options{Reader: intake.Reader{Client: reader}, Sink: toolkits, Servers: intake.RegistryOptions{Later: true}}
	if added, err := o.Server(t.Context(), file); err != nil || added.Unlisted == "" || added.Slug != "notes" {
		t.Fatalf("%+v, %v", added, err)
	}

	api := client(t, server, operatorsKey)
	config, err := api.AuthConfigs.Create(t.Context(), patchbay.NewAuthConfig{Toolkit: "notes", Scheme: "API_KEY"})
	if err != nil {
		t.Fatal(err)
	}
	account, err := api.ConnectedAccounts.Import(t.Context(), patchbay.NewAccount{AuthConfigID: config.ID, UserID: "ann", Values: map[string]string{"tenant": "acme", "x_key": "key-of-ann"}})
	if err != nil {
		t.Fatal(err)
	}
	relister, err := app.OpenRelister(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relister.Close() })
	if _, err := relister.Relist(t.Context(), "notes", "", false); err == nil || !strings.Contains(err.Error(), "connected accounts only") {
		t.Errorf("without an account: %v", err)
	}
	if _, err := relister.Relist(t.Context(), "hackernews", "", false); err == nil || !strings.Contains(err.Error(), "No MCP server") {
		t.Errorf("a toolkit that is none: %v", err)
	}
	listed, err := relister.Relist(t.Context(), "notes", account.ID, false)
	if err != nil || listed.Tools != 1 || listed.Version == "" || len(listed.Changes) != 1 {
		t.Fatalf("%+v, %v", listed, err)
	}
	tools, err := api.Tools.List(t.Context(), patchbay.ToolFilter{Toolkits: []string{"notes"}})
	if err != nil || len(tools.Items) != 1 || tools.Items[0].Slug != "NOTES_READ" {
		t.Errorf("%+v, %v", tools, err)
	}
	edition.Store("Reads, and more.")
	tried, err := relister.Relist(t.Context(), "notes", account.ID, true)
	if err != nil || tried.Version != "" || len(tried.Changes) != 1 || !strings.Contains(tried.Changes[0].Diff, "+   Reads, and more.") {
		t.Errorf("only looking: %+v, %v", tried, err)
	}
}
