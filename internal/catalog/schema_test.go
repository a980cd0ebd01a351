package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemaProblems(t *testing.T) {
	t.Parallel()
	property := func(p string) string { return `{"type":"object","properties":{"p":` + p + `}}` }
	for name, test := range map[string]struct{ schema, want string }{
		"good":                {property(`{"type":["string","null"],"enum":["a",1],"examples":["a"],"exclusiveMinimum":1,"default":null}`), ""},
		"free member":         {property(`{}`), ""},
		"list of items":       {property(`{"type":"array","items":[{"type":"string"}]}`), ""},
		"closed":              {`{"type":"object","properties":{},"additionalProperties":false,"$defs":{"a":{"type":"string"}}}`, ""},
		"not JSON":            {`{`, "not JSON"},
		"root array":          {`{"type":"array","items":{}}`, `the root must have the type "object"`},
		"root list of types":  {`{"type":["object"]}`, `the root must have the type "object"`},
		"root union":          {`{"type":"object","anyOf":[{}]}`, "/: the root must not have anyOf"},
		"unknown type":        {property(`{"type":"file"}`), `/properties/p: there is no type "file"`},
		"unknown in list":     {property(`{"type":["string","any"]}`), `there is no type "any"`},
		"type of object":      {property(`{"type":{}}`), "type must be a name or a list of names"},
		"draft 4":             {property(`{"type":"number","exclusiveMinimum":true}`), "exclusiveMinimum must not be true"},
		"boolean schema":      {property(`true`), "a schema must be an object, not true"},
		"boolean items":       {property(`{"type":"array","items":true}`), "/properties/p/items: a schema must be an object"},
		"examples":            {property(`{"type":"string","examples":"a"}`), "examples must not be a"},
		"enum":                {property(`{"type":"string","enum":null}`), "enum must not be"},
		"required flag":       {property(`{"type":"string","required":true}`), "required must not be true"},
		"null properties":     {`{"type":"object","properties":null}`, "properties must not be"},
		"null title":          {property(`{"type":"string","title":null}`), "title must not be"},
		"null format":         {property(`{"type":"string","format":null}`), "format must not be"},
		"null additional":     {`{"type":"object","properties":{},"additionalProperties":null}`, "additionalProperties must not be"},
		"array without items": {property(`{"type":"array"}`), "an array needs items"},
		"required unknown":    {`{"type":"object","properties":{},"required":["x"]}`, "required names x, which is not a property"},
		"underscore":          {`{"type":"object","properties":{"_x":{}}}`, "leading underscore"},
		"deep":                {property(`{"anyOf":[{"type":"object","properties":{"q":{"type":"any"}}}]}`), "/properties/p/anyOf/0/properties/q: there is no type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(SchemaProblems(json.RawMessage(test.schema)), "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("problems = %q, want %q", got, test.want)
			}
		})
	}
}

func TestNormaliseSchema(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ schema, want string }{
		"empty":   {``, `{"properties":{},"type":"object"}`},
		"null":    {`null`, `{"properties":{},"type":"object"}`},
		"kept":    {`{"type":"object","title":"T","properties":{"a":{"type":"string","minLength":1,"example":1}},"required":["a","a","b"],"additionalProperties":false}`, `{"additionalProperties":false,"properties":{"a":{"example":1,"minLength":1,"type":"string"}},"required":["a"],"title":"T","type":"object"}`},
		"openapi": {`{"type":"object","properties":{"a":{"type":"string","nullable":true,"xml":{}},"b":{"type":"file","required":true}}}`, `{"properties":{"a":{"type":["string","null"]},"b":{}},"required":["b"],"type":"object"}`},
		"draft 4": {`{"properties":{"a":{"type":"number","minimum":1,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":false}}}`, `{"properties":{"a":{"exclusiveMinimum":1,"maximum":9,"type":"number"}},"type":"object"}`},
		"flags":   {`{"properties":{"a":true,"b":{"type":"array","items":true},"c":{"type":"array"},"d":false,"e":null}}`, `{"properties":{"a":{},"b":{"items":{},"type":"array"},"c":{"items":{},"type":"array"},"d":{"not":{}},"e":{}},"type":"object"}`},
		"nulls":   {`{"title":null,"properties":{"a":{"type":"string","format":null,"enum":null,"examples":"x","default":null}},"additionalProperties":null}`, `{"properties":{"a":{"default":null,"type":"string"}},"type":"object"}`},
		"unions":  {`{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"integer"}}}],"oneOf":[{"properties":{"c":{}},"required":["c"]}]}`, `{"properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{}},"required":["a"],"type":"object"}`},
		"refs":    {`{"$schema":"x","type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"any","properties":null}}}`, `{"$defs":{"A":{}},"properties":{"a":{"$ref":"#/$defs/A"}},"type":"object"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := NormaliseSchema(json.RawMessage(test.schema))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got.JSON)); diff != "" {
				t.Errorf("schema (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := NormaliseSchema(json.RawMessage(`{`)); err == nil {
		t.Error("broken JSON was taken")
	}
}

// Whatever comes in, no client refuses what goes out.
func FuzzNormaliseSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":["any","array"],"items":[true,{"enum":[]}]}},"required":true}`)
	f.Add(`{"anyOf":[{"properties":{"a":{"not":null,"allOf":[1]}}}],"exclusiveMinimum":true,"minimum":"x"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		schema, err := NormaliseSchema(json.RawMessage(raw))
		if err != nil {
			return
		}
		problems := slices.DeleteFunc(SchemaProblems(schema.JSON), func(p string) bool { return strings.Contains(p, "leading underscore") })
		if problems != nil {
			t.Errorf("%s became %s: %v", raw, schema.JSON, problems)
		}
	})
}
