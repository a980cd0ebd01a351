package api

import (
	"net/http"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// credentialHeaders are the headers that can hold a key. This server has one sort of key, so they mean the same; SDKs choose
// among them by the sort of key that they were told of (API contract section 2).
var credentialHeaders = []string{"X-Api-Key", "X-User-Api-Key", "X-Org-Api-Key"}

// authenticate finds who makes a request: a project by its key, or one session by its token.
func (a *api) authenticate(r *http.Request) (tenant.Caller, error) {
	credential, err := credentialOf(r)
	if err != nil {
		return tenant.Caller{}, err
	}
	var caller tenant.Caller
	if id.Has(id.SessionToken, credential) {
		caller, err = a.sessions.Authenticate(r.Context(), credential)
	} else {
		caller, err = a.tenants.Authenticate(r.Context(), credential)
	}
	if err != nil {
		return tenant.Caller{}, err
	}
	return caller, sameProject(caller, r)
}

// credentialOf reads the one credential of a request. Two that differ are refused: guessing which was meant could act for
// the wrong project.
func credentialOf(r *http.Request) (string, error) {
	credential := ""
	for _, given := range credentialsIn(r.Header) {
		if credential != "" && given != credential {
			return "", unauthorized("The request carries two different credentials.").
				WithFix("Send one of x-api-key, x-user-api-key, x-org-api-key or Authorization: Bearer.")
		}
		credential = given
	}
	if credential == "" {
		return "", unauthorized("The request carries no credential.").
			WithFix("Send the project's API key in the header x-api-key, or as Authorization: Bearer.")
	}
	return credential, nil
}

func credentialsIn(header http.Header) []string {
	var found []string
	for _, name := range credentialHeaders {
		for _, text := range header.Values(name) {
			if text = strings.TrimSpace(text); text != "" {
				found = append(found, text)
			}
		}
	}
	for _, text := range header.Values("Authorization") {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		if rest = strings.TrimSpace(rest); strings.EqualFold(scheme, "Bearer") && rest != "" {
			found = append(found, rest)
		}
	}
	return found
}

// sameProject refuses a request that names another project than its key opens. Acting in the key's project instead could
// write to production what was meant for a test. The organisation says nothing that the project does not.
func sameProject(caller tenant.Caller, r *http.Request) error {
	if named := r.Header.Get("X-Project-Id"); named != "" && named != caller.ProjectID {
		return fault.New(fault.Forbidden, fault.SlugForbidden, "x-project-id names another project than the one this key belongs to.").
			WithFix("Leave x-project-id out, or use a key of that project.")
	}
	return nil
}

func unauthorized(message string) *fault.Error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "%s", message)
}

// admit checks what a session token may reach: of its own session only, and there only what an agent needs.
func (rt route) admit(caller tenant.Caller, r *http.Request) error {
	if !caller.Restricted() {
		return nil
	}
	if rt.rules&sessionToken == 0 {
		return fault.New(fault.Forbidden, fault.SlugForbidden, "A session token does not open this endpoint.").
			WithFix("Use the project's API key; a session token is for its own session's tools, search, execute and link, and for its MCP endpoint.")
	}
	if r.PathValue("session_id") != caller.SessionID {
		return fault.New(fault.NotFound, fault.SlugSessionNotFound, "There is no such session for this token.").
			WithFix("Use the token that came with this session, or the project's API key.")
	}
	return nil
}
