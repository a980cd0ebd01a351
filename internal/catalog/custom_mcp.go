package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// SourceMCP is the Source.Kind of toolkits whose tools are those of an MCP server.
const SourceMCP = "mcp"

// MCPToolkit is an MCP server as a project registers it (API contract section 16).
type MCPToolkit struct {
	Slug    string // "acme" and "CUSTOM_ACME" name the same
	Name    string
	AppURL  string // the server's endpoint
	Schemes []MCPScheme

	OnChange OnChange // empty: as it was
}

// MCPScheme is a way to connect to the server.
type MCPScheme struct {
	Mode      string            // NO_AUTH, API_KEY, DCR_OAUTH, CIMD_OAUTH
	Headers   map[string]string // of API_KEY: texts in which {{generic_api_key}} stands for the key
	KeyTitle  string            // what people read where they enter the key
	Discovery string            // of DCR_OAUTH and CIMD_OAUTH; empty: the server itself says where
}

// MCPSlug is the slug of a registered server.
func MCPSlug(name string) string {
	return "custom_" + strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "custom_")
}

var mcpSlugName = regexp.MustCompile(`^custom_[a-z0-9][a-z0-9_]{0,29}$`)

// Definition makes the toolkit, still without tools. With known, what is registered already, it keeps that one's tools; where the
// server is and how it is connected to must be the same then, since accounts depend on it.
func (m MCPToolkit) Definition(known *Definition) (*Definition, error) {
	d := &Definition{
		Slug: MCPSlug(m.Slug), Name: wording.Clean(m.Name), AppURL: m.AppURL, BaseURL: m.AppURL,
		Source: Source{Kind: SourceMCP, URL: m.AppURL}, Tools: []DefinedTool{}, OnChange: m.OnChange,
	}
	d.Description = "Tools of the MCP server " + d.Name + "."
	switch {
	case !mcpSlugName.MatchString(d.Slug):
		return nil, wrongMCP("slug: %q: use letters, digits and _, at most 30", shortText(m.Slug))
	case m.AppURL == "" || strings.ContainsAny(m.AppURL, "{}$#") || wrongURL(m.AppURL) != "":
		return nil, wrongMCP("toolkit_config.app_url: it must be the http or https URL of an MCP server, without a password in it")
	case len(m.Schemes) == 0:
		return nil, wrongMCP("toolkit_config.auth_schemes: name at least one of NO_AUTH, API_KEY, DCR_OAUTH and CIMD_OAUTH")
	}
	for _, s := range m.Schemes {
		if s.Discovery == "" {
			s.Discovery = m.AppURL
		}
		auth, err := s.define()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(d.Auth, func(a DefinedAuth) bool { return a.Mode == auth.Mode }) {
			return nil, wrongMCP("toolkit_config.auth_schemes: %s is there twice", auth.Mode)
		}
		d.Auth = append(d.Auth, auth)
	}
	if known == nil {
		return d, nil
	}
	if known.Source.Kind != SourceMCP || known.BaseURL != d.BaseURL || !sameAuth(known.Auth, d.Auth) {
		return nil, fault.New(fault.Conflict, fault.SlugConflict, "The address and the auth schemes of %s cannot be changed.", d.Slug).
			WithFix("Delete the toolkit, which ends its connections, and register it again: DELETE /api/v3.1/custom/toolkits/%s.", d.Slug)
	}
	d.Tools, d.OnChange = known.Tools, m.OnChange.Or(known.OnChange)
	return d, nil
}

// keyPlaceholder is the key's place in a header.
const keyPlaceholder = "{{generic_api_key}}"

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$`)

func (s MCPScheme) define() (DefinedAuth, error) {
	const at = "toolkit_config.auth_schemes: "
	switch s.Mode {
	case "NO_AUTH":
		return DefinedAuth{Mode: s.Mode}, nil
	case "DCR_OAUTH", "CIMD_OAUTH":
		if strings.ContainsAny(s.Discovery, "{}$") || wrongURL(s.Discovery) != "" {
			return DefinedAuth{}, wrongMCP(at + "discovery_url: it must be an http or https URL")
		}
		return DefinedAuth{Mode: s.Mode, Discover: s.Discovery}, nil
	case "API_KEY":
		auth := DefinedAuth{Mode: s.Mode, Header: make(map[string]string, len(s.Headers)), AccountFields: []Field{{
			Name: "generic_api_key", Title: wording.Clip(wording.Clean(s.KeyTitle), 200), Type: "string", Required: true, Secret: true,
		}}}
		if auth.AccountFields[0].Title == "" {
			auth.AccountFields[0].Title = "API key"
		}
		used := false
		for name, text := range s.Headers {
			rest := strings.ReplaceAll(text, keyPlaceholder, "")
			if !headerName.MatchString(name) || strings.ContainsAny(rest, "{}$\r\n") {
				return DefinedAuth{}, wrongMCP(at+"headers.%s: a header may hold %s and plain text", shortText(name), keyPlaceholder)
			}
			used = used || rest != text
			auth.Header[name] = strings.ReplaceAll(text, keyPlaceholder, "{generic_api_key}")
		}
		if !used {
			return DefinedAuth{}, wrongMCP(at+"headers: one must hold %s", keyPlaceholder)
		}
		return auth, nil
	default:
		return DefinedAuth{}, wrongMCP(at+"mode: %q is not one of NO_AUTH, API_KEY, DCR_OAUTH and CIMD_OAUTH", shortText(s.Mode))
	}
}

// sameAuth compares all but the words that people read.
func sameAuth(a, b []DefinedAuth) bool {
	return slices.EqualFunc(a, b, func(one, other DefinedAuth) bool {
		return one.Mode == other.Mode && one.Discover == other.Discover && maps.Equal(one.Header, other.Header)
	})
}

func wrongMCP(format string, args ...any) error {
	return fault.New(fault.Invalid, fault.SlugInvalid, format+".", args...)
}

// WithMCPTools gives the document of the next version, with these tools of its server.
func (d *Definition) WithMCPTools(tools []DefinedTool) Document {
	next := *d
	next.Version, next.Tools = "", tools
	return Document{Definition: &next, Over: d.Version}
}
