package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/catalog"
)

type toolkitCmd struct {
	List   toolkitListCmd   `cmd:"" help:"List the apps that the server knows, the most used first."`
	Show   toolkitShowCmd   `cmd:"" help:"Show how a toolkit is connected, and which versions and tools it has."`
	Check  toolkitCheckCmd  `cmd:"" help:"Check toolkit directories; needs no server."`
	Pin    toolkitPinCmd    `cmd:"" help:"Keep the project at one version of a toolkit."`
	Unpin  toolkitUnpinCmd  `cmd:"" help:"Let the project follow the newest version of a toolkit again."`
	Add    toolkitAddCmd    `cmd:"" help:"Make toolkits of OpenAPI descriptions, GraphQL schemas and MCP servers (on the server's machine)."`
	Relist toolkitRelistCmd `cmd:"" help:"Ask an MCP server that was added for its tools again, perhaps with somebody's account (on the server's machine)."`
	Remove toolkitRemoveCmd `cmd:"" help:"Take a toolkit away that was added (on the server's machine)."`

	Sync    toolkitSyncCmd    `cmd:"" help:"Ask an MCP server of the project for its tools."`
	Changes toolkitChangesCmd `cmd:"" help:"Show what MCP servers of the project changed in their tools and waits for approval."`
	Approve toolkitApproveCmd `cmd:"" help:"Approve what an MCP server changed."`
}

type toolkitListCmd struct {
	clientFlags
	Search   string `placeholder:"TEXT" help:"Only toolkits that fit this text."`
	Category string `placeholder:"ID" help:"Only toolkits of this category."`
	Own      bool   `help:"The project's own toolkits instead, with their versions, and why one is not served."`
	Limit    int    `default:"200" help:"How many at most. Default: ${default}"`
}

// Run lists toolkits.
func (s *toolkitListCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	if s.Own {
		return s.own(ctx, c, client)
	}
	page, err := client.Toolkits.List(ctx, patchbay.ToolkitFilter{Search: s.Search, Category: s.Category, Limit: s.Limit})
	if err != nil {
		return err
	}
	return c.show(page, func(w io.Writer) {
		rows := make([][]string, len(page.Items))
		for i, t := range page.Items {
			rows[i] = []string{t.Slug, strconv.Itoa(t.Meta.Tools), authOf(t), oneLine(t.Meta.Description, 70)}
		}
		table(w, "TOOLKIT TOOLS AUTH DESCRIPTION", rows)
		more(w, len(page.Items), page.TotalItems)
	})
}

// own lists what the project stored for itself.
func (s *toolkitListCmd) own(ctx context.Context, c *console, client *patchbay.Client) error {
	if s.Search != "" || s.Category != "" {
		return wrongUsage("--own lists all of the project's own toolkits", "leave out --search and --category")
	}
	toolkits := []patchbay.CustomToolkit{}
	for toolkit, err := range client.CustomToolkits.All(ctx) {
		if err != nil {
			return err
		}
		if toolkits = append(toolkits, toolkit); len(toolkits) == s.Limit {
			break
		}
	}
	return c.show(toolkits, func(w io.Writer) {
		if len(toolkits) == 0 {
			fmt.Fprintln(w, "None.")
			return
		}
		rows := make([][]string, len(toolkits))
		for i, t := range toolkits {
			rows[i] = []string{t.Slug, t.Kind, t.Version, strconv.Itoa(len(t.Versions)), strconv.Itoa(t.Tools), oneLine(orText(t.Problem, "served"), 80)}
		}
		table(w, "TOOLKIT KIND VERSION VERSIONS TOOLS STATE", rows)
	})
}

// authOf says in a word or two how accounts of a toolkit are connected.
func authOf(t patchbay.Toolkit) string {
	switch {
	case t.NoAuth:
		return "none"
	case len(t.ManagedSchemes) > 0:
		return strings.Join(t.AuthSchemes, ",") + " (managed)"
	default:
		return strings.Join(t.AuthSchemes, ",")
	}
}

type toolkitShowCmd struct {
	clientFlags
	Slug string `arg:"" help:"The toolkit, for example github."`
}

// Run shows a toolkit and its tools.
func (s *toolkitShowCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	toolkit, err := client.Toolkits.Get(ctx, s.Slug)
	if err != nil {
		return err
	}
	view := toolkitView{Toolkit: toolkit}
	for tool, err := range client.Tools.All(ctx, patchbay.ToolFilter{Toolkits: []string{s.Slug}, Limit: 500}) {
		if err != nil {
			return err
		}
		view.Tools = append(view.Tools, toolLine{tool.Slug, tool.Description, tool.Tags})
	}
	return c.show(view, func(w io.Writer) {
		fields(w, "toolkit", toolkit.Slug, "name", toolkit.Name, "description", toolkit.Meta.Description, "API", toolkit.BaseURL,
			"version", versionOf(toolkit), "versions", strings.Join(toolkit.Meta.Versions, ", "), "managed", strings.Join(toolkit.ManagedSchemes, ", "))
		for _, detail := range toolkit.AuthDetails {
			fmt.Fprintf(w, "\n%s\n", detail.Mode)
			fields(w, "  auth config needs", names(detail.Fields.Config.Required), "  account needs", names(detail.Fields.Account.Required))
		}
		fmt.Fprintln(w)
		rows := make([][]string, len(view.Tools))
		for i, tool := range view.Tools {
			rows[i] = []string{tool.Slug, oneLine(tool.Description, 80)}
		}
		table(w, "TOOL DESCRIPTION", rows)
	})
}

func versionOf(t patchbay.Toolkit) string {
	if t.Meta.Pinned != "" {
		return t.Meta.Pinned + " (pinned)"
	}
	return t.Meta.Version
}

type toolkitView struct {
	patchbay.Toolkit
	Tools []toolLine `json:"tools"`
}

type toolLine struct {
	Slug        string   `json:"slug"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
}

func names(fields []patchbay.AuthField) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name
	}
	return strings.Join(list, ", ")
}

type toolkitPinCmd struct {
	clientFlags
	Slug    string `arg:"" help:"The toolkit."`
	Version string `arg:"" help:"One of its versions, as \"patchbay toolkit show\" lists them."`
}

// Help says what a pin does.
func (toolkitPinCmd) Help() string {
	return "All sessions and calls of the project then have this version, unless they name another themselves, until the toolkit is unpinned."
}

// Run pins a toolkit.
func (s *toolkitPinCmd) Run(c *console) error { return pin(c, s.clientFlags, s.Slug, s.Version) }

type toolkitUnpinCmd struct {
	clientFlags
	Slug string `arg:"" help:"The toolkit."`
}

// Run lets a toolkit follow again.
func (s *toolkitUnpinCmd) Run(c *console) error { return pin(c, s.clientFlags, s.Slug, latest) }

// latest is the version that is always the newest one.
const latest = "latest"

func pin(c *console, server clientFlags, slug, version string) error {
	client, err := server.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	inForce, err := client.Toolkits.Pin(ctx, slug, version)
	if err != nil {
		return err
	}
	pinned := version != latest
	view := struct {
		Slug    string `json:"slug"`
		Version string `json:"version"`
		Pinned  bool   `json:"pinned"`
	}{slug, inForce, pinned}
	return c.show(view, func(w io.Writer) {
		if pinned {
			fmt.Fprintf(w, "%s is kept at %s.\n", slug, inForce)
		} else {
			fmt.Fprintf(w, "%s follows the newest version, which is %s.\n", slug, inForce)
		}
	})
}

type toolkitCheckCmd struct {
	Dirs []string `arg:"" name:"dir" help:"Directories with a toolkit.yaml."`
}

// Run checks toolkits and fails when there is anything wrong with one.
func (s *toolkitCheckCmd) Run(c *console) error {
	problems := []catalog.Problem{}
	for _, dir := range s.Dirs {
		parent, name := filepath.Split(filepath.Clean(dir))
		for _, p := range catalog.Check(os.DirFS(filepath.Clean(parent)), name) {
			p.File = filepath.Join(parent, p.File)
			problems = append(problems, p)
		}
	}
	err := c.show(problems, func(w io.Writer) {
		for _, p := range problems {
			fmt.Fprintln(w, p)
		}
		if len(problems) == 0 {
			fmt.Fprintf(w, "%s: nothing wrong\n", strings.Join(s.Dirs, ", "))
		}
	})
	if err != nil || len(problems) == 0 {
		return err
	}
	return &hintedError{fmt.Sprintf("%d problems", len(problems)), "correct the lines above; docs/toolkits.md describes the format", exitFailed}
}
