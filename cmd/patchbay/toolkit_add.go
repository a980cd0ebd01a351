package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/toolkits"
)

type toolkitAddCmd struct {
	kong.Plugins
	settings *settingsFlags

	OpenAPI   string `name:"openapi" placeholder:"FILE|URL" xor:"what" help:"An OpenAPI description: 2.0, 3.0 or 3.1, JSON or YAML."`
	GraphQL   string `name:"graphql" placeholder:"FILE|URL" xor:"what" help:"A GraphQL schema in a file, or the endpoint of an API that tells its own."`
	Directory string `placeholder:"DIR|URL" xor:"what" help:"Many at once: a directory of OpenAPI descriptions, or of server.json files; an archive of one (zip, tar, tar.gz); the list.json of APIs.guru; the list of an MCP registry. What was added before and is unchanged is left alone, so it can be interrupted and run again."`

	MCP        string `name:"mcp" placeholder:"URL|FILE" xor:"what" help:"An MCP server over streamable HTTP, or the server.json of one."`
	MCPCommand string `name:"mcp-command" placeholder:"COMMAND" xor:"what" help:"An MCP server that is a program on the server's machine and speaks over its standard input and output. Quotes keep words together; there is no shell."`

	Out     string   `placeholder:"DIR" help:"Put the toolkits there, one file each, instead of adding them to the server; name it in the server's setting toolkit_dirs. Needed with a --directory of descriptions of APIs."`
	DryRun  bool     `help:"Only say what would be added."`
	Slug    string   `placeholder:"SLUG" help:"Name of the toolkit for programs. Default: made of its title."`
	Name    string   `placeholder:"NAME" help:"Name of the toolkit for people. Default: its title."`
	BaseURL string   `name:"base-url" placeholder:"URL" help:"Where the API is, if its description does not say it, or not rightly. Of a GraphQL schema in a file: the endpoint."`
	Auth    string   `placeholder:"HOW" help:"How accounts are connected, if the description does not say it: bearer, basic, none, header:NAME or query:NAME."`
	Filter  []string `sep:"none" placeholder:"KIND:VALUE" help:"Only operations that fit: tag:NAME, path:/PATTERN (/repos/* or /repos/**), method:NAME; with ! before it, only those that do not. Can be repeated."`
	Header  []string `sep:"none" placeholder:"NAME: VALUE" help:"Sent when a URL is read, for descriptions that are not public. With --mcp, {{field}} in it is filled by each account, and the header is sent with each call. Can be repeated."`
	Env     []string `sep:"none" placeholder:"NAME[=VALUE]" help:"Variable for --mcp-command. {{field}} in it is filled by each account, each of which has a process of its own; NAME alone is taken from the server's environment. Can be repeated."`
	WorkDir string   `name:"work-dir" placeholder:"DIR" help:"Where --mcp-command runs."`
	Field   []string `sep:"none" placeholder:"NAME=VALUE" help:"Value of a {{field}}, to list the tools with. It is not kept. Of a server.json with --programs also what only the operator may say, such as a path; that is kept. Can be repeated."`

	Programs bool `help:"Of server.json files also those that are programs (npm, PyPI, container images): they are fetched and run on this machine."`

	Allow []string `placeholder:"HOST" help:"Hosts or networks that URLs may lead to although they are private, for example localhost or 10.0.0.0/8, beside those of the setting outbound.allow."`
	Again bool     `help:"Also what is unchanged: after an update of this program."`
}

// Help explains what adding comes to.
func (toolkitAddCmd) Help() string {
	return "Makes toolkits of descriptions of APIs and adds them to the server, for all projects. Tools that were added before keep their " +
		"names, and what changed is said. Like \"patchbay key\" it needs no API key and runs on the server's machine, with the settings of " +
		"\"patchbay serve\"; the server may be running, and has the toolkit at once.\n\n" +
		"  patchbay toolkit add --openapi https://api.example.com/openapi.json\n" +
		"  patchbay toolkit add --mcp https://mcp.example.com/mcp --header 'Authorization: Bearer {{token}}' --field token=...\n" +
		"  patchbay toolkit add --mcp-command 'npx -y @modelcontextprotocol/server-memory'\n" +
		"  patchbay toolkit add --directory ./descriptions --out ./toolkits\n" +
		"  patchbay toolkit add --directory https://registry.modelcontextprotocol.io/v0.1/servers"
}

// Run adds toolkits.
func (s *toolkitAddCmd) Run(c *console) error {
	ctx, stop := interruptible()
	defer stop()
	o, done, err := s.options(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case s.Directory != "":
		return s.directory(ctx, c, o)
	case s.OpenAPI != "":
		o.Progress = c.progress("operations")
		out, err := o.OpenAPI(ctx, s.OpenAPI)
		return s.tell(c, out, err)
	case s.GraphQL != "":
		out, err := o.GraphQL(ctx, s.GraphQL)
		return s.tell(c, out, err)
	case s.MCP != "":
		return s.mcpServer(ctx, c, o)
	case s.MCPCommand != "":
		return s.program(ctx, c, o)
	default:
		return wrongUsage("it is not said what to add", "give --openapi, --graphql, --mcp, --mcp-command or --directory")
	}
}

// options checks the flags and opens where the toolkits go. Done closes that again.
func (s *toolkitAddCmd) options(ctx context.Context, c *console) (o *intake.Options, done func(), err error) {
	o = &intake.Options{Slug: s.Slug, Name: s.Name, BaseURL: s.BaseURL, Again: s.Again}
	if o.Reserved, err = shippedSlugs(); err != nil {
		return nil, nil, err
	}
	if o.Filter, err = openapi.ParseFilter(s.Filter); err != nil {
		return nil, nil, err
	}
	if s.Auth != "" {
		if o.Auth, err = intake.ParseAuth(s.Auth); err != nil {
			return nil, nil, err
		}
	}
	if o.Reader.Header, err = headersOf(s.Header); err != nil {
		return nil, nil, err
	}
	cfg, err := s.settings.load(c)
	if err != nil {
		return nil, nil, err
	}
	if o.Reader.Client, err = outbound.New(outbound.Options{Allow: slices.Concat(s.Allow, cfg.OutboundAllow)}); err != nil {
		return nil, nil, wrongUsage(err.Error(), "correct --allow")
	}
	done = func() {}
	switch {
	case s.Out != "":
		o.Sink = intake.Directory(s.Out)
	case s.DryRun:
		o.Sink = intake.Nowhere{}
	default:
		server := &lateSink{open: sync.OnceValues(func() (app.Toolkits, error) { return app.OpenToolkits(ctx, cfg) })}
		o.Sink, done = server, server.close
	}
	if s.DryRun {
		o.Sink = readOnly{o.Sink}
	}
	return o, done, nil
}

// lateSink opens the server's toolkits when they are first needed: what cannot be read needs no server, nor a database.
type lateSink struct {
	open   func() (app.Toolkits, error)
	opened atomic.Bool
}

// Known asks the server.
func (l *lateSink) Known(ctx context.Context, slug string) (*catalog.Definition, error) {
	l.opened.Store(true)
	server, err := l.open()
	if err != nil {
		return nil, err
	}
	return server.Known(ctx, slug)
}

// Put hands a definition to the server.
func (l *lateSink) Put(ctx context.Context, d *catalog.Definition) error {
	l.opened.Store(true)
	server, err := l.open()
	if err != nil {
		return err
	}
	return server.Put(ctx, d)
}

func (l *lateSink) close() {
	if !l.opened.Load() {
		return
	}
	if server, err := l.open(); err == nil {
		server.Close()
	}
}

func openToolkits(ctx context.Context, c *console, settings *settingsFlags) (app.Toolkits, error) {
	cfg, err := settings.load(c)
	if err != nil {
		return nil, err
	}
	return app.OpenToolkits(ctx, cfg)
}

// shippedSlugs tells which slugs are taken by the toolkits that came with the program.
func shippedSlugs() (func(slug string) bool, error) {
	shipped, err := catalog.LoadToolkits(toolkits.FS)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{"composio": true, "local": true, "patchbay": true}
	for _, t := range shipped {
		taken[t.Slug] = true
	}
	return func(slug string) bool { return taken[slug] }, nil
}

// readOnly is a sink that only tells what it has.
type readOnly struct{ intake.Sink }

// Put forgets the definition.
func (readOnly) Put(context.Context, *catalog.Definition) error { return nil }

func headersOf(lines []string) (http.Header, error) {
	headers := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, wrongUsage("a --header lacks its colon", `write it as "Authorization: Bearer …"`)
		}
		headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return headers, nil
}

// tell says what became of one description.
func (s *toolkitAddCmd) tell(c *console, out intake.Outcome, err error) error {
	if err != nil {
		return err
	}
	return c.show(out, func(w io.Writer) {
		if out.Unchanged {
			fmt.Fprintf(w, "%s is unchanged.\n", out.Slug)
			return
		}
		out.Report.Print(w)
		if !out.New {
			fmt.Fprintln(w, orText(out.Changes.String(), "Nothing changed that a caller would notice."))
		}
		if d := out.Definition; d != nil {
			place := d.BaseURL
			if d.Program != nil {
				place = d.Program.String()
			}
			fields(w, "toolkit", d.Slug, "API", place, "accounts by", modes(d.Auth, out.Report != nil && out.Report.AuthUnknown))
		}
		switch {
		case s.DryRun:
		case s.Out != "":
			fmt.Fprintf(c.err, "Put into %s. A server with toolkit_dirs: [%s] has it from its next start.\n", s.Out, s.Out)
		default:
			fmt.Fprintf(c.err, "Added to the server. See it with: patchbay toolkit show %s\n", out.Slug)
			if how := out.HowToList(); how != "" {
				fmt.Fprintf(c.err, "It has %s\n", how)
			}
		}
	})
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func modes(auth []catalog.DefinedAuth, unknown bool) string {
	if unknown {
		return "not said: calls go without a credential; if the API wants one, give --auth"
	}
	var list []string
	for _, a := range auth {
		list = append(list, a.Mode)
	}
	return orText(strings.Join(list, ", "), "nothing: no account is needed")
}

// progress gives a function that shows how far something is, where a person watches; and nowhere else.
func (c *console) progress(of string) func(done, total int) {
	file, ok := c.err.(*os.File)
	if !ok {
		return func(int, int) {}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int, int) {}
	}
	return func(done, total int) {
		const width = 30
		filled := width * done / max(total, 1)
		fmt.Fprintf(file, "\r[%s%s] %d of %d %s", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), done, total, of)
		if done >= total {
			fmt.Fprintln(file)
		}
	}
}

type toolkitRemoveCmd struct {
	kong.Plugins
	settings *settingsFlags

	Slug string `arg:"" help:"The toolkit."`
}

// Help explains what is particular about this command.
func (toolkitRemoveCmd) Help() string {
	return "Takes a toolkit away that was added to the server, in all its versions. Those that came with the program or are in a directory of " +
		"toolkit_dirs stay. Connected accounts stay too, and are of use again when the toolkit is added again."
}

// Run removes a toolkit.
func (s *toolkitRemoveCmd) Run(c *console) error {
	ctx, stop := interruptible()
	defer stop()
	server, err := openToolkits(ctx, c, s.settings)
	if err != nil {
		return err
	}
	defer server.Close()
	if err := server.Remove(ctx, s.Slug); err != nil {
		return err
	}
	return c.show(map[string]string{"removed": s.Slug}, func(w io.Writer) { fmt.Fprintf(w, "Removed %s.\n", s.Slug) })
}
