package connect

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// s2sScheme is S2S_OAUTH2: the client credentials grant (RFC 6749 section 4.4). There is no user and no refresh token; a new
// token is had by asking again. The client is the account's own, or else the auth config's.
type s2sScheme struct{ auth *authClient }

func (s2sScheme) ConfigFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "client_id", Title: "Client ID", Type: "string", Description: "For all accounts; without it each account brings its own."},
		catalog.Field{Name: "client_secret", Title: "Client secret", Type: "string", Secret: true, Description: "Of the same client."})
}

func (s2sScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "client_id", Title: "Client ID", Type: "string", Required: true},
		catalog.Field{Name: "client_secret", Title: "Client secret", Type: "string", Required: true, Secret: true})
}

func (s2sScheme) Place(g Grant, c *Credential) error { return placeToken(g, c) }

func (s2sScheme) issuing() {}

func (s2sScheme) CanRefresh(g Grant) bool {
	c := client(g)
	return !c["client_id"].Empty() && !c["client_secret"].Empty()
}

// Refresh asks for a token. A refresh token, which providers should not give here (RFC 6749 section 4.4.3), is not kept.
func (s s2sScheme) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	g.Client = client(g)
	form := map[string]string{"grant_type": "client_credentials"}
	if len(g.Scopes) > 0 {
		form["scope"] = strings.Join(g.Scopes, scopeSeparator(g.Declared.OAuth2))
	}
	t, err := s.auth.token(ctx, g, form)
	delete(t.Values, "refresh_token")
	if g.Values["client_id"].Empty() { // the auth config's client, of all accounts
		err = notTheGrant(err)
	}
	return t, err
}

// client is the client that asks. An account's own id goes with its own secret only, never with the auth config's.
func client(g Grant) Fields {
	if g.Values["client_id"].Empty() {
		return g.Client
	}
	return over(g.Client, Fields{"client_id": g.Values["client_id"], "client_secret": g.Values["client_secret"]})
}

func (s2sScheme) CanRevoke(g Grant) bool { return oauth2Scheme{}.CanRevoke(g) }

func (s s2sScheme) Revoke(ctx context.Context, g Grant) ([]string, error) {
	g.Client = client(g)
	return oauth2Scheme(s).Revoke(ctx, g)
}
