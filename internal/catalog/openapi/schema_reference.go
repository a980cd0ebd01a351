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
