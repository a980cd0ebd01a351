package patchbay

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"` // empty at the end
	TotalItems int    `json:"total_items"` // over all pages
}

// list fetches one page.
func list[T any](ctx context.Context, t *transport, path string, query url.Values) (Page[T], error) {
	var page Page[T]
	err := t.get(ctx, path, query, &page)
	return page, err
}

// all goes through a list from its first page to its last. It stops at the first error, which comes with a zero item.
func all[T any](ctx context.Context, t *transport, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := list[T](ctx, t, path, query)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			query.Set("cursor", page.NextCursor)
		}
	}
}

// collect gathers what an iterator yields.
func collect[T any](items iter.Seq2[T, error]) ([]T, error) {
	var list []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

// queryOf builds a query from name and value pairs, leaving out empty values.
func queryOf(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}

func comma(values []string) string { return strings.Join(values, ",") }

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
