package catalog

import (
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Tool is one callable, as declared. It is immutable once it is in a Snapshot.
type Tool struct {
	Slug        string   // GITHUB_CREATE_AN_ISSUE
	Aliases     []string // older names that still resolve, in full: GITHUB_CREATE_ISSUE
	Name        string   // title for people: "Create an issue"
	Description string   // for a model: when to use it, what it needs, what it returns
	Toolkit     *Toolkit
	Version     string
	Hints       Hints
	Important   bool
	NoAuth      bool
	Deprecated  bool
	Scopes      Scopes
	Input       Schema // arguments, a normalised JSON Schema object
	Output      Schema // the whole answer: {data, error, successful}
	Pitfalls    []string
	Before      []string // slugs of tools that usually come first (they find the ids this one needs)
	After       []string // slugs of tools that naturally follow
	Example     map[string]any
	FileInputs  bool

	Request  Request
	Result   Result
	Page     *Page
	Advice   map[int]string // what an upstream status means for this tool and how to mend it; goes before the toolkit's
	Refusals []Refusal      // what no schema can say about the arguments

	tags []string
}

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
	if t.tags != nil {
		return t.tags
	}
	return t.makeTags()
}

func (t *Tool) makeTags() []string {
	tags := make([]string, 0, 4)
	add := func(on bool, tag string) {
		if on {
			tags = append(tags, tag)
		}
	}
	add(t.Important, TagImportant)
	add(t.Hints.Read, TagRead)
	add(t.Hints.Create, TagCreate)
	add(t.Hints.Update, TagUpdate)
	add(t.Hints.Destructive, TagDestructive)
	add(t.Hints.Idempotent, TagIdempotent)
	add(!t.Hints.ClosedWorld, TagOpenWorld)
	return tags
}

// Refuse gives what is wrong with arguments that the schema let through; empty when they are good.
func (t *Tool) Refuse(env *mapping.Env) ([]string, error) {
	var problems []string
	for _, c := range t.Refusals {
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
