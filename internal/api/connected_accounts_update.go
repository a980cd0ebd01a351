package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type updateAccountRequest struct {
	ID         string  `path:"nanoid" json:"-"`
	Alias      *string `json:"alias"` // "" takes it away
	Connection struct {
		State *stateBody `json:"state"`
	} `json:"connection"`
	Experimental optional[accountSharing] `json:"experimental"`
}

type updateAccountResponse struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
	Status  string `json:"status"`
}

// updateAccount changes an account's alias, its credentials, or who may use it. What is absent stays; an empty list of users
// clears it.
func (a *api) updateAccount(ctx context.Context, caller tenant.Caller, in updateAccountRequest) (updateAccountResponse, error) {
	patch := connect.AccountPatch{Alias: in.Alias}
	if acl := in.Experimental.Value.ACL; acl != nil {
		patch.ACL = &connect.ACLPatch{AllowAll: acl.AllowAll, Allowed: acl.Allowed, Denied: acl.Denied}
	}
	if state := in.Connection.State; state != nil {
		if err := a.sameScheme(ctx, caller, in.ID, state.Scheme); err != nil {
			return updateAccountResponse{}, err
		}
		patch.Values = texts(state.Val)
	}
	account, err := a.connect.UpdateAccount(ctx, caller, in.ID, patch)
	if err != nil {
		return updateAccountResponse{}, err
	}
	return updateAccountResponse{Success: true, ID: account.ID, Status: string(account.Status)}, nil
}

// sameScheme refuses credentials of another scheme than the account's: they would never be read.
func (a *api) sameScheme(ctx context.Context, caller tenant.Caller, accountID, scheme string) error {
	account, err := a.connect.Account(ctx, caller, accountID)
	if err != nil {
		return err
	}
	if scheme != "" && !strings.EqualFold(scheme, account.Scheme) {
		return invalidRequest(fmt.Sprintf("connection.state.authScheme: this account uses %s, got %q", account.Scheme, short(scheme)))
	}
	return nil
}

type accountStatusRequest struct {
	ID      string `path:"nanoid" json:"-"`
	Enabled *bool  `json:"enabled"`
}

type successResponse struct {
	Success bool `json:"success"`
}

func (a *api) setAccountStatus(ctx context.Context, caller tenant.Caller, in accountStatusRequest) (successResponse, error) {
	if in.Enabled == nil {
		return successResponse{}, invalidRequest("enabled: is required, true or false")
	}
	if _, err := a.connect.UpdateAccount(ctx, caller, in.ID, connect.AccountPatch{Enabled: in.Enabled}); err != nil {
		return successResponse{}, err
	}
	return successResponse{Success: true}, nil
}

type refreshAccountRequest struct {
	Origin      string `from:"origin" json:"-"`
	ID          string `path:"nanoid" json:"-"`
	RedirectURL string `query:"redirect_url" json:"-"`
	InBody      string `json:"redirect_url"`
	Validate    *bool  `json:"validate_credentials"` // accepted and ignored
}

type refreshAccountResponse struct {
	ID          string  `json:"id"`
	Status      string  `json:"status"`
	RedirectURL *string `json:"redirect_url"`
}

// refreshAccount refreshes an account's token now; where that is not possible it answers with a link to sign in again, under
// the same account.
func (a *api) refreshAccount(ctx context.Context, caller tenant.Caller, in refreshAccountRequest) (refreshAccountResponse, error) {
	account, link, err := a.connect.RefreshAccount(ctx, caller, in.ID, in.Origin, orText(in.RedirectURL, in.InBody))
	if err != nil {
		return refreshAccountResponse{}, err
	}
	out := refreshAccountResponse{ID: account.ID, Status: string(account.Status)}
	if link != nil {
		out.RedirectURL = &link.URL
	}
	return out, nil
}
