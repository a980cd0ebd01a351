package authserver

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Grant is a person's word that a client may use one MCP endpoint as them. All codes and tokens belong to a grant and end with it.
type Grant struct {
	ID         string // og_…
	ProjectID  string
	UserID     string
	ClientID   string
	ClientName string // as it was shown to the person
	ClientHost string // where its answers go, as it was shown: "example.com", or "this computer"
	Resource   string // URL of the endpoint
	Scope      string
	Refreshes  bool
	KeyID      string // personal key that the person had signed in with; the grant ends with it. Empty: signed in at an issuer

	Code      Code
	CreatedAt time.Time
	UsedAt    time.Time // when tokens were last handed out
	ExpiresAt time.Time // when the last of its tokens, or its unused code, ends
	RevokedAt time.Time // zero while it stands
	Reason    string    // why it was revoked
}

// Code is the authorization code of a grant, handed to the client through the person's browser.
type Code struct {
	Hash        string
	RedirectURI string
	Challenge   string // PKCE, S256
	ExpiresAt   time.Time
	UsedAt      time.Time // zero until it is redeemed
}

// TokenKind tells the two sorts of tokens apart.
type TokenKind string

// The kinds of token.
const (
	AccessToken  TokenKind = "access"
	RefreshToken TokenKind = "refresh"
)

// Token is one token of a grant.
type Token struct {
	Hash      string
	ProjectID string
	GrantID   string
	Kind      TokenKind
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // of a refresh token: when it was exchanged for the next one
}

// How long things live.
const (
	codeLife    = time.Minute
	accessLife  = time.Hour
	refreshLife = 30 * 24 * time.Hour // since the last exchange
	loginLife   = 12 * time.Hour
	consentLife = 10 * time.Minute // for a person to read and decide
)

// ListGrants gives the grants that stand, newest first: of one user, or of the project when userID is empty. At most 1,000.
func (s *Service) ListGrants(ctx context.Context, projectID, userID string) ([]Grant, error) {
	return s.store.ListGrants(ctx, projectID, userID, s.now())
}

// RevokeGrant ends a grant and all of its tokens at once, on every node. With a person given, only one of theirs.
func (s *Service) RevokeGrant(ctx context.Context, projectID, userID, grantID, reason string) (Grant, error) {
	grant, err := s.store.Grant(ctx, projectID, grantID)
	if err == nil && userID != "" && grant.UserID != userID {
		err = fault.New(fault.NotFound, fault.SlugNotFound, "There is no grant %s.", shorten(grantID)).WithFix("Look at the list again; it may have ended.")
	}
	if err != nil {
		return Grant{}, err
	}
	return s.store.RevokeGrant(ctx, projectID, grantID, reason, s.now())
}

// RevokeGrants ends every grant of a user, or of the project when userID is empty, with every sign-in on the pages, and gives the
// grants that were ended.
func (s *Service) RevokeGrants(ctx context.Context, projectID, userID, reason string) ([]Grant, error) {
	grants, err := s.store.RevokeGrants(ctx, projectID, userID, reason, s.now())
	if err != nil {
		return nil, err
	}
	return grants, s.store.DeleteLogins(ctx, projectID, userID)
}

// person is whom a grant lets in.
func (g Grant) person() tenant.Person { return tenant.Person{ProjectID: g.ProjectID, UserID: g.UserID} }

// Sweep clears what time has made useless: ended grants and tokens, old sign-ins, registrations that nobody used.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	return s.store.SweepOAuth(ctx, now, now.Add(-unusedLife), now.Add(-clientLife))
}
