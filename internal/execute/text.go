package execute

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// clip shortens a text to n characters and says so with an ellipsis.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}

// storable takes out of a service's words what databases refuse: NUL, and bytes that are not UTF-8. One such entry would keep
// all others of its batch from being stored.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// titled gives a web page's title as ` ("Sign in")`.
func titled(page []byte) string {
	lower := bytes.ToLower(page[:min(len(page), 8<<10)])
	start := bytes.Index(lower, []byte("<title"))
	if start < 0 {
		return ""
	}
	open := bytes.IndexByte(lower[start:], '>')
	end := bytes.Index(lower[start:], []byte("</title"))
	if open < 0 || end < open {
		return ""
	}
	title := strings.Join(strings.Fields(string(page[start+open+1:start+end])), " ")
	if title == "" {
		return ""
	}
	return " (" + strconv.Quote(clip(title, 80)) + ")"
}

func sizeText(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.FormatInt(n>>20, 10) + " MiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
