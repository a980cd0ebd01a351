package mapping

import (
	"fmt"
	"time"
)

// Env is what expressions see when they are evaluated. Its contents are only read; a result may share parts of them.
type Env struct {
	Input  map[string]any    // the call's arguments, after coercion: JSON values with numbers as int, int64 or float64
	Fields map[string]string // the account's connection fields
	Steps  map[string]any    // results of the steps that ran before, by name; a skipped step has none
	Item   any               // the element at hand, in a step that runs for each of a list
	Cursor any               // where the list goes on, in a step that repeats; nil the first time
	Body   any               // the upstream's decoded answer (see DecodeJSON); nil while a request is built
	Status int               // HTTP status of the answer
	Header map[string]string // of the answer, names in lower case
	Now    time.Time         // zero: the clock's
}

// Scope declares what an expression may name, so that a typo fails when the expression is compiled.
type Scope struct {
	Input    []string // argument names
	AnyInput bool     // arguments are not known beforehand: any name goes
	Fields   []string // connection fields
	Steps    []string
	Item     bool
	Cursor   bool
	Answer   bool // body, status and header are there
}

// Error is a fault in a declaration.
type Error struct {
	Line    int // in the file that the declaration came from; 0 when unknown
	Message string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Message)
}

func errorAt(line int, format string, args ...any) *Error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

// File is a file on its way in or out. An argument of type "file" is one in Env.Input (the runner has fetched its content
// by then); an expression makes one with file(name, mimetype, data), and the runner stores it and puts a link in its place.
type File struct {
	Name     string `expr:"name"`
	MIMEType string `expr:"mimetype"`
	Data     []byte `expr:"data"`
}
