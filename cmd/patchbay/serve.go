package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/authserver"
)

type serveCmd struct {
	kong.Plugins
	settings *settingsFlags
}

// startTimeout is how long starting may take: opening and migrating the database, for the most part.
const startTimeout = 5 * time.Minute

// Run serves until the process is told to stop.
func (s *serveCmd) Run(c *console) error {
	cfg, err := s.settings.load(c)
	if err != nil {
		return err
	}
	app.TuneMemory(os.LookupEnv)
	log := app.NewLogger(cfg, c.err)
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	ctx, stop := interruptible() // from the first signal on, another one kills
	defer stop()
	server := app.New(app.Options{Config: cfg, Version: versionText(), Log: log})
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := server.Start(starting); err != nil {
		return err
	}
	if err := c.show(greetingOf(server.Welcome()), func(w io.Writer) { greet(w, server.Welcome(), cfg) }); err != nil {
		log.Warn("nobody reads the greeting", "error", err)
	}
	var failure error
	select {
	case <-ctx.Done():
		log.Info("stopping; a second signal kills", "timeout", cfg.StopTimeout)
	case failure = <-server.Failed():
	}
	finishing, cancel := context.WithTimeout(context.Background(), cfg.StopTimeout)
	defer cancel()
	if err := server.Stop(finishing); err != nil || failure != nil {
		return fmt.Errorf("the server did not end well: %w", firstOf(failure, err))
	}
	log.Info("stopped")
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// greeting is the welcome for programs.
type greeting struct {
	URL    string `json:"url"`
	First  bool   `json:"first_start"`
	APIKey string `json:"api_key,omitempty"`
	MCPURL string `json:"mcp_url"` // the personal endpoint
	Key    string `json:"personal_key,omitempty"`
}

func greetingOf(w app.Welcome) greeting {
	return greeting{w.URL, w.First, w.APIKey.Reveal(), w.URL + authserver.PersonalPath, w.PersonalKey.Reveal()}
}

// greet tells the person who started the server where it is and, the first time, what to do next.
func greet(w io.Writer, welcome app.Welcome, cfg config.Config) {
	if !welcome.First {
		fmt.Fprintf(w, "Patchbay is at %s\n", welcome.URL)
		return
	}
	personal := welcome.PersonalKey.Reveal() + "  (shown only now)"
	if welcome.PersonalKey.Empty() {
		personal = commandName(os.Args[0]) + " key create --user default"
	}
	key, note := welcome.APIKey.Reveal(), "(shown only now; keep it)"
	if key == "" {
		key, note = "$PATCHBAY_API_KEY", "(the one in your settings)"
	}
	fmt.Fprintf(w, `
  Patchbay is at   %[1]s
  API key          %[2]s  %[3]s
  Your own MCP URL %[1]s/mcp
    sign in with   %[6]s
  Data             %[4]s  (back up master.key apart from the rest)

Next:

  1. In another terminal:
       export PATCHBAY_URL=%[1]s PATCHBAY_API_KEY=%[2]s
  2. Make a session for a user; it prints an MCP URL for any agent:
       %[5]s session create --user me
  3. Connect that user's account in an app (with no OAuth app set up yet, it says how):
       %[5]s connect github --user me

The official Composio SDKs work unchanged with COMPOSIO_BASE_URL=%[1]s and COMPOSIO_API_KEY.

`, welcome.URL, key, note, strings.TrimPrefix(cfg.Data, "./"), commandName(os.Args[0]), personal)
}

// commandName is how the person who started this program can start it again: its path as they gave it, or its name when the
// shell found it for them.
func commandName(arg string) string {
	if strings.ContainsRune(arg, filepath.Separator) && !strings.Contains(arg, "go-build") {
		return arg
	}
	return "patchbay"
}
