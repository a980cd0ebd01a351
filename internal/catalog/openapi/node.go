package openapi

import (
	"fmt"
	"strings"
)

// node is an object of the description, as it came. The functions here take what is of the wrong type for what was most likely
// meant, or for nothing: a mistake in one place should cost that place and not the whole description.
type node = map[string]any

func asNode(v any) node {
	n, _ := v.(node)
	return n
}

func object(n node, name string) node { return asNode(n[name]) }

func list(n node, name string) []any {
	l, _ := n[name].([]any)
	return l
}

// text gives a member that is a text or a number, without blanks around it.
func text(n node, name string) string {
	switch v := n[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strings.TrimSpace(fmt.Sprint(v))
	default:
		return ""
	}
}

// isTrue reports whether a member is true, or says so.
func isTrue(n node, name string) bool {
	switch v := n[name].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	default:
		return false
	}
}

// texts gives the texts of a list.
func texts(v any) []string {
	var out []string
	l, _ := v.([]any)
	for _, e := range l {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
