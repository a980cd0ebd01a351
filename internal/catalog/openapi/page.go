package openapi

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Names of arguments and members by which lists are continued, without case, underscores and the like.
var (
	cursorNames = []string{
		"cursor", "pagetoken", "nexttoken", "nextpagetoken", "startingafter", "after", "continuationtoken", "continuation", "pagecursor",
		"nextcursor", "startcursor", "marker", "paginationtoken", "starttoken", "scrollid", "bookmark",
	}
	numberNames = []string{"page", "pagenumber", "pageno", "pagenum", "pageindex", "currentpage", "offset", "skip", "start", "startat", "startindex"}
	sizeNames   = []string{
		"limit", "perpage", "pagesize", "maxresults", "count", "size", "top", "first", "max", "maxitems", "itemsperpage", "resultsperpage", "take",
	}
	nextNames = []string{
		"nextpagetoken", "nextcursor", "nexttoken", "nextmarker", "continuationtoken", "nextpagecursor", "cursornext", "endcursor", "scrollid",
		"paginationtoken", "nextcontinuationtoken",
	}
	nextHomes = []string{"meta", "metadata", "pagination", "paging", "page", "pageinfo", "responsemetadata", "links", "cursors", "cursor"}
)

func bareKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// page recognises how a list is continued: by a cursor that the answer names, or by numbers.
func (m *toolMaker) page(answer any) *catalog.DefinedPage {
	var at, size string
	cursor := false
	for _, p := range m.http.Parameters {
		if p.In != "query" && p.In != "body" || p.Argument == "" {
			continue
		}
		name := bareKey(or(p.As, p.Argument))
		switch {
		case slices.Contains(cursorNames, name):
			at, cursor = p.Argument, true
		case slices.Contains(numberNames, name) && at == "":
			at = p.Argument
		case slices.Contains(sizeNames, name) && size == "":
			size = p.Argument
		}
	}
	if at == "" || size == "" && !cursor {
		return nil
	}
	page := &catalog.DefinedPage{At: at, Size: size}
	if cursor {
		page.Next = m.nextCursor(answer)
	}
	return page
}

// nextCursor finds where an answer says the next cursor: at its root or one level below.
func (m *toolMaker) nextCursor(answer any) string {
	w := m.writer(ofResponse)
	properties := object(w.flatten(answer, 0).n, "properties")
	for _, name := range sortedKeys(properties) {
		if slices.Contains(nextNames, bareKey(name)) && m.isText(properties[name]) {
			return name
		}
	}
	for _, home := range sortedKeys(properties) {
		if !slices.Contains(nextHomes, bareKey(home)) {
			continue
		}
		inner := object(w.flatten(properties[home], 0).n, "properties")
		for _, name := range sortedKeys(inner) {
			bare := bareKey(name)
			if (slices.Contains(nextNames, bare) || bare == "next" || bare == "after") && m.isText(inner[name]) && !strings.Contains(name, ".") && !strings.Contains(home, ".") {
				return home + "." + name
			}
		}
	}
	return ""
}

// isText tells a cursor from a link to the next page, which is no cursor.
func (m *toolMaker) isText(v any) bool {
	n := m.doc.derefNode(v)
	format := text(n, "format")
	kind := typeOf(n)
	return (kind == "string" || kind == "integer") && format != "uri" && format != "url"
}
