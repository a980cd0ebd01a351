package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

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
	m := merger{to: maps.Clone(n)}
	delete(m.to, "allOf")
	for _, part := range parts {
		if w.doc.spent() {
			break
		}
		flat := w.flatten(part, level+1)
		opened += flat.opened
		w.doc.work += len(object(flat.n, "properties"))
		m.add(flat.n)
	}
	return flattened{m.to, opened}
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

// merger puts the parts of allOf together.
type merger struct {
	to         node
	properties bool // those of to are its own and may be changed
	required   bool // likewise
}

// add takes over what a part says, where nothing was said before.
func (m *merger) add(part node) {
	for name, v := range part {
		have, there := m.to[name]
		switch {
		case name == "properties":
			m.addProperties(asNode(have), asNode(v))
		case name == "required":
			mine, _ := have.([]any)
			theirs, _ := v.([]any)
			if !m.required {
				mine, m.required = slices.Clone(mine), true
			}
			m.to[name] = append(mine, theirs...)
		case !there, name == "additionalProperties" && have == false:
			m.to[name] = v
		}
	}
}

func (m *merger) addProperties(have, more node) {
	if !m.properties {
		if have = maps.Clone(have); have == nil {
			have = node{}
		}
		m.to["properties"], m.properties = have, true
	}
	for name, v := range more {
		if _, there := have[name]; !there {
			have[name] = v
		}
	}
}
