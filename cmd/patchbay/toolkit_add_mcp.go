package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/execute"
	proc "github.com/patchbay-dev/patchbay/internal/process"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// mcpServer adds an MCP server over HTTP.
func (s *toolkitAddCmd) mcpServer(ctx context.Context, c *console, o *intake.Options) error {
	m, err := s.mcpOptions()
	if err != nil {
		return err
	}
	if len(s.Env) > 0 || s.WorkDir != "" {
		return wrongUsage("--env and --work-dir are for a program", "leave them out, or give --mcp-command")
	}
	if !intake.IsServerJSON(s.MCP) {
		if s.Programs {
			return wrongUsage("--programs is for a server.json", "leave it out, or name a program with --mcp-command")
		}
		out, err := o.MCPServer(ctx, s.MCP, m)
		return s.tell(c, out, err)
	}
	done, err := s.registryOptions(c, o)
	if err != nil {
		return err
	}
	defer done(ctx)
	o.Servers.Fields = m.Fields
	out, err := o.Server(ctx, s.MCP)
	return s.tell(c, out, err)
}

// registryOptions say what becomes of servers in the MCP registry's format. Done ends the programs that were run for it.
func (s *toolkitAddCmd) registryOptions(c *console, o *intake.Options) (done func(context.Context), err error) {
	o.Servers = intake.RegistryOptions{Later: s.Out == "", Programs: s.Programs}
	if !s.Programs {
		return func(context.Context) {}, nil
	}
	start, done, err := s.starter(c)
	o.Servers.Start = start
	return done, err
}

// starter starts programs as the server would. Done ends those that still run.
func (s *toolkitAddCmd) starter(c *console) (start func(string, *catalog.Program, map[string]string) (*proc.Process, error), done func(context.Context), err error) {
	cfg, err := s.settings.load(c)
	if err != nil {
		return nil, nil, err
	}
	host := proc.NewHost(proc.Options{})
	start = func(slug string, p *catalog.Program, env map[string]string) (*proc.Process, error) {
		values := make(map[string]secret.Value, len(env))
		for name, value := range env {
			values[name] = secret.Hide(value)
		}
		maps.Copy(values, cfg.Toolkits[slug].ProgramEnv)
		return host.Start(p.Command[0], execute.ProgramCommand(p, cfg.Lookup, nil, values))
	}
	return start, func(ctx context.Context) { host.Close(ctx) }, nil
}

// program adds an MCP server that is a program. To be listed it is started here.
func (s *toolkitAddCmd) program(ctx context.Context, c *console, o *intake.Options) error {
	m, err := s.mcpOptions()
	if err != nil {
		return err
	}
	words, ok := splitWords(s.MCPCommand)
	if !ok {
		return wrongUsage("--mcp-command ends within quotes", "close them")
	}
	if len(words) == 0 || words[0] == "" {
		return wrongUsage("--mcp-command names no program", "give one, for example 'npx -y @modelcontextprotocol/server-memory'")
	}
	if len(s.Header) > 0 || s.Auth != "" {
		return wrongUsage("--header and --auth are for an MCP server over HTTP", "give variables with --env, for example --env 'API_KEY={{api_key}}'")
	}
	p := &catalog.Program{Command: words}
	if s.WorkDir != "" {
		if p.Dir, err = filepath.Abs(s.WorkDir); err != nil {
			return err
		}
	}
	m.Env = map[string]string{}
	for _, line := range s.Env {
		if name, value, given := strings.Cut(line, "="); given {
			m.Env[name] = value
		} else {
			p.Inherit = append(p.Inherit, name)
		}
	}
	start, done, err := s.starter(c)
	if err != nil {
		return err
	}
	defer done(ctx)
	m.Start = func(p *catalog.Program, env map[string]string) (*proc.Process, error) { return start(s.Slug, p, env) }
	out, err := o.Program(ctx, p, m)
	return s.tell(c, out, err)
}

// mcpOptions reads what is common to both.
func (s *toolkitAddCmd) mcpOptions() (intake.MCPOptions, error) {
	m := intake.MCPOptions{Headers: map[string]string{}, Fields: map[string]string{}}
	headers, err := headersOf(s.Header)
	if err != nil {
		return m, err
	}
	for name, values := range headers {
		m.Headers[name] = values[0]
	}
	for _, line := range s.Field {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return m, wrongUsage("a --field lacks its =", "write it as --field NAME=VALUE")
		}
		m.Fields[name] = value
	}
	if s.BaseURL != "" || len(s.Filter) > 0 {
		return m, wrongUsage("--base-url and --filter are for descriptions", "leave them out with an MCP server")
	}
	return m, nil
}

// splitWords cuts a command into words, as a shell does with blanks and quotes and nothing else.
func splitWords(line string) (words []string, ok bool) {
	var word strings.Builder
	var quote rune
	begun := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case slices.Contains([]rune(" \t\n"), r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words, quote == 0
}
