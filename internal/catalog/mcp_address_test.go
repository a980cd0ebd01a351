package catalog

import (
	"errors"
	"strings"
	"testing"
)

func TestAccountsThatOnlySaySomethingAreAccounts(t *testing.T) {
	t.Parallel()
	tenant := []Field{{Name: "tenant", Required: true}}
	for name, c := range map[string]struct {
		auth   []DefinedAuth
		noAuth bool
	}{
		"nothing":               {nil, true},
		"no proof":              {[]DefinedAuth{{Mode: "NO_AUTH"}}, true},
		"something optional":    {[]DefinedAuth{{Mode: "NO_AUTH", AccountFields: []Field{{Name: "tenant"}}}}, true},
		"a part of the address": {[]DefinedAuth{{Mode: "NO_AUTH", AccountFields: tenant}}, false},
		"a key":                 {[]DefinedAuth{{Mode: "API_KEY"}}, false},
	} {
		tk, err := (&Definition{Slug: "x", Name: "X", Auth: c.auth}).Bare()
		if err != nil || tk.NoAuth() != c.noAuth {
			t.Errorf("%s: %v, %v", name, tk.NoAuth(), err)
		}
	}
}

func TestCredentialsForMCPServersAreLookedAfter(t *testing.T) {
	t.Parallel()
	c := &Catalog{checkCred: func(address string) error {
		if strings.HasPrefix(address, "http://") {
			return errors.New("unencrypted")
		}
		return nil
	}}
	for name, fine := range map[string]bool{"https API_KEY": true, "http API_KEY": false, "http NO_AUTH": true} {
		scheme, mode, _ := strings.Cut(name, " ")
		d := &Definition{Slug: "x", Name: "X", BaseURL: scheme + "://mcp.example", Auth: []DefinedAuth{{Mode: mode}}, Source: Source{Kind: SourceMCP}}
		tk, err := d.Bare()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.checkAddress("", Document{Definition: d}, tk); (err == nil) != fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}
