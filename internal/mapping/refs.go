package mapping

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// rootSet is a set of the variables below.
type rootSet uint16

const (
	rootInput rootSet = 1 << iota
	rootFields
	rootSteps
	rootItem
	rootCursor
	rootBody
	rootStatus
	rootHeader
	rootNow
)

// rootNames are the variables of expressions, in the order of the bits.
var rootNames = []string{"input", "fields", "steps", "item", "cursor", "body", "status", "header", "now"}

var timeType time.Time

func rootNamed(name string) rootSet {
	if i := slices.Index(rootNames, name); i >= 0 {
		return 1 << i
	}
	return 0
}

func rootValue(env *Env, root rootSet) any {
	switch root {
	case rootInput:
		return env.Input
	case rootFields:
		return env.Fields
	case rootSteps:
		return env.Steps
	case rootItem:
		return env.Item
	case rootCursor:
		return env.Cursor
	case rootBody:
		return env.Body
	case rootStatus:
		return env.Status
	case rootHeader:
		return env.Header
	default:
		if env.Now.IsZero() {
			return time.Now()
		}
		return env.Now
	}
}

func (s Scope) has(root rootSet) bool {
	switch root {
	case rootItem:
		return s.Item
	case rootCursor:
		return s.Cursor
	case rootBody, rootStatus, rootHeader:
		return s.Answer
	case rootSteps:
		return len(s.Steps) > 0
	default:
		return true
	}
}

// refs is what an expression names.
type refs struct {
	roots    rootSet
	input    map[string]bool // arguments named one by one
	allInput bool            // or the arguments as a whole
	fields   map[string]bool
	steps    map[string]bool
	env      bool // $env, which would go around the checks
}

func (r *refs) add(o refs) {
	r.roots |= o.roots
	r.allInput = r.allInput || o.allInput
	addAll(&r.input, o.input)
	addAll(&r.fields, o.fields)
	addAll(&r.steps, o.steps)
}

func addAll(to *map[string]bool, names map[string]bool) {
	for name := range names {
		addName(to, name)
	}
}

func addName(to *map[string]bool, name string) {
	if *to == nil {
		*to = map[string]bool{}
	}
	(*to)[name] = true
}

// check refuses names that nothing declares.
func (r *refs) check(scope Scope, source string, line int) error {
	if r.env {
		return errorAt(line, "in %q: $env is not offered", source)
	}
	if !scope.AnyInput {
		if err := checkNames("argument", r.input, scope.Input, source, line); err != nil {
			return err
		}
	}
	if err := checkNames("connection field", r.fields, scope.Fields, source, line); err != nil {
		return err
	}
	return checkNames("step", r.steps, scope.Steps, source, line)
}

func checkNames(what string, used map[string]bool, declared []string, source string, line int) error {
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if slices.Contains(declared, name) {
			continue
		}
		hint := ""
		if near := Nearest(name, declared); near != "" {
			hint = `; did you mean "` + near + `"?`
		}
		return errorAt(line, `in %q: there is no %s %q%s`, source, what, name, hint)
	}
	return nil
}

// referenceVisitor collects what an expression names. It sees children before parents, so a root that is met alone counts
// as used whole until the member access around it takes that back.
type referenceVisitor struct {
	refs  *refs
	whole map[ast.Node]bool
}

func (v *referenceVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		root := rootNamed(n.Value)
		v.refs.env = v.refs.env || n.Value == "$env"
		v.refs.roots |= root
		if root == rootInput {
			if v.whole == nil {
				v.whole = map[ast.Node]bool{}
			}
			v.whole[n] = true
			v.refs.allInput = true
		}
	case *ast.MemberNode:
		v.member(n)
	}
}

func (v *referenceVisitor) member(n *ast.MemberNode) {
	root, ok := n.Node.(*ast.IdentifierNode)
	name, literal := n.Property.(*ast.StringNode)
	if !ok || !literal {
		return
	}
	switch root.Value {
	case "input":
		addName(&v.refs.input, name.Value)
		delete(v.whole, root)
		v.refs.allInput = len(v.whole) > 0
	case "fields":
		addName(&v.refs.fields, name.Value)
	case "steps":
		addName(&v.refs.steps, name.Value)
	}
}

// longestName is the longest text that can be a misspelt name. Comparing costs the product of the lengths, and what callers
// send as a name may be megabytes.
const longestName = 256

// Nearest gives the known name that a misspelt one most probably meant, or "".
func Nearest(name string, known []string) string {
	if len(name) > longestName {
		return ""
	}
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := Distance(strings.ToLower(name), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// Distance is how many typing mistakes lie between two texts: characters that are missing, too many, wrong or swapped with
// their neighbour (optimal string alignment), in bytes.
func Distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j-1]+cost, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
