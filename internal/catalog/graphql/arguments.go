package graphql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// node is a JSON Schema on its way.
type node = map[string]any

// Limits of the schemas of arguments.
const (
	maxDepth  = 4   // of input objects within input objects
	maxNodes  = 250 // of one tool's arguments
	maxValues = 120 // of an enumeration
)

// argumentWriter writes the arguments of one operation.
type argumentWriter struct {
	schema *schema
	rename map[string]string // members that clients do not take, to their names
	nodes  int
	depth  int
	brief  bool // members of objects are not written any more
}

// write gives the schema of a place; what it takes is written less deep until it is small enough.
func (w *argumentWriter) write(t *typeRef) node {
	for depth := maxDepth; ; depth-- {
		w.depth, w.nodes = depth, 0
		out := w.ref(t, 0)
		if w.nodes <= maxNodes || depth == 1 {
			return out
		}
	}
}

func (w *argumentWriter) ref(t *typeRef, depth int) node {
	w.nodes++
	if t.list != nil {
		return node{"type": "array", "items": w.ref(t.list, depth)}
	}
	def := w.schema.types[t.name]
	switch {
	case def != nil && def.kind == enum && len(def.values) > 0 && len(def.values) <= maxValues:
		values := make([]any, len(def.values))
		for i, v := range def.values {
			values[i] = v
		}
		return node{"type": "string", "enum": values}
	case def != nil && def.kind == enum:
		return node{"type": "string"}
	case def != nil && def.kind == inputObject:
		return w.object(def, depth)
	default:
		return scalarSchema(t.name)
	}
}

func (w *argumentWriter) object(def *typeDef, depth int) node {
	out := node{"type": "object"}
	if depth >= w.depth || w.brief {
		return out
	}
	properties, required := node{}, []any{}
	order := slices.Clone(def.inputs)
	slices.SortStableFunc(order, func(a, b input) int { return rank(&a) - rank(&b) })
	for i := range order {
		in := &order[i]
		if w.nodes > maxNodes && (w.depth > 1 || !in.required()) || w.nodes > 4*maxNodes {
			break // it is written again less deep, or this is enough
		}
		key := w.key(in.name)
		p := w.ref(&in.typ, depth+1)
		if s := wording.Shorten(wording.Clean(in.description), wording.MaxMember); s != "" {
			p["description"] = s
		}
		properties[key] = p
		if in.required() {
			required = append(required, key)
		}
	}
	out["properties"], out["required"] = properties, required
	return out
}

func rank(i *input) int {
	if i.required() {
		return 0
	}
	return 1
}

// key gives a member a name that all clients take: Python's have no names with an underscore first.
func (w *argumentWriter) key(name string) string {
	if !strings.HasPrefix(name, "_") && len(name) <= wording.MaxArgumentKey {
		return name
	}
	key := wording.ArgumentKey(name) + "_"
	w.rename[key] = name
	return key
}

var (
	wholeNumbers = regexp.MustCompile(`(?i)^(int|int8|int16|int32|int64|bigint|long|uint.*|smallint)$`)
	numbers      = regexp.MustCompile(`(?i)^(float|float8|double|decimal|numeric|bigdecimal|money)$`)
	anyValue     = regexp.MustCompile(`(?i)(^|_)(json|jsonb|jsonobject|any|object|map|mixed|scalar|record|dynamic)`)
	moments      = regexp.MustCompile(`(?i)^(datetime|timestamptz?|timestamp|isodatetime|time_?stamp)$`)
)

// scalarSchema is for the scalars of the language, and for others by what their names usually mean.
func scalarSchema(name string) node {
	switch {
	case name == "Boolean" || strings.EqualFold(name, "bool"):
		return node{"type": "boolean"}
	case wholeNumbers.MatchString(name):
		return node{"type": "integer"}
	case numbers.MatchString(name):
		return node{"type": "number"}
	case strings.EqualFold(name, "date"):
		return node{"type": "string", "format": "date"}
	case moments.MatchString(name):
		return node{"type": "string", "format": "date-time"}
	case name == "JSON" || anyValue.MatchString(name):
		return node{"anyOf": []any{
			node{"type": "string"}, node{"type": "number"}, node{"type": "boolean"}, node{"type": "object"}, node{"type": "array", "items": node{}},
		}}
	default:
		return node{"type": "string"}
	}
}
