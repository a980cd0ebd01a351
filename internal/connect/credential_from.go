package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// CredentialFrom makes a credential of values that came with a call in place of an account (custom_connection_data of the API
// contract, section 7.4). Nothing is stored, nothing is refreshed; a token that has
// to be issued first is issued for this call.
func (s *Service) CredentialFrom(ctx context.Context, t *catalog.Toolkit, mode string, values Fields) (Credential, error) {
	if mode == "" {
		mode = s.firstScheme(t)
	}
	declared, scheme, err := s.offered(t, mode)
	if err != nil {
		return Credential{}, err
	}
	given := make(map[string]string, len(values))
	for name, v := range values {
		given[name] = v.Reveal()
	}
	g := Grant{Toolkit: t, Declared: declared}
	if g.Values, err = checkImported(g, scheme, given); err != nil {
		return Credential{}, err
	}
	if canIssue(scheme, g) && g.Values["access_token"].Empty() {
		tokens, err := issue(ctx, scheme, g)
		if err != nil {
			return Credential{}, rejectedCredential(g, err)
		}
		g.Values = over(g.Values, tokens.Values)
	}
	return newCredential(scheme, g, "", mode)
}
