package authserver

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Store keeps clients, grants, tokens and sign-ins. A missing row is a fault of kind NotFound. What is found by the hash of a
// credential is found in whatever project.
type Store interface {
	// CreateOAuthClient stores a client. Of those that nobody has used, the oldest go when there are more than so many.
	CreateOAuthClient(ctx context.Context, c Client, unusedMost int) error
	OAuthClient(ctx context.Context, id string) (Client, error)

	// CreateGrant stores a grant with its code, and notes that its client was used.
	CreateGrant(ctx context.Context, g Grant) error
	Grant(ctx context.Context, projectID, id string) (Grant, error)
	GrantByCode(ctx context.Context, codeHash string) (Grant, error)
	// RedeemCode marks a grant's code as used and stores the first tokens, in one step. A code that is used already, or a grant
	// that was revoked, is a Conflict.
	RedeemCode(ctx context.Context, g Grant, tokens []Token, at time.Time) error
	// TokenByHash gives a token with its grant, ended or not.
	TokenByHash(ctx context.Context, hash string) (Token, Grant, error)
	// RotateToken marks a refresh token as used and stores the next tokens, in one step. A token that is used already, or a
	// grant that was revoked, is a Conflict.
	RotateToken(ctx context.Context, used Token, tokens []Token, at time.Time) error
	DeleteToken(ctx context.Context, t Token) error

	ListGrants(ctx context.Context, projectID, userID string, at time.Time) ([]Grant, error)
	RevokeGrant(ctx context.Context, projectID, id, reason string, at time.Time) (Grant, error) // keeps an earlier revocation
	RevokeGrants(ctx context.Context, projectID, userID, reason string, at time.Time) ([]Grant, error)

	CreateLogin(ctx context.Context, l Login) error
	LoginByHash(ctx context.Context, hash string, at time.Time) (Login, error) // one that ended, or whose key was revoked, is NotFound
	DeleteLogin(ctx context.Context, hash string) error
	DeleteLogins(ctx context.Context, projectID, userID string) error

	// SweepOAuth deletes what has ended, clients registered before a time that were never used, and those last used before another.
	SweepOAuth(ctx context.Context, now, registeredBefore, usedBefore time.Time) error
}

// Login is a person who is signed in on the pages with one browser.
type Login struct {
	Hash      string // of the secret in the browser's cookie
	Person    tenant.Person
	Issuer    string // who vouched for the person; empty: their personal key did
	CreatedAt time.Time
	ExpiresAt time.Time
}
