package execute

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// arguments are what a tool is run with: the caller's, coerced and checked.
type arguments struct {
	values map[string]any // ours: numbers are plain, defaults are in, nothing is shared with the caller
	notes  []string       // what was changed or left out, for whoever reads the answer
}

// prepare coerces and checks arguments. A fault of kind Invalid lists everything that is wrong, not just the first thing.
func (s *schemas) prepare(t *catalog.Tool, given map[string]any) (arguments, error) {
	schema := s.of(t)
	if schema == nil {
		args := arguments{values: plain(clone(given).(map[string]any))}
		return args, refuse(t, schema, args.values)
	}
	c := &coercer{}
	values := c.arguments(given, schema)
	if problems := unwieldy(values); len(problems) > 0 {
		return arguments{}, argumentFault(t, schema, problems)
	}
	if err := schema.Validate(values); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			return arguments{}, err
		}
		return arguments{}, argumentFault(t, schema, describe(invalid, schema, values, c.unknown))
	}
	args := arguments{values: plain(values), notes: c.notes(schema)}
	return args, refuse(t, schema, args.values)
}

// refuse checks what the tool declares beyond its schema.
func refuse(t *catalog.Tool, schema *jsonschema.Schema, values map[string]any) error {
	detail := t.Detail()
	if len(detail.Refusals) == 0 {
		return nil
	}
	problems, err := detail.Refuse(&mapping.Env{Input: values})
	if err == nil && len(problems) > 0 {
		err = argumentFault(t, schema, problems)
	}
	return err
}

// argumentFault puts all that is wrong into one answer, with what the tool takes.
func argumentFault(t *catalog.Tool, schema *jsonschema.Schema, problems []string) error {
	text := "1 problem with the arguments"
	if n := len(problems); n != 1 {
		text = itoa(n) + " problems with the arguments"
	}
	return fault.New(fault.Invalid, fault.SlugInvalidArguments, "%s was not called: %s. %s.", t.Slug, text, strings.TrimSuffix(join(problems, "; "), ".")).
		WithFix("Correct them and call again. %s", takes(schema)).WithDetails(problems...)
}

// takes lists a tool's arguments, required ones first and marked.
func takes(schema *jsonschema.Schema) string {
	if schema == nil || len(schema.Properties) == 0 {
		return "The tool declares no arguments."
	}
	required, optional := []string{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if slices.Contains(schema.Required, name) {
			required = append(required, name+" (required)")
		} else {
			optional = append(optional, name)
		}
	}
	return "The tool takes " + join(append(required, optional...), ", ") + "."
}

// plain turns json.Number into int and float64, which is what expressions compute with. It changes m, which must be ours.
func plain(m map[string]any) map[string]any {
	mapping.PlainNumbers(m)
	return m
}

// clone copies objects and lists all the way down. A nil map becomes an empty one.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	default:
		return v
	}
}
