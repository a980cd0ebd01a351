package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// decodeBody decodes a JSON body into a request struct. No body at all counts as {}, so that what is missing is said by the
// operation. Members that nothing names are ignored (API contract section 19.19).
func decodeBody(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := checkText(body); err != nil {
		return err
	}
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !json.Valid(body) {
		line, column := position(body, syntax.Offset)
		return fault.New(fault.Invalid, fault.SlugInvalid, "The request body is not valid JSON: %s at line %d, column %d.", syntax.Error(), line, column).
			WithFix("Send one JSON object.")
	}
	if faults := mismatches("", body, reflect.TypeOf(into).Elem()); len(faults) > 0 {
		return invalidRequest(faults...)
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "The request body could not be read: %s.", err)
}

// invalidRequest is the fault for a request of the wrong shape. Each line starts with the path of the member, or with the name
// of the parameter.
func invalidRequest(faults ...string) *fault.Error {
	faults = some(faults)
	return fault.New(fault.Invalid, fault.SlugInvalid, "The request is not valid: %s.", strings.Join(faults, "; ")).
		WithFix("Correct what is named in errors.").WithDetails(faults...)
}

// some keeps a list short enough for a message: a body can be wrong in a million places.
func some(lines []string) []string {
	const most = 50
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
}

// checkText refuses bytes that are not UTF-8, null characters and halves of surrogate pairs anywhere in the body.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The request body is not valid UTF-8.").
			WithFix("Encode the body as UTF-8; send binary data as base64.")
	}
	problem := mapping.Unstorable(body)
	if problem == "" {
		return nil
	}
	if path, found := findNull(body); found {
		return invalidRequest(path + ": contains a null character")
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "The request body holds %s.", problem).
		WithFix(`Write characters beyond U+FFFF as they are, or as two \u escapes that belong together.`)
}

// findNull gives the path of the first string or name that holds a null character. It reads the body once, however deeply it
// is nested.
func findNull(body []byte) (path string, found bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var inside []container
	for {
		token, err := decoder.Token()
		if err != nil {
			return "", false
		}
		delim, _ := token.(json.Delim)
		if delim == '}' || delim == ']' {
			inside = inside[:len(inside)-1]
			continue
		}
		text, _ := token.(string)
		isName := len(inside) > 0 && inside[len(inside)-1].enter(text)
		if strings.ContainsRune(text, 0) {
			return pathOf(inside), true
		}
		if !isName && delim != 0 {
			inside = append(inside, container{list: delim == '[', index: -1})
		}
	}
}

// container is an object or list around the place that is being read.
type container struct {
	list  bool
	index int    // of a list's current item
	name  string // of an object's current member
	named bool   // the member's name was read and its value comes next
}

// enter moves to the next item, or to the next name or value of an object. It reports whether the text was a name.
func (c *container) enter(text string) (isName bool) {
	switch {
	case c.list:
		c.index++
	case c.named:
		c.named = false
	default:
		c.name, c.named = text, true
		return true
	}
	return false
}

func pathOf(inside []container) string {
	path := ""
	for _, c := range inside {
		switch {
		case len(path) > 200:
			return path + "…"
		case c.list:
			path = at(path, c.index)
		case strings.ContainsRune(c.name, 0):
			path = join(path, strconv.Quote(c.name))
		default:
			path = join(path, c.name)
		}
	}
	return nameOf(path)
}

// shaped is a wire type with rules of its own, for which the Go type says too little.
type shaped interface {
	// shape answers with what is wrong with a value at path, and with the members of it that are not known.
	shape(path string, raw []byte) (faults, unknown []string)
}

// mismatches explains why a body does not decode: one line per member whose type is wrong, in a fixed order. It runs only
// when decoding has failed.
func mismatches(path string, raw []byte, t reflect.Type) []string {
	faults, _ := walk(path, raw, t)
	return faults
}

// unknownMembers lists the paths of members of a well-formed body that nothing reads.
func unknownMembers(body []byte, t reflect.Type) []string {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	_, unknown := walk("", body, t)
	return some(unknown)
}

func walk(path string, raw []byte, t reflect.Type) (faults, unknown []string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := reflect.Zero(t).Interface().(shaped); ok {
		return s.shape(path, raw)
	}
	kind := kindOf(raw)
	wrong := func(want string) ([]string, []string) {
		return []string{fmt.Sprintf("%s: expected %s, got %s", nameOf(path), want, got(kind))}, nil
	}
	if t == reflect.TypeFor[json.RawMessage]() || t.Kind() == reflect.Interface || kind == "null" && path != "" {
		return nil, nil
	}
	switch t.Kind() {
	case reflect.String:
		if kind != "string" {
			return wrong("a string")
		}
	case reflect.Bool:
		if kind != "boolean" {
			return wrong("true or false")
		}
	case reflect.Int, reflect.Int64:
		if kind != "number" || json.Unmarshal(raw, new(int64)) != nil {
			return wrong("a whole number")
		}
	case reflect.Float64:
		if kind != "number" {
			return wrong("a number")
		}
	case reflect.Slice:
		if kind != "list" {
			return wrong("a list")
		}
		return walkItems(path, raw, t.Elem())
	case reflect.Map:
		if kind != "object" {
			return wrong("an object")
		}
		return walkMembers(path, raw, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case reflect.Struct:
		if kind != "object" {
			return wrong("an object")
		}
		return walkMembers(path, raw, func(name string) (reflect.Type, bool) { return memberType(t, name) })
	}
	return nil, nil
}

func walkItems(path string, raw []byte, element reflect.Type) (faults, unknown []string) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, nil // not JSON at all, which was said already
	}
	for i, item := range items {
		f, u := walk(at(path, i), item, element)
		faults, unknown = append(faults, f...), append(unknown, u...)
	}
	return faults, unknown
}

func walkMembers(path string, raw []byte, typeOf func(name string) (reflect.Type, bool)) (faults, unknown []string) {
	members := make(map[string]json.RawMessage)
	if json.Unmarshal(raw, &members) != nil {
		return nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		t, known := typeOf(name)
		if !known {
			unknown = append(unknown, join(path, name))
			continue
		}
		f, u := walk(join(path, name), members[name], t)
		faults, unknown = append(faults, f...), append(unknown, u...)
	}
	return faults, unknown
}

// memberType finds the field that encoding/json would decode a member into.
func memberType(t reflect.Type, name string) (reflect.Type, bool) {
	for _, field := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag != "-" && tag != "" && strings.EqualFold(tag, name) {
			return field.Type, true
		}
	}
	return nil, false
}

// kindOf tells a JSON value by its first character, in words for people.
func kindOf(raw []byte) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "list"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

func got(kind string) string {
	switch kind {
	case "object":
		return "an object"
	case "null", "nothing":
		return kind
	default:
		return "a " + kind
	}
}

func nameOf(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path string, index int) string { return path + "[" + strconv.Itoa(index) + "]" }

// position turns an offset into line and column, counted from 1 in characters.
func position(body []byte, offset int64) (line, column int) {
	before := body[:max(0, min(int(offset)-1, len(body)))]
	line = 1 + bytes.Count(before, []byte("\n"))
	if at := bytes.LastIndexByte(before, '\n'); at >= 0 {
		before = before[at+1:]
	}
	return line, 1 + utf8.RuneCount(before)
}
