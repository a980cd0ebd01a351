package authserver

import (
	"context"
	"regexp"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// PersonalPath is the path of the personal endpoint: one address for everybody, serving each person's own session.
const PersonalPath = "/mcp"

// Scope is the one thing a grant allows: to use the tools of the person's session at one endpoint.
const Scope = "tools"

// plainID is the form of ids, which can stand in a URL and in a header as they are.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// sessionOfPath gives the session that is behind the path of an MCP endpoint, none for the personal one. ok is false for a path that
// is not one of an MCP endpoint.
func sessionOfPath(path string) (sessionID string, ok bool) {
	if path == PersonalPath {
		return "", true
	}
	rest, found := strings.CutPrefix(path, "/tool_router/")
	sessionID, ended := strings.CutSuffix(rest, "/mcp")
	return sessionID, found && ended && plainID.MatchString(sessionID)
}

// resourceOf reads the resource parameter of a request (RFC 8707): which endpoint the token is for, the personal one when there is
// none. It has to be an endpoint of this server, as the request reached it.
func resourceOf(origin string, given []string) (resource, sessionID string, err error) {
	if len(given) == 0 {
		return origin + PersonalPath, "", nil
	}
	if len(given) > 1 {
		return "", "", invalidTarget("A token is for one resource; the request names several.")
	}
	path, ours := strings.CutPrefix(strings.TrimSuffix(given[0], "/"), origin)
	sessionID, ok := sessionOfPath(path)
	if !ours || !ok {
		return "", "", invalidTarget("The resource " + shorten(given[0]) + " is not an MCP endpoint of this server.")
	}
	return origin + path, sessionID, nil
}

func invalidTarget(message string) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidTarget, "%s", message).
		WithFix("Name the MCP URL itself, as it is reached: this server's public URL and /mcp, or the URL of a session.")
}

// mayOpen checks that a person may open the endpoint of a session: it has to be theirs.
func (s *Service) mayOpen(ctx context.Context, person tenant.Person, sessionID string) error {
	if sessionID == "" {
		return nil
	}
	owner, err := s.owner(ctx, person.ProjectID, sessionID)
	if fault.Is(err, fault.NotFound) || err == nil && owner != person.UserID {
		return fault.New(fault.Forbidden, fault.SlugOAuthAccessDenied, "You are signed in as %q, and this MCP address is not a session of that user.", person.UserID).
			WithFix("Sign in as the person the address was made for, or use your own address: this server's URL with /mcp.")
	}
	return err
}
