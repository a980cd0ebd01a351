package catalog

import "encoding/json"

// Definition is a toolkit that an importer found in a description of somebody else's (OpenAPI, GraphQL, an MCP server) or
// that a caller sent: plain data that can be stored, compared and read again. Toolkits in our own format are not made of it;
// they say more. The zero values of all members mean "not said".
type Definition struct {
	Slug        string            `json:"slug"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Version     string            `json:"version,omitempty"` // YYYYMMDD_NN
	Categories  []string          `json:"categories,omitempty"`
	Docs        string            `json:"docs,omitempty"`
	AppURL      string            `json:"app_url,omitempty"`
	Logo        string            `json:"logo,omitempty"`
	BaseURL     string            `json:"base_url,omitempty"` // origin and prefix; {field} stands for a connection field
	Headers     map[string]string `json:"headers,omitempty"`
	Program     *Program          `json:"program,omitempty"` // in place of BaseURL; only the server's operator may say it
	Auth        []DefinedAuth     `json:"auth,omitempty"`
	Tools       []DefinedTool     `json:"tools"`
	Source      Source            `json:"source"`
	OnChange    OnChange          `json:"on_change,omitempty"` // of MCP servers
}

// Source says where a definition came from.
type Source struct {
	Kind string `json:"kind"`          // openapi, graphql, mcp, custom
	URL  string `json:"url,omitempty"` // a file or an address, never with a credential in it
	Hash string `json:"hash,omitempty"`

	ETag   string `json:"etag,omitempty"`   // of the address' answer, to ask only whether it is another by now
	Server string `json:"server,omitempty"` // its name in the MCP registry: io.github.user/weather
}

// DefinedAuth is one way to connect an account, best first. See AuthScheme for the meaning of the members.
type DefinedAuth struct {
	Mode          string            `json:"mode"`
	Guide         string            `json:"guide,omitempty"`
	ConfigFields  []Field           `json:"config_fields,omitempty"`
	AccountFields []Field           `json:"account_fields,omitempty"`
	Header        map[string]string `json:"header,omitempty"` // texts with {field}
	Query         map[string]string `json:"query,omitempty"`
	Env           map[string]string `json:"env,omitempty"` // for toolkits that are a Program
	OAuth2        *DefinedOAuth2    `json:"oauth2,omitempty"`
	Discover      string            `json:"discovery_url,omitempty"` // for DCR_OAUTH and CIMD_OAUTH
}

// DefinedOAuth2 holds a provider's endpoints; URLs may use connection fields.
type DefinedOAuth2 struct {
	AuthorizeURL string   `json:"authorize_url,omitempty"`
	TokenURL     string   `json:"token_url,omitempty"`
	RevokeURL    string   `json:"revoke_url,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`           // asked for when nothing else is said
	Available    []string `json:"available_scopes,omitempty"` // all there are
}

// DefinedTool is one tool. Exactly one of HTTP, GraphQL and MCP is set.
type DefinedTool struct {
	Slug        string          `json:"slug"` // in full: GITHUB_CREATE_AN_ISSUE
	Aliases     []string        `json:"aliases,omitempty"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Group       string          `json:"group,omitempty"` // the source's tag or area
	Hints       Hints           `json:"hints"`
	Important   bool            `json:"important,omitempty"`
	NoAuth      bool            `json:"no_auth,omitempty"`
	Deprecated  bool            `json:"deprecated,omitempty"`
	Scopes      Scopes          `json:"scopes"`
	Input       json.RawMessage `json:"input,omitempty"`  // normalised (NormaliseSchema), of the arguments
	Output      json.RawMessage `json:"output,omitempty"` // of data, without the envelope
	HTTP        *DefinedHTTP    `json:"http,omitempty"`
	GraphQL     *DefinedGraphQL `json:"graphql,omitempty"`
	MCP         *DefinedMCP     `json:"mcp,omitempty"`
	Page        *DefinedPage    `json:"page,omitempty"`
}

// DefinedHTTP maps arguments to one HTTP request.
type DefinedHTTP struct {
	Method      string             `json:"method"`
	Path        string             `json:"path"`           // as the source writes it: /repos/{owner}; {+path} keeps its slashes
	Base        string             `json:"base,omitempty"` // in place of the toolkit's
	Parameters  []DefinedParameter `json:"parameters,omitempty"`
	Encoding    Encoding           `json:"encoding,omitempty"` // of the body; json when absent
	Body        string             `json:"body,omitempty"`     // argument that is the whole body, for bodies that are no object
	ContentType string             `json:"content_type,omitempty"`
	Accept      string             `json:"accept,omitempty"`
	Rename      map[string]string  `json:"rename,omitempty"` // members within arguments to their names upstream, where models cannot write those
}

// DefinedParameter says where one argument goes.
type DefinedParameter struct {
	Argument string    `json:"argument,omitempty"`
	As       string    `json:"as,omitempty"`    // name upstream when it is another
	In       string    `json:"in"`              // path, query, header, cookie, body
	Lists    ListStyle `json:"lists,omitempty"` // repeated when absent
	Deep     bool      `json:"deep,omitempty"`  // objects as name[member]=
	Fixed    string    `json:"fixed,omitempty"` // sent whatever the arguments are; there is no Argument then, and As is set
}

// DefinedGraphQL is one operation; all arguments but Fields are its variables.
type DefinedGraphQL struct {
	Path      string            `json:"path,omitempty"`
	Query     string            `json:"query"`               // with %fields% where the selection goes, when Fields is set
	Variables map[string]string `json:"variables,omitempty"` // argument to variable
	Fields    string            `json:"fields,omitempty"`    // argument by which a caller chooses the selection
	Selection string            `json:"selection,omitempty"` // in place of Fields when the caller says nothing
	Rename    map[string]string `json:"rename,omitempty"`    // as in DefinedHTTP
}

// DefinedMCP names a tool of an MCP server.
type DefinedMCP struct {
	Tool string `json:"tool"`
	Hash string `json:"hash"` // of the definition that was approved

	Rename map[string]string `json:"rename,omitempty"` // as in DefinedHTTP
}

// DefinedPage says how a list is continued.
type DefinedPage struct {
	At   string `json:"at"`
	Size string `json:"size,omitempty"`
	Next string `json:"next,omitempty"` // path in the answer: meta.next_cursor
}
