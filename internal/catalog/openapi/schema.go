package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// schemaWriter writes schemas of the description as plain ones: references are put in place, allOf is merged, what only
// describes is shortened. A schema that would become too large is written less deep.
type schemaWriter struct {
	doc    *document
	side   side
	rename map[string]string // members that models cannot write, to their names upstream; shared by all schemas of a tool

	nodes   int // written so far
	visited int // looked at so far, which may be more: branches that are merged or dropped
	budget  int
	depth   int      // below which objects are not described
	within  []string // references that led to what is written
	open    []string // references that are being followed
	foreign *Report  // is told of references to other documents
}

// side says which half of an exchange a schema is of.
type side uint8

const (
	ofRequest  side = iota // members that are only answered are left out
	ofResponse             // members that are only sent are left out
)

// The budgets of schemas, in nodes, and how deep they go.
const (
	requestNodes, requestDepth   = 260, 7
	responseNodes, responseDepth = 50, 3
	maxBranches                  = 12  // of a union
	maxEnum                      = 120 // values; of more the provider is the judge
	visitFactor                  = 40  // how many nodes may be looked at for each that may be written
)

// write gives the schema for what stands in the description; an empty one for what is none.
func (w *schemaWriter) write(v any) node {
	for depth := w.depth; ; depth-- {
		w.nodes, w.visited, w.open, w.depth = 0, 0, append(w.open[:0], w.within...), depth
		out := w.schema(v, 0)
		if !w.exhausted() || depth <= 1 {
			return out
		}
	}
}

func (w *schemaWriter) exhausted() bool {
	return w.nodes > w.budget || w.visited > w.budget*visitFactor
}

// schema writes one schema and what is in it.
func (w *schemaWriter) schema(v any, depth int) node {
	w.nodes++
	flat := w.flatten(v, 0)
	defer func() { w.open = w.open[:len(w.open)-flat.opened] }()
	n := flat.n
	if n == nil {
		return node{}
	}
	out := node{}
	w.copyPlain(out, n, depth)
	nullable := isTrue(n, "nullable") || isTrue(n, "x-nullable") || hasNull(n["type"])
	if union := unionOf(n); union != nil && w.union(out, n, union, depth, &nullable) {
		setNull(out, nullable)
		return out
	}
	switch kind := typeOf(n); kind {
	case "object":
		out["type"] = "object"
		w.object(out, n, depth)
	case "array":
		out["type"] = "array"
		out["items"] = w.items(n, depth)
		copyNumbers(out, n, "minItems", "maxItems")
	case "":
	default:
		out["type"] = kind
	}
	if types := several(n["type"]); types != nil {
		out["type"] = types
	}
	setNull(out, nullable)
	return out
}

// flattened is a schema with its references followed and its allOf merged; opened references must be closed by the caller.
type flattened struct {
	n      node
	opened int
}

// flatten follows references and merges allOf. A reference that is being followed already ends there: what is known of it without
// following it again is its type.
func (w *schemaWriter) flatten(v any, level int) flattened {
	n := asNode(v)
	w.visited += 1 + len(object(n, "properties"))/8
	w.doc.work++
	if n == nil || level > maxRefs || w.visited > w.budget*visitFactor {
		return flattened{n: n}
	}
	opened := 0
	for {
		ref, is := n["$ref"].(string)
		if !is {
			break
		}
		if slices.Contains(w.open, ref) || opened > maxRefs {
			return flattened{w.cut(ref, n), opened}
		}
		target, found := w.doc.resolve(ref)
		if !found {
			w.unresolved(ref)
			return flattened{n: node{"description": n["description"]}, opened: opened}
		}
		w.open = append(w.open, ref)
		opened++
		n = under(asNode(target), n)
	}
	parts := list(n, "allOf")
	if len(parts) == 0 {
		return flattened{n, opened}
	}
	merged := maps.Clone(n)
	delete(merged, "allOf")
	for _, part := range parts {
		flat := w.flatten(part, level+1)
		opened += flat.opened
		merge(merged, flat.n)
	}
	return flattened{merged, opened}
}

// cut stands for a schema within itself.
func (w *schemaWriter) cut(ref string, n node) node {
	target, _ := w.doc.resolve(ref)
	kind := typeOf(asNode(target))
	if kind == "array" || kind == "" {
		return node{"description": n["description"]}
	}
	return node{"type": kind, "description": n["description"]}
}

func (w *schemaWriter) unresolved(ref string) {
	if w.foreign == nil {
		return
	}
	if strings.HasPrefix(ref, "#") {
		w.foreign.note("Some references lead nowhere, for example %s: such values are not checked.", wording.Shorten(ref, 120))
	} else {
		w.foreign.note("Some references lead to other documents, for example %s. They are not followed: such values are not checked.", wording.Shorten(ref, 120))
	}
}

// under lays what stands beside a reference over what it leads to.
func under(target, beside node) node {
	if len(beside) == 1 || target == nil {
		return target
	}
	out := maps.Clone(target)
	for name, v := range beside {
		if name == "description" || name == "title" || name == "nullable" || name == "default" || name == "example" || name == "deprecated" {
			out[name] = v
		}
	}
	return out
}

// merge adds what a part of allOf says.
func merge(to, part node) {
	for name, v := range part {
		have, there := to[name]
		switch name {
		case "properties":
			out := maps.Clone(asNode(v))
			maps.Copy(out, asNode(have))
			if out != nil {
				to[name] = out
			}
		case "required":
			mine, _ := have.([]any)
			theirs, _ := v.([]any)
			to[name] = slices.Concat(mine, theirs)
		case "additionalProperties":
			if !there || have == false {
				to[name] = v
			}
		case "type":
			if !there {
				to[name] = v
			}
		default:
			if !there {
				to[name] = v
			}
		}
	}
}

// copyPlain takes over what is said about the value itself.
func (w *schemaWriter) copyPlain(out, n node, depth int) {
	limit := wording.MaxMember
	if depth == 0 {
		limit = wording.MaxArgument
	}
	if s := w.doc.described(n, limit); s != "" {
		out["description"] = s
	}
	if enum := list(n, "enum"); len(enum) > 0 && len(enum) <= maxEnum {
		out["enum"] = enum
	} else if c, there := n["const"]; there {
		out["enum"] = []any{c}
	}
	if s := text(n, "format"); s != "" && len(s) <= 40 && s != "binary" {
		out["format"] = s
	}
	if s, ok := n["pattern"].(string); ok && len(s) <= 200 {
		if w.doc.compiles(s) {
			out["pattern"] = s
		}
	}
	copyNumbers(out, n, "minLength", "maxLength")
	for _, name := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		if v, there := n[name]; there {
			out[name] = v
		}
	}
}

// compiles reports whether a pattern is one that we can check. It remembers: the same few stand everywhere.
func (d *document) compiles(pattern string) bool {
	good, known := d.patterns[pattern]
	if !known {
		_, err := regexp.Compile(pattern)
		good = err == nil
		d.patterns[pattern] = good
	}
	return good
}

// copyNumbers takes over limits of lengths: whole numbers that are not negative. What is beyond any use is left out.
func copyNumbers(out, n node, names ...string) {
	for _, name := range names {
		if v, ok := n[name].(float64); ok && v >= 0 && v < 1<<31 && v == math.Trunc(v) {
			out[name] = v
		}
	}
}

// described is describe, remembered: a schema that many refer to is written again and again.
func (d *document) described(n node, limit int) string {
	source, _ := n["description"].(string)
	if source == "" || n["default"] != nil || n["enum"] != nil || isTrue(n, "deprecated") {
		return describe(n, limit)
	}
	key := described{source, limit}
	if known, ok := d.descriptions[key]; ok {
		return known
	}
	s := describe(n, limit)
	if len(d.descriptions) > 20_000 {
		clear(d.descriptions)
	}
	d.descriptions[key] = s
	return s
}

// describe gives a description with what the schema cannot say: a default of the provider's, values that are too many to list.
// A default is no "default" of the schema: that would be sent, and an update must not reset what nobody named.
func describe(n node, limit int) string {
	s := wording.Shorten(wording.Clean(text(n, "description")), limit)
	if s == "" {
		s = wording.Shorten(wording.Clean(text(n, "title")), 60)
	}
	if d, there := n["default"]; there && d != nil && d != "" {
		if said := plainValue(d); said != "" && !strings.Contains(strings.ToLower(s), "default") {
			s = strings.TrimSpace(wording.Sentence(s) + " Default: " + said + ".")
		}
	}
	if enum := list(n, "enum"); len(enum) > maxEnum {
		some := make([]string, 0, 6)
		for _, v := range enum[:6] {
			some = append(some, plainValue(v))
		}
		s = strings.TrimSpace(wording.Sentence(s) + fmt.Sprintf(" One of %d values, such as %s.", len(enum), wording.Shorten(strings.Join(some, ", "), 120)))
	}
	if isTrue(n, "deprecated") {
		s = strings.TrimSpace("Deprecated. " + s)
	}
	return s
}

// plainValue writes a short scalar; empty for anything else.
func plainValue(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) <= 60 {
			return strings.Join(strings.Fields(v), " ")
		}
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// object writes the members: the required ones, and the others as far as the budget goes.
func (w *schemaWriter) object(out, n node, depth int) {
	properties := object(n, "properties")
	if depth >= w.depth {
		return
	}
	if w.doc.work += len(properties); w.doc.work > maxWork {
		if w.foreign != nil {
			w.foreign.note("The schemas are too large and intricate to be written out in full: some arguments are not described.")
		}
		return
	}
	if len(properties) == 0 {
		if inner := object(n, "additionalProperties"); len(inner) > 0 {
			out["additionalProperties"] = w.schema(inner, depth+1)
		}
		return
	}
	required := texts(n["required"])
	members, names, must := node{}, memberOrder(properties, required), []any{}
	for _, name := range names {
		p := properties[name]
		needed := slices.Contains(required, name)
		if w.otherSide(p) || !needed && w.nodes >= w.budget {
			continue
		}
		key := w.key(name)
		members[key] = w.schema(p, depth+1)
		if needed {
			must = append(must, key)
		}
	}
	out["properties"] = members
	if len(must) > 0 {
		out["required"] = must
	}
}

// memberOrder puts the required members first.
func memberOrder(properties node, required []string) []string {
	names := slices.Sorted(maps.Keys(properties))
	slices.SortStableFunc(names, func(a, b string) int {
		switch x, y := slices.Contains(required, a), slices.Contains(required, b); {
		case x == y:
			return 0
		case x:
			return -1
		default:
			return 1
		}
	})
	return names
}

// otherSide reports whether a member is only for the other half of the exchange.
func (w *schemaWriter) otherSide(p any) bool {
	n := asNode(p)
	if ref, is := n["$ref"].(string); is && w.side == ofRequest {
		if target, ok := w.doc.resolve(ref); ok {
			n = under(asNode(target), n)
		}
	}
	if w.side == ofRequest {
		return isTrue(n, "readOnly")
	}
	return isTrue(n, "writeOnly")
}

// key gives a member a name that models and clients take, and remembers the real one. An underscore at the end keeps made names
// apart from real ones.
func (w *schemaWriter) key(name string) string {
	if w.side == ofResponse || plainKey.MatchString(name) && w.rename[name] == "" {
		return name
	}
	for known, as := range w.rename {
		if as == name {
			return known
		}
	}
	key := wording.ArgumentKey(name) + "_"
	for w.rename[key] != "" {
		key += "_"
	}
	w.rename[key] = name
	return key
}

// plainKey are names of members that everybody takes: the vendors' characters, no underscore first.
var plainKey = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$`)

func (w *schemaWriter) items(n node, depth int) node {
	inner := n["items"]
	if l, ok := inner.([]any); ok && len(l) > 0 {
		inner = l[0]
	}
	if depth >= w.depth {
		flat := w.flatten(inner, 0)
		defer func() { w.open = w.open[:len(w.open)-flat.opened] }()
		if kind := typeOf(flat.n); kind != "" && kind != "array" {
			return node{"type": kind}
		}
		return node{}
	}
	return w.schema(inner, depth+1)
}

func unionOf(n node) []any {
	if l := list(n, "oneOf"); len(l) > 0 {
		return l
	}
	return list(n, "anyOf")
}

// union writes the branches of a union, and reports false when there is none left to speak of. Branches that only say "null" make
// the value nullable.
func (w *schemaWriter) union(out, n node, branches []any, depth int, nullable *bool) bool {
	if len(object(n, "properties")) > 0 {
		return false // the union only says which members go together
	}
	written := []any{}
	for _, b := range branches {
		if empty, null := w.meaningless(b, len(branches)); empty {
			*nullable = *nullable || null
			continue
		}
		if len(written) >= maxBranches || len(written) > 0 && w.nodes >= w.budget {
			break
		}
		s := w.schema(b, depth)
		if !slices.ContainsFunc(written, func(v any) bool { return sameJSON(v, s) }) {
			written = append(written, s)
		}
	}
	switch len(written) {
	case 0:
		return false
	case 1:
		for name, v := range asNode(written[0]) {
			if _, there := out[name]; !there || name != "description" {
				out[name] = v
			}
		}
	default:
		delete(out, "type")
		out["anyOf"] = written
	}
	return true
}

// meaningless recognises branches that allow nothing but null, or, beside others, any object: how some generators say "or nothing".
func (w *schemaWriter) meaningless(branch any, among int) (empty, null bool) {
	n := asNode(branch)
	switch {
	case text(n, "type") == "null":
		return true, true
	case len(list(n, "enum")) == 1 && list(n, "enum")[0] == nil:
		return true, true
	case among > 1 && isTrue(n, "nullable") && n["$ref"] == nil && len(object(n, "properties")) == 0 && len(unionOf(n)) == 0 &&
		(n["type"] == nil || text(n, "type") == "object"):
		return true, true
	}
	return false, false
}

func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// typeOf gives the type of a schema, guessed where it is not said.
func typeOf(n node) string {
	switch t := n["type"].(type) {
	case string:
		if mapped, ok := types[strings.ToLower(t)]; ok {
			return mapped
		}
	case []any:
		for _, e := range t {
			if s, ok := e.(string); ok && s != "null" {
				return types[strings.ToLower(s)]
			}
		}
	}
	switch {
	case n["properties"] != nil || n["additionalProperties"] != nil && n["additionalProperties"] != false:
		return "object"
	case n["items"] != nil:
		return "array"
	}
	return guessType(n)
}

func guessType(n node) string {
	if enum := list(n, "enum"); len(enum) > 0 {
		for _, v := range enum {
			if _, is := v.(string); !is {
				return ""
			}
		}
		return "string"
	}
	for _, name := range []string{"pattern", "minLength", "maxLength", "format"} {
		if n[name] != nil {
			return "string"
		}
	}
	return ""
}

// types are the names that descriptions use for the types of JSON Schema.
var types = map[string]string{
	"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "object": "object", "array": "array",
	"int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number", "double": "number",
	"decimal": "number", "bool": "boolean", "str": "string", "text": "string", "date": "string", "datetime": "string",
	"date-time": "string", "uuid": "string", "uri": "string", "url": "string", "file": "string", "list": "array", "map": "object",
	"dict": "object", "json": "object", "password": "string", "byte": "string", "binary": "string", "timestamp": "string",
}

func hasNull(t any) bool {
	l, _ := t.([]any)
	return slices.Contains(l, any("null"))
}

// several gives the types of a list of them, when it is more than one besides null.
func several(t any) []any {
	l, _ := t.([]any)
	var out []any
	for _, e := range l {
		if s, ok := e.(string); ok && s != "null" && types[s] != "" {
			out = append(out, types[s])
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// setNull lets a schema take null as well.
func setNull(out node, nullable bool) {
	if !nullable {
		return
	}
	if enum, ok := out["enum"].([]any); ok && !slices.Contains(enum, nil) {
		out["enum"] = append(slices.Clone(enum), nil)
	}
	switch t := out["type"].(type) {
	case string:
		out["type"] = []any{t, "null"}
	case []any:
		out["type"] = append(slices.Clone(t), "null")
	default:
		if branches, ok := out["anyOf"].([]any); ok {
			out["anyOf"] = append(branches, node{"type": "null"})
		}
	}
}

// anything is the schema of arguments of which the description does not say what they are: clients want a type or a union.
func anything() []any {
	return []any{
		node{"type": "string"}, node{"type": "number"}, node{"type": "boolean"}, node{"type": "object"}, node{"type": "array", "items": node{}},
	}
}
