package search

import "github.com/patchbay-dev/patchbay/internal/catalog"

// Query is one request.
type Query struct {
	Text      string                    // the use case in plain words
	Known     string                    // "key:value, key:value" facts the caller already has
	Allow     func(*catalog.Tool) bool  // nil: all
	Connected func(toolkit string) bool // prefers toolkits whose account is connected; nil: no preference
	Limit     int                       // 0: 10
}

// Hit is one ranked tool.
type Hit struct {
	Tool  *catalog.Tool
	Score float64 // comparable within one answer only
	Named bool    // the query names the tool's toolkit
}

// Index is immutable and belongs to one snapshot.
type Index struct{}

// Build makes the index of a snapshot.
func Build(s *catalog.Snapshot) *Index { panic("search: being written") }

// Search gives the best tools, best first; empty when nothing fits.
func (x *Index) Search(q Query) []Hit { panic("search: being written") }

// Toolkits ranks toolkits by name, alias and description, for list filters.
func (x *Index) Toolkits(text string) []*catalog.Toolkit { panic("search: being written") }
