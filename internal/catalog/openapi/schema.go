package openapi

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
	maxBranches                  = 12         // of a union
	maxEnum                      = 120        // values; of more the provider is the judge, unless they are codes
	maxCodes, maxCodesText       = 300, 1_200 // values, and bytes of all of them: countries, languages and currencies are below
	visitFactor                  = 40         // how many nodes may be looked at for each that may be written
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
	if union := unionOf(n); union != nil && !w.doc.spent() && w.union(out, n, union, depth, &nullable) {
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
