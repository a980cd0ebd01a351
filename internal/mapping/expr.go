package mapping

import (
	"errors"
	"fmt"
	"math"
	"strings"

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
