package connect

import (
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// grant gathers what a scheme works on for an account under its auth config.
func (s *Service) grant(c tenant.Caller, cfg AuthConfig, mode string, values Fields) (Grant, Scheme, error) {
	t, err := s.toolkit(c, cfg.Toolkit)
	if err != nil {
		return Grant{}, nil, err
	}
	declared, scheme, err := s.offered(t, mode)
	if err != nil {
		return Grant{}, nil, err
	}
	proxy, err := outbound.ParseProxy(cfg.ProxyURL, cfg.ProxyKey)
	if err != nil {
		return Grant{}, nil, err
	}
	g := Grant{Toolkit: t, Declared: declared, Client: cfg.Credentials, Values: over(cfg.Shared, values), Proxy: proxy}
	if cfg.Managed {
		app, ok := s.o.Apps[t.Slug]
		if !ok || app.ClientID == "" {
			return Grant{}, nil, noManagedAuth(t)
		}
		g.Client = over(cfg.Credentials, Fields{"client_id": secret.Hide(app.ClientID), "client_secret": app.ClientSecret})
	}
	g.Scopes, g.User = s.scopes(c, cfg, declared)
	return g, scheme, nil
}

// scopes are what the user is asked for: what the auth config lists, else the least that its tools need, else the operator's
// choice for the app, else the toolkit's default. A discovered server has none of these last; it says itself what there is to ask
// for.
func (s *Service) scopes(c tenant.Caller, cfg AuthConfig, declared *catalog.AuthScheme) (scopes, user []string) {
	var o catalog.OAuth2
	switch {
	case declared.OAuth2 != nil:
		o = *declared.OAuth2
	case declared.Discover == nil:
		return nil, nil
	}
	user = cfg.UserScopes
	if len(user) == 0 {
		user = o.DefaultUser
	}
	if len(cfg.Scopes) > 0 {
		return cfg.Scopes, user
	}
	if least := s.leastScopes(c, cfg.ToolsForCreation); len(least) > 0 {
		return least, user
	}
	if app := s.o.Apps[cfg.Toolkit]; cfg.Managed && len(app.Scopes) > 0 {
		return app.Scopes, user
	}
	return o.DefaultScopes, user
}

// leastScopes gives the scopes with which the tools can run and that let them do the least.
func (s *Service) leastScopes(c tenant.Caller, slugs []string) []string {
	toolkits := s.o.Catalog(c.ProjectID)
	tools := make([]*catalog.Tool, 0, len(slugs))
	for _, slug := range slugs {
		if tool, ok := toolkits.Tool(slug); ok {
			tools = append(tools, tool)
		}
	}
	scopes, _ := catalog.ScopeChoice{}.LeastScopes(tools)
	return scopes
}

// PublicValues gives an account's values as they may be shown: secrets replaced by Redacted.
func (s *Service) PublicValues(c tenant.Caller, a ConnectedAccount) map[string]string {
	return mask(a.Values, s.declaredFields(c, a.Toolkit, a.Scheme))
}

// PublicCredentials does the same for an auth config.
func (s *Service) PublicCredentials(c tenant.Caller, cfg AuthConfig) map[string]string {
	return mask(cfg.Credentials, s.declaredFields(c, cfg.Toolkit, cfg.Scheme))
}

// PublicShared does the same for the values that an auth config shares with its accounts.
func (s *Service) PublicShared(c tenant.Caller, cfg AuthConfig) map[string]string {
	return mask(cfg.Shared, s.declaredFields(c, cfg.Toolkit, cfg.Scheme))
}

func (s *Service) declaredFields(c tenant.Caller, toolkit, mode string) []catalog.Field {
	t, ok := s.o.Catalog(c.ProjectID).Toolkit(toolkit)
	if !ok {
		return nil
	}
	declared, _, ok := s.declaration(t, mode)
	if !ok {
		return nil
	}
	return slices.Concat(declared.ConfigFields, declared.AccountFields)
}
