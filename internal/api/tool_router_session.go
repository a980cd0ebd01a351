package api

import (
	"context"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type createSessionRequest struct {
	Origin  string   `from:"origin" json:"-"`
	Ignored []string `from:"ignored" json:"-"`
	UserID  string   `json:"user_id"`
	sessionConfigBody
}

// sessionResponse is a session as create, get, update and attach answer it.
type sessionResponse struct {
	SessionID       string                  `json:"session_id"`
	MCP             mcpResponse             `json:"mcp"`
	ToolRouterTools []string                `json:"tool_router_tools"`
	Config          sessionConfig           `json:"config"`
	ConfigVersion   int                     `json:"config_version"`
	Warnings        []warningResponse       `json:"warnings"`
	Experimental    sessionExperimentalView `json:"experimental"`
	CreatedAt       string                  `json:"created_at"`
	UpdatedAt       string                  `json:"updated_at"`
	ExpiresAt       string                  `json:"expires_at,omitempty"`
}

// mcpResponse is where an MCP client connects. Headers are only known when the session is made: they hold its own token.
type mcpResponse struct {
	Type    string            `json:"type"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
}

type warningResponse struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type sessionExperimentalView struct {
	AssistivePrompt string              `json:"assistive_prompt,omitempty"`
	CustomTools     []customToolBody    `json:"custom_tools,omitempty"`
	CustomToolkits  []customToolkitBody `json:"custom_toolkits,omitempty"`
}

func (a *api) createSession(ctx context.Context, caller tenant.Caller, in createSessionRequest) (sessionResponse, error) {
	patch, faults := in.patch()
	if len(faults) > 0 {
		return sessionResponse{}, invalidSession(faults)
	}
	created, err := a.sessions.Create(ctx, caller, session.NewSession{
		UserID:       in.UserID,
		Config:       patch.Apply(session.DefaultConfig()),
		TTL:          patch.TTL.Value,
		Custom:       in.Experimental.Value.custom(),
		ConfigID:     in.Experimental.Value.SessionConfigID,
		WantsSandbox: switchesOn(patch.Workbench),
		KnownNoise:   in.Ignored,
	})
	if err != nil {
		return sessionResponse{}, err
	}
	return createdSession(in.Origin, created), nil
}

type sessionRequest struct {
	Origin    string `from:"origin" json:"-"`
	SessionID string `path:"session_id" json:"-"`
}

func (a *api) getSession(ctx context.Context, caller tenant.Caller, in sessionRequest) (sessionResponse, error) {
	view, err := a.sessions.Open(ctx, caller, in.SessionID)
	if err != nil {
		return sessionResponse{}, err
	}
	return viewedSession(in.Origin, view), nil
}

type updateSessionRequest struct {
	Origin          string   `from:"origin" json:"-"`
	Ignored         []string `from:"ignored" json:"-"`
	SessionID       string   `path:"session_id" json:"-"`
	UserID          *string  `json:"user_id"` // as answers have it; it cannot change
	ExpectedVersion int      `json:"expected_config_version"`
	sessionConfigBody
}

func (a *api) updateSession(ctx context.Context, caller tenant.Caller, in updateSessionRequest) (sessionResponse, error) {
	patch, faults := in.patch()
	if in.UserID != nil {
		view, err := a.sessions.Open(ctx, caller, in.SessionID)
		if err != nil {
			return sessionResponse{}, err
		}
		if view.Session.UserID != *in.UserID {
			faults = append(faults, "user_id: a session belongs to its user for good; create another for another user")
		}
	}
	if in.ExpectedVersion < 0 {
		faults = append(faults, "expected_config_version: expected a whole number from 1")
	}
	if in.Experimental.Value.SessionConfigID != "" { // never as if it had been applied
		faults = append(faults, "experimental.session_config_id: is for create only; send the configuration itself")
	}
	if len(faults) > 0 {
		return sessionResponse{}, invalidSession(faults)
	}
	patch.ExpectedVersion, patch.KnownNoise = in.ExpectedVersion, in.Ignored
	view, warnings, err := a.sessions.Update(ctx, caller, in.SessionID, patch)
	if err != nil {
		return sessionResponse{}, err
	}
	out := viewedSession(in.Origin, view)
	out.Warnings = mapped(warnings, warningOf)
	return out, nil
}

type deleteSessionResponse struct {
	SessionID string `json:"session_id"`
	Deleted   bool   `json:"deleted"`
}

func (a *api) deleteSession(ctx context.Context, caller tenant.Caller, in sessionRequest) (deleteSessionResponse, error) {
	if err := a.sessions.Delete(ctx, caller, in.SessionID); err != nil {
		return deleteSessionResponse{}, err
	}
	return deleteSessionResponse{SessionID: in.SessionID, Deleted: true}, nil
}

type listSessionsRequest struct {
	Origin  string `from:"origin" json:"-"`
	UserIDs values `query:"user_ids" json:"-"`
	Search  string `query:"search" json:"-"`
	Limit   limit  `query:"limit" json:"-"`
	Cursor  string `query:"cursor" json:"-"`
}

// listedSession is a session in a list: enough to find it, without its configuration.
type listedSession struct {
	SessionID     string      `json:"session_id"`
	UserID        string      `json:"user_id"`
	MCP           mcpResponse `json:"mcp"`
	ConfigVersion int         `json:"config_version"`
	CreatedAt     string      `json:"created_at"`
	UpdatedAt     string      `json:"updated_at"`
	ExpiresAt     string      `json:"expires_at,omitempty"`
}

func (a *api) listSessions(ctx context.Context, caller tenant.Caller, in listSessionsRequest) (pageResponse[listedSession], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[listedSession]{}, err
	}
	size := in.Limit.clamp(20, 1000)
	sessions, page, err := a.sessions.List(ctx, caller, session.Filter{
		UserIDs: in.UserIDs, Search: in.Search, Limit: size, Cursor: at.from,
	})
	if err != nil {
		return pageResponse[listedSession]{}, err
	}
	return pageResponse[listedSession]{
		Items: mapped(sessions, func(s session.Session) listedSession {
			return listedSession{
				SessionID: s.ID, UserID: s.UserID, MCP: mcpOf(in.Origin, s.ID), ConfigVersion: s.Version,
				CreatedAt: timestamp(s.CreatedAt), UpdatedAt: timestamp(s.UpdatedAt), ExpiresAt: timestampOrNone(s.ExpiresAt),
			}
		}),
		pageInfo: infoOf(at, size, page),
	}, nil
}

// createdSession writes a session with what is known only now: its token, its prompt, the echo of custom tools.
func createdSession(origin string, c session.Created) sessionResponse {
	out := viewedSession(origin, c.View)
	if c.Token != "" {
		out.MCP.Headers = map[string]string{"Authorization": "Bearer " + c.Token}
	}
	out.Warnings = mapped(c.Warnings, warningOf)
	custom := customToolsOf(c.Custom)
	out.Experimental = sessionExperimentalView{
		AssistivePrompt: c.Prompt,
		CustomTools:     custom.Tools,
		CustomToolkits:  custom.Toolkits,
	}
	return out
}

func viewedSession(origin string, view *session.View) sessionResponse {
	s := view.Session
	return sessionResponse{
		SessionID:       s.ID,
		MCP:             mcpOf(origin, s.ID),
		ToolRouterTools: view.MetaTools(),
		Config:          sessionConfigOf(s.UserID, s.Config),
		ConfigVersion:   s.Version,
		Warnings:        []warningResponse{},
		CreatedAt:       timestamp(s.CreatedAt),
		UpdatedAt:       timestamp(s.UpdatedAt),
		ExpiresAt:       timestampOrNone(s.ExpiresAt),
	}
}

func mcpOf(origin, sessionID string) mcpResponse {
	return mcpResponse{Type: "http", URL: mcpURL(origin, sessionID)}
}

func warningOf(w session.Warning) warningResponse { return warningResponse(w) }

func invalidSession(faults []string) error {
	return fault.New(fault.Invalid, fault.SlugSessionInvalid, "The session's configuration is not valid: %s.", strings.Join(faults, "; ")).
		WithCode(fault.CodeSessionInvalid).WithFix("Correct the members named in errors.").WithDetails(faults...)
}

func timestampOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timestamp(t)
}
