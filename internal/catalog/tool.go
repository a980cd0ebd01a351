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

	Request Request
	Result  Result
	Page    *Page
}

// Schema is a JSON Schema in the form we serve it: normalised so that the SDKs and the model vendors accept it
// (contract section 19.1).
type Schema struct{ JSON json.RawMessage }

// Hints tell a client what a call does. At least one of the first four is set.
type Hints struct {
	Read, Create, Update, Destructive bool
	Idempotent                        bool // repeating it changes nothing more: the runner may retry it
	ClosedWorld                       bool // touches nothing outside this server
}

// Tags gives the wire tags of a tool: the behaviour hints, and "important" where it is set.
func (t *Tool) Tags() []string {
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

// Scopes are what a grant must hold: all of All, and one of each group in Any.
type Scopes struct {
	All []string
	Any [][]string
}

// Request says how arguments become a request. Exactly one kind is set.
type Request struct {
	HTTP    *HTTPRequest
	GraphQL *GraphQLRequest
	Native  string // name of a function of this server, for example "current_time"
}

// HTTPRequest maps arguments to one HTTP request. Arguments that nothing names go to the query for GET, HEAD and DELETE
// and to the JSON body otherwise, so that the common case needs no mapping at all.
type HTTPRequest struct {
	Method  string
	Path    *mapping.Text // "/repos/{owner}/{repo}/issues": arguments in the path are percent-encoded
	Rest    string        // where unnamed arguments go: "query", "body" or "none"
	Query   map[string]*mapping.Expr
	Headers map[string]*mapping.Expr
	Body    *mapping.Tree     // nil: the unnamed arguments
	Rename  map[string]string // argument -> the provider's name, for unnamed arguments
	Form    bool              // application/x-www-form-urlencoded instead of JSON
	BaseURL *mapping.Text     // overrides the toolkit's, for APIs spread over hosts
}

// GraphQLRequest maps arguments to one GraphQL operation.
type GraphQLRequest struct {
	Path      string // of the endpoint, below the toolkit's base URL
	Query     string
	Variables *mapping.Tree // nil: the arguments themselves
	QueryFrom *mapping.Expr // for tools that let the caller bring the query
}

// Result says how the upstream's answer becomes data.
type Result struct {
	Root   string        // dotted path of the part that matters; empty: the whole body
	Wrap   string        // member that the part is put under, so that data is always an object ("details" for lists)
	Shape  *mapping.Tree // nil: as it came
	Status *mapping.Tree // data to answer when there is no body (204)
}

// Page says how a list is continued, so that the answer can carry the next cursor plainly.
type Page struct {
	Style string // "page", "cursor", "offset", "link"
	Size  string // argument that holds the page size
	Max   int
	At    string        // argument that holds the page or the cursor
	Next  *mapping.Expr // where the answer says the next cursor
}
