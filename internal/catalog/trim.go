package catalog

import "path"

// Trim drops members that tell a caller nothing (API links, internal ids) wherever they are in an answer.
type Trim struct {
	drop map[string]bool
	glob []string // patterns with *, for example "*_url"
	keep map[string]bool
	null bool
}

// NewTrim makes one of names and patterns to drop, and of names that stay although a pattern matches them. Null says whether
// members that are null go too.
func NewTrim(drop, keep []string, null bool) *Trim {
	t := &Trim{drop: map[string]bool{}, keep: map[string]bool{}, null: null}
	for _, name := range drop {
		if isPattern(name) {
			t.glob = append(t.glob, name)
		} else {
			t.drop[name] = true
		}
	}
	for _, name := range keep {
		t.keep[name] = true
	}
	return t
}

// Apply drops the noise, in place: v is a decoded answer that nobody else holds.
func (t *Trim) Apply(v any) any {
	if t == nil {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if t.noise(name) || e == nil && t.null {
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
	if t.keep[name] {
		return false
	}
	if t.drop[name] {
		return true
	}
	for _, pattern := range t.glob {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func isPattern(name string) bool {
	for _, c := range name {
		if c == '*' || c == '?' || c == '[' {
			return true
		}
	}
	return false
}
