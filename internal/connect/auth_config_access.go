package connect

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// checkAccess checks what an auth config says of tools and of places that browsers are sent to, and writes tools as the catalog
// does: a slug that is not there would, unnoticed, allow nothing, or ask for no scope.
func (s *Service) checkAccess(c tenant.Caller, cfg *AuthConfig) error {
	faults := make(map[string]string)
	if own := cfg.Credentials["oauth_redirect_uri"]; !own.Empty() {
		if u, err := tenant.ParseURL(own.Reveal()); err != nil || u.Fragment != "" { // RFC 6749 section 3.1.2: no fragment
			faults["oauth_redirect_uri"] = "The redirect URI must be a whole http or https URL without a fragment."
		}
	}
	if cfg.VerifierURL != "" {
		if u, err := tenant.ParseURL(cfg.VerifierURL); err != nil || u.Fragment != "" {
			faults["verifier_url"] = "The verifier must be a whole http or https URL without a fragment."
		}
	}
	for name, list := range map[string]*[]string{
		"tools_for_connected_account_creation": &cfg.ToolsForCreation, "tools_available_for_execution": &cfg.ToolsForExecution,
	} {
		current, problem := s.currentTools(c, cfg.Toolkit, *list)
		if *list = current; problem != "" {
			faults[name] = problem
		}
	}
	for name, problem := range s.sharedFaults(c, *cfg) {
		faults["shared_credentials."+name] = problem
	}
	if len(faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "The auth config for %s is not right.", cfg.Toolkit).
		WithFix("Mend these fields: %s.", fieldNames(faults)).WithDetails(lines(faults)...)
}

// sharedFaults says what is wrong with values that all accounts of an auth config inherit: nobody else would see it in time.
func (s *Service) sharedFaults(c tenant.Caller, cfg AuthConfig) map[string]string {
	faults := make(map[string]string)
	for _, f := range s.declaredFields(c, cfg.Toolkit, cfg.Scheme) {
		if v := strings.TrimSpace(cfg.Shared[f.Name].Reveal()); v != "" {
			if problem := checkField(f, v); problem != "" {
				faults[f.Name] = problem
			}
		}
	}
	for name, v := range cfg.Shared {
		if len(v.Reveal()) > maxFieldLength || strings.ContainsRune(v.Reveal(), 0) {
			faults[name] = tooLong
		}
	}
	return faults
}

// given drops values that are empty, or come as they were shown masked.
func given(fields Fields) Fields {
	kept := withoutRedacted(fields)
	for name, v := range kept {
		if v.Empty() {
			delete(kept, name)
		}
	}
	return kept
}

// setAccess changes what checkAccess looks at. What a patch does not touch is not looked at again: a tool may have gone since.
func (s *Service) setAccess(c tenant.Caller, cfg *AuthConfig, p AuthConfigPatch) error {
	touched := AuthConfig{
		Toolkit: cfg.Toolkit, Scheme: cfg.Scheme, Credentials: p.Credentials, VerifierURL: deref(p.VerifierURL), Shared: given(p.Shared),
		ToolsForCreation: deref(p.ToolsForCreation), ToolsForExecution: deref(p.ToolsForExecution),
	}
	if err := s.checkAccess(c, &touched); err != nil {
		return err
	}
	set(&cfg.VerifierURL, p.VerifierURL)
	if p.ToolsForCreation != nil {
		cfg.ToolsForCreation = touched.ToolsForCreation
	}
	if p.ToolsForExecution != nil {
		cfg.ToolsForExecution = touched.ToolsForExecution
	}
	return nil
}

// currentTools gives the slugs under which the catalog knows tools of a toolkit, and what is wrong with those it does not know.
func (s *Service) currentTools(c tenant.Caller, toolkit string, slugs []string) (current []string, problem string) {
	toolkits := s.o.Catalog(c.ProjectID)
	var unknown []string
	for _, slug := range slugs {
		tool, ok := toolkits.Tool(strings.ToUpper(strings.TrimSpace(slug)))
		switch {
		case ok && tool.Toolkit.Slug != toolkit:
			unknown = append(unknown, slug+" (of "+tool.Toolkit.Slug+")")
		case !ok:
			unknown = append(unknown, slug+didYouMean(toolkits, slug))
		case !slices.Contains(current, tool.Slug):
			current = append(current, tool.Slug)
		}
	}
	if len(unknown) > 0 {
		return slugs, "These are no tools of " + toolkit + ": " + strings.Join(unknown, ", ") + "."
	}
	return current, ""
}

func didYouMean(toolkits Toolkits, slug string) string {
	if near := toolkits.NearestTools(slug, 1); len(near) > 0 {
		return " (did you mean " + near[0] + "?)"
	}
	return ""
}

// allowsTool tells whether an auth config lets its accounts be used for a tool.
func (c AuthConfig) allowsTool(slug string) bool {
	return len(c.ToolsForExecution) == 0 || slices.ContainsFunc(c.ToolsForExecution, func(allowed string) bool { return strings.EqualFold(allowed, slug) })
}

// ShownValues gives an account's values as a project key may see them: secrets masked, unless the auth config or the project
// lets them be read. Those of accounts under the operator's own OAuth app are masked in any case: the app is not the project's.
func (s *Service) ShownValues(c tenant.Caller, a ConnectedAccount, cfg AuthConfig, settings tenant.Settings) (values map[string]string, whole bool) {
	if cfg.Managed || cfg.ID == "" || !cfg.ShowSecrets && !settings.ShowSecrets || c.Restricted() {
		return s.PublicValues(c, a), false
	}
	return plain(a.Values), true
}

// Scopes gives which scopes the users of an auth config are asked for.
func (s *Service) Scopes(c tenant.Caller, cfg AuthConfig) []string {
	t, err := s.toolkit(c, cfg.Toolkit)
	if err != nil {
		return nil
	}
	declared, _, ok := s.declaration(t, cfg.Scheme)
	if !ok {
		return nil
	}
	scopes, user := s.scopes(c, cfg, declared)
	return slices.Concat(scopes, user)
}

var _ Toolkits = (*catalog.Snapshot)(nil)
