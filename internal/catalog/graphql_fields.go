package catalog

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// fieldsMark is where the selection goes in an operation whose caller may choose it.
const fieldsMark = "%fields%"

// selection gives what the caller wants answered, or the usual. A caller's text stays within its braces: it can choose among
// the members of this answer, but not end the operation and begin another.
func (r *GraphQLRequest) selection(env *mapping.Env) (string, error) {
	text, _ := env.Input[r.FieldsArg].(string)
	if text = unbraced(text); text == "" {
		return r.Selection, nil
	}
	if problem := selectionProblem(text); problem != "" {
		return "", fault.New(fault.Invalid, fault.SlugInvalidArguments, "%q %s.", r.FieldsArg, problem).
			WithFix("Write a GraphQL selection such as: id name owner { login }")
	}
	return text, nil
}

// unbraced takes off the braces around a whole selection, which many write.
func unbraced(text string) string {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return text
	}
	inner := text[1 : len(text)-1]
	if selectionProblem(inner) != "" {
		return text // the braces do not belong together
	}
	return strings.TrimSpace(inner)
}

// selectionProblem says what keeps a text from being a selection, as far as its brackets and texts tell.
func selectionProblem(text string) string {
	var open []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '(', '[':
			open = append(open, c)
		case '}', ')', ']':
			if len(open) == 0 || pairs[open[len(open)-1]] != c {
				return "closes a bracket that it did not open"
			}
			open = open[:len(open)-1]
		case '"':
			end := stringEnd(text[i:])
			if end < 0 {
				return "has a text that does not end"
			}
			i += end
		case '#':
			return "must not have comments"
		}
	}
	if len(open) > 0 {
		return "leaves a bracket open"
	}
	return ""
}

var pairs = map[byte]byte{'{': '}', '(': ')', '[': ']'}

// stringEnd gives the place of the quote that ends the text at the start of s; -1 when there is none. Block texts are refused:
// how they end depends on escapes of their own.
func stringEnd(s string) int {
	if strings.HasPrefix(s, `"""`) {
		return -1
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\n':
			return -1
		case '"':
			return i
		}
	}
	return -1
}
