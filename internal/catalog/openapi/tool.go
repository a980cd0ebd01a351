package openapi

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// toolMaker makes a tool of an operation.
type toolMaker struct {
	doc    *document
	auth   *authReader
	report *Report
	op     *operation

	properties node // of the input schema
	required   []any
	http       *catalog.DefinedHTTP
	rename     map[string]string
}

func (m *toolMaker) make(slug string, words []string, toolkit string) (catalog.DefinedTool, error) {
	op := m.op
	m.properties, m.rename = node{}, map[string]string{}
	m.http = &catalog.DefinedHTTP{Method: op.method, Path: plainPath(op.path), Base: m.base()}
	m.addParameters()
	m.addBody()
	if len(m.rename) > 0 {
		m.http.Rename = m.rename
	}
	title := op.title(words)
	t := catalog.DefinedTool{
		Slug: slug, Name: title, Description: op.describe(title, m.report.Title),
		Hints: op.hints(words), Deprecated: isTrue(op.n, "deprecated"), HTTP: m.http,
	}
	if len(op.tags) > 0 {
		t.Group = wording.Label(op.tags[0], wording.MaxTitle)
	}
	m.auth.apply(op, &t)
	input, err := catalog.NormaliseObject(node{"type": "object", "properties": m.properties, "required": m.required})
	if err != nil {
		return t, err
	}
	t.Input = input.JSON
	m.addAnswer(&t)
	m.doc.written += len(t.Input) + len(t.Output)
	return t, nil
}

// plainPath takes out of a path what some write into it to tell operations apart, and what placeholders may say beside the name.
func plainPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	path = placeholder.ReplaceAllStringFunc(path, func(found string) string {
		inner := found[1 : len(found)-1]
		if strings.HasPrefix(inner, "+") || strings.HasSuffix(inner, "*") {
			return "{+" + bareName(inner) + "}"
		}
		return "{" + bareName(inner) + "}"
	})
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

// base is the operation's own server, where it names one.
func (m *toolMaker) base() string {
	for _, n := range []node{m.op.n, m.op.shared} {
		if servers := list(n, "servers"); len(servers) > 0 {
			if url := serverURL(asNode(servers[0]), nil); strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
				return url
			}
		}
	}
	return ""
}

func (m *toolMaker) writer(s side) *schemaWriter {
	w := &schemaWriter{doc: m.doc, side: s, rename: m.rename, budget: requestNodes, depth: requestDepth, foreign: m.report}
	if s == ofResponse {
		w.budget, w.depth, w.foreign = responseNodes, responseDepth, nil
	}
	return w
}

// places in the order in which arguments get their names: the first keeps the plain one.
var places = []string{"path", "query", "header", "cookie"}

func (m *toolMaker) addParameters() {
	for _, in := range places {
		for _, p := range m.op.params {
			if p.in != in {
				continue
			}
			if p.unwanted(m.auth) {
				m.takeMedia(p)
				continue
			}
			if value, is := p.fixed(m.doc); is {
				m.http.Parameters = append(m.http.Parameters, catalog.DefinedParameter{As: p.name, In: p.in, Fixed: value})
				continue
			}
			m.addParameter(p)
		}
	}
}

// takeMedia keeps what a parameter says of media types: the only answer that an operation offers, and, where nothing is sent, the
// content type that is required all the same. (OpenAPI has such parameters ignored; servers do not know that.)
func (m *toolMaker) takeMedia(p parameter) {
	schema := m.doc.derefNode(p.schema)
	enum := list(schema, "enum")
	switch {
	case strings.EqualFold(p.name, "accept") && len(enum) == 1:
		m.http.Accept, _ = plainText(enum[0])
	case strings.EqualFold(p.name, "content-type") && p.required && m.doc.body(m.op) == nil:
		m.http.ContentType = "application/json"
		for _, said := range append(enum, schema["default"], schema["example"], p.example) {
			if media, ok := said.(string); ok && mediaType.MatchString(media) {
				m.http.ContentType = media
				return
			}
		}
	}
}

var mediaType = regexp.MustCompile(`^[a-zA-Z0-9.+-]{1,60}/[a-zA-Z0-9.+-]{1,60}$`)

func (m *toolMaker) addParameter(p parameter) {
	key := m.key(p.name, p.in)
	schema := m.writer(ofRequest).write(p.schema)
	if p.description != "" {
		schema["description"] = describe(withText(m.doc.derefNode(p.schema), p.description, p.deprecated), wording.MaxArgument)
	}
	m.define(key, schema)
	if e := plainValue(p.example); e != "" && len(e) <= 40 {
		schema["examples"] = []any{p.example}
	}
	m.require(key, schema, p.schema, p.required)
	d := catalog.DefinedParameter{Argument: key, In: p.in, Lists: p.lists, Deep: p.deep}
	if key != p.name {
		d.As = p.name
	}
	m.http.Parameters = append(m.http.Parameters, d)
}

func withText(n node, description string, deprecated bool) node {
	out := maps.Clone(n)
	if out == nil {
		out = node{}
	}
	out["description"] = description
	if deprecated {
		out["deprecated"] = true
	}
	return out
}

// define adds an argument. One of which nothing is said takes anything.
func (m *toolMaker) define(key string, schema node) {
	if schema["type"] == nil && schema["anyOf"] == nil && schema["oneOf"] == nil {
		schema["anyOf"] = anything()
	}
	m.properties[key] = schema
}

// require makes an argument required. One that the provider has a default for is sent with that.
func (m *toolMaker) require(key string, schema node, source any, required bool) {
	if !required {
		return
	}
	if d, there := m.doc.derefNode(source)["default"]; there && d != nil && d != "" {
		if said := plainValue(d); said != "" && fits(schema, d) {
			schema["default"] = d
			return
		}
	}
	m.required = append(m.required, key)
}

func fits(schema node, v any) bool {
	kind := ""
	switch v := v.(type) {
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case float64:
		if kind = "number"; schema["type"] == "integer" && v == float64(int64(v)) {
			kind = "integer"
		}
	}
	enum, limited := schema["enum"].([]any)
	return schema["type"] == kind && (!limited || slices.Contains(enum, v))
}

// key names an argument. When two places want the same name, the later says its place before it: body_id.
func (m *toolMaker) key(name, in string) string {
	key := wording.ArgumentKey(name)
	if in == "header" {
		key = strings.ToLower(key)
	}
	for _, taken := m.properties[key]; taken; _, taken = m.properties[key] {
		key = wording.Clip(in+"_"+key, wording.MaxArgumentKey)
		if len(key) > wording.MaxArgumentKey-8 {
			key = wording.WithDigest(key, wording.MaxArgumentKey, in+name)
		}
		in += "_" // a third one with the same name
	}
	return key
}

// addBody makes arguments of the body's members, or one of the whole where it has none.
func (m *toolMaker) addBody() {
	b := m.doc.body(m.op)
	if b == nil {
		return
	}
	m.http.Encoding, m.http.ContentType = b.encoding, b.contentType()
	if b.encoding == catalog.EncodeJSON {
		m.http.Encoding = ""
	}
	required := b.required || m.op.method == "POST" || m.op.method == "PUT" || m.op.method == "PATCH"
	w := m.writer(ofRequest)
	flat := w.flatten(b.schema, 0)
	properties := object(flat.n, "properties")
	if len(properties) > 0 && (len(unionOf(flat.n)) == 0 || b.encoding != catalog.EncodeJSON) && b.encoding != catalog.EncodeRaw {
		m.flattenBody(b, flat.n, w.open, required)
		return
	}
	m.wholeBody(b, flat.n, required)
}

func (m *toolMaker) flattenBody(b *body, n node, within []string, required bool) {
	required = required && !isTrue(n, "nullable")
	written := m.bodySchema(n, within)
	members, must := object(written, "properties"), setOf(texts(written["required"]))
	source := object(n, "properties")
	for _, name := range memberOrder(members, must) {
		upstream := name
		if as, renamed := m.rename[name]; renamed {
			if _, itself := source[name]; !itself {
				upstream = as
			}
		}
		key := m.key(upstream, "body")
		schema := asNode(members[name])
		if b.encoding == catalog.EncodeMultipart {
			schema = m.multipart(schema, source[upstream])
		}
		m.define(key, schema)
		m.require(key, schema, source[upstream], required && must[name])
		d := catalog.DefinedParameter{Argument: key, In: "body"}
		if key != upstream {
			d.As = upstream
		}
		if b.encoding == catalog.EncodeForm {
			d.Lists, d.Deep = m.formStyle(b, upstream, source[upstream])
		}
		m.http.Parameters = append(m.http.Parameters, d)
	}
}

// bodySchema writes the members of a body as if each were an argument.
func (m *toolMaker) bodySchema(n node, within []string) node {
	w := m.writer(ofRequest)
	w.within = within
	n = maps.Clone(n)
	for _, union := range []string{"oneOf", "anyOf"} {
		delete(n, union)
	}
	return w.write(n)
}

// multipart makes arguments of the files of a form.
func (m *toolMaker) multipart(schema node, source any) node {
	n := m.doc.derefNode(source)
	if binary(n) {
		return fileSchema(wording.Shorten(wording.Clean(text(n, "description")), wording.MaxArgument))
	}
	if items := m.doc.derefNode(n["items"]); items != nil && binary(items) {
		schema["items"] = fileSchema("")
	}
	return schema
}

// formStyle says how a member of a form is written: lists repeat the name, objects have their members in brackets.
func (m *toolMaker) formStyle(b *body, name string, source any) (catalog.ListStyle, bool) {
	style := asNode(b.styles[name])
	explode, said := style["explode"].(bool)
	kind := typeOf(m.doc.derefNode(source))
	switch {
	case text(style, "style") == "deepObject", kind == "object", kind == "" && text(style, "style") == "":
		return "", true
	case said && !explode:
		return catalog.ListsComma, false
	case text(style, "contentType") == "application/json":
		return catalog.ListsJSON, false
	default:
		return "", false
	}
}

func (m *toolMaker) wholeBody(b *body, n node, required bool) {
	var schema node
	switch {
	case b.encoding == catalog.EncodeRaw && (n == nil || binary(n) || !strings.HasPrefix(bareMedia(b.media), "text/") && !strings.HasSuffix(bareMedia(b.media), "xml") && typeOf(n) != "object"):
		schema = fileSchema(wording.Shorten(wording.Clean(b.description), wording.MaxArgument))
	case b.encoding == catalog.EncodeRaw:
		schema = node{"type": "string", "description": or(wording.Shorten(wording.Clean(b.description), wording.MaxArgument), "The body, as "+bareMedia(b.media)+".")}
	case b.encoding == catalog.EncodeMultipart || b.encoding == catalog.EncodeForm:
		schema = node{"type": "object", "description": or(wording.Shorten(wording.Clean(b.description), wording.MaxArgument), "The members of the form.")}
	default:
		schema = m.writer(ofRequest).write(b.schema)
		if schema["description"] == nil {
			schema["description"] = or(wording.Shorten(wording.Clean(b.description), wording.MaxArgument), "The body of the request.")
		}
	}
	key := m.key("body", "request")
	m.define(key, schema)
	m.require(key, schema, nil, required && (b.required || len(schema) > 2))
	m.http.Body = key
}
