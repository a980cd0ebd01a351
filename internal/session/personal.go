package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Personal opens the session behind a user's personal endpoint, which has no session in its address. It is a session like any other,
// with the configuration that others begin with, and is made when it is first asked for: it can be listed, changed and deleted by
// its id. The caller holds a whole project, or is that user. Warm calls read memory only.
func (s *Service) Personal(ctx context.Context, c tenant.Caller, userID string) (*View, error) {
	if c.SessionID != "" || c.UserID != "" && c.UserID != userID {
		return nil, fault.New(fault.Forbidden, fault.SlugForbidden, "A session token opens the address of its own session, and no personal endpoint.").
			WithFix("Use the URL that came with the token.")
	}
	sessionID := personalID(c.ProjectID, userID)
	theirs := tenant.Caller{ProjectID: c.ProjectID, SessionID: sessionID, UserID: userID}
	view, err := s.Open(ctx, theirs, sessionID)
	if !fault.Is(err, fault.NotFound) {
		return view, err
	}
	created, err := s.create(ctx, project(c), NewSession{UserID: userID, Config: DefaultConfig()}, sessionID)
	if fault.Is(err, fault.Conflict) { // another request, on this node or another, was quicker
		return s.Open(ctx, theirs, sessionID)
	}
	return created.View, err
}

// personalID gives the id of a user's personal session. That it follows from the user keeps two nodes from making two; 72 bits of a
// hash do not meet by accident, and opening it checks whose it is.
func personalID(projectID, userID string) string {
	sum := sha256.Sum256([]byte("personal\x00" + projectID + "\x00" + userID))
	return id.Session + "_" + base64.RawURLEncoding.EncodeToString(sum[:9])
}
