package main

import (
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
)

type backupCmd struct {
	kong.Plugins
	settings *settingsFlags

	File          string `arg:"" optional:"" help:"The file to make. Default: patchbay-backup-<time>.tar.gz"`
	WithMasterKey bool   `name:"with-master-key" help:"Put the master key into the backup too. Whoever has it can then open every secret in it."`
}

// Help says what a backup holds.
func (backupCmd) Help() string {
	return "The server may be running. The backup holds the database as it stands at one moment and the files beside it, and not the master key: keep that " +
		"in another place. Data in Postgres is backed up with Postgres' own means (pg_dump)."
}

// Run makes a backup.
func (s *backupCmd) Run(c *console) error {
	cfg, err := s.settings.load(c)
	if err != nil {
		return err
	}
	if s.File == "" {
		s.File = "patchbay-backup-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
	}
	ctx, stop := interruptible()
	defer stop()
	made, err := app.Backup(ctx, app.BackupOptions{Config: cfg, To: s.File, MasterKey: s.WithMasterKey, Version: versionText(), Now: time.Now})
	if err != nil {
		return err
	}
	return c.show(struct {
		File string `json:"file"`
		app.Manifest
	}{s.File, made}, func(w io.Writer) {
		fmt.Fprintln(w, s.File)
		if made.MasterKey {
			fmt.Fprintln(c.err, "The master key is in it: who has this file can open every secret.")
		} else {
			fmt.Fprintln(c.err, "The master key is not in it. Keep a copy of that in another place: without it the secrets cannot be opened.")
		}
	})
}

type restoreCmd struct {
	kong.Plugins
	settings *settingsFlags

	File    string `arg:"" help:"The backup."`
	Replace bool   `help:"Set the data aside that is there. Without it, that is an error."`
}

// Help says how a restore goes.
func (restoreCmd) Help() string {
	return "The server must not run. Nothing is touched before the backup is found whole, its database reads from end to end, and the master key " +
		"(from the backup, the settings or the data directory) opens every secret in it."
}

// Run restores a backup.
func (s *restoreCmd) Run(c *console) error {
	cfg, err := s.settings.load(c)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	done, err := app.Restore(ctx, app.RestoreOptions{Config: cfg, From: s.File, Replace: s.Replace, Now: time.Now})
	if err != nil {
		return err
	}
	return c.show(done, func(w io.Writer) {
		fmt.Fprintf(w, "Restored the data of %s to %s: %d files, and %d secrets that open.\n", when(done.CreatedAt), done.Data, len(done.Files), done.Secrets)
		if done.SetAside != "" {
			fmt.Fprintf(w, "What was there is in %s; delete it when you do not need it any more.\n", done.SetAside)
		}
	})
}
