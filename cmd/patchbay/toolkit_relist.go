package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
)

type toolkitRelistCmd struct {
	kong.Plugins
	settings *settingsFlags

	Slug    string `arg:"" help:"The toolkit."`
	Account string `placeholder:"ID" help:"The connected account that lists the tools; not needed where the server wants none."`
	DryRun  bool   `help:"Only say what would change."`
}

// Help explains what is particular about this command.
func (toolkitRelistCmd) Help() string {
	return "For MCP servers that were added with \"patchbay toolkit add\". A server that people sign in to, or that wants a key of each " +
		"of them, tells its tools to connected accounts only: connect one, and name it here. From then on all users have the tools, each " +
		"with an account of their own. What the server changed since is shown line by line, and taken over: use --dry-run to look first. " +
		"Servers that a project registered by the API are asked with \"patchbay toolkit sync\"."
}

// Run asks the server.
func (s *toolkitRelistCmd) Run(c *console) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, err := s.settings.load(c)
	if err != nil {
		return err
	}
	server, err := app.OpenRelister(ctx, cfg)
	if err != nil {
		return err
	}
	defer server.Close()
	out, err := server.Relist(ctx, s.Slug, s.Account, s.DryRun)
	if err != nil {
		return err
	}
	return c.show(out, func(w io.Writer) {
		for _, change := range out.Changes {
			fmt.Fprintf(w, "%-7s %s\n", change.Kind, orText(change.Slug, change.Tool))
			fmt.Fprintln(w, "  "+strings.ReplaceAll(strings.TrimSuffix(change.Diff, "\n"), "\n", "\n  "))
		}
		if len(out.Changes) == 0 {
			fmt.Fprintln(w, "Nothing changed.")
		}
		fields(w, "toolkit", out.Slug, "version", out.Version, "tools", strconv.Itoa(out.Tools), "left out", strings.Join(out.LeftOut, "; "))
	})
}
