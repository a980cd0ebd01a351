package api

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type searchSessionRequest struct {
	SessionID    string                    `path:"session_id" json:"-"`
	Queries      []searchQueryBody         `json:"queries"`
	Model        string                    `json:"model"`
	Toolkits     stringOrList              `json:"toolkits"`
	Session      workflowBody              `json:"session"`
	Experimental optional[customToolsBody] `json:"experimental"`
}

type searchQueryBody struct {
	UseCase     string `json:"use_case"`
	KnownFields string `json:"known_fields"`
}

type workflowBody struct {
	ID         string `json:"id"`
	GenerateID bool   `json:"generate_id"`
}

// What a search may hold (API contract section 6.8). Lengths are in characters.
const (
	mostQueries        = 7
	longestUseCase     = 1024
	longestKnownFields = 500
)

// searchSession finds tools for tasks in plain words, among those that the session may use.
func (a *api) searchSession(ctx context.Context, caller tenant.Caller, in searchSessionRequest) (session.SearchAnswer, error) {
	if faults := in.faults(); len(faults) > 0 {
		return session.SearchAnswer{}, invalidSession(faults)
	}
	return a.sessions.Search(ctx, caller, in.SessionID, session.SearchRequest{
		Queries:  mapped(in.Queries, func(q searchQueryBody) session.SearchQuery { return session.SearchQuery(q) }),
		Model:    in.Model,
		Toolkits: in.Toolkits,
		Custom:   in.Experimental.Value.custom(),
		Workflow: session.WorkflowRef{ID: in.Session.ID, Generate: in.Session.GenerateID},
	})
}

func (in searchSessionRequest) faults() (faults []string) {
	if len(in.Queries) == 0 || len(in.Queries) > mostQueries {
		faults = append(faults, fmt.Sprintf("queries: expected 1 to %d, got %d", mostQueries, len(in.Queries)))
	}
	for i, q := range in.Queries {
		where := at("queries", i)
		switch n := utf8.RuneCountInString(q.UseCase); {
		case n == 0:
			faults = append(faults, where+".use_case: is required, what is to be done in plain words")
		case n > longestUseCase:
			faults = append(faults, fmt.Sprintf("%s.use_case: at most %d characters, got %d", where, longestUseCase, n))
		}
		if n := utf8.RuneCountInString(q.KnownFields); n > longestKnownFields {
			faults = append(faults, fmt.Sprintf("%s.known_fields: at most %d characters, got %d", where, longestKnownFields, n))
		}
	}
	return faults
}
