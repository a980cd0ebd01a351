package connect

import (
	"encoding/base64"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// basicScheme is BASIC: HTTP Basic (RFC 7617) with the fields username and password, whatever their titles.
type basicScheme struct{}

func (basicScheme) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (basicScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return unlessSecret(declared,
		catalog.Field{Name: "username", Title: "User name", Type: "string", Required: true},
		catalog.Field{Name: "password", Title: "Password", Type: "string", Secret: true})
}

func (basicScheme) Place(g Grant, c *Credential) error {
	user, password := g.Values["username"], g.Values["password"]
	if user.Empty() && password.Empty() {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "The %s account holds neither a user name nor a password.", g.Toolkit.Name).
			WithFix("Give the fields username and password.")
	}
	c.Header["Authorization"] = basicProof(user, password)
	return nil
}

// basicProof is the value of Authorization by RFC 7617.
func basicProof(user, password secret.Value) secret.Value {
	return secret.Hide("Basic " + base64.StdEncoding.EncodeToString([]byte(user.Reveal()+":"+password.Reveal())))
}

func (basicScheme) replaceable() {}
