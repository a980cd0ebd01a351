package openapi

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// document is a description that is read where it is needed.
type document struct {
	raw      []byte
	sections map[string][]byte            // the members of the root
	parts    map[string]map[string][]byte // members of objects that references lead through, by pointer: /components/schemas
	cache    map[string]any               // decoded targets of references
	cached   int                          // bytes of JSON they were decoded from
	decoded  int                          // bytes of JSON that were looked through for references in all
	work     int                          // members that were looked at for schemas
	written  int                          // bytes of the schemas that were made
	tooLarge bool                         // some value was not decoded because of its size
	swagger  bool                         // 2.0

	descriptions map[described]string // shortened, by what they were
	patterns     map[string]bool      // whether they compile
}

// described is a description and how long it may become.
type described struct {
	source string
	limit  int
}

// cacheSize bounds the decoded targets that are kept, in bytes of JSON; decoded they take some ten times that.
const cacheSize = 8 << 20

// maxValue bounds what is decoded at once, in bytes of JSON: in memory it may take forty times that. The largest path of all known
// descriptions has 0.7 MB.
const maxValue = 4 << 20

// maxMembers bounds how many members of an object can be referred to; the largest real one has some ten thousand.
const maxMembers = 100_000

// maxWritten bounds the schemas that are made of a description, in bytes: many operations may refer to one large schema. The real
// ones come to two or three times their description.
func (d *document) maxWritten() int { return 4*len(d.raw) + 32<<20 }

// maxDecoded bounds what is looked through for references in all, as a multiple of the text and a share for small ones: references
// that unfold without end cost no more.
func (d *document) maxDecoded() int { return 32*len(d.raw) + 64<<20 }

// maxWork bounds how many members are looked at for all schemas of a description: some 20 seconds. The largest real one needs a
// quarter of it.
const maxWork = 40_000_000

// spent reports whether enough was done for one description: schemas are no longer written out.
func (d *document) spent() bool { return d.work > maxWork || d.written > d.maxWritten() }

// maxRefs bounds how many references may lead to one another.
const maxRefs = 32

func newDocument(raw []byte) (*document, error) {
	d := &document{
		raw: raw, sections: map[string][]byte{}, parts: map[string]map[string][]byte{}, cache: map[string]any{},
		descriptions: map[described]string{}, patterns: map[string]bool{},
	}
	eachMember(raw, func(name string, value []byte) bool {
		d.sections[name] = value
		return len(d.sections) < maxMembers
	})
	version := text(node{"v": d.section("openapi")}, "v")
	old := text(node{"v": d.section("swagger")}, "v")
	switch {
	case len(d.sections) == maxMembers:
		return nil, refused("The description has %d members at its root; an OpenAPI description has some ten.", maxMembers)
	case strings.HasPrefix(version, "3."):
	case strings.HasPrefix(old, "2"), strings.HasPrefix(version, "2"):
		d.swagger = true
	case version == "" && old == "":
		return nil, refused("It says neither which OpenAPI it is (openapi: 3.x) nor which Swagger (swagger: \"2.0\").").
			WithFix("Check that the file or address is the API's description and not a page about it.")
	default:
		return nil, refused("OpenAPI %.20q is not supported: only 2.0, 3.0 and 3.1 are.", version+old)
	}
	return d, nil
}

// refused is a description that cannot be imported at all.
func refused(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugInvalid, format, args...)
}

// section decodes a member of the root.
func (d *document) section(name string) any { return d.decode(d.sections[name]) }

// decode gives the value of JSON text; nil for what is none, or too large to be what it should be.
func (d *document) decode(raw []byte) any {
	if len(raw) > maxValue {
		d.tooLarge = true
		return nil
	}
	return decode(raw)
}

// deref follows references until there is none. The reference that led to the value is given for those who watch for cycles.
// What leads nowhere, or out of the document, is nil.
func (d *document) deref(v any) (target any, ref string) {
	for range maxRefs {
		n := asNode(v)
		to, ok := n["$ref"].(string)
		if !ok {
			return v, ref
		}
		if v, ok = d.resolve(to); !ok {
			return nil, to
		}
		ref = to
	}
	return nil, ref
}

// derefNode is deref for objects; nil for anything else.
func (d *document) derefNode(v any) node {
	target, _ := d.deref(v)
	return asNode(target)
}

// resolve gives what a reference of this document leads to. Other documents are never looked at.
func (d *document) resolve(ref string) (any, bool) {
	if v, ok := d.cache[ref]; ok {
		return v, true
	}
	pointer, ours := strings.CutPrefix(ref, "#")
	if !ours || d.decoded > d.maxDecoded() {
		return nil, false
	}
	raw, ok := d.find(pointer)
	if !ok {
		return nil, false
	}
	v := d.decode(raw)
	d.decoded += len(raw)
	if d.cached += len(raw); d.cached > cacheSize {
		clear(d.cache)
		d.cached = len(raw)
	}
	d.cache[ref] = v
	return v, true
}

// find walks a JSON pointer (RFC 6901).
func (d *document) find(pointer string) ([]byte, bool) {
	if unescaped, err := url.PathUnescape(pointer); err == nil {
		pointer = unescaped
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	here, at := d.raw, ""
	for i, token := range tokens {
		token = pointerUnescape.Replace(token)
		var next []byte
		if i < 3 {
			next = d.members(at, here)[token]
			at += "/" + tokens[i]
		} else {
			d.decoded += len(here)
			next = memberOf(here, token)
		}
		if n, err := strconv.Atoi(token); next == nil && err == nil && n >= 0 {
			next = elementOf(here, n)
		}
		if next == nil {
			return nil, false
		}
		here = next
	}
	return here, true
}

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// members indexes an object that references lead through.
func (d *document) members(at string, object []byte) map[string][]byte {
	if at == "" {
		return d.sections
	}
	if known, ok := d.parts[at]; ok {
		return known
	}
	index := map[string][]byte{}
	d.decoded += len(object)
	eachMember(object, func(name string, value []byte) bool {
		index[name] = value
		return len(index) < maxMembers
	})
	if len(d.parts) < 1_000 { // sections and their likes; not every schema that something points into
		d.parts[at] = index
	}
	return index
}
