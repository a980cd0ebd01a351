package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patchbay-dev/patchbay"
)

type connectCmd struct {
	clientFlags
	Toolkit string        `arg:"" help:"The app, for example github."`
	User    string        `required:"" placeholder:"ID" help:"The user, by any id of yours."`
	Alias   string        `placeholder:"NAME" help:"A name for the account, to tell it from others of the same app."`
	Wait    bool          `default:"true" negatable:"" help:"Wait until the user is done."`
	Timeout time.Duration `default:"10m" help:"How long to wait. Default: ${default}"`
}

// Run prints a link for the user's browser and waits until the account is connected.
func (s *connectCmd) Run(c *console) error {
	client, err := s.client(c)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	link, err := s.link(ctx, client)
	if err != nil {
		return err
	}
	if !s.Wait {
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

// link starts the connection the way an agent would: from a session, which finds or makes the auth config. The session is
// ended right away; the link lives on.
func (s *connectCmd) link(ctx context.Context, client *patchbay.Client) (*patchbay.Link, error) {
	session, err := client.Sessions.Create(ctx, patchbay.NewSession{
		UserID: s.User, Toolkits: &patchbay.Filter{Enable: []string{s.Toolkit}}, TTL: int((15 * time.Minute).Seconds()),
	})
	if err != nil {
		return nil, err
	}
	link, err := session.Authorize(ctx, patchbay.Authorization{Toolkit: s.Toolkit, Alias: s.Alias})
	return link, errors.Join(err, session.Delete(context.WithoutCancel(ctx)))
}
