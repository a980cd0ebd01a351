package api

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type createAccountRequest struct {
	Origin     string         `from:"origin" json:"-"`
	AuthConfig idRef          `json:"auth_config"`
	Connection connectionBody `json:"connection"`
	Validate   *bool          `json:"validate_credentials"` // accepted and ignored
}

type idRef struct {
	ID string `json:"id"`
}

type connectionBody struct {
	UserID       string                   `json:"user_id"`
	Alias        string                   `json:"alias"`
	CallbackURL  string                   `json:"callback_url"`
	RedirectURI  string                   `json:"redirect_uri"` // the older name of callback_url
	State        *stateBody               `json:"state"`
	Data         map[string]looseValue    `json:"data"` // the older form of state
	Experimental optional[accountSharing] `json:"experimental"`
}

type stateBody struct {
	Scheme string                `json:"authScheme"`
	Val    map[string]looseValue `json:"val"`
}

// createAccountResponse answers in both spellings that SDKs read (API contract section 10.4).
type createAccountResponse struct {
	ID             string       `json:"id"`
	ConnectionData accountState `json:"connectionData"`
	Status         string       `json:"status"`
	RedirectURL    *string      `json:"redirect_url"`
	RedirectURI    *string      `json:"redirect_uri"`
	Experimental   *sharingView `json:"experimental,omitempty"`
}

// createAccount is the older way to start a connection, still used by the SDKs' initiate and authorize; and the way to bring
// in credentials that the application already holds.
func (a *api) createAccount(ctx context.Context, caller tenant.Caller, in createAccountRequest) (createAccountResponse, error) {
	if in.AuthConfig.ID == "" {
		return createAccountResponse{}, invalidRequest("auth_config.id: is required")
	}
	kind, acl, err := in.Connection.Experimental.Value.sharing()
	if err != nil {
		return createAccountResponse{}, err
	}
	user := orText(in.Connection.UserID, "default")
	if in.Connection.brings() {
		account, err := a.connect.ImportAccount(ctx, caller, connect.NewAccount{
			AuthConfigID: in.AuthConfig.ID, UserID: user, Alias: in.Connection.Alias,
			Scheme: strings.ToUpper(in.Connection.State.Scheme), Values: texts(in.Connection.State.Val),
			AccountType: kind, ACL: acl,
		})
		if err != nil {
			return createAccountResponse{}, err
		}
		return createAccountResponse{
			ID: account.ID, ConnectionData: stateOf(account, a.connect.PublicValues(caller, account)),
			Status: string(account.Status), Experimental: sharingOf(account),
		}, nil
	}
	link, err := a.connect.CreateLink(ctx, caller, connect.NewLink{
		AuthConfigID: in.AuthConfig.ID, UserID: user, Alias: in.Connection.Alias,
		CallbackURL: orText(in.Connection.CallbackURL, in.Connection.RedirectURI),
		Data:        in.Connection.known(), AccountType: kind, ACL: acl, Origin: in.Origin,
	})
	if err != nil {
		return createAccountResponse{}, err
	}
	return startedAccount(link), nil
}

// brings reports whether the request holds credentials rather than asking for a link.
func (b connectionBody) brings() bool {
	return b.State != nil && strings.EqualFold(b.State.Val["status"].text, string(connect.Active))
}

// known are connection fields that the application fills in beforehand, such as a subdomain.
func (b connectionBody) known() map[string]string {
	fields := texts(b.Data)
	if b.State != nil {
		for name, text := range texts(b.State.Val) {
			fields[name] = text
		}
	}
	return fields
}

// startedAccount says INITIATED of an account whose link is not opened yet: of the states the contract has, it is the one
// that carries the link.
func startedAccount(link connect.Link) createAccountResponse {
	return createAccountResponse{
		ID: link.Account.ID,
		ConnectionData: accountState{
			Scheme: link.Account.Scheme,
			Val:    map[string]string{"status": string(connect.Initiated), "redirectUrl": link.URL},
		},
		Status:       string(connect.Initiated),
		RedirectURL:  &link.URL,
		RedirectURI:  &link.URL,
		Experimental: sharingOf(link.Account),
	}
}
