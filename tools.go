package patchbay

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
)

// Tools finds and runs tools outside any session. Get it from a Client.
type Tools struct{ t *transport }

// Tool is one thing that can be done in an app.
type Tool struct {
	Slug        string          `json:"slug"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Toolkit     ToolkitRef      `json:"toolkit"`
	Input       json.RawMessage `json:"input_parameters"`  // JSON Schema of the arguments
	Output      json.RawMessage `json:"output_parameters"` // JSON Schema of the answer
	NoAuth      bool            `json:"no_auth"`
	Version     string          `json:"version"`
	Scopes      []string        `json:"scopes"`
	Tags        []string        `json:"tags"`
}

// ToolkitRef names a toolkit.
type ToolkitRef struct {
	Slug string `json:"slug"`
	Name string `json:"name,omitempty"`
}

// ToolFilter narrows a list of tools; zero values do not filter.
type ToolFilter struct {
	Toolkits  []string
	Slugs     []string
	Tags      []string
	Search    string
	Important bool // only those that their toolkit marks as important
	Limit     int
	Cursor    string
}

func (f ToolFilter) query() url.Values {
	query := queryOf("toolkit_slug", comma(f.Toolkits), "tool_slugs", comma(f.Slugs), "tags", comma(f.Tags),
		"query", f.Search, "limit", number(f.Limit), "cursor", f.Cursor)
	if f.Important {
		query.Set("important", "true")
	}
	return query
}

// List gives one page of tools.
func (s Tools) List(ctx context.Context, f ToolFilter) (Page[Tool], error) {
	return list[Tool](ctx, s.t, "/tools", f.query())
}

// All goes through all tools that match.
func (s Tools) All(ctx context.Context, f ToolFilter) iter.Seq2[Tool, error] {
	return all[Tool](ctx, s.t, "/tools", f.query())
}

// Get gives a tool by its slug, or by an older name of it.
func (s Tools) Get(ctx context.Context, slug string) (Tool, error) {
	var tool Tool
	escaped, err := segment("the tool's slug", slug)
	if err != nil {
		return tool, err
	}
	err = s.t.get(ctx, "/tools/"+escaped, nil, &tool)
	return tool, err
}

// Execute runs a tool for a user without a session. Call.Account must be empty or the id ("ca_…") of an account. A tool that
// ran and failed is a *ToolError.
func (s Tools) Execute(ctx context.Context, userID string, c Call) (Result, error) {
	body := struct {
		UserID    string `json:"user_id"`
		Arguments any    `json:"arguments,omitempty"`
		Account   string `json:"connected_account_id,omitempty"`
		Version   string `json:"version"`
	}{userID, c.Arguments, c.Account, "latest"}
	return execute(ctx, s.t, "/tools/execute/"+url.PathEscape(c.Tool), c, body)
}
