package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Path reads one place of a JSON value: "user.login", "labels[].name" (of every element), "items[0].id". It is safe for
// concurrent use.
type Path struct{ steps []pathStep }

type pathStep struct {
	name  string
	index int
	kind  pathStepKind
}

type pathStepKind uint8

const (
	stepMember pathStepKind = iota
	stepIndex
	stepEach
)

// ParsePath compiles a path; the empty path is the value itself.
func ParsePath(source string) (Path, error) {
	var p Path
	if source == "" {
		return p, nil
	}
	for _, part := range strings.Split(source, ".") {
		name, brackets, indexed := strings.Cut(part, "[")
		if brackets == "" && (name == "" || indexed) || strings.ContainsAny(name, " ]{}$*") {
			return Path{}, errorAt(0, "%q is not a path such as user.login or labels[].name", source)
		}
		if name != "" {
			p.steps = append(p.steps, pathStep{name: name})
		}
		for brackets != "" {
			inside, rest, ok := strings.Cut(brackets, "]")
			step, valid := bracketStep(inside)
			if !ok || !valid || rest != "" && rest[0] != '[' {
				return Path{}, errorAt(0, "%q is not a path such as user.login or labels[].name", source)
			}
			p.steps = append(p.steps, step)
			brackets = strings.TrimPrefix(rest, "[")
		}
	}
	return p, nil
}

func bracketStep(inside string) (pathStep, bool) {
	if inside == "" {
		return pathStep{kind: stepEach}, true
	}
	n := 0
	for _, c := range inside {
		if c < '0' || c > '9' || n > 1_000_000 {
			return pathStep{}, false
		}
		n = n*10 + int(c-'0')
	}
	return pathStep{kind: stepIndex, index: n}, true
}

// IsRoot reports whether the path is the value itself.
func (p Path) IsRoot() bool { return len(p.steps) == 0 }

// Below gives the path that starts at a member.
func (p Path) Below(member string) Path {
	return Path{steps: append([]pathStep{{name: member}}, p.steps...)}
}

// Get reads the place; nil when it is not there. Elements of [] that lack the member are left out.
func (p Path) Get(v any) any { return getPath(p.steps, v) }

func getPath(steps []pathStep, v any) any {
	for i, s := range steps {
		switch s.kind {
		case stepMember:
			v = member(v, s.name)
		case stepIndex:
			list, _ := v.([]any)
			if s.index >= len(list) {
				return nil
			}
			v = list[s.index]
		case stepEach:
			return getEach(steps[i+1:], v)
		}
		if v == nil {
			return nil
		}
	}
	return v
}

func getEach(steps []pathStep, v any) any {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	out := make([]any, 0, len(list))
	for _, e := range list {
		if got := getPath(steps, e); got != nil {
			out = append(out, got)
		}
	}
	return out
}

// Pick keeps some members of an object, or of each object of a list, perhaps under other names. Members that are absent or
// null are left out.
type Pick struct {
	members []pickMember
}

type pickMember struct {
	name string
	path Path
	sub  *Pick // applied to what the path gives
	kept bool  // made of "user.login": more members of user join it
}

// CompilePick compiles a YAML list: "title" keeps a member, "user.login" keeps a member of a member where it is (of each
// element, where a list is on the way), {author: user.login} takes it from a path, and {files: {from: assets, pick: […]}}
// picks within.
func CompilePick(v *yaml.Node) (*Pick, error) {
	if v.Kind != yaml.SequenceNode {
		return nil, errorAt(v.Line, "pick is a list of members")
	}
	p := &Pick{}
	for _, e := range v.Content {
		if err := p.add(e); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Names gives the members of the result, in the order of the declaration.
func (p *Pick) Names() []string {
	names := make([]string, len(p.members))
	for i, m := range p.members {
		names[i] = m.name
	}
	return names
}

func (p *Pick) add(e *yaml.Node) error {
	switch {
	case e.Kind == yaml.ScalarNode:
		return p.keep(strings.ReplaceAll(e.Value, "[].", "."), e.Line)
	case e.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(e.Content); i += 2 {
			if err := p.addNamed(e.Content[i].Value, e.Content[i+1]); err != nil {
				return err
			}
		}
		return nil
	default:
		return errorAt(e.Line, "pick takes names and {name: path}")
	}
}

// keep adds a member that stays in its place. Several members of one member share its place.
func (p *Pick) keep(source string, line int) error {
	first, rest, nested := strings.Cut(source, ".")
	if !nested {
		return p.addMember(first, first, nil, line)
	}
	if strings.ContainsAny(first, "[]") {
		return errorAt(line, "%q needs a name: {name: %s}", source, source)
	}
	for i := range p.members {
		if m := &p.members[i]; m.name == first && m.sub != nil && m.kept {
			return m.sub.keep(rest, line)
		}
	}
	sub := &Pick{}
	if err := sub.keep(rest, line); err != nil {
		return err
	}
	if err := p.addMember(first, first, sub, line); err != nil {
		return err
	}
	p.members[len(p.members)-1].kept = true
	return nil
}

func (p *Pick) addNamed(name string, v *yaml.Node) error {
	if v.Kind == yaml.ScalarNode {
		return p.addMember(name, v.Value, nil, v.Line)
	}
	from, sub := name, (*Pick)(nil)
	for i := 0; i+1 < len(v.Content); i += 2 {
		switch key, value := v.Content[i], v.Content[i+1]; key.Value {
		case "from":
			from = value.Value
		case "pick":
			var err error
			if sub, err = CompilePick(value); err != nil {
				return err
			}
		default:
			return errorAt(key.Line, `unknown key %q; a picked member takes "from" and "pick"`, key.Value)
		}
	}
	return p.addMember(name, from, sub, v.Line)
}

func (p *Pick) addMember(name, source string, sub *Pick, line int) error {
	path, err := ParsePath(source)
	if err != nil {
		return errorAt(line, "%s", err)
	}
	for _, m := range p.members {
		if m.name == name {
			return errorAt(line, "%q is picked twice", name)
		}
	}
	p.members = append(p.members, pickMember{name: name, path: path, sub: sub})
	return nil
}

// Apply picks from an object or from each object of a list; anything else stays.
func (p *Pick) Apply(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(p.members))
		for _, m := range p.members {
			got := m.path.Get(v)
			if got == nil {
				continue
			}
			if m.sub != nil {
				got = m.sub.Apply(got)
			}
			out[m.name] = got
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = p.Apply(e)
		}
		return out
	default:
		return v
	}
}
