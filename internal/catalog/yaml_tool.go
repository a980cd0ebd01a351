package catalog

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// toolDecl is a tool as declared: what is plain is in the tool already, what depends on the arguments waits as YAML.
type toolDecl struct {
	tool *Tool
	at   *yaml.Node

	inputs  []*property
	output  []*property
	aliases []string
	hints   []string

	steps, request, compute, result, page, refuse *yaml.Node
}

func (l *loader) readTool(r *reader, v *yaml.Node) {
	d := &toolDecl{tool: &Tool{Toolkit: l.toolkit, Held: &Detail{}, NoAuth: l.toolkit.NoAuth()}, at: v}
	r.object(v, "a tool", l.toolKeys(r, d))
	t := d.tool
	l.checkWords(r, d)
	l.nameTool(r, d)
	l.readHints(r, v, d)
	parts := l.readBehaviour(r, d)
	l.placeArguments(r, d, parts)
	l.describe(d)
	l.checkExample(r, d)
	l.toolkit.Tools = append(l.toolkit.Tools, t)
}

// toolKeys are the keys of a tool.
func (l *loader) toolKeys(r *reader, d *toolDecl) []key {
	t := d.tool
	note := func(to **yaml.Node) func(*yaml.Node) { return func(v *yaml.Node) { *to = v } }
	return []key{
		{"slug", true, r.text(&t.Slug), "upper case, without the toolkit's name: CREATE_AN_ISSUE is served as GITHUB_CREATE_AN_ISSUE"},
		{"aliases", false, r.texts(&d.aliases), "older slugs that keep working"},
		{"title", true, r.text(&t.Name), "for people: \"Create an issue\""},
		{"description", true, r.text(&t.Description), "for the model: when to use it, what it needs, what it answers"},
		{"hints", true, r.texts(&d.hints), "list of read, create, update, destructive (at least one of them), idempotent, closed-world"},
		{"important", false, r.flag(&t.Important), "true for the dozen that people need first: default lists show only these"},
		{"deprecated", false, r.flag(&t.Deprecated), "true when another tool should be used"},
		{"no_auth", false, r.flag(&t.NoAuth), "true when this tool works without an account"},
		{"scopes", false, l.toolScopes(r, t), "list of the scopes that a grant must hold; a list within is one of these"},
		{"input", false, func(v *yaml.Node) { d.inputs = l.readMembers(r, v, true) }, "the arguments; name* is required"},
		{"refuse", false, note(&d.refuse), "list of {when, say}: arguments that no schema can refuse, and what to tell the caller"},
		{"steps", false, note(&d.steps), "requests to send first, by name; later expressions see their results as steps.<name>"},
		{"request", false, note(&d.request), "the request: \"GET /path\", or an object"},
		{"compute", false, note(&d.compute), "in place of a request: the data, by expression, without any upstream"},
		{"result", false, note(&d.result), "how the answer becomes data; a bare name puts it under that member"},
		{"page", false, note(&d.page), "true, or how the list is continued where that differs from toolkit.yaml"},
		{"output", false, func(v *yaml.Node) { d.output = l.readMembers(r, v, false) }, "members of data in the form of input, for the output schema"},
		{"example", false, func(v *yaml.Node) { l.decode(r, v, &t.Held.Example) }, "arguments of a good call; needed when there are required ones"},
		{"pitfalls", false, r.texts(&t.Held.Pitfalls), "list of what goes wrong and how to avoid it"},
		{"before", false, l.references(r, &t.Held.Before), "list of tools that usually come first: they find what this one needs"},
		{"after", false, l.references(r, &t.Held.After), "list of tools that naturally follow"},
		{"advice", false, r.advice(&t.Held.Advice), "from an upstream status to what it means for this tool"},
	}
}

func (l *loader) toolScopes(r *reader, t *Tool) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.elements(v, "scopes", func(e *yaml.Node) {
			if e.Kind == yaml.SequenceNode {
				var group []string
				r.texts(&group)(e)
				t.Scopes.Any = append(t.Scopes.Any, group)
				return
			}
			var s string
			r.text(&s)(e)
			t.Scopes.All = append(t.Scopes.All, s)
		})
	}
}

func (l *loader) references(r *reader, to *[]string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.elements(v, "this", func(e *yaml.Node) {
			l.refs = append(l.refs, reference{place{r.file, e.Line}, e.Value, to, len(*to)})
			*to = append(*to, e.Value)
		})
	}
}

func (l *loader) checkWords(r *reader, d *toolDecl) {
	t := d.tool
	if n := len(t.Description); t.Description != "" && (n < minDescription || n > maxDescription) {
		r.problem(child(d.at, "description"), "description has %d characters; it needs %d to %d", n, minDescription, maxDescription)
	}
	if len(t.Name) > maxTitle {
		r.problem(child(d.at, "title"), "title has %d characters; at most %d", len(t.Name), maxTitle)
	}
	if t.Description != "" && strings.EqualFold(strings.TrimSuffix(t.Description, "."), t.Name) {
		r.problem(child(d.at, "description"), "the description only repeats the title: say when to use the tool and what it answers")
	}
}

// nameTool makes the full slugs and refuses those that are taken.
func (l *loader) nameTool(r *reader, d *toolDecl) {
	t := d.tool
	claim := func(slug string) string {
		switch {
		case !toolSlug.MatchString(slug):
			r.problem(d.at, "slug %q: use upper case letters, digits and _", slug)
		case strings.HasPrefix(slug, l.prefix()):
			r.problem(d.at, "slug %q: leave the toolkit's name out", slug)
		}
		full := l.fullSlug(slug)
		if other, taken := l.at[full]; taken {
			r.problem(d.at, "slug %q is already used at %s:%d", slug, other.file, other.line)
		}
		l.at[full] = place{r.file, d.at.Line}
		return full
	}
	if t.Slug == "" {
		return
	}
	t.Slug = claim(t.Slug)
	for _, alias := range d.aliases {
		t.Aliases = append(t.Aliases, claim(alias))
	}
}

func (l *loader) readHints(r *reader, v *yaml.Node, d *toolDecl) {
	h := &d.tool.Hints
	flags := map[string]*bool{
		"read": &h.Read, "create": &h.Create, "update": &h.Update, "destructive": &h.Destructive,
		"idempotent": &h.Idempotent, "closed-world": &h.ClosedWorld,
	}
	names := []string{"read", "create", "update", "destructive", "idempotent", "closed-world"}
	at := child(v, "hints")
	for _, name := range d.hints {
		flag, ok := flags[name]
		if !ok {
			r.problem(at, "there is no hint %q%s", name, didYouMean(name, names))
			return
		}
		*flag = true
	}
	if d.hints == nil {
		return
	}
	if !h.Read && !h.Create && !h.Update && !h.Destructive {
		r.problem(at, "hints need one of read, create, update and destructive")
	}
	if h.Read && (h.Create || h.Update || h.Destructive) {
		r.problem(at, "a tool that only reads cannot also create, update or destroy")
	}
}

// readBehaviour compiles requests and results, now that the arguments are known, and gives what mentions arguments.
func (l *loader) readBehaviour(r *reader, d *toolDecl) []inputUser {
	t := d.tool
	page := l.addPage(r, d)
	scope := mapping.Scope{Input: namesOf(d.inputs), Fields: l.shared.fields}
	var parts []inputUser
	if d.refuse != nil {
		l.readRefusals(r, d.refuse, t, scope)
	}
	if d.steps != nil {
		var users []inputUser
		t.Held.Request.Steps, users = l.readSteps(r, d.steps, scope)
		parts = append(parts, users...)
		for _, s := range t.Held.Request.Steps {
			scope.Steps = append(scope.Steps, s.Name)
		}
	}
	answered := scope
	if d.request != nil {
		main := l.readRequest(r, d.request, scope)
		t.Held.Request.HTTP, t.Held.Request.GraphQL = main.http, main.graphql
		parts = append(parts, main)
		answered.Answer = true
	}
	l.readAnswer(r, d, answered)
	if t.Held.Request.GraphQL != nil {
		t.Held.Result.From = t.Held.Result.From.Below("data")
	}
	if page != nil {
		t.Held.Page = page.finish(r, answered)
	}
	return append(parts, t.resultUsers()...)
}

// readAnswer reads result or compute.
func (l *loader) readAnswer(r *reader, d *toolDecl, scope mapping.Scope) {
	t := d.tool
	t.Held.Result.Trim = l.shared.trim
	switch {
	case d.compute != nil && (d.request != nil || d.result != nil || d.steps != nil):
		r.problem(d.compute, "compute stands alone: a tool that asks somebody has a request and a result")
	case d.compute != nil:
		r.tree(&t.Held.Result.Data, scope)(d.compute)
	case d.result != nil:
		l.readResult(r, d.result, t, scope)
	}
	if d.request == nil && d.compute == nil && child(d.result, "data") == nil {
		r.problem(d.at, "a tool needs a request; or steps and result: {data: …}; or compute")
	}
}

func (t *Tool) resultUsers() []inputUser {
	var users []inputUser
	for _, tree := range []*mapping.Tree{t.Held.Result.Data, t.Held.Result.Also, t.Held.Result.Empty} {
		if tree != nil {
			users = append(users, tree)
		}
	}
	return users
}

// addPage reads page and adds its arguments where the tool does not declare them itself.
func (l *loader) addPage(r *reader, d *toolDecl) *pageDecl {
	if d.page == nil {
		return nil
	}
	page := l.readPage(r, d.page)
	if page == nil {
		return nil
	}
	for _, name := range []string{page.size, page.at} {
		if name == "" || slices.Contains(namesOf(d.inputs), name) {
			continue
		}
		p := &property{name: name, as: name}
		if l.shared.names == namesCamel {
			p.as = camelCase(name)
		}
		if v := l.sharedInput(r, d.page, name); v != nil {
			l.readProperty(r, v, p)
			d.inputs = append(d.inputs, p)
		}
	}
	return page
}

func (l *loader) readRefusals(r *reader, v *yaml.Node, t *Tool, scope mapping.Scope) {
	r.elements(v, "refuse", func(e *yaml.Node) {
		var refusal Refusal
		r.object(e, "refuse", refusalKeys(r, &refusal, scope))
		t.Held.Refusals = append(t.Held.Refusals, refusal)
	})
}

func refusalKeys(r *reader, to *Refusal, scope mapping.Scope) []key {
	return []key{
		{"when", true, r.expr(&to.When, scope), "expression over the arguments: true for those that are refused"},
		{"say", true, r.text(&to.Say), "what is wrong and how to mend it"},
	}
}

// placeArguments sends the arguments that no expression mentions with the main request, and reports those that would
// silently have no effect.
func (l *loader) placeArguments(r *reader, d *toolDecl, parts []inputUser) {
	mentioned := map[string]bool{}
	for _, p := range parts {
		names, whole := p.Inputs()
		if whole {
			return
		}
		for _, name := range names {
			mentioned[name] = true
		}
	}
	var unmentioned []*property
	for _, p := range d.inputs {
		if !mentioned[p.name] {
			unmentioned = append(unmentioned, p)
		}
	}
	for _, p := range parts {
		if main, ok := p.(*requestDecl); ok {
			unmentioned = main.place(unmentioned)
			main.checkRename(r, d.inputs)
		}
	}
	for _, p := range unmentioned {
		r.problem(child(d.at, "input"), "argument %q has no effect: no expression mentions it and the request does not take the rest", p.name)
	}
}

// Inputs makes a request an inputUser.
func (d *requestDecl) Inputs() (names []string, whole bool) {
	for _, p := range d.parts {
		n, w := p.Inputs()
		names, whole = append(names, n...), whole || w
	}
	return names, whole
}

func (d *requestDecl) checkRename(r *reader, inputs []*property) {
	for name := range d.rename {
		if !slices.Contains(namesOf(inputs), name) {
			r.problem(d.at, "rename: there is no argument %q%s", name, didYouMean(name, namesOf(inputs)))
		}
	}
}

// describe makes the schemas that are served.
func (l *loader) describe(d *toolDecl) {
	t := d.tool
	title := schemaTitle(strings.TrimPrefix(t.Slug, l.prefix()))
	t.Held.Input = inputSchema(title+"Request", d.inputs)
	t.Held.Output = outputSchema(title+"Response", t.dataSchema(d.output))
	t.FileInputs = slices.ContainsFunc(d.inputs, hasFile)
}

func hasFile(p *property) bool {
	return p.file || p.items != nil && hasFile(p.items) || !p.file && slices.ContainsFunc(p.members, hasFile)
}

// schemaTitle writes CREATE_AN_ISSUE as CreateAnIssue.
func schemaTitle(slug string) string {
	camel := camelCase(strings.ToLower(slug))
	if camel == "" {
		return ""
	}
	return strings.ToUpper(camel[:1]) + camel[1:]
}

func (l *loader) checkExample(r *reader, d *toolDecl) {
	at := child(d.at, "example")
	for _, p := range d.inputs {
		if _, given := d.tool.Held.Example[p.name]; p.required && !given {
			if at == nil {
				r.problem(d.at, "a tool with required arguments needs an example")
				return
			}
			r.problem(at, "the example lacks the required argument %q", p.name)
		}
	}
	for name := range d.tool.Held.Example {
		if !slices.Contains(namesOf(d.inputs), name) {
			r.problem(at, "the example has an unknown argument %q%s", name, didYouMean(name, namesOf(d.inputs)))
		}
	}
}
