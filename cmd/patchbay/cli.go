package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the whole command line.
type cli struct {
	JSON bool `name:"json" help:"Print JSON for programs instead of text for people."`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Session sessionCmd `cmd:"" help:"Make, list, show and delete sessions."`
	Tool    toolCmd    `cmd:"" help:"Search tools, show what they need, run them."`
	Toolkit toolkitCmd `cmd:"" help:"List, show, pin and check toolkits; add your own."`
	Project projectCmd `cmd:"" help:"Show and set how the project's Connect pages look and where its links lead."`
	Connect connectCmd `cmd:"" help:"Connect a user's account in an app."`
	Listen  listenCmd  `cmd:"" help:"Follow events in the terminal, or forward them to a URL of yours."`
	Account accountCmd `cmd:"" help:"List, show and revoke connected accounts."`
	Key     keyCmd     `cmd:"" help:"Make, list and revoke API keys (on the server's machine)."`
	Secrets secretsCmd `cmd:"" help:"Rotate the keys that seal stored credentials (on the server's machine)."`
	Backup  backupCmd  `cmd:"" help:"Copy the data of a server, running or not, to a file."`
	Restore restoreCmd `cmd:"" help:"Check a backup and put its data in place."`
	Grant   grantCmd   `cmd:"" help:"List and end what people allowed MCP clients (on the server's machine)."`
	Migrate migrateCmd `cmd:"" help:"Move from the older API to sessions."`
	Doctor  doctorCmd  `cmd:"" help:"Check settings, store, keys, clock, reachability and what waits for somebody, and explain what is wrong."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

const description = `Patchbay gives every AI agent a session: one MCP URL per user over all of the user's apps.

Begin with "patchbay serve". Client commands find the server by PATCHBAY_URL and PATCHBAY_API_KEY (or COMPOSIO_BASE_URL and
COMPOSIO_API_KEY).

Exit codes: 0 done, 1 refused or failed, 2 wrong arguments or settings, 3 the tool ran and failed, 4 the server cannot be
reached, 130 interrupted.`

// Exit codes; description tells people of them.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitToolFailed  = 3
	exitUnreachable = 4
	exitInterrupted = 130
)

// exited is how kong's "--help" ends run without ending the process.
type exited int

// run parses arguments, runs the command and gives the exit code.
func run(args []string, c *console) (code int) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case exited:
			code = int(cause)
		default:
			panic(cause)
		}
	}()
	commands, parser := newParser(c)
	parsed, err := parser.Parse(args)
	if err != nil {
		return c.usage(err)
	}
	c.json = commands.JSON
	if err := parsed.Run(); err != nil {
		return c.fail(err)
	}
	return 0
}

// newParser makes the command line.
func newParser(c *console) (*cli, *kong.Kong) {
	commands := &cli{}
	commands.Serve.settings = newSettingsFlags()
	commands.Serve.Plugins = commands.Serve.settings.plugins()
	commands.Doctor.settings = newSettingsFlags()
	commands.Doctor.Plugins = commands.Doctor.settings.plugins()
	commands.Toolkit.Add.settings = newSettingsFlags()
	commands.Toolkit.Add.Plugins = commands.Toolkit.Add.settings.plugins()
	commands.Toolkit.Remove.settings = newSettingsFlags()
	commands.Toolkit.Remove.Plugins = commands.Toolkit.Remove.settings.plugins()
	commands.Toolkit.Relist.settings = newSettingsFlags()
	commands.Toolkit.Relist.Plugins = commands.Toolkit.Relist.settings.plugins()
	commands.Key.settings = newSettingsFlags()
	commands.Key.Plugins = commands.Key.settings.plugins()
	commands.Secrets.settings = newSettingsFlags()
	commands.Secrets.Plugins = commands.Secrets.settings.plugins()
	commands.Backup.settings = newSettingsFlags()
	commands.Backup.Plugins = commands.Backup.settings.plugins()
	commands.Restore.settings = newSettingsFlags()
	commands.Restore.Plugins = commands.Restore.settings.plugins()
	commands.Grant.settings = newSettingsFlags()
	commands.Grant.Plugins = commands.Grant.settings.plugins()
	parser, err := kong.New(commands,
		kong.Name("patchbay"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(c.out, c.err), kong.Exit(func(status int) { panic(exited(status)) }),
		kong.Bind(c),
	)
	if err != nil {
		panic(err) // the command line is described wrongly: every test meets it
	}
	return commands, parser
}

// usage tells what is wrong with the command line.
func (c *console) usage(err error) int {
	fmt.Fprintln(c.err, "error:", err)
	command := "patchbay"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if name := parse.Context.Command(); name != "" {
			command += " " + strings.Split(name, " <")[0]
		}
	}
	fmt.Fprintf(c.err, "  fix: see %s --help\n", command)
	return exitUsage
}
