package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Arguments writes the arguments as the server knows them.
func (r *MCPRequest) Arguments(input map[string]any) ([]byte, error) {
	if len(r.Rename) == 0 {
		return mapping.EncodeJSON(input)
	}
	return mapping.EncodeJSON(renameMembers(input, r.Rename))
}

// renameHidden gives members of a schema whose names begin with an underscore, which Python clients cannot take, names that they
// can: x_name for _name. It gives those names with what they stand for, at any depth.
func renameHidden(schema map[string]any) map[string]string {
	all := map[string]bool{}
	eachMember(schema, func(members map[string]any, _ []any) {
		for name := range members {
			all[name] = true
		}
	})
	rename, to := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "_") {
			free := "x" + name
			for all[free] {
				free = "x" + free
			}
			all[free] = true
			rename[free], to[name] = name, free
		}
	}
	if len(rename) == 0 {
		return nil
	}
	eachMember(schema, func(members map[string]any, required []any) {
		for name, free := range to {
			if member, ok := members[name]; ok {
				delete(members, name)
				members[free] = member
			}
		}
		for i, name := range required {
			if text, ok := name.(string); ok && to[text] != "" {
				required[i] = to[text]
			}
		}
	})
	return rename
}

// eachMember visits the members of all objects that a schema describes.
func eachMember(v any, visit func(members map[string]any, required []any)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachMember(e, visit)
		}
	case map[string]any:
		members, _ := v["properties"].(map[string]any)
		required, _ := v["required"].([]any)
		visit(members, required)
		for name, e := range v {
			switch name {
			case "enum", "const", "default", "examples": // values, not schemas
			case "properties":
				for _, member := range members {
					eachMember(member, visit)
				}
			default:
				eachMember(e, visit)
			}
		}
	}
}
