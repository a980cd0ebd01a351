package openapi

import "encoding/json"

// The functions here walk JSON text that json.Valid has accepted, without decoding or copying it.

// eachMember calls f for the members of an object in their order, until it gives false. What is no object has no members.
func eachMember(object []byte, f func(name string, value []byte) bool) {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; {
		end := skipValue(object, i)
		name := unquote(object[i:end])
		start := skipSpace(object, skipSpace(object, end)+1) // behind the colon
		end = skipValue(object, start)
		if !f(name, object[start:end]) {
			return
		}
		if i = skipSpace(object, end); i < len(object) && object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
}

// memberOf finds one member of an object; the last where a name stands twice. Nil when there is none.
func memberOf(object []byte, name string) (found []byte) {
	eachMember(object, func(n string, value []byte) bool {
		if n == name {
			found = value
		}
		return true
	})
	return found
}

// elementOf finds one element of a list; nil when there is none.
func elementOf(list []byte, index int) []byte {
	i := skipSpace(list, 0)
	if i >= len(list) || list[i] != '[' {
		return nil
	}
	for i = skipSpace(list, i+1); i < len(list) && list[i] != ']'; index-- {
		end := skipValue(list, i)
		if index == 0 {
			return list[i:end]
		}
		if i = skipSpace(list, end); i < len(list) && list[i] == ',' {
			i = skipSpace(list, i+1)
		}
	}
	return nil
}

// skipValue gives the index behind the value that starts at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		default: // a number, true, false or null
			for i < len(b) && !isDelimiter(b[i]) {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func isDelimiter(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '}', ']', '{', '[', '"':
		return true
	}
	return false
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	for _, c := range inner {
		if c == '\\' {
			var s string
			if json.Unmarshal(quoted, &s) == nil {
				return s
			}
		}
	}
	return string(inner)
}

// decode gives the value of JSON text; nil for what is none.
func decode(raw []byte) any {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}
