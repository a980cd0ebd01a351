package mcpserver

import (
	"net/http"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// credentialHeaders may all hold a project key, a session token or a personal key: SDKs choose by the sort of key they were told of,
// and many MCP clients can send nothing but Authorization (API contract section 2).
var credentialHeaders = [...]string{"X-Api-Key", "X-User-Api-Key", "X-Org-Api-Key", "X-Consumer-Api-Key"}

// authenticate finds the caller: a project by its key, one session by its token, or one person by a credential of theirs, who then
// has a UserID and no session yet.
func (h *Handler) authenticate(r *http.Request, origin string) (tenant.Caller, error) {
	credential, err := credentialOf(r.Header)
	if err != nil {
		return tenant.Caller{}, err
	}
	if id.Has(id.SessionToken, credential) {
		return h.sessions.Authenticate(r.Context(), credential)
	}
	if h.people != nil && authserver.Knows(credential) {
		person, err := h.people.Person(r.Context(), credential, origin, endpointOf(r))
		return tenant.Caller{ProjectID: person.ProjectID, KeyID: person.KeyID, UserID: person.UserID}, err
	}
	caller, err := h.keys(r.Context(), credential)
	if named := r.Header.Get("X-Project-Id"); err == nil && named != "" && named != caller.ProjectID {
		return tenant.Caller{}, fault.New(fault.Forbidden, fault.SlugForbidden, "x-project-id names another project than the one this key belongs to.").
			WithFix("Leave x-project-id out, or use a key of that project.")
	}
	return caller, err
}

// endpointOf gives the path below the public URL at which a person can be let in: of the personal endpoint or of a session. Servers of
// the older API have none, as their addresses name the user that is meant.
func endpointOf(r *http.Request) string {
	switch {
	case r.PathValue("session_id") != "":
		return "/tool_router/" + r.PathValue("session_id") + "/mcp"
	case r.PathValue("server_id") != "":
		return ""
	}
	return authserver.PersonalPath
}

// credentialOf reads the one credential of a request. Two that differ are refused: guessing which was meant could act for
// the wrong project.
func credentialOf(header http.Header) (string, error) {
	credential := ""
	for _, name := range credentialHeaders {
		for _, given := range header[name] {
			if given = strings.TrimSpace(given); given == "" {
				continue
			}
			if credential != "" && given != credential {
				return "", twoCredentials()
			}
			credential = given
		}
	}
	for _, given := range header["Authorization"] {
		scheme, token, _ := strings.Cut(strings.TrimSpace(given), " ")
		if token = strings.TrimSpace(token); token == "" || !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if credential != "" && token != credential {
			return "", twoCredentials()
		}
		credential = token
	}
	if credential == "" {
		return "", fault.New(fault.Unauthorized, fault.SlugUnauthorized, "The request carries no credential.").
			WithFix("Let the MCP client sign in, send the headers that came with the session (mcp.headers), or a key in x-api-key or as Authorization: Bearer.")
	}
	return credential, nil
}

func twoCredentials() *fault.Error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "The request carries two different credentials.").
		WithFix("Send one of x-api-key, x-user-api-key, x-org-api-key or Authorization: Bearer.")
}
