package mapping

import (
	"regexp"
	"strings"
)

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
