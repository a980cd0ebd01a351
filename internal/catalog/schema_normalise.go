package catalog

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// NormaliseSchema makes a schema of arguments from elsewhere (OpenAPI, an MCP server, a caller's own tool) one that clients and
// models take: what they would refuse is mended or left out, so that the result has no SchemaProblems but for names that it
// cannot change. An empty schema takes no arguments.
func NormaliseSchema(raw json.RawMessage) (Schema, error) {
	var root any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &root); err != nil {
			return Schema{}, fmt.Errorf("decode schema: %w", err)
		}
	}
	object, ok := root.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	return NormaliseObject(object)
}

// NormaliseObject is NormaliseSchema for a schema that is decoded already, with numbers as float64. It changes the object.
func NormaliseObject(object map[string]any) (Schema, error) {
	mendSchema(object, 0)
	rootObject(object)
	out, err := mapping.EncodeJSON(object)
	return Schema{JSON: out}, err
}

// NormaliseInner is NormaliseObject for a schema that need not be one of an object: of an answer, of a part.
func NormaliseInner(object map[string]any) (Schema, error) {
	mendSchema(object, 0)
	out, err := mapping.EncodeJSON(object)
	return Schema{JSON: out}, err
}

// rootObject makes the root a plain object: the vendors refuse unions there. What allOf adds is taken over.
func rootObject(s map[string]any) {
	properties, _ := s["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	required, _ := s["required"].([]any)
	for _, union := range []string{"allOf", "anyOf", "oneOf"} {
		branches, _ := s[union].([]any)
		for _, b := range branches {
			branch, _ := b.(map[string]any)
			inner, _ := branch["properties"].(map[string]any)
			for name, p := range inner {
				if _, there := properties[name]; !there {
					properties[name] = p
				}
			}
			if must, ok := branch["required"].([]any); ok && union == "allOf" {
				required = append(required, must...)
			}
		}
		delete(s, union)
	}
	for _, name := range []string{"not", "enum", "const", "if", "then", "else", "items", "default", "$ref"} {
		delete(s, name)
	}
	s["type"], s["properties"] = "object", properties
	setRequired(s, required)
}

// maxSchemaDepth bounds schemas that go on for ever; below it anything is allowed.
const maxSchemaDepth = 40

// known are the keywords that may stay, by the kind of their value.
var (
	textKeywords   = []string{"title", "description", "format", "pattern", "$ref", "$comment", "contentEncoding", "contentMediaType"}
	numberKeywords = []string{
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "multipleOf",
		"minProperties", "maxProperties",
	}
	schemaKeywords = []string{"items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"}
	listKeywords   = []string{"anyOf", "oneOf", "allOf", "prefixItems"}
	mapKeywords    = []string{"properties", "patternProperties", "$defs", "definitions"}
	droppedAlways  = []string{"$schema", "$id", "id", "discriminator", "xml", "externalDocs", "readOnly", "writeOnly", "nullable"}
)

// mendSchema mends a schema and all within it, in place.
func mendSchema(s map[string]any, depth int) {
	if depth > maxSchemaDepth {
		clear(s)
		return
	}
	mendType(s)
	mendLimits(s)
	for _, name := range droppedAlways {
		delete(s, name)
	}
	for name, v := range s {
		switch {
		case slices.Contains(textKeywords, name):
			if _, ok := v.(string); !ok {
				delete(s, name)
			}
		case slices.Contains(numberKeywords, name):
			if _, ok := v.(float64); !ok {
				delete(s, name)
			}
		}
	}
	mendValues(s)
	mendInner(s, depth)
	if hasType(s, "array") && s["items"] == nil {
		s["items"] = map[string]any{}
	}
	required, _ := s["required"].([]any)
	setRequired(s, required)
}

// mendType keeps the types that JSON Schema has, and writes OpenAPI's nullable as a type.
func mendType(s map[string]any) {
	var types []any
	switch t := s["type"].(type) {
	case string:
		types = []any{t}
	case []any:
		types = t
	}
	kept := []any{}
	for _, t := range types {
		if name, ok := t.(string); ok && slices.Contains(schemaTypes, name) && !slices.Contains(kept, t) {
			kept = append(kept, t)
		}
	}
	if s["nullable"] == true && len(kept) > 0 && !slices.Contains(kept, any("null")) {
		kept = append(kept, "null")
	}
	switch {
	case len(kept) == 0 && s["properties"] != nil:
		s["type"] = "object"
	case len(kept) == 0:
		delete(s, "type")
	case len(kept) == 1:
		s["type"] = kept[0]
	default:
		s["type"] = kept
	}
}

// mendLimits writes the exclusive limits of draft 4, which are flags, as the numbers that they are now.
func mendLimits(s map[string]any) {
	for flag, limit := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if on, ok := s[flag].(bool); ok {
			delete(s, flag)
			if v, there := s[limit].(float64); on && there {
				s[flag] = v
				delete(s, limit)
			}
		}
	}
}

func mendValues(s map[string]any) {
	if values, ok := s["enum"].([]any); !ok || len(values) == 0 {
		delete(s, "enum")
	}
	if examples, there := s["examples"]; there {
		if _, ok := examples.([]any); !ok {
			delete(s, "examples")
		}
	}
}

// mendInner mends the schemas within.
func mendInner(s map[string]any, depth int) {
	for _, name := range schemaKeywords {
		v, there := s[name]
		if _, flag := v.(bool); !there || flag && name == "additionalProperties" {
			continue
		}
		if list, ok := v.([]any); ok && name == "items" {
			s[name] = mendList(list, depth)
			continue
		}
		if inner := mendAny(v, depth); inner != nil {
			s[name] = inner
		} else {
			delete(s, name)
		}
	}
	for _, name := range listKeywords {
		if list, ok := s[name].([]any); ok && len(list) > 0 {
			s[name] = mendList(list, depth)
		} else {
			delete(s, name)
		}
	}
	for _, name := range mapKeywords {
		members, ok := s[name].(map[string]any)
		if !ok {
			delete(s, name)
			continue
		}
		mendMembers(s, name, members, depth)
	}
}

// mendMembers mends the schemas of an object, and takes "required: true" on a property, a common mistake, for what was meant.
func mendMembers(s map[string]any, keyword string, members map[string]any, depth int) {
	required, _ := s["required"].([]any)
	for name, v := range members {
		if p, ok := v.(map[string]any); ok && p["required"] == true && keyword == "properties" {
			required = append(required, name)
		}
		inner := mendAny(v, depth)
		if inner == nil {
			inner = map[string]any{}
		}
		members[name] = inner
	}
	s["required"] = required
}

func mendList(list []any, depth int) []any {
	for i, v := range list {
		if list[i] = mendAny(v, depth); list[i] == nil {
			list[i] = map[string]any{}
		}
	}
	return list
}

// mendAny gives a mended schema; nil for what is none. The boolean schemas are written out.
func mendAny(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		mendSchema(v, depth+1)
		return v
	case bool:
		if v {
			return map[string]any{}
		}
		return map[string]any{"not": map[string]any{}}
	default:
		return nil
	}
}

// setRequired keeps the names that are properties, once each.
func setRequired(s map[string]any, required []any) {
	properties, _ := s["properties"].(map[string]any)
	kept := []any{}
	for _, name := range required {
		if text, ok := name.(string); ok && !slices.Contains(kept, name) {
			if _, there := properties[text]; there {
				kept = append(kept, name)
			}
		}
	}
	if len(kept) == 0 {
		delete(s, "required")
		return
	}
	s["required"] = kept
}

func hasType(s map[string]any, name string) bool {
	switch t := s["type"].(type) {
	case string:
		return t == name
	case []any:
		return slices.Contains(t, any(name))
	default:
		return false
	}
}
