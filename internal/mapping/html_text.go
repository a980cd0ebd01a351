package mapping

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLText gives the text of an HTML fragment as a person would read it: blocks on lines of their own, list items with a
// dash, links as their text with the address behind it, scripts and styles left out.
func HTMLText(source string) string {
	if !strings.ContainsAny(source, "<&") {
		return strings.TrimSpace(source)
	}
	w := &textWriter{}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end, or what cannot be read any further
			return w.finish()
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			w.open(atom.Lookup(name), z, hasAttr)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.close(atom.Lookup(name))
		}
	}
}

// textWriter collects text and remembers which white space is due.
type textWriter struct {
	b         strings.Builder
	newlines  int  // due before the next text
	space     bool // due before the next text
	pre       int  // depth of elements whose white space matters
	skip      atom.Atom
	href      string
	linkStart int
}

func (w *textWriter) text(s string) {
	if w.skip != 0 {
		return
	}
	s = html.UnescapeString(s)
	if w.pre > 0 {
		w.flush()
		w.b.WriteString(s)
		return
	}
	for i, word := range strings.Fields(s) {
		if i > 0 || startsWithSpace(s) {
			w.space = true
		}
		w.flush()
		w.b.WriteString(word)
	}
	if endsWithSpace(s) {
		w.space = true
	}
}

// flush writes the white space that is due.
func (w *textWriter) flush() {
	switch {
	case w.b.Len() == 0:
	case w.newlines > 0:
		w.b.WriteString(strings.Repeat("\n", w.newlines))
	case w.space:
		w.b.WriteByte(' ')
	}
	w.newlines, w.space = 0, false
}

func (w *textWriter) open(tag atom.Atom, z *html.Tokenizer, hasAttr bool) {
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Noscript, atom.Template:
		w.skip = tag
	case atom.Br:
		w.newlines = min(w.newlines+1, 2)
	case atom.Li:
		w.line(1)
		w.flush()
		w.b.WriteString("- ")
	case atom.Td, atom.Th:
		w.space = true
	case atom.Pre:
		w.line(2)
		w.pre++
	case atom.A:
		w.href, w.linkStart = attribute(z, hasAttr, "href"), w.b.Len()
	case atom.Img:
		w.text(attribute(z, hasAttr, "alt"))
	default:
		w.line(blockLines(tag))
	}
}

func (w *textWriter) close(tag atom.Atom) {
	switch tag {
	case w.skip:
		w.skip = 0
	case atom.Pre:
		w.pre = max(w.pre-1, 0)
		w.line(2)
	case atom.A:
		w.closeLink()
	default:
		w.line(blockLines(tag))
	}
}

// closeLink adds the address of a link unless its text says it already.
func (w *textWriter) closeLink() {
	text := strings.TrimSpace(w.b.String()[min(w.linkStart, w.b.Len()):])
	address := strings.TrimPrefix(w.href, "mailto:")
	shown := strings.TrimSuffix(text, "...")
	if text != "" && strings.Contains(address, ":") && !strings.HasPrefix(address, shown) {
		w.b.WriteString(" (" + address + ")")
	} else if text != "" && strings.HasSuffix(text, "...") && strings.HasPrefix(address, shown) {
		w.replaceFrom(w.linkStart, address)
	}
	w.href = ""
}

func (w *textWriter) replaceFrom(start int, s string) {
	before := w.b.String()[:start]
	gap := ""
	if rest := w.b.String()[start:]; rest != "" && (rest[0] == ' ' || rest[0] == '\n') {
		gap = rest[:len(rest)-len(strings.TrimLeft(rest, " \n"))]
	}
	w.b.Reset()
	w.b.WriteString(before + gap + s)
}

func (w *textWriter) line(n int) { w.newlines = max(w.newlines, n) }

func (w *textWriter) finish() string { return strings.TrimSpace(w.b.String()) }

// blockLines is how many line breaks stand around an element.
func blockLines(tag atom.Atom) int {
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Table, atom.Ul, atom.Ol:
		return 2
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Hr, atom.Dt, atom.Dd:
		return 1
	default:
		return 0
	}
}

func attribute(z *html.Tokenizer, more bool, want string) string {
	for more {
		var name, value []byte
		if name, value, more = z.TagAttr(); string(name) == want {
			return string(value)
		}
	}
	return ""
}

func startsWithSpace(s string) bool { return s != "" && strings.TrimLeft(s, " \t\r\n\u00a0") != s }

func endsWithSpace(s string) bool { return s != "" && strings.TrimRight(s, " \t\r\n\u00a0") != s }

// htmlText is HTMLText for expressions; nothing gives nothing.
func htmlText(a ...any) (any, error) {
	if a[0] == nil {
		return nil, nil
	}
	return HTMLText(AsText(a[0])), nil
}

// htmlMembers makes plain text of all members of one name, however deep they are, of at most so many characters (0: all).
func htmlMembers(a ...any) (any, error) { return plainMembers(a[0], a[1].(string), a[2].(int)), nil }

func plainMembers(v any, name string, limit int) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if s, ok := e.(string); ok && k == name {
				out[k], _ = clip(HTMLText(s), limit)
				continue
			}
			out[k] = plainMembers(e, name, limit)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plainMembers(e, name, limit)
		}
		return out
	default:
		return v
	}
}
