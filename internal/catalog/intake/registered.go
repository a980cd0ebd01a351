package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/catalog/registry"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
	"github.com/patchbay-dev/patchbay/internal/process"
)

// RegistryOptions say what becomes of servers in the MCP registry's format.
type RegistryOptions struct {
	Programs bool              // also those that are programs: they are fetched, and run on this machine
	Fields   map[string]string // values to list tools with, which are not kept, and those that only the operator may say
	Later    bool              // where definitions are kept, the tools of a server can be listed with somebody's account later on
	Start    func(slug string, p *catalog.Program, env map[string]string) (*process.Process, error)
}

// How long a server may take to list its tools. Programs are fetched first.
const (
	serverPatience  = 30 * time.Second
	programPatience = 3 * time.Minute
	programsAtOnce  = 2
)

// registryAnswer is how a registry's answer about one server is addressed.
var registryAnswer = regexp.MustCompile(`/v0[0-9.]*/servers/[^/]+/versions/[^/]+$`)

// IsServerJSON tells a server.json from the address of a server: a file, an address that ends in .json, or a registry's answer.
func IsServerJSON(place string) bool {
	if !IsAddress(place) {
		return true
	}
	u, err := url.Parse(place)
	return err == nil && (strings.HasSuffix(u.Path, ".json") || registryAnswer.MatchString(u.EscapedPath()))
}

// Server brings in the one server of a server.json, which is in a file or at an address.
func (o *Options) Server(ctx context.Context, place string) (Outcome, error) {
	text, err := o.Reader.Read(ctx, place, registry.MaxServer)
	if err != nil {
		return Outcome{Source: shownPlace(place)}, err
	}
	page, err := registry.ParsePage(text)
	switch {
	case err != nil:
		return Outcome{Source: shownPlace(place)}, refused("%s is no server.json: %s.", shownPlace(place), err)
	case len(page.Entries) != 1:
		return Outcome{Source: shownPlace(place)}, refused("%s holds %d servers.", shownPlace(place), len(page.Entries)).WithFix("Import all of them with --directory.")
	case page.Entries[0].Left != "":
		return Outcome{Source: shownPlace(place)}, refused("%s: %s.", cmp.Or(page.Entries[0].Name, shownPlace(place)), page.Entries[0].Left)
	}
	s, slug := page.Entries[0].Server, o.Slug
	if slug == "" {
		slugs, err := o.serverSlugs(ctx, []*registry.Server{s}, map[string]bool{})
		if err != nil {
			return Outcome{Source: s.Name}, err
		}
		slug = slugs[0]
	}
	out, err := o.fromRegistry(ctx, File{Source: s.Name, Slug: slug, server: s})
	if err == nil && out.Skipped != "" {
		err = refused("%s cannot be added: %s.", s.Name, out.Skipped)
	}
	return out, err
}

// errSkipped says that a server is not wanted as it is; the outcome says why.
var errSkipped = errors.New("skipped")

// fromRegistry brings in one server. One that is down, or does not answer as it should, costs nothing but itself: it is tried
// again the next time.
func (o *Options) fromRegistry(ctx context.Context, f File) (Outcome, error) {
	r := &registered{options: o, server: f.server, out: Outcome{Source: f.server.Name, Slug: f.Slug}}
	err := o.bring(ctx, &r.out, f.server.Text(), func(known *catalog.Definition) (*catalog.Definition, error) {
		if known != nil && (known.Source.Kind != catalog.SourceMCP || known.Source.Server != f.server.Name) {
			return nil, refused("There is another toolkit %q already.", f.Slug).WithFix("Add this one alone, with another --slug.")
		}
		return r.define(ctx, known)
	})
	switch {
	case errors.Is(err, errSkipped):
		err = nil
	case err == nil && r.out.Unchanged:
		err = r.remember(ctx)
	}
	return r.out, err
}

// remember says of a server that is as it was that its tools were not listed yet.
func (r *registered) remember(ctx context.Context) error {
	known, err := r.options.known(ctx, r.out.Slug)
	if err == nil && known != nil && len(known.Tools) == 0 {
		r.out.Unlisted = "they were not listed with anybody's account as yet"
	}
	return err
}

// registered is one server on its way in.
type registered struct {
	options *Options
	server  *registry.Server
	out     Outcome
	notes   []string
}

// define makes the server's toolkit: of its address, or else of a package.
func (r *registered) define(ctx context.Context, known *catalog.Definition) (*catalog.Definition, error) {
	s := r.server
	d := &catalog.Definition{
		Slug: r.out.Slug, Name: cmp.Or(r.options.Name, s.Label()), Docs: website(s.Website), Tools: []catalog.DefinedTool{},
		Description: cmp.Or(wording.Shorten(wording.Clean(s.Description), 300), "Tools of the MCP server "+s.Label()+"."),
		Source:      catalog.Source{Kind: catalog.SourceMCP, Hash: s.Hash(), Server: s.Name},
	}
	endpoint, noRemote := s.Remote()
	if noRemote == nil {
		listing, err := r.remote(ctx, d, endpoint)
		return r.finish(d, known, listing, err)
	}
	if !r.options.Servers.Programs {
		r.out.Skipped = noRemote.Error()
		if len(s.Packages) > 0 {
			r.out.Skipped += "; it is also a program, which --programs would fetch and run on this machine"
			if len(s.Remotes) == 0 {
				r.out.Skipped = "it is a program, which only --programs has fetched and run on this machine"
			}
		}
		return nil, errSkipped
	}
	command, noProgram := s.Program(r.options.Servers.Fields)
	if noProgram != nil {
		r.out.Skipped = noProgram.Error()
		if len(s.Packages) == 0 {
			r.out.Skipped = noRemote.Error()
		}
		return nil, errSkipped
	}
	listing, err := r.program(ctx, d, command)
	return r.finish(d, known, listing, err)
}

func website(address string) string {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > 500 {
		return ""
	}
	return address
}

// finish takes the tools that were listed, and otherwise the ones that there were before.
func (r *registered) finish(d, known *catalog.Definition, listing *catalog.MCPListing, err error) (*catalog.Definition, error) {
	if err != nil {
		return nil, err
	}
	r.out.Report = &openapi.Report{Source: r.server.Name, Title: d.Name, LeftOut: []openapi.LeftOut{}, Notes: []string{}}
	r.out.Report.Notes = append(r.out.Report.Notes, r.notes...)
	var had []catalog.DefinedTool
	if known != nil {
		had = known.Tools
	}
	if listing == nil {
		if !r.options.Servers.Later {
			r.out.Skipped, r.out.Unlisted = r.out.Unlisted+", and only toolkits of the server itself can wait for that: add it without --out", ""
			return nil, errSkipped
		}
		if len(had) > 0 {
			d.Tools, r.out.Unlisted = had, ""
		}
		r.out.Report.Operations, r.out.Report.Tools = len(d.Tools), len(d.Tools)
		return d, nil
	}
	var leftOut []string
	d.Tools, leftOut = listing.Tools(d.Slug, had)
	reportTools(r.out.Report, d.Tools, leftOut)
	return d, nil
}

// remote fills in how the server is reached, and asks it for its tools. No listing and no error: it tells them to accounts only.
func (r *registered) remote(ctx context.Context, d *catalog.Definition, e registry.Endpoint) (*catalog.MCPListing, error) {
	r.notes = e.Notes
	d.BaseURL, d.Source.URL = e.URL, Shown(e.URL)
	if !strings.Contains(e.URL, "{") {
		d.AppURL = Shown(e.URL)
	}
	values := r.values(e.Fields)
	address, whole := filled(e.URL, values)
	if !whole {
		d.Auth = accountsOf(e, false)
		r.out.Unlisted = "its address has parts that accounts fill in"
		return nil, nil
	}
	if err := r.options.Reader.Client.CheckCredential(ctx, address); err != nil {
		return nil, err
	}
	asked := &asking{client: r.options.Reader.Client.Do, header: http.Header{}, query: url.Values{}}
	for name, text := range e.Header {
		if value, ok := filled(text, values); ok {
			asked.header.Set(name, value)
		}
	}
	for name, text := range e.Query {
		if value, ok := filled(text, values); ok {
			asked.query.Set(name, value)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	listing, err := catalog.MCPServer{URL: address, Send: asked.send, MaxAnswer: serverMessage}.List(ctx)
	d.Auth = accountsOf(e, asked.refusal() != 0)
	switch {
	case err == nil && r.anonymous(e):
		d.Auth = []catalog.DefinedAuth{{Mode: "NO_AUTH", Header: settled(e.Header, values), Query: settled(e.Query, values)}}
		for _, f := range e.Fields {
			r.notes = append(r.notes, f.Title+" is optional and not asked for"+usual(f.Default))
		}
		return listing, nil
	case err == nil:
		return listing, nil
	case asked.wantsOAuth():
		r.out.Unlisted = "people sign in to it (OAuth)"
		d.Auth = append(d.Auth, catalog.DefinedAuth{Mode: "DCR_OAUTH", Discover: e.URL, AccountFields: addressFields(e)},
			catalog.DefinedAuth{Mode: "CIMD_OAUTH", Discover: e.URL, AccountFields: addressFields(e)})
		if !anyField(e.Fields, secretField) {
			d.Auth = d.Auth[1:]
		}
		return nil, nil
	case asked.refusal() != 0 && anyField(e.Fields, secretField):
		r.out.Unlisted = "it lists its tools to connected accounts only"
		return nil, nil
	case asked.refusal() != 0:
		return nil, refused("%s answered %d: it wants a credential, and its description names none.", Shown(address), asked.refusal()).
			WithFix("Add it alone and say where the credential goes: --mcp %s --header \"Authorization: Bearer {{token}}\".", Shown(address))
	default:
		return nil, asked.explain(ctx, address, err)
	}
}

// anonymous reports whether nothing has to be filled in for a server that was listed.
func (r *registered) anonymous(e registry.Endpoint) bool {
	return !anyField(e.Fields, func(f catalog.Field) bool {
		_, given := r.options.Servers.Fields[f.Name]
		return f.Required || given || strings.Contains(e.URL, "{"+f.Name+"}")
	})
}

// values are what fields are filled with while tools are listed.
func (r *registered) values(fields []catalog.Field) map[string]string {
	values := map[string]string{}
	for _, f := range fields {
		if f.Default != "" {
			values[f.Name] = f.Default
		}
	}
	maps.Copy(values, r.options.Servers.Fields)
	return values
}

// accountsOf gives the way to connect by what is filled in. Of a server that wants a credential, one that is optional is needed.
func accountsOf(e registry.Endpoint, refused bool) []catalog.DefinedAuth {
	a := catalog.DefinedAuth{Mode: "NO_AUTH", Header: e.Header, Query: e.Query, AccountFields: slices.Clone(e.Fields)}
	if anyField(e.Fields, secretField) {
		a.Mode = "API_KEY"
	}
	if refused && !anyField(e.Fields, func(f catalog.Field) bool { return f.Secret && f.Required }) {
		if i := slices.IndexFunc(a.AccountFields, secretField); i >= 0 {
			a.AccountFields[i].Required = true
		}
	}
	return []catalog.DefinedAuth{a}
}

// addressFields are those that the address needs, however people prove who they are.
func addressFields(e registry.Endpoint) []catalog.Field {
	return slices.DeleteFunc(slices.Clone(e.Fields), func(f catalog.Field) bool { return !strings.Contains(e.URL, "{"+f.Name+"}") })
}

func secretField(f catalog.Field) bool { return f.Secret }

func anyField(fields []catalog.Field, is func(catalog.Field) bool) bool {
	return slices.ContainsFunc(fields, is)
}

// settled are the texts for which nobody has to be asked, with what is usual put in.
func settled(texts, usual map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range texts {
		if value, ok := filled(text, usual); ok && !strings.ContainsAny(value, "{}$") { // or it would be read as a template
			out[name] = value
		}
	}
	return out
}

func usual(value string) string {
	if value == "" {
		return ""
	}
	return "; it is " + value
}

// program fills in how the server is run, and runs it to have its tools, where nothing is missing for that.
func (r *registered) program(ctx context.Context, d *catalog.Definition, c registry.Command) (*catalog.MCPListing, error) {
	r.notes = c.Notes
	p := &catalog.Program{Command: c.Words, Env: c.Env}
	d.Program, d.Source.URL = p, p.String()
	d.Auth = []catalog.DefinedAuth{{Mode: "NO_AUTH"}}
	if len(c.Templates) > 0 {
		d.Auth[0] = catalog.DefinedAuth{Mode: "NO_AUTH", Env: c.Templates, AccountFields: c.Fields}
		if anyField(c.Fields, secretField) {
			d.Auth[0].Mode = "API_KEY"
		}
	}
	values := r.values(c.Fields)
	if anyField(c.Fields, func(f catalog.Field) bool { return f.Required && values[f.Name] == "" }) {
		r.out.Unlisted = "it is run with values that accounts fill in"
		return nil, nil
	}
	env := maps.Clone(c.Env)
	for name, text := range c.Templates {
		if value, ok := filled(text, values); ok {
			env[name] = value
		}
	}
	if o := r.options; o.starting != nil {
		select {
		case o.starting <- struct{}{}:
			defer func() { <-o.starting }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m := MCPOptions{Patience: programPatience, Start: func(p *catalog.Program, env map[string]string) (*process.Process, error) {
		return r.options.Servers.Start(d.Slug, p, env)
	}}
	return m.listProgram(ctx, p, env)
}

// HowToList says what a server without tools waits for.
func (out *Outcome) HowToList() string {
	if out.Unlisted == "" {
		return ""
	}
	return fmt.Sprintf("no tools yet, %s. Connect an account, then: patchbay toolkit relist %s --account ca_…", out.Unlisted, out.Slug)
}
