package connect

import (
	"context"
	"errors"
	"log/slog"
)

// errSame is given by an update that finds nothing to do.
var errSame = errors.New("nothing to change")

// change is how every stored account changes: in one step, with the time noted, and the new status announced once it is
// stored.
func (s *Service) change(ctx context.Context, projectID, id string, update func(*ConnectedAccount) error) (ConnectedAccount, error) {
	var seen ConnectedAccount
	a, err := s.store.UpdateAccount(ctx, projectID, id, func(a *ConnectedAccount) error {
		seen = *a
		if err := update(a); err != nil {
			return err
		}
		a.UpdatedAt = s.now().UTC()
		return nil
	})
	if errors.Is(err, errSame) {
		return seen, nil
	}
	if err != nil {
		return ConnectedAccount{}, err
	}
	if seen.Status != a.Status {
		s.log.LogAttrs(ctx, slog.LevelInfo, "connected account changed status", slog.String("account", a.ID),
			slog.String("toolkit", a.Toolkit), slog.String("from", string(seen.Status)), slog.String("to", string(a.Status)),
			slog.String("reason", a.StatusReason))
		if s.o.StatusChanged != nil {
			s.o.StatusChanged(ctx, seen.Status, a)
		}
	}
	return a, nil
}

// pending tells whether an account waits for its user.
func (a ConnectedAccount) pending() bool { return a.Status == Initializing || a.Status == Initiated }
