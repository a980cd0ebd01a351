package connect

import "github.com/patchbay-dev/patchbay/internal/catalog"

// apiKeyScheme is API_KEY: one key of the user's, in a header or a query value that the toolkit declares.
type apiKeyScheme struct{}

func (apiKeyScheme) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (apiKeyScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return unlessSecret(declared, catalog.Field{Name: "api_key", Title: "API key", Type: "string", Required: true, Secret: true})
}

func (apiKeyScheme) Place(g Grant, c *Credential) error {
	c.Header["X-Api-Key"] = proof(g)
	return nil
}

func (apiKeyScheme) replaceable() {}
