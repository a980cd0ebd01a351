package connect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// NewAuthConfig is what CreateAuthConfig needs.
type NewAuthConfig struct {
	Toolkit            string
	Managed            bool   // use the operator's app; a fault with slug ToolRouterV2_NoManagedAuth when there is none
	Name               string // empty: made from the toolkit's name
	Scheme             string // empty: the toolkit's first
	Credentials        Fields
	Scopes, UserScopes []string
	Shared             Fields
	ToolsForCreation   []string
	ToolsForExecution  []string
	ProxyURL, ProxyKey string
	VerifierURL        string
	ShowSecrets        bool
	EnabledForSessions bool
}

// CreateAuthConfig stores an auth config. Faults: an unknown toolkit, NoManagedAuth, ToolkitIsNoAuth, and one of slug
// AuthConfig_BadRequest that lists every field that is missing or wrong.
func (s *Service) CreateAuthConfig(ctx context.Context, c tenant.Caller, n NewAuthConfig) (AuthConfig, error) {
	t, err := s.toolkit(c, n.Toolkit)
	if err != nil {
		return AuthConfig{}, err
	}
	now := s.now().UTC()
	cfg := AuthConfig{
		ID: id.New(id.AuthConfig), ProjectID: c.ProjectID, Toolkit: t.Slug, Managed: n.Managed,
		Name: cmp.Or(strings.TrimSpace(n.Name), t.Name), Scopes: n.Scopes, UserScopes: n.UserScopes, Shared: given(n.Shared),
		ToolsForCreation: n.ToolsForCreation, ToolsForExecution: n.ToolsForExecution, VerifierURL: n.VerifierURL, ShowSecrets: n.ShowSecrets,
		Enabled: true, EnabledForSessions: n.EnabledForSessions, CreatedAt: now, UpdatedAt: now,
	}
	if err := setProxy(&cfg, n.ProxyURL, n.ProxyKey); err != nil {
		return AuthConfig{}, err
	}
	if n.Managed {
		err = s.useOperatorsApp(t, &cfg, n)
	} else {
		err = s.useOwnCredentials(t, &cfg, n)
	}
	if err == nil {
		err = s.checkAccess(c, &cfg)
	}
	if err != nil {
		return AuthConfig{}, err
	}
	if err := s.store.CreateAuthConfig(ctx, cfg); err != nil {
		return AuthConfig{}, err
	}
	return cfg, nil
}

func (s *Service) useOperatorsApp(t *catalog.Toolkit, cfg *AuthConfig, n NewAuthConfig) error {
	switch {
	case t.NoAuth():
		return toolkitIsNoAuth(t)
	case len(s.ManagedSchemes(t.Slug)) == 0 || n.Scheme != "" && n.Scheme != OAuth2:
		return noManagedAuth(t)
	}
	if _, _, ok := s.declaration(t, OAuth2); !ok {
		return noManagedAuth(t)
	}
	cfg.Scheme = OAuth2
	return nil
}

func (s *Service) useOwnCredentials(t *catalog.Toolkit, cfg *AuthConfig, n NewAuthConfig) error {
	cfg.Scheme = n.Scheme
	if cfg.Scheme == "" {
		cfg.Scheme = s.firstScheme(t)
	}
	declared, _, err := s.offered(t, cfg.Scheme)
	if err != nil {
		return err
	}
	fields, faults := checkFields(declared.ConfigFields, plain(n.Credentials))
	if len(faults) > 0 {
		return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "The auth config for %s with %s is not complete.", t.Name, cfg.Scheme).
			WithFix("Mend these fields of credentials: %s.", fieldNames(faults)).WithDetails(lines(faults)...)
	}
	cfg.Credentials = fields
	return nil
}

// ManagedSchemes gives the schemes of a toolkit for which the operator configured an app ("composio managed" on the wire).
func (s *Service) ManagedSchemes(toolkit string) []string {
	app, ok := s.o.Apps[strings.ToLower(toolkit)]
	if !ok || app.ClientID == "" {
		return []string{}
	}
	return []string{OAuth2}
}

// firstScheme is the toolkit's most preferred scheme that this server knows.
func (s *Service) firstScheme(t *catalog.Toolkit) string {
	if offered := s.Schemes(t); len(offered) > 0 {
		return offered[0].Mode
	}
	return NoAuth
}

// offered finds a scheme of a toolkit, or says which there are.
func (s *Service) offered(t *catalog.Toolkit, mode string) (*catalog.AuthScheme, Scheme, error) {
	if declared, scheme, ok := s.declaration(t, mode); ok {
		return declared, scheme, nil
	}
	var names []string
	for _, d := range s.Schemes(t) {
		names = append(names, d.Mode)
	}
	f := fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Scheme %q is not supported here for %s.", mode, t.Name)
	if known := refuseUnsupported(mode, t.Name); known != nil {
		f = known
	}
	if len(names) == 0 {
		return nil, nil, f.WithFix("None of %s's ways to connect is known to this server.", t.Name)
	}
	return nil, nil, f.WithFix("Use one of %s.", strings.Join(names, ", "))
}

func noManagedAuth(t *catalog.Toolkit) error {
	return fault.New(fault.Invalid, fault.SlugNoManagedAuth, "This server has no OAuth app of its own for %s.", t.Name).
		WithCode(fault.CodeNoManagedAuth).
		WithFix("Create an auth config of type use_custom_auth with your own credentials, or have the operator of this server set "+
			"toolkits.%s.oauth2.client_id and toolkits.%s.oauth2.client_secret.", t.Slug, t.Slug)
}

func toolkitIsNoAuth(t *catalog.Toolkit) error {
	return fault.New(fault.Invalid, fault.SlugToolkitIsNoAuth, "%s works without an account.", t.Name).
		WithCode(fault.CodeToolkitIsNoAuth).WithFix("Call its tools directly; there is nothing to connect.")
}

// plain reveals fields for checking. The result must not leave the caller.
func plain(fields Fields) map[string]string {
	out := make(map[string]string, len(fields))
	for name, v := range fields {
		out[name] = v.Reveal()
	}
	return out
}

func fieldNames(faults map[string]string) string {
	names := make([]string, 0, len(faults))
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
