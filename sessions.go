package patchbay

import (
	"context"
	"iter"
	"net/url"
)

// Sessions makes, finds and ends sessions. Get it from a Client.
type Sessions struct{ t *transport }

// NewSession describes a session to make. Only UserID is required: by default a session may use every toolkit and finds its
// tools at run time.
type NewSession struct {
	UserID   string                `json:"user_id"` // any text by which your application knows the user
	Toolkits *Filter               `json:"toolkits,omitempty"`
	Tools    map[string]ToolPolicy `json:"tools,omitempty"` // by toolkit slug
	Tags     *Filter               `json:"tags,omitempty"`  // of readOnlyHint, destructiveHint, idempotentHint, openWorldHint

	AuthConfigs       map[string]string   `json:"auth_configs,omitempty"`       // by toolkit slug: which "ac_…" new accounts use
	ToolkitVersions   map[string]string   `json:"toolkit_versions,omitempty"`   // by toolkit slug: "20261122_00"; else the latest
	ConnectedAccounts map[string][]string `json:"connected_accounts,omitempty"` // by toolkit slug: exactly these "ca_…"

	ManageConnections *ManageConnections `json:"manage_connections,omitempty"`
	MultiAccount      *MultiAccount      `json:"multi_account,omitempty"`
	Preload           *Preload           `json:"preload,omitempty"`
	Search            *Switch            `json:"search,omitempty"`
	Execute           *ExecuteSwitch     `json:"execute,omitempty"`
	Workbench         *Workbench         `json:"workbench,omitempty"`
	TTL               int                `json:"ttl_seconds,omitempty"` // 0: until it is deleted
}

// Create makes a session. Every call makes a new one.
func (s Sessions) Create(ctx context.Context, n NewSession) (*Session, error) {
	session := &Session{t: s.t}
	if err := s.t.post(ctx, "/tool_router/session", n, session); err != nil {
		return nil, err
	}
	return session, nil
}

// Use gets a session that exists. The session's own token is only known when it is made; MCP of a session got by Use
// authenticates with the project's key.
func (s Sessions) Use(ctx context.Context, id string) (*Session, error) {
	path, err := sessionPath(id, "")
	if err != nil {
		return nil, err
	}
	session := &Session{t: s.t}
	if err := s.t.get(ctx, path, nil, session); err != nil {
		return nil, err
	}
	return session, nil
}

// Delete ends a session at once, its MCP URL included.
func (s Sessions) Delete(ctx context.Context, id string) error {
	path, err := sessionPath(id, "")
	if err != nil {
		return err
	}
	return s.t.delete(ctx, path, nil)
}

// SessionFilter narrows a list of sessions; zero values do not filter.
type SessionFilter struct {
	UserIDs []string
	Search  string // part of an id or user id
	Limit   int    // page size; 0: the server's
	Cursor  string
}

func (f SessionFilter) query() url.Values {
	return queryOf("user_ids", comma(f.UserIDs), "search", f.Search, "limit", number(f.Limit), "cursor", f.Cursor)
}

// List gives one page of the project's sessions, newest first.
func (s Sessions) List(ctx context.Context, f SessionFilter) (Page[Session], error) {
	page, err := list[Session](ctx, s.t, "/tool_router/session", f.query())
	for i := range page.Items {
		page.Items[i].t = s.t
	}
	return page, err
}

// All goes through all sessions that match, newest first.
func (s Sessions) All(ctx context.Context, f SessionFilter) iter.Seq2[*Session, error] {
	return func(yield func(*Session, error) bool) {
		for session, err := range all[Session](ctx, s.t, "/tool_router/session", f.query()) {
			if err != nil {
				yield(nil, err)
				return
			}
			session.t = s.t
			if !yield(&session, nil) {
				return
			}
		}
	}
}

func sessionPath(id, rest string) (string, error) {
	escaped, err := segment("the session's id", id)
	return "/tool_router/session/" + escaped + rest, err
}
