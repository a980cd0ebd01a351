package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/graphql"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
)

// Options say how descriptions are brought in.
type Options struct {
	Reader   Reader
	Sink     Sink
	Slug     string // of the toolkit; empty: made of the description's title
	Name     string
	BaseURL  string // where the API is, in place of what the description says; of GraphQL, the endpoint
	Filter   openapi.Filter
	Auth     []catalog.DefinedAuth  // how accounts are connected, in place of what the description says
	Again    bool                   // also what was brought in before and is unchanged
	Reserved func(slug string) bool // slugs that are other toolkits'; nil: none are
	Progress func(done, total int)  // of the operations of one description
	Servers  RegistryOptions        // of those in the MCP registry's format

	tag      string        // of the answer that the description was in
	starting chan struct{} // has room for the programs that are run at the same time; nil: any number
}

// Outcome says what became of one description.
type Outcome struct {
	Source    string          `json:"source"`
	Slug      string          `json:"slug,omitempty"`
	Report    *openapi.Report `json:"report,omitempty"`
	Changes   catalog.Changes `json:"changes"`             // against what was kept before
	New       bool            `json:"new,omitempty"`       // nothing was kept before
	Unchanged bool            `json:"unchanged,omitempty"` // the description is the one that was brought in before
	Unlisted  string          `json:"unlisted,omitempty"`  // an MCP server without tools as yet: how to list them
	Skipped   string          `json:"skipped,omitempty"`   // why it was not wanted
	Error     string          `json:"error,omitempty"`

	Definition *catalog.Definition `json:"-"`
}

// OpenAPI brings in the description in a file or at an address.
func (o *Options) OpenAPI(ctx context.Context, place string) (Outcome, error) {
	text, err := o.Reader.Read(ctx, place, maxDescription)
	if err != nil {
		return Outcome{Source: place}, err
	}
	return o.OpenAPIText(ctx, text, place)
}

// OpenAPIText brings in a description that was read already. Place is where it came from, and empty where that is nowhere.
func (o *Options) OpenAPIText(ctx context.Context, text []byte, place string) (Outcome, error) {
	return o.openAPI(ctx, text, place, o.Slug)
}

func (o *Options) openAPI(ctx context.Context, text []byte, place, slug string) (Outcome, error) {
	out := Outcome{Source: shownPlace(place), Slug: slug}
	define := func(known *catalog.Definition) (*catalog.Definition, error) {
		d, report, err := openapi.Import(ctx, text, openapi.Options{
			Slug: slug, Name: o.Name, Source: place, BaseURL: o.BaseURL, Filter: o.Filter, Known: known, Auth: len(o.Auth) > 0,
			Progress: o.Progress,
		})
		out.Report = report
		if d != nil {
			d.Source.ETag = o.tag
		}
		return d, err
	}
	return out, o.bring(ctx, &out, text, define)
}

// GraphQL brings in the schema in a file, or the one that an endpoint tells of itself.
func (o *Options) GraphQL(ctx context.Context, place string) (Outcome, error) {
	if IsAddress(place) && !schemaFile(place) {
		text, err := o.Reader.Introspect(ctx, place)
		if err != nil {
			return Outcome{Source: place, Slug: o.Slug}, err
		}
		return o.graphQL(ctx, text, place, cmp.Or(o.BaseURL, place))
	}
	text, err := o.Reader.Read(ctx, place, graphql.MaxSize)
	if err != nil {
		return Outcome{Source: place, Slug: o.Slug}, err
	}
	return o.GraphQLText(ctx, text, place)
}

// GraphQLText brings in a schema that was read already, as OpenAPIText does a description. BaseURL is the endpoint.
func (o *Options) GraphQLText(ctx context.Context, text []byte, place string) (Outcome, error) {
	return o.graphQL(ctx, text, place, o.BaseURL)
}

func (o *Options) graphQL(ctx context.Context, text []byte, place, endpoint string) (Outcome, error) {
	out := Outcome{Source: place, Slug: o.Slug}
	define := func(known *catalog.Definition) (*catalog.Definition, error) {
		d, report, err := graphql.Import(ctx, text, graphql.Options{
			Slug: o.Slug, Name: o.Name, Source: shownPlace(place), Endpoint: endpoint, Auth: o.Auth, Known: known,
		})
		out.Report = report
		return d, err
	}
	return out, o.bring(ctx, &out, text, define)
}

// schemaFile reports whether an address is that of a schema rather than of an API.
func schemaFile(place string) bool {
	switch path.Ext(Shown(place)) {
	case ".graphql", ".graphqls", ".gql", ".sdl", ".json":
		return true
	}
	return false
}

func shownPlace(place string) string {
	if IsAddress(place) {
		return Shown(place)
	}
	return place
}

// bring makes a definition and hands it on, unless it is what is kept already.
func (o *Options) bring(ctx context.Context, out *Outcome, text []byte, define func(known *catalog.Definition) (*catalog.Definition, error)) error {
	known, err := o.known(ctx, out.Slug)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	unchanged := func() bool { return known != nil && known.Source.Hash == hex.EncodeToString(sum[:]) && !o.Again }
	if unchanged() {
		out.Unchanged = true
		return nil
	}
	d, err := define(known)
	if err != nil {
		return err
	}
	if known == nil && out.Slug == "" { // now that the title has given a slug
		if known, err = o.known(ctx, d.Slug); err != nil {
			return err
		}
		if unchanged() {
			out.Slug, out.Unchanged = d.Slug, true
			return nil
		}
		if known != nil {
			if d, err = define(known); err != nil {
				return err
			}
		}
	}
	if o.Reserved != nil && o.Reserved(d.Slug) {
		return refused("There is another toolkit %q already.", d.Slug).WithFix("Choose another slug, for example --slug %s_api.", d.Slug)
	}
	if len(o.Auth) > 0 {
		o.connectBy(d)
	}
	out.Slug, out.Definition = d.Slug, d
	if out.Changes, err = changes(known, d); err != nil {
		return err
	}
	out.New = known == nil
	return o.Sink.Put(ctx, d)
}

// connectBy puts the caller's ways to connect in place of the description's. Connection fields of the address stay.
func (o *Options) connectBy(d *catalog.Definition) {
	var address []catalog.Field
	for _, a := range d.Auth {
		for _, f := range a.AccountFields {
			if strings.Contains(d.BaseURL, "{"+f.Name+"}") && !slices.ContainsFunc(address, func(have catalog.Field) bool { return have.Name == f.Name }) {
				address = append(address, f)
			}
		}
	}
	d.Auth = slices.Clone(o.Auth)
	for n := range d.Auth {
		d.Auth[n].AccountFields = slices.Concat(d.Auth[n].AccountFields, address)
	}
	for n := range d.Tools {
		d.Tools[n].NoAuth = d.Auth[0].Mode == "NO_AUTH"
	}
}

func (o *Options) known(ctx context.Context, slug string) (*catalog.Definition, error) {
	if slug == "" {
		return nil, nil
	}
	return o.Sink.Known(ctx, slug)
}

// changes compares a definition with the one before.
func changes(before, after *catalog.Definition) (catalog.Changes, error) {
	now, err := after.Toolkit()
	if err != nil {
		return catalog.Changes{}, refused("The toolkit %s cannot be used: %s", after.Slug, firstLine(err.Error()))
	}
	if before == nil {
		return catalog.Changes{}, nil
	}
	then, err := before.Toolkit()
	if err != nil { // made by another version: all of it is new
		return catalog.Diff(&catalog.Toolkit{}, now), nil //nolint:nilerr // see above
	}
	return catalog.Diff(then, now), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// nameOf makes a name of the place of a description in a directory: googleapis.com/gmail.json is "googleapis gmail".
func nameOf(file string) string {
	file = strings.TrimSuffix(filepath.ToSlash(file), path.Ext(file))
	parts := strings.Split(file, "/")
	for i, p := range parts {
		for _, end := range []string{".com", ".org", ".net", ".io", ".local", ".dev", ".co.uk", ".gov"} {
			p = strings.TrimSuffix(p, end)
		}
		parts[i] = strings.TrimPrefix(p, "api.")
	}
	words := []string{}
	for _, w := range parts {
		if len(words) == 0 || words[len(words)-1] != w {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}
