package search

import "strings"

// Some names are written without any mark between their words: "listcustomers", "getuserbyid". They are taken apart where all of it
// is words of English; what is itself a word stays whole.

const (
	gluedFrom  = 7  // letters: what is shorter falls apart into anything
	gluedMost  = 40 // letters
	gluedPart  = 3  // letters of a part, but for smallParts
	gluedParts = 6
)

// smallParts are the short words that stand in such names.
var smallParts = setOf("by of to in on id")

// gluer takes names apart, each once.
type gluer struct {
	english map[string]struct{} // the words that have a vector; made when it is needed
	parts   map[string][]string
}

// apart gives the words that a run of letters is made of, the fewest there can be; nil when it is not made of words.
func (g *gluer) apart(w string) []string {
	if len(w) < gluedFrom || len(w) > gluedMost || !isLowerWord(w) {
		return nil
	}
	parts, met := g.parts[w]
	if !met {
		if g.english == nil {
			g.english, g.parts = englishWords(), make(map[string][]string)
		}
		parts = g.cut(w)
		g.parts[w] = parts
	}
	return parts
}

func (g *gluer) cut(w string) []string {
	if _, whole := g.english[w]; whole {
		return nil
	}
	var fewest, from [gluedMost + 1]int // by end: how many words the letters before it are, and where the last of them begins
	for end := 2; end <= len(w); end++ {
		for start := 0; start+2 <= end; start++ {
			n := fewest[start] + 1
			if reached := start == 0 || n > 1; !reached || n > gluedParts || fewest[end] > 0 && n >= fewest[end] {
				continue
			}
			if g.isPart(w[start:end]) {
				fewest[end], from[end] = n, start
			}
		}
	}
	if fewest[len(w)] < 2 {
		return nil
	}
	parts := make([]string, fewest[len(w)])
	for end, i := len(w), len(parts)-1; i >= 0; i-- {
		parts[i] = w[from[end]:end]
		end = from[end]
	}
	return parts
}

func (g *gluer) isPart(w string) bool {
	words := g.english
	if len(w) < gluedPart {
		words = smallParts
	}
	_, is := words[w]
	return is
}

func englishWords() map[string]struct{} {
	words := make(map[string]struct{}, len(vectorWords)/lineSize)
	for w := range strings.FieldsSeq(vectorWords) {
		words[w] = struct{}{}
	}
	return words
}

func isLowerWord(w string) bool {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}
