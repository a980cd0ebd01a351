package connect

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// revokeTimeout bounds the asking of one provider to end a grant.
const revokeTimeout = 10 * time.Second

// Revocation says what became of a grant at its provider.
type Revocation struct {
	Tokens []string // which values the provider ended: "access_token", "refresh_token"
	Note   string   // the same for a person, with the reason where it was not possible
}

// DeleteAccount ends the grant at the provider where that is possible, and removes the account in any case.
func (s *Service) DeleteAccount(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return Revocation{}, err
	}
	said := s.revoke(ctx, a)
	return said, s.store.DeleteAccount(context.WithoutCancel(ctx), c.ProjectID, id)
}

// RevokeAccount ends the grant at the provider and keeps the account as REVOKED. Faults: Invalid when the toolkit has no
// way to revoke, Conflict when the account is not ACTIVE.
func (s *Service) RevokeAccount(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, Revocation, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return ConnectedAccount{}, Revocation{}, err
	}
	if a.Status != Active {
		return a, Revocation{}, fault.New(fault.Conflict, fault.SlugAccountState, "Connected account %s is %s, not ACTIVE; there is nothing to revoke.", id, a.Status)
	}
	if !s.canRevoke(ctx, c, a) {
		return a, Revocation{}, fault.New(fault.Invalid, fault.SlugAccountInvalid, "%s has no way to revoke a %s grant.", a.Toolkit, a.Scheme).
			WithFix("Delete the account here, and remove the access in the settings of %s.", a.Toolkit)
	}
	said := s.revoke(ctx, a)
	a, err = s.change(context.WithoutCancel(ctx), c.ProjectID, id, func(a *ConnectedAccount) error {
		a.Status, a.StatusReason = Revoked, "Revoked by the project. "+said.Note
		a.Values, a.TokenExpiry = withoutTokens(a.Values), time.Time{}
		return nil
	})
	return a, said, err
}

func (s *Service) canRevoke(ctx context.Context, c tenant.Caller, a ConnectedAccount) bool {
	cfg, err := s.config(ctx, c.ProjectID, a.AuthConfigID)
	if err != nil {
		return false
	}
	g, scheme, err := s.grant(c, cfg, a.Scheme, a.Values)
	if err != nil {
		return false
	}
	r, ok := scheme.(revoking)
	return ok && r.CanRevoke(g)
}

// revoke asks the provider to end a grant, as well as can be done, and says how that went.
func (s *Service) revoke(ctx context.Context, a ConnectedAccount) Revocation {
	c := tenant.Caller{ProjectID: a.ProjectID}
	if a.ConnectedAt.IsZero() {
		return Revocation{Note: "There was no grant to revoke."}
	}
	cfg, err := s.config(ctx, a.ProjectID, a.AuthConfigID)
	if err != nil {
		return Revocation{Note: "The grant was not revoked at the provider: its auth config is gone."}
	}
	g, scheme, err := s.grant(c, cfg, a.Scheme, a.Values)
	if err != nil {
		return Revocation{Note: "The grant was not revoked at the provider: " + fault.From(err).Message}
	}
	r, ok := scheme.(revoking)
	if !ok || !r.CanRevoke(g) {
		return Revocation{Note: g.Toolkit.Name + " offers no way to revoke it from here; remove the access in the account's settings there."}
	}
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	ended, err := r.Revoke(ctx, g)
	if err != nil {
		return Revocation{Tokens: ended, Note: g.Toolkit.Name + " did not confirm the revocation: " + err.Error()}
	}
	return Revocation{Tokens: ended, Note: "The grant was revoked at " + g.Toolkit.Name + "."}
}

// withoutTokens keeps only what may be shown: where the account lives, not what opened it.
func withoutTokens(values Fields) Fields {
	kept := make(Fields)
	for name, v := range values {
		if instanceFields[name] {
			kept[name] = v
		}
	}
	return kept
}
