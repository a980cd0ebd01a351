package search

import (
	"encoding/json"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Document is a tool that comes from outside a catalog, for measuring the ranker on other people's collections.
type Document struct {
	ID          string // a slug; may begin with the toolkit's
	Toolkit     string // the toolkit's slug
	ToolkitName string // empty: the slug
	Aliases     []string
	Name        string
	Description string
	Parameters  []string // names of the arguments
}

// Documents makes an index of plain documents, with the very ranker that serves catalogs. The tools of its hits have only
// the fields a Document has.
func Documents(docs []Document) *Index {
	toolkits := make(map[string]*catalog.Toolkit)
	var order []*catalog.Toolkit
	for _, d := range docs {
		tk := toolkits[d.Toolkit]
		if tk == nil {
			tk = &catalog.Toolkit{Slug: d.Toolkit, Name: d.ToolkitName, Aliases: d.Aliases}
			toolkits[d.Toolkit] = tk
			order = append(order, tk)
		}
		tk.Tools = append(tk.Tools, &catalog.Tool{
			Slug: d.ID, Name: d.Name, Description: d.Description, Toolkit: tk,
			Held: &catalog.Detail{Input: parametersSchema(d.Parameters)},
		})
	}
	return build(order, false, nil)
}

func parametersSchema(names []string) catalog.Schema {
	if len(names) == 0 {
		return catalog.Schema{}
	}
	properties := make(map[string]struct{}, len(names))
	for _, name := range names {
		properties[name] = struct{}{}
	}
	raw, err := json.Marshal(map[string]any{"type": "object", "properties": properties})
	if err != nil {
		panic("search: names of parameters do not encode: " + err.Error()) // strings and empty structs always do
	}
	return catalog.Schema{JSON: raw}
}

// ownName is the slug without its toolkit's: CREATE_AN_ISSUE of GITHUB_CREATE_AN_ISSUE.
func ownName(t *catalog.Tool) string {
	slug, toolkit := t.Slug, t.Toolkit.Slug
	if len(slug) > len(toolkit)+1 && strings.EqualFold(slug[:len(toolkit)], toolkit) && !isWordRune(rune(slug[len(toolkit)])) {
		return slug[len(toolkit)+1:]
	}
	return slug
}
