package openapi

import (
	"slices"
	"strings"
)

// typeOf gives the type of a schema, guessed where it is not said.
func typeOf(n node) string {
	switch t := n["type"].(type) {
	case string:
		if mapped, ok := types[strings.ToLower(t)]; ok {
			return mapped
		}
	case []any:
		for _, e := range t {
			if s, ok := e.(string); ok && s != "null" {
				return types[strings.ToLower(s)]
			}
		}
	}
	switch {
	case n["properties"] != nil || n["additionalProperties"] != nil && n["additionalProperties"] != false:
		return "object"
	case n["items"] != nil:
		return "array"
	}
	return guessType(n)
}

func guessType(n node) string {
	if enum := list(n, "enum"); len(enum) > 0 {
		for _, v := range enum {
			if _, is := v.(string); !is {
				return ""
			}
		}
		return "string"
	}
	for _, name := range []string{"pattern", "minLength", "maxLength", "format"} {
		if n[name] != nil {
			return "string"
		}
	}
	return ""
}

// types are the names that descriptions use for the types of JSON Schema.
var types = map[string]string{
	"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "object": "object", "array": "array",
	"int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number", "double": "number",
	"decimal": "number", "bool": "boolean", "str": "string", "text": "string", "date": "string", "datetime": "string",
	"date-time": "string", "uuid": "string", "uri": "string", "url": "string", "file": "string", "list": "array", "map": "object",
	"dict": "object", "json": "object", "password": "string", "byte": "string", "binary": "string", "timestamp": "string",
}

func hasNull(t any) bool {
	l, _ := t.([]any)
	return slices.Contains(l, any("null"))
}

// several gives the types of a list of them, when it is more than one besides null.
func several(t any) []any {
	l, _ := t.([]any)
	var out []any
	for _, e := range l {
		if s, ok := e.(string); ok && s != "null" && types[s] != "" {
			out = append(out, types[s])
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// setNull lets a schema take null as well.
func setNull(out node, nullable bool) {
	if !nullable {
		return
	}
	if enum, ok := out["enum"].([]any); ok && !slices.Contains(enum, nil) {
		out["enum"] = append(slices.Clone(enum), nil)
	}
	switch t := out["type"].(type) {
	case string:
		out["type"] = []any{t, "null"}
	case []any:
		out["type"] = append(slices.Clone(t), "null")
	default:
		if branches, ok := out["anyOf"].([]any); ok {
			out["anyOf"] = append(branches, node{"type": "null"})
		}
	}
}

// anything is the schema of arguments of which the description does not say what they are: clients want a type or a union.
func anything() []any {
	return []any{
		node{"type": "string"}, node{"type": "number"}, node{"type": "boolean"}, node{"type": "object"}, node{"type": "array", "items": node{}},
	}
}
