package graphql

import (
	"regexp"
	"slices"
)

// validName is how GraphQL writes names (specification, section 2.1.9), of a length that some do.
var validName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]{0,249}$`)

// dropUnnamed takes out what has a name that is none. An introspection may say anything, and names become part of what is sent.
func (s *schema) dropUnnamed() {
	bad := func(name string) bool {
		if validName.MatchString(name) {
			return false
		}
		s.dropped++
		return true
	}
	unfit := func(in input) bool { return bad(in.name) || bad(in.typ.named()) }
	for name, t := range s.types {
		if bad(name) {
			delete(s.types, name)
			continue
		}
		t.fields = slices.DeleteFunc(t.fields, func(f field) bool {
			return bad(f.name) || bad(f.typ.named()) || slices.ContainsFunc(f.args, func(a input) bool { return a.required() && unfit(a) })
		})
		for n := range t.fields {
			t.fields[n].args = slices.DeleteFunc(t.fields[n].args, unfit)
		}
		t.inputs = slices.DeleteFunc(t.inputs, unfit)
		t.values = slices.DeleteFunc(t.values, bad)
		t.possible = slices.DeleteFunc(t.possible, bad)
	}
}

// nestedDeep reports whether the schema language is nested deeper than any schema needs: its parser follows it as deep as it goes.
// Texts and comments are skipped.
func nestedDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '#':
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '"':
			i = skipText(text, i)
		case '{', '[', '(':
			if depth++; depth > maxNesting {
				return true
			}
		case '}', ']', ')':
			depth--
		}
	}
	return false
}

// skipText gives the index of the last byte of the text, plain or in a block, that begins at i.
func skipText(text []byte, i int) int {
	if len(text) >= i+3 && text[i+1] == '"' && text[i+2] == '"' {
		for i += 3; i < len(text); i++ {
			switch {
			case text[i] == '\\':
				i++
			case text[i] == '"' && i+2 < len(text) && text[i+1] == '"' && text[i+2] == '"':
				return i + 2
			}
		}
		return len(text)
	}
	for i++; i < len(text) && text[i] != '\n'; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return i
}
