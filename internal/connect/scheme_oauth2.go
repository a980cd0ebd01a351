package connect

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// oauth2Scheme is OAUTH2: the authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636), refresh tokens and
// revocation (RFC 7009). How a provider departs from these is declared by its toolkit.
type oauth2Scheme struct{ auth *authClient }

func (oauth2Scheme) ConfigFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "client_id", Title: "Client ID", Type: "string", Required: true},
		catalog.Field{Name: "client_secret", Title: "Client secret", Type: "string", Required: true, Secret: true})
}

func (oauth2Scheme) AccountFields(declared []catalog.Field) []catalog.Field { return declared }

func (oauth2Scheme) Place(g Grant, c *Credential) error {
	c.Header["Authorization"] = secret.Hide("Bearer " + g.Values["access_token"].Reveal())
	return nil
}

// Begin builds the address of the provider's consent page.
func (oauth2Scheme) Begin(_ context.Context, g Grant, h *Handshake) (string, error) {
	o := g.Declared.OAuth2
	base, err := o.AuthorizeURL.ExpandFields(urlFields(g))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	q := u.Query()
	for name, value := range o.AuthorizeParams {
		q.Set(name, value)
	}
	q.Set("response_type", "code")
	q.Set("client_id", g.Client["client_id"].Reveal())
	q.Set("redirect_uri", h.RedirectURI)
	q.Set("state", h.State)
	if len(g.Scopes) > 0 {
		q.Set("scope", strings.Join(g.Scopes, scopeSeparator(o)))
	}
	if o.UserScopeParam != "" && len(g.User) > 0 {
		q.Set(o.UserScopeParam, strings.Join(g.User, scopeSeparator(o)))
	}
	if o.PKCE {
		verifier := oauth2.GenerateVerifier()
		h.Verifier = secret.Hide(verifier)
		q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(verifier))
		q.Set("code_challenge_method", "S256")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Finish checks who answered (RFC 9207) and exchanges the code.
func (s oauth2Scheme) Finish(ctx context.Context, g Grant, h Handshake, p CallbackParams) (Tokens, error) {
	if want := g.Declared.OAuth2.Issuer; want != "" && p.Issuer != "" && p.Issuer != want {
		return Tokens{}, refused("wrong_issuer", "The answer came from another sign-in server than the one that was asked.")
	}
	if p.Code == "" {
		return Tokens{}, refused("no_code", "The provider sent the browser back without a code.")
	}
	form := map[string]string{"grant_type": "authorization_code", "code": p.Code, "redirect_uri": h.RedirectURI}
	if !h.Verifier.Empty() {
		form["code_verifier"] = h.Verifier.Reveal()
	}
	return s.auth.token(ctx, g, form)
}

func (oauth2Scheme) CanRefresh(g Grant) bool { return !g.Values["refresh_token"].Empty() }

// Refresh uses the refresh token (RFC 6749 section 6).
func (s oauth2Scheme) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	tokens, err := s.auth.token(ctx, g, map[string]string{
		"grant_type": "refresh_token", "refresh_token": g.Values["refresh_token"].Reveal(),
	})
	return tokens, notTheGrant(err)
}

func (oauth2Scheme) CanRevoke(g Grant) bool {
	o := g.Declared.OAuth2
	return o.Revoke != nil && o.Revoke.URL != nil || o.RevokeURL != nil
}

// Revoke ends the grant. By RFC 7009 revoking the refresh token ends the access token too, but not every provider does
// that, so both are sent.
func (s oauth2Scheme) Revoke(ctx context.Context, g Grant) ([]string, error) {
	if r := g.Declared.OAuth2.Revoke; r != nil && r.URL != nil {
		if err := s.auth.revokeDeclared(ctx, g, r); err != nil {
			return nil, err
		}
		return heldTokens(g), nil
	}
	var ended []string
	for _, name := range heldTokens(g) {
		if err := s.auth.revokeToken(ctx, g, name); err != nil {
			return ended, err
		}
		ended = append(ended, name)
	}
	return ended, nil
}

func heldTokens(g Grant) []string {
	return slices.DeleteFunc([]string{"refresh_token", "access_token"}, func(name string) bool { return g.Values[name].Empty() })
}

func scopeSeparator(o *catalog.OAuth2) string {
	if o.ScopeSeparator == "" {
		return " "
	}
	return o.ScopeSeparator
}

// urlFields are the connection fields that the provider's URLs may use.
func urlFields(g Grant) map[string]string {
	return reveal(over(g.Client, g.Values), slices.Concat(g.Declared.ConfigFields, g.Declared.AccountFields))
}
