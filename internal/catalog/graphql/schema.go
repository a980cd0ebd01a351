package graphql

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// MaxSize is how large a schema's text may be, in bytes; GitHub's has 1.3 MB.
const MaxSize = 32 << 20

// Bounds of what takes far more memory than its text once it is read: words of the schema language, how deep its lists and values are
// nested, and objects of an introspection, of which GitHub's has some 60,000.
const (
	maxTokens  = 1_000_000
	maxNesting = 200
	maxObjects = 600_000
)

// IntrospectionQuery asks an API for its schema. Types may be wrapped nine deep: [[T!]!]! has five.
const IntrospectionQuery = `query IntrospectionQuery { __schema {
  queryType { name } mutationType { name }
  types { kind name description
    fields(includeDeprecated: true) { name description isDeprecated args { ...input } type { ...type } }
    inputFields { ...input } enumValues(includeDeprecated: false) { name } possibleTypes { name } } } }
fragment input on __InputValue { name description defaultValue type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

// schema is what both forms of a schema say, as far as tools need it.
type schema struct {
	query, mutation string // names of the root types
	types           map[string]*typeDef
	dropped         int // places whose names are none

	labelled   map[string][]string // labelsOf, remembered
	selections map[string]string   // selection, remembered
	pages      map[*typeDef]bool   // isConnection, remembered
}

// kind is what sort of type one is, by the words of introspection.
type kind string

const (
	scalar      kind = "SCALAR"
	objectType  kind = "OBJECT"
	interfaces  kind = "INTERFACE"
	union       kind = "UNION"
	enum        kind = "ENUM"
	inputObject kind = "INPUT_OBJECT"
)

type typeDef struct {
	name        string
	kind        kind
	description string
	fields      []field
	inputs      []input
	values      []string
	possible    []string        // of interfaces and unions
	members     map[string]bool // names of fields and inputs, while the schema language is read
}

type field struct {
	name, description string
	deprecated        bool
	args              []input
	typ               typeRef
}

type input struct {
	name, description string
	fallback          bool // it has a default
	typ               typeRef
}

// typeRef is the type of a place: a name with the lists around it.
type typeRef struct {
	name     string
	required bool
	list     *typeRef // of elements; the name is empty then
}

// named gives the name within the lists.
func (t *typeRef) named() string {
	for t.list != nil {
		t = t.list
	}
	return t.name
}

// String writes the type as GraphQL does.
func (t *typeRef) String() string {
	s := t.name
	if t.list != nil {
		s = "[" + t.list.String() + "]"
	}
	if t.required {
		s += "!"
	}
	return s
}

func (i *input) required() bool { return i.typ.required && !i.fallback }

// readSchema reads either form.
func readSchema(text []byte) (*schema, error) {
	if len(text) > MaxSize {
		return nil, refused("The schema has %d MB; at most %d MB are read.", len(text)>>20, MaxSize>>20)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if len(text) == 0 {
		return nil, refused("The schema is empty.")
	}
	var s *schema
	var err error
	if text[0] == '{' && json.Valid(text) {
		s, err = readIntrospection(text)
	} else {
		s, err = readSDL(text)
	}
	if err != nil {
		return nil, err
	}
	s.dropUnnamed()
	if s.types[s.query] == nil && s.types[s.mutation] == nil {
		return nil, refused("The schema has neither queries nor mutations.")
	}
	return s, nil
}

func newSchema(query, mutation string) *schema {
	return &schema{
		query: query, mutation: mutation, types: map[string]*typeDef{},
		labelled: map[string][]string{}, selections: map[string]string{}, pages: map[*typeDef]bool{},
	}
}

func refused(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugInvalid, format, args...)
}

func readSDL(text []byte) (*schema, error) {
	if nestedDeep(text) {
		return nil, refused("The schema is nested more than %d levels deep.", maxNesting)
	}
	doc, err := parser.ParseSchemaWithLimit(&ast.Source{Name: "schema", Input: string(text)}, maxTokens)
	if err != nil {
		return nil, refused("This is neither a GraphQL schema nor the answer of an introspection: %s.", strings.TrimPrefix(err.Error(), "schema:"))
	}
	s := newSchema("Query", "Mutation")
	for _, def := range append(doc.Schema, doc.SchemaExtension...) {
		for _, op := range def.OperationTypes {
			switch op.Operation {
			case ast.Query:
				s.query = op.Type
			case ast.Mutation:
				s.mutation = op.Type
			}
		}
	}
	for _, def := range append(doc.Definitions, doc.Extensions...) {
		s.add(def)
	}
	for _, def := range append(doc.Definitions, doc.Extensions...) {
		for _, name := range def.Interfaces {
			if t := s.types[name]; t != nil {
				t.possible = append(t.possible, def.Name)
			}
		}
	}
	return s, nil
}

// add takes over a definition, or what an extension adds to one.
func (s *schema) add(def *ast.Definition) {
	t := s.types[def.Name]
	if t == nil {
		t = &typeDef{name: def.Name, kind: kind(def.Kind), description: def.Description, members: map[string]bool{}}
		s.types[def.Name] = t
	}
	t.possible = append(t.possible, def.Types...)
	for _, v := range def.EnumValues {
		t.values = append(t.values, v.Name)
	}
	for _, f := range def.Fields {
		if t.members[f.Name] {
			continue // GitHub's own schema says one twice
		}
		t.members[f.Name] = true
		if def.Kind == ast.InputObject {
			t.inputs = append(t.inputs, input{f.Name, f.Description, f.DefaultValue != nil, refOf(f.Type)})
			continue
		}
		out := field{name: f.Name, description: f.Description, deprecated: f.Directives.ForName("deprecated") != nil, typ: refOf(f.Type)}
		for _, a := range f.Arguments {
			out.args = append(out.args, input{a.Name, a.Description, a.DefaultValue != nil, refOf(a.Type)})
		}
		t.fields = append(t.fields, out)
	}
}

func refOf(t *ast.Type) typeRef {
	if t.Elem != nil {
		inner := refOf(t.Elem)
		return typeRef{list: &inner, required: t.NonNull}
	}
	return typeRef{name: t.NamedType, required: t.NonNull}
}

// The answer of an introspection.
type (
	introspected struct {
		QueryType    *named `json:"queryType"`
		MutationType *named `json:"mutationType"`
		Types        []struct {
			Kind          kind              `json:"kind"`
			Name          string            `json:"name"`
			Description   string            `json:"description"`
			Fields        []introspectField `json:"fields"`
			InputFields   []introspectInput `json:"inputFields"`
			EnumValues    []named           `json:"enumValues"`
			PossibleTypes []named           `json:"possibleTypes"`
		} `json:"types"`
	}
	named           struct{ Name string }
	introspectField struct {
		Name         string            `json:"name"`
		Description  string            `json:"description"`
		IsDeprecated bool              `json:"isDeprecated"`
		Args         []introspectInput `json:"args"`
		Type         introspectType    `json:"type"`
	}
	introspectInput struct {
		Name         string         `json:"name"`
		Description  string         `json:"description"`
		DefaultValue *string        `json:"defaultValue"`
		Type         introspectType `json:"type"`
	}
	introspectType struct {
		Kind   string          `json:"kind"`
		Name   string          `json:"name"`
		OfType *introspectType `json:"ofType"`
	}
)

func readIntrospection(text []byte) (*schema, error) {
	if n := bytes.Count(text, []byte("{")); n > maxObjects { // those in texts count as well, which are few
		return nil, refused("The introspection has some %d types, fields and arguments; at most %d are read.", n, maxObjects)
	}
	var answer struct {
		Schema *introspected `json:"__schema"`
		Data   *struct {
			Schema *introspected `json:"__schema"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	err := json.Unmarshal(text, &answer)
	found := answer.Schema
	if found == nil && answer.Data != nil {
		found = answer.Data.Schema
	}
	switch {
	case found == nil && len(answer.Errors) > 0:
		return nil, refused("The API refused to be introspected: %.300s", answer.Errors[0].Message).
			WithFix("Many APIs switch introspection off, or want a credential for it: give one, or import the schema from a file.")
	case err != nil || found == nil:
		return nil, refused("This JSON is not the answer of an introspection.")
	}
	s := newSchema("", "")
	if found.QueryType != nil {
		s.query = found.QueryType.Name
	}
	if found.MutationType != nil {
		s.mutation = found.MutationType.Name
	}
	for _, t := range found.Types {
		def := &typeDef{name: t.Name, kind: t.Kind, description: t.Description}
		for _, f := range t.Fields {
			def.fields = append(def.fields, field{f.Name, f.Description, f.IsDeprecated, inputsOf(f.Args), f.Type.ref()})
		}
		def.inputs = inputsOf(t.InputFields)
		for _, v := range t.EnumValues {
			def.values = append(def.values, v.Name)
		}
		for _, p := range t.PossibleTypes {
			def.possible = append(def.possible, p.Name)
		}
		s.types[t.Name] = def
	}
	return s, nil
}

func inputsOf(list []introspectInput) []input {
	var out []input
	for _, i := range list {
		out = append(out, input{i.Name, i.Description, i.DefaultValue != nil, i.Type.ref()})
	}
	return out
}

func (t *introspectType) ref() typeRef {
	switch {
	case t.OfType == nil:
		return typeRef{name: t.Name}
	case t.Kind == "NON_NULL":
		inner := t.OfType.ref()
		inner.required = true
		return inner
	default:
		inner := t.OfType.ref()
		return typeRef{list: &inner}
	}
}
