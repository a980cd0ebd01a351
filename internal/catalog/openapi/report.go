package openapi

import (
	"fmt"
	"io"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// Report says what an import made of a description, and what it left out and why.
type Report struct {
	Source     string    `json:"source,omitempty"`
	Title      string    `json:"title"`
	Operations int       `json:"operations"` // in the description
	Tools      int       `json:"tools"`      // made of them
	Filtered   int       `json:"filtered"`   // left out because the filter says so
	LeftOut    []LeftOut `json:"left_out"`   // left out because no tool can be made of them
	Notes      []string  `json:"notes"`      // what else a person should know, each in a sentence or two

	AuthUnknown bool `json:"auth_unknown,omitempty"` // it is not said how accounts are connected, so calls go without a credential
}

// LeftOut is an operation of which no tool was made.
type LeftOut struct {
	Method      string `json:"method"`
	Path        string `json:"path"`
	OperationID string `json:"operation_id,omitempty"`
	Reason      string `json:"reason"`
}

// maxNotes bounds the notes: a hundred of them are read by nobody, and a description may be made to bring about a million.
const maxNotes = 100

// note adds a sentence once.
func (r *Report) note(format string, args ...any) {
	switch s := fmt.Sprintf(format, args...); {
	case len(r.Notes) > maxNotes || slices.Contains(r.Notes, s):
	case len(r.Notes) == maxNotes:
		r.Notes = append(r.Notes, "There is more to say of the same sort.")
	default:
		r.Notes = append(r.Notes, s)
	}
}

// leaveOut says that no tool is made of an operation. Names that nobody could read are shortened.
func (r *Report) leaveOut(op *operation, reason string) {
	r.LeftOut = append(r.LeftOut, LeftOut{
		Method: op.method, Path: wording.Label(op.path, 200), OperationID: wording.Label(op.id, 200), Reason: reason,
	})
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d of %d operations became tools", r.Title, r.Tools, r.Operations)
	if r.Filtered > 0 {
		fmt.Fprintf(w, ", %d were filtered out", r.Filtered)
	}
	fmt.Fprintln(w)
	for _, l := range r.LeftOut {
		fmt.Fprintf(w, "  left out: %s %s: %s\n", l.Method, l.Path, l.Reason)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
}
