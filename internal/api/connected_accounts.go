package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// accountResponse is a connected account in a list (API contract section 10.1).
type accountResponse struct {
	ID                  string            `json:"id"`
	WordID              *string           `json:"word_id"`
	Alias               *string           `json:"alias"`
	UserID              string            `json:"user_id"`
	Toolkit             toolkitRef        `json:"toolkit"`
	AuthConfig          accountAuthConfig `json:"auth_config"`
	Status              string            `json:"status"`
	StatusReason        *string           `json:"status_reason"`
	IsDisabled          bool              `json:"is_disabled"`
	CreatedAt           string            `json:"created_at"`
	UpdatedAt           string            `json:"updated_at"`
	State               accountState      `json:"state"`
	Data                struct{}          `json:"data"` // the older form of state
	TestRequestEndpoint string            `json:"test_request_endpoint"`
	Experimental        *sharingView      `json:"experimental"`
	Identity            *connect.Identity `json:"identity,omitempty"` // whose account it is, as the provider says
}

type accountAuthConfig struct {
	ID         string `json:"id"`
	Scheme     string `json:"auth_scheme"`
	IsManaged  bool   `json:"is_composio_managed"`
	IsDisabled bool   `json:"is_disabled"`
}

// accountDetail is one connected account by itself.
type accountDetail struct {
	accountResponse
	Params          struct{} `json:"params"`
	RequestedScopes []string `json:"requested_scopes"`
}

type listAccountsRequest struct {
	Toolkits       values `query:"toolkit_slugs" json:"-"`
	Statuses       values `query:"statuses" json:"-"`
	UserIDs        values `query:"user_ids" json:"-"`
	AuthConfigIDs  values `query:"auth_config_ids" json:"-"`
	IDs            values `query:"connected_account_ids" json:"-"`
	AccountType    string `query:"account_type" json:"-"`
	OrderBy        string `query:"order_by" json:"-"`
	OrderDirection string `query:"order_direction" json:"-"`
	Limit          limit  `query:"limit" json:"-"`
	Cursor         string `query:"cursor" json:"-"`
}

// listAccounts lists accounts. SDKs refuse to link a second account when this list is not empty, so every filter counts.
func (a *api) listAccounts(ctx context.Context, caller tenant.Caller, in listAccountsRequest) (pageResponse[accountResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[accountResponse]{}, err
	}
	filter, err := in.filter()
	if err != nil {
		return pageResponse[accountResponse]{}, err
	}
	filter.Cursor = at.from
	accounts, page, err := a.connect.ListAccounts(ctx, caller, filter)
	if err != nil {
		return pageResponse[accountResponse]{}, err
	}
	items := make([]accountResponse, len(accounts))
	configs := make(map[string]connect.AuthConfig)
	for i, account := range accounts {
		if items[i], err = a.accountOf(ctx, caller, account, configs); err != nil {
			return pageResponse[accountResponse]{}, err
		}
	}
	return pageResponse[accountResponse]{Items: items, pageInfo: infoOf(at, filter.Limit, page)}, nil
}

var accountStatuses = []connect.Status{
	connect.Initializing, connect.Initiated, connect.Active, connect.Failed, connect.Expired, connect.Inactive, connect.Revoked,
}

func (in listAccountsRequest) filter() (connect.AccountFilter, error) {
	f := connect.AccountFilter{
		IDs: in.IDs, Toolkits: lowered(in.Toolkits), UserIDs: in.UserIDs, AuthConfigIDs: in.AuthConfigIDs,
		OrderUpdated: in.OrderBy == "updated_at", Ascending: in.OrderDirection == "asc",
		Limit: in.Limit.clamp(20, 1000),
	}
	var faults []string
	for _, text := range in.Statuses {
		status := connect.Status(strings.ToUpper(text))
		if !slices.Contains(accountStatuses, status) {
			faults = append(faults, fmt.Sprintf("statuses: %q is none; expected some of %s", short(text), joined(accountStatuses)))
		}
		f.Statuses = append(f.Statuses, status)
	}
	switch strings.ToUpper(in.AccountType) {
	case "", connect.Private:
		f.Type = connect.Private
	case connect.Shared:
		f.Type = connect.Shared
	case "ALL":
	default:
		faults = append(faults, fmt.Sprintf("account_type: expected PRIVATE, SHARED or ALL, got %q", short(in.AccountType)))
	}
	if !slices.Contains([]string{"", "created_at", "updated_at"}, in.OrderBy) {
		faults = append(faults, fmt.Sprintf("order_by: expected created_at or updated_at, got %q", short(in.OrderBy)))
	}
	if !slices.Contains([]string{"", "asc", "desc"}, in.OrderDirection) {
		faults = append(faults, fmt.Sprintf("order_direction: expected asc or desc, got %q", short(in.OrderDirection)))
	}
	if len(faults) > 0 {
		return connect.AccountFilter{}, invalidRequest(faults...)
	}
	return f, nil
}

func joined[T ~string](items []T) string {
	return strings.Join(mapped(items, func(t T) string { return string(t) }), ", ")
}

type accountRequest struct {
	ID string `path:"nanoid" json:"-"`
}

func (a *api) getAccount(ctx context.Context, caller tenant.Caller, in accountRequest) (accountDetail, error) {
	account, err := a.connect.Account(ctx, caller, in.ID)
	if err != nil {
		return accountDetail{}, err
	}
	configs := make(map[string]connect.AuthConfig, 1)
	shown, err := a.accountOf(ctx, caller, account, configs)
	if err != nil {
		return accountDetail{}, err
	}
	settings, err := a.tenants.Settings(ctx, caller.ProjectID)
	if err != nil {
		return accountDetail{}, err
	}
	if values, whole := a.connect.ShownValues(caller, account, configs[account.AuthConfigID], settings); whole {
		shown.State = stateOf(account, values)
		a.log.InfoContext(ctx, "credentials were read", "account", account.ID, "key", caller.KeyID, "request_id", caller.RequestID)
	}
	return accountDetail{accountResponse: shown, RequestedScopes: list(account.Scopes)}, nil
}

// accountOf writes an account. Auth configs that were read are kept in known, which may be nil.
func (a *api) accountOf(ctx context.Context, caller tenant.Caller, account connect.ConnectedAccount, known map[string]connect.AuthConfig) (accountResponse, error) {
	config, ok := known[account.AuthConfigID]
	if !ok {
		var err error
		config, err = a.connect.AuthConfig(ctx, caller, account.AuthConfigID)
		if err != nil && !fault.Is(err, fault.NotFound) { // one that is just being deleted takes its accounts along
			return accountResponse{}, err
		}
		if known != nil {
			known[account.AuthConfigID] = config
		}
	}
	out := accountResponse{
		ID: account.ID, WordID: orNull(account.WordID), Alias: orNull(account.Alias), UserID: account.UserID,
		Toolkit: toolkitRef{account.Toolkit},
		AuthConfig: accountAuthConfig{
			ID: account.AuthConfigID, Scheme: account.Scheme, IsManaged: config.Managed, IsDisabled: !config.Enabled,
		},
		Status: string(account.Status), StatusReason: orNull(account.StatusReason),
		IsDisabled: account.Status == connect.Inactive,
		CreatedAt:  timestamp(account.CreatedAt), UpdatedAt: timestamp(account.UpdatedAt),
		State:        stateOf(account, a.connect.PublicValues(caller, account)),
		Experimental: sharingOf(account),
		Identity:     identityOf(account),
	}
	return out, nil
}

// identityOf gives whose account it is; nil where the provider did not say.
func identityOf(account connect.ConnectedAccount) *connect.Identity {
	if account.Identity == (connect.Identity{}) {
		return nil
	}
	return &account.Identity
}

type deleteAccountRequest struct {
	ID     string `path:"nanoid" json:"-"`
	Revoke *bool  `query:"revoke_on_delete" json:"-"` // the grant is ended at the provider in any case
}

type deleteAccountResponse struct {
	Success bool `json:"success"`
	revocationResponse
}

func (a *api) deleteAccount(ctx context.Context, caller tenant.Caller, in deleteAccountRequest) (deleteAccountResponse, error) {
	revocation, err := a.connect.DeleteAccount(ctx, caller, in.ID)
	if err != nil {
		return deleteAccountResponse{}, err
	}
	return deleteAccountResponse{true, revocationResponse{list(revocation.Tokens), revocation.Note}}, nil
}

type revokeAccountResponse struct {
	RevokedTokens []string       `json:"revoked_tokens"`
	Account       revokedAccount `json:"connected_account"`
	Outcome       string         `json:"outcome"`
	Message       string         `json:"message,omitempty"`
	LinksClosed   int            `json:"links_closed"` // beyond the contract, as is outcome
}

// revokeAccountRequest names the account, and how far to go: as the contract says, or further (EndAccount).
type revokeAccountRequest struct {
	ID   string `path:"nanoid" json:"-"`
	Mode string `query:"mode" json:"-"`
}

type revokedAccount struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func (a *api) revokeAccount(ctx context.Context, caller tenant.Caller, in revokeAccountRequest) (revokeAccountResponse, error) {
	account, revocation, err := a.revokeIn(ctx, caller, in)
	if err != nil {
		return revokeAccountResponse{}, err
	}
	return revokeAccountResponse{
		RevokedTokens: list(revocation.Tokens),
		Account:       revokedAccount{account.ID, string(account.Status)},
		Outcome:       string(revocation.Outcome),
		Message:       revocation.Note,
		LinksClosed:   revocation.Links,
	}, nil
}

func (a *api) revokeIn(ctx context.Context, caller tenant.Caller, in revokeAccountRequest) (connect.ConnectedAccount, connect.Revocation, error) {
	switch in.Mode {
	case "":
		return a.connect.RevokeAccount(ctx, caller, in.ID)
	case "final", "forced":
		return a.connect.EndAccount(ctx, caller, in.ID, in.Mode == "forced")
	}
	return connect.ConnectedAccount{}, connect.Revocation{}, fault.New(fault.Invalid, fault.SlugAccountInvalid, "mode is %q; it can be final or forced.", in.Mode).
		WithFix("Leave it out to revoke only an ACTIVE account whose provider offers a way to.")
}
