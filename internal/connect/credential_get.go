package connect

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// patience is how long a call waits for a refresh while the token it has still works. The refresh itself goes on.
const patience = 2 * time.Second

// prepared is a credential that was made before, and until when it can be handed out without a look at the account.
type prepared struct {
	credential Credential
	version    int64     // of the account it was made from
	until      time.Time // zero: no end
}

// Credential gives a fresh credential of an ACTIVE account, refreshing it first when it is about to end. Warm calls read
// memory only. Single-flight over goroutines and nodes.
func (s *Service) Credential(ctx context.Context, c tenant.Caller, a ConnectedAccount) (Credential, error) {
	if a.ProjectID != c.ProjectID {
		return Credential{}, fault.New(fault.NotFound, fault.SlugAccountNotFound, "There is no connected account %s in this project.", a.ID).
			WithCode(fault.CodeAccountNotFound)
	}
	now := s.now()
	if p, ok := s.prepared.Get(a.ID); ok && p.version >= a.Version && (p.until.IsZero() || now.Before(p.until)) {
		return p.credential, nil
	}
	mark := s.prepared.Mark()
	if newer, err := s.account(ctx, a.ProjectID, a.ID); err == nil && newer.Version > a.Version {
		a = newer // the caller read it before it was renewed
	}
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return Credential{}, err
	}
	if a.Status != Active {
		return Credential{}, s.notActive(g.Toolkit, Selection{}, a)
	}
	until := s.renewAt(a, g, scheme)
	if !until.IsZero() && !now.Before(until) {
		fresh, err := s.renewed(ctx, a, until)
		if err != nil {
			return Credential{}, err
		}
		if fresh.Version != a.Version {
			a, mark = fresh, s.prepared.Mark()
			if g, scheme, err = s.grantOf(ctx, a); err != nil {
				return Credential{}, err
			}
			if a.Status != Active { // it was ended or switched off while the provider was asked
				return Credential{}, s.notActive(g.Toolkit, Selection{}, a)
			}
		}
		until = s.renewAt(a, g, scheme)
	}
	cred, err := newCredential(scheme, g, a.ID, a.Scheme)
	if err == nil {
		s.prepared.Put(a.ID, prepared{cred, a.Version, until}, mark)
	}
	return cred, err
}

// renewed gives the account with a token that works: a new one, or the old one if it does not end right now and a new one is
// not to be had quickly.
func (s *Service) renewed(ctx context.Context, a ConnectedAccount, due time.Time) (ConnectedAccount, error) {
	works := s.now().Before(a.TokenExpiry)
	wait := ctx
	if works {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	fresh, err := s.refresh(wait, a, "")
	switch {
	case err == nil:
		return fresh, nil
	case works && ctx.Err() == nil && !gone(err):
		return a, nil
	}
	return ConnectedAccount{}, err
}

// gone tells whether an error says that the account no longer works at all.
func gone(err error) bool {
	return fault.Is(err, fault.Unprocessable) || fault.Is(err, fault.NotFound)
}

// muchTooLong is how much longer than its whole life a token may seem to live on before that is taken for a clock that was turned
// back; the clocks of nodes differ by less.
const muchTooLong = 10 * time.Minute

// renewAt is when an account's token should be replaced: the lead time before its end, but never earlier than after two
// thirds of its life; its end itself when it cannot be replaced; at once when it seems to live longer than it can. Zero when it
// does not end.
func (s *Service) renewAt(a ConnectedAccount, g Grant, scheme Scheme) time.Time {
	if a.TokenExpiry.IsZero() {
		return time.Time{}
	}
	if r, ok := scheme.(refreshing); !ok || !r.CanRefresh(g) {
		return a.TokenExpiry
	}
	lead := s.o.RefreshLead
	if life := lifetime(a); life > 0 {
		if now := s.now(); a.TokenExpiry.Sub(now) > life+muchTooLong {
			return now
		}
		lead = min(lead, life/3)
	}
	return a.TokenExpiry.Add(-lead)
}

// lifetime is for how long the provider said the access token works; 0 when it did not.
func lifetime(a ConnectedAccount) time.Duration {
	seconds, err := time.ParseDuration(a.Values["expires_in"].Reveal() + "s")
	if err != nil {
		return 0
	}
	return seconds
}

// grantOf is grant for a stored account.
func (s *Service) grantOf(ctx context.Context, a ConnectedAccount) (Grant, Scheme, error) {
	cfg, err := s.config(ctx, a.ProjectID, a.AuthConfigID)
	if err != nil {
		return Grant{}, nil, err
	}
	return s.grant(tenant.Caller{ProjectID: a.ProjectID}, cfg, a.Scheme, a.Values)
}

// Rejected is told by execution that the provider refused the credential (401 and the toolkit's own rules). It refreshes
// once if that is possible and says whether another try makes sense; otherwise the account becomes EXPIRED with a reason.
// A toolkit that can say whose account it is gets asked first: a provider may answer 401 for what is merely forbidden.
func (s *Service) Rejected(ctx context.Context, c tenant.Caller, a ConnectedAccount, cred Credential) (retry bool, err error) {
	a, err = s.store.Account(ctx, c.ProjectID, a.ID)
	if err != nil || a.Status != Active {
		return false, err
	}
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return false, err
	}
	current := fingerprint(g.Values)
	if current != cred.print {
		s.prepared.Drop(a.ID)
		return true, nil // it was replaced meanwhile
	}
	if r, ok := scheme.(refreshing); ok && r.CanRefresh(g) && !s.troubles.justRenewed(a.ID, s.now()) {
		_, err := s.refresh(ctx, a, current)
		if gone(err) {
			return false, nil
		}
		return err == nil, nil
	}
	if s.stillAccepted(ctx, g, cred) {
		return false, nil
	}
	_, err = s.change(context.WithoutCancel(ctx), a.ProjectID, a.ID, func(now *ConnectedAccount) error {
		if now.Status != Active || now.Version != a.Version {
			return errSame
		}
		now.Status, now.StatusReason = Expired, g.Toolkit.Name+" no longer accepts the credential. Connect it again."
		return nil
	})
	return false, err
}

// stillAccepted asks the provider whose account the credential is for. Only an answer that names somebody counts.
func (s *Service) stillAccepted(ctx context.Context, g Grant, cred Credential) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	who, err := s.auth.whoIs(ctx, g.Toolkit, cred)
	return err == nil && who != Identity{}
}
