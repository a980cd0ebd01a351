package archtest

import (
	"go/ast"
	"slices"
	"testing"
)

// TestNothingSleeps: code waits for what it waits for. A test may sleep where time is synctest's, and costs nothing.
func TestNothingSleeps(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if slices.Contains(s.imports, "testing/synctest") || under(s.dir, "bench", "compat") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || call.Sel.Name != "Sleep" {
				return true
			}
			if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "time" {
				t.Errorf("%s: time.Sleep outside of a synctest bubble", s.line(n))
			}
			return true
		})
	}
}
