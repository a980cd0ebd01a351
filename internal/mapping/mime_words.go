package mapping

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// oneLine keeps a value from adding headers of its own.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		default:
			return r
		}
	}, s))
}

// needsWords reports whether a header value has to be written in encoded words (RFC 2047): another script, something that
// looks like an encoded word already, or a word too long for a line.
func needsWords(s string) bool {
	for _, r := range s {
		if r >= 0x80 {
			return true
		}
	}
	if strings.Contains(s, "=?") {
		return true
	}
	return slices.ContainsFunc(strings.Split(s, " "), func(w string) bool { return len(w) > 900 })
}

// encodeWords writes a header value, in encoded words where it needs them. Words are separated by blanks, at which the header
// is folded; readers drop these blanks.
func encodeWords(s string) string {
	if !needsWords(s) {
		return s
	}
	const chunk = 39 // bytes, so that "Subject: " and one word fit a line of 76
	var words []string
	for rest := strings.ToValidUTF8(s, "\uFFFD"); rest != ""; {
		n := min(chunk, len(rest))
		for n < len(rest) && !utf8.RuneStart(rest[n]) {
			n--
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(rest[:n]))+"?=")
		rest = rest[n:]
	}
	return strings.Join(words, " ")
}
