package api

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// AccountData writes an account as GET connected_accounts/{id} does, for events about it (API contract section 12.2).
func AccountData(ctx context.Context, accounts *connect.Service, account connect.ConnectedAccount) (json.RawMessage, error) {
	a := &api{connect: accounts}
	shown, err := a.accountOf(ctx, tenant.Caller{ProjectID: account.ProjectID}, account, nil)
	if err != nil {
		return nil, err
	}
	return json.Marshal(accountDetail{accountResponse: shown, RequestedScopes: list(account.Scopes)})
}
