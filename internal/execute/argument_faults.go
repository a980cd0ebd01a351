package execute

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

const (
	maxProblems = 20 // more would bury the reader
	maxShown    = 60 // characters of a given value that are repeated to whoever gave it
)

// describe says everything that is wrong with arguments, one line each: where, what was given, what is wanted.
func describe(err *jsonschema.ValidationError, schema *jsonschema.Schema, values map[string]any, unknown []string) []string {
	d := describer{schema: schema, values: values, unknown: unknown}
	d.walk(err)
	slices.Sort(d.lines)
	d.lines = slices.Compact(d.lines)
	if n := len(d.lines); n > maxProblems {
		d.lines = append(d.lines[:maxProblems], "and "+itoa(n-maxProblems)+" more")
	}
	return d.lines
}

type describer struct {
	schema  *jsonschema.Schema
	values  map[string]any
	unknown []string // left out before validation: candidates for what was meant by a missing one
	lines   []string
}

func (d *describer) walk(e *jsonschema.ValidationError) {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		d.walkAll(e.Causes)
	case *kind.AnyOf, *kind.OneOf:
		d.alternatives(e)
	case *kind.Required:
		for _, name := range k.Missing {
			d.missing(e.InstanceLocation, name)
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			d.unexpected(e.InstanceLocation, name)
		}
	case *kind.Type:
		d.add(e, "want "+wantTypes(k.Want))
	case *kind.Enum:
		d.add(e, "want "+oneOf(k.Want)+didYouMean(k.Got, k.Want))
	case *kind.Const:
		d.add(e, "want "+show(k.Want))
	default:
		d.add(e, limitText(e.ErrorKind))
	}
}

func (d *describer) walkAll(causes []*jsonschema.ValidationError) {
	for _, c := range causes {
		d.walk(c)
	}
}

// alternatives reports on "any of": when the value's type fits only one of them, what is wrong there; else what would fit.
func (d *describer) alternatives(e *jsonschema.ValidationError) {
	if len(e.Causes) == 0 { // oneOf that more than one alternative matched
		d.add(e, "fits more than one of the allowed forms")
		return
	}
	var wants []string
	var fitting []*jsonschema.ValidationError
	for _, c := range e.Causes {
		if w := typesWantedAt(c, e.InstanceLocation); w != nil {
			wants = append(wants, w...)
		} else {
			fitting = append(fitting, c)
		}
	}
	switch {
	case len(fitting) == 0:
		d.add(e, "want "+wantTypes(wants))
	case len(fitting) == 1:
		d.walk(fitting[0])
	default:
		d.add(e, "fits none of the allowed forms: "+d.firstOfEach(fitting))
	}
}

// typesWantedAt gives the types an alternative wants when it failed by the type of the very value; nil otherwise.
func typesWantedAt(e *jsonschema.ValidationError, at []string) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && slices.Equal(e.InstanceLocation, at) {
		return k.Want
	}
	switch e.ErrorKind.(type) {
	case *kind.Group, *kind.Reference, *kind.AllOf:
		for _, c := range e.Causes {
			if w := typesWantedAt(c, at); w != nil {
				return w
			}
		}
	}
	return nil
}

func (d *describer) firstOfEach(alternatives []*jsonschema.ValidationError) string {
	var forms []string
	for _, a := range alternatives {
		sub := describer{schema: d.schema, values: d.values}
		sub.walk(a)
		if len(sub.lines) > 0 {
			forms = append(forms, "("+sub.lines[0]+")")
		}
	}
	return strings.Join(forms, " or ")
}

func (d *describer) missing(at []string, name string) {
	line := place(append(slices.Clone(at), name)) + ": missing"
	if s := d.schemaAt(at); s != nil {
		if p := s.Properties[name]; p != nil {
			line += ", want " + wanted(deref(p))
		}
	}
	if len(at) == 0 {
		if near := mapping.Nearest(name, d.unknown); near != "" {
			line += "; you gave " + quote(near) + ", which the tool does not have"
		}
	}
	d.lines = append(d.lines, line)
}

func (d *describer) unexpected(at []string, name string) {
	line := place(append(slices.Clone(at), name)) + ": there is no such argument"
	if s := d.schemaAt(at); s != nil {
		if near := mapping.Nearest(name, slices.Sorted(maps.Keys(s.Properties))); near != "" {
			line += "; did you mean " + quote(near) + "?"
		}
	}
	d.lines = append(d.lines, line)
}

func (d *describer) add(e *jsonschema.ValidationError, problem string) {
	where := place(e.InstanceLocation)
	if where == "" {
		where = "arguments"
	}
	d.lines = append(d.lines, where+": got "+show(valueAt(d.values, e.InstanceLocation))+", "+problem)
}

// schemaAt finds the schema that describes the value at a path; nil when alternatives leave that open.
func (d *describer) schemaAt(at []string) *jsonschema.Schema {
	s := deref(d.schema)
	for _, token := range at {
		if b := branch(s, typeObject); b != nil && b.Properties[token] != nil {
			s = deref(b.Properties[token])
		} else if items := itemsOf(branch(s, typeArray)); items != nil {
			s = deref(items)
		} else {
			return nil
		}
	}
	return branch(s, typeObject)
}

func valueAt(v any, at []string) any {
	for _, token := range at {
		switch c := v.(type) {
		case map[string]any:
			v = c[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}

// wanted describes what an argument takes, in a few words.
func wanted(s *jsonschema.Schema) string {
	if s.Enum != nil {
		return oneOf(s.Enum.Values)
	}
	t := jsonschema.Types(accepted(s))
	text := wantTypes(t.ToStrings())
	if sentence, _, _ := strings.Cut(s.Description, ". "); sentence != "" && utf8.RuneCountInString(sentence) <= 2*maxShown {
		text += " (" + strings.TrimSuffix(sentence, ".") + ")"
	}
	return text
}

func wantTypes(names []string) string {
	if len(names) == 0 {
		return "a value"
	}
	words := make([]string, 0, len(names))
	for _, n := range names {
		if w := typeWords[n]; !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, " or ")
}

var typeWords = map[string]string{
	"null": "null", "boolean": "true or false", "number": "a number", "integer": "a whole number", "string": "a text",
	"array": "a list", "object": "an object",
}

func oneOf(values []any) string {
	shown := make([]string, 0, len(values))
	for i, v := range values {
		if i == 12 {
			shown = append(shown, "…")
			break
		}
		shown = append(shown, show(v))
	}
	if len(shown) == 1 {
		return shown[0]
	}
	return "one of " + strings.Join(shown, ", ")
}

func didYouMean(got any, want []any) string {
	text, ok := got.(string)
	if !ok {
		return ""
	}
	var known []string
	for _, w := range want {
		if w, ok := w.(string); ok {
			known = append(known, w)
		}
	}
	if near := mapping.Nearest(text, known); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}

// limitText words the limits that people meet; the rest goes by its keyword.
func limitText(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Minimum:
		return "want at least " + number(k.Want)
	case *kind.Maximum:
		return "want at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "want more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "want less than " + number(k.Want)
	case *kind.MultipleOf:
		return "want a multiple of " + number(k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("want at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("want at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("want at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("want at most %d items", k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("items %d and %d are the same", k.Duplicates[0], k.Duplicates[1])
	case *kind.Pattern:
		return "want a text that matches " + k.Want
	case *kind.MinProperties:
		return fmt.Sprintf("want at least %d members", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("want at most %d members", k.Want)
	case *kind.DependentRequired:
		return quote(k.Prop) + " needs " + strings.Join(k.Missing, ", ") + " beside it"
	default:
		return "which the schema's " + quote(strings.Join(k.KeywordPath(), ".")) + " does not allow"
	}
}

func number(r *big.Rat) string {
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// place writes where a value is: labels[0].name.
func place(at []string) string {
	var b strings.Builder
	for _, token := range at {
		switch _, err := strconv.Atoi(token); {
		case err == nil && b.Len() > 0:
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// show repeats a value shortly, as JSON.
func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "something else"
	}
	if len(raw) > maxShown {
		cut := maxShown
		for cut > 0 && !utf8.RuneStart(raw[cut]) {
			cut--
		}
		return string(raw[:cut]) + "…"
	}
	return string(raw)
}

func quote(s string) string { return strconv.Quote(s) }

func itoa(n int) string { return strconv.Itoa(n) }

func join(parts []string, by string) string { return strings.Join(parts, by) }
