package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write docs/commands.md from the command line's own help")

const page = "../../docs/commands.md"

func TestCommandsPageIsFresh(t *testing.T) {
	t.Parallel()
	_, parser := newParser(&console{out: io.Discard, err: io.Discard})
	want := reference(parser.Model)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/commands.md does not say what the command line says; run: make generate (%v)", err)
	}
}

// reference renders the command line as a page.
func reference(app *kong.Application) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands\n\n<!-- Made from the command line's own help by \"make generate\". Do not edit. -->\n\n%s\n\n", description)
	b.WriteString("Every command takes `--json`. `serve`, `key` and `doctor` take all [settings](configuration.md) as flags; the others take `--url` and\n" +
		"`--api-key`, which win over the environment.\n")
	for _, command := range app.Leaves(true) {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s\n", command.FullPath(), command.Help)
		if parent := command.Parent; parent != nil && parent.Detail != "" {
			fmt.Fprintf(&b, "\n%s\n", parent.Detail)
		}
		var rows []string
		for _, argument := range command.Positional {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", argument.Summary(), cell(argument.Help)))
		}
		for _, flags := range command.AllFlags(true) {
			for _, f := range flags {
				if slices.Contains([]string{"help", "json", "url", "api-key"}, f.Name) || f.Group != nil && f.Group.Title == "Settings" {
					continue
				}
				rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", f.String(), cell(f.Help)))
			}
		}
		if len(rows) > 0 {
			b.WriteString("\n| | |\n|---|---|\n" + strings.Join(rows, ""))
		}
	}
	return b.String()
}

// cell makes a help text fit for a table.
func cell(help string) string { return strings.ReplaceAll(help, "|", "\\|") }
