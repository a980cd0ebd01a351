package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type linkInSessionRequest struct {
	Origin       string                   `from:"origin" json:"-"`
	SessionID    string                   `path:"session_id" json:"-"`
	Toolkit      string                   `json:"toolkit"`
	CallbackURL  string                   `json:"callback_url"`
	Alias        string                   `json:"alias"`
	Experimental optional[accountSharing] `json:"experimental"`
}

type linkInSessionResponse struct {
	LinkToken          string       `json:"link_token"`
	RedirectURL        string       `json:"redirect_url"`
	ConnectedAccountID string       `json:"connected_account_id"`
	Experimental       *sharingView `json:"experimental,omitempty"`
}

// linkInSession starts a connection for the session's user.
func (a *api) linkInSession(ctx context.Context, caller tenant.Caller, in linkInSessionRequest) (linkInSessionResponse, error) {
	if in.Toolkit == "" {
		return linkInSessionResponse{}, invalidRequest("toolkit: is required, the slug of the toolkit to connect")
	}
	kind, acl, err := in.Experimental.Value.sharing()
	if err != nil {
		return linkInSessionResponse{}, err
	}
	link, err := a.sessions.Link(ctx, caller, in.SessionID, session.LinkRequest{
		Toolkit: in.Toolkit, CallbackURL: in.CallbackURL, Alias: in.Alias, Origin: in.Origin,
		AccountType: kind, ACL: acl,
	})
	if err != nil {
		return linkInSessionResponse{}, err
	}
	return linkInSessionResponse{
		LinkToken: link.Token, RedirectURL: link.URL, ConnectedAccountID: link.Account.ID,
		Experimental: sharingOf(link.Account),
	}, nil
}

// accountSharing says who besides its owner may use an account (API contract section 10.5).
type accountSharing struct {
	AccountType string   `json:"account_type"`
	ACL         *aclBody `json:"acl_config_for_shared"`
}

type aclBody struct {
	AllowAll *bool     `json:"allow_all_users"`
	Allowed  *[]string `json:"allowed_user_ids"`
	Denied   *[]string `json:"not_allowed_user_ids"`
}

// sharing gives the type and ACL of an account to be made.
func (s accountSharing) sharing() (string, *connect.ACL, error) {
	switch s.AccountType {
	case "", connect.Private, connect.Shared:
	default:
		return "", nil, invalidRequest(`experimental.account_type: expected PRIVATE or SHARED, got "` + short(s.AccountType) + `"`)
	}
	if s.ACL == nil {
		return s.AccountType, nil, nil
	}
	acl := &connect.ACL{Allowed: deref(s.ACL.Allowed), Denied: deref(s.ACL.Denied)}
	if s.ACL.AllowAll != nil {
		acl.AllowAll = *s.ACL.AllowAll
	}
	return s.AccountType, acl, nil
}

// sharingView is the same in an answer.
type sharingView struct {
	AccountType string   `json:"account_type"`
	ACL         *aclView `json:"acl_config_for_shared,omitempty"`
}

type aclView struct {
	AllowAll bool     `json:"allow_all_users"`
	Allowed  []string `json:"allowed_user_ids"`
	Denied   []string `json:"not_allowed_user_ids"`
}

func sharingOf(account connect.ConnectedAccount) *sharingView {
	view := &sharingView{AccountType: orText(account.Type, connect.Private)}
	if account.Type == connect.Shared {
		view.ACL = &aclView{AllowAll: account.ACL.AllowAll, Allowed: list(account.ACL.Allowed), Denied: list(account.ACL.Denied)}
	}
	return view
}
