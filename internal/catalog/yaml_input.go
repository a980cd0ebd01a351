package catalog

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// argumentName is what the model vendors and Pydantic take without renaming.
var argumentName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// readMembers reads the short form of an object's members: name* is required.
func (l *loader) readMembers(r *reader, v *yaml.Node, top bool) []*property {
	var members []*property
	r.members(v, "input", func(name, value *yaml.Node) {
		plain, required := strings.CutSuffix(name.Value, "*")
		if !argumentName.MatchString(plain) {
			r.problem(name, "argument name %q: start with a letter; letters, digits, _ . and - may follow, at most 64 in all", plain)
			return
		}
		if slices.ContainsFunc(members, func(p *property) bool { return p.name == plain }) {
			r.problem(name, "argument %q stands twice", plain)
			return
		}
		p := &property{name: plain, as: plain}
		if l.shared.names == namesCamel {
			p.as = camelCase(plain)
		}
		p.required = required
		if top && value.Tag == "!!null" {
			value = l.sharedInput(r, name, plain)
		}
		if value != nil {
			l.readProperty(r, value, p)
		}
		if as := child(value, "as"); as != nil && !top {
			r.problem(as, "only an argument itself has another name upstream; use an expression for its members")
		}
		members = append(members, p)
	})
	return members
}

// sharedInput gives what toolkit.yaml says about an argument that a tool names without a value.
func (l *loader) sharedInput(r *reader, at *yaml.Node, name string) *yaml.Node {
	if value, ok := l.shared.inputs[name]; ok {
		return value
	}
	known := make([]string, 0, len(l.shared.inputs))
	for k := range l.shared.inputs {
		known = append(known, k)
	}
	r.problem(at, "argument %q has no description, and toolkit.yaml has none for it under inputs%s", name, didYouMean(name, known))
	return nil
}

// readProperty reads one property: a bare text is a string with that description.
func (l *loader) readProperty(r *reader, v *yaml.Node, p *property) {
	if v.Kind == yaml.ScalarNode {
		p.types = []string{"string"}
		r.text(&p.description)(v)
		return
	}
	var typeNode, memberNode, itemNode, defaultNode *yaml.Node
	note := func(to **yaml.Node) func(*yaml.Node) { return func(v *yaml.Node) { *to = v } }
	r.object(v, "an argument", l.propertyKeys(r, p, note(&typeNode), note(&memberNode), note(&itemNode), note(&defaultNode)))
	l.readType(r, p, typeNode)
	l.readInner(r, v, p, memberNode, itemNode)
	if defaultNode != nil {
		p.hasDefault = l.decode(r, defaultNode, &p.def)
	}
	l.checkProperty(r, v, p)
}

// propertyKeys are the keys of an argument's long form.
func (l *loader) propertyKeys(r *reader, p *property, typ, properties, items, def func(*yaml.Node)) []key {
	bounded := func(name string) func(*yaml.Node) {
		return func(v *yaml.Node) {
			if _, err := strconv.ParseFloat(v.Value, 64); err != nil || v.Kind != yaml.ScalarNode {
				r.problem(v, "this must be a number, not %s", kindName(v))
				return
			}
			p.bounds = append(p.bounds, bound{name, json.Number(v.Value)})
		}
	}
	return []key{
		{"description", false, r.text(&p.description), "for the model: what it is, with an example where the form matters"},
		{"type", false, typ, "string (when absent), integer, number, boolean, object, date-time, date, email, url, file, any; [string] for a list; integer|string for either"},
		{"enum", false, func(v *yaml.Node) { l.decode(r, v, &p.enum) }, "list of the only values"},
		{"default", false, def, "sent when the argument is absent; leave it out where the provider has its own default"},
		{"example", false, func(v *yaml.Node) { l.decode(r, v, &p.example) }, "a value in the right form"},
		{"title", false, r.text(&p.title), "label for people; rarely needed"},
		{"as", false, r.text(&p.as), "the provider's name, where the argument goes upstream as it is"},
		{"properties", false, properties, "members of an object, or of each object of a list, in the same form"},
		{"items", false, items, "what a list holds, in the same form, when [string] does not say enough"},
		{"min", false, bounded("minimum"), "least number"},
		{"max", false, bounded("maximum"), "greatest number"},
		{"min_length", false, bounded("minLength"), "characters"},
		{"max_length", false, bounded("maxLength"), "characters"},
		{"min_items", false, bounded("minItems"), "elements of a list"},
		{"max_items", false, bounded("maxItems"), "elements of a list"},
		{"pattern", false, func(v *yaml.Node) {
			r.text(&p.pattern)(v)
			if _, err := regexp.Compile(p.pattern); err != nil {
				r.problem(v, "pattern: %s", err)
			}
		}, "regular expression"},
	}
}

func (l *loader) decode(r *reader, v *yaml.Node, to any) bool {
	if err := v.Decode(to); err != nil {
		r.problem(v, "%s", err)
		return false
	}
	return true
}

// readType reads a type in the short form.
func (l *loader) readType(r *reader, p *property, v *yaml.Node) {
	switch {
	case v == nil:
	case v.Kind == yaml.SequenceNode && len(v.Content) == 1:
		p.types = []string{"array"}
		p.items = &property{}
		l.readType(r, p.items, resolve(v.Content[0]))
	case v.Kind == yaml.ScalarNode:
		for _, name := range strings.Split(v.Value, "|") {
			p.addType(r, v, strings.TrimSpace(name))
		}
	default:
		r.problem(v, "a type is a name or a list of one name")
	}
}

// formats are the types that are texts of a certain form.
var formats = map[string]string{"date-time": "date-time", "date": "date", "email": "email", "url": "uri"}

var typeNames = []string{"string", "integer", "number", "boolean", "object", "null", "date-time", "date", "email", "url", "file", "any"}

func (p *property) addType(r *reader, at *yaml.Node, name string) {
	switch {
	case name == "any":
		p.types = nil
	case name == "file":
		p.types, p.members, p.file = []string{"object"}, fileMembers, true
	case formats[name] != "":
		p.types, p.format = append(p.types, "string"), formats[name]
	case slices.Contains(typeNames, name):
		p.types = append(p.types, name)
	default:
		r.problem(at, "there is no type %q%s", name, didYouMean(name, typeNames))
	}
}

// readInner reads the members of an object and the elements of a list.
func (l *loader) readInner(r *reader, v *yaml.Node, p *property, members, items *yaml.Node) {
	anyType := child(v, "type") != nil && child(v, "type").Value == "any"
	if items != nil {
		p.types, p.items = []string{"array"}, &property{}
		l.readProperty(r, items, p.items)
	}
	if members != nil {
		inner := l.readMembers(r, members, false)
		switch {
		case p.items != nil && slices.Contains(p.items.types, "object"):
			p.items.members = inner
		case len(p.types) == 0 || slices.Contains(p.types, "object"):
			p.members = inner
			if len(p.types) == 0 {
				p.types = []string{"object"}
			}
		default:
			r.problem(members, "only an object or a list of objects has properties")
		}
	}
	if len(p.types) == 0 && !anyType {
		p.types = []string{enumType(p.enum)}
	}
}

// enumType is the type of an argument that says only its values.
func enumType(values []any) string {
	if len(values) > 0 {
		switch values[0].(type) {
		case int:
			return "integer"
		case float64:
			return "number"
		case bool:
			return "boolean"
		}
	}
	return "string"
}

func (l *loader) checkProperty(r *reader, v *yaml.Node, p *property) {
	if p.description == "" && p.enum == nil && p.name != "" {
		r.problem(v, "argument %q needs a description", p.name)
	}
	if p.hasDefault && p.required {
		r.problem(v, "argument %q is required and has a default: one of both is wrong", p.name)
	}
	if p.hasDefault && p.enum != nil && !slices.Contains(p.enum, p.def) {
		r.problem(v, "the default of %q is not one of its values", p.name)
	}
}

// camelCase writes page_token as pageToken.
func camelCase(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts[1:] {
		if part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

// dataSchema describes what a tool's data holds, from its result declaration.
func (t *Tool) dataSchema(declared []*property) json.RawMessage {
	var w objectWriter
	w.member("type", "object")
	switch {
	case declared != nil:
		writeMembers(&w, declared)
	case t.Held.Result.As != "" && t.Held.Result.Pick != nil:
		w.member("description", "The member \""+t.Held.Result.As+"\" holds what was found, each with "+strings.Join(t.Held.Result.Pick.Names(), ", ")+" as far as known.")
	case t.Held.Result.As != "":
		w.member("description", "The member \""+t.Held.Result.As+"\" holds what the service answered.")
	case t.Held.Result.Pick != nil:
		w.member("description", "As far as known: "+strings.Join(t.Held.Result.Pick.Names(), ", ")+".")
	}
	return w.json()
}

func namesOf(members []*property) []string {
	names := make([]string, len(members))
	for i, p := range members {
		names[i] = p.name
	}
	return names
}
