package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type sessionToolkitsRequest struct {
	Origin    string `from:"origin" json:"-"`
	SessionID string `path:"session_id" json:"-"`
	Toolkits  values `query:"toolkits" json:"-"`
	Connected *bool  `query:"is_connected" json:"-"`
	Search    string `query:"search" json:"-"`
	Limit     limit  `query:"limit" json:"-"`
	Cursor    string `query:"cursor" json:"-"`
}

// sessionToolkit is a toolkit as the session's user stands to it.
type sessionToolkit struct {
	Name             string                 `json:"name"`
	Slug             string                 `json:"slug"`
	Enabled          bool                   `json:"enabled"`
	IsNoAuth         bool                   `json:"is_no_auth"`
	ManagedSchemes   []string               `json:"composio_managed_auth_schemes"`
	Meta             sessionToolkitMeta     `json:"meta"`
	ConnectedAccount *sessionToolkitAccount `json:"connected_account"`
	Problem          string                 `json:"problem,omitempty"` // why a pinned account cannot be used, and how to mend it
}

type sessionToolkitMeta struct {
	Logo        string `json:"logo"`
	Description string `json:"description"`
}

type sessionToolkitAccount struct {
	ID         string                   `json:"id"`
	WordID     string                   `json:"word_id,omitempty"`
	Alias      string                   `json:"alias,omitempty"`
	Identity   *connect.Identity        `json:"identity,omitempty"` // whose account it is, as the provider says
	UserID     string                   `json:"user_id"`
	Status     string                   `json:"status"`
	CreatedAt  string                   `json:"created_at"`
	AuthConfig sessionToolkitAuthConfig `json:"auth_config"`
}

type sessionToolkitAuthConfig struct {
	ID        string `json:"id"`
	Scheme    string `json:"auth_scheme"`
	IsManaged bool   `json:"is_composio_managed"`
}

func (a *api) sessionToolkits(ctx context.Context, caller tenant.Caller, in sessionToolkitsRequest) (pageResponse[sessionToolkit], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[sessionToolkit]{}, err
	}
	size := in.Limit.clamp(20, 50)
	states, page, err := a.sessions.Toolkits(ctx, caller, in.SessionID, session.ToolkitQuery{
		Slugs: in.Toolkits, Connected: onlyTrue(in.Connected), Search: in.Search, Limit: size, Cursor: at.from,
	})
	if err != nil {
		return pageResponse[sessionToolkit]{}, err
	}
	return pageResponse[sessionToolkit]{
		Items:    mapped(states, func(s session.ToolkitState) sessionToolkit { return sessionToolkitOf(in.Origin, s) }),
		pageInfo: infoOf(at, size, page),
	}, nil
}

// onlyTrue drops is_connected=false. The contract's default is false and means no filter: newer clients send it always.
func onlyTrue(connected *bool) *bool {
	if connected != nil && *connected {
		return connected
	}
	return nil
}

func sessionToolkitOf(origin string, s session.ToolkitState) sessionToolkit {
	out := sessionToolkit{
		Name:           s.Toolkit.Name,
		Slug:           s.Toolkit.Slug,
		Enabled:        s.Enabled,
		IsNoAuth:       s.Toolkit.NoAuth(),
		ManagedSchemes: list(s.ManagedSchemes),
		Meta:           sessionToolkitMeta{Logo: logoURL(origin, s.Toolkit.Slug), Description: s.Toolkit.Description},
		Problem:        s.Problem,
	}
	if s.Account != nil {
		account := &sessionToolkitAccount{
			ID: s.Account.ID, WordID: s.Account.WordID, Alias: s.Account.Alias, Identity: identityOf(*s.Account),
			UserID: s.Account.UserID, Status: string(s.Account.Status), CreatedAt: timestamp(s.Account.CreatedAt),
			AuthConfig: sessionToolkitAuthConfig{ID: s.Account.AuthConfigID, Scheme: s.Account.Scheme},
		}
		if s.AuthConfig != nil {
			account.AuthConfig.IsManaged = s.AuthConfig.Managed
		}
		out.ConnectedAccount = account
	}
	return out
}
