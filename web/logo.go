package web

import (
	"fmt"
	"hash/fnv"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tiles are the colours of letter tiles. White text on each of them has a contrast of at least 4.5 to 1 (WCAG 2.2, AA).
var tiles = []string{
	"#1d4ed8", "#7c3aed", "#be185d", "#b91c1c", "#b45309", "#4d7c0f", "#047857", "#0f766e", "#0369a1", "#4338ca", "#a21caf", "#475569",
}

// LogoSVG draws a tile for a toolkit, or for anything else that has a stable key and a name: its initials on a colour that
// always is the same for the key. It is well-formed on its own and inside HTML.
func LogoSVG(slug, name string) string {
	h := fnv.New32a()
	h.Write([]byte(slug))
	letters := initials(name)
	if letters == "" {
		letters = initials(slug)
	}
	size := 30
	if utf8.RuneCountInString(letters) > 1 {
		size = 24
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64" role="img" aria-label="%s">`+
		`<rect width="64" height="64" rx="14" fill="%s"/>`+
		`<text x="32" y="33" dominant-baseline="central" text-anchor="middle" fill="#fff" font-family="system-ui, sans-serif" font-size="%d" font-weight="650">%s</text></svg>`,
		html.EscapeString(name), tiles[h.Sum32()%uint32(len(tiles))], size, html.EscapeString(letters))
}

// initials gives up to two letters that stand for a name: "GitHub" G, "Google Calendar" GC, "ann@example.com" A.
func initials(name string) string {
	name, _, _ = strings.Cut(name, "@")
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	var out []rune
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		if out = append(out, unicode.ToUpper(r)); len(out) == 2 {
			break
		}
	}
	return string(out)
}
