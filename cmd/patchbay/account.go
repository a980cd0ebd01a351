package main

import (
	"io"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

type accountCmd struct {
	List   accountListCmd   `cmd:"" help:"List connected accounts, newest first."`
	Show   accountShowCmd   `cmd:"" help:"Show an account and what state it is in."`
	Import accountImportCmd `cmd:"" help:"Bring in accounts whose credentials you hold, a line of JSON each."`
	Revoke accountRevokeCmd `cmd:"" help:"End accounts at their providers, and say what ended."`
}

type accountListCmd struct {
	clientFlags
	User     []string `placeholder:"ID" help:"Only accounts of these users."`
	Toolkits []string `placeholder:"SLUG" help:"Only accounts of these toolkits."`
	Status   []string `placeholder:"STATUS" help:"Only accounts in these states (ACTIVE, EXPIRED, …)."`
	Limit    int      `default:"50" help:"How many at most. Default: ${default}"`
}

// Run lists accounts.
func (s *accountListCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	filter := patchbay.AccountFilter{UserIDs: s.User, Toolkits: s.Toolkits, Limit: s.Limit}
	for _, status := range s.Status {
		filter.Statuses = append(filter.Statuses, patchbay.AccountStatus(strings.ToUpper(status)))
	}
	page, err := client.ConnectedAccounts.List(ctx, filter)
	if err != nil {
		return err
	}
	return c.show(page, func(w io.Writer) {
		rows := make([][]string, len(page.Items))
		for i, a := range page.Items {
			rows[i] = []string{a.ID, a.Toolkit.Slug, a.UserID, string(a.Status), a.WordID, a.Alias, when(a.CreatedAt)}
		}
		table(w, "ACCOUNT TOOLKIT USER STATUS WORD-ID ALIAS CREATED", rows)
		more(w, len(page.Items), page.TotalItems)
	})
}

type accountShowCmd struct {
	clientFlags
	ID string `arg:"" help:"The account (ca_…)."`
}

// Run shows an account.
func (s *accountShowCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	a, err := client.ConnectedAccounts.Get(ctx, s.ID)
	if err != nil {
		return err
	}
	return c.show(a, func(w io.Writer) {
		fields(w, "account", a.ID, "word id", a.WordID, "alias", a.Alias, "toolkit", a.Toolkit.Slug, "user", a.UserID,
			"status", string(a.Status), "reason", a.StatusReason, "scheme", a.AuthConfig.Scheme, "auth config", a.AuthConfig.ID,
			"created", when(a.CreatedAt), "updated", when(a.UpdatedAt))
	})
}
