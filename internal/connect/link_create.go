package connect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// NewLink is what CreateLink needs.
type NewLink struct {
	AuthConfigID string // may be empty with AccountID
	UserID       string
	CallbackURL  string
	Alias        string
	Data         map[string]string // connection fields known beforehand
	AccountType  string            // empty: Private
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

// CreateLink stores an INITIALIZING account (or keeps the one to reconnect) and a request that lives ten minutes. A dead
// account of the same user and auth config is connected anew under its id, so that what refers to it goes on working; so is the
// one that the link names.
func (s *Service) CreateLink(ctx context.Context, c tenant.Caller, n NewLink) (Link, error) {
	settings, err := s.o.Settings(ctx, c.ProjectID)
	if err != nil {
		return Link{}, err
	}
	if err := checkCallback(n.CallbackURL, settings.CallbackOrigins); err != nil {
		return Link{}, err
	}
	n.Origin = cmp.Or(settings.LinkURL, s.origin(n.Origin))
	a, cfg, err := s.accountToLink(ctx, c, n)
	if err != nil {
		return Link{}, err
	}
	if err := s.checkLinkData(c, cfg, a.Scheme, n.Data); err != nil {
		return Link{}, err
	}
	if a.Version == 0 {
		a, err = s.storeAccount(ctx, a)
	} else {
		a, err = s.reopen(ctx, a, n)
	}
	if err != nil {
		return Link{}, err
	}
	return s.storeRequest(ctx, a, n)
}

// storeRequest makes the link itself. Only hashes of its token are kept.
func (s *Service) storeRequest(ctx context.Context, a ConnectedAccount, n NewLink) (Link, error) {
	now := s.now().UTC()
	token := id.NewSecret(id.LinkToken)
	r := ConnectionRequest{
		TokenHash: secret.Hash(token), ProjectID: a.ProjectID, AccountID: a.ID, UserID: a.UserID,
		CallbackURL: n.CallbackURL, Prefill: hide(n.Data), CreatedAt: now, ExpiresAt: now.Add(s.o.LinkLife),
	}
	if err := s.store.CreateRequest(ctx, r); err != nil {
		return Link{}, err
	}
	return Link{Token: token, URL: strings.TrimSuffix(n.Origin, "/") + "/link/" + token, Account: a, Request: r}, nil
}

// accountToLink finds the account that the link is for: the named one, a dead one of the same kind, or a new one, which is not
// stored yet (its Version is 0).
func (s *Service) accountToLink(ctx context.Context, c tenant.Caller, n NewLink) (ConnectedAccount, AuthConfig, error) {
	if n.AccountID != "" {
		return s.namedAccountToLink(ctx, c, n)
	}
	cfg, err := s.config(ctx, c.ProjectID, n.AuthConfigID)
	if err != nil {
		return ConnectedAccount{}, cfg, err
	}
	if err := usableConfig(cfg, false); err != nil {
		return ConnectedAccount{}, cfg, err
	}
	fresh, err := s.newAccount(cfg, n.UserID, n.Alias, n.AccountType, n.ACL)
	if err != nil {
		return ConnectedAccount{}, cfg, err
	}
	fresh.Scheme, fresh.Status = cfg.Scheme, Initializing
	dead, found, err := s.deadAccount(ctx, c, fresh)
	if err != nil || !found {
		return fresh, cfg, err
	}
	return dead, cfg, nil
}

func (s *Service) namedAccountToLink(ctx context.Context, c tenant.Caller, n NewLink) (a ConnectedAccount, cfg AuthConfig, err error) {
	if a, err = s.store.Account(ctx, c.ProjectID, n.AccountID); err != nil {
		return a, cfg, err
	}
	if cfg, err = s.config(ctx, c.ProjectID, a.AuthConfigID); err != nil {
		return a, cfg, err
	}
	switch {
	case n.UserID != "" && n.UserID != a.UserID:
		return a, cfg, fault.New(fault.Invalid, fault.SlugAccountInvalid, "Connected account %s belongs to another user.", a.ID).
			WithFix("Leave user_id out, or name an account of this user.")
	case n.AuthConfigID != "" && n.AuthConfigID != a.AuthConfigID:
		return a, cfg, fault.New(fault.Invalid, fault.SlugAccountInvalid, "Connected account %s hangs on auth config %s and cannot move to another.", a.ID, a.AuthConfigID).
			WithFix("Connect a new account under %s.", n.AuthConfigID)
	case a.Status == Inactive:
		return a, cfg, fault.New(fault.Conflict, fault.SlugAccountState, "Connected account %s is switched off.", a.ID).
			WithFix("Switch it on before connecting it anew.")
	case n.ACL != nil && a.Type != Shared:
		return a, cfg, aclOnPrivate()
	}
	return a, cfg, usableConfig(cfg, false)
}

// deadAccount finds an account that a new link can bring back to life instead of leaving it behind: of the same user, auth
// config, type and alias.
func (s *Service) deadAccount(ctx context.Context, c tenant.Caller, like ConnectedAccount) (ConnectedAccount, bool, error) {
	accounts, err := s.AccountsOf(ctx, c, like.UserID)
	if err != nil {
		return ConnectedAccount{}, false, err
	}
	var best ConnectedAccount
	for _, a := range accounts {
		dead := a.Status == Expired || a.Status == Failed || a.Status == Revoked
		if !dead || a.AuthConfigID != like.AuthConfigID || a.Type != like.Type || a.Scheme != like.Scheme || a.Alias != like.Alias {
			continue
		}
		if best.ID == "" || a.ConnectedAt.After(best.ConnectedAt) {
			best = a
		}
	}
	return best, best.ID != "", nil
}

// newAccount is an account that is not stored yet, after everything that can be wrong with its owner was checked.
func (s *Service) newAccount(cfg AuthConfig, userID, alias, kind string, acl *ACL) (ConnectedAccount, error) {
	if err := checkUserID(userID); err != nil {
		return ConnectedAccount{}, err
	}
	now := s.now().UTC()
	a := ConnectedAccount{
		ID: id.New(id.ConnectedAccount), Alias: strings.TrimSpace(alias), ProjectID: cfg.ProjectID, UserID: userID, Toolkit: cfg.Toolkit,
		AuthConfigID: cfg.ID, Type: Private, CreatedAt: now, UpdatedAt: now,
	}
	switch kind {
	case "", Private:
		if acl != nil {
			return ConnectedAccount{}, aclOnPrivate()
		}
	case Shared:
		a.Type = Shared
		if acl != nil {
			a.ACL = *acl
		}
	default:
		return ConnectedAccount{}, fault.New(fault.Invalid, fault.SlugAccountInvalid, "account_type %q is neither PRIVATE nor SHARED.", kind)
	}
	if err := checkAlias(a.Alias); err != nil {
		return ConnectedAccount{}, err
	}
	return a, a.ACL.check()
}

// storeAccount stores a new account under a word id that nobody has.
func (s *Service) storeAccount(ctx context.Context, a ConnectedAccount) (ConnectedAccount, error) {
	for try := 0; ; try++ {
		a.WordID = newWordID(a.Toolkit, try)
		err := s.store.CreateAccount(ctx, a)
		if err == nil {
			a.Version = 1
			return a, nil
		}
		if !errors.Is(err, ErrWordIDTaken) || try == 20 {
			return ConnectedAccount{}, err
		}
	}
}

// reopen gets an account ready to be connected anew. One that works goes on working until the new grant is there.
func (s *Service) reopen(ctx context.Context, a ConnectedAccount, n NewLink) (ConnectedAccount, error) {
	return s.change(ctx, a.ProjectID, a.ID, func(a *ConnectedAccount) error {
		if a.Status == Inactive {
			return fault.New(fault.Conflict, fault.SlugAccountState, "Connected account %s is switched off.", a.ID)
		}
		if a.Status != Active {
			a.Status, a.StatusReason = Initializing, ""
		}
		if n.ACL != nil {
			a.ACL = *n.ACL
		}
		if alias := strings.TrimSpace(n.Alias); alias != "" {
			a.Alias = alias
		}
		if err := checkAlias(a.Alias); err != nil {
			return err
		}
		return a.ACL.check()
	})
}

// checkLinkData refuses connection data that cannot be right, and a link that nobody could finish because the project did not
// say which host its secret may be sent to.
func (s *Service) checkLinkData(c tenant.Caller, cfg AuthConfig, mode string, data map[string]string) error {
	g, scheme, err := s.grant(c, cfg, mode, hide(data))
	if err != nil {
		return err
	}
	faults := make(map[string]string)
	for _, f := range g.Declared.AccountFields {
		if v, given := data[f.Name]; given && strings.TrimSpace(v) != "" {
			if problem := checkField(f, strings.TrimSpace(v)); problem != "" {
				faults[f.Name] = problem
			}
		}
	}
	for name := range projectOnly(cfg, scheme, g) {
		if g.Values[name].Empty() && g.Client[name].Empty() && !hasDefault(g.Declared.AccountFields, name) {
			faults[name] = "This field decides where a secret of the project is sent, so the project has to give it, not the user."
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugAccountInvalid, "The connection data for %s is not right.", g.Toolkit.Name).
		WithFix("Mend these fields in connection_data, or set them in shared_credentials of the auth config: %s.", fieldNames(faults)).
		WithDetails(lines(faults)...)
}

func hasDefault(fields []catalog.Field, name string) bool {
	return slices.ContainsFunc(fields, func(f catalog.Field) bool { return f.Name == name && f.Default != "" })
}
