package api

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// pageResponse is one page of a list (API contract section 3.2).
type pageResponse[T any] struct {
	Items []T `json:"items"`
	pageInfo
}

type pageInfo struct {
	NextCursor  *string `json:"next_cursor"`
	TotalPages  int     `json:"total_pages"`
	CurrentPage int     `json:"current_page"`
	TotalItems  int     `json:"total_items"`
}

// cursor is what an opaque cursor of ours holds: the number of the page it opens, and where that begins. Stored lists begin
// at a key that only the store understands; lists in memory begin at an offset.
type cursor struct {
	page int
	from string
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(c.page) + ":" + c.from))
}

// parseCursor reads a cursor that an earlier page gave out; no cursor opens the first page.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{page: 1}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	number, from, found := strings.Cut(string(raw), ":")
	page, numberErr := strconv.Atoi(number)
	if err != nil || !found || numberErr != nil || page < 2 || from == "" || textProblem(from) != "" {
		return cursor{}, badCursor()
	}
	return cursor{page: page, from: from}, nil
}

func badCursor() error {
	return fault.New(fault.Invalid, fault.SlugInvalid, "cursor: this is not a cursor that a page of this list gave out.").
		WithFix("Pass next_cursor of the page before as it came, or leave cursor out to begin anew.").
		WithDetails("cursor: not a cursor of this list")
}

// infoOf describes a page of a stored list.
func infoOf(at cursor, size int, p connect.Page) pageInfo {
	info := pageInfo{TotalPages: pages(p.Total, size), CurrentPage: at.page, TotalItems: p.Total}
	if p.Next != "" {
		next := cursor{page: at.page + 1, from: p.Next}.String()
		info.NextCursor = &next
	}
	return info
}

// slice cuts one page out of a list that is in memory as a whole.
func slice[T any](all []T, at cursor, size int) ([]T, pageInfo, error) {
	offset := 0
	if at.from != "" {
		var err error
		if offset, err = strconv.Atoi(at.from); err != nil || offset < 0 {
			return nil, pageInfo{}, badCursor()
		}
	}
	offset = min(offset, len(all)) // the list may have become shorter since
	end := min(offset+size, len(all))
	next := ""
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[offset:end], infoOf(at, size, connect.Page{Next: next, Total: len(all)}), nil
}

// mapped turns each item of a list into its wire form.
func mapped[T, W any](items []T, wire func(T) W) []W {
	out := make([]W, len(items))
	for i, item := range items {
		out[i] = wire(item)
	}
	return out
}

// pages gives the number of pages, at least one: an empty list is one empty page.
func pages(total, size int) int { return max(1, (total+size-1)/size) }
