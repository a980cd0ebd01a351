package connect

import (
	"context"
	"maps"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// revokeTimeout bounds the asking of one provider to end a grant.
const revokeTimeout = 10 * time.Second

// Revocation says what became of a grant at its provider.
type Revocation struct {
	Tokens  []string // which values the provider ended: "access_token", "refresh_token"
	Outcome Outcome
	Note    string // the same for a person, with the reason where it was not possible
	Links   int    // Connect Links to the account that were open, and lead nowhere now
}

// Outcome of a revocation.
type Outcome string

// The outcomes. Only after Unconfirmed may trying again do more.
const (
	EndedAtProvider Outcome = "ended_at_provider"
	NothingToEnd    Outcome = "nothing_to_end" // there never was a grant, or it was ended before
	ByHand          Outcome = "by_hand"        // nothing opens it from here any more, but the provider offers no way to end it: a person has to, there
	Unconfirmed     Outcome = "unconfirmed"    // the provider was asked and did not say yes
)

// DeleteAccount ends the grant at the provider where that is possible, and removes the account in any case.
func (s *Service) DeleteAccount(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return Revocation{}, err
	}
	s.leave(ctx, a)
	said := s.revoke(ctx, a)
	return said, s.store.DeleteAccount(context.WithoutCancel(ctx), c.ProjectID, id)
}

// RevokeAccount ends the grant at the provider and keeps the account as REVOKED. Faults: Invalid when the toolkit has no
// way to revoke, Conflict when the account is not ACTIVE. Open links to the account are closed.
func (s *Service) RevokeAccount(ctx context.Context, c tenant.Caller, id string) (ConnectedAccount, Revocation, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return ConnectedAccount{}, Revocation{}, err
	}
	if a.Status == Revoked {
		return a, Revocation{Outcome: NothingToEnd, Note: "It was revoked before."}, nil
	}
	if a.Status != Active {
		return a, Revocation{}, fault.New(fault.Conflict, fault.SlugAccountState, "Connected account %s is %s, not ACTIVE; there is nothing to revoke.", id, a.Status)
	}
	if !s.canRevoke(ctx, c, a) {
		return a, Revocation{}, fault.New(fault.Invalid, fault.SlugAccountInvalid, "%s has no way to revoke a %s grant.", a.Toolkit, a.Scheme).
			WithFix("Delete the account here, and remove the access in the settings of %s.", a.Toolkit)
	}
	links, err := s.store.EndRequests(ctx, a.ProjectID, a.ID, s.now())
	if err != nil {
		return a, Revocation{}, err
	}
	said := s.revoke(ctx, a)
	said.Links = links
	a, err = s.wipe(context.WithoutCancel(ctx), a, said)
	return a, said, err
}

// EndAccount makes an account REVOKED from whatever state, with its secrets gone, and ends the grant at the provider where there
// is a way to. A provider that has a way and does not confirm is a fault of kind Upstream, and the account stays as it
// was, to be tried again; unless that is not to count (forced). Ending an account twice is the same as once. Links to the account
// that are open are closed in any case: whoever has one must not connect what was ended.
func (s *Service) EndAccount(ctx context.Context, c tenant.Caller, id string, forced bool) (ConnectedAccount, Revocation, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return ConnectedAccount{}, Revocation{}, err
	}
	links, err := s.store.EndRequests(ctx, a.ProjectID, a.ID, s.now())
	if err != nil {
		return a, Revocation{}, err
	}
	if a.Status == Revoked {
		return a, Revocation{Outcome: NothingToEnd, Note: a.StatusReason, Links: links}, nil
	}
	said := s.revoke(ctx, a)
	said.Links = links
	if said.Outcome == Unconfirmed && a.Status == Expired { // the provider has ended it before, and says so in its own way
		said.Outcome = ByHand
	}
	if said.Outcome == Unconfirmed && !forced {
		return a, said, fault.New(fault.Upstream, fault.SlugUpstream, "Connected account %s is not revoked: %s", id, said.Note).
			WithFix("Try again, or end it here whatever the provider says (mode=forced).")
	}
	a, err = s.wipe(context.WithoutCancel(ctx), a, said)
	return a, said, err
}

// wipe makes an account REVOKED and wipes what opened it. If somebody signed in again or a token was renewed while the provider
// was asked, what is stored now is not what was ended, and the account stays.
func (s *Service) wipe(ctx context.Context, asked ConnectedAccount, said Revocation) (ConnectedAccount, error) {
	return s.change(ctx, asked.ProjectID, asked.ID, func(a *ConnectedAccount) error {
		if said.Outcome == EndedAtProvider && !maps.Equal(a.Values, asked.Values) {
			return fault.New(fault.Conflict, fault.SlugAccountState, "Connected account %s got new credentials while the old ones were revoked.", a.ID).
				WithFix("Revoke it again.")
		}
		a.Status, a.StatusReason = Revoked, "Revoked by the project. "+said.Note
		a.Values, a.TokenExpiry = withoutTokens(a.Values), time.Time{}
		return nil
	})
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
		return Revocation{Outcome: NothingToEnd, Note: "There was no grant to revoke."}
	}
	cfg, err := s.config(ctx, a.ProjectID, a.AuthConfigID)
	if err != nil {
		return Revocation{Outcome: ByHand, Note: "The grant was not revoked at the provider: its auth config is gone."}
	}
	g, scheme, err := s.grant(c, cfg, a.Scheme, a.Values)
	if err != nil {
		return Revocation{Outcome: ByHand, Note: "The grant was not revoked at the provider: " + fault.From(err).Message}
	}
	r, ok := scheme.(revoking)
	if !ok || !r.CanRevoke(g) {
		return Revocation{Outcome: ByHand, Note: g.Toolkit.Name + " offers no way to revoke it from here; remove the access in the account's settings there."}
	}
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	ended, err := r.Revoke(ctx, g)
	if err != nil {
		return Revocation{Tokens: ended, Outcome: Unconfirmed, Note: g.Toolkit.Name + " did not confirm the revocation: " + err.Error()}
	}
	return Revocation{Tokens: ended, Outcome: EndedAtProvider, Note: "The grant was revoked at " + g.Toolkit.Name + "."}
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
