package wording

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths of texts in bytes. Model vendors take descriptions of tools up to 1,024.
const (
	MaxDescription = 1_000
	MaxTitle       = 80
	MaxArgument    = 300 // of an argument's description
	MaxMember      = 160 // of a description within an argument
)

var (
	htmlTag      = regexp.MustCompile(`(?s)<!--.*?-->|</?[a-zA-Z][^<>]*>`)
	htmlBlock    = regexp.MustCompile(`(?i)<(br|p|li|div|tr|h[1-6])[^<>]*>|</(p|li|div|tr|h[1-6]|ul|table)>`)
	codeBlock    = regexp.MustCompile("(?s)```.*?(```|$)|~~~.*?(~~~|$)")
	markdownLink = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*(?:\s+"[^"]*")?\)|!?\[([^\[\]]+)\]\[[^\[\]]*\]`)
	markdownHead = regexp.MustCompile(`(?m)^\s{0,3}(#{1,6}\s+.*|[-=*_]{3,}|\|.*\|)\s*$`)
	markdownList = regexp.MustCompile(`(?m)^\s*([-*+]|\d+\.)\s+`)
	emphasis     = regexp.MustCompile(`\*\*([^*\n]+)\*\*|__([^_\n]+)__|(^|\s)[*_]([^*_\n]+)[*_]`)
	blanks       = regexp.MustCompile(`[ \t\x{00a0}]+`)
)

// Clean makes plain text of HTML and Markdown: models need the words, and pay for the rest.
func Clean(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > 16<<10 { // what comes later would be cut anyway
		s = strings.ToValidUTF8(s[:16<<10], "")
	}
	if !strings.ContainsAny(s, "<&[*_`~#|=-+\n\t\r") { // most are plain
		return paragraphs(printable(s))
	}
	s = codeBlock.ReplaceAllString(s, " ")
	if strings.ContainsRune(s, '<') {
		s = htmlTag.ReplaceAllString(htmlBlock.ReplaceAllString(s, "\n"), "")
	}
	if strings.ContainsRune(s, '&') {
		s = html.UnescapeString(s)
	}
	if strings.ContainsRune(s, '[') {
		s = markdownLink.ReplaceAllString(s, "$1$2")
	}
	s = markdownHead.ReplaceAllString(s, "\n")
	s = markdownList.ReplaceAllString(s, "- ")
	s = emphasis.ReplaceAllString(s, "$1$2$3$4")
	return paragraphs(printable(s))
}

// printable takes out of a text what nobody sees: control characters, and those that hide or turn round what a person reads (marks
// of direction, tags, blanks of no width). A model would read them all the same.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case hidden(r):
			return -1
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, s)
}

// hidden reports whether a character is there without being seen. Joiners are left: words and emoji are written with them.
func hidden(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r > unicode.MaxASCII && unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner
}

// Printable reports whether a name has nothing but characters that are seen, and blanks.
func Printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) || hidden(r) || unicode.In(r, unicode.Zl, unicode.Zp)
	})
}

// Label makes one line of a name that is shown: of what can be seen, and of at most limit bytes.
func Label(s string, limit int) string {
	if len(s) <= limit && Printable(s) {
		return s
	}
	if len(s) > 4*limit {
		s = strings.ToValidUTF8(s[:4*limit], "")
	}
	return Shorten(strings.Join(strings.Fields(printable(s)), " "), limit)
}

// paragraphs joins the lines of each paragraph and drops empty ones.
func paragraphs(s string) string {
	var out []string
	joined := false
	for _, line := range strings.Split(s, "\n") {
		if strings.ContainsAny(line, "\t\u00a0") || strings.Contains(line, "  ") {
			line = blanks.ReplaceAllString(line, " ")
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			joined = false
			continue
		case joined && !strings.HasPrefix(line, "- "):
			out[len(out)-1] += " " + line
		default:
			out = append(out, line)
		}
		joined = true
	}
	return strings.Join(out, "\n")
}

// Shorten gives whole sentences from the start of a clean text, of at most so many bytes; or a cut one, when the first is longer.
func Shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := 0
	for i, r := range s {
		if i >= limit {
			break
		}
		last := i > 0 && (s[i-1] == '.' || s[i-1] == '!' || s[i-1] == '?')
		if r == '\n' || r == ' ' && last && !abbreviation(s[:i]) {
			end = i
		}
	}
	if end >= limit/4 {
		return strings.TrimSpace(s[:end])
	}
	cut := strings.ToValidUTF8(s[:limit-len("…")], "")
	if blank := strings.LastIndexByte(cut, ' '); blank > limit/2 {
		cut = cut[:blank]
	}
	return strings.TrimRight(cut, " ,;:") + "…"
}

func abbreviation(s string) bool {
	for _, a := range []string{"e.g.", "i.e.", "etc.", "vs.", "no.", "cf."} {
		if strings.HasSuffix(strings.ToLower(s), a) {
			return true
		}
	}
	return false
}

// Sentence closes a text with a full stop.
func Sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?…:") {
		return s
	}
	return s + "."
}

// SplitWords takes an identifier apart: "getUserByID2", "users/list-all", "Get_User" and the like. Words are in lower case.
func SplitWords(s string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if before := runes[i-1]; unicode.IsLower(before) || unicode.IsDigit(before) || next && unicode.IsUpper(before) && !pluralOf(runes, i) {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}

// pluralOf reports whether the letters from i are the end of an abbreviation's plural: the Ds of "listIDs".
func pluralOf(runes []rune, i int) bool {
	return i+1 < len(runes) && runes[i+1] == 's' && (i+2 == len(runes) || !unicode.IsLower(runes[i+2]))
}

// Capitalised begins a text with a capital.
func Capitalised(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}
