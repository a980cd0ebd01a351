package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
)

type secretsCmd struct {
	kong.Plugins
	settings *settingsFlags

	Status secretsStatusCmd `cmd:"" help:"Say how the keys stand that seal what is stored."`
	Rotate secretsRotateCmd `cmd:"" help:"Make new keys and seal everything anew, while the server runs."`
	Retire secretsRetireCmd `cmd:"" help:"Take the old keys away after a rotation."`
}

// Help explains what is particular about these commands.
func (secretsCmd) Help() string {
	return "Like \"patchbay key\", these commands need no API key and run on the server's machine, with the settings of \"patchbay serve\". " +
		"docs/secrets.md tells how to rotate where several nodes share a database, and how to keep the master key in Vault."
}

// AfterApply hands the settings to the command that was chosen.
func (s *secretsCmd) AfterApply(c *kong.Context) error {
	c.Bind(s.settings)
	return nil
}

func openSecrets(ctx context.Context, c *console, settings *settingsFlags) (app.Secrets, error) {
	cfg, err := settings.load(c)
	if err != nil {
		return nil, err
	}
	return app.OpenSecrets(ctx, cfg)
}

type secretsStatusCmd struct{}

// Run tells how the keys stand.
func (secretsStatusCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	secrets, err := openSecrets(ctx, c, settings)
	if err != nil {
		return err
	}
	defer secrets.Close()
	state, err := secrets.State(ctx)
	if err != nil {
		return err
	}
	return c.show(state, func(w io.Writer) {
		fields(w, "master key", strings.Join(state.WrappedWith, ", "), "in", state.KeyFile,
			"keysets", fmt.Sprintf("%d; %d with old keys, %d wrapped with an old master key", state.Keysets, state.WithOldKeys, state.OldMasterKeys),
			"sealed with old keys", fmt.Sprintf("%d values", state.SealedWithOld), "last rotation", rotationOf(state))
		if state.Retirable != nil {
			fmt.Fprintf(w, "Old keys are still there. Take them away with: patchbay secrets retire (from %s)\n", clockOf(*state.Retirable))
		}
	})
}

func rotationOf(state app.SecretsState) string {
	switch {
	case state.Began == nil:
		return "never"
	case state.Finished == nil:
		return when(*state.Began) + `, not finished; go on with: patchbay secrets rotate`
	}
	return when(*state.Began)
}

func clockOf(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

type secretsRotateCmd struct{}

// Help says what a rotation does.
func (secretsRotateCmd) Help() string {
	return "Every project gets a new key, and every stored secret is sealed with it, while the server goes on serving. Where the master key is in a " +
		"file and the database is SQLite, the master key becomes a new one too. Broken off by whatever, a rotation goes on when it is begun again."
}

// Run rotates.
func (secretsRotateCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	secrets, err := openSecrets(ctx, c, settings)
	if err != nil {
		return err
	}
	defer secrets.Close()
	told := rotationTold{console: c}
	done, err := secrets.Rotate(ctx, told.tell)
	if err != nil {
		return err
	}
	return c.show(done, func(w io.Writer) {
		if done.Resumed {
			fmt.Fprintf(w, "The rotation of %s is done now.\n", when(done.Began))
		}
		fmt.Fprintf(w, "%d keysets have a new key. %d secrets were sealed anew; none is sealed with an old key.\n", done.Keysets, done.Resealed)
		if done.NewMaster {
			fmt.Fprintf(w, "The master key is a new one: %s\n", strings.TrimSpace(done.Master+" "+done.KeyFile))
		} else {
			fmt.Fprintf(w, "The %s stays what it was; docs/secrets.md tells how to change it.\n", done.Master)
		}
		fmt.Fprintf(w, "From %s, take the old keys away with: patchbay secrets retire\n", clockOf(done.RetireAt))
	})
}

// rotationTold tells people how far a rotation is: a line whenever another table begins, or a tenth is done.
type rotationTold struct {
	*console
	last string
}

func (r *rotationTold) tell(p app.RotationProgress) {
	line := fmt.Sprintf("pass %d, %s", p.Pass, p.Table)
	tenth := fmt.Sprintf("%s %d", line, 10*p.Rows/max(p.Total, 1))
	if r.json || tenth == r.last {
		return
	}
	r.last = tenth
	fmt.Fprintf(r.err, "%s: %d of %d rows read, %d secrets sealed anew\n", line, p.Rows, p.Total, p.Resealed)
}

type secretsRetireCmd struct{}

// Run takes the old keys away.
func (secretsRetireCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	secrets, err := openSecrets(ctx, c, settings)
	if err != nil {
		return err
	}
	defer secrets.Close()
	done, err := secrets.Retire(ctx)
	if err != nil {
		return err
	}
	return c.show(done, func(w io.Writer) {
		if done.Keysets == 0 && done.KeyFile == "" {
			fmt.Fprintln(w, "There are no old keys.")
			return
		}
		fmt.Fprintf(w, "The old keys are gone from %d keysets.\n", done.Keysets)
		if done.KeyFile != "" {
			fmt.Fprintf(w, "The old master key is in %s. Backups from before the rotation need it: keep it with them, or delete it together with them.\n", done.KeyFile)
		} else {
			fmt.Fprintln(w, "Where the settings name an old master key, remove it there. Backups from before the rotation need it.")
		}
	})
}
