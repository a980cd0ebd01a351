package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// AuthConfigFor gives the auth config a new connection of a toolkit uses: the preferred one if named, else the project's
// newest that is enabled, else a managed one made on the fly. Faults: NoManagedAuth, ToolkitIsNoAuth.
func (s *Service) AuthConfigFor(ctx context.Context, c tenant.Caller, toolkit, preferredID string, forSession bool) (AuthConfig, error) {
	t, err := s.toolkit(c, toolkit)
	if err != nil {
		return AuthConfig{}, err
	}
	if preferredID != "" {
		cfg, err := s.config(ctx, c.ProjectID, preferredID)
		if err != nil {
			return AuthConfig{}, err
		}
		if cfg.Toolkit != t.Slug {
			return AuthConfig{}, fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Auth config %s is for %s, not for %s.", cfg.ID, cfg.Toolkit, t.Slug).
				WithFix("Name an auth config of %s, or none.", t.Slug)
		}
		return cfg, usableConfig(cfg, forSession)
	}
	if t.NoAuth() {
		return AuthConfig{}, toolkitIsNoAuth(t)
	}
	cfg, found, err := s.newestConfig(ctx, c, t.Slug, forSession)
	if err != nil || found {
		return cfg, err
	}
	// Of the calls that come together one makes it and the others get the same.
	made, err, _ := s.managed.Do(c.ProjectID+"/"+t.Slug, func() (any, error) {
		ctx := context.WithoutCancel(ctx) // the others do not go away with the first
		if cfg, found, err := s.newestConfig(ctx, c, t.Slug, forSession); err != nil || found {
			return cfg, err
		}
		n := NewAuthConfig{Toolkit: t.Slug, Managed: true, EnabledForSessions: true}
		if len(s.ManagedSchemes(t.Slug)) == 0 {
			if n.Scheme = s.selfRegistering(t); n.Scheme != "" {
				n.Managed = false
			}
		}
		return s.CreateAuthConfig(ctx, c, n)
	})
	if err != nil {
		return AuthConfig{}, err
	}
	return made.(AuthConfig), nil
}

// selfRegistering gives the scheme of a toolkit for which nobody has to make an app beforehand; empty when it has none.
func (s *Service) selfRegistering(t *catalog.Toolkit) string {
	for _, d := range s.Schemes(t) {
		if d.Mode == DCROAuth || d.Mode == CIMDOAuth {
			return d.Mode
		}
	}
	return ""
}

func (s *Service) newestConfig(ctx context.Context, c tenant.Caller, toolkit string, forSession bool) (AuthConfig, bool, error) {
	configs, _, err := s.store.ListAuthConfigs(ctx, c.ProjectID, AuthConfigFilter{
		Toolkits: []string{toolkit}, ForSessions: forSession, Limit: 1,
	})
	if err != nil || len(configs) == 0 {
		return AuthConfig{}, false, err
	}
	return configs[0], true, nil
}

// usableConfig says why no account can be connected or used under an auth config; nil when one can.
func usableConfig(cfg AuthConfig, forSession bool) error {
	switch {
	case !cfg.Enabled:
		return fault.New(fault.Unprocessable, fault.SlugAuthConfigInvalid, "Auth config %s is disabled.", cfg.ID).
			WithFix("Enable it (PATCH /api/v3.1/auth_configs/%s/ENABLED), or use another one.", cfg.ID)
	case forSession && !cfg.EnabledForSessions:
		return fault.New(fault.Unprocessable, fault.SlugAuthConfigInvalid, "Auth config %s is not enabled for sessions.", cfg.ID).
			WithFix("Set is_enabled_for_tool_router on it, or use another one.")
	}
	return nil
}
