package catalog

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// flatText writes a value where there is one line for it: the elements of a list with commas between them.
func flatText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return mapping.AsText(v)
	}
	return joinTexts(list, ",")
}

func joinTexts(list []any, separator string) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = mapping.AsText(e)
	}
	return strings.Join(texts, separator)
}

// value gives what an argument is upstream, and whether it is sent at all.
func (a *Argument) value(env *mapping.Env, names map[string]string) (any, bool) {
	if a.Name == "" {
		return a.Fixed, true
	}
	v, ok := env.Input[a.Name]
	if ok && len(names) > 0 {
		v = renameMembers(v, names)
	}
	return v, ok
}

// renameMembers gives the members of objects, at any depth, their names upstream. It copies what it changes.
func renameMembers(v any, names map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if as, ok := names[name]; ok {
				name = as
			}
			out[name] = renameMembers(e, names)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = renameMembers(e, names)
		}
		return out
	default:
		return v
	}
}
