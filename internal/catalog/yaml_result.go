package catalog

import (
	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// readResult reads how an answer becomes data: a name for what it holds, or the object form.
func (l *loader) readResult(r *reader, v *yaml.Node, t *Tool, scope mapping.Scope) {
	res := &t.Held.Result
	if v.Kind == yaml.ScalarNode {
		r.text(&res.As)(v)
		return
	}
	r.object(v, "result", l.resultKeys(r, res, scope))
	if res.Data != nil && (res.As != "" || res.Pick != nil || res.Also != nil || !res.From.IsRoot()) {
		r.problem(v, "data says the whole result: from, pick, as and also have no effect beside it")
	}
}

func (l *loader) resultKeys(r *reader, res *Result, scope mapping.Scope) []key {
	return []key{
		{"from", false, r.path(&res.From), "path of the part of the body that matters"},
		{"pick", false, func(v *yaml.Node) {
			p, err := mapping.CompilePick(v)
			if r.compiled(v, err) {
				res.Pick = p
			}
		}, "list of the members to keep, of the object or of each object of the list: `name`, `user.login` (stays below user), `{author: user.login}` (moves), `{files: {from: assets, pick: […]}}`"},
		{"as", false, r.text(&res.As), "member of data that it is put under; a list needs one"},
		{"also", false, r.tree(&res.Also, scope), "more members beside it, by expression"},
		{"data", false, r.tree(&res.Data, scope), "in place of all that: the whole data, as structure with expressions"},
		{"empty", false, r.tree(&res.Empty, scope), "data for an answer without a body; {success: true} when absent"},
		{"format", false, oneOf(r, &res.Format, AnswerJSON, AnswerText, AnswerBinary), "how the body is read when its content type does not say: `json`, `text`, `binary`"},
		{"trim", false, func(v *yaml.Node) {
			trim := true
			if r.flag(&trim)(v); !trim {
				res.Trim = nil
			}
		}, "false: the toolkit's trim is not applied"},
	}
}

// pageDecl is how lists are continued, as declared.
type pageDecl struct {
	at, size, member string
	max              int
	next             *yaml.Node
}

// readPage reads `page: true`, which takes over what toolkit.yaml says, or the object form, which may change parts of it.
func (l *loader) readPage(r *reader, v *yaml.Node) *pageDecl {
	p := &pageDecl{}
	own := v
	if v.Kind == yaml.ScalarNode {
		own = nil
		on := false
		if r.flag(&on)(v); !on {
			return nil
		}
		if l.shared.page == nil {
			r.problem(v, "toolkit.yaml has no page to take over")
			return nil
		}
	}
	if l.shared.page != nil {
		r.object(l.shared.page, "page", p.keys(r))
	}
	if own != nil {
		r.object(own, "page", p.keys(r))
	}
	if p.at == "" || p.next == nil {
		r.problem(v, "page needs at (the argument that holds the page or cursor) and next (where the answer says the next one)")
		return nil
	}
	if p.member == "" {
		p.member = "next_" + p.at
	}
	return p
}

func (p *pageDecl) keys(r *reader) []key {
	return []key{
		{"at", false, r.text(&p.at), "argument that holds the page or the cursor"},
		{"size", false, r.text(&p.size), "argument that holds the page size"},
		{"max", false, r.count(&p.max), "greatest page size"},
		{"next", false, func(v *yaml.Node) { p.next = v }, "expression over the answer: what the argument must be for the next page; nothing at the end"},
		{"as", false, r.text(&p.member), "member of data that says it; next_<at> when absent"},
	}
}

// finish compiles the page once the arguments are known.
func (p *pageDecl) finish(r *reader, scope mapping.Scope) *Page {
	page := &Page{At: p.at, Size: p.size, Max: p.max, Member: p.member}
	r.expr(&page.Next, scope)(p.next)
	return page
}
