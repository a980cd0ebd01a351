package mapping

import "github.com/expr-lang/expr/ast"

// lenientVisitor makes x.y and x[0] nil when there is no such thing, gives list functions an empty list for nil, and takes any value as a condition.
type lenientVisitor struct{}

func (lenientVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		if !n.Method {
			ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: "member"}, Arguments: []ast.Node{n.Node, n.Property}})
		}
	case *ast.BuiltinNode:
		if overLists[n.Name] && len(n.Arguments) > 0 {
			wrap(&n.Arguments[0], "list")
		}
		if predicate, ok := lastArgument(n).(*ast.PredicateNode); ok && choosing[n.Name] {
			condition(&predicate.Node)
		}
		if typed[n.Name] {
			wrap(node, "plain")
		}
	case *ast.ConditionalNode:
		condition(&n.Cond)
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			condition(&n.Node)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "||", "and", "or":
			condition(&n.Left)
			condition(&n.Right)
		}
	}
}

// condition makes a node true or false unless it plainly is.
func condition(n *ast.Node) {
	switch c := (*n).(type) {
	case *ast.BoolNode:
		return
	case *ast.UnaryNode:
		if c.Operator == "!" || c.Operator == "not" {
			return
		}
	case *ast.BinaryNode:
		switch c.Operator {
		case "==", "!=", "<", "<=", ">", ">=", "&&", "||", "and", "or", "in", "matches", "contains", "startsWith", "endsWith":
			return
		}
	}
	wrap(n, "truthy")
}

// wrap puts a call of a function around a node.
func wrap(n *ast.Node, function string) {
	ast.Patch(n, &ast.CallNode{Callee: &ast.IdentifierNode{Value: function}, Arguments: []ast.Node{*n}})
}

func lastArgument(n *ast.BuiltinNode) ast.Node {
	if len(n.Arguments) == 0 {
		return nil
	}
	return n.Arguments[len(n.Arguments)-1]
}

// typed are the functions of the language that give something else than JSON values: []string, map[any][]any.
var typed = map[string]bool{"split": true, "splitAfter": true, "groupBy": true}

// choosing are the functions whose predicate is a condition.
var choosing = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "find": true, "findIndex": true, "findLast": true,
	"findLastIndex": true, "count": true,
}

var overLists = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "map": true, "find": true, "findIndex": true,
	"findLast": true, "findLastIndex": true, "count": true, "sum": true, "groupBy": true, "sortBy": true, "reduce": true,
	"first": true, "last": true, "sort": true, "reverse": true, "uniq": true, "flatten": true, "take": true,
}
