package openapi

import (
	"path"
	"slices"
	"strings"
)

// Filter chooses operations. An operation is taken when it fits one of each kind that is given, and none of Without.
type Filter struct {
	Tags    []string // names, in any case
	Paths   []string // patterns as for files: /repos/* is one segment, /repos/** all below
	Methods []string
	Without []Filter
}

// ParseFilter reads words such as tag:issues, path:/repos/**, method:get; with ! before them they say what is left out.
func ParseFilter(words []string) (Filter, error) {
	var f Filter
	for _, word := range words {
		bare, not := strings.CutPrefix(word, "!")
		kind, value, ok := strings.Cut(bare, ":")
		one := Filter{}
		switch {
		case ok && value != "" && kind == "tag":
			one.Tags = []string{value}
		case ok && strings.HasPrefix(value, "/") && kind == "path":
			one.Paths = []string{value}
		case ok && value != "" && kind == "method":
			one.Methods = []string{value}
		default:
			return f, refused("The filter %q is not of the form tag:NAME, path:/PATTERN or method:NAME.", word)
		}
		if not {
			f.Without = append(f.Without, one)
			continue
		}
		f.Tags, f.Paths, f.Methods = append(f.Tags, one.Tags...), append(f.Paths, one.Paths...), append(f.Methods, one.Methods...)
	}
	return f, nil
}

func (f *Filter) takes(op *operation) bool {
	if len(f.Tags) > 0 && !slices.ContainsFunc(f.Tags, func(t string) bool { return containsFold(op.tags, t) }) {
		return false
	}
	if len(f.Methods) > 0 && !containsFold(f.Methods, op.method) {
		return false
	}
	if len(f.Paths) > 0 && !slices.ContainsFunc(f.Paths, func(p string) bool { return pathFits(p, op.path) }) {
		return false
	}
	return !slices.ContainsFunc(f.Without, func(not Filter) bool { return not.takes(op) })
}

func pathFits(pattern, at string) bool {
	if prefix, all := strings.CutSuffix(pattern, "/**"); all {
		return at == prefix || strings.HasPrefix(at, prefix+"/")
	}
	fits, err := path.Match(pattern, at)
	return err == nil && fits
}

func containsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}
