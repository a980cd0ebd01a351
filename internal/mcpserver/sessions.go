package mcpserver

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Sessions is what the edge needs of sessions. Of gives it for session.Service.
type Sessions interface {
	// Open gives the view of a session. Faults: Unauthorized, Forbidden, NotFound.
	Open(ctx context.Context, c tenant.Caller, id string) (View, error)
	// Personal gives the session behind a user's personal endpoint, and makes it if there is none. Faults: Forbidden, Invalid.
	Personal(ctx context.Context, c tenant.Caller, userID string) (id string, view View, err error)
	// Execute runs a tool of a session. A fault of kind NotFound means there is no such tool.
	Execute(ctx context.Context, c tenant.Caller, id string, call session.ToolCall) (Outcome, error)
	// Authenticate finds the caller behind a session token.
	Authenticate(ctx context.Context, token string) (tenant.Caller, error)
}

// View is what one session's user sees.
type View interface {
	Tools() []session.ToolSpec // in a fixed order; not to be changed
	ToolsKey() string          // identifies the answer of Tools
}

// Outcome is what a call came to.
type Outcome struct {
	session.Outcome
	// Content holds MCP content blocks, as a JSON array, of a tool that answers in such blocks itself. They are handed on as
	// they are, in place of the text that other answers get.
	Content json.RawMessage
}

// Of makes a session.Service usable here.
func Of(s *session.Service) Sessions { return service{s} }

type service struct{ *session.Service }

func (s service) Open(ctx context.Context, c tenant.Caller, id string) (View, error) {
	view, err := s.Service.Open(ctx, c, id)
	if err != nil {
		return nil, err // not view: a nil *session.View would be a View that is not nil
	}
	return view, nil
}

func (s service) Personal(ctx context.Context, c tenant.Caller, userID string) (string, View, error) {
	view, err := s.Service.Personal(ctx, c, userID)
	if err != nil {
		return "", nil, err
	}
	return view.Session.ID, view, nil
}

func (s service) Execute(ctx context.Context, c tenant.Caller, id string, call session.ToolCall) (Outcome, error) {
	outcome, err := s.Service.Execute(ctx, c, id, call)
	return Outcome{Outcome: outcome}, err
}
