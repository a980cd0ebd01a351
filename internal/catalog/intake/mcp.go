package intake

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/process"
)

// MCPOptions say how an MCP server is reached and what accounts bring. Texts may hold {{field}}, which becomes a field that people
// fill in when they connect.
type MCPOptions struct {
	Headers map[string]string // sent with each request; those without a field only while tools are listed, and not kept
	Env     map[string]string // of a program
	Fields  map[string]string // values of fields, to list tools with; not kept

	Patience time.Duration // how long a server may take to list its tools; 0: DefaultPatience
	Start    func(p *catalog.Program, env map[string]string) (*process.Process, error)
}

// fieldPlace is the place of a field in a text.
var fieldPlace = regexp.MustCompile(`\{\{ *([a-z][a-z0-9_]{0,59}) *\}\}`)

// serverMessage is how much a server may say at once while its tools are listed.
const serverMessage = 16 << 20

// MCPServer brings in the tools of an MCP server over streamable HTTP.
func (o *Options) MCPServer(ctx context.Context, address string, m MCPOptions) (Outcome, error) {
	d := &catalog.Definition{Slug: o.Slug, Name: o.Name, AppURL: Shown(address), BaseURL: address, Source: catalog.Source{Kind: catalog.SourceMCP, URL: Shown(address)}}
	if !IsAddress(address) || strings.ContainsAny(address, "{}$#") {
		return Outcome{Source: Shown(address)}, refused("%s is not the http or https URL of an MCP server.", Shown(address))
	}
	templates, plain, err := split(m.Headers)
	if err != nil {
		return Outcome{Source: Shown(address)}, err
	}
	asked := &asking{client: o.Reader.Client.Do, header: http.Header{}}
	for name, text := range plain {
		asked.header.Set(name, text)
	}
	for name, text := range templates {
		if value, ok := filled(text, m.Fields); ok {
			asked.header.Set(name, value)
		}
	}
	d.Auth = schemes(templates, func(a *catalog.DefinedAuth, texts map[string]string) { a.Header = texts })
	if len(templates) == 0 && len(o.Auth) == 0 {
		if d.Auth, err = o.waysIn(ctx, address, m); err != nil {
			return Outcome{Source: Shown(address)}, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(m.Patience, DefaultPatience))
	defer cancel()
	listing, err := catalog.MCPServer{URL: address, Send: asked.send, MaxAnswer: serverMessage}.List(limited)
	if err != nil {
		return Outcome{Source: Shown(address)}, asked.explain(limited, address, err)
	}
	return o.bringServer(ctx, d, listing)
}

// waysIn asks a server without a credential. One that wants an OAuth token says where its metadata is (RFC 9728, section 5.1).
func (o *Options) waysIn(ctx context.Context, address string, m MCPOptions) ([]catalog.DefinedAuth, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.Patience, DefaultPatience))
	defer cancel()
	asked := &asking{client: o.Reader.Client.Do, header: http.Header{}}
	_, err := catalog.MCPServer{URL: address, Send: asked.send, MaxAnswer: serverMessage}.List(ctx)
	switch {
	case err == nil:
		return []catalog.DefinedAuth{{Mode: "NO_AUTH"}}, nil
	case asked.wantsOAuth():
		return []catalog.DefinedAuth{{Mode: "DCR_OAUTH", Discover: address}, {Mode: "CIMD_OAUTH", Discover: address}}, nil
	default:
		return nil, asked.explain(ctx, address, err)
	}
}

// Program brings in the tools of an MCP server that is a program on this machine.
func (o *Options) Program(ctx context.Context, p *catalog.Program, m MCPOptions) (Outcome, error) {
	d := &catalog.Definition{Slug: o.Slug, Name: o.Name, Program: p, Source: catalog.Source{Kind: catalog.SourceMCP, URL: p.String()}}
	templates, plain, err := split(m.Env)
	if err != nil {
		return Outcome{Source: p.String()}, err
	}
	p.Env = plain
	env := maps.Clone(plain)
	for name, text := range templates {
		if value, ok := filled(text, m.Fields); ok {
			env[name] = value
		}
	}
	d.Auth = schemes(templates, func(a *catalog.DefinedAuth, texts map[string]string) { a.Env = texts })
	if len(templates) == 0 {
		d.Auth = []catalog.DefinedAuth{{Mode: "NO_AUTH"}}
	}
	listing, err := m.listProgram(ctx, p, env)
	if err != nil {
		return Outcome{Source: p.String()}, err
	}
	return o.bringServer(ctx, d, listing)
}

// listProgram starts a program and asks it. One that does not understand the newest greeting is started again and greeted the old way, as
// it is where its tools are called.
func (m MCPOptions) listProgram(ctx context.Context, p *catalog.Program, env map[string]string) (listing *catalog.MCPListing, err error) {
	limited, cancel := context.WithTimeout(ctx, cmp.Or(m.Patience, DefaultPatience))
	defer cancel()
	var said []string
	for _, old := range []bool{false, true} {
		running, err := m.Start(p, env)
		if err != nil {
			return nil, err
		}
		listing, err = catalog.MCPServer{Pipes: running, MaxAnswer: serverMessage, Old: old}.List(limited)
		running.Kill()
		_ = running.Close() // however it ended, it has
		switch said = running.Said(); {
		case err == nil:
			return listing, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case limited.Err() != nil:
			return nil, refused("%s did not answer in time.", p).Because(err).WithDetails(said...).WithFix("Run it by hand and look at what it waits for.")
		}
	}
	return nil, refused("%s does not answer as an MCP server does.", p).Because(err).WithDetails(said...).WithFix("Run it by hand and look at what it says.")
}

// bringServer makes the toolkit of what a server says.
func (o *Options) bringServer(ctx context.Context, d *catalog.Definition, listing *catalog.MCPListing) (Outcome, error) {
	d.Name = cmp.Or(d.Name, wording.Clip(wording.Clean(listing.Name), 100), "MCP server")
	d.Slug = cmp.Or(d.Slug, wording.ToolkitSlug(d.Name))
	d.Description = cmp.Or(wording.Shorten(wording.Clean(listing.Instructions), 300), "Tools of the MCP server "+d.Name+".")
	out := Outcome{Source: d.Source.URL, Slug: d.Slug}
	return out, o.bring(ctx, &out, nil, func(known *catalog.Definition) (*catalog.Definition, error) {
		var had []catalog.DefinedTool
		if known != nil {
			if known.Source.Kind != catalog.SourceMCP {
				return nil, refused("There is another toolkit %q already.", d.Slug).WithFix("Choose another slug, for example --slug %s_mcp.", d.Slug)
			}
			had = known.Tools
		}
		var leftOut []string
		d.Tools, leftOut = listing.Tools(d.Slug, had)
		out.Report = &openapi.Report{Source: d.Source.URL, Title: d.Name, LeftOut: []openapi.LeftOut{}, Notes: []string{}}
		reportTools(out.Report, d.Tools, leftOut)
		return d, nil
	})
}

// reportTools says what of a server's list became tools.
func reportTools(r *openapi.Report, tools []catalog.DefinedTool, leftOut []string) {
	r.Operations, r.Tools = len(tools)+len(leftOut), len(tools)
	for _, line := range leftOut {
		name, why, _ := strings.Cut(line, ": ")
		r.LeftOut = append(r.LeftOut, openapi.LeftOut{Method: "tool", Path: name, Reason: why})
	}
}

// split tells texts with fields in them from those without, and writes fields as definitions do.
func split(texts map[string]string) (templates, plain map[string]string, err error) {
	templates, plain = map[string]string{}, map[string]string{}
	for name, text := range texts {
		rest := fieldPlace.ReplaceAllString(text, "")
		switch {
		case rest == text:
			plain[name] = text
		case strings.ContainsAny(rest, "{}$\r\n"):
			return nil, nil, refused("%s: beside {{field}} it may hold plain text only.", name)
		default:
			templates[name] = fieldPlace.ReplaceAllString(text, "{$1}")
		}
	}
	return templates, plain, nil
}

// onePlace is the place of a field as definitions write it.
var onePlace = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// filled puts values into a text, if all of them are known.
func filled(text string, fields map[string]string) (string, bool) {
	all := true
	out := onePlace.ReplaceAllStringFunc(text, func(place string) string {
		value, ok := fields[place[1:len(place)-1]]
		all = all && ok
		return value
	})
	return out, all
}

// schemes makes the one scheme of which the fields of texts are filled.
func schemes(templates map[string]string, place func(*catalog.DefinedAuth, map[string]string)) []catalog.DefinedAuth {
	if len(templates) == 0 {
		return nil
	}
	a := catalog.DefinedAuth{Mode: "API_KEY"}
	place(&a, templates)
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		for _, found := range onePlace.FindAllStringSubmatch(templates[name], -1) {
			if !slices.ContainsFunc(a.AccountFields, func(f catalog.Field) bool { return f.Name == found[1] }) {
				title := strings.ReplaceAll(found[1], "_", " ")
				a.AccountFields = append(a.AccountFields, catalog.Field{
					Name: found[1], Title: strings.ToUpper(title[:1]) + title[1:], Type: "string", Required: true, Secret: true,
				})
			}
		}
	}
	return []catalog.DefinedAuth{a}
}

// asking sends the requests of one listing, and remembers what the server said to them.
type asking struct {
	client func(*http.Request) (*http.Response, error)
	header http.Header
	query  url.Values // put into the address; nil: nothing is

	mu     sync.Mutex
	status int  // of a refusal for want of a credential
	oauth  bool // it said where to get one
	cause  error
}

func (a *asking) send(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, a.header)
	if len(a.query) > 0 {
		q := r.URL.Query()
		maps.Copy(q, a.query)
		r.URL.RawQuery = q.Encode()
	}
	r.Header.Set("User-Agent", "patchbay (+https://github.com/patchbay-dev/patchbay)")
	res, err := a.client(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cause = err; err == nil && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden) {
		a.status = res.StatusCode
		a.oauth = strings.Contains(strings.Join(res.Header.Values("WWW-Authenticate"), " "), "resource_metadata=")
	}
	return res, err
}

// refusal is the status with which the server wanted a credential, or 0.
func (a *asking) refusal() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// wantsOAuth reports whether it said where people sign in (RFC 9728, section 5.1).
func (a *asking) wantsOAuth() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status == http.StatusUnauthorized && a.oauth
}

// explain says why a server was not listed.
func (a *asking) explain(ctx context.Context, address string, err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f
	case a.cause != nil:
		return unreachable(ctx, address, a.cause)
	case a.status == http.StatusUnauthorized && a.oauth:
		return refused("%s wants people to sign in (OAuth), and lists its tools to those only.", Shown(address)).
			WithFix("Give a token to list them with, which is not kept: --header \"Authorization: Bearer …\". Users sign in with their own accounts.")
	case a.status != 0:
		return refused("%s answered %d: it wants a credential.", Shown(address), a.status).
			WithFix("Say where accounts put theirs, and one to list the tools with: --header \"Authorization: Bearer {{token}}\" --field token=…")
	default:
		return refused("%s does not answer as an MCP server does.", Shown(address)).Because(err).
			WithFix("Give the URL of its streamable HTTP endpoint, which often ends in /mcp.")
	}
}
