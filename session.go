package patchbay

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// Session is one user's workspace over all of the user's apps. In lists, of the fields only those that tell sessions apart
// are set: no Config, no MetaTools.
type Session struct {
	ID            string        `json:"session_id"`
	UserID        string        `json:"user_id"`
	Config        SessionConfig `json:"config"`
	ConfigVersion int           `json:"config_version"`
	MetaTools     []string      `json:"tool_router_tools"` // the tools by which an agent finds and runs others
	Warnings      []Warning     `json:"warnings"`
	CreatedAt     time.Time     `json:"created_at"`
	ExpiresAt     time.Time     `json:"expires_at"` // zero: never

	mcp MCP // as the server sent it
	t   *transport
}

// UnmarshalJSON reads the API's form of a session.
func (s *Session) UnmarshalJSON(content []byte) error {
	type plain Session // without this method
	wire := struct {
		*plain
		MCP MCP `json:"mcp"`
	}{plain: (*plain)(s)}
	err := json.Unmarshal(content, &wire)
	s.mcp = wire.MCP
	if s.UserID == "" { // lists say it outside the configuration, which they leave out
		s.UserID = s.Config.UserID
	}
	return err
}

// Warning tells of something that was accepted but may surprise.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// MCP is where and how an MCP client reaches a session.
type MCP struct {
	Type    string            `json:"type"` // "http"
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// MCP gives what an MCP client needs. The headers hold the session's own token where the server sent one, which is when the
// session is made; else the project's key, and that only if the URL is on the server this client talks to.
func (s *Session) MCP() MCP {
	mcp := s.mcp
	mcp.Headers = maps.Clone(s.mcp.Headers)
	if len(mcp.Headers) == 0 && s.t != nil && sameOrigin(mcp.URL, s.t.base) {
		mcp.Headers = map[string]string{"x-api-key": s.t.key}
	}
	return mcp
}

func sameOrigin(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

// Call is one run of a tool.
type Call struct {
	Tool           string // slug, for example "GITHUB_CREATE_AN_ISSUE"
	Arguments      any    // encodes to a JSON object; nil for none
	Account        string // which of the user's accounts: an id, an alias or a word id; empty lets the session choose
	IdempotencyKey string // a repeat with the same key within 24 hours answers the first result and does nothing
}

// Result is what a tool answered.
type Result struct {
	Data  json.RawMessage `json:"data"` // a JSON object
	LogID string          `json:"log_id"`
}

// Decode reads Data into the value that v points to.
func (r Result) Decode(v any) error { return json.Unmarshal(r.Data, v) }

// Execute runs a tool of an app, or one of the session's meta tools, under the session's policy. A tool that ran and failed
// is a *ToolError; the Result then holds what it said besides.
func (s *Session) Execute(ctx context.Context, c Call) (Result, error) {
	path, err := sessionPath(s.ID, "/execute")
	if err != nil {
		return Result{}, err
	}
	body := struct {
		Tool      string `json:"tool_slug"`
		Arguments any    `json:"arguments,omitempty"`
		Account   string `json:"account,omitempty"`
	}{c.Tool, c.Arguments, c.Account}
	return execute(ctx, s.t, path, c, body)
}

func execute(ctx context.Context, t *transport, path string, c Call, body any) (Result, error) {
	if c.Tool == "" {
		return Result{}, errors.New("patchbay: Call.Tool must not be empty")
	}
	header := http.Header{}
	if c.IdempotencyKey != "" {
		header.Set("Idempotency-Key", c.IdempotencyKey)
	}
	var answer struct {
		Result
		Error *string `json:"error"`
	}
	err := t.do(ctx, request{method: http.MethodPost, path: path, body: body, header: header}, &answer)
	if err != nil {
		return Result{}, err
	}
	if answer.Error != nil && *answer.Error != "" {
		return answer.Result, &ToolError{Tool: c.Tool, Message: *answer.Error, LogID: answer.LogID}
	}
	return answer.Result, nil
}

// Tools lists what the session shows to an agent: the meta tools, then the preloaded app tools.
func (s *Session) Tools(ctx context.Context) ([]Tool, error) {
	path, err := sessionPath(s.ID, "/tools")
	if err != nil {
		return nil, err
	}
	return collect(all[Tool](ctx, s.t, path, queryOf("limit", "500")))
}

// ToolkitState is a toolkit as the session's user stands to it.
type ToolkitState struct {
	Slug    string            `json:"slug"`
	Name    string            `json:"name"`
	Enabled bool              `json:"enabled"`
	NoAuth  bool              `json:"is_no_auth"`                    // works without an account
	Managed []string          `json:"composio_managed_auth_schemes"` // schemes for which the operator registered an app
	Account *ConnectedAccount `json:"connected_account"`             // the one that would be used; nil when there is none
	Problem string            `json:"problem"`                       // why a pinned account cannot be used, and how to mend it
}

// Connected reports whether the toolkit's tools can be run now.
func (t ToolkitState) Connected() bool {
	return t.NoAuth || t.Account != nil && t.Account.Status == StatusActive
}

// ToolkitQuery narrows Toolkits; zero values do not filter.
type ToolkitQuery struct {
	Slugs     []string
	Connected bool // only those with an ACTIVE account
	Search    string
}

// Toolkits lists the toolkits of the session with the account each would use.
func (s *Session) Toolkits(ctx context.Context, q ToolkitQuery) ([]ToolkitState, error) {
	path, err := sessionPath(s.ID, "/toolkits")
	if err != nil {
		return nil, err
	}
	query := queryOf("toolkits", comma(q.Slugs), "search", q.Search, "limit", "50")
	if q.Connected {
		query.Set("is_connected", "true")
	}
	return collect(all[ToolkitState](ctx, s.t, path, query))
}

// Authorization says what Authorize is for. Only Toolkit is required.
type Authorization struct {
	Toolkit     string `json:"toolkit"`
	CallbackURL string `json:"callback_url,omitempty"` // where the user's browser goes afterwards
	Alias       string `json:"alias,omitempty"`        // a name for the account
}

// Authorize starts a connection for the session's user: send the user to the link's URL, then Wait.
func (s *Session) Authorize(ctx context.Context, a Authorization) (*Link, error) {
	path, err := sessionPath(s.ID, "/link")
	if err != nil {
		return nil, err
	}
	link := &Link{t: s.t}
	if err := s.t.post(ctx, path, a, link); err != nil {
		return nil, err
	}
	return link, nil
}

// Delete ends the session.
func (s *Session) Delete(ctx context.Context) error { return Sessions{s.t}.Delete(ctx, s.ID) }
