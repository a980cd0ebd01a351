package fault

// Slugs of the authorization server are the error codes of its protocol, which clients of it look at (RFC 6749 sections 4.1.2.1 and 5.2,
// RFC 7591 section 3.2.2, RFC 8707 section 2, RFC 6750 section 3.1).
const (
	SlugOAuthInvalidRequest          = "invalid_request"
	SlugOAuthInvalidClient           = "invalid_client"
	SlugOAuthInvalidGrant            = "invalid_grant"
	SlugOAuthUnauthorizedClient      = "unauthorized_client"
	SlugOAuthUnsupportedGrantType    = "unsupported_grant_type"
	SlugOAuthUnsupportedResponseType = "unsupported_response_type"
	SlugOAuthInvalidTarget           = "invalid_target"
	SlugOAuthAccessDenied            = "access_denied"
	SlugOAuthLoginRequired           = "login_required"
	SlugOAuthInvalidRedirectURI      = "invalid_redirect_uri"
	SlugOAuthInvalidClientMetadata   = "invalid_client_metadata"
	SlugOAuthInvalidToken            = "invalid_token"
)
