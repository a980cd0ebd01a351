package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// word is one written word: a run of letters and digits.
type word struct {
	text    string   // lower case, without a possessive 's
	parts   []string // of a compound such as "GitHub" or "createIssue"; nil when there is only one
	capital bool     // began with a capital letter
	comma   bool     // stands after a comma or a semicolon
	starts  bool     // stands where any word would have one: at the start of a sentence

	// What reading a request finds out about it.
	stem      string
	guessed   bool    // was corrected: no tool uses the word that was written
	named     bool    // was part of a toolkit's name
	elsewhere bool    // was part of the name of an app that is not here
	leads     bool    // is the verb of the request
	phrase    verbSet // begins an expression that is a verb
	spent     bool    // ended an expression that is the verb: "let … know"
	group     int     // of the alternatives that the request lists; 0: belongs to all of them
	weight    float32 // how much it tells; 0: nothing
}

// split cuts text into words. Compounds are kept whole and cut, because people write both "Git Hub" and "GitHub", and
// names of tools are written in every fashion there is.
func split(text string) []word {
	words := make([]word, 0, len(text)/5+1)
	starts, comma := true, false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isWordRune(r) {
			starts = starts || r == '.' && i+1 < len(text) && text[i+1] == ' ' || r == '!' || r == '?' || r == '\n'
			comma = comma || r == ',' || r == ';'
			i += size
			continue
		}
		end := i
		for end < len(text) {
			r, size := utf8.DecodeRuneInString(text[end:])
			if !isWordRune(r) && !isApostrophe(r, text[end+size:]) {
				break
			}
			end += size
		}
		w := newWord(text[i:end], starts)
		w.comma = comma
		words = append(words, w)
		starts, comma = false, false
		i = end
	}
	return words
}

func newWord(raw string, starts bool) word {
	first, _ := utf8.DecodeRuneInString(raw)
	whole := strings.ToLower(raw)
	if at := strings.IndexAny(whole, "'’"); at > 0 {
		whole, raw = whole[:at], raw[:at]
	}
	w := word{text: whole, capital: unicode.IsUpper(first), starts: starts}
	if cuts := camelCuts(raw); len(cuts) > 0 && len(whole) == len(raw) {
		from := 0
		for _, cut := range append(cuts, len(whole)) {
			w.parts = append(w.parts, whole[from:cut])
			from = cut
		}
	}
	return w
}

// camelCuts finds the places where a new word begins inside a compound: "createIssue", "HTTPServer". Digits stay with the
// letters before them ("oauth2", "s3").
func camelCuts(raw string) []int {
	var cuts []int
	for i := 1; i < len(raw); i++ {
		before, here := raw[i-1], raw[i]
		if !isUpper(here) {
			continue
		}
		if isLower(before) || isUpper(before) && i+1 < len(raw) && isLower(raw[i+1]) {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isApostrophe keeps "engineer's" one word; a quote at the end of a word is not part of it.
func isApostrophe(r rune, rest string) bool {
	if r != '\'' && r != '’' {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsLetter(next)
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isLower(b byte) bool { return 'a' <= b && b <= 'z' }

// stem brings the forms of a word together: "issues" and "issue", "sent" and "send".
func stem(text string) string {
	if base, ok := irregular[text]; ok {
		text = base
	}
	return english.Stem(text, false)
}

// irregular are forms the stemmer cannot see through.
var irregular = map[string]string{
	"sent": "send", "made": "make", "wrote": "write", "written": "write", "found": "find", "got": "get", "put": "put",
	"people": "person", "persons": "person", "children": "child", "paid": "pay", "bought": "buy", "sold": "sell",
	"told": "tell", "left": "leave", "kept": "keep", "held": "hold", "met": "meet", "gave": "give", "given": "give",
	"took": "take", "taken": "take", "done": "do", "ran": "run", "began": "begin", "chose": "choose", "chosen": "choose",
	"spoke": "speak", "spoken": "speak", "threw": "throw", "thrown": "throw", "drew": "draw", "drawn": "draw",
	"built": "build", "spent": "spend", "lost": "lose", "said": "say", "saw": "see", "seen": "see", "came": "come",
	"indices": "index", "indexes": "index", "matrices": "matrix", "criteria": "criterion", "analyses": "analysis",
	"statuses": "status", "data": "data", "media": "media", "todos": "todo", "repos": "repo", "prs": "pr", "ids": "id",
	"apis": "api", "urls": "url", "pdfs": "pdf", "faxes": "fax", "news": "news", "overdue": "overdue",
}

// isStop reports words that carry no meaning of their own in a request or in a description.
func isStop(text string) bool { _, ok := stopWords[text]; return ok }

var stopWords = setOf(`a an the this that these those some any each every such own same other another
	i me my mine we us our ours you your yours he him his she her hers it its they them their theirs one ones
	and or but nor so if then than as of at by for from in into on onto off over under out up down with within without
	to via using use through between about across per during before after against until
	is are was were be been being am do does did doing has have had having will would shall should can could may might must
	not no yes there here when where why how what which who whom whose
	please kindly just also only very really actually now then soon already still again too quite
	want wants need needs like would help let lets try able allow allows used given specific existing certain
	im ive id ill youre dont doesnt didnt cant wont isnt arent its thats
	etc eg ie`)

func setOf(list string) map[string]struct{} {
	set := make(map[string]struct{})
	for _, w := range strings.Fields(list) {
		set[w] = struct{}{}
	}
	return set
}

func stemsOf(list string) map[string]struct{} {
	set := make(map[string]struct{})
	for _, w := range strings.Fields(list) {
		set[stem(w)] = struct{}{}
	}
	return set
}
