package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// program is a toolkit that is a program on the server's machine.
func program(command ...string) *catalog.Definition {
	return &catalog.Definition{
		Slug: "memory", Name: "Memory", Source: catalog.Source{Kind: catalog.SourceMCP}, Program: &catalog.Program{Command: command},
		Auth: []catalog.DefinedAuth{{
			Mode: "API_KEY", AccountFields: []catalog.Field{{Name: "token", Required: true, Secret: true}}, Env: map[string]string{"TOKEN": "{token}"},
		}},
		Tools: []catalog.DefinedTool{{Slug: "MEMORY_READ", Name: "Read", MCP: &catalog.DefinedMCP{Tool: "read"}}},
	}
}

func TestProgramsAreTheOperators(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	document := catalog.Document{Definition: program("npx", "-y", "memory")}
	if _, err := b.Add(t.Context(), "pr_one", document); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a project adds a program: %v", err)
	}
	if _, err := b.Check("pr_one", document); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a project tries a program out: %v", err)
	}
	added, err := b.Add(t.Context(), "", document)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*catalog.Catalog{"at once": b.Catalog, "after a restart": b.open(t)} {
		tk, ok := c.Snapshot("pr_one").Toolkit("memory")
		if !ok || tk.Program == nil || tk.Program.String() != "npx -y memory" {
			t.Fatalf("%s: %+v", name, tk)
		}
		if s, _ := tk.Scheme("API_KEY"); s.Env["TOKEN"].String() != "{token}" {
			t.Errorf("%s: its environment is lost", name)
		}
	}

	// Whatever writes to the database: a project's row starts nothing.
	data, err := b.store.ToolkitDocument(t.Context(), "", "memory", added.Version)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), "", "memory"); err != nil {
		t.Fatal(err)
	}
	stolen := added.Stored
	stolen.ProjectID = "pr_one"
	if err := b.store.PutToolkit(t.Context(), stolen, data); err != nil {
		t.Fatal(err)
	}
	after := b.open(t)
	if _, ok := after.Snapshot("pr_one").Toolkit("memory"); ok {
		t.Error("the program of a project is served")
	}
	if left := after.LeftOut("pr_one"); len(left) != 1 || !strings.Contains(left[0].Reason, "only its operator") {
		t.Errorf("left out %+v", left)
	}
}

func TestProgramsThatAreWrong(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for want, change := range map[string]func(*catalog.Program){
		"names no program":    func(p *catalog.Program) { p.Command = nil },
		"zero byte":           func(p *catalog.Program) { p.Command = append(p.Command, "a\x00b") },
		"no name of a":        func(p *catalog.Program) { p.Env = map[string]string{"A=B": ""} },
		"\"A B\" is no name":  func(p *catalog.Program) { p.Inherit = []string{"A B"} },
		"not an absolute pat": func(p *catalog.Program) { p.Dir = "here" },
	} {
		d := program("npx")
		change(d.Program)
		if _, err := b.Add(t.Context(), "", catalog.Document{Definition: d}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	d := program("npx")
	d.Tools = append(d.Tools, catalog.DefinedTool{Slug: "MEMORY_GET", Name: "Get", Input: json.RawMessage(`{"type":"object","properties":{}}`), HTTP: &catalog.DefinedHTTP{Method: "GET", Path: "/"}})
	if _, err := b.Add(t.Context(), "", catalog.Document{Definition: d}); err == nil || !strings.Contains(err.Error(), "a program has only tools of its MCP server") {
		t.Errorf("a tool over HTTP: %v", err)
	}
}

func TestProgramsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	p := &catalog.Program{Command: []string{"sh", "-c", "it's here", ""}}
	if got := p.String(); got != `sh -c 'it'\''s here' ''` {
		t.Error(got)
	}
}
