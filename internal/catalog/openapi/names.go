package openapi

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Limits of names. Model vendors refuse names of tools over 64 characters.
const (
	maxToolkitSlug = 30
	maxToolSlug    = 64
	maxArgumentKey = 64
)

// ToolkitSlug makes a slug of a name or a title: "Swagger Petstore - OpenAPI 3.0" is swagger_petstore.
func ToolkitSlug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(strings.TrimSuffix(name, ".com")), func(r rune) bool { // "GitHub" is one word
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	kept := words[:0:0]
	for _, w := range words {
		if noise[w] || versionWord.MatchString(w) && len(kept) > 0 {
			continue
		}
		kept = append(kept, w)
	}
	if len(kept) == 0 {
		kept = words
	}
	slug := fit(kept, maxToolkitSlug, name)
	if slug == "" {
		slug = "api_" + digest(name)
	}
	if slug[0] >= '0' && slug[0] <= '9' {
		slug = clip("api_"+slug, maxToolkitSlug)
	}
	return strings.ToLower(slug)
}

// noise are words of titles that say nothing about which API it is.
var noise = map[string]bool{
	"api": true, "apis": true, "rest": true, "restful": true, "openapi": true, "swagger": true, "http": true, "https": true,
	"the": true, "documentation": true, "docs": true, "specification": true, "spec": true, "reference": true, "definition": true,
	"public": true, "web": true, "json": true, "for": true, "of": true, "and": true, "v": true,
}

var (
	versionWord  = regexp.MustCompile(`^(v\d+([a-z]+\d*)?|\d+|v)$`)
	numberedName = regexp.MustCompile(`^[a-z]+_?\d*$`)
	hexWord      = regexp.MustCompile(`^[0-9a-f]{8,}$`)
	springMethod = regexp.MustCompile(`(?i)Using(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)(_\d+)?$`)
)

// stopWords may be left out of a name that is too long.
var stopWords = map[string]bool{"the": true, "a": true, "an": true, "of": true, "for": true, "with": true, "and": true, "in": true, "to": true, "on": true, "from": true}

// fit joins words to a name of at most limit characters: stop words go first, then repeated ones; what is still too long is cut
// and ends in a digest of the key, so that names stay apart.
func fit(words []string, limit int, key string) string {
	name := strings.Join(words, "_")
	if len(name) <= limit {
		return name
	}
	seen := map[string]bool{}
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		again := seen[w]
		seen[w] = true
		return again || stopWords[w]
	})
	if name = strings.Join(words, "_"); len(name) <= limit {
		return name
	}
	return withDigest(name, limit, key)
}

// withDigest ends a name in a digest of the key, within a limit.
func withDigest(name string, limit int, key string) string {
	return clip(name, limit-digestLength-1) + "_" + digest(key)
}

const digestLength = 4

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])[:digestLength]
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := s[:limit]
	if i := strings.LastIndexByte(cut, '_'); i > limit*2/3 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, "_")
}

// namer gives the tools of one toolkit their slugs.
type namer struct {
	prefix string // ACME_
	taken  map[string]bool
	own    []string        // words of the toolkit's name, which names of tools need not repeat
	ids    map[string]bool // operation ids that are there more than once: these say nothing

	known  map[string]*catalog.DefinedTool // of the last import, by method and path
	bySlug map[string]*catalog.DefinedTool
}

func newNamer(toolkit string) *namer {
	return &namer{prefix: strings.ToUpper(toolkit) + "_", taken: map[string]bool{}, own: strings.Split(toolkit, "_"), ids: map[string]bool{}}
}

// slug names an operation. Names do not depend on the order of the operations, unless two want the same.
func (n *namer) slug(op *operation) string {
	words := n.words(op)
	limit := maxToolSlug - len(n.prefix)
	slug := n.prefix + strings.ToUpper(fit(words, limit, op.key()))
	if n.taken[slug] {
		slug = n.prefix + strings.ToUpper(withDigest(strings.Join(words, "_"), limit, op.key()))
	}
	for i := 2; n.taken[slug]; i++ { // two operations with the same method and path, or the same digest
		slug = n.prefix + strings.ToUpper(withDigest(strings.Join(words, "_"), limit, op.key()+strings.Repeat("#", i)))
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
	words := n.without(splitWords(id))
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
	for len(rest) > 1 && (slices.Contains(n.own, rest[0]) && len(rest[0]) > 2 || versionWord.MatchString(rest[0]) || rest[0] == "api") {
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
		for _, w := range splitWords(bare) {
			if !versionWord.MatchString(w) && w != "api" {
				words = append(words, w)
			}
		}
		if m := placeholder.FindStringSubmatch(segment); m != nil {
			last = m[1]
		}
	}
	if by := splitWords(last); len(by) > 0 {
		words = append(append(words, "by"), by...)
	}
	if len(words) == 1 {
		words = append(words, "root")
	}
	return words
}

// argumentKey makes a name that models may use and expressions can name: letters, digits and _, beginning with a letter.
func argumentKey(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	key := strings.TrimRight(b.String(), "_")
	switch {
	case key == "":
		key = "value"
	case key[0] >= '0' && key[0] <= '9':
		key = "n" + key
	}
	if len(key) > maxArgumentKey-8 {
		key = withDigest(key, maxArgumentKey-8, name)
	}
	return key
}
