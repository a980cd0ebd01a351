package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Problem is a fault in a toolkit's files.
type Problem struct {
	File    string
	Line    int
	Message string
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message) }

// reader reads one file, collecting all problems instead of stopping at the first.
type reader struct {
	file     string
	problems *[]Problem
}

func (r *reader) problem(at *yaml.Node, format string, args ...any) {
	line := 1
	if at != nil {
		line = at.Line
	}
	*r.problems = append(*r.problems, Problem{File: r.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// compiled notes an error of the mapping package and reports whether there was none.
func (r *reader) compiled(at *yaml.Node, err error) bool {
	if err == nil {
		return true
	}
	var e *mapping.Error
	if errors.As(err, &e) {
		line := cmp.Or(e.Line, at.Line)
		*r.problems = append(*r.problems, Problem{File: r.file, Line: line, Message: e.Message})
		return false
	}
	r.problem(at, "%s", err)
	return false
}

// key is one key of an object: how it is read, and what the reference in docs/toolkits.md says about it.
type key struct {
	name     string
	required bool
	read     func(*yaml.Node)
	doc      string
}

// object reads the keys of an object. Unknown, repeated and missing ones are problems.
func (r *reader) object(v *yaml.Node, what string, keys []key) {
	if v = resolve(v); v.Kind != yaml.MappingNode {
		r.problem(v, "%s must be an object with keys, not %s", what, kindName(v))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name, value := v.Content[i], v.Content[i+1]
		at := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
		switch {
		case seen[name.Value]:
			r.problem(name, "%q stands twice in %s", name.Value, what)
		case at < 0:
			r.problem(name, "unknown key %q in %s%s", name.Value, what, didYouMean(name.Value, keyNames(keys)))
		default:
			keys[at].read(resolve(value))
		}
		seen[name.Value] = true
	}
	for _, k := range keys {
		if k.required && !seen[k.name] {
			r.problem(v, "%s needs %q: %s", what, k.name, k.doc)
		}
	}
}

// members calls read for each member of an object, in order; repeated ones are problems.
func (r *reader) members(v *yaml.Node, what string, read func(name, value *yaml.Node)) {
	if v.Kind != yaml.MappingNode {
		r.problem(v, "%s must be an object, not %s", what, kindName(v))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name := v.Content[i]
		if seen[name.Value] {
			r.problem(name, "%q stands twice in %s", name.Value, what)
			continue
		}
		seen[name.Value] = true
		read(name, resolve(v.Content[i+1]))
	}
}

// elements calls read for each element of a list.
func (r *reader) elements(v *yaml.Node, what string, read func(*yaml.Node)) {
	if v.Kind != yaml.SequenceNode {
		r.problem(v, "%s must be a list, not %s", what, kindName(v))
		return
	}
	for _, e := range v.Content {
		read(resolve(e))
	}
}

// The functions below give readers of single values.

func (r *reader) text(to *string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
			r.problem(v, "this must be a text, not %s", kindName(v))
			return
		}
		if *to = strings.TrimSpace(v.Value); *to == "" {
			r.problem(v, "this text is empty")
		}
	}
}

func (r *reader) texts(to *[]string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.elements(v, "this", func(e *yaml.Node) {
			var s string
			r.text(&s)(e)
			*to = append(*to, s)
		})
	}
}

func (r *reader) flag(to *bool) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if err := v.Decode(to); err != nil || v.Tag != "!!bool" {
			r.problem(v, "this must be true or false, not %s", kindName(v))
		}
	}
}

func (r *reader) count(to *int) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if err := v.Decode(to); err != nil || v.Tag != "!!int" || *to < 0 {
			r.problem(v, "this must be a whole number, not %s", kindName(v))
		}
	}
}

// oneOf reads a word out of a few.
func oneOf[T ~string](r *reader, to *T, words ...T) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if !slices.Contains(words, T(v.Value)) {
			names := make([]string, len(words))
			for i, w := range words {
				names[i] = string(w)
			}
			r.problem(v, "%q is not one of %s%s", v.Value, strings.Join(names, ", "), didYouMean(v.Value, names))
			return
		}
		*to = T(v.Value)
	}
}

// path reads a dotted path into an answer.
func (r *reader) path(to *mapping.Path) func(*yaml.Node) {
	return func(v *yaml.Node) {
		p, err := mapping.ParsePath(v.Value)
		if r.compiled(v, err) {
			*to = p
		}
	}
}

func (r *reader) expr(to **mapping.Expr, scope mapping.Scope) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if !strings.HasPrefix(strings.TrimSpace(v.Value), "${{") {
			r.problem(v, "this must be an expression: ${{ … }}")
			return
		}
		e, err := mapping.CompileExpr(v.Value, scope, v.Line)
		if r.compiled(v, err) {
			*to = e
		}
	}
}

func (r *reader) tree(to **mapping.Tree, scope mapping.Scope) func(*yaml.Node) {
	return func(v *yaml.Node) {
		t, err := mapping.CompileTree(v, scope)
		if r.compiled(v, err) {
			*to = t
		}
	}
}

// url reads an absolute URL that may use connection fields.
func (r *reader) url(to **mapping.Text, scope mapping.Scope) func(*yaml.Node) {
	return func(v *yaml.Node) {
		t, err := mapping.CompileURL(v.Value, scope, v.Line)
		if r.compiled(v, err) {
			*to = t
		}
	}
}

// templates reads an object of texts that may use connection fields.
func (r *reader) templates(to *map[string]*mapping.Text, what string, scope mapping.Scope) func(*yaml.Node) {
	return func(v *yaml.Node) {
		*to = map[string]*mapping.Text{}
		r.members(v, what, func(name, value *yaml.Node) {
			t, err := mapping.CompileText(value.Value, scope, value.Line)
			if r.compiled(value, err) {
				(*to)[name.Value] = t
			}
		})
	}
}

// words reads an object of plain texts.
func (r *reader) words(to *map[string]string, what string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		*to = map[string]string{}
		r.members(v, what, func(name, value *yaml.Node) {
			var s string
			r.text(&s)(value)
			(*to)[name.Value] = s
		})
	}
}

// advice reads an object from status to what it means.
func (r *reader) advice(to *map[int]string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		*to = map[int]string{}
		r.members(v, "advice", func(name, value *yaml.Node) {
			var status int
			if err := name.Decode(&status); err != nil || status < 300 || status > 599 {
				r.problem(name, "%q is not an HTTP status of a failure", name.Value)
				return
			}
			var s string
			r.text(&s)(value)
			(*to)[status] = s
		})
	}
}

func resolve(v *yaml.Node) *yaml.Node {
	for v.Kind == yaml.AliasNode {
		v = v.Alias
	}
	return v
}

func keyNames(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

func didYouMean(name string, known []string) string {
	if near := mapping.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

func kindName(v *yaml.Node) string {
	switch {
	case v.Kind == yaml.MappingNode:
		return "an object"
	case v.Kind == yaml.SequenceNode:
		return "a list"
	case v.Tag == "!!null":
		return "nothing"
	default:
		return fmt.Sprintf("%q", v.Value)
	}
}
