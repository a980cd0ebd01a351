package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay"
)

type connectCmd struct {
	clientFlags
	Toolkit    string        `arg:"" help:"The app, for example github."`
	User       string        `required:"" placeholder:"ID" help:"The user, by any id of yours."`
	Alias      string        `placeholder:"NAME" help:"A name for the account, to tell it from others of the same app."`
	Scheme     string        `placeholder:"SCHEME" xor:"how" help:"How to connect (OAUTH2, API_KEY, BEARER_TOKEN, …; \"patchbay toolkit show\" lists them). Default: the project's way, or the first that needs no OAuth app."`
	AuthConfig string        `placeholder:"ac_…" xor:"how" help:"The auth config to connect with."`
	NoWait     bool          `help:"Print the link and end, instead of waiting until the user is done."`
	Timeout    time.Duration `default:"10m" help:"How long to wait. Default: ${default}"`
}

// Run prints a link for the user's browser and waits until the account is connected.
func (s *connectCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	link, err := s.link(ctx, c, client)
	if err != nil {
		return err
	}
	if s.NoWait {
		return c.show(link, func(w io.Writer) { fmt.Fprintln(w, link.URL) })
	}
	fmt.Fprintf(c.err, "Open this in the browser of %s, within ten minutes:\n\n  %s\n\nWaiting …\n", s.User, link.URL)
	waiting, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	account, err := link.Wait(waiting)
	if errors.Is(err, context.DeadlineExceeded) {
		return &hintedError{fmt.Sprintf("nobody connected %s within %s", s.Toolkit, s.Timeout), "run the command again for a new link", exitFailed}
	}
	if err != nil {
		return err
	}
	return c.show(account, func(w io.Writer) { fmt.Fprintf(w, "connected %s as %s\n", s.Toolkit, account.ID) })
}

// link starts the connection: the way that was asked for, else the way an agent would, and where that needs an OAuth app that
// nobody set up, in a way that needs none.
func (s *connectCmd) link(ctx context.Context, c *console, client *patchbay.Client) (*patchbay.Link, error) {
	switch {
	case s.AuthConfig != "":
		return s.linkWith(ctx, client, s.AuthConfig)
	case s.Scheme != "":
		return s.linkByScheme(ctx, client, strings.ToUpper(s.Scheme))
	}
	toolkit, err := client.Toolkits.Get(ctx, s.Toolkit)
	if err != nil {
		return nil, err // it names the nearest toolkits
	}
	link, err := s.linkFromSession(ctx, client)
	var refused *patchbay.Error
	if !errors.As(err, &refused) || refused.Slug != slugNoManagedAuth {
		return link, err
	}
	scheme, ok := withoutApp(toolkit)
	if !ok {
		return nil, err
	}
	fmt.Fprintf(c.err, "No OAuth app is set up for %s here, so the page asks for credentials of the user's own (%s).\n", toolkit.Name, scheme)
	return s.linkByScheme(ctx, client, scheme)
}

// slugNoManagedAuth is how the API says that a toolkit has neither an auth config nor an OAuth app of the operator's.
const slugNoManagedAuth = "ToolRouterV2_NoManagedAuth"

// linkFromSession starts the connection the way an agent would: the session finds or makes the auth config. It is ended right
// away; the link lives on.
func (s *connectCmd) linkFromSession(ctx context.Context, client *patchbay.Client) (*patchbay.Link, error) {
	session, err := client.Sessions.Create(ctx, patchbay.NewSession{
		UserID: s.User, Toolkits: &patchbay.Filter{Enable: []string{s.Toolkit}}, TTL: int((15 * time.Minute).Seconds()),
	})
	if err != nil {
		return nil, err
	}
	link, err := session.Authorize(ctx, patchbay.Authorization{Toolkit: s.Toolkit, Alias: s.Alias})
	return link, errors.Join(err, session.Delete(context.WithoutCancel(ctx)))
}

// withoutApp gives a toolkit's first scheme for which the project has nothing to set up: the user brings all of it.
func withoutApp(t patchbay.Toolkit) (scheme string, ok bool) {
	i := slices.IndexFunc(t.AuthDetails, func(d patchbay.AuthDetail) bool {
		return len(d.Fields.Config.Required) == 0 && len(d.Fields.Account.Required) > 0
	})
	if i < 0 {
		return "", false
	}
	return t.AuthDetails[i].Mode, true
}

// linkByScheme connects by the project's newest auth config of a scheme, and makes one if there is none.
func (s *connectCmd) linkByScheme(ctx context.Context, client *patchbay.Client, scheme string) (*patchbay.Link, error) {
	for config, err := range client.AuthConfigs.All(ctx, patchbay.AuthConfigFilter{Toolkits: []string{s.Toolkit}}) {
		if err != nil {
			return nil, err
		}
		if config.Scheme == scheme {
			return s.linkWith(ctx, client, config.ID)
		}
	}
	config, err := client.AuthConfigs.Create(ctx, patchbay.NewAuthConfig{Toolkit: s.Toolkit, Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return s.linkWith(ctx, client, config.ID)
}

func (s *connectCmd) linkWith(ctx context.Context, client *patchbay.Client, authConfigID string) (*patchbay.Link, error) {
	return client.ConnectedAccounts.Link(ctx, patchbay.NewLink{AuthConfigID: authConfigID, UserID: s.User, Alias: s.Alias})
}
