package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/authserver"
)

type grantCmd struct {
	kong.Plugins
	settings *settingsFlags

	List   grantListCmd   `cmd:"" help:"List what people allowed MCP clients."`
	Revoke grantRevokeCmd `cmd:"" help:"End what people allowed, at once."`
}

// Help explains what is particular about these commands.
func (grantCmd) Help() string {
	return "An MCP client that a person signed in with holds a grant: it may use the tools of that person, at one URL. People see and end their " +
		"own at /oauth/clients. These commands need no API key; run them on the server's machine, with the settings of \"patchbay serve\". " +
		"The server may be running, and takes notice at once."
}

// AfterApply hands the settings to the command that was chosen.
func (g *grantCmd) AfterApply(c *kong.Context) error {
	c.Bind(g.settings)
	return nil
}

// grantView is a grant for programs.
type grantView struct {
	ID         string     `json:"id"`
	UserID     string     `json:"user_id"`
	ClientID   string     `json:"client_id"`
	ClientName string     `json:"client_name"`
	AnswersTo  string     `json:"answers_to"` // host that the client's answers go to
	Resource   string     `json:"resource"`
	CreatedAt  time.Time  `json:"created_at"`
	UsedAt     time.Time  `json:"used_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

func grantViewOf(g authserver.Grant) grantView {
	v := grantView{
		ID: g.ID, UserID: g.UserID, ClientID: g.ClientID, ClientName: g.ClientName, AnswersTo: g.ClientHost, Resource: g.Resource,
		CreatedAt: g.CreatedAt, UsedAt: g.UsedAt, ExpiresAt: g.ExpiresAt,
	}
	if !g.RevokedAt.IsZero() {
		v.RevokedAt = &g.RevokedAt
	}
	return v
}

type grantListCmd struct {
	User string `placeholder:"USER" help:"Only this user's."`
}

// Run lists grants.
func (s *grantListCmd) Run(c *console, settings *settingsFlags) error {
	ctx, stop := interruptible()
	defer stop()
	grants, err := openGrants(ctx, c, settings)
	if err != nil {
		return err
	}
	defer grants.Close()
	list, err := grants.ListGrants(ctx, s.User)
	if err != nil {
		return err
	}
	return c.showGrants(list)
}

type grantRevokeCmd struct {
	IDs  []string `arg:"" optional:"" name:"id" help:"Ids of the grants, as \"patchbay grant list\" shows them."`
	User string   `placeholder:"USER" help:"End all that this user allowed, and sign the user out."`
	All  bool     `help:"End all that anybody allowed, and sign everybody out."`
}

// Run ends grants.
func (s *grantRevokeCmd) Run(c *console, settings *settingsFlags) error {
	if ways := len(s.IDs); s.All && (ways > 0 || s.User != "") || s.User != "" && ways > 0 || !s.All && s.User == "" && ways == 0 {
		return errors.New("say what to end: either ids, or --user USER, or --all")
	}
	ctx, stop := interruptible()
	defer stop()
	grants, err := openGrants(ctx, c, settings)
	if err != nil {
		return err
	}
	defer grants.Close()
	var ended []authserver.Grant
	if len(s.IDs) == 0 {
		ended, err = grants.RevokeGrants(ctx, s.User)
	}
	for _, id := range s.IDs {
		var grant authserver.Grant
		if grant, err = grants.RevokeGrant(ctx, id); err != nil {
			break
		}
		ended = append(ended, grant)
	}
	if len(ended) > 0 || err == nil { // what was ended before an error is told, too
		err = errors.Join(c.showGrants(ended), err)
	}
	return err
}

// showGrants prints grants.
func (c *console) showGrants(list []authserver.Grant) error {
	views, rows := make([]grantView, len(list)), make([][]string, len(list))
	for i, g := range list {
		views[i] = grantViewOf(g)
		rows[i] = []string{g.ID, g.UserID, g.ClientName, g.ClientHost, g.Resource, when(g.CreatedAt), when(g.UsedAt), when(g.RevokedAt)}
	}
	return c.show(views, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "None.")
			return
		}
		table(w, "ID USER CLIENT ANSWERS-TO RESOURCE CREATED USED REVOKED", rows)
	})
}

func openGrants(ctx context.Context, c *console, settings *settingsFlags) (app.Grants, error) {
	cfg, err := settings.load(c)
	if err != nil {
		return nil, err
	}
	return app.OpenGrants(ctx, cfg)
}
