package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Toolkit builds the toolkit and all its tools. The error names every tool that cannot be built.
func (d *Definition) Toolkit() (*Toolkit, error) {
	tk, err := d.Bare()
	if err != nil {
		return nil, err
	}
	var problems []error
	for i := range d.Tools {
		t, err := d.Tools[i].Build(tk)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		tk.Tools = append(tk.Tools, t)
	}
	return tk, errors.Join(problems...)
}

// Bare builds the toolkit without its tools, for callers that build each tool when it is used.
func (d *Definition) Bare() (*Toolkit, error) {
	tk := &Toolkit{
		Slug: d.Slug, Name: d.Name, Description: d.Description, Version: cmp.Or(d.Version, BaseVersion),
		Docs: d.Docs, AppURL: d.AppURL, Logo: d.Logo, Program: d.Program.printed(), OnChange: d.OnChange,
	}
	tk.Versions = []string{tk.Version}
	tk.UpdatedAt, _ = time.Parse("20060102", strings.SplitN(tk.Version, "_", 2)[0])
	for _, id := range d.Categories {
		tk.Categories = append(tk.Categories, Category{ID: id, Name: categoryName(id)})
	}
	c := &definitionCompiler{fields: d.fieldNames()}
	tk.BaseURL = c.url("base_url", d.BaseURL)
	tk.Headers = c.texts("headers", d.Headers, nil)
	for i := range d.Auth {
		tk.Auth = append(tk.Auth, d.Auth[i].build(c))
	}
	if slices.ContainsFunc(d.Tools, func(t DefinedTool) bool { return t.GraphQL != nil }) {
		tk.Errors.addGraphQL()
	}
	if c.problems != nil {
		return nil, fmt.Errorf("toolkit %s: %w", d.Slug, errors.Join(c.problems...))
	}
	return tk, nil
}

// fieldNames gives the connection fields of all ways to connect: URLs and headers may use them.
func (d *Definition) fieldNames() []string {
	var names []string
	for _, a := range d.Auth {
		for _, f := range slices.Concat(a.ConfigFields, a.AccountFields) {
			names = append(names, f.Name)
		}
	}
	return unique(names)
}

// build makes the scheme as packages above use it.
func (a *DefinedAuth) build(c *definitionCompiler) AuthScheme {
	s := AuthScheme{
		Mode: a.Mode, Guide: a.Guide, ConfigFields: typedFields(a.ConfigFields), AccountFields: typedFields(a.AccountFields),
		Header: c.texts("auth header", a.Header, proofFields), Query: c.texts("auth query", a.Query, proofFields),
		Env: c.texts("auth env", a.Env, proofFields),
	}
	if a.Discover != "" {
		s.Discover = c.url("discovery_url", a.Discover)
	}
	if o := a.OAuth2; o != nil {
		s.OAuth2 = &OAuth2{
			AuthorizeURL: c.url("authorize_url", o.AuthorizeURL), TokenURL: c.url("token_url", o.TokenURL), RevokeURL: c.url("revoke_url", o.RevokeURL),
			DefaultScopes: o.Scopes, AvailableScopes: unique(slices.Concat(o.Scopes, o.Available)),
			ScopeSeparator: " ", PKCE: true, ClientAuth: "body",
		}
	}
	return s
}

func typedFields(fields []Field) []Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Type = cmp.Or(out[i].Type, "string")
		out[i].Title = cmp.Or(out[i].Title, out[i].Name)
	}
	return out
}

// definitionCompiler compiles the texts of a definition and collects what is wrong with them.
type definitionCompiler struct {
	fields   []string
	problems []error
}

func (c *definitionCompiler) note(what string, err error) {
	if err != nil {
		c.problems = append(c.problems, fmt.Errorf("%s: %w", what, err))
	}
}

func (c *definitionCompiler) url(what, source string) *mapping.Text {
	if source == "" {
		return nil
	}
	t, err := mapping.CompileURL(source, mapping.Scope{Fields: c.fields}, 0)
	c.note(what, err)
	return t
}

func (c *definitionCompiler) texts(what string, sources map[string]string, more []string) map[string]*mapping.Text {
	if len(sources) == 0 {
		return nil
	}
	out := make(map[string]*mapping.Text, len(sources))
	for name, source := range sources {
		t, err := mapping.CompileText(source, mapping.Scope{Fields: unique(slices.Concat(c.fields, more))}, 0)
		c.note(what+" "+name, err)
		out[name] = t
	}
	return out
}

// Build makes the tool, of a toolkit that Bare gave, with its detail.
func (t *DefinedTool) Build(tk *Toolkit) (*Tool, error) {
	detail, err := t.Detail(tk)
	if err != nil {
		return nil, err
	}
	tool := t.Listed(tk)
	tool.Held = detail
	return tool, nil
}

// Listed makes what lists, filters and search read of the tool: all but its detail.
func (t *DefinedTool) Listed(tk *Toolkit) *Tool {
	return &Tool{
		Slug: t.Slug, Aliases: t.Aliases, Name: t.Name, Description: t.Description, Toolkit: tk,
		Hints: t.Hints, Important: t.Important, NoAuth: t.NoAuth || tk.NoAuth(), Deprecated: t.Deprecated, Scopes: t.Scopes,
		FileInputs: bytes.Contains(t.Input, []byte(`"file_uploadable":true`)),
	}
}

// Detail makes what is needed to run the tool and to describe it in full. It is cheap enough to be made when the tool is first
// used.
func (t *DefinedTool) Detail(tk *Toolkit) (*Detail, error) {
	d := &Detail{Input: Schema{JSON: t.Input}, Output: outputSchema(t.responseTitle(tk), t.output())}
	if len(t.Input) == 0 {
		d.Input.JSON = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	var err error
	switch {
	case t.HTTP != nil:
		d.Request.HTTP, err = t.HTTP.build(tk)
	case t.GraphQL != nil:
		d.Request.GraphQL, err = t.GraphQL.build()
		d.Result.From = d.Result.From.Below("data")
	case t.MCP != nil && t.MCP.Tool != "":
		d.Request.MCP = &MCPRequest{Tool: t.MCP.Tool, Hash: t.MCP.Hash, Rename: t.MCP.Rename}
	default:
		err = errors.New("it says no request")
	}
	if err == nil && t.Page != nil {
		d.Page, err = t.Page.build()
	}
	if err != nil {
		return nil, fmt.Errorf("tool %s: %w", t.Slug, err)
	}
	return d, nil
}

func (t *DefinedTool) responseTitle(tk *Toolkit) string {
	return schemaTitle(strings.TrimPrefix(t.Slug, strings.ToUpper(tk.Slug)+"_")) + "Response"
}

// output is the schema of data, which is always an object: what is none stands under ListMember.
func (t *DefinedTool) output() json.RawMessage {
	var root struct {
		Type json.RawMessage `json:"type"`
	}
	switch {
	case len(t.Output) == 0 || json.Unmarshal(t.Output, &root) != nil:
		return json.RawMessage(`{"type":"object"}`)
	case string(root.Type) == `"object"`:
		return t.Output
	default:
		return json.RawMessage(`{"type":"object","properties":{"` + ListMember + `":` + string(t.Output) + `}}`)
	}
}

// placeholder is a part of a path that an argument fills: {id}, or {+name} for one whose slashes stay.
var placeholder = regexp.MustCompile(`\{(\+?)([^{}]+)\}`)

func (h *DefinedHTTP) build(tk *Toolkit) (*HTTPRequest, error) {
	r := &HTTPRequest{
		Method: h.Method, Encoding: cmp.Or(h.Encoding, EncodeJSON), Lists: ListsRepeated, BodyArg: h.Body, Rename: h.Rename,
	}
	path, err := h.path()
	if err != nil {
		return nil, err
	}
	if r.Path, err = mapping.CompilePath(path, mapping.Scope{AnyInput: true}, 0); err != nil {
		return nil, err
	}
	if h.Base != "" {
		if r.Base, err = compileOwnBase(h.Base, tk.connectionFields(), 0); err != nil {
			return nil, err
		}
	}
	for _, fixed := range [][2]string{{"Accept", h.Accept}, {"Content-Type", h.ContentType}} {
		if fixed[1] != "" {
			r.HeaderArgs = append(r.HeaderArgs, Argument{As: fixed[0], Fixed: fixed[1]})
		}
	}
	for _, p := range h.Parameters {
		r.take(p)
	}
	return r, nil
}

// path writes the path with the arguments' names in it.
func (h *DefinedHTTP) path() (string, error) {
	var missing error
	path := placeholder.ReplaceAllStringFunc(h.Path, func(found string) string {
		part := placeholder.FindStringSubmatch(found)
		for _, p := range h.Parameters {
			if p.In == "path" && cmp.Or(p.As, p.Argument) == part[2] {
				return p.segment(part[1])
			}
		}
		missing = fmt.Errorf("nothing fills {%s} of the path %s", part[2], h.Path)
		return found
	})
	return path, missing
}

// segment is the placeholder of a parameter in our own notation.
func (p *DefinedParameter) segment(slashes string) string {
	switch {
	case p.Argument == "":
		return p.Fixed
	case p.Lists != "":
		return "${{" + slashes + " join(list(input." + p.Argument + `), ",") }}`
	default:
		return "{" + slashes + p.Argument + "}"
	}
}

// take puts one parameter where it goes.
func (r *HTTPRequest) take(p DefinedParameter) {
	a := Argument{Name: p.Argument, As: cmp.Or(p.As, p.Argument), Lists: p.Lists, Deep: p.Deep, Fixed: p.Fixed}
	switch p.In {
	case "query":
		r.QueryArgs = append(r.QueryArgs, a)
	case "header":
		r.HeaderArgs = append(r.HeaderArgs, a)
	case "cookie":
		r.CookieArgs = append(r.CookieArgs, a)
	case "body":
		if r.Encoding == EncodeForm {
			a.Lists = cmp.Or(a.Lists, ListsRepeated)
		}
		r.BodyArgs = append(r.BodyArgs, a)
	}
}

// connectionFields gives the names of all fields of all schemes.
func (t *Toolkit) connectionFields() []string {
	var names []string
	for _, a := range t.Auth {
		for _, f := range slices.Concat(a.ConfigFields, a.AccountFields) {
			names = append(names, f.Name)
		}
	}
	return unique(names)
}

func (g *DefinedGraphQL) build() (*GraphQLRequest, error) {
	path, err := mapping.CompilePath(g.Path, mapping.Scope{}, 0)
	if err != nil {
		return nil, err
	}
	r := &GraphQLRequest{Path: path, Query: g.Query, FieldsArg: g.Fields, Selection: g.Selection, Rename: g.Rename}
	for _, name := range slices.Sorted(maps.Keys(g.Variables)) {
		r.VariableArgs = append(r.VariableArgs, Argument{Name: name, As: g.Variables[name]})
	}
	return r, nil
}

// build compiles the path in the answer where the next page is named.
func (p *DefinedPage) build() (*Page, error) {
	page := &Page{At: p.At, Size: p.Size, Member: "next_" + p.At}
	if p.Next == "" {
		return page, nil
	}
	var source strings.Builder
	source.WriteString("body")
	for _, name := range strings.Split(p.Next, ".") {
		source.WriteString("[" + strconv.Quote(name) + "]")
	}
	var err error
	page.Next, err = mapping.CompileExpr(source.String(), mapping.Scope{Answer: true}, 0)
	return page, err
}
