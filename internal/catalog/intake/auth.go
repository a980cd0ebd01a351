package intake

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// ParseAuth reads how accounts are connected, for descriptions that do not say it: "bearer", "basic", "none", or a key in a place,
// "header:X-Api-Key" or "query:key".
func ParseAuth(word string) ([]catalog.DefinedAuth, error) {
	kind, name, _ := strings.Cut(word, ":")
	key := []catalog.Field{{Name: "api_key", Title: "API key", Type: "string", Required: true, Secret: true}}
	switch {
	case word == "bearer":
		return []catalog.DefinedAuth{{Mode: "BEARER_TOKEN"}}, nil
	case word == "basic":
		return []catalog.DefinedAuth{{Mode: "BASIC"}}, nil
	case word == "none":
		return []catalog.DefinedAuth{{Mode: "NO_AUTH"}}, nil
	case kind == "header" && plainName(name):
		return []catalog.DefinedAuth{{Mode: "API_KEY", AccountFields: key, Header: map[string]string{name: "{api_key}"}}}, nil
	case kind == "query" && plainName(name):
		return []catalog.DefinedAuth{{Mode: "API_KEY", AccountFields: key, Query: map[string]string{name: "{api_key}"}}}, nil
	}
	return nil, refused("%q is not a way to connect: write bearer, basic, none, header:NAME or query:NAME.", word)
}

// plainName reports whether a name may be that of a header or a parameter.
func plainName(s string) bool {
	return s != "" && len(s) < 100 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}
