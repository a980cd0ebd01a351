package connect

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Times of one refresh.
const (
	refreshTimeout = 40 * time.Second // of everything, including waiting for another node
	storeTries     = 5                // at once: a token that was rotated must not be lost because the store is busy for a moment
)

// refresh replaces an account's token. Of the callers that come together, on this node and on others, one does it and all get
// the result. With rejected set, also a token that has not ended is replaced, unless another one than that is there already.
// Faults: Unprocessable when the account is (now) dead, Unavailable when the provider cannot be asked just now.
func (s *Service) refresh(ctx context.Context, a ConnectedAccount, rejected string) (ConnectedAccount, error) {
	flight := s.flights.DoChan(a.ID+"/"+rejected, func() (any, error) {
		s.running.Add(1)
		defer s.running.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		return s.refreshOnce(ctx, a.ProjectID, a.ID, rejected)
	})
	select {
	case <-ctx.Done():
		return ConnectedAccount{}, ctx.Err()
	case done := <-flight:
		if done.Err != nil {
			return ConnectedAccount{}, done.Err
		}
		return done.Val.(ConnectedAccount), nil
	}
}

// refreshOnce does it under the account's lease.
func (s *Service) refreshOnce(ctx context.Context, projectID, accountID, rejected string) (ConnectedAccount, error) {
	if err := s.troubles.check(accountID, s.now()); err != nil {
		return ConnectedAccount{}, err
	}
	l, a, err := s.claim(ctx, projectID, accountID, rejected)
	if l == nil || err != nil {
		return a, err
	}
	defer l.release()
	a, due, err := s.dueAccount(ctx, projectID, accountID, rejected)
	if err != nil || !due {
		return a, err
	}
	if err := s.troubles.learn(a, l.retry, s.now()); err != nil {
		return ConnectedAccount{}, err
	}
	a, err = s.replaceToken(ctx, a, l)
	s.o.Refreshed(outcomeOf(a, err))
	return a, err
}

func outcomeOf(a ConnectedAccount, err error) string {
	switch {
	case a.Status == Expired:
		return "expired"
	case err != nil:
		return "failed"
	default:
		return "refreshed"
	}
}

// dueAccount reads an account and tells whether its token has to be replaced.
func (s *Service) dueAccount(ctx context.Context, projectID, accountID, rejected string) (ConnectedAccount, bool, error) {
	a, err := s.store.Account(ctx, projectID, accountID)
	if err != nil {
		return a, false, err
	}
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return a, false, err
	}
	if a.Status != Active {
		return a, false, s.notActive(g.Toolkit, Selection{}, a)
	}
	if rejected != "" {
		return a, fingerprint(g.Values) == rejected, nil
	}
	at := s.renewAt(a, g, scheme)
	return a, !at.IsZero() && !s.now().Before(at), nil
}

// replaceToken asks the provider for new tokens and stores them before anybody uses them: a rotated refresh token that is not
// stored is a lost account. It holds the lease.
func (s *Service) replaceToken(ctx context.Context, a ConnectedAccount, l *lease) (ConnectedAccount, error) {
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return a, err
	}
	r, ok := scheme.(refreshing)
	if !ok || !r.CanRefresh(g) {
		if s.now().Before(a.TokenExpiry) {
			return a, nil
		}
		if cred, err := newCredential(scheme, g, a.ID, a.Scheme); err == nil && s.stillAccepted(ctx, g, cred) {
			return s.endless(ctx, a)
		}
		return s.expire(ctx, a, "The access token ended and "+g.Toolkit.Name+" gave no way to renew it. Connect it again.")
	}
	tokens, err := r.Refresh(ctx, g)
	if err != nil {
		return s.refreshFailed(ctx, a, g, err)
	}
	stored, err := s.storeTokens(ctx, a, tokens)
	if err != nil {
		s.storeLater(a, tokens, l)
		s.log.LogAttrs(ctx, slog.LevelError, "new tokens could not be stored; they are kept in memory until they can",
			slog.String("account", a.ID), slog.String("error", err.Error()))
		return a, fault.New(fault.Unavailable, fault.SlugUpstream, "The account's new token could not be stored.").Because(err)
	}
	s.troubles.renewed(a.ID, s.now())
	return stored, nil
}

// storeTokens writes new tokens, over the account's other values. It tries for a while: the old refresh token may be dead.
// Tokens of a grant that was replaced meanwhile, because the user connected anew, are dropped, and so are those of one that was ended.
func (s *Service) storeTokens(ctx context.Context, a ConnectedAccount, t Tokens) (stored ConnectedAccount, err error) {
	for try := range storeTries {
		stored, err = s.change(ctx, a.ProjectID, a.ID, func(now *ConnectedAccount) error {
			if now.Status == Revoked || now.Values["refresh_token"] != a.Values["refresh_token"] || !now.ConnectedAt.Equal(a.ConnectedAt) {
				return errSame
			}
			now.Values, now.TokenExpiry = over(now.Values, t.Values), t.Expiry
			if t.Scopes != nil {
				now.Scopes = t.Scopes
			}
			return nil
		})
		if err == nil || fault.Is(err, fault.NotFound) {
			return stored, err
		}
		select {
		case <-ctx.Done():
			return stored, errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond << try):
		}
	}
	return stored, err
}

// refreshFailed tells a grant that is dead, which makes the account EXPIRED, from a provider in trouble, which does not.
func (s *Service) refreshFailed(ctx context.Context, a ConnectedAccount, g Grant, err error) (ConnectedAccount, error) {
	var p *providerError
	if errors.As(err, &p) && p.permanent {
		return s.expire(ctx, a, g.Toolkit.Name+" refused to renew the access ("+p.text+"). Connect it again.")
	}
	return a, s.troubles.note(a.ID, g.Toolkit.Name, err, s.now())
}

// expire makes an account EXPIRED, unless somebody connected it anew meanwhile. The fault says so to whoever waits.
func (s *Service) expire(ctx context.Context, a ConnectedAccount, reason string) (ConnectedAccount, error) {
	refreshToken := a.Values["refresh_token"]
	now, err := s.change(ctx, a.ProjectID, a.ID, func(now *ConnectedAccount) error {
		if now.Status != Active || now.Values["refresh_token"] != refreshToken || !now.TokenExpiry.Equal(a.TokenExpiry) {
			return errSame
		}
		now.Status, now.StatusReason = Expired, reason
		return nil
	})
	if err != nil || now.Status == Active {
		return now, err
	}
	t, err := s.toolkit(tenant.Caller{ProjectID: a.ProjectID}, a.Toolkit)
	if err != nil {
		return now, err
	}
	return now, s.notActive(t, Selection{}, now)
}

// endless notes that a token works although its time is over: a clock was wrong, theirs or ours. From now on it ends when the
// provider says so.
func (s *Service) endless(ctx context.Context, a ConnectedAccount) (ConnectedAccount, error) {
	return s.change(ctx, a.ProjectID, a.ID, func(now *ConnectedAccount) error {
		if now.Version != a.Version {
			return errSame
		}
		now.TokenExpiry = time.Time{}
		return nil
	})
}

// RefreshAccount refreshes the token now if the account has one to refresh; otherwise it starts a new link under the same
// account, which stays ACTIVE if it is. The link is nil when none was needed.
func (s *Service) RefreshAccount(ctx context.Context, c tenant.Caller, id, origin, callbackURL string) (ConnectedAccount, *Link, error) {
	a, err := s.store.Account(ctx, c.ProjectID, id)
	if err != nil {
		return a, nil, err
	}
	g, scheme, err := s.grantOf(ctx, a)
	if err != nil {
		return a, nil, err
	}
	if r, ok := scheme.(refreshing); ok && a.Status == Active && r.CanRefresh(g) {
		fresh, err := s.refresh(ctx, a, fingerprint(g.Values))
		if !gone(err) {
			return fresh, nil, err
		}
	}
	l, err := s.CreateLink(ctx, c, NewLink{AccountID: a.ID, CallbackURL: callbackURL, Origin: origin})
	return l.Account, &l, err
}
