package mapping

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Unstorable says what a JSON text holds that cannot be kept as it is; empty: nothing. That is bytes that are not UTF-8, the null
// character, which databases refuse, and half of a surrogate pair (RFC 8259 section 8.2): readers replace it, so that two texts
// that differ, two user ids for example, would become one.
func Unstorable(raw []byte) string {
	if !utf8.Valid(raw) {
		return "bytes that are not UTF-8"
	}
	for i := bytes.IndexByte(raw, '\\'); i >= 0 && i+1 < len(raw); {
		next := i + 2
		if unit, ok := escapedUnit(raw, i); ok {
			next = i + 6
			switch {
			case unit == 0:
				return "a null character"
			case unit >= 0xDC00 && unit <= 0xDFFF:
				return "half of a surrogate pair"
			case unit >= 0xD800 && unit <= 0xDBFF:
				if low, ok := escapedUnit(raw, next); !ok || low < 0xDC00 || low > 0xDFFF {
					return "half of a surrogate pair"
				}
				next += 6
			}
		}
		found := bytes.IndexByte(raw[min(next, len(raw)):], '\\')
		if found < 0 {
			break
		}
		i = next + found
	}
	return ""
}

// escapedUnit reads the \uXXXX at i.
func escapedUnit(raw []byte, i int) (uint64, bool) {
	if i+6 > len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 32)
	return unit, err == nil
}
