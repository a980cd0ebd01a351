package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
)

// TestASessionOverMCP follows a session from its creation to its end, the way an MCP client meets it.
func TestASessionOverMCP(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	close(provider.release)
	server := start(t, load(t, t.TempDir(), provider.settings()...))
	ada := newMCPSession(t, server, "ada")
	bob := newMCPSession(t, server, "bob")

	listed, err := ada.Tools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, tool := range listed {
		want = append(want, tool.Slug)
	}
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		var list struct {
			Tools []struct {
				Name        string
				Annotations struct{ ReadOnlyHint bool }
			}
		}
		mcpAsk(t, ada, revision, "tools/list", "", ``, &list)
		var got []string
		for _, tool := range list.Tools {
			got = append(got, tool.Name)
			if tool.Name == slowCall.Tool && !tool.Annotations.ReadOnlyHint {
				t.Errorf("%s is not said to be read-only", tool.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: MCP lists other tools than REST (-REST +MCP)\n%s", revision, diff)
		}

		call := mcpCall(t, ada, revision, slowCall.Tool, `{"username":"pg"}`)
		if call.IsError || !call.StructuredContent.Successful || call.StructuredContent.Data.ID != "pg" {
			t.Errorf("%s: a call is answered %+v", revision, call)
		}
		if call := mcpCall(t, ada, revision, slowCall.Tool, `{}`); !call.IsError || call.StructuredContent.Successful {
			t.Errorf("%s: a call without its arguments is answered %+v", revision, call)
		}
		search := mcpCall(t, ada, revision, "COMPOSIO_SEARCH_TOOLS", `{"queries":[{"use_case":"look up a Hacker News user"}]}`)
		if _, found := search.StructuredContent.Data.Schemas[slowCall.Tool]; search.IsError || !found {
			t.Errorf("%s: a search is answered %+v", revision, search)
		}
	}

	if status, body := mcpPost(t, ada.MCP().URL, bob.MCP().Headers, "2025-11-25", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); status != http.StatusNotFound {
		t.Errorf("bob's token on ada's session is answered %d %s", status, body)
	}
	if err := ada.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	for who, headers := range map[string]map[string]string{"its token": ada.MCP().Headers, "the key": {"x-api-key": operatorsKey}} {
		if status, body := mcpPost(t, ada.MCP().URL, headers, "2025-11-25", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); status != http.StatusNotFound && status != http.StatusUnauthorized {
			t.Errorf("a deleted session is open to %s: %d %s", who, status, body)
		}
	}
	mcpAsk(t, bob, "2026-07-28", "tools/list", "", ``, &struct{}{})
}

func newMCPSession(t *testing.T, server *app.App, userID string) *patchbay.Session {
	t.Helper()
	session, err := client(t, server, operatorsKey).Sessions.Create(t.Context(), patchbay.NewSession{
		UserID:  userID,
		Preload: &patchbay.Preload{Tools: []string{slowCall.Tool}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// mcpAnswer is the answer of a tool, as far as the tests look at it.
type mcpAnswer struct {
	IsError           bool
	StructuredContent struct {
		Data struct {
			ID      string
			Schemas map[string]any `json:"tool_schemas"`
		}
		Successful bool
	}
}

func mcpCall(t *testing.T, session *patchbay.Session, revision, tool, arguments string) (answer mcpAnswer) {
	t.Helper()
	mcpAsk(t, session, revision, "tools/call", tool, `,"arguments":`+arguments, &answer)
	return answer
}

// mcpAsk asks a session with its own token, in a revision of the protocol, and reads the result. Name and params may be empty.
func mcpAsk(t *testing.T, session *patchbay.Session, revision, method, name, params string, result any) {
	t.Helper()
	meta, named := `{}`, ``
	if revision == "2026-07-28" {
		meta = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	}
	headers := map[string]string{"Mcp-Method": method}
	for header, value := range session.MCP().Headers {
		headers[header] = value
	}
	if name != "" {
		headers["Mcp-Name"], named = name, `,"name":"`+name+`"`
	}
	status, body := mcpPost(t, session.MCP().URL, headers, revision, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{"_meta":`+meta+named+params+`}}`)
	var response struct{ Result json.RawMessage }
	if err := json.Unmarshal([]byte(body), &response); err != nil || status != http.StatusOK || json.Unmarshal(response.Result, result) != nil {
		t.Fatalf("%s %s %s is answered %d %s", revision, method, name, status, body)
	}
}

func mcpPost(t *testing.T, target string, headers map[string]string, revision, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Mcp-Protocol-Version", revision)
	return send(t, req)
}
