package mapping

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Limits of one expression: nodes when it is compiled, values that it may make when it is evaluated.
const (
	maxNodes     = 2_000
	memoryBudget = 2_000_000
)

// Expr is one compiled expression. It is safe for concurrent use.
//
// Access to a member or element that is not there yields nil rather than an error, and functions over lists take an absent
// list as empty: arguments and answers are full of optional members.
type Expr struct {
	source  string
	path    *variablePath // set when the expression only names a variable: no virtual machine is needed
	program *vm.Program
	refs    refs
}

// CompileExpr compiles an expression, with or without its ${{ }}. Line is for the error.
func CompileExpr(source string, scope Scope, line int) (*Expr, error) {
	source = strings.TrimSpace(source)
	if inner, ok := wholeExpression(source); ok {
		source = inner
	}
	e := &Expr{source: source}
	if path := parseVariablePath(source); path != nil && scope.has(path.root) {
		e.path, e.refs = path, path.refs()
	} else if err := e.compile(scope, line); err != nil {
		return nil, err
	}
	if err := e.refs.check(scope, source, line); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Expr) compile(scope Scope, line int) error {
	visitor := &referenceVisitor{refs: &e.refs}
	program, err := expr.Compile(e.source, options(scope, visitor)...)
	if err != nil {
		return errorAt(line, "in ${{ %s }}: %s", e.source, compileMessage(err))
	}
	e.program = program
	return nil
}

// Eval gives the value: a JSON value, a time.Time or a File. A failure is a fault of kind Invalid, because what fails is
// nearly always an argument of the wrong shape.
func (e *Expr) Eval(env *Env) (any, error) {
	if e.path != nil {
		return e.path.eval(env), nil
	}
	m := newMachine(env, e.refs.roots)
	defer m.release()
	return m.run(e)
}

// True evaluates a condition: nil, false, 0, "" and empty lists and objects are false.
func (e *Expr) True(env *Env) (bool, error) {
	v, err := e.Eval(env)
	return truthy(v), err
}

// String is the source, for messages.
func (e *Expr) String() string { return "${{ " + e.source + " }}" }

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int:
		return v != 0
	case int64:
		return v != 0
	case float64:
		return v != 0 && !math.IsNaN(v)
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	default:
		return true
	}
}

// machine evaluates expressions over one Env. Machines are pooled: the stack and the variable table are reused.
type machine struct {
	vm   vm.VM
	vars map[string]any
	env  *Env
}

var machines = sync.Pool{New: func() any {
	return &machine{vm: vm.VM{MemoryBudget: memoryBudget}, vars: make(map[string]any, len(rootNames))}
}}

func newMachine(env *Env, roots rootSet) *machine {
	m := machines.Get().(*machine)
	m.env = env
	for i, name := range rootNames {
		if roots&(1<<i) != 0 {
			m.vars[name] = rootValue(env, 1<<i)
		}
	}
	return m
}

// release gives the machine back without holding on to what it computed with.
func (m *machine) release() {
	clear(m.vars)
	clear(m.vm.Stack[:cap(m.vm.Stack)])
	clear(m.vm.Variables)
	m.env = nil
	machines.Put(m)
}

func (m *machine) run(e *Expr) (any, error) {
	if e.path != nil {
		return e.path.eval(m.env), nil
	}
	v, err := m.vm.Run(e.program, m.vars)
	if err != nil {
		return nil, evalFault(e, err)
	}
	if numbers, ok := v.([]int); ok { // a range, 1..3
		return plainList(numbers), nil
	}
	return v, nil
}

// evalFault keeps a fault that a function raised and makes one of everything else.
func evalFault(e *Expr, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return fault.New(fault.Invalid, fault.SlugInvalidArguments, "Could not compute ${{ %s }}: %s.", e.source, firstLine(err.Error())).Because(err)
}

func compileMessage(err error) string {
	var f *file.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return firstLine(err.Error())
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// options declare the variables, the functions and the limits. The visitor sees the expression as it is written.
func options(scope Scope, visitor ast.Visitor) []expr.Option {
	declared := types.Map{}
	for i, name := range rootNames {
		if scope.has(1 << i) {
			declared[name] = types.Any
		}
	}
	declared["now"] = types.TypeOf(timeType)
	return append([]expr.Option{expr.Env(declared), expr.Patch(visitor)}, commonOptions...)
}

// commonOptions are the same for every expression.
var commonOptions = func() []expr.Option {
	opts := []expr.Option{expr.MaxNodes(maxNodes), expr.Patch(lenientVisitor{})}
	for _, name := range replacedBuiltins {
		opts = append(opts, expr.DisableBuiltin(name))
	}
	for name, f := range functions {
		opts = append(opts, expr.Function(name, f.call, f.types...))
	}
	return opts
}()

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

// wholeExpression reports whether a text is one ${{ … }} from end to end, and gives its inside.
func wholeExpression(s string) (string, bool) {
	if !strings.HasPrefix(s, "${{") {
		return "", false
	}
	end := expressionEnd(s, 3)
	if end < 0 || end+2 != len(s) {
		return "", false
	}
	return strings.TrimSpace(s[3:end]), true
}

// expressionEnd finds the }} that closes an expression which starts at from. Braces and quotes inside are skipped, so that
// {{a: 1}} within a predicate works.
func expressionEnd(s string, from int) int {
	depth, quote := 0, byte(0)
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}' && i+1 < len(s) && s[i+1] == '}':
			return i
		}
	}
	return -1
}

// variablePath is an expression that only names a variable and members of it: input.title, steps.list.messages.
type variablePath struct {
	root  rootSet
	names []string
}

var plainPath = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)

func parseVariablePath(source string) *variablePath {
	if !plainPath.MatchString(source) {
		return nil
	}
	names := strings.Split(source, ".")
	root := rootNamed(names[0])
	if root == 0 {
		return nil
	}
	return &variablePath{root: root, names: names[1:]}
}

// refs is what the path names.
func (p *variablePath) refs() refs {
	r := refs{roots: p.root}
	if len(p.names) == 0 {
		r.allInput = p.root == rootInput
		return r
	}
	switch p.root {
	case rootInput:
		addName(&r.input, p.names[0])
	case rootFields:
		addName(&r.fields, p.names[0])
	case rootSteps:
		addName(&r.steps, p.names[0])
	}
	return r
}

func (p *variablePath) eval(env *Env) any {
	v := rootValue(env, p.root)
	for _, name := range p.names {
		v = member(v, name)
	}
	return v
}

// memberOrElement is member for expressions: x.name, x["name"], x[0], x[-1].
func memberOrElement(a ...any) (any, error) {
	if name, ok := a[1].(string); ok {
		return member(a[0], name), nil
	}
	list := asList(a[0])
	var i int
	switch n := a[1].(type) {
	case int:
		i = n
	case int64:
		i = int(n)
	case float64:
		i = int(n)
	default:
		return nil, invalid("%s cannot name an element of a list.", typeName(a[1]))
	}
	if i < 0 {
		i += len(list)
	}
	if _, isObject := a[0].(map[string]any); isObject || i < 0 || i >= len(list) {
		return nil, nil
	}
	return list[i], nil
}

// member reads one member; nil when there is none.
func member(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case map[string]string:
		if s, ok := v[name]; ok {
			return s
		}
	case File:
		return v.member(name)
	}
	return nil
}

func (f File) member(name string) any {
	switch name {
	case "name":
		return f.Name
	case "mimetype":
		return f.MIMEType
	case "data":
		return f.Data
	default:
		return nil
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case int, int64, float64:
		return "a number"
	default:
		return fmt.Sprintf("%T", v)
	}
}
