package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

type accountCmd struct {
	List   accountListCmd   `cmd:"" help:"List connected accounts, newest first."`
	Show   accountShowCmd   `cmd:"" help:"Show an account and what state it is in."`
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

type accountRevokeCmd struct {
	clientFlags
	IDs    []string `arg:"" optional:"" name:"id" help:"The accounts (ca_…)."`
	User   string   `placeholder:"ID" help:"All ACTIVE accounts of this user instead."`
	Delete bool     `help:"Remove the accounts here too. Without it they stay as REVOKED."`
}

// revoked is what became of one account.
type revoked struct {
	ID      string   `json:"id"`
	Toolkit string   `json:"toolkit"`
	Tokens  []string `json:"revoked_tokens"`
	Deleted bool     `json:"deleted"`
	Error   string   `json:"error,omitempty"`
}

// Run revokes accounts. All are tried; it fails when one of them could not be revoked.
func (s *accountRevokeCmd) Run(c *console) error {
	if (len(s.IDs) == 0) == (s.User == "") {
		return wrongUsage("name accounts, or a user", "patchbay account revoke ca_…, or patchbay account revoke --user ID")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	accounts, err := s.accounts(ctx, client)
	if err != nil {
		return err
	}
	report, failed := make([]revoked, len(accounts)), 0
	for i, account := range accounts {
		report[i] = s.revoke(ctx, client, account)
		if report[i].Error != "" {
			failed++
		}
	}
	err = c.show(report, func(w io.Writer) {
		for _, r := range report {
			fmt.Fprintf(w, "%s  %s  %s\n", r.ID, r.Toolkit, r.outcome())
		}
		if len(report) == 0 {
			fmt.Fprintf(w, "%s has no ACTIVE account.\n", s.User)
		}
	})
	if err == nil && failed > 0 {
		err = &hintedError{fmt.Sprintf("%d of %d accounts were not revoked", failed, len(report)),
			"see the lines above; --delete removes them here in any case", exitFailed}
	}
	return err
}

func (s *accountRevokeCmd) accounts(ctx context.Context, client *patchbay.Client) ([]patchbay.ConnectedAccount, error) {
	var accounts []patchbay.ConnectedAccount
	for _, id := range s.IDs {
		account, err := client.ConnectedAccounts.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	if s.User == "" {
		return accounts, nil
	}
	filter := patchbay.AccountFilter{UserIDs: []string{s.User}, Statuses: []patchbay.AccountStatus{patchbay.StatusActive}}
	for account, err := range client.ConnectedAccounts.All(ctx, filter) {
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

func (s *accountRevokeCmd) revoke(ctx context.Context, client *patchbay.Client, account patchbay.ConnectedAccount) revoked {
	r := revoked{ID: account.ID, Toolkit: account.Toolkit.Slug, Tokens: []string{}}
	revocation, err := client.ConnectedAccounts.Revoke(ctx, account.ID)
	if err != nil {
		r.Error = explain(err).Message
	} else {
		r.Tokens = revocation.Tokens
	}
	if s.Delete {
		if err := client.ConnectedAccounts.Delete(ctx, account.ID); err != nil {
			r.Error = explain(err).Message
		} else {
			r.Deleted = true
		}
	}
	return r
}

func (r revoked) outcome() string {
	var parts []string
	switch {
	case r.Error != "":
		parts = append(parts, "not revoked: "+r.Error)
	case len(r.Tokens) > 0:
		parts = append(parts, "ended at the provider: "+strings.Join(r.Tokens, ", "))
	default:
		parts = append(parts, "REVOKED here; the provider has nothing to end")
	}
	if r.Deleted {
		parts = append(parts, "deleted here")
	}
	return strings.Join(parts, "; ")
}
