package authserver

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

const (
	unusedMost = 10_000               // registrations that nobody used yet
	unusedLife = 7 * 24 * time.Hour   // of those
	clientLife = 365 * 24 * time.Hour // since a person last let the client in
	maxName    = 100                  // characters
)

// NewClient is what a client says of itself when it registers (RFC 7591 section 2).
type NewClient struct {
	Name          string
	RedirectURIs  []string
	AuthMethod    AuthMethod // empty: client_secret_basic, as the RFC has it
	GrantTypes    []string   // nil: authorization_code
	ResponseTypes []string   // nil: code
}

// Register stores a client that anybody made up. Nobody vouches for it, and its name is shown as such; until a person lets it in it
// can do nothing, and is forgotten after a while. The secret is empty for a public client.
func (s *Service) Register(ctx context.Context, n NewClient, from string) (Client, secret.Value, error) {
	var none secret.Value
	if !s.registration {
		return Client{}, none, fault.New(fault.NotFound, fault.SlugNotFound, "This server does not register clients.").
			WithFix("Use a client whose id is the https address of its metadata document, or have the operator set oauth.registration.")
	}
	if err := s.newcomers.admit(from, s.now()); err != nil {
		return Client{}, none, err
	}
	if err := checkNewClient(&n); err != nil {
		return Client{}, none, err
	}
	client := Client{
		ID: id.New(id.OAuthClient), Name: cleanName(n.Name), RedirectURIs: n.RedirectURIs, AuthMethod: n.AuthMethod,
		Refreshes: slices.Contains(n.GrantTypes, "refresh_token"), CreatedAt: s.now().UTC().Truncate(time.Microsecond),
	}
	var text secret.Value
	if client.AuthMethod != Public {
		text = secret.Hide(id.NewSecret(id.ClientSecret))
		client.SecretHash = secret.Hash(text.Reveal())
	}
	return client, text, s.store.CreateOAuthClient(ctx, client, unusedMost)
}

// checkNewClient checks a registration, and fills in what was left out.
func checkNewClient(n *NewClient) error {
	if n.AuthMethod == "" {
		n.AuthMethod = SecretBasic
	}
	if n.GrantTypes == nil {
		n.GrantTypes = []string{"authorization_code"}
	}
	switch {
	case len(n.RedirectURIs) == 0:
		return fault.New(fault.Invalid, fault.SlugOAuthInvalidRedirectURI, "redirect_uris is empty.")
	case len(n.RedirectURIs) > maxRedirectURIs:
		return fault.New(fault.Invalid, fault.SlugOAuthInvalidRedirectURI, "redirect_uris has more than %d entries.", maxRedirectURIs)
	case !slices.Contains([]AuthMethod{Public, SecretBasic, SecretPost}, n.AuthMethod):
		return invalidMetadata("token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.")
	case !slices.Contains(n.GrantTypes, "authorization_code"):
		return invalidMetadata("grant_types must contain authorization_code.")
	case n.ResponseTypes != nil && !slices.Contains(n.ResponseTypes, "code"):
		return invalidMetadata("response_types must contain code.")
	}
	for _, uri := range n.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			return err
		}
	}
	return nil
}

func invalidMetadata(message string) error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidClientMetadata, "%s", message)
}

// cleanName takes out of a name what could make it look like something else on a page: what is not seen, and what turns the
// direction of writing.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName-1]) + "…"
	}
	return name
}
