package mapping

import (
	"net/url"
	"strings"
)

// Traverses reports whether a segment of a path could be read as a step out of its directory, by whoever takes an escaped slash
// for a slash, a backslash for a slash, or undoes the escaping twice.
func Traverses(segment string) bool {
	const readings = 3
	for range readings {
		for part := range strings.FieldsFuncSeq(segment, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == ".." || part == "." && len(segment) == 1 {
				return true
			}
		}
		again, err := url.PathUnescape(segment)
		if err != nil || again == segment {
			return false
		}
		segment = again
	}
	return false
}
