package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Tree is compiled structure: objects, lists and scalars with expression leaves. It is safe for concurrent use.
//
// A text that is one ${{ expression }} from end to end yields the expression's value with its type; a text with
// expressions inside yields a text. A member whose expression yields nil is dropped, and so is an object or a list below
// the root that lost all its members that way; a null written in the declaration stays.
type Tree struct {
	root node
	refs refs
}

// CompileTree compiles a YAML value. The errors say the line.
func CompileTree(v *yaml.Node, scope Scope) (*Tree, error) {
	t := &Tree{}
	root, err := t.compile(v, scope)
	if err != nil {
		return nil, err
	}
	t.root = root
	return t, nil
}

// TreeOf makes a tree of one expression.
func TreeOf(e *Expr) *Tree { return &Tree{root: exprNode{e}, refs: e.refs} }

// Eval gives the value. Parts without expressions are shared between calls: do not change the result.
func (t *Tree) Eval(env *Env) (any, error) {
	if c, ok := t.root.(constNode); ok {
		return c.value, nil
	}
	m := newMachine(env, t.refs.roots)
	defer m.release()
	v, _, err := t.root.eval(m)
	return v, err
}

// EvalObject is Eval for a tree whose root is an object or an expression that yields one.
func (t *Tree) EvalObject(env *Env) (map[string]any, error) {
	v, err := t.Eval(env)
	if err != nil || v == nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the mapping gave %s where an object is needed", typeName(v))
	}
	return object, nil
}

// Inputs gives the arguments that the tree names, and whether it uses the arguments as a whole.
func (t *Tree) Inputs() (names []string, whole bool) {
	return sortedNames(t.refs.input), t.refs.allInput
}

// Inputs gives the arguments that the expression names, and whether it uses the arguments as a whole.
func (e *Expr) Inputs() (names []string, whole bool) {
	return sortedNames(e.refs.input), e.refs.allInput
}

// Inputs gives the arguments that the text names, and whether it uses the arguments as a whole.
func (t *Text) Inputs() (names []string, whole bool) {
	return sortedNames(t.refs.input), t.refs.allInput
}

func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// node is one place of a tree. Kept is false when the value is to be dropped.
type node interface {
	eval(m *machine) (v any, kept bool, err error)
}

type constNode struct{ value any }

func (n constNode) eval(*machine) (any, bool, error) { return n.value, true, nil }

type exprNode struct{ expr *Expr }

func (n exprNode) eval(m *machine) (any, bool, error) {
	v, err := m.run(n.expr)
	return v, v != nil, err
}

type textNode struct{ text *Text }

func (n textNode) eval(m *machine) (any, bool, error) {
	s, err := n.text.Expand(m.env)
	return s, true, err
}

type objectNode struct {
	names  []string
	values []node
}

func (n *objectNode) eval(m *machine) (any, bool, error) {
	object := make(map[string]any, len(n.names))
	for i, name := range n.names {
		v, kept, err := n.values[i].eval(m)
		if err != nil {
			return nil, false, err
		}
		if kept {
			object[name] = v
		}
	}
	return object, len(object) > 0, nil
}

type listNode []node

func (n listNode) eval(m *machine) (any, bool, error) {
	list := make([]any, 0, len(n))
	for _, e := range n {
		v, kept, err := e.eval(m)
		if err != nil {
			return nil, false, err
		}
		if kept {
			list = append(list, v)
		}
	}
	return list, len(list) > 0, nil
}

func (t *Tree) compile(v *yaml.Node, scope Scope) (node, error) {
	switch v.Kind {
	case yaml.AliasNode:
		return t.compile(v.Alias, scope)
	case yaml.MappingNode:
		return t.compileObject(v, scope)
	case yaml.SequenceNode:
		return t.compileList(v, scope)
	default:
		return t.compileScalar(v, scope)
	}
}

func (t *Tree) compileObject(v *yaml.Node, scope Scope) (node, error) {
	n := &objectNode{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		key := v.Content[i]
		if contains(n.names, key.Value) {
			return nil, errorAt(key.Line, "%q stands twice", key.Value)
		}
		value, err := t.compile(v.Content[i+1], scope)
		if err != nil {
			return nil, err
		}
		n.names = append(n.names, key.Value)
		n.values = append(n.values, value)
	}
	return foldObject(n), nil
}

func (t *Tree) compileList(v *yaml.Node, scope Scope) (node, error) {
	n := make(listNode, 0, len(v.Content))
	for _, e := range v.Content {
		value, err := t.compile(e, scope)
		if err != nil {
			return nil, err
		}
		n = append(n, value)
	}
	return foldList(n), nil
}

func (t *Tree) compileScalar(v *yaml.Node, scope Scope) (node, error) {
	if v.Tag != "!!str" {
		var value any
		if err := v.Decode(&value); err != nil {
			return nil, errorAt(v.Line, "%q: %s", v.Value, err)
		}
		return constNode{value}, nil
	}
	if !strings.Contains(v.Value, "${{") {
		return constNode{v.Value}, nil
	}
	if source, ok := wholeExpression(strings.TrimSpace(v.Value)); ok {
		e, err := CompileExpr(source, scope, v.Line)
		if err != nil {
			return nil, err
		}
		t.refs.add(e.refs)
		return exprNode{e}, nil
	}
	text, err := compileInterpolation(v.Value, scope, v.Line)
	if err != nil {
		return nil, err
	}
	t.refs.add(text.refs)
	return textNode{text}, nil
}

// foldObject makes an object without expressions a constant.
func foldObject(n *objectNode) node {
	object := make(map[string]any, len(n.names))
	for i, v := range n.values {
		c, ok := v.(constNode)
		if !ok {
			return n
		}
		object[n.names[i]] = c.value
	}
	return constNode{object}
}

func foldList(n listNode) node {
	list := make([]any, len(n))
	for i, v := range n {
		c, ok := v.(constNode)
		if !ok {
			return n
		}
		list[i] = c.value
	}
	return constNode{list}
}
