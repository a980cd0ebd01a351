package patchbay

import (
	"context"
	"encoding/json"
)

// SearchQuery is one thing that is to be done.
type SearchQuery struct {
	UseCase string `json:"use_case"`               // in plain words: "send an email to a colleague"
	Known   string `json:"known_fields,omitempty"` // "channel: #general, user: ada"
}

// SearchAnswer says which tools do what was asked for, and what stands in the way.
type SearchAnswer struct {
	Results     []SearchResult        `json:"results"` // one per query
	Connections []SearchConnection    `json:"toolkit_connection_statuses"`
	Schemas     map[string]ToolSchema `json:"tool_schemas"` // by tool slug
	NextSteps   []string              `json:"next_steps_guidance"`
}

// SearchResult answers one query.
type SearchResult struct {
	UseCase  string   `json:"use_case"`
	Primary  []string `json:"primary_tool_slugs"`
	Related  []string `json:"related_tool_slugs"`
	Toolkits []string `json:"toolkits"`
	Plan     []string `json:"recommended_plan_steps"`
	Pitfalls []string `json:"known_pitfalls"`
}

// SearchConnection says whether the user can use a toolkit that was found.
type SearchConnection struct {
	Toolkit   string `json:"toolkit"`
	Connected bool   `json:"has_active_connection"`
	Message   string `json:"status_message"`
}

// ToolSchema is a found tool, with what it needs.
type ToolSchema struct {
	Slug        string          `json:"tool_slug"`
	Toolkit     string          `json:"toolkit"`
	Description string          `json:"description"`
	Input       json.RawMessage `json:"input_schema"` // a JSON Schema; may be absent for very large ones
}

// Search finds tools for one to seven use cases among those the session may use.
func (s *Session) Search(ctx context.Context, queries ...SearchQuery) (SearchAnswer, error) {
	path, err := sessionPath(s.ID, "/search")
	if err != nil {
		return SearchAnswer{}, err
	}
	body := struct {
		Queries []SearchQuery `json:"queries"`
	}{queries}
	var answer SearchAnswer
	err = s.t.post(ctx, path, body, &answer)
	return answer, err
}
