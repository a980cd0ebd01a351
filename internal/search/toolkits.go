package search

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Toolkits ranks toolkits by name, alias and description, for list filters: first those that are called so, then those
// whose name begins so or has a word that does, then those whose description has all the words. Equals stay in the order of the
// catalog. Unlike Search it is forgiving with half-typed words and strict with everything else.
func (x *Index) Toolkits(text string) []*catalog.Toolkit {
	wanted := nameParts(text)
	if len(wanted) == 0 {
		return nil
	}
	type ranked struct {
		toolkit *catalog.Toolkit
		score   int
	}
	var found []ranked
	for _, tk := range x.listed {
		if score := likeness(tk, wanted); score > 0 {
			found = append(found, ranked{tk, score})
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
	toolkits := make([]*catalog.Toolkit, len(found))
	for i, f := range found {
		toolkits[i] = f.toolkit
	}
	return toolkits
}

// likeness says how well a toolkit fits the words of a filter; 0: not at all.
func likeness(tk *catalog.Toolkit, wanted []string) int {
	whole := strings.Join(wanted, "")
	best := 0
	for _, name := range append([]string{tk.Name, tk.Slug}, tk.Aliases...) {
		parts := nameParts(name)
		run := strings.Join(parts, "")
		switch {
		case run == whole:
			return 4
		case strings.HasPrefix(run, whole):
			best = max(best, 3)
		case allBegin(wanted, parts), len(whole) > 2 && strings.Contains(run, whole):
			best = max(best, 2)
		}
	}
	if best == 0 && allBegin(wanted, nameParts(tk.Description)) {
		return 1
	}
	return best
}

// allBegin reports whether each wanted word is the beginning of one of the words.
func allBegin(wanted, words []string) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(words, func(have string) bool { return strings.HasPrefix(have, w) }) {
			return false
		}
	}
	return true
}
