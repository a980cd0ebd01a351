package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// notesServer is an MCP server that wants a key; its second edition has another tool and says more of the first.
func notesServer(t *testing.T) (address string, second *atomic.Bool) {
	t.Helper()
	second = new(atomic.Bool)
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		server := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1"}, nil)
		schema := json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`)
		run := func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "kept " + string(r.Params.Arguments)}}}, nil
		}
		keep := &mcp.Tool{Name: "keep_note", Description: "Keeps a note.", InputSchema: schema}
		if second.Load() {
			keep.Description = "Keeps a note for ever."
			server.AddTool(&mcp.Tool{Name: "find_notes", Description: "Finds notes.", InputSchema: schema}, run)
		}
		server.AddTool(keep, run)
		return server
	}, &mcp.StreamableHTTPOptions{Stateless: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "Key acme-key-0123456789" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // one listens for changes
		server.Close()
	})
	return server.URL + "/mcp", second
}

func notesConfig(address, name string) string {
	return `{"slug":"NOTES","toolkit_config":{"name":"` + name + `","app_url":"` + address + `","auth_schemes":[{"mode":"API_KEY","headers":{"X-Token":"Key {{generic_api_key}}"},"api_key_field":"Notes key"}]}}`
}

func TestMCPServersAsToolkits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	address, second := notesServer(t)
	made := s.post(t, "/custom/toolkits/upsert", notesConfig(address, "Notes")).ok(t, 200)
	if made.text(t, "slug") != "custom_notes" || made.at(t, "tools_count") != 0.0 {
		t.Errorf("registered %s", made.body)
	}
	s.post(t, "/custom/toolkits/sync", `{"slug":"notes"}`).ok(t, 400)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"custom_notes"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY"}}`).ok(t, 201).text(t, "auth_config.id")
	account := s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"ann",
		"state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","generic_api_key":"acme-key-0123456789"}}}}`).ok(t, 201).text(t, "id")

	first := s.post(t, "/custom/toolkits/sync", `{"slug":"notes","connected_account_id":"`+account+`"}`).ok(t, 200)
	if first.text(t, "slug") != "custom_notes" || first.at(t, "synced_count") != 1.0 || first.text(t, "changes.added.0") != "CUSTOM_NOTES_KEEP_NOTE" {
		t.Errorf("synced %s", first.body)
	}
	session := s.session(t, `{"user_id":"ann","toolkits":["custom_notes","acme"]}`)
	ran := s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"CUSTOM_NOTES_KEEP_NOTE","arguments":{"text":"hi"}}`).ok(t, 200)
	if ran.text(t, "data.text") != `kept {"text":"hi"}` {
		t.Errorf("ran %s", ran.body)
	}

	second.Store(true)
	s.clock.advance(10 * time.Minute) // what was listed is asked for anew
	next := s.post(t, "/custom/toolkits/sync", `{"slug":"custom_notes","connected_account_id":"`+account+`"}`).ok(t, 200)
	if next.text(t, "version") != first.text(t, "version") || next.at(t, "synced_count") != 2.0 || next.text(t, "pending.on_change") != "refuse" ||
		next.text(t, "pending.changes.0.tool_slug") != "CUSTOM_NOTES_FIND_NOTES" || next.text(t, "pending.changes.1.kind") != "changed" {
		t.Errorf("synced again %s", next.body)
	}
	if diff := next.text(t, "pending.changes.1.diff"); !strings.Contains(diff, "-   Keeps a note.\n+   Keeps a note for ever.\n") {
		t.Errorf("diff:\n%s", diff)
	}
	held := s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"CUSTOM_NOTES_KEEP_NOTE","arguments":{"text":"hi"}}`).ok(t, 200)
	if !strings.Contains(held.text(t, "error"), "patchbay toolkit changes custom_notes") {
		t.Errorf("ran %s", held.body)
	}
	if shown := s.get(t, "/tools/CUSTOM_NOTES_KEEP_NOTE").ok(t, 200).text(t, "description"); strings.Contains(shown, "for ever") {
		t.Errorf("sessions see %q", shown)
	}

	changes := s.get(t, "/custom/toolkits/changes?toolkit_slug=notes").ok(t, 200)
	revision := changes.text(t, "items.0.revision")
	if all := s.get(t, "/custom/toolkits/changes").ok(t, 200); all.text(t, "items.0.revision") != revision || changes.text(t, "items.0.connected_account_id") != account {
		t.Errorf("changes %s, all %s", changes.body, all.body)
	}
	s.post(t, "/custom/toolkits/approve", `{"slug":"notes"}`).ok(t, 400)
	s.post(t, "/custom/toolkits/approve", `{"slug":"notes","revision":"another"}`).ok(t, 409)
	s.post(t, "/custom/toolkits/approve", `{"slug":"notes","revision":"`+revision+`","tools":["CUSTOM_NOTES_NO"]}`).ok(t, 400)
	one := s.post(t, "/custom/toolkits/approve", `{"slug":"notes","revision":"`+revision+`","tools":["CUSTOM_NOTES_KEEP_NOTE"]}`).ok(t, 200)
	if one.text(t, "changes.changed.0") != "CUSTOM_NOTES_KEEP_NOTE" || one.at(t, "pending.changes.0.kind") != "added" || one.text(t, "pending.revision") == revision {
		t.Errorf("approved %s", one.body)
	}
	ran = s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"CUSTOM_NOTES_KEEP_NOTE","arguments":{"text":"ho"}}`).ok(t, 200)
	if ran.text(t, "data.text") != `kept {"text":"ho"}` {
		t.Errorf("ran after approval %s", ran.body)
	}
	again := s.post(t, "/custom/toolkits/sync", `{"slug":"custom_notes","connected_account_id":"`+account+`","approve":true}`).ok(t, 200)
	if again.text(t, "changes.added.0") != "CUSTOM_NOTES_FIND_NOTES" || again.at(t, "synced_count") != 2.0 || again.at(t, "pending.revision") != nil {
		t.Errorf("approved unseen: %s", again.body)
	}
	s.post(t, "/custom/toolkits/approve", `{"slug":"notes","revision":"`+revision+`"}`).ok(t, 409)

	renamed := s.post(t, "/custom/toolkits/upsert", notesConfig(address, "My notes")).ok(t, 200)
	if renamed.at(t, "tools_count") != 2.0 || s.get(t, "/toolkits/custom_notes").ok(t, 200).text(t, "name") != "My notes" {
		t.Errorf("renamed %s", renamed.body)
	}
	s.post(t, "/custom/toolkits/upsert", notesConfig(address+"2", "Notes")).ok(t, 409)
	s.post(t, "/custom/toolkits/upsert", strings.Replace(notesConfig(address, "Notes"), "Key {{", "{{", 1)).ok(t, 409)

	if listed := s.do(t, request{method: "GET", path: "/api/v3.1/custom/toolkits/changes", key: s.otherKey}).ok(t, 200); len(listed.at(t, "items").([]any)) != 0 {
		t.Errorf("another project sees %s", listed.body)
	}
	gone := s.delete(t, "/custom/toolkits/CUSTOM_NOTES").ok(t, 200)
	if gone.at(t, "connected_accounts_deleted") != 1.0 {
		t.Errorf("deleted %s", gone.body)
	}
	s.post(t, "/custom/toolkits/sync", `{"slug":"notes","connected_account_id":"`+account+`"}`).ok(t, 404)
	if left := s.get(t, "/custom/toolkits/changes").ok(t, 200); len(left.at(t, "items").([]any)) != 0 {
		t.Errorf("left over: %s", left.body)
	}
}

func TestMCPServersRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for name, body := range map[string]string{
		"no schemes":        `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[]}}`,
		"another scheme":    `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"BASIC"}]}}`,
		"a command":         `{"slug":"x","toolkit_config":{"name":"X","command":"sh","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"no address":        `{"slug":"x","toolkit_config":{"name":"X","app_url":"stdio:sh","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"a private address": `{"slug":"x","toolkit_config":{"name":"X","app_url":"http://10.0.0.1/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"metadata":          `{"slug":"x","toolkit_config":{"name":"X","app_url":"http://169.254.169.254/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"a password":        `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://u:p@x.example/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"an expression":     `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"API_KEY","headers":{"K":"{{generic_api_key}}${{ 1 }}"}}]}}`,
		"a key nowhere":     `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"API_KEY","headers":{"K":"v"}}]}}`,
		"a bad discovery":   `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"DCR_OAUTH","discovery_url":"javascript:x"}]}}`,
		"a bad slug":        `{"slug":"a/b","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"no slug":           `{"toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
	} {
		if got := s.post(t, "/custom/toolkits/upsert", body); got.status != 400 && got.status != 403 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	oauth := s.post(t, "/custom/toolkits/upsert", `{"slug":"x","toolkit_config":{"name":"X","app_url":"https://x.example/mcp","auth_schemes":[{"mode":"DCR_OAUTH","discovery_url":"https://x.example/.well-known/oauth-protected-resource"}]}}`).ok(t, 200)
	if oauth.text(t, "slug") != "custom_x" {
		t.Errorf("registered %s", oauth.body)
	}
	s.post(t, "/custom/toolkits/upsert", `{"slug":"y","toolkit_config":{"name":"Y","app_url":"https://y.example/mcp","auth_schemes":[{"mode":"CIMD_OAUTH"},{"mode":"DCR_OAUTH"}]}}`).ok(t, 200)
	s.post(t, "/custom/toolkits/sync", `{"slug":"acme"}`).ok(t, 404)
	s.post(t, "/custom/toolkits/sync", `{}`).ok(t, 400)
}
