package openapi

import (
	"maps"
	"regexp"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// object writes the members: the required ones, and the others as far as the budget goes.
func (w *schemaWriter) object(out, n node, depth int) {
	properties := object(n, "properties")
	if depth >= w.depth {
		return
	}
	if w.doc.work += len(properties); w.doc.spent() {
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
	required := setOf(texts(n["required"]))
	members, names, must := node{}, memberOrder(properties, required), []any{}
	for _, name := range names {
		p := properties[name]
		needed := required[name]
		if w.otherSide(p) || !needed && w.nodes >= w.budget || w.nodes >= 4*w.budget {
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
func memberOrder(properties node, required map[string]bool) []string {
	names := slices.Sorted(maps.Keys(properties))
	slices.SortStableFunc(names, func(a, b string) int {
		switch x, y := required[a], required[b]; {
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

func setOf(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
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
