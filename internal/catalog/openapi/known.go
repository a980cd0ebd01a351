package openapi

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// keepSlugs reserves the slugs of operations that were imported before, so that new ones do not take them.
func (i *importer) keepSlugs() {
	if i.options.Known == nil {
		return
	}
	for _, t := range i.options.Known.Tools {
		if strings.HasPrefix(t.Slug, i.names.prefix) {
			i.names.taken[t.Slug] = true
		}
	}
}

// slug gives an operation the name it had; a new one gets a new name. Names that a tool had once keep working.
func (i *importer) slug(op *operation) (slug string, aliases []string) {
	known := i.known(op)
	if known == nil {
		return i.names.slug(op), nil
	}
	aliases = slices.Clone(known.Aliases)
	if strings.HasPrefix(known.Slug, i.names.prefix) {
		return known.Slug, aliases
	}
	return i.names.slug(op), append(aliases, known.Slug) // the toolkit has another name now
}

// known finds an operation among those of the last import: by method and path, or by the name that its id makes. Each is found once.
func (i *importer) known(op *operation) *catalog.DefinedTool {
	if i.options.Known == nil {
		return nil
	}
	if i.names.known == nil {
		i.names.index(i.options.Known)
		for _, o := range i.operations {
			i.names.present[o.plainKey()]++
		}
	}
	t := i.names.find(op)
	if t != nil {
		i.names.found[t] = true
	}
	return t
}

// plainKey is what is known of an operation from the tool that was made of it. Several operations have the same where they are told
// apart by what stands behind a # in their paths.
func (op *operation) plainKey() string { return op.method + " " + plainPath(op.path) }

func (n *namer) find(op *operation) *catalog.DefinedTool {
	key := op.plainKey()
	same := n.known[key]
	if len(same) == 1 && n.present[key] == 1 && !n.found[same[0]] {
		return same[0]
	}
	for _, slug := range n.slugs(op) {
		if t := n.bySlug[slug]; t != nil && !n.found[t] && slices.Contains(same, t) {
			return t
		}
	}
	words := n.idWords(op)
	if words == nil {
		return nil
	}
	t := n.bySlug[n.prefix+strings.ToUpper(wording.Fit(words, wording.MaxToolSlug-len(n.prefix), op.key()))]
	if t != nil && !n.found[t] && n.present[t.HTTP.Method+" "+t.HTTP.Path] == 0 { // it has moved
		return t
	}
	return nil
}

// slugs are the names that an operation may have got when it was new.
func (n *namer) slugs(op *operation) []string {
	words, limit := n.words(op), wording.MaxToolSlug-len(n.prefix)
	return []string{
		n.prefix + strings.ToUpper(wording.Fit(words, limit, op.key())),
		n.prefix + strings.ToUpper(wording.WithDigest(strings.Join(words, "_"), limit, op.key())),
	}
}

// index makes the tools of an earlier import findable.
func (n *namer) index(d *catalog.Definition) {
	n.known, n.bySlug = map[string][]*catalog.DefinedTool{}, map[string]*catalog.DefinedTool{}
	n.present, n.found = map[string]int{}, map[*catalog.DefinedTool]bool{}
	for i := range d.Tools {
		if t := &d.Tools[i]; t.HTTP != nil {
			key := t.HTTP.Method + " " + t.HTTP.Path
			n.known[key] = append(n.known[key], t)
			n.bySlug[t.Slug] = t
		}
	}
}
