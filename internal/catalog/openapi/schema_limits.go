package openapi

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// copyPlain takes over what is said about the value itself.
func (w *schemaWriter) copyPlain(out, n node, depth int) {
	limit := wording.MaxMember
	if depth == 0 {
		limit = wording.MaxArgument
	}
	if s := w.doc.described(n, limit); s != "" {
		out["description"] = s
	}
	if enum := list(n, "enum"); len(enum) > 0 && !tooMany(enum) {
		out["enum"] = enum
	} else if c, there := n["const"]; there {
		out["enum"] = []any{c}
	}
	if s := text(n, "format"); s != "" && len(s) <= 40 && s != "binary" {
		out["format"] = s
	}
	if s, ok := n["pattern"].(string); ok && len(s) <= 200 {
		if s = withinRepeats(s); w.doc.compiles(s) {
			out["pattern"] = s
		}
	}
	copyNumbers(out, n, "minLength", "maxLength")
	for _, name := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		if v, there := n[name]; there {
			out[name] = v
		}
	}
}

// tooMany reports whether the values of an enumeration are more than a model should be shown.
func tooMany(enum []any) bool {
	if len(enum) <= maxEnum {
		return false
	}
	size := 0
	for _, v := range enum {
		s, is := v.(string)
		if size += len(s); !is || size > maxCodesText {
			return true
		}
	}
	return len(enum) > maxCodes
}

// patternWork is what it takes to compile a pattern, in members that could be looked at meanwhile.
const patternWork = 2_000

// compiles reports whether a pattern is one that we can check. It remembers: the same few stand everywhere.
func (d *document) compiles(pattern string) bool {
	good, known := d.patterns[pattern]
	if !known {
		d.work += patternWork
		if d.spent() {
			return false
		}
		_, err := regexp.Compile(pattern)
		good = err == nil
		d.patterns[pattern] = good
	}
	return good
}

// copyNumbers takes over limits of lengths: whole numbers that are not negative. What is beyond any use is left out.
func copyNumbers(out, n node, names ...string) {
	for _, name := range names {
		if v, ok := n[name].(float64); ok && v >= 0 && v < 1<<31 && v == math.Trunc(v) {
			out[name] = v
		}
	}
}

// maxRepeat is how often a pattern may repeat a thing, for the expressions that check it (package regexp).
const maxRepeat = 1000

var repeats = regexp.MustCompile(`^\{([0-9]{1,9}),([0-9]{1,9})\}`)

// withinRepeats takes upper bounds away that are beyond maxRepeat: {0,1023} becomes {0,}. The pattern allows a little more then,
// which is better than none.
func withinRepeats(pattern string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '{' && !class {
			if m := repeats.FindStringSubmatch(pattern[i:]); m != nil {
				if most, err := strconv.Atoi(m[2]); err == nil && most > maxRepeat {
					b.WriteString("{" + m[1] + ",}")
					i += len(m[0]) - 1
					continue
				}
			}
		}
		b.WriteByte(c)
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		case c == '[':
			class = true
		case c == ']':
			class = false
		}
	}
	return b.String()
}
