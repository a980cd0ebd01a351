package connect

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// serviceAccountScheme is SERVICE_ACCOUNT: an app that is installed at an organisation and signs for itself, as GitHub Apps do.
// The app's signed token is exchanged for a token of the installation where the toolkit declares it.
type serviceAccountScheme struct{ auth *authClient }

func (serviceAccountScheme) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (serviceAccountScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "application_id", Title: "Application ID", Type: "string", Required: true},
		catalog.Field{Name: "installation_id", Title: "Installation ID", Type: "string", Required: true},
		catalog.Field{
			Name: "private_key", Title: "Private key", Type: "string", Required: true, Secret: true,
			Description: "The whole PEM file, with its first and last lines.",
		})
}

func (serviceAccountScheme) Place(g Grant, c *Credential) error { return placeToken(g, c) }

func (serviceAccountScheme) issuing()     {}
func (serviceAccountScheme) replaceable() {}

func (serviceAccountScheme) CanRefresh(g Grant) bool {
	return !held(g, "application_id").Empty() && !held(g, "installation_id").Empty() && !held(g, "private_key").Empty()
}

// Refresh signs a token of the app and exchanges it. It begins a minute ago, for clocks that differ, and ends within the ten
// minutes that GitHub allows.
func (s serviceAccountScheme) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	key, err := readPrivateKey(held(g, "private_key").Reveal())
	if err != nil {
		return Tokens{}, refused("bad_private_key", "The private key does not work: "+err.Error()+".")
	}
	now, app := s.auth.now(), held(g, "application_id").Reveal()
	signed, err := signJWT(key, "", struct {
		Issuer   string `json:"iss"`
		IssuedAt int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{app, now.Add(-time.Minute).Unix(), now.Add(9 * time.Minute).Unix()})
	if err != nil {
		return Tokens{}, refused("bad_private_key", "The private key cannot sign.")
	}
	form := make(map[string]string)
	if err := addParams(form, g.Declared.Exchange.Params, g); err != nil {
		return Tokens{}, refused("bad_token_params", err.Error())
	}
	t, err := s.auth.exchange(ctx, g, requestForm{values: form, proof: secret.Hide("Bearer " + signed)})
	if err != nil {
		return Tokens{}, err
	}
	installation := held(g, "installation_id").Reveal()
	t.Who = Identity{ID: app + "/" + installation, Name: "App " + app + ", installation " + installation}
	return t, nil
}
