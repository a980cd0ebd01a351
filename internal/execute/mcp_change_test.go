package execute_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
)

// editions is a server whose tool "say" is described otherwise in each edition; without one it is gone.
func editions(edition *atomic.Int32) func(*mcp.Server) {
	return func(s *mcp.Server) {
		things(s)
		n := edition.Load()
		if n == 0 {
			s.RemoveTools("say")
			return
		}
		s.AddTool(sayTool(n), func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return text(fmt.Sprint("edition ", n)), nil
		})
	}
}

func sayTool(edition int32) *mcp.Tool {
	return &mcp.Tool{Name: "say", Description: fmt.Sprint("Edition ", edition, "."), InputSchema: anyObject}
}

func TestToolsThatChangedAreNotRun(t *testing.T) {
	t.Parallel()
	for _, policy := range []catalog.OnChange{catalog.OnChangeRefuse, catalog.OnChangeRun, catalog.OnChangeFollow} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			var edition atomic.Int32
			edition.Store(1)
			s := newMCPServer(t, true, editions(&edition))
			told := make(chan string, 10)
			w := mcpWorld(t, s, func(o *execute.Options) {
				o.OnChange = policy
				o.ToolsChanged = func(_ context.Context, project, toolkit string) { told <- project + " " + toolkit }
			})
			if res := w.run("SAY", `{}`); string(res.Data) != `{"text":"edition 1"}` {
				t.Fatalf("as approved: %s %s", res.Data, res.Error)
			}
			listed := s.asked("tools/list")
			if res := w.run("JSON", `{}`); res.Error != "" || s.asked("tools/list") != listed {
				t.Errorf("%d lists for a second call: %s", s.asked("tools/list")-listed, res.Error)
			}
			edition.Store(2)
			w.ForgetServerLists(caller.ProjectID, "things")
			if policy != catalog.OnChangeRefuse {
				if res := w.run("SAY", `{}`); string(res.Data) != `{"text":"edition 2"}` || s.asked("tools/list") != listed {
					t.Errorf("run all the same: %s %s", res.Data, res.Error)
				}
				return
			}
			wantFailure(t, w.run("SAY", `{}`), "has changed what it says of this tool", "not called", "patchbay toolkit changes things")
			if got := <-told; got != caller.ProjectID+" things" {
				t.Errorf("told of %q", got)
			}
			if res := w.run("JSON", `{}`); res.Error != "" {
				t.Errorf("another tool: %s", res.Error)
			}
			edition.Store(0)
			w.ForgetServerLists(caller.ProjectID, "things")
			wantFailure(t, w.run("SAY", `{}`), "does not offer this tool any more")
		})
	}
}

// Another node approved a change: this one remembers the server's list from before, and must not refuse what it says now by that.
func TestToolsThatWereApprovedElsewhere(t *testing.T) {
	t.Parallel()
	var edition atomic.Int32
	edition.Store(1)
	s := newMCPServer(t, true, editions(&edition))
	w := mcpWorld(t, s)
	if res := w.run("SAY", `{}`); string(res.Data) != `{"text":"edition 1"}` {
		t.Fatalf("as approved: %s %s", res.Data, res.Error)
	}
	edition.Store(2)
	w.toolkit = mcpWorld(t, s).toolkit
	if res := w.run("SAY", `{}`); string(res.Data) != `{"text":"edition 2"}` {
		t.Errorf("as approved elsewhere: %s %s", res.Data, res.Error)
	}
}

func TestListsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	s := newMCPServer(t, true, func(s *mcp.Server) {
		things(s)
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
				if method == "tools/list" && broken.Load() {
					return nil, fmt.Errorf("no list today")
				}
				return next(ctx, method, r)
			}
		})
	})
	w := mcpWorld(t, s)
	broken.Store(true)
	before := s.asked("tools/call")
	wantFailure(t, w.run("SAY", `{}`), "no list today")
	if s.asked("tools/call") != before {
		t.Error("a tool was called of which nobody knows whether it changed")
	}
	broken.Store(false)
	if res := w.run("SAY", `{}`); res.Error != "" {
		t.Errorf("afterwards: %s", res.Error)
	}
}

// Both eras: over a stream of the session's (2025-11-25), and over a subscription (2026-07-28).
func TestServersSayThatTheirListChanged(t *testing.T) {
	t.Parallel()
	for name, stateless := range map[string]bool{"stream": false, "subscription": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMCPServer(t, stateless, things)
			told := make(chan string, 10)
			w := mcpWorld(t, s, func(o *execute.Options) {
				o.ToolsChanged = func(_ context.Context, _, toolkit string) { told <- toolkit }
			})
			// From when it is listened to cannot be seen from here: tools change from call to call until it is told. The one that is called
			// stays the same.
			for edition := int32(2); ; edition++ {
				if res := w.run("JSON", `{}`); res.Error != "" {
					t.Fatal(res.Error)
				}
				select {
				case toolkit := <-told:
					if toolkit != "things" {
						t.Errorf("told of %q", toolkit)
					}
					return
				default:
				}
				s.mu.Lock()
				servers := slices.Clone(s.servers)
				s.mu.Unlock()
				for _, server := range servers {
					server.AddTool(sayTool(edition), func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text("2"), nil })
				}
			}
		})
	}
}

func TestServersThatHangCostNoCallTheirListening(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, false, things)
	w := mcpWorld(t, s)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hung := make(chan struct{}, 10)
	s.mu.Lock()
	handler := s.handler
	s.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			hung <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		handler.ServeHTTP(rw, r)
	})
	s.mu.Unlock()
	for range 3 {
		if res := w.run("SAY", `{}`); res.Error != "" {
			t.Fatal(res.Error)
		}
	}
	<-hung // and Stop, in the cleanup, ends it
}

func TestManyToolsAndPages(t *testing.T) {
	t.Parallel()
	s := newMCPServer(t, true, func(s *mcp.Server) {
		for i := range 150 { // two to a page
			addTool(s, fmt.Sprintf("tool_%03d", i), nil)
		}
		s.AddTool(&mcp.Tool{Name: "vast", Description: strings.Repeat("x", 300<<10), InputSchema: anyObject}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text(""), nil })
	})
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	bare, err := (&catalog.Definition{Slug: "things", Name: "Things", BaseURL: s.URL, Auth: []catalog.DefinedAuth{{Mode: "NO_AUTH"}}}).Bare()
	if err != nil {
		t.Fatal(err)
	}
	tools, leftOut, err := w.ListServerTools(t.Context(), caller, bare, connect.Selection{}, nil)
	if err != nil || len(tools) != 150 || len(leftOut) != 1 || !strings.Contains(leftOut[0], "more than 256 KB") {
		t.Errorf("%d tools, left out %.200q: %v", len(tools), leftOut, err)
	}
}
