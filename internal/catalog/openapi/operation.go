package openapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// operation is one of the description, read but not yet a tool.
type operation struct {
	method, path string
	id           string
	tags         []string
	n            node
	shared       node // what its path says for all its operations
	params       []parameter
	order        int // place in the description

	raw []byte // of its path's item; n, shared and params are read of it when they are needed
}

// maxPath bounds a path, in bytes; real ones stay below 500.
const maxPath = 2_000

// unfit says why no tool can be made of an operation, whatever it describes; empty when one can.
func (op *operation) unfit() string {
	switch {
	case op.method == "TRACE":
		return "TRACE only echoes requests"
	case len(op.path) > maxPath:
		return fmt.Sprintf("its path has %d characters", len(op.path))
	case !wording.Printable(op.path):
		return "its path has characters that cannot be seen"
	}
	return ""
}

// key identifies an operation for good, whatever it is called.
func (op *operation) key() string { return op.method + " " + op.path }

// lean drops what can be read again: thousands of decoded operations take more memory than their text.
func (op *operation) lean() { op.n, op.shared, op.params = nil, nil, nil }

// read decodes an operation again.
func (i *importer) read(op *operation) {
	op.shared, _ = i.doc.pathItem(i.doc.decode(op.raw))
	op.n, _ = i.doc.operationNode(op.shared[strings.ToLower(op.method)])
	op.params = i.doc.parameters(op, i.report)
}

// methods of operations; of trace no tool is made.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "trace"}

// placeholder is a part of a path that a parameter fills. Some write {+name} or {name*} or {name:pattern} for one with slashes.
var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// eachOperation reads the paths, in the order of the description.
func (d *document) eachOperation(f func(op *operation, problem string) error) error {
	var failed error
	order := 0
	eachMember(d.sections["paths"], func(path string, raw []byte) bool {
		if strings.HasPrefix(path, "x-") {
			return true
		}
		item, problem := d.pathItem(d.decode(raw))
		for _, method := range methods {
			v, there := item[method]
			if !there {
				continue
			}
			order++
			op := &operation{method: strings.ToUpper(method), path: path, shared: item, order: order, raw: raw}
			if n, why := d.operationNode(v); n != nil {
				op.n, op.id = n, text(n, "operationId")
				op.tags = texts(n["tags"])
			} else {
				problem = why
			}
			if failed = f(op, problem); failed != nil {
				return false
			}
		}
		return true
	})
	return failed
}

func (d *document) pathItem(v any) (item node, problem string) {
	n := asNode(v)
	if _, is := n["$ref"].(string); !is {
		return n, ""
	}
	if target := d.derefNode(n); target != nil {
		return target, ""
	}
	return n, "it is described in another document, which is not read"
}

func (d *document) operationNode(v any) (n node, problem string) {
	if n = d.derefNode(v); n != nil {
		return n, ""
	}
	if asNode(v)["$ref"] != nil {
		return nil, "it is described elsewhere, in a place that cannot be read"
	}
	return nil, "its description is not an object"
}

// hints tell what a call does, from its method and its wording.
func (op *operation) hints(words []string) catalog.Hints {
	verb := verbOf(words)
	switch op.method {
	case "DELETE":
		return catalog.Hints{Destructive: true, Idempotent: true}
	case "PUT":
		return catalog.Hints{Update: true, Idempotent: true}
	case "PATCH":
		return catalog.Hints{Update: true}
	case "POST":
		switch verb {
		case reads:
			return catalog.Hints{Read: true}
		case destroys:
			return catalog.Hints{Destructive: true}
		case updates:
			return catalog.Hints{Update: true}
		}
		return catalog.Hints{Create: true}
	}
	switch verb { // there are APIs that change things by GET
	case destroys:
		return catalog.Hints{Destructive: true}
	case creates:
		return catalog.Hints{Create: true}
	case updates:
		return catalog.Hints{Update: true}
	}
	return catalog.Hints{Read: true, Idempotent: true}
}

type effect uint8

const (
	unknown effect = iota
	reads
	creates
	updates
	destroys
)

var verbs = map[effect][]string{
	reads:    {"search", "query", "list", "find", "lookup", "count", "describe", "get", "fetch", "retrieve", "read", "batchget", "show", "view"},
	creates:  {"create", "add", "insert", "send", "post", "upload", "publish", "register", "invite", "import", "submit", "start", "run", "trigger"},
	updates:  {"update", "edit", "set", "modify", "replace", "rename", "move", "enable", "disable", "patch", "put", "archive", "unarchive", "approve", "reject", "assign", "restore", "mark"},
	destroys: {"delete", "remove", "destroy", "purge", "revoke", "cancel", "terminate", "erase", "drop", "clear", "uninstall", "wipe", "kill"},
}

// verbOf finds what the first or the last word of a name says that the operation does: deleteUser, users.delete.
func verbOf(words []string) effect {
	if len(words) == 0 {
		return unknown
	}
	for _, word := range []string{words[0], words[len(words)-1]} {
		for _, e := range []effect{destroys, reads, updates, creates} {
			if slices.Contains(verbs[e], word) {
				return e
			}
		}
	}
	return unknown
}

// title is for people: the summary, or the words of the name.
func (op *operation) title(words []string) string {
	s := wording.Clean(text(op.n, "summary"))
	s, _, _ = strings.Cut(s, "\n")
	if s = strings.TrimRight(wording.Shorten(s, wording.MaxTitle), "."); s == "" {
		s = wording.Shorten(strings.Join(words, " "), wording.MaxTitle)
	}
	return wording.Capitalised(s)
}

// describe is for a model: what the description says, in its first sentences.
func (op *operation) describe(title, toolkit string) string {
	summary, details := wording.Clean(text(op.n, "summary")), wording.Clean(text(op.n, "description"))
	s := details
	switch {
	case details == "":
		s = summary
	case summary != "" && !strings.HasPrefix(strings.ToLower(details), strings.ToLower(strings.TrimRight(summary, "."))):
		s = wording.Sentence(summary) + "\n" + details
	}
	if len(s) < 20 {
		s = strings.TrimSpace(wording.Sentence(or(s, title)) + " (" + op.method + " " + wording.Clip(op.path, 120) + " of " + toolkit + ")")
	}
	if isTrue(op.n, "deprecated") && !strings.Contains(strings.ToLower(s), "deprecated") {
		s = "Deprecated. " + s
	}
	return wording.Shorten(s, wording.MaxDescription)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
