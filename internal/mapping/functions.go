package mapping

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// function is one that toolkits may call. Types hold nil function values that tell the checker the signatures.
type function struct {
	call  func(args ...any) (any, error)
	types []any
}

// replacedBuiltins are functions of the expression language that we offer in another form, or not at all.
var replacedBuiltins = []string{"now", "join", "toJSON", "fromJSON", "toBase64", "fromBase64", "repeat", "fromPairs"}

// functions are what toolkits may call beyond the language's own (filter, map, len, lower, split, date, …). They never
// change: they are data of the compiler, not state.
var functions = map[string]function{
	// texts
	"join":         {call: join, types: []any{new(func(any, string) string)}},
	"text":         {call: func(a ...any) (any, error) { return AsText(a[0]), nil }, types: []any{new(func(any) string)}},
	"clip":         {call: clip, types: []any{new(func(any, int) any)}},
	"urlencode":    {call: func(a ...any) (any, error) { return url.QueryEscape(AsText(a[0])), nil }, types: []any{new(func(any) string)}},
	"html_text":    {call: htmlText, types: []any{new(func(any) any)}},
	"html_members": {call: htmlMembers, types: []any{new(func(any, string, int) any)}},

	// encodings
	"json":             {call: encodeJSON, types: []any{new(func(any) string)}},
	"parse_json":       {call: parseJSON, types: []any{new(func(any) any)}},
	"base64":           {call: encodeWith(base64.StdEncoding), types: []any{new(func(any) any)}},
	"base64url":        {call: encodeWith(base64.RawURLEncoding), types: []any{new(func(any) any)}},
	"base64_decode":    {call: decodeBase64, types: []any{new(func(any) any)}},
	"link_next":        {call: linkNext, types: []any{new(func(any, string) any)}},
	"file":             {call: makeFile, types: []any{new(func(any, any, any) any)}},
	"mime_message":     {call: mimeMessage, types: []any{new(func(any) string)}},
	"mime_headers":     {call: mimeHeaders, types: []any{new(func(any) any)}},
	"mime_text":        {call: mimeText, types: []any{new(func(any) any)}},
	"mime_html":        {call: mimeHTML, types: []any{new(func(any) any)}},
	"mime_attachments": {call: mimeAttachments, types: []any{new(func(any) any)}},
	"mail_address":     {call: mailAddress, types: []any{new(func(any) any)}},
	"mail_list":        {call: mailList, types: []any{new(func(any) any)}},

	// objects and lists
	"coalesce": {call: coalesce, types: []any{new(func(...any) any)}},
	"truthy":   {call: func(a ...any) (any, error) { return truthy(a[0]), nil }, types: []any{new(func(any) bool)}},
	"member":   {call: memberOrElement, types: []any{new(func(any, any) any)}},
	"plain":    {call: plain, types: []any{new(func(any) any)}},
	"list":     {call: func(a ...any) (any, error) { return asList(a[0]), nil }, types: []any{new(func(any) []any)}},
	"compact":  {call: compact, types: []any{new(func(any) any)}},
	"object":   {call: object, types: []any{new(func(any) any)}},
	"merge":    {call: merge, types: []any{new(func(...any) any)}},
	"omit":     {call: omit, types: []any{new(func(any, ...string) any)}},
	"pick":     {call: pickMembers, types: []any{new(func(any, ...string) any)}},
	"prune":    {call: prune, types: []any{new(func(any, string, int, int) any)}},

	// time
	"time":   {call: parseTime, types: []any{new(func(any) any), new(func(any, any) any)}},
	"format": {call: formatTime, types: []any{new(func(any, string) any), new(func(any, string, any) any)}},
	"unix":   {call: unixTime, types: []any{new(func(any) any)}},
	"gaps":   {call: gaps, types: []any{new(func(any, any, any) any)}},
}

// invalid is a fault of an argument, said by a function.
func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, fault.SlugInvalidArguments, format, args...)
}

// join writes the elements of a list, numbers and all, with a separator. Nothing gives nothing, one value itself.
func join(a ...any) (any, error) {
	list := asList(a[0])
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = AsText(v)
	}
	return strings.Join(texts, a[1].(string)), nil
}

// clip shortens a text to n characters and says so with an ellipsis.
func clip(a ...any) (any, error) {
	if a[0] == nil {
		return nil, nil
	}
	s, n := AsText(a[0]), a[1].(int)
	if n <= 0 || utf8.RuneCountInString(s) <= n {
		return s, nil
	}
	return string([]rune(s)[:n]) + "…", nil
}

func encodeJSON(a ...any) (any, error) {
	b, err := EncodeJSON(a[0])
	return string(b), err
}

func parseJSON(a ...any) (any, error) {
	s := AsText(a[0])
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	v, err := DecodeJSON([]byte(s))
	if err != nil {
		return nil, invalid("%q is not JSON.", shorten(s))
	}
	return v, nil
}

func shorten(s string) string {
	clipped, _ := clip(s, 60)
	return clipped.(string)
}

func encodeWith(encoding *base64.Encoding) func(...any) (any, error) {
	return func(a ...any) (any, error) {
		switch v := a[0].(type) {
		case nil:
			return nil, nil
		case []byte:
			return encoding.EncodeToString(v), nil
		case File:
			return encoding.EncodeToString(v.Data), nil
		default:
			return encoding.EncodeToString([]byte(AsText(v))), nil
		}
	}
}

// decodeBase64 takes either alphabet, with or without padding.
func decodeBase64(a ...any) (any, error) {
	if a[0] == nil {
		return nil, nil
	}
	b, err := decodeAnyBase64(AsText(a[0]))
	if err != nil {
		return nil, invalid("%q is not base64.", shorten(AsText(a[0])))
	}
	return string(b), nil
}

func decodeAnyBase64(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '-':
			return '+'
		case '_':
			return '/'
		case '=', '\r', '\n', ' ', '\t':
			return -1
		default:
			return r
		}
	}, s)
	return base64.RawStdEncoding.DecodeString(s)
}

// makeFile makes a File of a name, a media type and bytes.
func makeFile(a ...any) (any, error) {
	f := File{Name: AsText(a[0]), MIMEType: AsText(a[1])}
	if f.MIMEType == "" {
		f.MIMEType = "application/octet-stream"
	}
	switch v := a[2].(type) {
	case nil:
		return nil, nil
	case []byte:
		f.Data = v
	default:
		f.Data = []byte(AsText(v))
	}
	return f, nil
}

// coalesce gives the first argument that is neither nil nor "".
func coalesce(a ...any) (any, error) {
	for _, v := range a {
		if v != nil && v != "" {
			return v, nil
		}
	}
	return nil, nil
}

// asList makes a list of anything: nothing is empty, one value a list of one.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	case []string:
		return plainList(v)
	case []int:
		return plainList(v)
	default:
		return []any{v}
	}
}

func plainList[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// plain makes JSON values of what some functions of the language give.
func plain(a ...any) (any, error) {
	switch v := a[0].(type) {
	case []string:
		return plainList(v), nil
	case map[any][]any:
		object := make(map[string]any, len(v))
		for name, list := range v {
			object[AsText(name)] = list
		}
		return object, nil
	default:
		return v, nil
	}
}

// compact drops members and elements that are nil. Nothing left gives nil, so that the member around it goes too.
func compact(a ...any) (any, error) {
	switch v := a[0].(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, e := range v {
			if e != nil {
				object[name] = e
			}
		}
		if len(object) == 0 {
			return nil, nil
		}
		return object, nil
	case []any:
		var list []any
		for _, e := range v {
			if e != nil {
				list = append(list, e)
			}
		}
		if list == nil {
			return nil, nil
		}
		return list, nil
	default:
		return v, nil
	}
}

// object makes an object of a list of [name, value] pairs.
func object(a ...any) (any, error) {
	pairs := asList(a[0])
	out := make(map[string]any, len(pairs))
	for _, v := range pairs {
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			return nil, invalid("object needs [name, value] pairs, not %s.", typeName(v))
		}
		out[AsText(pair[0])] = pair[1]
	}
	return out, nil
}

// merge lays objects over one another; the later wins.
func merge(a ...any) (any, error) {
	out := map[string]any{}
	for _, v := range a {
		if v == nil {
			continue
		}
		object, ok := v.(map[string]any)
		if !ok {
			return nil, invalid("merge needs objects, not %s.", typeName(v))
		}
		for name, e := range object {
			out[name] = e
		}
	}
	return out, nil
}

func omit(a ...any) (any, error) {
	object, ok := a[0].(map[string]any)
	if !ok {
		return a[0], nil
	}
	out := make(map[string]any, len(object))
	for name, v := range object {
		out[name] = v
	}
	for _, name := range a[1:] {
		delete(out, name.(string))
	}
	return out, nil
}

func pickMembers(a ...any) (any, error) {
	object, ok := a[0].(map[string]any)
	if !ok {
		return a[0], nil
	}
	out := make(map[string]any, len(a)-1)
	for _, name := range a[1:] {
		if v := object[name.(string)]; v != nil {
			out[name.(string)] = v
		}
	}
	return out, nil
}

// prune cuts a tree of objects that hang below one member: at most depth levels below the root, at most width children
// each. What was cut is counted in <member>_omitted.
func prune(a ...any) (any, error) {
	return pruneNode(a[0], a[1].(string), a[2].(int), a[3].(int)), nil
}

func pruneNode(v any, name string, depth, width int) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	children, ok := object[name].([]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(object)+1)
	for k, e := range object {
		out[k] = e
	}
	keep := min(len(children), max(width, 0))
	if depth <= 0 {
		keep = 0
	}
	kept := make([]any, keep)
	for i := range kept {
		kept[i] = pruneNode(children[i], name, depth-1, width)
	}
	out[name] = kept
	if cut := len(children) - keep; cut > 0 {
		out[fmt.Sprintf("%s_omitted", name)] = cut
	}
	return out
}
