package mcpserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// eras are the revisions that the official client is made to speak.
var eras = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// withToken adds a session's own token to each request.
type withToken struct {
	token string
	sent  func(*http.Request, *http.Response)
}

func (w withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+w.token)
	response, err := http.DefaultTransport.RoundTrip(r)
	if w.sent != nil && err == nil {
		w.sent(r, response)
	}
	return response, err
}

// dial connects the official client in one era. onSent may be nil.
func dial(t *testing.T, h http.Handler, era string, options *mcp.ClientOptions, onSent func(*http.Request, *http.Response)) *mcp.ClientSession {
	t.Helper()
	server := newTestServer(t, h)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, options)
	cs, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint:   server.URL + "/tool_router/trs_alice/mcp",
		HTTPClient: &http.Client{Transport: withToken{aliceToken, onSent}},
		MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: era})
	if err != nil {
		t.Fatalf("connect in era %s: %v", era, err)
	}
	t.Cleanup(func() { cs.Close() })
	return cs
}

func TestOfficialClientInEveryEra(t *testing.T) {
	t.Parallel()
	for _, era := range eras {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			f := newFakeSessions()
			cs := dial(t, newTestHandler(t, f), era, nil, nil)
			told := cs.InitializeResult()
			if told.ProtocolVersion != era || told.ServerInfo.Name != "patchbay" || told.ServerInfo.Version != "1.2.3" || !strings.Contains(told.Instructions, "COMPOSIO_SEARCH_TOOLS") {
				t.Errorf("told %+v", told)
			}
			if declared, err := json.Marshal(told.Capabilities); err != nil || string(declared) != `{"tools":{}}` {
				t.Errorf("capabilities %s, %v", declared, err)
			}
			list, err := cs.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"COMPOSIO_SEARCH_TOOLS", "TEST_ECHO", "TEST_DELETE"}, names(list)); diff != "" {
				t.Errorf("tools (-want +got)\n%s", diff)
			}
			result, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_ECHO", Arguments: map[string]any{"title": "x"}})
			if err != nil {
				t.Fatal(err)
			}
			want := `{"data":{"said":{"title":"x"},"user":"trs_alice"},"error":null,"successful":true}`
			if got := result.Content[0].(*mcp.TextContent).Text; canonical([]byte(got)) != canonical([]byte(want)) {
				t.Errorf("text %s, want %s", got, want)
			}
			structured, err := json.Marshal(result.StructuredContent)
			if err != nil || canonical(structured) != canonical([]byte(want)) {
				t.Errorf("structured content %s, want %s", structured, want)
			}
			if _, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_NONE"}); err == nil || !strings.Contains(err.Error(), "TEST_NONE") {
				t.Errorf("an unknown tool gives %v", err)
			}
			failed, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_FAIL"})
			if err != nil || !failed.IsError {
				t.Errorf("a failing tool gives %+v, %v", failed, err)
			}
			if _, err := cs.ListPrompts(t.Context(), nil); err == nil {
				t.Error("prompts are listed, though there are none to declare")
			}
		})
	}
}

func names(list *mcp.ListToolsResult) []string {
	var all []string
	for _, t := range list.Tools {
		all = append(all, t.Name)
	}
	return all
}

func TestToolsAreDescribedInFull(t *testing.T) {
	t.Parallel()
	f := newFakeSessions()
	cs := dial(t, newTestHandler(t, f), "2026-07-28", nil, nil)
	list, err := cs.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if list.TTLMs <= 0 || list.CacheScope != "private" {
		t.Errorf("may be cached %d ms as %s", list.TTLMs, list.CacheScope)
	}
	yes, no := true, false
	want := []*mcp.ToolAnnotations{
		{Title: "Search tools", ReadOnlyHint: true, DestructiveHint: &no, OpenWorldHint: &no},
		{Title: "Echo", IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &yes},
		{Title: "Delete", DestructiveHint: &yes, OpenWorldHint: &yes},
	}
	for i, tool := range list.Tools {
		spec := f.tools["trs_alice"][i]
		if tool.Title != spec.Name || tool.Description != spec.Description {
			t.Errorf("%s is %q: %q", tool.Name, tool.Title, tool.Description)
		}
		schema, err := json.Marshal(tool.InputSchema)
		if err != nil || canonical(schema) != canonical(spec.Input) {
			t.Errorf("%s takes %s, want %s", tool.Name, schema, spec.Input)
		}
		if diff := cmp.Diff(want[i], tool.Annotations); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tool.Name, diff)
		}
	}
}

// A client that can open links is asked to, once, in either era; the link stays in the text of the answer.
func TestAsksToOpenTheLink(t *testing.T) {
	t.Parallel()
	for _, era := range eras[:2] {
		for _, reaction := range []string{"accept", "decline"} {
			t.Run(era+" "+reaction, func(t *testing.T) {
				t.Parallel()
				f := newFakeSessions()
				asked := make(chan *mcp.ElicitParams, 4)
				options := &mcp.ClientOptions{
					Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
					ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
						asked <- r.Params
						return &mcp.ElicitResult{Action: reaction}, nil
					},
				}
				cs := dial(t, newTestHandler(t, f), era, options, nil)
				result, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_CONNECT"})
				if err != nil {
					t.Fatal(err)
				}
				q := <-asked
				if q.Mode != "url" || q.URL != "https://patchbay.example/link/lt_1" || q.ElicitationID != "ca_1" || !strings.Contains(q.Message, "gmail") {
					t.Errorf("asked %+v", q)
				}
				if text := result.Content[0].(*mcp.TextContent).Text; result.IsError || !strings.Contains(text, "https://patchbay.example/link/lt_1") {
					t.Errorf("answered %s", text)
				}
				if era == stateless {
					note := result.Content[1].(*mcp.TextContent).Text
					if strings.Contains(note, "agreed") != (reaction == "accept") {
						t.Errorf("after %s the model is told %q", reaction, note)
					}
				}
				if n := len(f.made()); n != 1 {
					t.Errorf("the tool ran %d times", n)
				}
				if len(asked) > 0 {
					t.Error("asked more than once")
				}
			})
		}
	}
}

func TestAsksNobodyWhoCannotOpenLinks(t *testing.T) {
	t.Parallel()
	for _, era := range eras[:2] {
		f := newFakeSessions()
		options := &mcp.ClientOptions{
			Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}}},
			ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
				t.Error("asked all the same")
				return &mcp.ElicitResult{Action: "cancel"}, nil
			},
		}
		cs := dial(t, newTestHandler(t, f), era, options, nil)
		result, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_CONNECT"})
		if err != nil || !strings.Contains(result.Content[0].(*mcp.TextContent).Text, "https://patchbay.example/link/lt_1") {
			t.Errorf("era %s: %+v, %v", era, result, err)
		}
	}
}

// Without a way to seal an answer on its way there is no asking in the stateless era, only the link in the text.
func TestAsksNobodyWithoutASealer(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t, newFakeSessions())
	h.sealer = nil
	v := &visit{view: fakeView{}, sessionID: "trs_alice", request: sent{}.request()}
	a, err := h.call(t.Context(), v, toolCall{name: "TEST_CONNECT", elicits: elicitsByState})
	if err != nil || len(a.asks) > 0 || !strings.Contains(string(a.body), "lt_1") {
		t.Errorf("answered %+v, %v", a, err)
	}
}

// Nothing of a client is kept on a node: two nodes serve one client turn by turn.
func TestAnyNodeAnswersAnyRequest(t *testing.T) {
	t.Parallel()
	for _, era := range eras {
		f := newFakeSessions()
		nodes := []http.Handler{newTestHandler(t, f), newTestHandler(t, f)}
		var turn int
		both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				turn++
			}
			nodes[turn%2].ServeHTTP(w, r)
		})
		cs := dial(t, both, era, nil, nil)
		for range 3 {
			if _, err := cs.ListTools(t.Context(), nil); err != nil {
				t.Fatalf("era %s: %v", era, err)
			}
			if _, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "TEST_ECHO"}); err != nil {
				t.Fatalf("era %s: %v", era, err)
			}
		}
	}
}
