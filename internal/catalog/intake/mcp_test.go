package intake

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/process"
)

// notes is an MCP server with these tools, that wants a key where one is given.
func notes(t *testing.T, key, challenge string, names *[]string) string {
	t.Helper()
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		s := mcp.NewServer(&mcp.Implementation{Name: "notes-server", Title: "Notes", Version: "1"}, &mcp.ServerOptions{Instructions: "Keeps notes."})
		for _, name := range *names {
			s.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object","properties":{}}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return &mcp.CallToolResult{}, nil
			})
		}
		return s
	}, &mcp.StreamableHTTPOptions{Stateless: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key != "" && r.Header.Get("Authorization") != key {
			w.Header().Set("WWW-Authenticate", challenge)
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

func TestMCPServersAreBroughtIn(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read", "write"}
	address := notes(t, "", "", &names)
	first, err := o.MCPServer(t.Context(), address, MCPOptions{})
	if err != nil || !first.New || first.Slug != "notes" || first.Report.Tools != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	if d := first.Definition; d.BaseURL != address || d.Auth[0].Mode != "NO_AUTH" || d.Description != "Keeps notes." || d.Tools[0].Slug != "NOTES_READ" {
		t.Errorf("%+v", d)
	}
	names = []string{"read", "delete"}
	after, err := o.MCPServer(t.Context(), address, MCPOptions{})
	if err != nil || after.New || len(after.Changes.Added) != 1 || after.Changes.Added[0] != "NOTES_DELETE" || len(after.Changes.Removed) != 1 {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestHeadersOfMCPServers(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read"}
	address := notes(t, "Bearer secret-token", "Bearer", &names)
	headers := map[string]string{"Authorization": "Bearer {{token}}", "X-Plain": "seen"}
	for _, m := range []MCPOptions{{}, {Headers: headers}, {Headers: headers, Fields: map[string]string{"token": "wrong"}}} {
		if _, err := o.MCPServer(t.Context(), address, m); err == nil || !strings.Contains(err.Error(), "it wants a credential") {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if _, err := o.MCPServer(t.Context(), address, MCPOptions{Headers: map[string]string{"A": "{{t}} ${HOME}"}}); err == nil {
		t.Error("an expression in a header is taken")
	}
	out, err := o.MCPServer(t.Context(), address, MCPOptions{Headers: headers, Fields: map[string]string{"token": "secret-token"}})
	if err != nil {
		t.Fatal(err)
	}
	a := out.Definition.Auth[0]
	if len(out.Definition.Auth) != 1 || a.Mode != "API_KEY" || len(a.Header) != 1 || a.Header["Authorization"] != "Bearer {token}" || a.AccountFields[0].Name != "token" || !a.AccountFields[0].Secret {
		t.Errorf("%+v", a)
	}
	if plain, _ := json.Marshal(out.Definition); strings.Contains(string(plain), "secret-token") {
		t.Errorf("the value is kept: %s", plain)
	}
}

func TestMCPServersThatPeopleSignInTo(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read"}
	address := notes(t, "Bearer token-of-ann", `Bearer resource_metadata="https://x.example/.well-known/oauth-protected-resource"`, &names)
	var f *fault.Error
	if _, err := o.MCPServer(t.Context(), address, MCPOptions{}); !errors.As(err, &f) || !strings.Contains(f.Message, "sign in (OAuth)") || !strings.Contains(f.Fix, "--header") {
		t.Errorf("%v", err)
	}
	out, err := o.MCPServer(t.Context(), address, MCPOptions{Headers: map[string]string{"Authorization": "Bearer token-of-ann"}})
	if err != nil {
		t.Fatal(err)
	}
	if a := out.Definition.Auth; len(a) != 2 || a[0].Mode != "DCR_OAUTH" || a[0].Discover != address || a[1].Mode != "CIMD_OAUTH" {
		t.Errorf("%+v", a)
	}
	if plain, _ := json.Marshal(out.Definition); strings.Contains(string(plain), "token-of-ann") {
		t.Errorf("the token is kept: %s", plain)
	}
}

func TestWhatIsNoMCPServer(t *testing.T) {
	t.Parallel()
	o := options(t)
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) })
	for address, want := range map[string]string{page: "does not answer as an MCP server", "http://10.0.0.1/mcp": "10.0.0.1", "ftp://x": "is not the http", "https://{host}/mcp": "is not the http"} {
		if _, err := o.MCPServer(t.Context(), address, MCPOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestProgramsAreBroughtIn(t *testing.T) {
	t.Parallel()
	o := options(t)
	host := process.NewHost(process.Options{})
	t.Cleanup(func() { host.Close(context.Background()) })
	given := map[string]string{}
	m := MCPOptions{
		Env: map[string]string{"DIR": "/data", "TOKEN": "{{token}}", "OTHER": "{{other}}"}, Fields: map[string]string{"token": "secret-token"},
		Start: func(_ *catalog.Program, env map[string]string) (*process.Process, error) {
			given = env
			return host.Start("script", process.Command{Args: []string{"/bin/sh", "-c", `
				read discover; echo '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'
				read initialize; echo '{"jsonrpc":"2.0","id":2,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"memory","version":"1"}}}'
				read initialized; read list
				echo '{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"read","inputSchema":{"type":"object"}}]}}'; read end`}})
		},
	}
	out, err := o.Program(t.Context(), &catalog.Program{Command: []string{"memory-server"}}, m)
	if err != nil {
		t.Fatal(err)
	}
	d := out.Definition
	if d.Slug != "memory" || d.Program.Env["DIR"] != "/data" || len(d.Program.Env) != 1 || d.Auth[0].Env["TOKEN"] != "{token}" || len(d.Auth[0].AccountFields) != 2 || d.Tools[0].Slug != "MEMORY_READ" {
		t.Errorf("%+v", d)
	}
	if given["TOKEN"] != "secret-token" || given["DIR"] != "/data" || len(given) != 2 {
		t.Errorf("it was started with %v", given)
	}
	if plain, _ := json.Marshal(d); strings.Contains(string(plain), "secret-token") {
		t.Errorf("the value is kept: %s", plain)
	}
}

func TestProgramsThatGreetTheOldWayAreBroughtIn(t *testing.T) {
	t.Parallel()
	o, starts := options(t), 0
	m := scripts(t, &starts, `
		read greeting; case "$greeting" in *discover*) exit 1;; esac
		echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"1"}}}'
		read initialized; read list; echo '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"read","inputSchema":{"type":"object"}}]}}'; read end`)
	if out, err := o.Program(t.Context(), &catalog.Program{Command: []string{"old"}}, m); err != nil || out.Report.Tools != 1 || starts != 2 {
		t.Errorf("%+v, %d starts, %v", out, starts, err)
	}
}

func TestProgramsThatCannotBeBroughtIn(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"echo 'no database' >&2; read a; exit 1":  "does not answer as an MCP server",
		"echo 'no database' >&2; exec sleep 1000": "did not answer in time",
	} {
		o, starts := options(t), 0
		m := scripts(t, &starts, script)
		m.Patience = 200 * time.Millisecond
		var f *fault.Error
		if _, err := o.Program(t.Context(), &catalog.Program{Command: []string{"broken"}}, m); !errors.As(err, &f) || !strings.Contains(f.Message, want) || len(f.Details) == 0 || f.Details[0] != "no database" {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// scripts run in the place of programs, and count how often.
func scripts(t *testing.T, starts *int, script string) MCPOptions {
	t.Helper()
	host := process.NewHost(process.Options{})
	t.Cleanup(func() { host.Close(context.Background()) })
	return MCPOptions{Start: func(*catalog.Program, map[string]string) (*process.Process, error) {
		*starts++
		return host.Start("script", process.Command{Args: []string{"/bin/sh", "-c", script}, Env: map[string]string{"PATH": "/bin:/usr/bin"}})
	}}
}
