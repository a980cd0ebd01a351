package openapi

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

var (
	numberedName = regexp.MustCompile(`^[a-z]+_?\d*$`)
	hexWord      = regexp.MustCompile(`^[0-9a-f]{8,}$`)
	springMethod = regexp.MustCompile(`(?i)Using(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)(_\d+)?$`)
)

// namer gives the tools of one toolkit their slugs.
type namer struct {
	prefix string // ACME_
	taken  map[string]bool
	own    []string        // words of the toolkit's name, which names of tools need not repeat
	ids    map[string]bool // operation ids that are there more than once: these say nothing

	known   map[string][]*catalog.DefinedTool // of the last import, by method and path
	bySlug  map[string]*catalog.DefinedTool
	present map[string]int                // operations of this import, by method and path
	found   map[*catalog.DefinedTool]bool // of the last import, those that are operations of this one
}

func newNamer(toolkit string) *namer {
	return &namer{prefix: strings.ToUpper(toolkit) + "_", taken: map[string]bool{}, own: strings.Split(toolkit, "_"), ids: map[string]bool{}}
}

// slug names an operation. Names do not depend on the order of the operations, unless two want the same.
func (n *namer) slug(op *operation) string {
	words := n.words(op)
	limit := wording.MaxToolSlug - len(n.prefix)
	slug := n.prefix + strings.ToUpper(wording.Fit(words, limit, op.key()))
	if n.taken[slug] {
		slug = n.prefix + strings.ToUpper(wording.WithDigest(strings.Join(words, "_"), limit, op.key()))
	}
	for i := 2; n.taken[slug]; i++ { // two operations with the same method and path, or the same digest
		slug = n.prefix + strings.ToUpper(wording.WithDigest(strings.Join(words, "_"), limit, op.key()+strings.Repeat("#", i)))
	}
	n.taken[slug] = true
	return slug
}

// words are those of the operation's id, or of its method and path where the id says nothing.
func (n *namer) words(op *operation) []string {
	if words := n.idWords(op); words != nil {
		return words
	}
	return pathWords(op.method, op.path)
}

func (n *namer) idWords(op *operation) []string {
	id := springMethod.ReplaceAllString(op.id, "")
	if id == "" || n.ids[op.id] || strings.Count(id, "/") > 3 {
		return nil
	}
	words := n.without(wording.SplitWords(id))
	words = slices.DeleteFunc(words, func(w string) bool { return hexWord.MatchString(w) || w == "controller" })
	words = slices.Compact(words)
	name := strings.Join(words, "_")
	if len(name) < 3 || len(words) > 12 || name == strings.ToLower(op.method) || vagueIDs[strings.TrimRight(name, "_0123456789")] && numberedName.MatchString(name) {
		return nil
	}
	return words
}

// vagueIDs are ids that generators and authors without ideas give.
var vagueIDs = map[string]bool{
	"operation": true, "op": true, "get": true, "post": true, "put": true, "patch": true, "delete": true, "head": true, "options": true,
	"request": true, "endpoint": true, "api": true, "route": true, "call": true, "method": true, "index": true, "main": true,
	"root": true, "unnamed": true, "undefined": true, "null": true, "none": true, "action": true, "invoke": true,
}

// without takes the toolkit's own name and versions from the front of a name.
func (n *namer) without(words []string) []string {
	rest := words
	for len(rest) > 1 && (slices.Contains(n.own, rest[0]) && len(rest[0]) > 2 || wording.IsVersion(rest[0]) || rest[0] == "api") {
		rest = rest[1:]
	}
	if len(rest) == 1 && len(words) > 1 && len(rest[0]) < 3 {
		return words
	}
	return rest
}

// pathWords names an operation by its method and path: GET /v1/repos/{id}/issues is get_repos_issues, and with an {id} at its end
// get_repos_issues_by_id.
func pathWords(method, path string) []string {
	words := []string{strings.ToLower(method)}
	if method == "POST" {
		words[0] = "create"
	} else if method == "PUT" || method == "PATCH" {
		words[0] = "update"
	}
	path, _, _ = strings.Cut(path, "?")
	var last string
	for _, segment := range strings.Split(path, "/") {
		last = ""
		bare := placeholder.ReplaceAllString(segment, "")
		for _, w := range wording.SplitWords(bare) {
			if !wording.IsVersion(w) && w != "api" {
				words = append(words, w)
			}
		}
		if m := placeholder.FindStringSubmatch(segment); m != nil {
			last = m[1]
		}
	}
	if by := wording.SplitWords(last); len(by) > 0 {
		words = append(append(words, "by"), by...)
	}
	if len(words) == 1 {
		words = append(words, "root")
	}
	return words
}
