package store

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// conditions are the WHERE of a list. Conditions write ? for an argument; it becomes the next $n.
type conditions struct {
	text string
	args []any
}

// and adds a condition.
func (c *conditions) and(condition string, args ...any) {
	joiner := " WHERE "
	if c.text != "" {
		joiner = " AND "
	}
	parts := strings.Split(condition, "?")
	c.text += joiner + parts[0]
	for i, part := range parts[1:] {
		c.args = append(c.args, args[i])
		c.text += "$" + strconv.Itoa(len(c.args)) + part
	}
}

// in adds "column is one of values"; no values, no condition.
func in[T ~string](c *conditions, column string, values []T) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	switch len(values) {
	case 0:
	case 1: // so that an index over this column and the order gives the order too
		c.and(column+" = ?", args...)
	default:
		c.and(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
	}
}

// contains adds "one of the columns contains the text", whatever the case; no text, no condition.
func (c *conditions) contains(text string, columns ...string) {
	if text == "" {
		return
	}
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text)) + "%"
	parts := make([]string, len(columns))
	args := make([]any, len(columns))
	for i, column := range columns {
		parts[i], args[i] = "LOWER("+column+") LIKE ? ESCAPE '!'", pattern
	}
	c.and("("+strings.Join(parts, " OR ")+")", args...)
}

// listing is one page of one list.
type listing[T any] struct {
	columns   string
	from      string
	where     conditions
	order     string // the column that the list is ordered by; a second key makes the order total
	tie       string // that second key
	ascending bool
	limit     int // 0: all
	cursor    string
	scan      func(row) (T, error)
	key       func(T) (order int64, tie string)
}

// list reads a page, and counts the rows of all pages.
func list[T any](ctx context.Context, s *Store, l listing[T]) ([]T, connect.Page, error) {
	var page connect.Page
	counting := "SELECT COUNT(*) FROM " + l.from + l.where.text
	if err := s.db.listReader().QueryRowContext(ctx, counting, l.where.args...).Scan(&page.Total); err != nil {
		return nil, page, err
	}
	direction, beyond := " DESC", " < "
	if l.ascending {
		direction, beyond = " ASC", " > "
	}
	if l.cursor != "" {
		order, tie, err := parseCursor(l.cursor)
		if err != nil {
			return nil, page, err
		}
		l.where.and("("+l.order+", "+l.tie+")"+beyond+"(?, ?)", order, tie)
	}
	query := "SELECT " + l.columns + " FROM " + l.from + l.where.text +
		" ORDER BY " + l.order + direction + ", " + l.tie + direction
	if l.limit > 0 {
		query += " LIMIT " + strconv.Itoa(l.limit+1) // one more tells whether there is a next page
	}
	items, err := collect(ctx, s.db.listReader(), l.scan, query, l.where.args...)
	if err != nil {
		return nil, page, err
	}
	if l.limit > 0 && len(items) > l.limit {
		items = items[:l.limit]
		page.Next = formatCursor(l.key(items[l.limit-1]))
	}
	return items, page, nil
}

// collect runs a query and scans all of its rows.
func collect[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return collectUntil(ctx, q, scan, func(T) bool { return false }, query, args...)
}

// collectUntil gives the rows of a query up to and with the first that is enough.
func collectUntil[T any](ctx context.Context, q queryer, scan func(row) (T, error), enough func(T) bool, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if enough(item) {
			break
		}
	}
	return items, rows.Err()
}

// formatCursor makes the cursor of the page that follows a row: its keys, in a form that nobody is tempted to make up.
func formatCursor(order int64, tie string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(order, 36) + "." + tie))
}

func parseCursor(cursor string) (order int64, tie string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	first, tie, found := strings.Cut(string(raw), ".")
	if err == nil && found {
		order, err = strconv.ParseInt(first, 36, 64)
	}
	if err != nil || !found {
		return 0, "", fault.New(fault.Invalid, fault.SlugInvalid, "The cursor is not one that this server gave out.").
			WithFix("Pass next_cursor of the previous page unchanged, or none for the first page.")
	}
	return order, tie, nil
}
