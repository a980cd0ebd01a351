package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// ClientID gives the client id under which the app of an account's auth config is known at the provider; empty when the scheme
// has none.
func (s *Service) ClientID(ctx context.Context, c tenant.Caller, a ConnectedAccount) (string, error) {
	cfg, err := s.config(ctx, c.ProjectID, a.AuthConfigID)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if cfg.Managed {
		return s.o.Apps[cfg.Toolkit].ClientID, nil
	}
	return cfg.Credentials["client_id"].Reveal(), nil
}
