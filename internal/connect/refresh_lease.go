package connect

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
)

// lease is the right to refresh an account, held by this node. While it is held it is renewed, so that others see that its owner
// lives. No clock but each node's own is asked: docs/decisions/0100.
type lease struct {
	service              *Service
	projectID, accountID string
	owner                string
	retry                Retry // as the refreshes before left it

	stop    context.CancelFunc
	stopped sync.WaitGroup
	kept    bool // until storeLater is done with it
}

// claim takes the right to refresh an account, as soon as whoever has it is done or dead. It gives no lease but the account when
// the refresh turns out to be done.
func (s *Service) claim(ctx context.Context, projectID, accountID, rejected string) (*lease, ConnectedAccount, error) {
	owner := s.o.Node + "/" + id.New("refresh")
	var seen, dead Lease
	var since time.Time
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		now, err := s.store.ClaimRefresh(ctx, projectID, accountID, owner, dead)
		if err != nil {
			return nil, ConnectedAccount{}, err
		}
		if now.Owner == owner {
			return s.hold(ctx, projectID, accountID, now), ConnectedAccount{}, nil
		}
		switch {
		case now.Owner != seen.Owner || now.Beat != seen.Beat:
			seen, since = now, time.Now()
		case time.Since(since) >= s.o.RefreshLease:
			dead = seen
		}
		// Somebody else is at it: see whether that is done, rather than wait for the lease.
		if a, due, err := s.dueAccount(ctx, projectID, accountID, rejected); err != nil || !due {
			return nil, a, err
		}
		select {
		case <-ctx.Done():
			return nil, ConnectedAccount{}, fault.New(fault.Unavailable, fault.SlugUpstream, "The account's token is being refreshed and not there yet.").
				Because(ctx.Err())
		case <-time.After(wait):
		}
	}
}

// hold begins to renew a lease.
func (s *Service) hold(ctx context.Context, projectID, accountID string, taken Lease) *lease {
	l := &lease{service: s, projectID: projectID, accountID: accountID, owner: taken.Owner, retry: taken.Retry}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.stopped.Go(func() { l.renew(ctx) })
	return l
}

// renew shows that the owner lives, several times in the time after which it would be taken for dead.
func (l *lease) renew(ctx context.Context) {
	tick := time.NewTicker(l.service.o.RefreshLease / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, err := l.service.store.RenewRefresh(ctx, l.projectID, l.accountID, l.owner)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.service.log.LogAttrs(ctx, slog.LevelWarn, "refresh lease not renewed", slog.String("account", l.accountID), slog.String("error", err.Error()))
		} else if !held {
			l.service.log.LogAttrs(ctx, slog.LevelWarn, "another node took this one for dead and its refresh over", slog.String("account", l.accountID))
			return
		}
	}
}

// release gives the right back when a refresh is over, unless its tokens still have to be stored.
func (l *lease) release() {
	if !l.kept {
		l.giveBack()
	}
}

// giveBack gives the right back, and notes when to try next if this try failed.
func (l *lease) giveBack() {
	l.stop()
	l.stopped.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaseTimeout)
	defer cancel()
	s := l.service
	if err := s.store.ReleaseRefresh(ctx, l.projectID, l.accountID, l.owner, s.troubles.retry(l.accountID)); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "refresh lease not released", slog.String("account", l.accountID), slog.String("error", err.Error()))
	}
}

const (
	leaseTimeout = 5 * time.Second        // of giving a lease back
	firstResave  = 200 * time.Millisecond // between tries to store what was not stored at once …
	longestSave  = 2 * time.Second        // … at most
	lastSave     = 3 * time.Second        // of the try when the server stops
)

// storeLater goes on trying to store tokens that the store does not take, for as long as this process lives. It keeps the lease:
// the refresh token in the store is used up, and must not be used again by anybody.
func (s *Service) storeLater(a ConnectedAccount, t Tokens, l *lease) {
	l.kept = true
	s.running.Go(func() {
		defer l.giveBack()
		for pause := firstResave; ; pause = min(2*pause, longestSave) {
			last := false
			select {
			case <-s.closing:
				last = true
			case <-time.After(pause):
			}
			ctx, cancel := context.WithTimeout(context.Background(), lastSave)
			_, err := s.storeTokens(ctx, a, t)
			cancel()
			switch {
			case err == nil:
				s.troubles.renewed(a.ID, s.now())
				return
			case fault.Is(err, fault.NotFound): // deleted meanwhile
				return
			case last:
				s.log.LogAttrs(context.Background(), slog.LevelError, "new tokens are lost: the store did not take them before the server stopped",
					slog.String("account", a.ID), slog.String("error", err.Error()))
				return
			}
		}
	})
}
