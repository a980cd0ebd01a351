package connect

import (
	"context"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// What an account of a discovered authorization server holds beside its tokens: which client it was granted to and where tokens
// are renewed. They belong to the account because a server may give every registration another client.
const (
	heldIssuer   = "issuer"
	heldToken    = "token_url"
	heldRevoke   = "revoke_url"
	heldResource = "resource"
	heldAuth     = "client_auth"
	heldSays     = "says_issuer" // the server promised to say who it is when it answers (RFC 9207)
)

// hold gives what the account keeps of a server and of the client that it knows us by.
func (s authServer) hold(clientID, clientSecret, clientAuth string) Fields {
	kept := Fields{}
	for name, v := range map[string]string{
		"client_id": clientID, "client_secret": clientSecret, heldAuth: clientAuth,
		heldIssuer: s.Issuer, heldToken: s.TokenURL, heldRevoke: s.RevokeURL, heldResource: s.resource,
	} {
		if v != "" {
			kept[name] = secret.Hide(v)
		}
	}
	if s.SaysIssuer {
		kept[heldSays] = secret.Hide("true")
	}
	return kept
}

// begin sends the user to a discovered server, under a client that it knows. What is kept goes into the handshake.
func (s authServer) begin(ctx context.Context, g Grant, h *Handshake, kept Fields) (string, error) {
	h.Kept = kept
	g.Values = over(g.Values, kept)
	plain, err := asOAuth2(g)
	if err != nil {
		return "", err
	}
	if plain.Declared.OAuth2.AuthorizeURL, err = literalURL(s.AuthorizeURL); err != nil {
		return "", err
	}
	if s.resource != "" {
		plain.Declared.OAuth2.AuthorizeParams = map[string]string{"resource": s.resource}
	}
	if len(plain.Scopes) == 0 {
		plain.Scopes = s.wanted
	}
	if len(plain.Scopes) > 0 && slices.Contains(s.Scopes, "offline_access") && !slices.Contains(plain.Scopes, "offline_access") {
		plain.Scopes = append(slices.Clip(plain.Scopes), "offline_access") // else some servers give no refresh token
	}
	return oauth2Scheme{}.Begin(ctx, plain, h)
}

// asOAuth2 gives the grant as one of OAUTH2 that says what the account holds: from there on it is the same dance.
func asOAuth2(g Grant) (Grant, error) {
	declared := *g.Declared
	o := catalog.OAuth2{PKCE: true, ScopeSeparator: " ", ClientAuth: g.Values[heldAuth].Reveal(), Issuer: g.Values[heldIssuer].Reveal()}
	var err error
	if o.TokenURL, err = literalURL(g.Values[heldToken].Reveal()); err != nil {
		return g, err
	}
	if at := g.Values[heldRevoke].Reveal(); at != "" {
		if o.RevokeURL, err = literalURL(at); err != nil {
			return g, err
		}
	}
	if resource := g.Values[heldResource].Reveal(); resource != "" {
		text, err := literalURL(resource)
		if err != nil {
			return g, err
		}
		o.TokenParams = map[string]*mapping.Text{"resource": text}
	}
	declared.OAuth2 = &o
	g.Declared = &declared
	g.Client = Fields{"client_id": g.Values["client_id"], "client_secret": g.Values["client_secret"]}
	return g, nil
}

func literalURL(address string) (*mapping.Text, error) {
	text, err := mapping.CompileURL(address, mapping.Scope{}, 0)
	if err != nil {
		return nil, refused("bad_endpoint", "The authorization server names an endpoint that is no URL.")
	}
	return text, nil
}

// discovered is what the schemes of discovered servers have in common once there is a client.
type discovered struct{ auth *authClient }

func (discovered) ConfigFields(declared []catalog.Field) []catalog.Field { return declared }

func (discovered) AccountFields(declared []catalog.Field) []catalog.Field { return declared }

func (discovered) Place(g Grant, c *Credential) error { return oauth2Scheme{}.Place(g, c) }

// Finish checks who answered and exchanges the code.
func (d discovered) Finish(ctx context.Context, g Grant, h Handshake, p CallbackParams) (Tokens, error) {
	if p.Issuer == "" && !g.Values[heldSays].Empty() {
		return Tokens{}, refused("wrong_issuer", "The answer does not say which sign-in server it came from, and the one that was asked always does (RFC 9207).")
	}
	plain, err := asOAuth2(g)
	if err != nil {
		return Tokens{}, err
	}
	return oauth2Scheme(d).Finish(ctx, plain, h, p)
}

// CanRefresh needs the place where tokens are renewed: an account that was brought in from elsewhere may not know it.
func (discovered) CanRefresh(g Grant) bool {
	return !g.Values["refresh_token"].Empty() && !g.Values[heldToken].Empty()
}

// Refresh renews the tokens where they were given out.
func (d discovered) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	plain, err := asOAuth2(g)
	if err != nil {
		return Tokens{}, err
	}
	return oauth2Scheme(d).Refresh(ctx, plain)
}

// CanRevoke reports whether the server said where grants are ended.
func (discovered) CanRevoke(g Grant) bool { return !g.Values[heldRevoke].Empty() }

// Revoke ends the grant there.
func (d discovered) Revoke(ctx context.Context, g Grant) ([]string, error) {
	plain, err := asOAuth2(g)
	if err != nil {
		return nil, err
	}
	return oauth2Scheme(d).Revoke(ctx, plain)
}
