package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type linkAccountRequest struct {
	Origin         string                   `from:"origin" json:"-"`
	AuthConfigID   string                   `json:"auth_config_id"`
	UserID         string                   `json:"user_id"`
	CallbackURL    string                   `json:"callback_url"`
	Alias          string                   `json:"alias"`
	ConnectionData map[string]looseValue    `json:"connection_data"`
	Experimental   optional[accountSharing] `json:"experimental"`
}

type linkAccountResponse struct {
	LinkToken          string       `json:"link_token"`
	RedirectURL        string       `json:"redirect_url"`
	ExpiresAt          string       `json:"expires_at"`
	ConnectedAccountID string       `json:"connected_account_id"`
	Experimental       *sharingView `json:"experimental,omitempty"`
}

// linkAccount starts a connection: a page where the user signs in, and an account that waits for it.
func (a *api) linkAccount(ctx context.Context, caller tenant.Caller, in linkAccountRequest) (linkAccountResponse, error) {
	var faults []string
	if in.AuthConfigID == "" {
		faults = append(faults, "auth_config_id: is required")
	}
	if in.UserID == "" {
		faults = append(faults, "user_id: is required")
	}
	if len(faults) > 0 {
		return linkAccountResponse{}, invalidRequest(faults...)
	}
	kind, acl, err := in.Experimental.Value.sharing()
	if err != nil {
		return linkAccountResponse{}, err
	}
	link, err := a.connect.CreateLink(ctx, caller, connect.NewLink{
		AuthConfigID: in.AuthConfigID, UserID: in.UserID, CallbackURL: in.CallbackURL, Alias: in.Alias,
		Data: texts(in.ConnectionData), AccountType: kind, ACL: acl, Origin: in.Origin,
	})
	if err != nil {
		return linkAccountResponse{}, err
	}
	return linkAccountResponse{
		LinkToken: link.Token, RedirectURL: link.URL, ExpiresAt: timestamp(link.Request.ExpiresAt),
		ConnectedAccountID: link.Account.ID, Experimental: sharingOf(link.Account),
	}, nil
}
