package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// optional tells an absent member of a body from null and from a value.
type optional[T any] struct {
	Set, Null bool
	Value     T
}

// UnmarshalJSON is called for every member that is there, null included.
func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	o.Set = true
	if kindOf(raw) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(raw, &o.Value)
}

func (o optional[T]) shape(path string, raw []byte) (faults, unknown []string) {
	return walk(path, raw, reflect.TypeFor[T]())
}

// given reports whether there is a value.
func (o optional[T]) given() bool { return o.Set && !o.Null }

// stringOrList is a list of strings that may be written as one string. Older SDKs do (API contract section 19.22).
type stringOrList []string

func (s *stringOrList) UnmarshalJSON(raw []byte) error {
	if kindOf(raw) == "string" {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		*s = []string{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(s))
}

func (stringOrList) shape(path string, raw []byte) (faults, unknown []string) {
	switch kindOf(raw) {
	case "string", "null":
		return nil, nil
	case "list":
		return walk(path, raw, reflect.TypeFor[[]string]())
	default:
		return []string{fmt.Sprintf("%s: expected a string or a list of strings, got %s", path, got(kindOf(raw)))}, nil
	}
}

// scopeList is a list of OAuth scopes, which clients write as a list or as one string with commas or spaces between.
type scopeList []string

func (s *scopeList) UnmarshalJSON(raw []byte) error {
	var parts stringOrList
	if err := parts.UnmarshalJSON(raw); err != nil {
		return err
	}
	scopes := scopeList{}
	for _, part := range parts {
		scopes = append(scopes, strings.FieldsFunc(part, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	*s = scopes
	return nil
}

func (scopeList) shape(path string, raw []byte) (faults, unknown []string) {
	return stringOrList{}.shape(path, raw)
}

// arguments are a tool's arguments. Numbers stay as they were written. A model that sends the object as a string of JSON is
// understood (API contract section 17).
type arguments map[string]any

func (a *arguments) UnmarshalJSON(raw []byte) error {
	if kindOf(raw) == "string" {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		if raw = []byte(text); len(bytes.TrimSpace(raw)) == 0 {
			return nil
		}
	}
	if kind := kindOf(raw); kind != "object" && kind != "null" {
		return fmt.Errorf("arguments must be an object, not %s", got(kind))
	}
	return decodeExact(raw, (*map[string]any)(a))
}

func (arguments) shape(path string, raw []byte) (faults, unknown []string) {
	var a arguments
	if a.UnmarshalJSON(raw) != nil {
		return []string{fmt.Sprintf("%s: expected an object, got %s", path, got(kindOf(raw)))}, nil
	}
	return nil, nil
}

// anyJSON is any JSON, with numbers as they were written.
type anyJSON struct{ value any }

func (v *anyJSON) UnmarshalJSON(raw []byte) error { return decodeExact(raw, &v.value) }

func (anyJSON) shape(string, []byte) (faults, unknown []string) { return nil, nil }

// decodeExact decodes without turning numbers into float64, which would damage large ids.
func decodeExact(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// timestamp gives a time in the API's form: UTC with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// orNull makes the empty string null, for members that the contract wants present.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
