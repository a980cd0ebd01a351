package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// NearestTools gives up to n slugs that look like the given one, best first, for "did you mean".
func (s *Snapshot) NearestTools(slug string, n int) []string {
	known := make([]string, 0, len(s.tools))
	for name := range s.toolNames() {
		known = append(known, name)
	}
	names := nearest(strings.ToUpper(slug), known, 2*n)
	for i, name := range names {
		if t, ok := s.Tool(name); ok {
			names[i] = t.Slug // an alias stands for the tool
		}
	}
	names = unique(names)
	return names[:min(n, len(names))]
}

// NearestToolkits gives up to n toolkit slugs that look like the given one, best first.
func (s *Snapshot) NearestToolkits(slug string, n int) []string {
	all := s.Toolkits()
	known := make([]string, 0, len(all))
	for _, tk := range all {
		known = append(known, tk.Slug)
	}
	return nearest(strings.ToLower(slug), known, n)
}

// longestName is the longest text that can be a misspelt slug; comparing megabytes with each slug would take minutes.
const longestName = 256

// nearest ranks known names by likeness: shared words and edit distance, each between 0 and 1.
func nearest(name string, known []string, n int) []string {
	if len(name) > longestName {
		return []string{}
	}
	type scored struct {
		name  string
		score float64
	}
	words := nameParts(name)
	var best []scored
	for _, k := range known {
		if score := likeness(name, words, k); score >= 0.5 {
			best = append(best, scored{k, score})
		}
	}
	slices.SortFunc(best, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.name, b.name))
	})
	out := make([]string, 0, n)
	for _, b := range best[:min(n, len(best))] {
		out = append(out, b.name)
	}
	return out
}

// likeness compares two names. The distance, which costs most, is left out for names that share no word and differ in length:
// a catalog may hold a hundred thousand of them.
func likeness(name string, words []string, known string) float64 {
	overlap := wordOverlap(words, nameParts(known))
	longest := max(len(name), len(known))
	if longest == 0 || overlap < 0.3 && abs(len(name)-len(known)) > 3 {
		return overlap
	}
	closeness := 1 - float64(mapping.Distance(name, known))/float64(longest)
	return max(closeness, (overlap+closeness)/2, overlap*0.9)
}

func nameParts(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == '-' || r == ' ' })
}

// wordOverlap is the share of words that two names have in common, counting the words of both.
func wordOverlap(a, b []string) float64 {
	if len(a)+len(b) == 0 {
		return 0
	}
	shared := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			shared++
		}
	}
	return 2 * float64(shared) / float64(len(a)+len(b))
}

func unique(names []string) []string {
	out := names[:0]
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
