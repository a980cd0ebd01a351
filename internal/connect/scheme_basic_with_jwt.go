package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// basicWithJWTScheme is BASIC_WITH_JWT: a user name and a password are exchanged for a token that ends, where the toolkit
// declares it, and again when it does.
type basicWithJWTScheme struct{ auth *authClient }

func (basicWithJWTScheme) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (basicWithJWTScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "username", Title: "User name", Type: "string", Required: true},
		catalog.Field{Name: "password", Title: "Password", Type: "string", Required: true, Secret: true})
}

func (basicWithJWTScheme) Place(g Grant, c *Credential) error { return placeToken(g, c) }

func (basicWithJWTScheme) issuing()     {}
func (basicWithJWTScheme) replaceable() {}

func (basicWithJWTScheme) CanRefresh(g Grant) bool {
	return !held(g, "username").Empty() && !held(g, "password").Empty()
}

// Refresh signs in again.
func (s basicWithJWTScheme) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	x, form := g.Declared.Exchange, make(map[string]string)
	user, password := held(g, "username"), held(g, "password")
	if len(x.Params) == 0 && !x.Basic {
		form["username"], form["password"] = user.Reveal(), password.Reveal()
	}
	if err := addParams(form, x.Params, g); err != nil {
		return Tokens{}, refused("bad_token_params", err.Error())
	}
	f := requestForm{values: form}
	if x.Basic {
		f.proof = basicProof(user, password)
	}
	t, err := s.auth.exchange(ctx, g, f)
	if err != nil {
		return Tokens{}, err
	}
	if t.Who = readIDToken(t.Values["access_token"].Reveal()); t.Who == (Identity{}) {
		t.Who = Identity{ID: user.Reveal(), Name: user.Reveal()}
	}
	return t, nil
}
