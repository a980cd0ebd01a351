package connect

import (
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// ConnectionRequest is one handshake in progress: a link that lives ten minutes and works once.
type ConnectionRequest struct {
	TokenHash   string // hex SHA-256 of the link token; the token itself is not kept
	StateHash   string // hex SHA-256 of the OAuth state, set when the user is sent to the provider
	ProjectID   string
	AccountID   string
	UserID      string
	CallbackURL string       // where the browser goes afterwards; the application's own query is kept
	RedirectURI string       // the redirect URI that was sent to the provider; the exchange must repeat it
	Verifier    secret.Value // PKCE code verifier; sealed at rest
	Browser     string       // hash of the cookie of the browser that opened the link
	Prefill     Fields       // connection fields the application already knows
	ClaimHash   string       // hex SHA-256 of the claim, while the application has to say who the user is
	Held        secret.Value // what the provider sent back, until it does; sealed at rest
	CreatedAt   time.Time
	ExpiresAt   time.Time
	FinishedAt  time.Time // zero until it was used
}
