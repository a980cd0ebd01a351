package catalog

import (
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Tool is one callable, as declared. It is immutable once it is in a Snapshot.
//
// What lists, filters and search read is in the tool itself; what only a call or a description needs is in its Detail, which
// is kept elsewhere for the many tools of an imported catalog.
type Tool struct {
	Slug        string   // GITHUB_CREATE_AN_ISSUE
	Aliases     []string // older names that still resolve, in full: GITHUB_CREATE_ISSUE
	Name        string   // title for people: "Create an issue"
	Description string   // for a model: when to use it, what it needs, what it returns
	Toolkit     *Toolkit
	Hints       Hints
	Important   bool
	NoAuth      bool
	Deprecated  bool
	FileInputs  bool
	Scopes      Scopes
	Held        *Detail // nil: it is not held in memory; ask Detail

	number int32 // place among the tools of its toolkit's packed form
}

// Detail is what is needed to run a tool and to describe it in full. It is immutable.
type Detail struct {
	Input    Schema // arguments, a normalised JSON Schema object
	Output   Schema // the whole answer: {data, error, successful}
	Pitfalls []string
	Before   []string // slugs of tools that usually come first (they find the ids this one needs)
	After    []string // slugs of tools that naturally follow
	Example  map[string]any

	Request  Request
	Result   Result
	Page     *Page
	Advice   map[int]string // what an upstream status means for this tool and how to mend it; goes before the toolkit's
	Refusals []Refusal      // what no schema can say about the arguments

	Err error // why the rest could not be read: such a tool is listed and cannot be run
}

// Detail gives what is needed to run and describe the tool, from memory or from where it is kept. Take it once per call.
func (t *Tool) Detail() *Detail {
	if t.Held != nil {
		return t.Held
	}
	if t.Toolkit == nil || t.Toolkit.packed == nil {
		return noDetail
	}
	return t.Toolkit.packed.detail(t)
}

var noDetail = &Detail{}

// Refusal refuses arguments that a schema lets through, for example when one of two is needed.
type Refusal struct {
	When *mapping.Expr // true for arguments that are refused; sees the arguments only
	Say  string        // to the caller: what is wrong and how to mend it
}

// Schema is a JSON Schema in the form we serve it: normalised so that the SDKs and the model vendors accept it
// (contract section 19.1). The bytes are made once; do not change them.
type Schema struct{ JSON json.RawMessage }

// Hints tell a client what a call does. At least one of the first four is set.
type Hints struct {
	Read, Create, Update, Destructive bool
	Idempotent                        bool // repeating it changes nothing more: the runner may retry it
	ClosedWorld                       bool // touches nothing outside this server
}

// Scopes are what a grant must hold: all of All, and one of each group in Any.
type Scopes struct {
	All []string
	Any [][]string
}

// The wire tags.
const (
	TagImportant   = "important"
	TagRead        = "readOnlyHint"
	TagCreate      = "createHint"
	TagUpdate      = "updateHint"
	TagDestructive = "destructiveHint"
	TagIdempotent  = "idempotentHint"
	TagOpenWorld   = "openWorldHint"
)

// Tags gives the wire tags of a tool: the behaviour hints, and "important" where it is set. Do not change the slice.
func (t *Tool) Tags() []string {
	set := 0
	for i, on := range [...]bool{
		t.Important, t.Hints.Read, t.Hints.Create, t.Hints.Update, t.Hints.Destructive, t.Hints.Idempotent, !t.Hints.ClosedWorld,
	} {
		if on {
			set |= 1 << i
		}
	}
	return tagSets[set]
}

// tagSets are all lists of tags that a tool can have, by the set of those that are on: a hundred thousand tools share them.
var tagSets = func() (sets [1 << 7][]string) {
	order := [...]string{TagImportant, TagRead, TagCreate, TagUpdate, TagDestructive, TagIdempotent, TagOpenWorld}
	for set := range sets {
		sets[set] = make([]string, 0, len(order))
		for i, tag := range order {
			if set&(1<<i) != 0 {
				sets[set] = append(sets[set], tag)
			}
		}
	}
	return sets
}()

// Refuse gives what is wrong with arguments that the schema let through; empty when they are good.
func (d *Detail) Refuse(env *mapping.Env) ([]string, error) {
	var problems []string
	for _, c := range d.Refusals {
		bad, err := c.When.True(env)
		if err != nil {
			return nil, err
		}
		if bad {
			problems = append(problems, c.Say)
		}
	}
	return problems, nil
}
