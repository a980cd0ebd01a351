package execute_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// mcpServer is an MCP server that a test plays, with a key in front of it.
type mcpServer struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.Handler
	key     string
	servers []*mcp.Server
	methods []string
}

func newMCPServer(t *testing.T, stateless bool, build func(*mcp.Server)) *mcpServer {
	t.Helper()
	s := &mcpServer{}
	s.restart(stateless, build)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		var said struct{ Method string }
		json.Unmarshal(body, &said) // a farewell has none
		s.mu.Lock()
		handler, key := s.handler, s.key
		s.methods = append(s.methods, said.Method)
		s.mu.Unlock()
		if key != "" && r.Header.Get("Authorization") != key {
			http.Error(w, "who is "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.end)
	return s
}

// end ends the sessions that nobody left.
func (s *mcpServer) end() {
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, server := range s.servers {
		for session := range server.Sessions() {
			session.Close()
		}
	}
}

// restart forgets all sessions.
func (s *mcpServer) restart(stateless bool, build func(*mcp.Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		server := mcp.NewServer(&mcp.Implementation{Name: "things", Version: "1"}, &mcp.ServerOptions{PageSize: 2})
		build(server)
		s.mu.Lock()
		s.servers = append(s.servers, server)
		s.mu.Unlock()
		return server
	}, &mcp.StreamableHTTPOptions{Stateless: stateless})
}

func (s *mcpServer) asked(method string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.methods {
		if m == method {
			n++
		}
	}
	return n
}

var anyObject = json.RawMessage(`{"type":"object","properties":{"a":{"type":"integer"}}}`)

func addTool(s *mcp.Server, name string, run func(ctx context.Context, args string) (*mcp.CallToolResult, error)) {
	s.AddTool(&mcp.Tool{Name: name, Description: "Does " + name + ".", InputSchema: anyObject}, func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return run(ctx, string(r.Params.Arguments))
	})
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// mcpWorld is a runner before a toolkit that is an MCP server.
func mcpWorld(t *testing.T, s *mcpServer, changes ...func(*execute.Options)) *world {
	t.Helper()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {}, changes...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.Stop(ctx)
	})
	d := &catalog.Definition{
		Slug: "things", Name: "Things", BaseURL: s.URL + "/mcp", Source: catalog.Source{Kind: "mcp"},
		Auth: []catalog.DefinedAuth{{
			Mode: "API_KEY", AccountFields: []catalog.Field{{Name: "api_key", Required: true, Secret: true}}, Header: map[string]string{"Authorization": "{api_key}"},
		}},
	}
	bare, err := d.Bare()
	if err != nil {
		t.Fatal(err)
	}
	d.Tools, _, err = w.ListServerTools(t.Context(), caller, bare, connect.Selection{UserID: "ann"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.toolkit, err = d.Toolkit(); err != nil {
		t.Fatal(err)
	}
	w.toolkit.Custom = true
	return w
}

func things(s *mcp.Server) {
	addTool(s, "say", func(_ context.Context, args string) (*mcp.CallToolResult, error) { return text("heard " + args), nil })
	addTool(s, "json", func(context.Context, string) (*mcp.CallToolResult, error) { return text(`[1,2]`), nil })
	addTool(s, "structured", func(context.Context, string) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{StructuredContent: map[string]any{"n": 7}}, nil
	})
	addTool(s, "picture", func(context.Context, string) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "a dot"}, &mcp.ImageContent{Data: []byte("dot"), MIMEType: "image/png"}}}, nil
	})
	addTool(s, "refuse", func(context.Context, string) (*mcp.CallToolResult, error) {
		res := text("no such\n  thing; your key is key-of-the-account")
		res.IsError = true
		return res, nil
	})
	addTool(s, "break", func(context.Context, string) (*mcp.CallToolResult, error) { return nil, errors.New("it broke") })
	addTool(s, "huge", func(context.Context, string) (*mcp.CallToolResult, error) {
		return text(strings.Repeat("x", 2<<20)), nil
	})
}

func TestToolsOfMCPServers(t *testing.T) {
	t.Parallel()
	for name, stateless := range map[string]bool{"with sessions": false, "stateless": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMCPServer(t, stateless, things)
			s.key = "Bearer key-of-the-account"
			w := mcpWorld(t, s, func(o *execute.Options) { o.MaxAnswer = 1 << 20 })
			for tool, want := range map[string]string{
				"SAY":        `{"text":"heard {\"a\":9007199254740993}"}`,
				"JSON":       `{"details":[1,2]}`,
				"STRUCTURED": `{"n":7}`,
				"PICTURE":    `{"text":"a dot","content":[{"type":"image","mimeType":"image/png","data":"ZG90"}]}`,
			} {
				if res := w.run(tool, `{"a":9007199254740993}`); string(res.Data) != want || res.Error != "" {
					t.Errorf("%s: %s %s", tool, res.Data, res.Error)
				}
			}
			for tool, want := range map[string]string{
				"REFUSE": "Things refused the call: no such thing; your key is [redacted].",
				"BREAK":  "it broke",
				"HUGE":   "more than 1 MiB",
			} {
				wantFailure(t, w.run(tool, `{}`), want)
			}
			if res := w.run("SAY", `{}`); res.Error != "" || res.AccountID != "ca_1" {
				t.Errorf("after failures: %+v", res)
			}
		})
	}
}

func TestMCPSessionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, false, things)
	w := mcpWorld(t, s)
	before := s.asked("initialize")
	for range 3 {
		w.run("SAY", `{}`)
	}
	if n := s.asked("initialize") - before; n > 2 {
		t.Errorf("%d sessions for three calls, want one and another that listens", n)
	}
	s.restart(false, things)
	if res := w.run("SAY", `{}`); res.Error != "" {
		t.Errorf("after a restart of the server: %s", res.Error)
	}
	if n := s.asked("tools/call"); n != 5 {
		t.Errorf("%d calls were sent, want four and the one that met a session that was gone", n)
	}
}

func TestMCPServerThatHangs(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	canceled := make(chan struct{})
	s := newMCPServer(t, false, func(s *mcp.Server) {
		things(s)
		addTool(s, "hang", func(ctx context.Context, _ string) (*mcp.CallToolResult, error) {
			close(hanging)
			<-ctx.Done()
			close(canceled)
			return nil, ctx.Err()
		})
	})
	w := mcpWorld(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.Run(ctx, caller, w.call("HANG", `{}`))
		done <- err
	}()
	<-hanging
	if res := w.run("SAY", `{}`); res.Error != "" {
		t.Errorf("a call beside it: %s", res.Error)
	}
	cancel()
	if err := <-done; !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
	<-canceled
}

func TestMCPServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, false, things)
	w := mcpWorld(t, s, func(o *execute.Options) { o.Deadline = 300 * time.Millisecond })
	release := make(chan struct{})
	defer close(release)
	s.mu.Lock()
	s.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	s.mu.Unlock()
	wantFailure(t, w.run("SAY", `{}`), "did not answer within")
}

func TestMCPServerThatIsGone(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, false, things)
	w := mcpWorld(t, s)
	for status, want := range map[int]string{503: "503", 403: "403", 404: "did not answer as an MCP server does", 200: "did not answer as an MCP server does"} {
		s.mu.Lock()
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, "<html>")
		})
		s.mu.Unlock()
		wantFailure(t, w.run("SAY", `{}`), want)
	}
	s.Close()
	wantFailure(t, w.run("SAY", `{}`), "could not be reached", "Nothing was sent")
}

func TestMCPServerThatRefusesTheKey(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, true, things)
	w := mcpWorld(t, s)
	s.mu.Lock()
	s.key = "Bearer fresh-key"
	s.mu.Unlock()
	w.accounts.fresh = "fresh-key"
	if res := w.run("SAY", `{}`); res.Error != "" || w.accounts.rejected != 1 {
		t.Errorf("%d refused: %s", w.accounts.rejected, res.Error)
	}
	s.mu.Lock()
	s.key = "another"
	s.mu.Unlock()
	w.accounts.fresh = ""
	res := w.run("SAY", `{}`)
	wantFailure(t, res, "401")
	if strings.Contains(res.Error, "fresh-key") {
		t.Errorf("the key is told: %s", res.Error)
	}
}

func TestListsOfMCPServers(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	s := newMCPServer(t, true, func(s *mcp.Server) {
		run := func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text(""), nil }
		for _, tool := range []*mcp.Tool{
			{Name: "list-Things", Title: "List <b>things</b>", InputSchema: anyObject, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: &no}},
			{Name: "list_things", InputSchema: anyObject},
			{Name: "add", InputSchema: json.RawMessage(`{"type":"object","properties":{"f":{"type":"string","file_uploadable":true}}}`), Annotations: &mcp.ToolAnnotations{DestructiveHint: &no, IdempotentHint: true}},
			{Name: "drop", InputSchema: anyObject, Annotations: &mcp.ToolAnnotations{DestructiveHint: &yes}, OutputSchema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`)},
			{Name: "odd", InputSchema: json.RawMessage(`{"type":"object","required":["_no"],"properties":{"_no":{"type":"string"},"x_no":{"type":"array","items":{"type":"object","properties":{"_in":{"type":"string","default":"_no"}}}}}}`)},
			{Name: "deep", InputSchema: json.RawMessage(`{"type":"object","properties":{"a":` + strings.Repeat(`{"items":`, 100) + `{}` + strings.Repeat(`}`, 100) + `}}`)},
		} {
			s.AddTool(tool, run)
		}
	})
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	bare, err := (&catalog.Definition{Slug: "things", Name: "Things", BaseURL: s.URL, Auth: []catalog.DefinedAuth{{Mode: "NO_AUTH"}}}).Bare()
	if err != nil {
		t.Fatal(err)
	}
	known := []catalog.DefinedTool{{Slug: "THINGS_REMOVE_ALL", MCP: &catalog.DefinedMCP{Tool: "drop"}}}
	tools, leftOut, err := w.ListServerTools(t.Context(), caller, bare, connect.Selection{}, known)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]catalog.DefinedTool{}
	for _, tool := range tools {
		got[tool.MCP.Tool] = tool
	}
	if want := `{"properties":{"x_no":{"items":{"properties":{"x_in":{"default":"_no","type":"string"}},"type":"object"},"type":"array"},"xx_no":{"type":"string"}},"required":["xx_no"],"type":"object"}`; string(got["odd"].Input) != want {
		t.Errorf("names with an underscore: %s", got["odd"].Input)
	}
	odd := &catalog.MCPRequest{Rename: got["odd"].MCP.Rename}
	sent, err := odd.Arguments(map[string]any{"xx_no": "a", "x_no": []any{map[string]any{"x_in": "b"}}})
	if want := `{"_no":"a","x_no":[{"_in":"b"}]}`; err != nil || string(sent) != want {
		t.Errorf("sent %s, %v", sent, err)
	}
	if len(got) != 5 || len(leftOut) != 1 {
		t.Fatalf("%d tools, left out %q", len(got), leftOut)
	}
	if a, b := got["list-Things"].Slug, got["list_things"].Slug; a != "THINGS_LIST_THINGS" || b == a || !strings.HasPrefix(b, a) {
		t.Errorf("slugs %s, %s", a, b)
	}
	for name, want := range map[string]catalog.Hints{
		"list-Things": {Read: true, ClosedWorld: true}, "list_things": {Destructive: true}, "add": {Update: true, Idempotent: true}, "drop": {Destructive: true},
	} {
		if got[name].Hints != want {
			t.Errorf("%s: %+v", name, got[name].Hints)
		}
	}
	if strings.Contains(string(got["add"].Input), `"file_uploadable"`) || got["drop"].Slug != "THINGS_REMOVE_ALL" || got["list-Things"].Name != "List things" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(string(got["drop"].Output), `"integer"`) || len(got["drop"].MCP.Hash) != 64 || got["drop"].MCP.Hash == got["add"].MCP.Hash {
		t.Errorf("%+v", got["drop"])
	}
}

func TestListsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := newMCPServer(t, true, func(s *mcp.Server) {
		for i := range 60 {
			addTool(s, fmt.Sprintf("t%d", i), nil)
		}
	})
	many.handler = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		server := mcp.NewServer(&mcp.Implementation{Name: "many", Version: "1"}, nil)
		for i := range 501 {
			addTool(server, fmt.Sprintf("t%d", i), nil)
		}
		return server
	}, &mcp.StreamableHTTPOptions{Stateless: true})
	endless := newMCPServer(t, true, func(s *mcp.Server) {
		addTool(s, "one", nil)
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
				if method == "tools/list" {
					return &mcp.ListToolsResult{Tools: []*mcp.Tool{}, NextCursor: "on"}, nil
				}
				return next(ctx, method, r)
			}
		})
	})
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { answerJSON(rw, 200, `{"not":"mcp"}`) })
	for address, want := range map[string]string{many.URL: "more than 500", endless.URL: "no end", w.upstream.URL: "as an MCP server", "http://10.0.0.1": "10.0.0.1"} {
		bare, err := (&catalog.Definition{Slug: "things", Name: "Things", BaseURL: address, Auth: []catalog.DefinedAuth{{Mode: "NO_AUTH"}}}).Bare()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.ListServerTools(t.Context(), caller, bare, connect.Selection{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
