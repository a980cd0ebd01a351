package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/app/config"
)

type doctorCmd struct {
	kong.Plugins
	settings *settingsFlags

	URL     string `name:"url" placeholder:"URL" help:"With --session: address of the server ($$PATCHBAY_URL, $$COMPOSIO_BASE_URL). Default: http://127.0.0.1:8484"`
	Session string `placeholder:"trs_…" help:"Explain instead why this session can or cannot use its toolkits (asks the server)."`
	Toolkit string `placeholder:"SLUG" help:"With --session: only this toolkit."`
}

// Run checks the server's surroundings, or explains a session.
func (s *doctorCmd) Run(c *console) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, err := s.settings.load(c)
	if err != nil {
		return err
	}
	if s.Session != "" {
		return s.explainSession(ctx, c, cfg)
	}
	report := struct {
		Settings []config.Line `json:"settings"`
		Findings []app.Finding `json:"findings"`
	}{cfg.Lines(), app.Diagnose(ctx, app.Options{Config: cfg})}
	err = c.show(report, func(w io.Writer) {
		printFindings(w, report.Findings)
		fmt.Fprintln(w)
		var rows [][]string
		for _, line := range report.Settings {
			if line.From != "default" {
				rows = append(rows, []string{line.Key, line.Value, line.From})
			}
		}
		table(w, "SETTING VALUE FROM", append(rows, []string{"everything else", "", "default"}))
	})
	if err != nil {
		return err
	}
	return verdictOf(report.Findings)
}

func printFindings(w io.Writer, findings []app.Finding) {
	signs := map[app.Verdict]string{app.Fine: "ok", app.Warning: "warning", app.Problem: "PROBLEM"}
	for _, f := range findings {
		fmt.Fprintf(w, "%-8s %-14s %s\n", signs[f.Verdict], f.Check, strings.ReplaceAll(f.Message, "\n", "\n"+strings.Repeat(" ", 24)))
		if f.Fix != "" {
			fmt.Fprintf(w, "%-23s fix: %s\n", "", f.Fix)
		}
	}
}

// verdictOf makes the command fail when something does not work.
func verdictOf(findings []app.Finding) error {
	problems := 0
	for _, f := range findings {
		if f.Verdict == app.Problem {
			problems++
		}
	}
	if problems == 0 {
		return nil
	}
	return &hintedError{fmt.Sprintf("%d of %d checks found a problem", problems, len(findings)), "see the lines marked PROBLEM", exitFailed}
}

// explainSession says for each toolkit of a session whether its tools can be called now, and if not, why not and what to do.
func (s *doctorCmd) explainSession(ctx context.Context, c *console, cfg config.Config) error {
	client, err := clientFlags{URL: s.URL, APIKey: cfg.APIKey.Reveal()}.client()
	if err != nil {
		return err
	}
	session, err := client.Sessions.Use(ctx, s.Session)
	if err != nil {
		return err
	}
	query := patchbay.ToolkitQuery{}
	if s.Toolkit != "" {
		if _, err := client.Toolkits.Get(ctx, s.Toolkit); err != nil {
			return err // the server names the nearest ones
		}
		query.Slugs = []string{s.Toolkit}
	}
	states, err := session.Toolkits(ctx, query)
	if err != nil {
		return err
	}
	findings := make([]app.Finding, 0, len(states))
	for _, state := range states {
		findings = append(findings, explainToolkit(session, state))
	}
	if s.Toolkit != "" && !slices.ContainsFunc(states, func(t patchbay.ToolkitState) bool { return strings.EqualFold(t.Slug, s.Toolkit) }) {
		findings = append(findings, app.Finding{Check: s.Toolkit, Verdict: app.Problem,
			Message: "the session's policy leaves it out", Fix: "make a session that enables it, or update this one's toolkits"})
	}
	if err := c.show(findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
		return err
	}
	return verdictOf(findings)
}

func explainToolkit(session *patchbay.Session, t patchbay.ToolkitState) app.Finding {
	reconnect := fmt.Sprintf("patchbay connect %s --user %s", t.Slug, session.UserID)
	f := app.Finding{Check: t.Slug, Verdict: app.Problem}
	switch {
	case t.Problem != "":
		f.Message, f.Fix = t.Problem, reconnect
	case !t.Enabled:
		f.Message, f.Fix = "the session's policy leaves it out", "make a session that enables it, or update this one's toolkits"
	case t.NoAuth:
		f.Verdict, f.Message = app.Fine, "needs no account"
	case t.Account == nil:
		f.Verdict, f.Message, f.Fix = app.Warning, session.UserID+" has no account connected", reconnect
	case t.Account.Status != patchbay.StatusActive:
		f.Message, f.Fix = fmt.Sprintf("account %s is %s", t.Account.ID, t.Account.Status), reconnect
	default:
		f.Verdict, f.Message = app.Fine, "would use account "+t.Account.ID
	}
	return f
}
