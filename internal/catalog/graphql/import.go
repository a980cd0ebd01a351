package graphql

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// Options say how a schema is imported.
type Options struct {
	Slug     string // of the toolkit; empty: made of the name
	Name     string // for people; empty: made of the endpoint's host
	Source   string // file or address that the schema came from
	Endpoint string // address of the API, to which operations are sent
	Auth     []catalog.DefinedAuth
	Known    *catalog.Definition // the toolkit as imported before: its operations keep their slugs
}

// maxOperations bounds what one schema may hold.
const maxOperations = 20_000

// Import makes a toolkit of a schema: of the answer to IntrospectionQuery, or of the schema language. The error is a fault that
// says why nothing could be imported; whatever else is wrong is in the report.
func Import(ctx context.Context, text []byte, o Options) (*catalog.Definition, *openapi.Report, error) {
	s, err := readSchema(text)
	if err != nil {
		return nil, nil, err
	}
	base, path, err := splitEndpoint(o.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(text)
	name := cmp.Or(o.Name, hostName(base), "GraphQL API")
	i := &importer{
		schema: s, options: o, path: path, taken: map[string]bool{}, known: map[string]string{}, limit: 4*len(text) + 32<<20,
		report: &openapi.Report{Source: o.Source, Title: name, LeftOut: []openapi.LeftOut{}, Notes: []string{}},
		definition: &catalog.Definition{
			Slug: cmp.Or(o.Slug, wording.ToolkitSlug(name)), Name: name, BaseURL: base, Auth: o.Auth,
			Description: "Queries and mutations of the GraphQL API of " + name + ".",
			Source:      catalog.Source{Kind: "graphql", URL: o.Source, Hash: hex.EncodeToString(sum[:])},
		},
	}
	i.prefix = strings.ToUpper(i.definition.Slug) + "_"
	if base == "" {
		i.report.Notes = append(i.report.Notes, "It is not said where the API is: give its base URL.")
	}
	if s.dropped > 0 {
		i.report.Notes = append(i.report.Notes, fmt.Sprintf("%d types, fields and arguments are left out: their names are not such as GraphQL has.", s.dropped))
	}
	if len(o.Auth) == 0 { // a schema never says it
		i.report.AuthUnknown = true
		i.report.Notes = append(i.report.Notes, "A GraphQL schema does not say how accounts are connected. Calls are sent without a credential; if the API wants one, "+
			"import it again and say how: auth as bearer, basic, header:NAME or query:NAME.")
	}
	if err := i.tools(ctx); err != nil {
		return nil, nil, err
	}
	return i.definition, i.report, nil
}

// splitEndpoint takes an address apart into what is a toolkit's base and the path of its endpoint.
func splitEndpoint(endpoint string) (base, path string, err error) {
	if endpoint == "" {
		return "", "/graphql", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", "", refused("The endpoint must be an http or https URL without a user in it.")
	}
	path = u.EscapedPath()
	return u.Scheme + "://" + u.Host, cmp.Or(path, "/"), nil
}

// hostName makes a name of an address: https://api.linear.app is "linear".
func hostName(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Hostname(), ".")
	for len(parts) > 2 && (parts[0] == "api" || parts[0] == "www" || parts[0] == "graphql" || parts[0] == "app") {
		parts = parts[1:]
	}
	return wording.Capitalised(parts[0])
}

// importer is one import.
type importer struct {
	schema     *schema
	options    Options
	report     *openapi.Report
	definition *catalog.Definition
	path       string
	prefix     string
	taken      map[string]bool
	known      map[string]string // slugs of the operations that were imported before, by how they begin
	written    int               // bytes of what was made of the operations
	limit      int               // of them; beyond it, operations are written in brief
}

// brief reports whether operations are no longer written in full: many of them may take or answer the same large objects.
func (i *importer) brief() bool { return i.written > i.limit }

// operation is a field of one of the root types.
type operation struct {
	field    *field
	mutation bool
}

func (i *importer) tools(ctx context.Context) error {
	var operations []operation
	for _, root := range []struct {
		name     string
		mutation bool
	}{{i.schema.mutation, true}, {i.schema.query, false}} {
		t := i.schema.types[root.name]
		if t == nil || root.name == "" {
			continue
		}
		for n := range t.fields {
			operations = append(operations, operation{&t.fields[n], root.mutation})
		}
	}
	i.report.Operations = len(operations)
	if len(operations) > maxOperations {
		return refused("The schema has %d operations; at most %d are imported.", len(operations), maxOperations)
	}
	i.keepSlugs()
	slices.SortStableFunc(operations, func(a, b operation) int { return cmp.Compare(a.field.name, b.field.name) })
	for _, op := range operations {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := i.tool(op)
		if err != nil {
			i.report.LeftOut = append(i.report.LeftOut, openapi.LeftOut{Method: op.kind(), Path: op.field.name, Reason: err.Error()})
			continue
		}
		i.definition.Tools = append(i.definition.Tools, t)
	}
	i.report.Tools = len(i.definition.Tools)
	if i.brief() {
		i.report.Notes = append(i.report.Notes, "The operations are too large to be written out in full: some arguments and answers are not described.")
	}
	i.chooseImportant()
	return nil
}

func (op *operation) kind() string {
	if op.mutation {
		return "mutation"
	}
	return "query"
}

// keepSlugs reserves the names of operations that were imported before.
func (i *importer) keepSlugs() {
	if i.options.Known == nil {
		return
	}
	for _, t := range i.options.Known.Tools {
		i.taken[t.Slug] = true
		if t.GraphQL == nil || !strings.HasPrefix(t.Slug, i.prefix) {
			continue
		}
		if kind, rest, is := strings.Cut(t.GraphQL.Query, " "); is {
			name := rest[:max(0, strings.IndexAny(rest, "( "))]
			i.known[kind+" "+name] = t.Slug
		}
	}
}

// start is how the text of an operation begins, by which it is known again.
func (op *operation) start() string { return op.kind() + " " + operationName(op.field.name) }

func operationName(field string) string { return wording.Capitalised(strings.TrimLeft(field, "_")) }

// slug gives an operation the name it had, or a new one.
func (i *importer) slug(op operation, words []string) string {
	if slug := i.known[op.start()]; slug != "" {
		return slug
	}
	key, limit := op.kind()+" "+op.field.name, wording.MaxToolSlug-len(i.prefix)
	slug := i.prefix + strings.ToUpper(wording.Fit(words, limit, key))
	for n := 1; i.taken[slug]; n++ {
		slug = i.prefix + strings.ToUpper(wording.WithDigest(strings.Join(words, "_"), limit, key+strings.Repeat("#", n)))
	}
	i.taken[slug] = true
	return slug
}

// words name an operation: a query says that it gets or lists, a mutation says itself what it does.
func (op *operation) words() []string {
	words := wording.SplitWords(op.field.name)
	if len(words) == 0 {
		words = []string{"operation", wording.Digest(op.field.name)}
	}
	if op.mutation || slices.Contains([]string{"get", "list", "search", "find", "all", "count", "fetch"}, words[0]) {
		return words
	}
	if op.field.typ.list != nil {
		return append([]string{"list"}, words...)
	}
	return append([]string{"get"}, words...)
}

func (i *importer) tool(op operation) (catalog.DefinedTool, error) {
	f, words := op.field, op.words()
	g := &catalog.DefinedGraphQL{Path: i.path, Variables: map[string]string{}}
	properties, required := node{}, []any{}
	w := &argumentWriter{schema: i.schema, rename: map[string]string{}, brief: i.brief()}
	var declared, passed []string
	for n := range f.args {
		in := &f.args[n]
		key := in.name
		if strings.HasPrefix(key, "_") || key == fieldsArgument || len(key) > wording.MaxArgumentKey {
			key = wording.ArgumentKey("arg_" + in.name)
		}
		p := w.write(&in.typ)
		if s := wording.Shorten(wording.Clean(in.description), wording.MaxArgument); s != "" {
			p["description"] = s
		}
		properties[key] = p
		if in.required() {
			required = append(required, key)
		}
		g.Variables[key] = in.name
		declared = append(declared, "$"+in.name+": "+in.typ.String())
		passed = append(passed, in.name+": $"+in.name)
	}
	g.Query = op.start() + parenthesised(declared) + " { " + f.name + parenthesised(passed) + i.selectFields(g, f, properties) + " }"
	if len(w.rename) > 0 {
		g.Rename = w.rename
	}
	input, err := catalog.NormaliseObject(node{"type": "object", "properties": properties, "required": required})
	if err != nil {
		return catalog.DefinedTool{}, err
	}
	t := catalog.DefinedTool{
		Slug: i.slug(op, words), Name: wording.Capitalised(wording.Shorten(strings.Join(words, " "), wording.MaxTitle)),
		Description: i.describe(op), Group: i.groupOf(op), Hints: op.hints(words), Deprecated: f.deprecated,
		NoAuth: len(i.options.Auth) == 0, Input: input.JSON, Output: json.RawMessage(`{"type":"object"}`), GraphQL: g,
		Page: pageOf(f),
	}
	i.written += len(t.Input) + len(g.Query) + len(g.Selection)
	_, err = t.Detail(&catalog.Toolkit{Slug: i.definition.Slug})
	return t, err
}

func parenthesised(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// fieldsArgument is how a caller chooses what is answered.
const fieldsArgument = "fields"

// selectFields writes the selection of an operation that answers objects, with the argument that changes it.
func (i *importer) selectFields(g *catalog.DefinedGraphQL, f *field, properties node) string {
	usual := i.schema.selection(f.typ.named())
	switch {
	case usual == "":
		return ""
	case i.brief():
		usual = "__typename"
	}
	g.Fields, g.Selection = fieldsArgument, usual
	properties[fieldsArgument] = node{
		"type": "string", "description": "What to answer of " + f.typ.named() + ", as a GraphQL selection such as \"id name owner { id }\". " +
			"Default: " + wording.Shorten(usual, 200),
	}
	return " { %fields% }"
}

func (i *importer) describe(op operation) string {
	s := wording.Clean(op.field.description)
	if len(s) < 20 {
		verb := "Answers"
		if op.mutation {
			verb = "Runs the mutation and answers"
		}
		s = strings.TrimSpace(wording.Sentence(s) + " " + verb + " " + op.field.typ.String() + " (" + op.kind() + " " + op.field.name + " of " + i.definition.Name + ").")
	}
	if op.field.deprecated {
		s = "Deprecated. " + s
	}
	return wording.Shorten(s, wording.MaxDescription)
}

func (i *importer) groupOf(op operation) string {
	if op.mutation {
		return "mutations"
	}
	return "queries"
}

// hints tell what an operation does. Queries only read, by the language's own rule.
func (op *operation) hints(words []string) catalog.Hints {
	if !op.mutation {
		return catalog.Hints{Read: true, Idempotent: true}
	}
	for _, word := range []string{words[0], words[len(words)-1]} {
		switch word {
		case "delete", "remove", "destroy", "purge", "revoke", "cancel", "clear", "terminate":
			return catalog.Hints{Destructive: true}
		case "create", "add", "insert", "send", "new":
			return catalog.Hints{Create: true}
		}
	}
	return catalog.Hints{Update: true}
}

// pageOf recognises the arguments of a connection.
func pageOf(f *field) *catalog.DefinedPage {
	var page *catalog.DefinedPage
	for _, in := range f.args {
		if in.name == "after" {
			page = &catalog.DefinedPage{At: "after"}
		}
	}
	if page == nil {
		return nil
	}
	for _, in := range f.args {
		if in.name == "first" {
			page.Size = "first"
		}
	}
	page.Next = "data." + f.name + ".pageInfo.endCursor"
	return page
}

// maxImportant is how many tools are marked as those that people need first: half of them queries.
const maxImportant = 20

// chooseImportant marks the operations that need the least to be called.
func (i *importer) chooseImportant() {
	tools := i.definition.Tools
	order := make([]int, len(tools))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(tools[a].Slug), len(tools[b].Slug)) })
	left := map[bool]int{true: maxImportant / 2, false: maxImportant / 2}
	for _, n := range order {
		if t := &tools[n]; !t.Deprecated && left[t.Hints.Read] > 0 {
			left[t.Hints.Read]--
			t.Important = true
		}
	}
}
