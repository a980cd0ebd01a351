package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Service is the one door to auth configs, accounts and links.
type Service struct{}

// NewAuthConfig is what CreateAuthConfig needs.
type NewAuthConfig struct {
	Toolkit            string
	Managed            bool   // use the operator's app; a fault with slug ToolRouterV2_NoManagedAuth when there is none
	Name               string // empty: made from the toolkit's name
	Scheme             string // empty: the toolkit's first
	Credentials        Fields
	Scopes, UserScopes []string
	Shared             Fields
	ToolsForCreation   []string
	ToolsForExecution  []string
	ProxyURL, ProxyKey string
	EnabledForSessions bool
}

func (s *Service) CreateAuthConfig(ctx context.Context, c tenant.Caller, n NewAuthConfig) (AuthConfig, error) {
	panic("being written")
}
func (s *Service) AuthConfig(ctx context.Context, c tenant.Caller, id string) (AuthConfig, error) {
	panic("being written")
}
func (s *Service) ListAuthConfigs(ctx context.Context, c tenant.Caller, f AuthConfigFilter) ([]AuthConfig, Page, error) {
	panic("being written")
}

// AuthConfigPatch changes what is not nil.
type AuthConfigPatch struct {
	Name                                *string
	Credentials                         Fields // merged over the stored ones
	Scopes, UserScopes                  *[]string
	Shared                              Fields
	ToolsForCreation, ToolsForExecution *[]string
	ProxyURL, ProxyKey                  *string
	EnabledForSessions                  *bool
	Enabled                             *bool
}

func (s *Service) UpdateAuthConfig(ctx context.Context, c tenant.Caller, id string, p AuthConfigPatch) (AuthConfig, error) {
	panic("being written")
}

// DeleteAuthConfig ends the grants of its accounts at the provider where that is possible, and removes it and them.
func (s *Service) DeleteAuthConfig(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	panic("being written")
}

// AuthConfigFor gives the auth config a new connection of a toolkit uses: the preferred one if named, else the project's
// newest that is enabled, else a managed one made on the fly. Faults: NoManagedAuth, ToolkitIsNoAuth.
func (s *Service) AuthConfigFor(ctx context.Context, c tenant.Caller, toolkit, preferredID string, forSession bool) (AuthConfig, error) {
	panic("being written")
}

// ManagedSchemes gives the schemes of a toolkit for which the operator configured an app ("composio managed" on the wire).
func (s *Service) ManagedSchemes(toolkit string) []string { panic("being written") }

// NewLink is what CreateLink needs.
type NewLink struct {
	AuthConfigID string
	UserID       string
	CallbackURL  string
	Alias        string
	Data         map[string]string // connection fields known beforehand
	AccountType  string
	ACL          *ACL
	AccountID    string // connect anew under this account, which stays as it is until the new grant is there
	Origin       string // scheme and host the user's browser can reach us at
}

// Link is a connection that waits for its user.
type Link struct {
	Token   string
	URL     string // Origin + /link/{token}
	Account ConnectedAccount
	Request ConnectionRequest
}

// CreateLink stores an INITIALIZING account (or keeps the one to reconnect) and a request that lives ten minutes.
func (s *Service) CreateLink(ctx context.Context, c tenant.Caller, n NewLink) (Link, error) {
	panic("being written")
}

// NewAccount is what ImportAccount needs: credentials the application already holds.
type NewAccount struct {
	AuthConfigID, UserID, Alias string
	Scheme                      string
	Values                      map[string]string
	AccountType                 string
	ACL                         *ACL
}

// ImportAccount makes an ACTIVE account from given credentials (POST /connected_accounts with an ACTIVE state).
func (s *Service) ImportAccount(ctx context.Context, c tenant.Caller, n NewAccount) (ConnectedAccount, error) {
	panic("being written")
}
func (s *Service) Account(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, error) {
	panic("being written")
}
func (s *Service) ListAccounts(ctx context.Context, c tenant.Caller, f AccountFilter) ([]ConnectedAccount, Page, error) {
	panic("being written")
}

// AccountPatch changes what is not nil. ACL lists that are nil keep, empty ones clear.
type AccountPatch struct {
	Alias   *string
	Values  map[string]string
	ACL     *ACLPatch
	Enabled *bool
}

// ACLPatch changes what is not nil.
type ACLPatch struct {
	AllowAll        *bool
	Allowed, Denied *[]string
}

func (s *Service) UpdateAccount(ctx context.Context, c tenant.Caller, id string, p AccountPatch) (ConnectedAccount, error) {
	panic("being written")
}

// DeleteAccount ends the grant at the provider where that is possible, and removes the account in any case.
func (s *Service) DeleteAccount(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	panic("being written")
}

// RevokeAccount ends the grant at the provider and keeps the account as REVOKED. Faults: Invalid when the toolkit has no
// way to revoke, Conflict when the account is not ACTIVE.
func (s *Service) RevokeAccount(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, Revocation, error) {
	panic("being written")
}

// Revocation says what became of a grant at its provider.
type Revocation struct {
	Tokens []string // which values the provider ended: "access_token", "refresh_token"
	Note   string   // the same for a person, with the reason where it was not possible
}

// RefreshAccount refreshes the token now if the account has one to refresh; otherwise it starts a new link under the same
// account, which stays ACTIVE if it is. The link is nil when none was needed.
func (s *Service) RefreshAccount(ctx context.Context, c tenant.Caller, id, origin, callbackURL string) (ConnectedAccount, *Link, error) {
	panic("being written")
}

// Select chooses the account a call is made with. Faults: NoActiveConnection (says why: none, expired, disabled, …),
// AccountRequired (lists the choices), SharedAccessDenied.
func (s *Service) Select(ctx context.Context, c tenant.Caller, sel Selection) (ConnectedAccount, error) {
	panic("being written")
}

// Credential gives a fresh credential of an ACTIVE account, refreshing it first when it is about to end. Warm calls read
// memory only. Single-flight over goroutines and nodes.
func (s *Service) Credential(ctx context.Context, c tenant.Caller, a ConnectedAccount) (Credential, error) {
	panic("being written")
}

// Rejected is told by execution that the provider refused the credential (401 and the toolkit's own rules). It refreshes
// once if that is possible and says whether another try makes sense; otherwise the account becomes EXPIRED with a reason.
func (s *Service) Rejected(ctx context.Context, c tenant.Caller, a ConnectedAccount, cred Credential) (retry bool, err error) {
	panic("being written")
}
