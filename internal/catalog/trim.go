package catalog

import "strings"

// Trim drops members that tell a caller nothing (API links, internal ids) wherever they are in an answer.
type Trim struct {
	drop     map[string]bool
	keep     map[string]bool
	prefixes []string
	suffixes []string
	nulls    bool
}

// NewTrim makes one of names and patterns ("*_url", "internal_*") to drop, and of names that stay although a pattern matches
// them. Nulls says whether members that are null go too.
func NewTrim(drop, keep []string, nulls bool) *Trim {
	t := &Trim{drop: map[string]bool{}, keep: map[string]bool{}, nulls: nulls}
	for _, name := range drop {
		if suffix, ok := strings.CutPrefix(name, "*"); ok {
			t.suffixes = append(t.suffixes, suffix)
		} else if prefix, ok := strings.CutSuffix(name, "*"); ok {
			t.prefixes = append(t.prefixes, prefix)
		} else {
			t.drop[name] = true
		}
	}
	for _, name := range keep {
		t.keep[name] = true
	}
	return t
}

// Apply drops the noise, in place: v is a decoded answer that nobody else holds. A nil Trim drops nothing.
func (t *Trim) Apply(v any) any {
	if t == nil {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if t.noise(name) || e == nil && t.nulls {
				delete(v, name)
				continue
			}
			t.Apply(e)
		}
	case []any:
		for _, e := range v {
			t.Apply(e)
		}
	}
	return v
}

func (t *Trim) noise(name string) bool {
	if t.drop[name] {
		return !t.keep[name]
	}
	for _, suffix := range t.suffixes {
		if strings.HasSuffix(name, suffix) {
			return !t.keep[name]
		}
	}
	for _, prefix := range t.prefixes {
		if strings.HasPrefix(name, prefix) {
			return !t.keep[name]
		}
	}
	return false
}
