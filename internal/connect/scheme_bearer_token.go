package connect

import (
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// bearerTokenScheme is BEARER_TOKEN: a token that the user or the application brings and keeps fresh.
type bearerTokenScheme struct{}

func (bearerTokenScheme) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (bearerTokenScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return unlessSecret(declared, catalog.Field{Name: "token", Title: "Access token", Type: "string", Required: true, Secret: true})
}

func (bearerTokenScheme) Place(g Grant, c *Credential) error {
	c.Header["Authorization"] = secret.Hide("Bearer " + proof(g).Reveal())
	return nil
}

func (bearerTokenScheme) replaceable() {}

// bearerInsteadOf declares BEARER_TOKEN for a toolkit that only declares OAUTH2 or S2S_OAUTH2: the same connection fields, the token in
// the same place.
func bearerInsteadOf(oauth *catalog.AuthScheme) *catalog.AuthScheme {
	return &catalog.AuthScheme{
		Mode: BearerToken, Guide: oauth.Guide, AccountFields: oauth.AccountFields,
		Header: oauth.Header, Query: oauth.Query,
	}
}
