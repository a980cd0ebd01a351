package authserver

import (
	"slices"
	"strings"
)

// Paths of the endpoints, below the address of the server.
const (
	AuthorizePath = "/oauth/authorize"
	TokenPath     = "/oauth/token"
	RevokePath    = "/oauth/revoke"
	RegisterPath  = "/oauth/register"

	resourceMetadataPath = "/.well-known/oauth-protected-resource"
)

// Metadata describes the authorization server (RFC 8414 section 2). It says what is served and nothing more.
type Metadata struct {
	Issuer                   string       `json:"issuer"`
	AuthorizationEndpoint    string       `json:"authorization_endpoint"`
	TokenEndpoint            string       `json:"token_endpoint"`
	RevocationEndpoint       string       `json:"revocation_endpoint"`
	RegistrationEndpoint     string       `json:"registration_endpoint,omitempty"`
	ScopesSupported          []string     `json:"scopes_supported"`
	ResponseTypesSupported   []string     `json:"response_types_supported"`
	ResponseModesSupported   []string     `json:"response_modes_supported"`
	GrantTypesSupported      []string     `json:"grant_types_supported"`
	TokenAuthMethods         []AuthMethod `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethods    []AuthMethod `json:"revocation_endpoint_auth_methods_supported"`
	ChallengeMethods         []string     `json:"code_challenge_methods_supported"`
	IssuerInAnswers          bool         `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	ClientDocumentsSupported bool         `json:"client_id_metadata_document_supported"`
	ProtectedResources       []string     `json:"protected_resources,omitempty"` // RFC 9728 section 4
}

// Metadata gives the description of this server as it is reached at an origin, which is also its issuer.
func (s *Service) Metadata(origin string) Metadata {
	methods := []AuthMethod{Public}
	m := Metadata{
		Issuer:                   origin,
		AuthorizationEndpoint:    origin + AuthorizePath,
		TokenEndpoint:            origin + TokenPath,
		RevocationEndpoint:       origin + RevokePath,
		ScopesSupported:          []string{Scope},
		ResponseTypesSupported:   []string{"code"},
		ResponseModesSupported:   []string{"query"},
		GrantTypesSupported:      []string{"authorization_code", "refresh_token"},
		ChallengeMethods:         []string{"S256"},
		IssuerInAnswers:          true,
		ClientDocumentsSupported: s.http != nil,
		ProtectedResources:       []string{origin + PersonalPath},
	}
	if s.registration {
		m.RegistrationEndpoint = origin + RegisterPath
		methods = append(methods, SecretBasic, SecretPost)
	}
	m.TokenAuthMethods, m.RevocationAuthMethods = methods, slices.Clone(methods)
	return m
}

// ResourceMetadata describes one MCP endpoint (RFC 9728 section 2).
type ResourceMetadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Scopes               []string `json:"scopes_supported"`
	Name                 string   `json:"resource_name"`
}

// ResourceMetadata describes the MCP endpoint at a path; ok is false when there can be none. Whether a session exists is not told.
func (s *Service) ResourceMetadata(origin, path string) (m ResourceMetadata, ok bool) {
	// Where the public URL has a path, the well-known part may stand in front of it or behind.
	_, host, _ := strings.Cut(origin, "://")
	if _, prefix, has := strings.Cut(host, "/"); has {
		path = strings.TrimPrefix(path, "/"+prefix)
	}
	sessionID, ok := sessionOfPath(path)
	if !ok {
		return m, false
	}
	m = ResourceMetadata{
		Resource:             origin + path,
		AuthorizationServers: []string{origin},
		BearerMethods:        []string{"header"},
		Scopes:               []string{Scope},
		Name:                 "Your tools on Patchbay",
	}
	if sessionID != "" {
		m.Name = "Patchbay session " + sessionID
	}
	if s.issuer.acceptsTokens() {
		m.AuthorizationServers = append(m.AuthorizationServers, s.issuer.URL())
	}
	return m, true
}

// ResourceMetadataURL is where the description of the endpoint at a path is found; a refusal there says it (RFC 9728 section 5.1). ok
// is false when there is none.
func ResourceMetadataURL(origin, path string) (address string, ok bool) {
	_, ok = sessionOfPath(path)
	return origin + resourceMetadataPath + path, ok
}
