package connect

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Account gives one account with its values.
func (s *Service) Account(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, error) {
	return s.store.Account(ctx, c.ProjectID, id)
}

// ListAccounts gives the project's accounts, newest first unless the filter says otherwise.
func (s *Service) ListAccounts(ctx context.Context, c tenant.Caller, f AccountFilter) ([]ConnectedAccount, Page, error) {
	return s.store.ListAccounts(ctx, c.ProjectID, f)
}

// AccountPatch changes what is not nil. ACL lists that are nil keep, empty ones clear.
type AccountPatch struct {
	Alias   *string // empty: none any more
	Values  map[string]string
	ACL     *ACLPatch
	Enabled *bool
}

// ACLPatch changes what is not nil.
type ACLPatch struct {
	AllowAll        *bool
	Allowed, Denied *[]string
}

// UpdateAccount changes an account. New values are checked with the provider and bring a dead account back to life; they can
// only be given where the user's consent at the provider is not needed.
func (s *Service) UpdateAccount(ctx context.Context, c tenant.Caller, id string, p AccountPatch) (ConnectedAccount, error) {
	var renew func(*ConnectedAccount) error
	if len(p.Values) > 0 {
		var err error
		if renew, err = s.replaceValues(ctx, c, id, p.Values); err != nil {
			return ConnectedAccount{}, err
		}
	}
	return s.change(ctx, c.ProjectID, id, func(a *ConnectedAccount) error {
		if p.Alias != nil {
			a.Alias = strings.TrimSpace(*p.Alias)
			if err := checkAlias(a.Alias); err != nil {
				return err
			}
		}
		if p.ACL != nil {
			if err := p.ACL.apply(a); err != nil {
				return err
			}
		}
		if renew != nil {
			if err := renew(a); err != nil {
				return err
			}
		}
		if p.Enabled != nil {
			return enable(a, *p.Enabled)
		}
		return nil
	})
}

// replaceValues checks new credentials before anything is stored, and gives the change that stores them.
func (s *Service) replaceValues(ctx context.Context, c tenant.Caller, id string, given map[string]string) (func(*ConnectedAccount) error, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return nil, err
	}
	cfg, err := s.config(ctx, c.ProjectID, a.AuthConfigID)
	if err != nil {
		return nil, err
	}
	g, scheme, err := s.grant(c, cfg, a.Scheme, nil)
	if err != nil {
		return nil, err
	}
	if _, ok := scheme.(replaceable); !ok {
		return nil, fault.New(fault.Invalid, fault.SlugAccountInvalid, "The credentials of a %s account cannot be replaced.", a.Scheme).
			WithFix("Have the user connect anew under the same id: POST /api/v3.1/connected_accounts/%s/refresh gives the link.", a.ID)
	}
	merged := plain(a.Values)
	for name, v := range renameProof(g.Declared.AccountFields, given) {
		if v != Redacted {
			merged[name] = v
		}
	}
	if _, ok := scheme.(issuing); ok { // the old token goes with what it was issued for
		for _, name := range issuedValues {
			if given[name] == "" || given[name] == Redacted {
				delete(merged, name)
			}
		}
	}
	values, err := checkImported(g, scheme, merged)
	if err != nil {
		return nil, err
	}
	g.Values = over(g.Values, values)
	tokens := Tokens{Expiry: importedExpiry(values, s.now().UTC()), Scopes: a.Scopes}
	if canIssue(scheme, g) {
		if tokens, err = issue(ctx, scheme, g); err != nil {
			return nil, rejectedCredential(g, err)
		}
		values = over(values, tokens.Values)
	}
	who, err := s.identify(ctx, g, scheme, a, values, tokens.Who)
	if err != nil {
		return nil, rejectedCredential(g, err)
	}
	return func(a *ConnectedAccount) error {
		status := a.Status
		now := s.now().UTC()
		s.activate(a, g, values, tokens, who, now)
		a.StatusReason = "Its credentials were replaced."
		if status == Inactive {
			a.Status = Inactive
		}
		return nil
	}, nil
}

func (p *ACLPatch) apply(a *ConnectedAccount) error {
	if a.Type != Shared {
		return aclOnPrivate()
	}
	if p.AllowAll == nil && p.Allowed == nil && p.Denied == nil {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "acl_config_for_shared names nothing to change.").
			WithFix("Give allow_all_users, allowed_user_ids or not_allowed_user_ids.")
	}
	set(&a.ACL.AllowAll, p.AllowAll)
	set(&a.ACL.Allowed, p.Allowed)
	set(&a.ACL.Denied, p.Denied)
	return a.ACL.check()
}

// enable switches an account off, or on again. Only an account that works can be switched off, and only one that was switched
// off can be switched on: the other states are mended by connecting.
func enable(a *ConnectedAccount, on bool) error {
	switch {
	case on && a.Status == Inactive:
		a.Status, a.StatusReason = Active, ""
	case !on && a.Status == Active:
		a.Status, a.StatusReason = Inactive, "Switched off by the project."
	case on && a.Status == Active, !on && a.Status == Inactive:
	default:
		return fault.New(fault.Invalid, fault.SlugAccountState, "Connected account %s is %s; only an account that is connected can be switched on or off.", a.ID, a.Status).
			WithFix("Have the user connect it first.")
	}
	return nil
}
