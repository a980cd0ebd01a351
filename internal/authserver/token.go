package authserver

import (
	"context"
	"strings"
	"time"

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

const (
	rememberedTokens = 4096
	// believedFor bounds how long a token is believed when word of its end was lost.
	believedFor = time.Minute
)

// access is what a token opens, as far as it was checked.
type access struct {
	person   tenant.Person
	resource string
	grantID  string // empty for a token of another issuer
	expires  time.Time
}

// holder finds the person who let the holder of a token in.
func (s *Service) holder(ctx context.Context, token, resource string) (tenant.Person, error) {
	hash, now := secret.Hash(token), s.now()
	found, ok := s.access.Get(hash)
	if !ok || !now.Before(found.expires) {
		mark := s.access.Mark()
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
		found = access{person: grant.person(), resource: grant.Resource, grantID: grant.ID, expires: stored.ExpiresAt}
		s.access.Put(hash, found, mark)
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
