package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

type toolkitSyncCmd struct {
	clientFlags
	Slug    string `arg:"" help:"The toolkit, for example custom_acme."`
	Account string `placeholder:"ID" help:"The connected account with which the server is asked; not needed where it wants none."`
}

// Run asks the server, and shows what is different.
func (s *toolkitSyncCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	synced, err := client.CustomToolkits.Sync(ctx, s.Slug, s.Account)
	if err != nil {
		return err
	}
	return c.show(synced, func(w io.Writer) {
		fields(w, "toolkit", synced.Slug, "version", synced.Version, "tools", strconv.Itoa(synced.Tools), "left out", strings.Join(synced.LeftOut, "; "))
		if len(synced.Pending.Changes) > 0 {
			showChanges(w, synced.Pending, true)
		}
	})
}

type toolkitChangesCmd struct {
	clientFlags
	Slug string `arg:"" optional:"" help:"Only this toolkit, with the changes of each tool line by line."`
}

// Help says how it is read.
func (*toolkitChangesCmd) Help() string {
	return "Sessions go on seeing the definitions that were approved. A line with - was approved, and one with + is what the server says now. Read the " +
		"descriptions as you would read code: models do what they say."
}

// Run shows what waits for approval.
func (s *toolkitChangesCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	list, err := client.CustomToolkits.Pending(ctx, s.Slug)
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) {
		for _, toolkit := range list {
			showChanges(w, toolkit, s.Slug != "")
		}
		if len(list) == 0 {
			fmt.Fprintln(w, "No MCP server was synced yet: patchbay toolkit sync SLUG")
		}
	})
}

func showChanges(w io.Writer, t patchbay.PendingChanges, whole bool) {
	fmt.Fprintf(w, "%s (%s, on change: %s)\n", t.Slug, oneLine(t.Name, 60), t.OnChange)
	if t.Problem != "" {
		fmt.Fprintf(w, "  could not be asked: %s\n", oneLine(t.Problem, 200))
	}
	if len(t.Changes) == 0 {
		fmt.Fprintln(w, "  nothing waits for approval")
		return
	}
	for _, change := range t.Changes {
		fmt.Fprintf(w, "  %-7s %s\n", change.Kind, change.Tool)
		if whole {
			fmt.Fprintln(w, "    "+strings.ReplaceAll(strings.TrimSuffix(change.Diff, "\n"), "\n", "\n    "))
		}
	}
	if whole {
		fmt.Fprintf(w, "  approve them: patchbay toolkit approve %s --revision %s\n", t.Slug, t.Revision)
		return
	}
	fmt.Fprintf(w, "  see them line by line: patchbay toolkit changes %s\n", t.Slug)
}

type toolkitApproveCmd struct {
	clientFlags
	Slug     string   `arg:"" help:"The toolkit, for example custom_acme."`
	Tools    []string `arg:"" optional:"" name:"tool" help:"Only these tools. Default: all that changed."`
	Revision string   `required:"" placeholder:"REVISION" help:"Which changes you saw, as patchbay toolkit changes SLUG shows it. When the server has changed something more since, nothing is approved."`
}

// Run approves, and shows what is left.
func (s *toolkitApproveCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	left, err := client.CustomToolkits.Approve(ctx, s.Slug, s.Revision, s.Tools...)
	if err != nil {
		return err
	}
	return c.show(left, func(w io.Writer) { showChanges(w, left, false) })
}
