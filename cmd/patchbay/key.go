package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type keyCmd struct {
	kong.Plugins
	settings *settingsFlags

	Create keyCreateCmd `cmd:"" help:"Make an API key, or a person's own, and print it, once."`
	List   keyListCmd   `cmd:"" help:"List the API keys, revoked ones included."`
	Revoke keyRevokeCmd `cmd:"" help:"End API keys for good."`
}

// Help explains what is particular about these commands.
func (keyCmd) Help() string {
	return "These commands need no API key: who can read the data directory, or the Postgres database, runs the server anyway. Run them " +
		"on the server's machine, with the settings of \"patchbay serve\". The server may be running, and takes notice at once."
}

// AfterApply hands the settings to the command that was chosen.
func (k *keyCmd) AfterApply(c *kong.Context) error {
	c.Bind(k.settings)
	return nil
}

// keyView is a key without the key itself.
type keyView struct {
	ID        string     `json:"id"`
	UserID    string     `json:"user_id,omitempty"` // of a personal key
	Name      string     `json:"name"`
	Hint      string     `json:"hint"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Key       string     `json:"key,omitempty"` // only when it was just made
}

func keyViewOf(k tenant.Key) keyView {
	v := keyView{ID: k.ID, UserID: k.UserID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt}
	if !k.RevokedAt.IsZero() {
		v.RevokedAt = &k.RevokedAt
	}
	return v
}

type keyCreateCmd struct {
	Name string `arg:"" optional:"" default:"from the command line" help:"What the key is for. Default: \"${default}\""`
	User string `placeholder:"USER" help:"Make a personal key for this user: it signs the person in on this server's pages, to let MCP clients in, and opens the personal endpoint /mcp."`
}

// Run makes a key.
func (s *keyCreateCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	keys, err := openKeys(ctx, c, settings)
	if err != nil {
		return err
	}
	defer keys.Close()
	key, text, err := keys.Create(ctx, s.Name, s.User)
	if err != nil {
		return err
	}
	view := keyViewOf(key)
	view.Key = text.Reveal()
	return c.show(view, func(w io.Writer) {
		fmt.Fprintln(w, view.Key)
		fmt.Fprintf(c.err, "Made %s (%s). The key is not shown again.\n", key.ID, key.Name)
	})
}

type keyListCmd struct{}

// Run lists the keys.
func (keyListCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	keys, err := openKeys(ctx, c, settings)
	if err != nil {
		return err
	}
	defer keys.Close()
	list, err := keys.List(ctx)
	if err != nil {
		return err
	}
	views, rows := make([]keyView, len(list)), make([][]string, len(list))
	for i, key := range list {
		views[i] = keyViewOf(key)
		rows[i] = []string{key.ID, key.Hint, key.UserID, key.Name, when(key.CreatedAt), when(key.RevokedAt)}
	}
	return c.show(views, func(w io.Writer) { table(w, "ID KEY USER NAME CREATED REVOKED", rows) })
}

type keyRevokeCmd struct {
	IDs []string `arg:"" name:"id" help:"Ids of the keys, as \"patchbay key list\" shows them."`
}

// Run revokes keys.
func (s *keyRevokeCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	keys, err := openKeys(ctx, c, settings)
	if err != nil {
		return err
	}
	defer keys.Close()
	for _, id := range s.IDs {
		key, err := keys.Revoke(ctx, id)
		if err != nil {
			return err
		}
		also := ""
		if key.UserID != "" {
			also = ", and what was allowed to MCP clients with it"
		}
		err = c.show(keyViewOf(key), func(w io.Writer) { fmt.Fprintf(w, "%s (%s, %s) is revoked%s\n", key.ID, key.Hint, key.Name, also) })
		if err != nil {
			return err
		}
	}
	return nil
}

func openKeys(ctx context.Context, c *console, settings *settingsFlags) (app.Keys, error) {
	cfg, err := settings.load(c)
	if err != nil {
		return nil, err
	}
	return app.OpenKeys(ctx, cfg)
}
