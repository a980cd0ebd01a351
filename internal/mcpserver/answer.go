package mcpserver

import (
	"encoding/json"
	"unicode/utf8"
)

// answer is what a call is answered with, before it takes the SDK's form or its bytes on the short way.
type answer struct {
	// body is {"data":…,"error":…,"successful":…}: structured content, and as text for clients that know only that.
	body    []byte
	content json.RawMessage // content blocks in place of the text; body is not shown then
	failed  bool
	note    string // a further text, empty for none
	asks    []ask  // links the person is to be asked to open first; the answer itself then travels in state
	state   string
}

// newBody wraps a tool's data in the shape that every tool of this server answers in (API contract section 6.13).
func newBody(data json.RawMessage, failure string) []byte {
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	b := make([]byte, 0, len(data)+len(failure)+64)
	b = append(b, `{"data":`...)
	b = append(b, data...)
	if failure == "" {
		return append(b, `,"error":null,"successful":true}`...)
	}
	b = append(b, `,"error":`...)
	b = appendString(b, failure)
	return append(b, `,"successful":false}`...)
}

// failure is the answer of a call that failed in a way the model can do something about.
func failure(text string) answer {
	return answer{body: newBody(nil, text), failed: true}
}

// appendString appends text as a JSON string, escaped as encoding/json does with HTML escaping off.
func appendString[T string | []byte](b []byte, text T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := decodeRune(text, i)
			if (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
			b = append(b, text[from:i]...)
			if r == utf8.RuneError {
				b = append(b, `\ufffd`...)
			} else {
				b = append(b, `\u202`...)
				b = append(b, hex[r&0xf])
			}
			i += size
			from = i
			continue
		}
		b = append(b, text[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&0xf])
		}
		i++
		from = i
	}
	b = append(b, text[from:]...)
	return append(b, '"')
}

func decodeRune[T string | []byte](text T, at int) (rune, int) {
	n := min(len(text), at+utf8.UTFMax)
	return utf8.DecodeRuneInString(string(text[at:n]))
}
