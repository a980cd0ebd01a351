package openapi

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// parameter is one of an operation, in the same form for all versions of OpenAPI.
type parameter struct {
	name, in    string
	required    bool
	schema      any
	description string
	deprecated  bool
	example     any
	lists       catalog.ListStyle
	deep        bool
	json        bool // the value is JSON in a text
	slashes     bool // of a path: the value may hold slashes
}

// maxParameters bounds those of an operation; real ones have some two hundred at most.
const maxParameters = 1_000

// parameters gives those of an operation: the path's, overlaid by its own. Bodies of 2.0 are parameters too; see body.go.
func (d *document) parameters(op *operation, r *Report) []parameter {
	var out []parameter
	for _, from := range [][]any{list(op.shared, "parameters"), list(op.n, "parameters")} {
		for _, v := range from {
			n := d.derefNode(v)
			if n == nil {
				if ref, is := asNode(v)["$ref"].(string); is {
					r.note("%s has parameters that are described in places that cannot be read, for example %s. They are left out.", wording.Label(op.key(), 200), wording.Shorten(ref, 120))
				}
				continue
			}
			p := d.parameter(n)
			if p.name == "" && p.in != "body" {
				continue
			}
			if !wording.Printable(p.name) || len(out) == maxParameters {
				r.note("%s has parameters that cannot be sent: too many, or with characters in their names that cannot be seen. They are left out.", wording.Label(op.key(), 200))
				continue
			}
			at := slices.IndexFunc(out, func(o parameter) bool { return o.name == p.name && o.in == p.in })
			if at >= 0 {
				out[at] = p
			} else {
				out = append(out, p)
			}
		}
	}
	return fitPath(op, out)
}

func (d *document) parameter(n node) parameter {
	p := parameter{
		name: text(n, "name"), in: text(n, "in"), required: isTrue(n, "required"), schema: n["schema"],
		description: text(n, "description"), deprecated: isTrue(n, "deprecated"), example: n["example"],
	}
	if p.in == "formdata" {
		p.in = "formData"
	}
	if p.schema == nil && n["type"] != nil { // 2.0, and 3.0 written in its manner
		p.schema = n
	}
	if content := object(n, "content"); len(content) > 0 && p.schema == nil {
		for _, media := range sortedKeys(content) {
			p.schema, p.json = object(content, media)["schema"], strings.Contains(media, "json")
			break
		}
	}
	p.style(n, d)
	return p
}

// style says how lists and objects are written.
func (p *parameter) style(n node, d *document) {
	explode, said := n["explode"].(bool)
	style := text(n, "style")
	switch {
	case p.json:
		p.lists = catalog.ListsJSON
	case text(n, "collectionFormat") != "":
		p.lists = map[string]catalog.ListStyle{
			"csv": catalog.ListsComma, "ssv": catalog.ListsSpaces, "tsv": catalog.ListsSpaces, "pipes": catalog.ListsPipes, "multi": catalog.ListsRepeated,
		}[text(n, "collectionFormat")]
	case style == "deepObject":
		p.deep = true
	case style == "spaceDelimited":
		p.lists = catalog.ListsSpaces
	case style == "pipeDelimited":
		p.lists = catalog.ListsPipes
	case d.swagger && text(n, "type") == "array", p.in == "query" && said && !explode:
		p.lists = catalog.ListsComma // the default of 2.0
	case strings.HasSuffix(p.name, "[]"):
		p.lists = catalog.ListsRepeated // the brackets are in the name already
	}
	if p.in == "path" && text(d.derefNode(p.schema), "type") == "array" {
		p.lists = catalog.ListsComma
	}
}

// fitPath makes the path's parameters those of the path: what the path does not name goes to the query, what nothing describes is
// a text.
func fitPath(op *operation, params []parameter) []parameter {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(op.path, -1) {
		names = append(names, m[1])
	}
	for i := range params {
		p := &params[i]
		if p.in != "path" {
			continue
		}
		p.required = true
		at := slices.IndexFunc(names, func(n string) bool { return n == p.name || bareName(n) == p.name })
		if at < 0 {
			p.in, p.required = "query", false
			continue
		}
		p.slashes = names[at] != p.name && (strings.HasPrefix(names[at], "+") || strings.HasSuffix(names[at], "*"))
		p.name, names[at] = bareName(names[at]), ""
	}
	for _, name := range names {
		if name != "" && bareName(name) != "" && !slices.ContainsFunc(params, func(p parameter) bool { return p.in == "path" && p.name == bareName(name) }) {
			params = append(params, parameter{
				name: bareName(name), in: "path", required: true, schema: node{"type": "string"}, slashes: bareName(name) != name,
			})
		}
	}
	return params
}

// bareName is the name in a placeholder such as {+name}, {name*} or {id:[0-9]+}.
func bareName(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return strings.Trim(s, "+*?#/.;& ")
}

// ours are headers that the request gets anyway.
var ours = []string{
	"accept", "content-type", "authorization", "content-length", "host", "user-agent", "accept-encoding", "connection", "cookie",
	"origin", "referer", "transfer-encoding",
}

// unwanted reports whether a parameter is no argument: it is set by the request itself, or it is a credential.
func (p *parameter) unwanted(auth *authReader) bool {
	switch p.in {
	case "header":
		return slices.Contains(ours, strings.ToLower(p.name)) || auth.carries(p.in, p.name)
	case "query", "cookie":
		return auth.carries(p.in, p.name)
	case "path", "body", "formData":
		return false
	default:
		return true
	}
}

// fixed gives the only value that a parameter may have.
func (p *parameter) fixed(d *document) (string, bool) {
	n := d.derefNode(p.schema)
	if !p.required || n == nil {
		return "", false
	}
	if enum := list(n, "enum"); len(enum) == 1 {
		return plainText(enum[0])
	}
	if c, there := n["const"]; there {
		return plainText(c)
	}
	if p.name == "api-version" && p.in == "query" { // Azure's descriptions hold for one version each
		version := text(asNode(d.section("info")), "version")
		return version, version != "" && n["default"] == nil
	}
	return "", false
}

func plainText(v any) (string, bool) {
	s, is := v.(string)
	if !is {
		s = plainValue(v)
	}
	return s, s != ""
}
