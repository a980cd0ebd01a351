package search

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// routes knows by which words people call the toolkits. A request that names an app raises that app's tools; it does not
// shut out the others, because "email the Jira link" names an app it does not want.
type routes struct {
	byName map[string][]route // joined, lower case, singular
	common map[string]bool    // names that are ordinary words too: box, linear, monday
	words  int                // the longest name, in words
}

// route is one toolkit that goes by a name, and how surely: 1 for its whole name, less for a part of it.
type route struct {
	toolkit  int32
	strength float32
}

const (
	wholeName  = 1
	prunedName = 0.95 // without "API", "App" and the like
	gluedName  = 0.6  // without "bot": discordbot
	familyName = 0.5  // the first word of several: "Google" of "Google Drive"
)

// genericSuffix are words at the end of a toolkit's name that nobody says.
var genericSuffix = setOf("api apis app apps toolkit tool tools bot integration io com ai hq online cloud crm")

func (r *routes) add(number int32, tk *catalog.Toolkit) {
	if r.byName == nil {
		r.byName = make(map[string][]route)
	}
	for _, name := range append([]string{tk.Name, tk.Slug}, tk.Aliases...) {
		parts := nameParts(name)
		r.put(parts, route{number, wholeName})
		for len(parts) > 1 {
			if _, generic := genericSuffix[parts[len(parts)-1]]; !generic {
				break
			}
			parts = parts[:len(parts)-1]
			r.put(parts, route{number, prunedName})
		}
		if short, glued := strings.CutSuffix(strings.Join(parts, ""), "bot"); glued && len(parts) == 1 && len(short) > 3 {
			r.put([]string{short}, route{number, gluedName})
		}
		if len(parts) > 1 {
			for i := range parts {
				if len(parts[i]) > 2 {
					r.put(parts[i:i+1], route{number, familyName})
				}
			}
		}
	}
}

func (r *routes) put(parts []string, to route) {
	key := singular(strings.Join(parts, ""))
	if len(key) == 0 {
		return
	}
	r.words = max(r.words, len(parts))
	for i, have := range r.byName[key] {
		if have.toolkit == to.toolkit {
			r.byName[key][i].strength = max(have.strength, to.strength)
			return
		}
	}
	r.byName[key] = append(r.byName[key], to)
}

// settle finds the names that are ordinary words: those that tools of several other toolkits have in their names.
func (r *routes) settle(names map[string]int, toolkits int) {
	r.common = make(map[string]bool)
	few := max(2, toolkits/100)
	for key, to := range r.byName {
		used := names[key] + names[key+"s"]
		if used-len(to) >= few || len(key) < 3 || isEveryday(key) {
			r.common[key] = true
		}
	}
}

// isEveryday reports words that requests use for what they mean: "make", "plain text", "close the ticket".
func isEveryday(w string) bool {
	s := stem(w)
	_, listed := everydayNames[w]
	return listed || plainVerbs[s]|nounVerbs[s] != 0 || concepts[s] != nil || isStop(w)
}

// everydayNames are words of plain English that products are called by.
var everydayNames = setOf(`box square front plain segment canvas monday drift hunter folk cat exist short loop wave copper sage
	pilot beacon compass bolt anchor bridge harvest float clay mural pitch glide tally wise branch basic buffer help bench
	insight render exact word excel access teams drive calendar sheet map photo contact meet docs tasks forms slides office`)

// nameParts cuts a name into lower-case words.
func nameParts(name string) []string {
	var parts []string
	for _, w := range split(name) {
		if len(w.parts) > 0 {
			parts = append(parts, w.parts...)
		} else {
			parts = append(parts, w.text)
		}
	}
	return parts
}

func singular(s string) string {
	if len(s) > 3 && s[len(s)-1] == 's' && s[len(s)-2] != 's' {
		return s[:len(s)-1]
	}
	return s
}

// before are words after which an app is named: "in Linear", "from Box".
var before = setOf("in on via using from with to into through inside within my our your their this a an the use")

// find finds the toolkits that the words of a request name, longest names first, says how surely by toolkit, and marks the
// words that named them.
func (r *routes) find(words []word, strength []float32) {
	for n := min(r.words, len(words)); n >= 1; n-- {
		for i := 0; i+n <= len(words); i++ {
			span := words[i : i+n]
			if isStop(span[0].text) || anyNamed(span) || anyElsewhere(span) {
				continue
			}
			key := joined(span)
			to := r.byName[key]
			if to == nil {
				continue
			}
			sure := float32(1)
			if n == 1 && (r.common[key] || span[0].guessed) {
				sure = evidence(words, i)
			}
			for _, t := range to {
				strength[t.toolkit] = max(strength[t.toolkit], t.strength*sure)
			}
			for j := range span {
				span[j].named = sure >= 0.5
			}
		}
	}
}

// knows reports whether a word is the name of a toolkit.
func (r *routes) knows(w string) bool { return r.byName[singular(w)] != nil }

// evidence says how surely an ordinary word is meant as the name of an app.
func evidence(words []word, i int) float32 {
	named := words[i].capital && !words[i].starts
	led := false
	if i > 0 {
		_, led = before[words[i-1].text]
	}
	switch {
	case named && led:
		return 1
	case named:
		return 0.9
	case led && len(words[i].text) > 2:
		return 0.35
	default:
		return 0.1
	}
}

func anyNamed(words []word) bool {
	for i := range words {
		if words[i].named {
			return true
		}
	}
	return false
}

func joined(words []word) string {
	if len(words) == 1 {
		return singular(words[0].text)
	}
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.text)
	}
	return singular(b.String())
}
