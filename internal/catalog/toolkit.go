package catalog

import (
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Toolkit is an app with tools, as one version of it was declared. It is immutable once it is in a Snapshot.
type Toolkit struct {
	Slug        string // lower case, for example "googlecalendar"
	Name        string
	Description string
	Version     string   // YYYYMMDD_NN
	Versions    []string // all that can be asked for, newest first
	Categories  []Category
	Aliases     []string // what people call it; search routes on these
	Docs        string
	AppURL      string
	BaseURL     *mapping.Text // origin, may use connection fields: https://{subdomain}.example.com
	Program     *Program      // in place of BaseURL: an MCP server that runs beside this one; nil: none
	Headers     map[string]*mapping.Text
	Auth        []AuthScheme // in order of preference; none means no-auth
	Identity    *Identity
	Popularity  int // rank among all toolkits, 1 the most used; 0 unknown
	Logo        string
	Errors      ErrorRules
	Tools       []*Tool // as declared: the most useful first
	Triggers    []*TriggerType
	Custom      bool // belongs to one project rather than to the server
	UpdatedAt   time.Time
	OnChange    OnChange // of MCP servers

	hash    string  // of its content; empty: made when it is asked for
	packed  *packed // where the details of its tools are kept; nil: in the tools
	rebased bool    // the operator set BaseURL: it wins over the bases of single requests
}

// NoAuth reports whether the toolkit's tools run without an account. An account that proves nothing may still have to say
// something, such as the tenant that is part of an address.
func (t *Toolkit) NoAuth() bool {
	return len(t.Auth) == 0 || len(t.Auth) == 1 && t.Auth[0].Mode == "NO_AUTH" &&
		!slices.ContainsFunc(t.Auth[0].AccountFields, func(f Field) bool { return f.Required })
}

// BaseVersion is another name for a toolkit's version, which older clients send as their default.
const BaseVersion = "00000000_00"

// HasVersion reports whether a version can be asked for: one of Versions, "latest", the base version, or none.
func (t *Toolkit) HasVersion(version string) bool {
	return version == "" || version == "latest" || version == BaseVersion || slices.Contains(t.Versions, version)
}

// Scheme finds the declaration of an auth scheme by the contract's name, for example "OAUTH2".
func (t *Toolkit) Scheme(mode string) (*AuthScheme, bool) {
	for i := range t.Auth {
		if t.Auth[i].Mode == mode {
			return &t.Auth[i], true
		}
	}
	return nil, false
}

// Category groups toolkits.
type Category struct{ ID, Name string }

// AuthScheme is one way of connecting an account of a toolkit: which fields it needs and where they go.
type AuthScheme struct {
	Mode          string // OAUTH2, API_KEY, BEARER_TOKEN, BASIC, NO_AUTH, … (contract section 9)
	Guide         string // how an operator registers an app or finds a key; Markdown, a few lines
	ConfigFields  []Field
	AccountFields []Field
	OAuth2        *OAuth2   // only for OAUTH2 and S2S_OAUTH2; of GOOGLE_SERVICE_ACCOUNT the scopes, and a token URL if it is not Google's
	OAuth1        *OAuth1   // only for OAUTH1
	Exchange      *Exchange // only for SERVICE_ACCOUNT and BASIC_WITH_JWT
	// Discover is where the authorization server is found: the resource (an MCP server), an issuer, or the metadata of one. Only for
	// DCR_OAUTH and CIMD_OAUTH.
	Discover *mapping.Text
	// Where the credential goes on a request: header and query values that may use the account's fields,
	// for example Authorization: "Bearer {token}". Empty means the scheme's usual place.
	Header map[string]*mapping.Text
	Query  map[string]*mapping.Text
	Env    map[string]*mapping.Text // variables of the toolkit's Program
}

// Field is one value that an AuthConfig or an account needs.
type Field struct {
	Name        string
	Title       string
	Description string
	Type        string // string, number, boolean, url
	Default     string
	Required    bool
	Secret      bool
	Help        string // URL of a page that explains where to find it
}

// OAuth2 holds a provider's endpoints and ways. URLs may use connection fields.
type OAuth2 struct {
	Issuer          string // what the provider calls itself in the "iss" of its answers (RFC 9207); empty: not checked
	AuthorizeURL    *mapping.Text
	TokenURL        *mapping.Text
	RevokeURL       *mapping.Text // nil when the provider has none
	DefaultScopes   []string
	AvailableScopes []string
	ScopeSeparator  string // " " unless the provider wants ","
	UserScopeParam  string // name of the second scope parameter, for example Slack's "user_scope"
	DefaultUser     []string
	PKCE            bool                     // true unless the provider refuses it
	ClientAuth      string                   // "body" or "basic": how the client proves itself at the token endpoint
	AuthorizeParams map[string]string        // extra, for example access_type=offline
	TokenHeaders    map[string]string        // extra, for example Accept: application/json
	TokenJSON       bool                     // the token endpoint takes a JSON body
	TokenParams     map[string]*mapping.Text // more parameters of token requests, for example an audience; an empty one is left out
	Token           map[string]string        // answer member paths that differ: access_token: authed_user.access_token
	Revoke          *Revoke
}

// OAuth1 holds the endpoints of a provider of OAuth 1 (RFC 5849) and how requests to it are signed.
type OAuth1 struct {
	RequestURL      *mapping.Text // temporary tokens
	AuthorizeURL    *mapping.Text
	AccessURL       *mapping.Text
	Signature       string // HMAC-SHA1, HMAC-SHA256, or RSA-SHA1, for which the consumer secret is the private key
	AuthorizeParams map[string]string
	Token           map[string]string // answer members that are kept beside the token, as connection fields
}

// Exchange says where what an account holds is exchanged for a token that ends, outside OAuth: GitHub's installation tokens,
// a login that answers a JWT.
type Exchange struct {
	URL     *mapping.Text
	Params  map[string]*mapping.Text // what is sent; an empty one is left out
	JSON    bool                     // as a JSON object instead of a form
	Basic   bool                     // the user name and the password go by HTTP Basic
	Headers map[string]string
	Token   map[string]string // answer member paths: access_token, expires_in (seconds) or expires_at (time), and connection fields
}

// Revoke says how a grant is ended at the provider.
type Revoke struct {
	Method string
	URL    *mapping.Text
	Form   map[string]*mapping.Text
	JSON   bool // send Form as a JSON object
	Basic  bool // prove the client by HTTP Basic
	Bearer bool // send the access token itself as the credential
}

// Identity is the toolkit's "whose account is this?" request and where the answer says it. Paths are dotted.
type Identity struct {
	Method string
	Path   string
	Body   string        // for GraphQL toolkits: the whole JSON body
	Base   *mapping.Text // in place of the toolkit's BaseURL, unless the operator set that
	ID     string
	Name   string
	Email  string
	Avatar string
}

// ErrorRules say how a provider reports failure. The expressions see body, status and header of the answer.
type ErrorRules struct {
	Message     []mapping.Path // into the answer body, first hit wins
	FailedWhen  *mapping.Expr  // true for an answer that is a failure in spite of a 2xx status (Slack's ok: false)
	ReconnectOn []int          // statuses that mean the grant no longer works
	Reconnect   *mapping.Expr  // the same, said by the body
	RateLimited *mapping.Expr  // true when the provider asks to slow down in another way than by status 429
	RetryAfter  *mapping.Expr  // seconds to wait, where the provider does not say it by Retry-After
	Advice      map[int]string // what a status means and how to mend it; a tool's own goes before
}
