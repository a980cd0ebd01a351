package graphql

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// introspection is an answer with these types beside a root that has the field "a" of the type T.
func introspection(types ...string) string {
	types = append(types, `{"kind":"OBJECT","name":"Query","fields":[{"name":"a","args":[],"type":{"kind":"OBJECT","name":"T"}}]}`)
	return `{"data":{"__schema":{"queryType":{"name":"Query"},"types":[` + strings.Join(types, ",") + `]}}}`
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestHostileSchemasAreRefused(t *testing.T) {
	t.Parallel()
	const junk = maxObjects + 1
	cases := map[string]struct{ text, want string }{
		"lists ten thousand deep":    {"type Query { a: " + strings.Repeat("[", 10_000) + "Int" + strings.Repeat("]", 10_000) + " }", "nested"},
		"values a million deep":      {"type Query { a(x: I = " + strings.Repeat("[", 900_000), "nested"},
		"objects in a directive":     {"type Query { a: Int @x(a: " + strings.Repeat("{a:", 300_000), "nested"},
		"behind a text and a remark": {`type Query { "a \"[" a: Int # ]]] "` + "\n" + `"""x " \""" [[ """ b: ` + strings.Repeat("[", 10_000), "nested"},
		"words without end":          {"type Query { a: Int } " + strings.Repeat("type A { a: Int } ", 150_000), "neither a GraphQL schema"},
		"objects without end":        {introspection(strings.Repeat("{},", junk) + "{}"), "at most"},
		"an introspection too deep":  {introspection(`{"kind":"OBJECT","name":"T","fields":[{"name":"a","type":` + strings.Repeat(`{"kind":"LIST","ofType":`, 11_000) + "{}" + strings.Repeat("}", 11_000) + `}]}`), "nested"},
		"roots that are not there":   {`{"__schema":{"queryType":{"name":"Nothing"},"types":[]}}`, "neither queries"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Import(t.Context(), []byte(c.text), Options{})
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || !strings.Contains(f.Message, c.want) {
				t.Errorf("error %v, want a fault about %q", err, c.want)
			}
		})
	}
}

func TestLargeSchemasStaySmall(t *testing.T) {
	t.Parallel()
	inputs := numbered(600, `{"name":"m%d","description":"`+strings.Repeat("word ", 30)+`","type":{"kind":"INPUT_OBJECT","name":"I"}},`)
	for name, c := range map[string]struct {
		text  string
		tools int
	}{
		"a hundred thousand types": {introspection(numbered(100_000, `{"kind":"OBJECT","name":"T%[1]d","fields":[{"name":"a","args":[],"type":{"kind":"OBJECT","name":"T%[1]d"}}]},`) +
			`{"kind":"OBJECT","name":"T","fields":[{"name":"b","args":[],"type":{"kind":"OBJECT","name":"T1"}}]}`), 1},
		"arguments within arguments": {introspection(`{"kind":"INPUT_OBJECT","name":"I","inputFields":[`+inputs+`{"name":"x","type":{"kind":"SCALAR","name":"Int"}}]}`,
			`{"kind":"OBJECT","name":"Mutation","fields":[{"name":"m","args":[{"name":"i","type":{"kind":"INPUT_OBJECT","name":"I"}}],"type":{"kind":"SCALAR","name":"Int"}}]}`), 1},
		"required without end": {introspection(`{"kind":"OBJECT","name":"T","fields":[{"name":"b","args":[{"name":"i","type":{"kind":"INPUT_OBJECT","name":"J"}}]}]},` +
			`{"kind":"INPUT_OBJECT","name":"J","inputFields":[` + numbered(20_000, `{"name":"m%d","type":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"Int"}}},`) + `{}]}`), 1},
		"fields in the schema language":     {"type Query { " + numbered(5_000, "a%d: Int ") + "}", 5_000},
		"extensions in the schema language": {"type Query { a: Int } " + numbered(20_000, "extend type T { a%d: Int } "), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _, err := Import(t.Context(), []byte(c.text), Options{Slug: "h"})
			if err != nil || len(d.Tools) != c.tools {
				t.Fatalf("%+v, %v", d, err)
			}
			size := 0
			for _, tool := range d.Tools {
				size += len(tool.Input) + len(tool.GraphQL.Query) + len(tool.GraphQL.Selection)
			}
			if size > 100<<10+c.tools*500 {
				t.Errorf("%d KB were made of it", size>>10)
			}
		})
	}
}

// Thousands of operations that each take and answer the same large objects are written in brief, once there is enough.
func TestManyLargeOperationsAreWrittenInBrief(t *testing.T) {
	t.Parallel()
	members := numbered(200, `{"name":"m%d","description":"`+strings.Repeat("word ", 30)+`","type":{"kind":"SCALAR","name":"Int"}},`)
	text := introspection(`{"kind":"INPUT_OBJECT","name":"I","inputFields":[`+members+`{"name":"x","type":{"kind":"SCALAR","name":"Int"}}]}`,
		`{"kind":"OBJECT","name":"Mutation","fields":[`+numbered(1_200, `{"name":"m%d","args":[{"name":"i","type":{"kind":"INPUT_OBJECT","name":"I"}}],"type":{"kind":"SCALAR","name":"Int"}},`)+`{}]}`)
	text = strings.Replace(text, `"types"`, `"mutationType":{"name":"Mutation"},"types"`, 1)
	d, r, err := Import(t.Context(), []byte(text), Options{Slug: "h"})
	if err != nil || len(d.Tools) != 1_201 {
		t.Fatalf("%v: %+v", err, r)
	}
	size := 0
	for _, tool := range d.Tools {
		size += len(tool.Input)
	}
	if limit := 4*len(text) + 33<<20; size > limit || !strings.Contains(strings.Join(r.Notes, " "), "written out in full") {
		t.Errorf("%d MB, notes %q", size>>20, r.Notes)
	}
}

// What an introspection says becomes part of the operations that are sent: names that are none are left out, and what is sent parses.
func TestIntrospectionsThatLie(t *testing.T) {
	t.Parallel()
	for _, lie := range []string{"x) { secret } y(", "a b", "", "1a", `a\u0000b`, `a\u202eb`, "$x", `\ud800`, "a{b}", strings.Repeat("a", 300), "#"} {
		d, r, err := Import(t.Context(), []byte(introspection(
			`{"kind":"OBJECT","name":"T","fields":[{"name":"`+lie+`","args":[],"type":{"kind":"SCALAR","name":"Int"}},{"name":"b","args":[],"type":{"kind":"SCALAR","name":"`+lie+`"}},{"name":"id","args":[],"type":{"kind":"SCALAR","name":"ID"}}],"possibleTypes":[{"name":"`+lie+`"}]}`,
			`{"kind":"UNION","name":"`+lie+`","possibleTypes":[{"name":"T"}]}`, `{"kind":"ENUM","name":"E","enumValues":[{"name":"`+lie+`"}]}`,
			`{"kind":"OBJECT","name":"Mutation","fields":[{"name":"`+lie+`","args":[],"type":{"kind":"SCALAR","name":"Int"}},
				{"name":"m","args":[{"name":"`+lie+`","type":{"kind":"SCALAR","name":"Int"}},{"name":"t","type":{"kind":"LIST","ofType":{"kind":"SCALAR","name":"`+lie+`"}}},{"name":"e","type":{"kind":"ENUM","name":"E"}}],"type":{"kind":"SCALAR","name":"Int"}},
				{"name":"n","args":[{"name":"`+lie+`","type":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"Int"}}}],"type":{"kind":"SCALAR","name":"Int"}}]}`)), Options{})
		if err != nil {
			t.Fatalf("%.20q: %v", lie, err)
		}
		if len(d.Tools) != 1 || r.Operations != 1 || !strings.Contains(strings.Join(r.Notes, " "), "are left out: their names") {
			t.Errorf("%.20q: tools %+v, notes %q", lie, d.Tools, r.Notes)
		}
		for _, tool := range d.Tools {
			sent := strings.Replace(tool.GraphQL.Query, "%fields%", tool.GraphQL.Selection, 1)
			q, err := parser.ParseQuery(&ast.Source{Input: sent})
			if err != nil || len(q.Operations) != 1 || sent != "query A { a { id } }" {
				t.Errorf("%.20q: %s: %v", lie, sent, err)
			}
		}
	}
}
