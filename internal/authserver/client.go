package authserver

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// AuthMethod is how a client shows at the token endpoint that it is that client (RFC 7591 section 2).
type AuthMethod string

// The methods that are served. A public client has no secret: PKCE is what keeps others from redeeming its codes.
const (
	Public      AuthMethod = "none"
	SecretBasic AuthMethod = "client_secret_basic"
	SecretPost  AuthMethod = "client_secret_post"
)

// Client is a program that asks people to let it in.
type Client struct {
	ID           string // "oc_…", or the https URL of the document that describes the client
	SecretHash   string // hex SHA-256; empty for a public client
	Name         string // what it calls itself; nobody checked it
	RedirectURIs []string
	AuthMethod   AuthMethod
	Refreshes    bool // whether it wants refresh tokens
	CreatedAt    time.Time
	UsedAt       time.Time // when a person last let it in; zero: never
}

// described reports whether a client id is the address of the client's own description.
func described(clientID string) bool { return strings.HasPrefix(clientID, "https://") }

// ClientProof is what a client sends to show who it is.
type ClientProof struct {
	ID     string
	Secret secret.Value // empty: none was sent
}

// authenticate finds the client that makes a request to the token endpoint (RFC 6749 section 2.3). A secret may come as Basic or in
// the body, whichever the client registered for: what counts is that it knows it.
func (s *Service) authenticate(ctx context.Context, proof ClientProof, from string) (Client, error) {
	if proof.ID == "" {
		return Client{}, invalidClient("The request does not say which client makes it: client_id is missing.")
	}
	if described(proof.ID) {
		if !proof.Secret.Empty() {
			return Client{}, invalidClient("A client whose id is the address of its document has no secret.")
		}
		return Client{ID: proof.ID, AuthMethod: Public}, nil // what it may do was settled when the person agreed
	}
	if !id.Has(id.OAuthClient, proof.ID) {
		return Client{}, unknownClient()
	}
	client, err := s.store.OAuthClient(ctx, proof.ID)
	if fault.Is(err, fault.NotFound) {
		return Client{}, unknownClient()
	}
	if err != nil {
		return Client{}, err
	}
	if client.AuthMethod == Public {
		if !proof.Secret.Empty() {
			return Client{}, invalidClient("This client was registered without a secret.")
		}
		return client, nil
	}
	if err := s.guesses.admit(from, s.now()); err != nil {
		return Client{}, err
	}
	if subtle.ConstantTimeCompare([]byte(secret.Hash(proof.Secret.Reveal())), []byte(client.SecretHash)) != 1 {
		return Client{}, invalidClient("The client secret is missing or wrong.")
	}
	s.guesses.forgive(from)
	return client, nil
}

func invalidClient(message string) error {
	return fault.New(fault.Unauthorized, fault.SlugOAuthInvalidClient, "%s", message)
}

func unknownClient() error {
	return fault.New(fault.Unauthorized, fault.SlugOAuthInvalidClient, "This client is not registered here; a registration that nobody used has ended.").
		WithFix("Register again.")
}
