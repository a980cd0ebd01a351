package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type proxyToolRequest struct {
	ConnectedAccountID string `json:"connected_account_id"`
	proxyBody
}

// proxyTool sends a raw request to the API of an account's toolkit, outside any session.
func (a *api) proxyTool(ctx context.Context, caller tenant.Caller, in proxyToolRequest) (proxyResponse, error) {
	call, err := in.call()
	if err != nil {
		return proxyResponse{}, err
	}
	if call.Toolkit, call.Select, err = a.proxyTarget(ctx, caller, in); err != nil {
		return proxyResponse{}, err
	}
	result, err := a.runner.Proxy(ctx, caller, call)
	if err != nil {
		return proxyResponse{}, err
	}
	return proxyResponseOf(result), nil
}

// proxyTarget finds the toolkit that is meant: the account's, or the one that the credential in the request is for.
func (a *api) proxyTarget(ctx context.Context, caller tenant.Caller, in proxyToolRequest) (*catalog.Toolkit, connect.Selection, error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	switch {
	case in.ConnectedAccountID != "":
		account, err := a.connect.Account(ctx, caller, in.ConnectedAccountID)
		if err != nil {
			return nil, connect.Selection{}, err
		}
		tk, ok := snapshot.Toolkit(account.Toolkit)
		if !ok {
			return nil, connect.Selection{}, toolkitNotFound(snapshot, account.Toolkit)
		}
		return tk, connect.Selection{UserID: account.UserID, Toolkit: tk.Slug, AccountID: account.ID}, nil
	case in.CustomConnection != nil:
		tk, ok := snapshot.Toolkit(in.CustomConnection.Toolkit)
		if !ok {
			return nil, connect.Selection{}, toolkitNotFound(snapshot, in.CustomConnection.Toolkit)
		}
		return tk, connect.Selection{Toolkit: tk.Slug}, nil
	default:
		return nil, connect.Selection{}, fault.New(fault.Invalid, fault.SlugMissingAuthContext, "The request says neither whose account nor which credential to use.").
			WithFix("Send connected_account_id, or custom_connection_data with toolkitSlug, authScheme and val.").
			WithDetails("connected_account_id: is required")
	}
}
