package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay"
)

type accountRevokeCmd struct {
	clientFlags
	IDs         []string `arg:"" optional:"" name:"id" help:"The accounts (ca_…)."`
	All         bool     `help:"All accounts of the project, or all that the filters leave."`
	User        []string `placeholder:"ID" help:"Only accounts of these users."`
	Toolkits    []string `placeholder:"SLUG" help:"Only accounts of these toolkits."`
	AuthConfigs []string `name:"auth-configs" placeholder:"ac_…" help:"Only accounts of these auth configs."`
	Force       bool     `help:"Forget the secrets here also where the provider does not confirm. Without it such an account stays, to be tried again."`
	Delete      bool     `help:"Remove the accounts here too. Without it they stay as REVOKED."`
	Report      string   `placeholder:"FILE" help:"Write what became of each account to this file (JSON) and, readable, to one beside it (.txt). With --all: patchbay-revocation-<time>.json, if no other is named. A report that is there is continued."`
	Parallel    int      `default:"8" help:"How many accounts are revoked at a time. Default: ${default}"`
}

// Help says what revoking does.
func (accountRevokeCmd) Help() string {
	return "Each account is ended at its provider where that offers a way to, becomes REVOKED, its secrets are wiped, and open links to it are closed. What a provider does not let " +
		"us end, such as an API key, is listed to be ended there by hand. The command fails when a provider did not confirm; run again, it tries what is left."
}

// What becomes of an account, beside the outcomes that the server tells.
const (
	outcomeFailed   = "failed"
	outcomeNotTried = "not_tried"
)

// revoked is what became of one account.
type revoked struct {
	ID      string    `json:"id"`
	Toolkit string    `json:"toolkit"`
	User    string    `json:"user_id"`
	Before  string    `json:"status_before"`
	Status  string    `json:"status"`
	Outcome string    `json:"outcome"` // the server's, "failed" or "not_tried"
	Tokens  []string  `json:"revoked_tokens"`
	Message string    `json:"message,omitempty"`
	Links   int       `json:"links_closed"` // open Connect Links to it
	Deleted bool      `json:"deleted"`
	At      time.Time `json:"at,omitzero"`
}

// remains tells whether there is still something to do for us.
func (r revoked) remains() bool { return r.Outcome == outcomeFailed || r.Outcome == outcomeNotTried }

// revocationReport is what the command leaves in writing.
type revocationReport struct {
	Server     string         `json:"server"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt time.Time      `json:"finished_at"`
	Counts     map[string]int `json:"counts"` // by outcome
	Accounts   []revoked      `json:"accounts"`
}

// Run revokes accounts. All are tried; it fails when one of them could not be revoked.
func (s *accountRevokeCmd) Run(c *console) error {
	if chosen := s.All || len(s.User)+len(s.Toolkits)+len(s.AuthConfigs) > 0; chosen == (len(s.IDs) > 0) {
		return wrongUsage("name accounts, or say which: --all, --user, --toolkits, --auth-configs", "patchbay account revoke ca_…, or patchbay account revoke --user ID")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	if s.All && s.Report == "" {
		s.Report = "patchbay-revocation-" + time.Now().UTC().Format("20060102T150405Z") + ".json"
	}
	ctx, stop := interruptible()
	defer stop()
	report, err := s.begin()
	if err != nil {
		return err
	}
	accounts, err := s.accounts(ctx, client)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(s.revokeAll(ctx, c, client, accounts), s.wasDone)
	report.add(fresh)
	if err := s.write(report); err != nil {
		return err
	}
	if err := c.show(report, func(w io.Writer) { s.tell(w, fresh) }); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if left := report.remaining(); left > 0 {
		return &hintedError{fmt.Sprintf("%d of %d accounts were not revoked", left, len(report.Accounts)),
			"see the lines above, and run the command again; --force forgets the secrets here in any case", exitFailed}
	}
	return nil
}

// begin makes a report, or takes up the one that is there.
func (s *accountRevokeCmd) begin() (*revocationReport, error) {
	report := &revocationReport{Server: s.URL, StartedAt: time.Now().UTC()}
	if s.Report == "" {
		return report, nil
	}
	content, err := os.ReadFile(s.Report)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return report, s.write(report) // now, and not after everything is done, is the time to find that it cannot be written
	case err != nil:
		return nil, fmt.Errorf("read the report: %w", err)
	}
	if err := json.Unmarshal(content, report); err != nil {
		return nil, wrongUsage(s.Report+" is there and is not a report of a revocation", "name another file")
	}
	return report, nil
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
	if len(s.IDs) > 0 {
		return accounts, nil
	}
	filter := patchbay.AccountFilter{UserIDs: s.User, Toolkits: s.Toolkits, AuthConfigs: s.AuthConfigs, Limit: 100}
	for account, err := range client.ConnectedAccounts.All(ctx, filter) {
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account) // also those that are REVOKED: somebody may hold a link to one
	}
	return accounts, nil
}

// revokeAll revokes accounts, several at a time, and tells how far it is.
func (s *accountRevokeCmd) revokeAll(ctx context.Context, c *console, client *patchbay.Client, accounts []patchbay.ConnectedAccount) []revoked {
	results := make([]revoked, len(accounts))
	turns := make(chan struct{}, max(s.Parallel, 1))
	var running sync.WaitGroup
	var telling sync.Mutex
	done := 0
	for i, account := range accounts {
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			results[i] = s.revoke(ctx, client, account)
			telling.Lock()
			defer telling.Unlock()
			if done++; !c.json && (done%50 == 0 || done == len(accounts)) {
				fmt.Fprintf(c.err, "%d of %d accounts\n", done, len(accounts))
			}
		})
	}
	running.Wait()
	return results
}

// wasDone tells whether an account was REVOKED already and nobody held a link to it: the report says nothing of those.
func (s *accountRevokeCmd) wasDone(r revoked) bool {
	return len(s.IDs) == 0 && !s.Delete && r.Before == string(patchbay.StatusRevoked) && r.Links == 0 && r.Outcome != outcomeFailed
}

func (s *accountRevokeCmd) revoke(ctx context.Context, client *patchbay.Client, account patchbay.ConnectedAccount) revoked {
	r := revoked{ID: account.ID, Toolkit: account.Toolkit.Slug, User: account.UserID, Before: string(account.Status), Status: string(account.Status),
		Tokens: []string{}, Outcome: outcomeNotTried}
	if ctx.Err() != nil {
		return r
	}
	r.At = time.Now().UTC()
	revocation, err := client.ConnectedAccounts.End(ctx, account.ID, s.Force)
	var refused *patchbay.Error
	if errors.As(err, &refused) && refused.Status == http.StatusConflict { // the account was renewed in this very moment
		revocation, err = client.ConnectedAccounts.End(ctx, account.ID, s.Force)
	}
	if err != nil {
		r.Outcome, r.Message = outcomeFailed, explain(err).Message
		return r
	}
	r.Outcome, r.Message, r.Tokens, r.Status = revocation.Outcome, revocation.Message, revocation.Tokens, string(revocation.Account.Status)
	r.Links = revocation.Links
	if s.Delete {
		if err := client.ConnectedAccounts.Delete(ctx, account.ID); err != nil {
			r.Outcome, r.Message = outcomeFailed, explain(err).Message
		} else {
			r.Deleted = true
		}
	}
	return r
}

// add puts results into the report, in the place of earlier ones of the same accounts.
func (r *revocationReport) add(results []revoked) {
	place := make(map[string]int, len(r.Accounts))
	for i, account := range r.Accounts {
		place[account.ID] = i
	}
	for _, result := range results {
		switch i, ok := place[result.ID]; {
		case ok && result.Before == string(patchbay.StatusRevoked) && !result.Deleted: // how it ended was told before
			r.Accounts[i].Links += result.Links
		case ok:
			r.Accounts[i] = result
		default:
			r.Accounts = append(r.Accounts, result)
		}
	}
	r.FinishedAt = time.Now().UTC()
	r.Counts = make(map[string]int)
	for _, account := range r.Accounts {
		r.Counts[account.Outcome]++
	}
}

func (r *revocationReport) remaining() int {
	return r.Counts[outcomeFailed] + r.Counts[outcomeNotTried]
}

// links is how many links were closed.
func (r *revocationReport) links() (n int) {
	for _, account := range r.Accounts {
		n += account.Links
	}
	return n
}

// write puts the report into its files.
func (s *accountRevokeCmd) write(r *revocationReport) error {
	if s.Report == "" {
		return nil
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	var text strings.Builder
	r.text(&text)
	err = os.WriteFile(s.Report, append(content, '\n'), 0o600)
	return errors.Join(err, os.WriteFile(strings.TrimSuffix(s.Report, filepath.Ext(s.Report))+".txt", []byte(text.String()), 0o600))
}

// text writes the report for people.
func (r *revocationReport) text(w io.Writer) {
	fmt.Fprintf(w, "Revocation of connected accounts at %s\n", r.Server)
	fmt.Fprintf(w, "from %s to %s (UTC)\n\n", r.StartedAt.Format(time.DateTime), r.FinishedAt.Format(time.DateTime))
	fmt.Fprintf(w, "%5d ended at their providers\n", r.Counts["ended_at_provider"])
	fmt.Fprintf(w, "%5d ended here, to be ended at the provider by hand\n", r.Counts["by_hand"])
	fmt.Fprintf(w, "%5d forgotten here without the provider's confirmation\n", r.Counts["unconfirmed"])
	fmt.Fprintf(w, "%5d had nothing to end\n", r.Counts["nothing_to_end"])
	fmt.Fprintf(w, "%5d not revoked\n\n", r.remaining())
	fmt.Fprintf(w, "%5d open links to them closed\n\n", r.links())
	rows := make([][]string, len(r.Accounts))
	for i, a := range r.Accounts {
		rows[i] = []string{a.ID, a.Toolkit, a.User, a.Before, a.Status, a.At.Format(time.DateTime), a.outcome()}
	}
	table(w, "ACCOUNT TOOLKIT USER BEFORE NOW AT OUTCOME", rows)
}

// tell says what became of the accounts of this run: all of few, of many those that somebody has to look at.
func (s *accountRevokeCmd) tell(w io.Writer, results []revoked) {
	if len(results) == 0 {
		fmt.Fprintln(w, "There is no account to revoke.")
	}
	for _, r := range results {
		if len(results) <= 100 || r.remains() {
			fmt.Fprintf(w, "%s  %s  %s\n", r.ID, r.Toolkit, r.outcome())
		}
	}
	if s.Report != "" {
		fmt.Fprintf(w, "The report is in %s, and readable beside it.\n", s.Report)
	}
}

func (r revoked) outcome() string {
	var parts []string
	switch r.Outcome {
	case outcomeNotTried:
		parts = append(parts, "not tried")
	case outcomeFailed:
		parts = append(parts, "not revoked: "+r.Message)
	case "ended_at_provider":
		parts = append(parts, "ended at the provider: "+strings.Join(r.Tokens, ", "))
	default:
		parts = append(parts, r.Status+" here; "+r.Message)
	}
	if r.Links > 0 {
		parts = append(parts, fmt.Sprintf("%d open links closed", r.Links))
	}
	if r.Deleted {
		parts = append(parts, "deleted here")
	}
	return strings.Join(parts, "; ")
}
