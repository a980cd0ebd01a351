package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"

	"github.com/patchbay-dev/patchbay"
)

type migrateCmd struct {
	Server migrateServerCmd `cmd:"" help:"Move an MCP server of the older API to sessions: print the equivalent create call, or make the sessions."`
}

type migrateServerCmd struct {
	clientFlags
	ID     string   `arg:"" help:"Id of the server."`
	User   []string `placeholder:"ID" help:"Only for these users. Default: all users of the server."`
	Create bool     `help:"Make a session for each user and print its MCP URL."`
}

// migrated is a server in the words of sessions.
type migrated struct {
	Server     string            `json:"server"`
	Python     string            `json:"python"`
	TypeScript string            `json:"typescript"`
	Go         string            `json:"go"`
	Sessions   []migratedSession `json:"sessions"`
}

type migratedSession struct {
	UserID    string            `json:"user_id"`
	SessionID string            `json:"session_id"`
	URL       string            `json:"mcp_url"`
	Headers   map[string]string `json:"mcp_headers"` // open this session only; shown once
}

// Run prints what a server is as a session, and makes the sessions if that was asked for.
func (m *migrateServerCmd) Run(c *console) error {
	client, err := m.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	server, err := client.MCPServers.Get(ctx, m.ID)
	if err != nil {
		return err
	}
	wanted, err := sessionOf(ctx, client, server)
	if err != nil {
		return err
	}
	answer := migrated{
		Server: server.ID, Python: inPython(wanted), TypeScript: inTypeScript(wanted), Go: inGo(wanted), Sessions: []migratedSession{},
	}
	if m.Create {
		if answer.Sessions, err = m.create(ctx, client, wanted); err != nil {
			return err
		}
	}
	return c.show(answer, func(w io.Writer) { answer.print(w, m) })
}

func (a migrated) print(w io.Writer, m *migrateServerCmd) {
	fmt.Fprintf(w, "Python\n\n%s\nTypeScript\n\n%s\nGo\n\n%s\n", a.Python, a.TypeScript, a.Go)
	fmt.Fprintln(w, "The users' accounts are picked up: nobody has to connect anything again. Leave the preset out to let agents find tools at run time.")
	if !m.Create {
		fmt.Fprintf(w, "To make the sessions of the server's users now: patchbay migrate server %s --create\n", m.ID)
		return
	}
	if len(a.Sessions) == 0 {
		fmt.Fprintln(w, "The server has no users yet; name some with --user.")
	}
	for _, s := range a.Sessions {
		fmt.Fprintln(w)
		fields(w, "user", s.UserID, "session", s.SessionID, "MCP URL", s.URL, "header", "Authorization: "+s.Headers["Authorization"])
	}
}

// sessionOf translates a server: the same toolkits, auth configs and tools, listed as they are, with nothing besides.
func sessionOf(ctx context.Context, client *patchbay.Client, server patchbay.MCPServer) (patchbay.NewSession, error) {
	n := patchbay.NewSession{
		UserID:            "YOUR_USER_ID",
		Toolkits:          &patchbay.Filter{Enable: server.Toolkits},
		AuthConfigs:       map[string]string{},
		ManageConnections: &patchbay.ManageConnections{Enable: false},
		Preload:           &patchbay.Preload{All: true},
		Search:            &patchbay.Switch{Enable: false},
		Execute:           &patchbay.ExecuteSwitch{Multi: false},
		Workbench:         &patchbay.Workbench{Enable: false},
	}
	for _, id := range server.AuthConfigIDs {
		config, err := client.AuthConfigs.Get(ctx, id)
		if refused := (*patchbay.Error)(nil); errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			continue // deleted since; its toolkit's accounts went with it
		}
		if err != nil {
			return n, err
		}
		n.AuthConfigs[config.Toolkit.Slug] = id
	}
	if len(server.AllowedTools) == 0 {
		return n, nil
	}
	n.Tools = map[string]patchbay.ToolPolicy{}
	for _, slug := range server.AllowedTools {
		tool, err := client.Tools.Get(ctx, slug)
		if err != nil {
			return n, err
		}
		policy := n.Tools[tool.Toolkit.Slug]
		policy.Enable = append(policy.Enable, tool.Slug)
		n.Tools[tool.Toolkit.Slug] = policy
	}
	// A toolkit of which no tool was allowed has no part in the session.
	n.Toolkits.Enable = slices.DeleteFunc(slices.Clone(server.Toolkits), func(slug string) bool { return len(n.Tools[slug].Enable) == 0 })
	return n, nil
}

// create makes a session for each user, and gives those that it made, also when it fails.
func (m *migrateServerCmd) create(ctx context.Context, client *patchbay.Client, template patchbay.NewSession) ([]migratedSession, error) {
	sessions := []migratedSession{}
	for user, err := range m.users(ctx, client) {
		if err != nil {
			return sessions, err
		}
		n := template
		n.UserID = user.UserID
		if user.AccountID != "" {
			account, err := client.ConnectedAccounts.Get(ctx, user.AccountID)
			if err != nil {
				return sessions, err
			}
			n.UserID = account.UserID
			n.ConnectedAccounts = map[string][]string{account.Toolkit.Slug: {account.ID}}
		}
		session, err := client.Sessions.Create(ctx, n)
		if err != nil {
			return sessions, err
		}
		mcp := session.MCP()
		sessions = append(sessions, migratedSession{UserID: n.UserID, SessionID: session.ID, URL: mcp.URL, Headers: mcp.Headers})
	}
	return sessions, nil
}

// users goes through the users that were named, or else through all that the server has.
func (m *migrateServerCmd) users(ctx context.Context, client *patchbay.Client) iter.Seq2[patchbay.MCPInstance, error] {
	if len(m.User) == 0 {
		return client.MCPServers.Instances(ctx, m.ID)
	}
	return func(yield func(patchbay.MCPInstance, error) bool) {
		for _, id := range m.User {
			if !yield(patchbay.MCPInstance{UserID: id}, nil) {
				return
			}
		}
	}
}
