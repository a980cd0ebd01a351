package openapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// Options say how a description is imported. The zero value takes everything as it is.
type Options struct {
	Slug     string              // of the toolkit; empty: made of the title
	Name     string              // of the toolkit, for people; empty: the title
	Source   string              // file or address that the description came from; relative addresses in it are resolved by this
	BaseURL  string              // where the API is, in place of what the description says
	Filter   Filter              // which operations are taken
	Auth     bool                // the caller says how accounts are connected, so that it does not matter whether the description does
	Known    *catalog.Definition // the toolkit as imported before: its operations keep their slugs
	Progress func(done, total int)
}

// maxOperations bounds what one description may hold; the largest known has half as many.
const maxOperations = 50_000

// Import makes a toolkit of a description. The error is a fault that says why nothing could be imported; whatever else is
// wrong is in the report. It stops when the context ends.
func Import(ctx context.Context, description []byte, o Options) (*catalog.Definition, *Report, error) {
	raw, err := toJSON(description)
	if err != nil {
		return nil, nil, err
	}
	d, err := newDocument(raw)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(description)
	i := &importer{doc: d, options: o, report: &Report{Source: withoutSecrets(o.Source), LeftOut: []LeftOut{}, Notes: []string{}}}
	i.definition = &catalog.Definition{
		Tools:  []catalog.DefinedTool{},
		Source: catalog.Source{Kind: "openapi", URL: withoutSecrets(o.Source), Hash: hex.EncodeToString(sum[:])},
	}
	i.describe()
	if err := i.survey(ctx); err != nil {
		return nil, nil, err
	}
	if err := i.tools(ctx); err != nil {
		return nil, nil, err
	}
	i.connect()
	if i.doc.tooLarge {
		i.report.note("Some parts of the description have more than %d MB and were not read. What they describe is left out.", maxValue>>20)
	}
	return i.definition, i.report, nil
}

// importer is one import.
type importer struct {
	doc        *document
	options    Options
	report     *Report
	definition *catalog.Definition
	server     server
	auth       *authReader
	operations []*operation
	names      *namer
	guarded    int // operations that can answer that the caller is not known, or may not
}

// describe reads what is said about the whole API.
func (i *importer) describe() {
	info := asNode(i.doc.section("info"))
	d, o := i.definition, &i.options
	title := wording.Shorten(wording.Clean(text(info, "title")), wording.MaxTitle)
	d.Name = or(o.Name, or(title, "API"))
	i.report.Title = d.Name
	d.Slug = or(o.Slug, wording.ToolkitSlug(d.Name))
	d.Description = wording.Shorten(wording.Clean(text(info, "description")), wording.MaxDescription)
	if len(d.Description) < 20 {
		d.Description = strings.TrimSpace(wording.Sentence(or(d.Description, title)) + " Imported from its OpenAPI description.")
	}
	docs := asNode(i.doc.section("externalDocs"))
	d.Docs = webURL(text(docs, "url"))
	d.Logo = webURL(text(object(info, "x-logo"), "url"))
	for _, v := range list(info, "x-apisguru-categories") {
		if s, ok := v.(string); ok && s != "" {
			d.Categories = append(d.Categories, strings.ReplaceAll(s, "_", "-"))
		}
	}
	i.server = i.doc.server(o.Source, i.report)
	if o.BaseURL != "" {
		i.server = server{url: strings.TrimSuffix(o.BaseURL, "/")}
		i.report.Notes = i.report.Notes[:0] // they were about the server that is not used
	}
	i.auth = newAuthReader(i.doc, or(withDefaults(i.server), o.Source), i.report)
	i.names = newNamer(d.Slug)
}

func webURL(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

// withoutSecrets takes user, query and fragment out of an address.
func withoutSecrets(source string) string {
	if scheme, rest, ok := strings.Cut(source, "://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "#")
		host, path, slash := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			host = host[at+1:]
		}
		if slash {
			host += "/"
		}
		return scheme + "://" + host + path
	}
	return source
}

// survey reads the operations, before the first tool is made: names and credentials depend on all of them.
func (i *importer) survey(ctx context.Context) error {
	ids, credentials, seen := map[string]int{}, map[string]int{}, map[string]bool{}
	err := i.doc.eachOperation(func(op *operation, problem string) error {
		if i.report.Operations++; i.report.Operations > maxOperations {
			return refused("The description has more than %d operations.", maxOperations)
		}
		if problem == "" {
			problem = op.unfit()
		}
		if key := op.method + " " + op.path; problem == "" && seen[key] {
			problem = "it is described twice"
		} else {
			seen[key] = true
		}
		if problem != "" {
			i.report.leaveOut(op, problem)
			return ctx.Err()
		}
		ids[op.id]++ // also of what is filtered out: names do not depend on the filter
		if !i.options.Filter.takes(op) {
			i.report.Filtered++
			return ctx.Err()
		}
		op.params = i.doc.parameters(op, i.report)
		i.auth.survey(op)
		if responses := object(op.n, "responses"); responses["401"] != nil || responses["403"] != nil {
			i.guarded++
		}
		for _, p := range op.params {
			credentials[p.in+" "+p.name]++
		}
		op.lean()
		i.operations = append(i.operations, op)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for id, count := range ids {
		if count > 1 {
			i.names.ids[id] = true
		}
	}
	i.auth.guess(credentials, len(i.operations))
	return nil
}

// tools makes a tool of each operation, in an order that does not depend on where it stands, so that names do not either.
func (i *importer) tools(ctx context.Context) error {
	i.keepSlugs()
	slices.SortStableFunc(i.operations, func(a, b *operation) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	made := make([]madeTool, 0, len(i.operations))
	for n, op := range i.operations {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i.options.Progress != nil && n%100 == 0 {
			i.options.Progress(n, len(i.operations))
		}
		tool, err := i.tool(op)
		if err != nil {
			i.report.leaveOut(op, wording.Label(err.Error(), 500))
			continue
		}
		made = append(made, madeTool{op, tool})
		op.lean()
	}
	chooseImportant(made)
	slices.SortStableFunc(made, func(a, b madeTool) int { return a.op.order - b.op.order })
	for _, m := range made {
		i.definition.Tools = append(i.definition.Tools, m.tool)
	}
	i.report.Tools = len(made)
	if i.options.Progress != nil {
		i.options.Progress(len(i.operations), len(i.operations))
	}
	return nil
}

// madeTool is a tool beside what it was made of.
type madeTool struct {
	op   *operation
	tool catalog.DefinedTool
}

func (i *importer) tool(op *operation) (catalog.DefinedTool, error) {
	i.read(op)
	slug, aliases := i.slug(op)
	words := i.names.words(op)
	m := &toolMaker{doc: i.doc, auth: i.auth, report: i.report, op: op}
	tool, err := m.make(slug, words, i.definition.Name)
	if err != nil {
		return tool, err
	}
	tool.Aliases = aliases
	bare := &catalog.Toolkit{Slug: i.definition.Slug}
	_, err = tool.Detail(bare) // what cannot be built must not be offered
	return tool, err
}

// connect says where the API is and how accounts are connected, now that it is known what the operations need.
func (i *importer) connect() {
	d := i.definition
	d.Auth = i.auth.all()
	d.BaseURL = i.server.url
	if len(d.Auth) == 0 { // nobody fills in fields then
		i.noteNoAuth()
		d.BaseURL = withDefaults(i.server)
		for n := range d.Tools {
			d.Tools[n].NoAuth = true
		}
		return
	}
	for n := range d.Auth {
		d.Auth[n].AccountFields = slices.Concat(d.Auth[n].AccountFields, i.server.fields)
	}
	if len(i.server.fields) > 0 { // without an account there is no host
		for n := range d.Tools {
			d.Tools[n].NoAuth = false
		}
	}
}

// noteNoAuth tells apart what needs no account from what only does not say so.
func (i *importer) noteNoAuth() {
	if i.options.Auth || i.auth.declaredOpen() {
		return
	}
	i.report.AuthUnknown = true
	doubt := "the API may want one all the same"
	if i.guarded > 0 {
		doubt = fmt.Sprintf("the API probably wants one, since %d operations can answer 401 or 403", i.guarded)
	}
	i.report.note("The description says no way to connect an account that can be offered. Calls are sent without a credential; %s. "+
		"Then import it again and say how: auth as bearer, basic, header:NAME or query:NAME.", doubt)
}

func withDefaults(s server) string {
	out := s.url
	for _, f := range s.fields {
		out = strings.ReplaceAll(out, "{"+f.Name+"}", f.Default)
	}
	return out
}
