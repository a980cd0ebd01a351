package execute

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

func tool(input string) *catalog.Tool {
	return &catalog.Tool{Slug: "ACME_DO", Held: &catalog.Detail{Input: catalog.Schema{JSON: json.RawMessage(input)}}}
}

func noSchemas() *schemas { return newSchemas(slog.New(slog.DiscardHandler), schemaBytes) }

// decode gives arguments as the edge hands them over: numbers are json.Number.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

const issueSchema = `{
  "type": "object",
  "required": ["title", "count"],
  "properties": {
    "title":    {"type": "string", "description": "One line. More about it."},
    "count":    {"type": "integer", "minimum": 1, "maximum": 100},
    "ratio":    {"type": "number"},
    "draft":    {"type": "boolean"},
    "state":    {"type": "string", "enum": ["open", "closed", "all"], "default": "open"},
    "since":    {"type": "string", "format": "date-time"},
    "note":     {"type": "string"},
    "labels":   {"type": "array", "items": {"type": "string"}},
    "ids":      {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
    "options":  {"type": "object", "properties": {"deep": {"type": "integer"}, "mode": {"type": "string", "default": "fast"}}},
    "either":   {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "parent":   {"type": ["string", "null"]},
    "page_size": {"type": "integer"},
    "people":   {"type": "array", "items": {"$ref": "#/$defs/person"}}
  },
  "$defs": {"person": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}}
}`

func TestCoercion(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given string
		want  map[string]any // beside title, count and the default of state
	}{
		"as declared":                    {`{"ratio": 1.5, "draft": true}`, map[string]any{"ratio": 1.5, "draft": true}},
		"text for a number":              {`{"ratio": " 2.5 ", "page_size": "30"}`, map[string]any{"ratio": 2.5, "page_size": 30}},
		"whole float for an integer":     {`{"page_size": 30.0}`, map[string]any{"page_size": 30}},
		"exponent for an integer":        {`{"page_size": "3e1"}`, map[string]any{"page_size": 30}},
		"leading zeros":                  {`{"page_size": "007"}`, map[string]any{"page_size": 7}},
		"text for a boolean":             {`{"draft": "True"}`, map[string]any{"draft": true}},
		"number for a text":              {`{"note": 12.50}`, map[string]any{"note": "12.50"}},
		"boolean for a text":             {`{"note": false}`, map[string]any{"note": "false"}},
		"scalar for a list":              {`{"labels": "bug"}`, map[string]any{"labels": []any{"bug"}}},
		"scalar for a list of integers":  {`{"ids": "7"}`, map[string]any{"ids": []any{7}}},
		"texts in a list of integers":    {`{"ids": ["7", 8]}`, map[string]any{"ids": []any{7, 8}}},
		"JSON text for a list":           {`{"labels": "[\"a\", \"b\"]"}`, map[string]any{"labels": []any{"a", "b"}}},
		"JSON text for an object":        {`{"options": "{\"deep\": \"4\"}"}`, map[string]any{"options": map[string]any{"deep": 4, "mode": "fast"}}},
		"list of one for a scalar":       {`{"note": ["x"]}`, map[string]any{"note": "x"}},
		"object for a list of objects":   {`{"people": {"name": "A", "age": "9"}}`, map[string]any{"people": []any{map[string]any{"name": "A", "age": 9}}}},
		"a form that fits is kept":       {`{"either": "x"}`, map[string]any{"either": "x"}},
		"the other form is kept":         {`{"either": ["x"]}`, map[string]any{"either": []any{"x"}}},
		"letter case of an enumeration":  {`{"state": "Closed"}`, map[string]any{"state": "closed"}},
		"empty text for a number":        {`{"ratio": "", "draft": "", "labels": "", "options": ""}`, map[string]any{}},
		"empty text for an enumeration":  {`{"state": ""}`, map[string]any{}},
		"empty text for a date":          {`{"since": ""}`, map[string]any{}},
		"empty text stays a text":        {`{"note": ""}`, map[string]any{"note": ""}},
		"null for an absent argument":    {`{"note": null, "labels": null}`, map[string]any{}},
		"null where null is meant":       {`{"parent": null}`, map[string]any{"parent": nil}},
		"null as text where it is meant": {`{"parent": "null"}`, map[string]any{"parent": "null"}},
		"another spelling of a name":     {`{"pageSize": 5}`, map[string]any{"page_size": 5}},
		"an argument the tool lacks":     {`{"colour": "red"}`, map[string]any{}},
		"members nobody declared":        {`{"options": {"deep": 1, "x": {"y": [1]}}}`, map[string]any{"options": map[string]any{"deep": 1, "mode": "fast", "x": map[string]any{"y": []any{1}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := decode(t, tc.given)
			given["title"], given["count"] = "T", json.Number("2")
			before := clone(given)
			got, err := noSchemas().prepare(tool(issueSchema), given)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"title": "T", "count": 2, "state": "open"}
			for k, v := range tc.want {
				want[k] = v
			}
			if d := cmp.Diff(want, got.values); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(before, any(given)); d != "" {
				t.Error("the caller's map was changed:", d)
			}
		})
	}
}

func TestArgumentFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given string
		want  []string
	}{
		"all at once": {
			`{"count": 0, "ratio": "lots", "state": "opened", "labels": [1, {"a": 1}], "titel": "x", "draft": "maybe"}`,
			[]string{
				`count: got 0, want at least 1`,
				`draft: got "maybe", want true or false`,
				`labels[1]: got {"a":1}, want a text`,
				`ratio: got "lots", want a number`,
				`state: got "opened", want one of "open", "closed", "all"; did you mean "open"?`,
				`title: missing, want a text (One line); you gave "titel", which the tool does not have`,
			},
		},
		"nothing given": {`{}`, []string{"count: missing, want a whole number", "title: missing, want a text (One line)"}},
		"empty text for a required number": {
			`{"title": "T", "count": ""}`, []string{`count: got "", want a whole number`},
		},
		"null for a required text": {`{"title": null, "count": 1}`, []string{`title: got null, want a text`}},
		"a fraction for an integer": {
			`{"title": "T", "count": 1.5}`, []string{"count: got 1.5, want a whole number"},
		},
		"too many items": {`{"title": "T", "count": 1, "ids": [1, 2, 3, 4]}`, []string{"ids: got [1,2,3,4], want at most 3 items"}},
		"within a list of objects": {
			`{"title": "T", "count": 1, "people": [{"age": "old"}]}`,
			[]string{`people[0].age: got "old", want a whole number`, "people[0].name: missing, want a text"},
		},
		"no alternative fits": {
			`{"title": "T", "count": 1, "either": {"a": 1}}`, []string{`either[0]: got {"a":1}, want a text`},
		},
		"numbers that would take minutes to compute with": {
			`{"title": "T", "count": ` + strings.Repeat("9", 401) + `, "ids": [1e99999], "ratio": 1e-99999, "note": "[1e99999]"}`,
			[]string{
				"count: got " + strings.Repeat("9", 60) + "…, want a number of at most 400 digits",
				"ids[0]: got 1e99999, want a number of at most 400 digits",
				"ratio: got 1e-99999, want a number of at most 400 digits",
			},
		},
		"a long value is cut": {
			`{"title": "T", "count": 1, "ratio": "` + strings.Repeat("é", 100) + `"}`,
			[]string{`ratio: got "` + strings.Repeat("é", 29) + `…, want a number`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := noSchemas().prepare(tool(issueSchema), decode(t, tc.given))
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Slug != fault.SlugInvalidArguments {
				t.Fatalf("got %v, want a fault", err)
			}
			if d := cmp.Diff(tc.want, f.Details); d != "" {
				t.Error(d)
			}
			for _, line := range tc.want {
				if !strings.Contains(f.Message, line) {
					t.Errorf("the message lacks %q: %s", line, f.Message)
				}
			}
			if !strings.Contains(f.Fix, "count (required), title (required), draft") {
				t.Errorf("the fix does not say what the tool takes: %s", f.Fix)
			}
		})
	}
}

func TestAlternativesOfObjects(t *testing.T) {
	t.Parallel()
	schema := `{"type":"object","properties":{"block":{"oneOf":[
	  {"type":"object","required":["text"],"properties":{"text":{"type":"string"}},"additionalProperties":false},
	  {"type":"object","required":["image"],"properties":{"image":{"type":"string"}},"additionalProperties":false},
	  {"type":"integer"}]}}}`
	_, err := noSchemas().prepare(tool(schema), decode(t, `{"block": {"video": "x"}}`))
	f := fault.From(err)
	if len(f.Details) != 1 || !strings.HasPrefix(f.Details[0], `block: got {"video":"x"}, fits none of the allowed forms: (block.`) {
		t.Errorf("got %q", f.Details)
	}
	_, err = noSchemas().prepare(tool(schema), decode(t, `{"block": "x"}`))
	if f := fault.From(err); f.Details[0] != `block: got "x", want an object or a whole number` {
		t.Errorf("got %q", f.Details)
	}
}

func TestUnknownArguments(t *testing.T) {
	t.Parallel()
	const properties = `"properties": {"color": {"type": "string"}}`
	for name, tc := range map[string]struct {
		schema string
		want   map[string]any // nil: a fault
		notes  []string
	}{
		"left out with a note": {
			`{"type": "object", ` + properties + `}`, map[string]any{},
			[]string{`Argument "colour" was ignored: the tool does not have it. Did you mean "color"?`},
		},
		"forbidden":                 {`{"type": "object", ` + properties + `, "additionalProperties": false}`, nil, nil},
		"allowed":                   {`{"type": "object", ` + properties + `, "additionalProperties": true}`, map[string]any{"colour": "red"}, nil},
		"nothing declared at all":   {`{"type": "object"}`, map[string]any{"colour": "red"}, nil},
		"declared to have none":     {`{"type": "object", "properties": {}}`, map[string]any{}, []string{`Argument "colour" was ignored: the tool does not have it.`}},
		"described by alternatives": {`{"type": "object", ` + properties + `, "anyOf": [{"required": ["colour"]}]}`, map[string]any{"colour": "red"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := noSchemas().prepare(tool(tc.schema), map[string]any{"colour": "red"})
			if tc.want == nil {
				if f := fault.From(err); f == nil || len(f.Details) != 1 || f.Details[0] != `colour: there is no such argument; did you mean "color"?` {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got.values); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tc.notes, got.notes); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSchemasThatDoNotCompile(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"not JSON":           `{`,
		"a type of its own":  `{"type": "object", "properties": {"a": {"type": "file"}}}`,
		"a remote reference": `{"type": "object", "properties": {"a": {"$ref": "https://example.com/x.json"}}}`,
		"a local file":       `{"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}`,
		"none":               ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := noSchemas().prepare(tool(schema), decode(t, `{"a": 1}`))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[string]any{"a": 1}, got.values); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPatternsThatGoLacks(t *testing.T) {
	t.Parallel()
	schema := `{"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?!x).*$"}, "b": {"type": "string", "pattern": "^z"}}}`
	if _, err := noSchemas().prepare(tool(schema), map[string]any{"a": "x", "b": "z"}); err != nil {
		t.Error(err)
	}
	if _, err := noSchemas().prepare(tool(schema), map[string]any{"b": "y"}); err == nil {
		t.Error("the pattern that Go has was not checked")
	}
}

func TestCompiledSchemasThatAreUsedAreKept(t *testing.T) {
	t.Parallel()
	each := int64(bytesOfEach + bytesOfCompiled*len(issueSchema))
	s := newSchemas(slog.New(slog.DiscardHandler), 5*each)
	used := tool(issueSchema)
	first := s.of(used)
	if first == nil {
		t.Fatal("the schema does not compile")
	}
	for range 100 {
		s.of(tool(issueSchema))
		if s.of(used) != first {
			t.Fatal("a schema that is in use was compiled again")
		}
	}
	kept := 0
	for _, g := range []*generation{s.young.Load(), s.old.Load()} {
		g.compiled.Range(func(any, any) bool { kept++; return true })
	}
	if kept > 2*6 {
		t.Errorf("%d schemas are kept where there is room for ten", kept)
	}
}

// Whatever is given, coercion ends, changes nothing of the caller's, and coercing twice changes nothing more.
func TestCoercionProperties(t *testing.T) {
	t.Parallel()
	schema, err := compileSchema([]byte(issueSchema))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"title", "count", "ratio", "draft", "state", "since", "labels", "ids", "options", "either", "parent", "pageSize", "people", "zzz"}
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.MapOf(rapid.SampledFrom(names), anyJSON(3)).Draw(t, "arguments")
		before := clone(given)
		once := (&coercer{}).arguments(given, schema)
		if d := cmp.Diff(before, any(given)); d != "" {
			t.Fatal("the caller's map was changed:", d)
		}
		twice := (&coercer{}).arguments(once, schema)
		if d := cmp.Diff(once, twice); d != "" {
			t.Fatal("coercing again changes more:", d)
		}
		if schema.Validate(given) == nil && schema.Validate(once) != nil {
			t.Fatal("coercion broke arguments that were right")
		}
	})
}

func anyJSON(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just(any(nil)),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int(), func(n int) any { return json.Number(itoa(n)) }),
		rapid.SampledFrom([]any{"", "3", "3.0", "1e3", "1e999", "true", "null", "open", "OPEN", "[1]", "{}", "[", "x", json.Number("1.5"), json.Number("2.0")}),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(depth - 1) }), 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"deep", "mode", "name", "age", "q"}), rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(depth - 1) }), 0, 3), func(m map[string]any) any { return m }),
	)...)
}
