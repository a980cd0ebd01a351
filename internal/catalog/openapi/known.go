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

// known finds an operation among those of the last import: by method and path, or by the name that its id makes.
func (i *importer) known(op *operation) *catalog.DefinedTool {
	if i.options.Known == nil {
		return nil
	}
	if i.names.known == nil {
		i.names.index(i.options.Known)
	}
	if t := i.names.known[op.method+" "+plainPath(op.path)]; t != nil {
		return t
	}
	if words := i.names.idWords(op); words != nil {
		slug := i.names.prefix + strings.ToUpper(wording.Fit(words, wording.MaxToolSlug-len(i.names.prefix), op.key()))
		if t := i.names.bySlug[slug]; t != nil && !i.present(t) {
			return t
		}
	}
	return nil
}

// present reports whether the operation of a known tool is still there under its method and path.
func (i *importer) present(t *catalog.DefinedTool) bool {
	return slices.ContainsFunc(i.operations, func(op *operation) bool {
		return op.method == t.HTTP.Method && plainPath(op.path) == t.HTTP.Path
	})
}

// index makes the tools of an earlier import findable.
func (n *namer) index(d *catalog.Definition) {
	n.known, n.bySlug = map[string]*catalog.DefinedTool{}, map[string]*catalog.DefinedTool{}
	for i := range d.Tools {
		if t := &d.Tools[i]; t.HTTP != nil {
			n.known[t.HTTP.Method+" "+t.HTTP.Path] = t
			n.bySlug[t.Slug] = t
		}
	}
}
