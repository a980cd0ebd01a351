package app

import (
	"log/slog"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/process"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// programOptions say how toolkits are run that are programs on this machine.
func programOptions(c *config.Config, log *slog.Logger) execute.ProgramOptions {
	o := execute.ProgramOptions{
		Host:   process.NewHost(process.Options{Log: log, MaxMessage: execute.DefaultMaxAnswer}),
		Lookup: c.Lookup, Env: map[string]map[string]secret.Value{}, Max: c.MaxPrograms, Idle: c.ProgramIdle,
	}
	for slug, t := range c.Toolkits {
		o.Env[slug] = t.ProgramEnv
	}
	return o
}
