package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// described is describe, remembered: a schema that many refer to is written again and again.
func (d *document) described(n node, limit int) string {
	source, _ := n["description"].(string)
	if source == "" || n["default"] != nil || n["enum"] != nil || isTrue(n, "deprecated") {
		return describe(n, limit)
	}
	key := described{source, limit}
	if known, ok := d.descriptions[key]; ok {
		return known
	}
	s := describe(n, limit)
	if len(d.descriptions) > 20_000 {
		clear(d.descriptions)
	}
	d.descriptions[key] = s
	return s
}

// describe gives a description with what the schema cannot say: a default of the provider's, values that are too many to list.
// A default is no "default" of the schema: that would be sent, and an update must not reset what nobody named.
func describe(n node, limit int) string {
	s := wording.Shorten(wording.Clean(text(n, "description")), limit)
	if s == "" {
		s = wording.Shorten(wording.Clean(text(n, "title")), 60)
	}
	if d, there := n["default"]; there && d != nil && d != "" {
		if said := plainValue(d); said != "" && !strings.Contains(strings.ToLower(s), "default") {
			s = strings.TrimSpace(wording.Sentence(s) + " Default: " + said + ".")
		}
	}
	if enum := list(n, "enum"); tooMany(enum) {
		some := make([]string, 0, 6)
		for _, v := range enum[:6] {
			some = append(some, plainValue(v))
		}
		s = strings.TrimSpace(wording.Sentence(s) + fmt.Sprintf(" One of %d values, such as %s.", len(enum), wording.Shorten(strings.Join(some, ", "), 120)))
	}
	if isTrue(n, "deprecated") {
		s = strings.TrimSpace("Deprecated. " + s)
	}
	return s
}

// plainValue writes a short scalar; empty for anything else.
func plainValue(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) <= 60 {
			return strings.Join(strings.Fields(v), " ")
		}
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
