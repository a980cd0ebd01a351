package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay"
)

type sessionCmd struct {
	Create sessionCreateCmd `cmd:"" help:"Make a session for a user and print its MCP URL."`
	List   sessionListCmd   `cmd:"" help:"List sessions, newest first."`
	Show   sessionShowCmd   `cmd:"" help:"Show a session: its policy, and which accounts it would use."`
	Delete sessionDeleteCmd `cmd:"" help:"End sessions at once, their MCP URLs included."`
}

type sessionCreateCmd struct {
	clientFlags
	User     string        `required:"" placeholder:"ID" help:"The user, by any id of yours."`
	Toolkits []string      `placeholder:"SLUG" help:"Allow only these toolkits. Default: all."`
	Without  []string      `placeholder:"SLUG" help:"Allow all toolkits but these." xor:"toolkits"`
	ReadOnly bool          `help:"Allow only tools that change nothing."`
	Preload  []string      `placeholder:"TOOL" help:"Tools that the agent sees from the beginning; \"all\" for all that are allowed."`
	TTL      time.Duration `placeholder:"24h" help:"End the session after this time. Default: when it is deleted."`
}

// Run makes a session.
func (s *sessionCreateCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	session, err := client.Sessions.Create(ctx, s.request())
	if err != nil {
		return err
	}
	mcp := session.MCP()
	answer := sessionView{Session: session, MCP: mcp}
	return c.show(answer, func(w io.Writer) {
		header := ""
		for name, value := range mcp.Headers {
			header = name + ": " + value
		}
		fields(w, "session", session.ID, "user", session.UserID, "expires", when(session.ExpiresAt),
			"MCP URL", mcp.URL, "header", header)
		for _, warning := range session.Warnings {
			fmt.Fprintln(w, "warning:", warning.Message)
		}
		fmt.Fprintf(w, "\nThe header opens this session only and is not shown again. For Claude Code:\n\n  claude mcp add --transport http patchbay %s --header %s\n",
			mcp.URL, strconv.Quote(header))
	})
}

func (s *sessionCreateCmd) request() patchbay.NewSession {
	n := patchbay.NewSession{UserID: s.User, TTL: int(s.TTL.Seconds())}
	switch {
	case len(s.Toolkits) > 0:
		n.Toolkits = &patchbay.Filter{Enable: s.Toolkits}
	case len(s.Without) > 0:
		n.Toolkits = &patchbay.Filter{Disable: s.Without}
	}
	if s.ReadOnly {
		n.Tags = &patchbay.Filter{Enable: []string{"readOnlyHint"}}
	}
	switch {
	case len(s.Preload) == 1 && s.Preload[0] == "all":
		n.Preload = &patchbay.Preload{All: true}
	case len(s.Preload) > 0:
		n.Preload = &patchbay.Preload{Tools: s.Preload}
	}
	return n
}

// sessionView is a session with what an MCP client needs.
type sessionView struct {
	*patchbay.Session
	MCP      patchbay.MCP            `json:"mcp"`
	Toolkits []patchbay.ToolkitState `json:"toolkits,omitempty"`
}

type sessionListCmd struct {
	clientFlags
	User   []string `placeholder:"ID" help:"Only sessions of these users."`
	Search string   `placeholder:"TEXT" help:"Only sessions with this text in their id or their user's."`
	Limit  int      `default:"50" help:"How many at most. Default: ${default}"`
}

// Run lists sessions.
func (s *sessionListCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	page, err := client.Sessions.List(ctx, patchbay.SessionFilter{UserIDs: s.User, Search: s.Search, Limit: s.Limit})
	if err != nil {
		return err
	}
	return c.show(page, func(w io.Writer) {
		rows := make([][]string, len(page.Items))
		for i := range page.Items {
			item := &page.Items[i]
			rows[i] = []string{item.ID, item.UserID, when(item.CreatedAt), when(item.ExpiresAt)}
		}
		table(w, "SESSION USER CREATED EXPIRES", rows)
		more(w, len(page.Items), page.TotalItems)
	})
}

// more says how much of a list was left out.
func more(w io.Writer, shown, total int) {
	if total > shown {
		fmt.Fprintf(w, "… %d of %d; see --limit\n", shown, total)
	}
}

type sessionShowCmd struct {
	clientFlags
	ID string `arg:"" help:"The session (trs_…)."`
}

// Run shows a session and where its user stands with each toolkit.
func (s *sessionShowCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	session, err := client.Sessions.Use(ctx, s.ID)
	if err != nil {
		return err
	}
	toolkits, err := session.Toolkits(ctx, patchbay.ToolkitQuery{})
	if err != nil {
		return err
	}
	// The project's key, which MCP falls back to, is not repeated on the screen.
	view := sessionView{Session: session, MCP: patchbay.MCP{Type: "http", URL: session.MCP().URL}, Toolkits: toolkits}
	return c.show(view, func(w io.Writer) {
		fields(w, "session", session.ID, "user", session.UserID, "created", when(session.CreatedAt), "expires", when(session.ExpiresAt),
			"MCP URL", view.MCP.URL, "meta tools", strings.Join(session.MetaTools, "\n"), "policy version", strconv.Itoa(session.ConfigVersion))
		fmt.Fprintln(w)
		rows := make([][]string, len(toolkits))
		for i, t := range toolkits {
			rows[i] = []string{t.Slug, connectionOf(t)}
		}
		table(w, "TOOLKIT ACCOUNT", rows)
	})
}

// connectionOf says in a few words how a user stands to a toolkit.
func connectionOf(t patchbay.ToolkitState) string {
	switch {
	case t.NoAuth:
		return "not needed"
	case t.Account == nil:
		return "not connected"
	case t.Account.Status == patchbay.StatusActive:
		return t.Account.ID
	default:
		return t.Account.ID + " " + string(t.Account.Status)
	}
}

type sessionDeleteCmd struct {
	clientFlags
	IDs []string `arg:"" name:"id" help:"The sessions (trs_…)."`
}

// Run ends sessions.
func (s *sessionDeleteCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	for _, id := range s.IDs {
		if err := client.Sessions.Delete(ctx, id); err != nil {
			return err
		}
		answer := map[string]any{"session_id": id, "deleted": true}
		if err := c.show(answer, func(w io.Writer) { fmt.Fprintln(w, id, "deleted") }); err != nil {
			return err
		}
	}
	return nil
}
