package execute

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// types is a set of JSON types. The bits are those of jsonschema.Types, where a number is no integer.
type types int

var (
	typeNull    = typeNamed("null")
	typeBoolean = typeNamed("boolean")
	typeNumber  = typeNamed("number")
	typeInteger = typeNamed("integer")
	typeString  = typeNamed("string")
	typeArray   = typeNamed("array")
	typeObject  = typeNamed("object")
)

func typeNamed(name string) types {
	var t jsonschema.Types
	t.Add(name)
	return types(t)
}

// typeOf gives the type of a value; a whole number is an integer and a number.
func typeOf(v any) types {
	switch v := v.(type) {
	case nil:
		return typeNull
	case bool:
		return typeBoolean
	case string:
		return typeString
	case []any:
		return typeArray
	case map[string]any:
		return typeObject
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return typeNumber | typeInteger
		}
		return typeNumber
	case float64:
		if v == math.Trunc(v) {
			return typeNumber | typeInteger
		}
		return typeNumber
	case int, int64:
		return typeNumber | typeInteger
	default:
		return 0
	}
}

// accepted gives the types that a schema takes; 0 when it does not say.
func accepted(s *jsonschema.Schema) types {
	switch {
	case s.Types != nil:
		return types(*s.Types)
	case s.Enum != nil:
		return typesOf(s.Enum.Values)
	case s.Const != nil:
		return typeOf(*s.Const)
	case len(s.AnyOf) > 0:
		return anyAccepted(s.AnyOf)
	case len(s.OneOf) > 0:
		return anyAccepted(s.OneOf)
	case s.Properties != nil:
		return typeObject
	default:
		return 0
	}
}

func anyAccepted(branches []*jsonschema.Schema) types {
	var all types
	for _, b := range branches {
		t := accepted(deref(b))
		if t == 0 {
			return 0
		}
		all |= t
	}
	return all
}

func typesOf(values []any) types {
	var all types
	for _, v := range values {
		all |= typeOf(v)
	}
	return all
}

// deref follows references, and the "allOf of one" that generators write around them.
func deref(s *jsonschema.Schema) *jsonschema.Schema {
	for range 16 {
		switch {
		case s.Ref != nil && s.Types == nil && s.Properties == nil:
			s = s.Ref
		case len(s.AllOf) == 1 && s.Types == nil && s.Properties == nil:
			s = s.AllOf[0]
		default:
			return s
		}
	}
	return s
}

// branch gives the part of a schema that describes values of one type: the schema itself, or its only alternative that
// takes the type. Nil when that is open: then nothing below is coerced.
func branch(s *jsonschema.Schema, t types) *jsonschema.Schema {
	if len(s.AnyOf)+len(s.OneOf) == 0 {
		return s
	}
	var found *jsonschema.Schema
	for _, a := range slices.Concat(s.AnyOf, s.OneOf) {
		a = deref(a)
		if accepted(a)&t == 0 {
			continue
		}
		if found != nil {
			return nil
		}
		found = a
	}
	return found
}

func itemsOf(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil || len(s.PrefixItems) > 0 {
		return nil
	}
	if s.Items2020 != nil {
		return s.Items2020
	}
	items, _ := s.Items.(*jsonschema.Schema)
	return items
}

// composed reports whether a schema says things about members elsewhere than in its own list of them.
func composed(s *jsonschema.Schema) bool {
	return s.Ref != nil || len(s.AllOf) > 0 || len(s.AnyOf) > 0 || len(s.OneOf) > 0 || s.If != nil
}

func defaultOf(s *jsonschema.Schema) any {
	if s.Default != nil {
		return *s.Default
	}
	if d := deref(s).Default; d != nil {
		return *d
	}
	return nil
}
