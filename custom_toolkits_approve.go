package patchbay

import "context"

// PendingChanges are what an MCP server changed in its tools and nobody has approved yet. Sessions see the approved tools.
type PendingChanges struct {
	Slug      string       `json:"slug"`
	Name      string       `json:"name"`
	OnChange  string       `json:"on_change"` // "refuse", "run" or "follow"
	Revision  string       `json:"revision"`  // names these changes, for Approve; empty when there are none
	Changes   []ToolChange `json:"changes"`
	CheckedAt string       `json:"checked_at"`
	Problem   string       `json:"problem"` // why the server could not be asked the last time
}

// ToolChange is one tool that changed.
type ToolChange struct {
	Tool string `json:"tool_slug"`
	Name string `json:"name"` // as the server names it
	Kind string `json:"kind"` // "added", "changed" or "removed"
	Diff string `json:"diff"` // lines that begin with "+", "-" or a blank
}

// Pending gives what waits for approval in the project's MCP servers that were synced, or in one of them.
func (s CustomToolkits) Pending(ctx context.Context, slug string) ([]PendingChanges, error) {
	var answer struct {
		Items []PendingChanges `json:"items"`
	}
	err := s.t.get(ctx, "/custom/toolkits/changes", queryOf("toolkit_slug", slug), &answer)
	return answer.Items, err
}

// Approve takes changes over: those of the named tools, or all. The revision says which were seen; when the server has changed
// something more since, nothing is approved. It gives what is left.
func (s CustomToolkits) Approve(ctx context.Context, slug, revision string, tools ...string) (PendingChanges, error) {
	var answer struct {
		Pending PendingChanges `json:"pending"`
	}
	body := struct {
		Slug     string   `json:"slug"`
		Revision string   `json:"revision"`
		Tools    []string `json:"tools,omitempty"`
	}{slug, revision, tools}
	err := s.t.post(ctx, "/custom/toolkits/approve", body, &answer)
	return answer.Pending, err
}
