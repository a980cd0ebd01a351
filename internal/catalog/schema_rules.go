package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// SchemaProblems gives what would make a client refuse a schema, and with it the whole list that the schema is in
// (contract section 19.1): the official SDKs parse schemas strictly, and the model vendors add rules of their own.
func SchemaProblems(raw json.RawMessage) []string {
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	c := &schemaChecker{}
	object, ok := root.(map[string]any)
	if !ok || object["type"] != "object" {
		c.problem("", `the root must have the type "object"`)
		return c.problems
	}
	for _, union := range []string{"anyOf", "oneOf", "allOf", "not", "enum"} {
		if _, there := object[union]; there {
			c.problem("", "the root must not have "+union)
		}
	}
	c.schema("", object)
	return c.problems
}

type schemaChecker struct{ problems []string }

func (c *schemaChecker) problem(at, message string) {
	if at == "" {
		at = "/"
	}
	c.problems = append(c.problems, at+": "+message)
}

var schemaTypes = []string{"string", "number", "integer", "boolean", "object", "array", "null"}

func (c *schemaChecker) schema(at string, v any) {
	s, ok := v.(map[string]any)
	if !ok {
		c.problem(at, fmt.Sprintf("a schema must be an object, not %v", v))
		return
	}
	c.types(at, s["type"])
	c.keywords(at, s)
	for _, name := range sortedKeys(s) {
		inner := at + "/" + name
		switch name {
		case "properties", "$defs", "definitions", "patternProperties":
			c.members(inner, s[name])
		case "anyOf", "oneOf", "allOf", "prefixItems":
			c.list(inner, s[name])
		case "items":
			if list, ok := s[name].([]any); ok {
				c.list(inner, list)
			} else {
				c.schema(inner, s[name])
			}
		case "additionalProperties":
			if _, flag := s[name].(bool); !flag {
				c.schema(inner, s[name])
			}
		case "not", "if", "then", "else", "contains", "propertyNames":
			c.schema(inner, s[name])
		}
	}
	if s["type"] == "array" && s["items"] == nil {
		c.problem(at, "an array needs items")
	}
}

func (c *schemaChecker) types(at string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		if !slices.Contains(schemaTypes, v) {
			c.problem(at, fmt.Sprintf("there is no type %q", v))
		}
	case []any:
		for _, e := range v {
			c.types(at, e)
		}
	default:
		c.problem(at, "type must be a name or a list of names")
	}
}

// keywords checks the values that strict parsers are strict about.
func (c *schemaChecker) keywords(at string, s map[string]any) {
	for _, name := range sortedKeys(s) {
		v := s[name]
		bad := false
		switch name {
		case "title", "description", "format", "pattern", "$ref":
			_, ok := v.(string)
			bad = !ok
		case "exclusiveMinimum", "exclusiveMaximum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "multipleOf":
			_, ok := v.(float64)
			bad = !ok
		case "examples", "enum", "required":
			_, ok := v.([]any)
			bad = !ok
		case "additionalProperties", "properties":
			bad = v == nil
		}
		if bad {
			c.problem(at, fmt.Sprintf("%s must not be %v", name, v))
		}
	}
	c.required(at, s)
}

func (c *schemaChecker) required(at string, s map[string]any) {
	required, _ := s["required"].([]any)
	properties, _ := s["properties"].(map[string]any)
	for _, name := range required {
		if _, ok := properties[fmt.Sprint(name)]; !ok {
			c.problem(at, fmt.Sprintf("required names %v, which is not a property", name))
		}
	}
}

func (c *schemaChecker) members(at string, v any) {
	members, ok := v.(map[string]any)
	if !ok {
		c.problem(at, "must be an object")
		return
	}
	names := sortedKeys(members)
	sort.Strings(names)
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			c.problem(at, fmt.Sprintf("property %q: Python clients cannot take a leading underscore", name))
		}
		c.schema(at+"/"+name, members[name])
	}
}

func (c *schemaChecker) list(at string, v any) {
	list, ok := v.([]any)
	if !ok {
		c.problem(at, "must be a list")
		return
	}
	for i, e := range list {
		c.schema(fmt.Sprintf("%s/%d", at, i), e)
	}
}
