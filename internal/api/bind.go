package api

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// binding says where each field of a request struct comes from. It is worked out once per route. The tags:
//
//	path:"session_id"       a segment of the path
//	query:"limit"           a query parameter
//	header:"Idempotency-Key"
//	from:"origin"           a fact about the request: origin, or ignored (the body's unknown members)
//	json:"user_id"          a member of the body
//
// Fields with one of the first four are tagged json:"-" too, so that a body can never set them.
type binding struct {
	request     reflect.Type
	fields      []boundField
	hasBody     bool
	wantIgnored []int // index of the field that takes unknown members; nil when nobody asks
}

type boundField struct {
	index  int
	source string // path, query, header or from
	name   string
	kind   reflect.Type
}

// The types a query parameter can have, besides string.
type (
	// values is a list: comma separated, repeated, or both. Elements are trimmed, empty ones dropped.
	values []string
	// limit is a page size. It is clamped, never refused: SDKs send 9999 (API contract section 3.2).
	limit int
	// versionsByToolkit is toolkit_versions: "latest" for all, or one per toolkit in brackets.
	versionsByToolkit struct {
		all       string
		byToolkit map[string]string
	}
)

// clamp gives the page size to use.
func (l limit) clamp(standard, most int) int {
	if l <= 0 {
		return standard
	}
	return min(int(l), most)
}

// of gives the version asked of one toolkit; empty when none was named.
func (v versionsByToolkit) of(toolkit string) string {
	if one, ok := v.byToolkit[strings.ToLower(toolkit)]; ok {
		return one
	}
	return v.all
}

var bindableTypes = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[*bool](), reflect.TypeFor[values](), reflect.TypeFor[limit](),
	reflect.TypeFor[versionsByToolkit](), reflect.TypeFor[[]string](),
}

// bindingOf reads the tags of a request struct. A struct that breaks the rules is a mistake of ours that every test meets,
// so it panics.
func bindingOf(t reflect.Type) *binding {
	b := &binding{request: t}
	for i := range t.NumField() {
		field := t.Field(i)
		source, name := sourceOf(field)
		switch {
		case source == "":
			b.hasBody = b.hasBody || field.Tag.Get("json") != "-"
			continue
		case field.Tag.Get("json") != "-":
			panic(fmt.Sprintf("%s.%s comes from the %s and must be tagged json:\"-\"", t, field.Name, source))
		case !slices.Contains(bindableTypes, field.Type):
			panic(fmt.Sprintf("%s.%s: a %s cannot be bound", t, field.Name, field.Type))
		}
		if source == "from" && name == "ignored" {
			b.wantIgnored = field.Index
			continue
		}
		b.fields = append(b.fields, boundField{index: i, source: source, name: name, kind: field.Type})
	}
	return b
}

func sourceOf(field reflect.StructField) (source, name string) {
	for _, source := range []string{"path", "query", "header", "from"} {
		if name := field.Tag.Get(source); name != "" {
			return source, name
		}
	}
	return "", ""
}

// fill decodes the body into req and then sets the other fields. All faults of one kind are reported together.
func (b *binding) fill(req reflect.Value, in incoming) error {
	if b.hasBody {
		if err := decodeBody(in.body, req.Addr().Interface()); err != nil {
			return err
		}
		if b.wantIgnored != nil {
			ignored := unknownMembers(in.body, b.request)
			req.FieldByIndex(b.wantIgnored).Set(reflect.ValueOf(ignored))
		}
	}
	var query url.Values
	var faults []string
	for _, f := range b.fields {
		var given []string
		switch f.source {
		case "path":
			given = []string{in.request.PathValue(f.name)}
		case "header":
			given = in.request.Header.Values(f.name)
		case "from":
			given = []string{in.fact(f.name)}
		case "query":
			if query == nil {
				var err error
				if query, err = parseQuery(in.request); err != nil {
					return err
				}
			}
			given = query[f.name]
			if f.kind == reflect.TypeFor[versionsByToolkit]() {
				versions := versionsFrom(query, f.name)
				if problem := versions.problem(); problem != "" {
					faults = append(faults, f.name+": "+problem)
				}
				req.Field(f.index).Set(reflect.ValueOf(versions))
				continue
			}
		}
		if problem := setField(req.Field(f.index), given); problem != "" {
			faults = append(faults, f.name+": "+problem)
		}
	}
	if len(faults) > 0 {
		return invalidRequest(faults...)
	}
	return nil
}

func (in incoming) fact(name string) string {
	if name != "origin" {
		panic("no such fact of a request: " + name)
	}
	return in.origin
}

// setField converts what was given and sets it; it answers with what is wrong, or nothing. Nothing given, and the empty
// value that newer SDKs send for null, leave the field as it is.
func setField(field reflect.Value, given []string) (problem string) {
	for _, text := range given {
		if problem := textProblem(text); problem != "" {
			return problem
		}
	}
	if len(given) == 0 || len(given) == 1 && given[0] == "" {
		return ""
	}
	last := given[len(given)-1]
	switch field.Addr().Interface().(type) {
	case *string:
		field.SetString(last)
	case **bool:
		yes, err := strconv.ParseBool(strings.ToLower(last))
		if err != nil {
			return fmt.Sprintf("expected true or false, got %q", short(last))
		}
		field.Set(reflect.ValueOf(&yes))
	case *limit:
		n, err := strconv.ParseFloat(last, 64)
		if err != nil || n != n {
			return fmt.Sprintf("expected a number, got %q", short(last))
		}
		field.SetInt(int64(max(0, min(n, 1e6))))
	case *values:
		field.Set(reflect.ValueOf(splitValues(given)))
	}
	return ""
}

func splitValues(given []string) values {
	var all values
	for _, text := range given {
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

func versionsFrom(query url.Values, name string) versionsByToolkit {
	v := versionsByToolkit{all: query.Get(name)}
	for key, given := range query {
		toolkit, ok := strings.CutPrefix(key, name+"[")
		if toolkit, closed := strings.CutSuffix(toolkit, "]"); ok && closed && len(given) > 0 && given[0] != "" {
			if v.byToolkit == nil {
				v.byToolkit = make(map[string]string)
			}
			v.byToolkit[strings.ToLower(toolkit)] = given[len(given)-1]
		}
	}
	return v
}

// problem says what is wrong with the texts, as textProblem does.
func (v versionsByToolkit) problem() string {
	if problem := textProblem(v.all); problem != "" {
		return problem
	}
	for _, version := range v.byToolkit {
		if problem := textProblem(version); problem != "" {
			return problem
		}
	}
	return ""
}

func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The query string is not well formed.").
			WithFix("Percent-encode each parameter's name and value.").Because(err)
	}
	return query, nil
}

// textProblem refuses what no identifier or free text of ours may hold: databases refuse a null character, and bytes that
// are not UTF-8 would turn into replacement characters and make two different texts one.
func textProblem(text string) string {
	switch {
	case strings.ContainsRune(text, 0):
		return "contains a null character"
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	default:
		return ""
	}
}

// short cuts a text of the caller's for use in a message back to the caller.
func short(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
