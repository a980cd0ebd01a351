package connect

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// The schemes of the API contract (section 9) that this server knows how to do.
const (
	OAuth2      = "OAUTH2"
	APIKey      = "API_KEY"
	BearerToken = "BEARER_TOKEN"
	Basic       = "BASIC"
	NoAuth      = "NO_AUTH"

	S2SOAuth2            = "S2S_OAUTH2"
	GoogleServiceAccount = "GOOGLE_SERVICE_ACCOUNT"
	ServiceAccount       = "SERVICE_ACCOUNT"
	BasicWithJWT         = "BASIC_WITH_JWT"
	OAuth1               = "OAUTH1"
	DCROAuth             = "DCR_OAUTH"
	CIMDOAuth            = "CIMD_OAUTH"
)

// newSchemes is the one place that says which schemes exist. A further scheme is a file scheme_x.go and a line here; the
// suite in scheme_test.go covers it from then on.
func newSchemes(auth *authClient) map[string]Scheme {
	return map[string]Scheme{
		OAuth2:      oauth2Scheme{auth},
		APIKey:      apiKeyScheme{},
		BearerToken: bearerTokenScheme{},
		Basic:       basicScheme{},
		NoAuth:      noAuthScheme{},

		S2SOAuth2:            s2sScheme{auth},
		GoogleServiceAccount: googleServiceAccountScheme{auth},
		ServiceAccount:       serviceAccountScheme{auth},
		BasicWithJWT:         basicWithJWTScheme{auth},
		OAuth1:               oauth1Scheme{auth},
		DCROAuth:             dcrScheme{discovered{auth}},
		CIMDOAuth:            cimdScheme{discovered{auth}},
	}
}

// Scheme is one way of proving to a provider for whom a request is made. A scheme holds no state of its own: what it works
// on comes as a Grant. What only some schemes can do are the small interfaces below, each asked for in one place.
type Scheme interface {
	// ConfigFields names what an auth config needs: what the toolkit declares, and what the scheme always needs.
	ConfigFields(declared []catalog.Field) []catalog.Field
	// AccountFields names what an account needs and the user (or the application) has to give.
	AccountFields(declared []catalog.Field) []catalog.Field
	// Place puts the account's proof where the provider looks for it when the toolkit does not say otherwise.
	Place(g Grant, c *Credential) error
}

// redirecting is a scheme whose user goes to the provider and comes back.
type redirecting interface {
	// Begin says where the user's browser goes. What Finish needs is put into the handshake, which is kept sealed.
	Begin(ctx context.Context, g Grant, h *Handshake) (authorizeURL string, err error)
	// Finish turns what the provider sent back into tokens. A failure is a *providerError.
	Finish(ctx context.Context, g Grant, h Handshake, p CallbackParams) (Tokens, error)
}

// refreshing is a scheme whose tokens end and can be had anew without the user.
type refreshing interface {
	CanRefresh(g Grant) bool
	// Refresh fails with a *providerError.
	Refresh(ctx context.Context, g Grant) (Tokens, error)
}

// issuing is a scheme that gets its tokens for what the account holds, the first like the later ones, by Refresh. An account that
// was given tokens and nothing to ask with keeps them until they end.
type issuing interface {
	refreshing
	issuing()
}

// revoking is a scheme whose grants can be ended at the provider.
type revoking interface {
	CanRevoke(g Grant) bool
	// Revoke gives the names of the values that no longer work.
	Revoke(ctx context.Context, g Grant) ([]string, error)
}

// signing is a scheme whose proof is made of each request anew.
type signing interface {
	signer(g Grant) func(*http.Request) error
}

// replaceable is a scheme whose credentials an application may replace in place (behaviour of PATCH on an account).
type replaceable interface{ replaceable() }

// Grant is everything a scheme works on: how the toolkit declares the scheme, what the auth config says, what the account
// holds.
type Grant struct {
	Toolkit  *catalog.Toolkit
	Declared *catalog.AuthScheme
	Client   Fields // of the auth config or the operator's app: client_id, client_secret, …
	Values   Fields // the account's own over those that its auth config shares
	Scopes   []string
	User     []string       // scopes of the second kind, for providers that tell bot and user apart
	Proxy    outbound.Proxy // that all requests of the account go through
}

// Tokens are what a provider hands out.
type Tokens struct {
	Values Fields    // put over the account's values: access_token, refresh_token, …
	Expiry time.Time // of the access token; zero when it does not end or nobody said
	Scopes []string  // granted; nil when the provider did not say
	Who    Identity  // as far as the answer says it (id_token)
}

// Handshake is what one trip to the provider and back needs to remember.
type Handshake struct {
	State       string // comes back with the user; a scheme whose provider chooses it puts it here
	RedirectURI string
	Verifier    secret.Value
	Kept        Fields // what Begin found out that the account is to hold; from there on part of its values
}

// Schemes gives the ways in which a toolkit's accounts can be connected on this server, in the toolkit's order of preference,
// with the fields that each of them needs filled in. A toolkit of OAUTH2 or S2S_OAUTH2 always takes a BEARER_TOKEN too.
func (s *Service) Schemes(t *catalog.Toolkit) []catalog.AuthScheme {
	var offered []catalog.AuthScheme
	for i := range t.Auth {
		if d, _, ok := s.declaration(t, t.Auth[i].Mode); ok {
			offered = append(offered, *d)
		}
	}
	if _, ok := t.Scheme(BearerToken); !ok {
		if d, _, ok := s.declaration(t, BearerToken); ok {
			offered = append(offered, *d)
		}
	}
	return offered
}

// declaration finds how a toolkit declares a scheme, with the scheme's own fields added. It is false when the toolkit does not
// offer the scheme or this server does not know it.
func (s *Service) declaration(t *catalog.Toolkit, mode string) (*catalog.AuthScheme, Scheme, bool) {
	scheme, known := s.schemes[mode]
	if !known {
		return nil, nil, false
	}
	declared, ok := t.Scheme(mode)
	if !ok {
		switch {
		case mode == BearerToken:
			oauth, hasOAuth := t.Scheme(OAuth2)
			if !hasOAuth {
				oauth, hasOAuth = t.Scheme(S2SOAuth2)
			}
			if !hasOAuth {
				return nil, nil, false
			}
			declared = bearerInsteadOf(oauth)
		case mode == NoAuth && t.NoAuth():
			declared = &catalog.AuthScheme{Mode: NoAuth}
		default:
			return nil, nil, false
		}
	}
	filled := *declared
	filled.ConfigFields = scheme.ConfigFields(declared.ConfigFields)
	filled.AccountFields = scheme.AccountFields(declared.AccountFields)
	return &filled, scheme, true
}

// withUsual gives the declared fields, and those usual ones that the declaration does not mention.
func withUsual(declared []catalog.Field, usual ...catalog.Field) []catalog.Field {
	fields := make([]catalog.Field, 0, len(usual)+len(declared))
	for _, u := range usual {
		if i := slices.IndexFunc(declared, func(d catalog.Field) bool { return d.Name == u.Name }); i < 0 {
			fields = append(fields, u)
		}
	}
	return append(fields, declared...)
}

// unlessSecret is withUsual for schemes whose proof the toolkit may name itself: a declared secret field is the proof.
func unlessSecret(declared []catalog.Field, usual ...catalog.Field) []catalog.Field {
	if slices.ContainsFunc(declared, func(d catalog.Field) bool { return d.Secret }) {
		return declared
	}
	return withUsual(declared, usual...)
}
