package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type completeAuthRequest struct {
	UserID     string `json:"user_id"`
	SessionURI string `json:"session_uri"`
}

type completeAuthResponse struct {
	AccountID   string  `json:"connected_account_id"`
	Toolkit     string  `json:"toolkit_slug"`
	RedirectURL *string `json:"redirect_url"` // where the maker of the link wanted the user afterwards
}

// completeAuth confirms who the user of a link is, and with that connects the account (API contract section 10.5).
func (a *api) completeAuth(ctx context.Context, caller tenant.Caller, in completeAuthRequest) (completeAuthResponse, error) {
	var faults []string
	if in.SessionURI == "" {
		faults = append(faults, "session_uri: is required")
	}
	if in.UserID == "" {
		faults = append(faults, "user_id: is required")
	}
	if len(faults) > 0 {
		return completeAuthResponse{}, invalidRequest(faults...)
	}
	done, err := a.connect.CompleteAuth(ctx, caller, in.SessionURI, in.UserID)
	if err != nil {
		return completeAuthResponse{}, err
	}
	return completeAuthResponse{AccountID: done.Account.ID, Toolkit: done.Account.Toolkit, RedirectURL: orNull(done.ReturnURL)}, nil
}
