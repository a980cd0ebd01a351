package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// row is one row of a result: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// micros is how a time is stored: microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment scans what micros stored, in UTC.
type moment struct{ t *time.Time }

func at(t *time.Time) sql.Scanner { return moment{t} }

// Scan implements sql.Scanner.
func (m moment) Scan(value any) error {
	stored, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	if *m.t = (time.Time{}); stored != 0 {
		*m.t = time.UnixMicro(stored).UTC()
	}
	return nil
}

// document stores a value as JSON text, and scans it back when it holds a pointer.
type document struct{ value any }

func asJSON(value any) document { return document{value} }

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	text, err := json.Marshal(d.value)
	return string(text), err
}

// Scan implements sql.Scanner.
func (d document) Scan(value any) error {
	switch stored := value.(type) {
	case string:
		return json.Unmarshal([]byte(stored), d.value)
	case []byte:
		return json.Unmarshal(stored, d.value)
	default:
		return fmt.Errorf("a document is stored as %T", value)
	}
}

// orNull stores an empty text as NULL, which is what a foreign key needs for "none".
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// text scans a text that may be NULL.
type text struct{ s *string }

// Scan implements sql.Scanner.
func (t text) Scan(value any) error {
	var nullable sql.NullString
	err := nullable.Scan(value)
	*t.s = nullable.String
	return err
}
