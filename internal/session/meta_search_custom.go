package session

import (
	"slices"
	"strings"
	"unicode"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Custom tools come along with the request and are few, so they are compared word by word instead of being indexed.

// final gives the tools their final slugs for a search or a schema; what is wrong with them was said when the session was
// made.
func (c CustomTools) final(s *catalog.Snapshot) []placedCustomTool {
	final, _ := finalCustomTools(s, c)
	return final.all()
}

const (
	customBest = 0.6  // share of the query's words from which a custom tool goes first
	customGood = 0.34 // and from which it is mentioned
)

// addCustom puts custom tools that share enough words with the query beside what the index found.
func (f *finder) addCustom(q SearchQuery, out *findings) {
	wanted := words(q.UseCase)
	type scored struct {
		tool  *placedCustomTool
		share float64
	}
	var fitting []scored
	for i := range f.custom {
		t := &f.custom[i]
		if f.only != nil && !f.only[t.toolkit] {
			continue
		}
		if share := shared(wanted, words(t.OriginalSlug+" "+t.Name+" "+t.Description)); share >= customGood {
			fitting = append(fitting, scored{t, share})
		}
	}
	slices.SortStableFunc(fitting, func(a, b scored) int {
		switch {
		case a.share > b.share:
			return -1
		case a.share < b.share:
			return 1
		default:
			return 0
		}
	})
	var best []foundTool
	for _, one := range fitting {
		if (one.share >= customBest || len(out.primary) == 0) && len(best) < maxPrimary {
			best = append(best, foundTool{custom: one.tool})
		} else if len(out.related) < minRelated {
			out.related = append(out.related, foundTool{custom: one.tool})
		}
	}
	out.primary = slices.Concat(best, out.primary)
	out.primary = out.primary[:min(len(out.primary), maxPrimary)]
}

// fillers are words that say nothing of what is wanted.
var fillers = map[string]bool{
	"a": true, "an": true, "the": true, "of": true, "to": true, "in": true, "on": true, "for": true, "with": true, "and": true,
	"or": true, "my": true, "me": true, "from": true, "by": true, "at": true, "is": true, "it": true, "this": true, "that": true,
}

func words(text string) map[string]bool {
	out := make(map[string]bool)
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if !fillers[word] {
			out[strings.TrimSuffix(word, "s")] = true
		}
	}
	return out
}

// shared gives the share of the wanted words that are there.
func shared(wanted, there map[string]bool) float64 {
	if len(wanted) == 0 {
		return 0
	}
	n := 0
	for word := range wanted {
		if there[word] {
			n++
		}
	}
	return float64(n) / float64(len(wanted))
}
