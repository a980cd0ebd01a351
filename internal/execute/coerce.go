package execute

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// coercer brings arguments into the form that the schema asks for, where that is harmless: models and forms send "3" for
// 3, a scalar for a list of one, JSON as text, "" for nothing. What cannot be mended is left as it is, for validation to
// report. Input is never changed: everything that is returned is a copy.
type coercer struct {
	unknown []string // arguments that the tool does not have and that were left out
	renamed []string // "pageSize -> page_size"
}

// arguments coerces the top level, where unknown members are left out unless the schema expressly allows or forbids them
// (decision 0031).
func (c *coercer) arguments(given map[string]any, s *jsonschema.Schema) map[string]any {
	known := make(map[string]any, len(given)+4)
	open := s.AdditionalProperties != nil || s.Properties == nil || composed(s) || len(s.PatternProperties) > 0
	for name, v := range given {
		if _, ok := s.Properties[name]; ok || open {
			known[name] = v
			continue
		}
		if meant := sameName(name, s); meant != "" {
			if _, taken := given[meant]; !taken {
				known[meant] = v
				c.renamed = append(c.renamed, name+" -> "+meant)
				continue
			}
		}
		c.unknown = append(c.unknown, name)
	}
	slices.Sort(c.unknown)
	slices.Sort(c.renamed)
	return c.object(known, s)
}

func (c *coercer) notes(s *jsonschema.Schema) []string {
	var notes []string
	for _, r := range c.renamed {
		notes = append(notes, "Argument name corrected: "+r+".")
	}
	for _, name := range c.unknown {
		note := "Argument " + quote(name) + " was ignored: the tool does not have it."
		if near := mapping.Nearest(name, slices.Sorted(maps.Keys(s.Properties))); near != "" {
			note += " Did you mean " + quote(near) + "?"
		}
		notes = append(notes, note)
	}
	return notes
}

// object coerces the members of an object, leaves out optional ones that say nothing, and adds defaults.
func (c *coercer) object(o map[string]any, s *jsonschema.Schema) map[string]any {
	out := make(map[string]any, len(o)+2)
	for name, v := range o {
		p, ok := s.Properties[name]
		if !ok {
			out[name] = clone(v)
			continue
		}
		v = c.value(v, p)
		if saysNothing(v, p) && !slices.Contains(s.Required, name) {
			continue
		}
		out[name] = v
	}
	for name, p := range s.Properties {
		if _, ok := out[name]; !ok {
			if d := defaultOf(p); d != nil {
				out[name] = clone(d)
			}
		}
	}
	return out
}

func (c *coercer) value(v any, s *jsonschema.Schema) any {
	s = deref(s)
	want := accepted(s)
	if want == 0 {
		return clone(v)
	}
	if text, ok := v.(string); ok && text != "" && want&typeString == 0 && isFile(s) {
		return map[string]any{fileKey: text}
	}
	if got := typeOf(v); got&want == 0 {
		v = convert(v, want)
		if typeOf(v)&want == 0 && want&typeArray != 0 && v != nil && v != "" {
			v = []any{v}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		if b := branch(s, typeObject); b != nil {
			return c.object(v, b)
		}
	case []any:
		if items := itemsOf(branch(s, typeArray)); items != nil {
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = c.value(e, items)
			}
			return out
		}
	case string:
		return fitEnum(v, s)
	}
	return clone(v)
}

// convert turns one value into one of the wanted types, or gives it back.
func convert(v any, want types) any {
	switch v := v.(type) {
	case string:
		return convertText(v, want)
	case bool:
		if want&typeString != 0 {
			return strconv.FormatBool(v)
		}
	case nil, map[string]any:
	case []any:
		if len(v) == 1 && typeOf(v[0])&want != 0 {
			return v[0]
		}
	default:
		if want&typeInteger != 0 {
			if whole, ok := wholeNumber(numberText(v)); ok {
				return whole
			}
		}
		if want&typeString != 0 {
			return numberText(v)
		}
	}
	return v
}

func convertText(v string, want types) any {
	text := strings.TrimSpace(v)
	if want&(typeInteger|typeNumber) != 0 {
		if whole, ok := wholeNumber(text); ok {
			return whole
		}
		if want&typeNumber != 0 && isNumber(text) {
			return json.Number(text)
		}
	}
	if want&typeBoolean != 0 {
		switch strings.ToLower(text) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	if want&(typeObject|typeArray) != 0 && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) {
		if parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil && typeOf(parsed)&want != 0 {
			return parsed
		}
	}
	if want&typeNull != 0 && text == "null" {
		return nil
	}
	return v
}

// saysNothing reports whether an optional member may be left out: null or "" where neither can be meant.
func saysNothing(v any, s *jsonschema.Schema) bool {
	switch v {
	case nil:
		want := accepted(deref(s))
		return want != 0 && want&typeNull == 0
	case "":
		s = deref(s)
		want := accepted(s)
		return want != 0 && want&typeString == 0 || s.Format != nil || s.MinLength != nil && *s.MinLength > 0 ||
			s.Enum != nil && !slices.Contains(s.Enum.Values, any(""))
	default:
		return false
	}
}

// fitEnum corrects the letter case of an enumerated text.
func fitEnum(v string, s *jsonschema.Schema) any {
	if s.Enum == nil || slices.Contains(s.Enum.Values, any(v)) {
		return v
	}
	var fits []string
	for _, e := range s.Enum.Values {
		if e, ok := e.(string); ok && strings.EqualFold(e, strings.TrimSpace(v)) {
			fits = append(fits, e)
		}
	}
	if len(fits) == 1 {
		return fits[0]
	}
	return v
}

// sameName finds the argument that a name means when only letter case, "_" and "-" differ: pageSize for page_size.
func sameName(name string, s *jsonschema.Schema) string {
	found := ""
	for known := range s.Properties {
		if sameLetters(known, name) {
			if found != "" {
				return ""
			}
			found = known
		}
	}
	return found
}

// sameLetters compares two names by their letters and digits alone.
func sameLetters(a, b string) bool {
	for {
		a, b = strings.TrimLeft(a, "_- "), strings.TrimLeft(b, "_- ")
		if a == "" || b == "" {
			return a == b
		}
		if lower(a[0]) != lower(b[0]) {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func wholeNumber(text string) (json.Number, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return json.Number(strconv.FormatInt(n, 10)), true
	}
	if !isNumber(text) || len(text) > 40 {
		return "", false
	}
	if r, ok := new(big.Rat).SetString(text); ok && r.IsInt() && r.Num().BitLen() < 128 {
		return json.Number(r.Num().String()), true
	}
	return "", false
}

// isNumber reports whether text is a number as JSON writes one; an exponent is kept small, since it is computed with.
func isNumber(text string) bool {
	if text == "" || !strings.ContainsAny(text[:1], "-0123456789") || !json.Valid([]byte(text)) {
		return false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		return err == nil && exponent < 300 && exponent > -300
	}
	return true
}

func numberText(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return mapping.AsText(v)
	}
}
