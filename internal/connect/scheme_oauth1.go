package connect

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// oauth1Scheme is OAUTH1 (RFC 5849): a temporary token, the user's word, a token that does not end, and a signature on every
// request.
type oauth1Scheme struct{ auth *authClient }

func (oauth1Scheme) ConfigFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{Name: "consumer_key", Title: "Consumer key", Type: "string", Required: true},
		catalog.Field{Name: "consumer_secret", Title: "Consumer secret", Type: "string", Required: true, Secret: true})
}

func (oauth1Scheme) AccountFields(declared []catalog.Field) []catalog.Field { return declared }

// Place puts nothing anywhere: the proof is the signature, which differs from request to request.
func (oauth1Scheme) Place(Grant, *Credential) error { return nil }

// signer signs requests for the account.
func (s oauth1Scheme) signer(g Grant) func(*http.Request) error {
	with := s.as(g, g.Values["oauth_token"].Reveal(), g.Values["oauth_token_secret"].Reveal())
	return func(r *http.Request) error { return with.sign(r, nil) }
}

func (s oauth1Scheme) as(g Grant, token, tokenSecret string) oauth1Signer {
	return oauth1Signer{
		method: g.Declared.OAuth1.Signature, consumer: held(g, "consumer_key").Reveal(), consumerSecret: held(g, "consumer_secret").Reveal(),
		token: token, secret: tokenSecret, now: s.auth.now,
	}
}

// Begin gets a temporary token (section 2.1). The provider hands it back with the user, so it is the state; its secret is what
// Finish needs.
func (s oauth1Scheme) Begin(ctx context.Context, g Grant, h *Handshake) (string, error) {
	o := g.Declared.OAuth1
	body, err := s.ask(ctx, g, o.RequestURL, s.as(g, "", ""), map[string]string{"oauth_callback": h.RedirectURI})
	if err != nil {
		return "", err
	}
	token, tokenSecret := body.text("oauth_token"), body.text("oauth_token_secret")
	if token == "" || tokenSecret == "" || body.text("oauth_callback_confirmed") != "true" {
		return "", unusable("The provider gave no temporary token, or did not confirm where it sends the user back to.")
	}
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
	q.Set("oauth_token", token)
	u.RawQuery = q.Encode()
	h.State, h.Verifier = token, secret.Hide(tokenSecret)
	return u.String(), nil
}

// Finish exchanges the temporary token for one that stays (section 2.3).
func (s oauth1Scheme) Finish(ctx context.Context, g Grant, h Handshake, p CallbackParams) (Tokens, error) {
	if p.Verifier == "" {
		return Tokens{}, refused("no_verifier", "The provider sent the browser back without a verifier.")
	}
	with := s.as(g, h.State, h.Verifier.Reveal())
	body, err := s.ask(ctx, g, g.Declared.OAuth1.AccessURL, with, map[string]string{"oauth_verifier": p.Verifier})
	if err != nil {
		return Tokens{}, err
	}
	paths := map[string]string{"oauth_token": "oauth_token", "oauth_token_secret": "oauth_token_secret"}
	maps.Copy(paths, g.Declared.OAuth1.Token)
	values := make(Fields)
	for name, path := range paths {
		if v := body.text(path); v != "" {
			values[name] = secret.Hide(v)
		}
	}
	if values["oauth_token"].Empty() || values["oauth_token_secret"].Empty() {
		return Tokens{}, unusable("The provider's answer holds no token.")
	}
	return Tokens{Values: values, Who: Identity{ID: body.text("user_id"), Name: body.text("screen_name")}}, nil
}

// ask sends a signed request without a body. Failures are *providerError.
func (s oauth1Scheme) ask(ctx context.Context, g Grant, to *mapping.Text, with oauth1Signer, extra map[string]string) (answer, error) {
	target, err := to.ExpandFields(urlFields(g))
	if err != nil {
		return nil, refused("bad_token_url", err.Error())
	}
	body, err := s.auth.post(ctx, http.MethodPost, target, g, requestForm{sign: func(r *http.Request) error { return with.sign(r, extra) }})
	sent := map[string]string{"token": with.token, "secret": with.secret, "verifier": extra["oauth_verifier"]}
	return body, scrubbed(err, g, sent)
}
