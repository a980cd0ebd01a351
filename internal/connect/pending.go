package connect

import (
	"context"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

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

type Link struct {
	Token   string
	URL     string // Origin + /link/{token}
	Account ConnectedAccount
	Request ConnectionRequest
}

func (s *Service) CreateLink(ctx context.Context, c tenant.Caller, n NewLink) (Link, error) {
	panic("being written")
}

type NewAccount struct {
	AuthConfigID, UserID, Alias string
	Scheme                      string
	Values                      map[string]string
	AccountType                 string
	ACL                         *ACL
}

func (s *Service) ImportAccount(ctx context.Context, c tenant.Caller, n NewAccount) (ConnectedAccount, error) {
	panic("being written")
}
func (s *Service) Account(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, error) {
	panic("being written")
}
func (s *Service) ListAccounts(ctx context.Context, c tenant.Caller, f AccountFilter) ([]ConnectedAccount, Page, error) {
	panic("being written")
}

type AccountPatch struct {
	Alias   *string
	Values  map[string]string
	ACL     *ACLPatch
	Enabled *bool
}

type ACLPatch struct {
	AllowAll        *bool
	Allowed, Denied *[]string
}

func (s *Service) UpdateAccount(ctx context.Context, c tenant.Caller, id string, p AccountPatch) (ConnectedAccount, error) {
	panic("being written")
}
func (s *Service) DeleteAccount(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	panic("being written")
}
func (s *Service) RevokeAccount(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, Revocation, error) {
	panic("being written")
}

type Revocation struct {
	Tokens []string
	Note   string
}

func (s *Service) revoke(ctx context.Context, a ConnectedAccount) Revocation { panic("being written") }

func (s *Service) RefreshAccount(ctx context.Context, c tenant.Caller, id, origin, callbackURL string) (ConnectedAccount, *Link, error) {
	panic("being written")
}
func (s *Service) Credential(ctx context.Context, c tenant.Caller, a ConnectedAccount) (Credential, error) {
	panic("being written")
}
func (s *Service) Rejected(ctx context.Context, c tenant.Caller, a ConnectedAccount, cred Credential) (retry bool, err error) {
	panic("being written")
}

type (
	prepared struct{}
	troubles struct{}
	unsaved  struct{}
)
