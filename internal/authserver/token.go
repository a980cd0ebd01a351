package authserver

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Knows reports whether a credential has the form of one that Person looks at.
func Knows(credential string) bool {
	return id.Has(id.AccessToken, credential) || id.Has(id.PersonalKey, credential) || isJWT(credential)
}

// Person finds who is behind a credential that was sent to an MCP endpoint: an access token that was given for this very
// endpoint, a personal key at the personal endpoint, or a token of the operator's own issuer. Anything else is a fault of kind
// Unauthorized. Warm calls read memory only.
func (s *Service) Person(ctx context.Context, credential, origin, path string) (tenant.Person, error) {
	resource := origin + path
	if _, ok := sessionOfPath(path); !ok {
		return tenant.Person{}, invalidToken("This endpoint opens with a project key only.")
	}
	switch {
	case id.Has(id.PersonalKey, credential):
		if path != PersonalPath {
			return tenant.Person{}, invalidToken("A personal key opens its person's own endpoint only, which is at " + PersonalPath + ".")
		}
		return s.keys(ctx, credential)
	case id.Has(id.AccessToken, credential):
		return s.holder(ctx, credential, resource)
	case isJWT(credential) && s.issuer.acceptsTokens():
		return s.issued(ctx, credential, resource)
	}
	return tenant.Person{}, invalidToken("The access token is not valid.")
}

// holder finds the person who let the holder of a token in.
func (s *Service) holder(ctx context.Context, token, resource string) (tenant.Person, error) {
	hash, now := secret.Hash(token), s.now()
	found, era, ok := s.access.get(hash, now)
	if !ok {
		stored, grant, err := s.store.TokenByHash(ctx, hash)
		if fault.Is(err, fault.NotFound) {
			return tenant.Person{}, invalidToken("The access token is not valid or has expired.")
		}
		if err != nil {
			return tenant.Person{}, err
		}
		if stored.Kind != AccessToken || !grant.RevokedAt.IsZero() || !now.Before(stored.ExpiresAt) {
			return tenant.Person{}, invalidToken("The access token is not valid or has expired.")
		}
		found = access{person: grant.person(), resource: grant.Resource, grantID: grant.ID, expires: stored.ExpiresAt, checked: now}
		s.access.put(hash, found, era)
	}
	if found.resource != resource {
		return tenant.Person{}, invalidToken("The access token is for another endpoint than this one.")
	}
	return found.person, nil
}

func invalidToken(message string) error {
	return fault.New(fault.Unauthorized, fault.SlugOAuthInvalidToken, "%s", message).
		WithFix("Let the MCP client sign in again at this very URL.")
}

// isJWT tells a token that another issuer may have signed by its three parts.
func isJWT(text string) bool { return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 }
