package openapi

import (
	"encoding/json"
	"slices"
)

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
