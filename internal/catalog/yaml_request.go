package catalog

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}

// rest says where arguments go that nothing mentions.
type rest string

const (
	restQuery rest = "query"
	restBody  rest = "body"
	restNone  rest = "none"
)

// requestDecl is a request as declared. The main request and the steps have the same keys; only the main one takes the
// rest of the arguments.
type requestDecl struct {
	at      *yaml.Node
	http    *HTTPRequest
	graphql *GraphQLRequest
	rest    rest
	hasRest bool
	rename  map[string]string
	parts   []inputUser
}

// inputUser is anything compiled that mentions arguments.
type inputUser interface{ Inputs() ([]string, bool) }

// readRequest reads "GET /path" or the object form.
func (l *loader) readRequest(r *reader, v *yaml.Node, scope mapping.Scope, more ...key) *requestDecl {
	d := &requestDecl{at: v}
	if v.Kind == yaml.ScalarNode {
		method, target, _ := strings.Cut(v.Value, " ")
		if !slices.Contains(methods, method) || target == "" {
			r.problem(v, `%q: write a request as "GET /path", or as an object with GET: /path`, v.Value)
			return d
		}
		l.target(r, d, method, strings.TrimSpace(target), v, scope)
		return d
	}
	http := &HTTPRequest{Encoding: EncodeJSON, Lists: l.shared.lists}
	graphql := &GraphQLRequest{}
	r.object(v, "a request", append(l.requestKeys(r, d, http, graphql, scope), more...))
	switch {
	case graphql.Query != "" || graphql.QueryFrom != nil:
		d.graphql = graphql
		l.graphqlPath(r, d, graphql, v)
	case d.http != nil:
		http.Method, http.Path, http.Base, http.URL = d.http.Method, d.http.Path, d.http.Base, d.http.URL
		d.http = http
	case child(v, "graphql") == nil && !slices.ContainsFunc(methods, func(m string) bool { return child(v, m) != nil }):
		r.problem(v, "a request needs a method with a path (GET: /path) or graphql")
	}
	d.collect()
	return d
}

func (l *loader) requestKeys(r *reader, d *requestDecl, http *HTTPRequest, graphql *GraphQLRequest, scope mapping.Scope) []key {
	var keys []key
	for _, m := range methods {
		doc := "path; {name} is an argument as one segment, {+name} as several. Or a whole URL, or ${{ a URL of an earlier step }}"
		keys = append(keys, key{m, false, func(v *yaml.Node) { l.target(r, d, m, v.Value, v, scope) }, doc})
	}
	return append(keys,
		key{"query", false, r.tree(&http.Query, scope), "parameters of the query; those whose expression yields nothing are left out"},
		key{"headers", false, r.tree(&http.Headers, scope), "more headers"},
		key{"body", false, r.tree(&http.Body, scope), "the body, as structure with expressions"},
		key{"rest", false, func(v *yaml.Node) {
			d.hasRest = true
			oneOf(r, &d.rest, restQuery, restBody, restNone)(v)
		}, "where arguments go that nothing mentions: `query` (usual for GET, HEAD, DELETE), `body` (usual otherwise), `none`"},
		key{"rename", false, r.words(&d.rename, "rename"), "from an argument that goes as it is to the provider's name for it"},
		key{"encoding", false, oneOf(r, &http.Encoding, EncodeJSON, EncodeForm, EncodeMultipart, EncodeRelated, EncodeRaw), "of the body: `json` (when absent), `form`, `multipart`, `related` (a list of parts), `raw` (a text or a file)"},
		key{"lists", false, oneOf(r, &http.Lists, ListsRepeated, ListsBrackets, ListsComma), "as in toolkit.yaml, for this request"},
		key{"anonymous", false, r.flag(&http.Anonymous), "true: the credential is not sent"},
		key{"graphql", false, r.text(&graphql.Query), "a GraphQL operation, in place of a method and path"},
		key{"graphql_from", false, r.expr(&graphql.QueryFrom, scope), "expression that yields the operation, for tools that let the caller write it"},
		key{"variables", false, r.tree(&graphql.Variables, scope), "its variables; when absent, the arguments"},
	)
}

// target reads where a request goes.
func (l *loader) target(r *reader, d *requestDecl, method, target string, v *yaml.Node, scope mapping.Scope) {
	if d.http != nil {
		r.problem(v, "a request has one method")
		return
	}
	d.http = &HTTPRequest{Method: method, Encoding: EncodeJSON, Lists: l.shared.lists}
	if strings.HasPrefix(target, "${{") {
		e, err := mapping.CompileExpr(target, scope, v.Line)
		if r.compiled(v, err) {
			d.http.URL = e
			d.parts = append(d.parts, e)
		}
		return
	}
	base, path, err := splitTarget(target, l.shared.fields, v.Line)
	if !r.compiled(v, err) {
		return
	}
	if base == nil && !l.shared.hasBase {
		r.problem(v, "a path needs a base_url in toolkit.yaml, or write the whole URL")
	}
	text, err := mapping.CompilePath(path, scope, v.Line)
	if r.compiled(v, err) {
		d.http.Base, d.http.Path = base, text
		d.parts = append(d.parts, text)
	}
}

func (l *loader) graphqlPath(r *reader, d *requestDecl, g *GraphQLRequest, v *yaml.Node) {
	if d.http != nil {
		r.problem(v, "a request has a method or graphql, not both")
		return
	}
	text, err := mapping.CompilePath(l.shared.graphqlPath, mapping.Scope{Fields: l.shared.fields}, v.Line)
	if r.compiled(v, err) {
		g.Path = text
	}
}

// collect notes the compiled parts, for the question which arguments are mentioned.
func (d *requestDecl) collect() {
	add := func(t *mapping.Tree) {
		if t != nil {
			d.parts = append(d.parts, t)
		}
	}
	if d.http != nil {
		add(d.http.Query)
		add(d.http.Headers)
		add(d.http.Body)
	}
	if d.graphql != nil {
		add(d.graphql.Variables)
		if d.graphql.QueryFrom != nil {
			d.parts = append(d.parts, d.graphql.QueryFrom)
		}
	}
}

// place sends the arguments that nothing mentions to where they belong, and gives those for which there is no place.
func (d *requestDecl) place(unmentioned []*property) (left []*property) {
	where := d.rest
	if !d.hasRest {
		where = d.usualRest()
	}
	for _, p := range unmentioned {
		a := Argument{Name: p.name, As: p.as}
		if renamed, ok := d.rename[p.name]; ok {
			a.As = renamed
		}
		switch {
		case where == restNone:
			left = append(left, p)
		case d.graphql != nil:
			d.graphql.VariableArgs = append(d.graphql.VariableArgs, a)
		case where == restQuery:
			d.http.QueryArgs = append(d.http.QueryArgs, a)
		default:
			d.http.BodyArgs = append(d.http.BodyArgs, a)
		}
	}
	return left
}

func (d *requestDecl) usualRest() rest {
	switch {
	case d.graphql != nil:
		if d.graphql.Variables != nil {
			return restNone
		}
		return restBody
	case d.http == nil:
		return restNone
	case d.http.Method == "GET" || d.http.Method == "HEAD" || d.http.Method == "DELETE":
		return restQuery
	case d.http.Body != nil:
		return restNone
	default:
		return restBody
	}
}

// The bounds of steps: a tool is one call of an agent, not a crawler.
const (
	maxFanOut       = 100
	defaultFanOut   = 25
	defaultParallel = 6
	maxParallel     = 10
	maxRounds       = 20
	defaultRounds   = 5
)

// readSteps reads the steps in their order; each sees the results of those before it.
func (l *loader) readSteps(r *reader, v *yaml.Node, scope mapping.Scope) (steps []Step, parts []inputUser) {
	r.members(v, "steps", func(name, value *yaml.Node) {
		step := Step{Name: name.Value}
		here := scope
		here.Item = child(value, "for_each") != nil
		here.Cursor = child(value, "next") != nil
		answered := here
		answered.Answer = true
		d := l.readRequest(r, value, here, l.stepKeys(r, &step, here, answered)...)
		step.HTTP, step.GraphQL = d.http, d.graphql
		if d.hasRest {
			r.problem(value, "only the main request takes the rest of the arguments; a step names what it sends")
		}
		l.finishStep(r, value, &step)
		steps = append(steps, step)
		parts = append(append(parts, d.parts...), step.users()...)
		scope.Steps = append(slices.Clone(scope.Steps), name.Value)
	})
	return steps, parts
}

// stepKeys are the keys that a step has beside those of a request.
func (l *loader) stepKeys(r *reader, step *Step, before, after mapping.Scope) []key {
	outer := before
	outer.Item, outer.Cursor = false, false
	each := func() *ForEach {
		if step.ForEach == nil {
			step.ForEach = &ForEach{Max: defaultFanOut, Parallel: defaultParallel}
		}
		return step.ForEach
	}
	repeat := func() *Repeat {
		if step.Repeat == nil {
			step.Repeat = &Repeat{Max: defaultRounds}
		}
		return step.Repeat
	}
	return []key{
		{"when", false, r.expr(&step.When, outer), "expression: the step is left out unless it yields true (its result is then nil)"},
		{"for_each", false, func(v *yaml.Node) { r.expr(&each().List, outer)(v) }, "expression that yields a list: the request is sent for each element, which is `item`; the result is a list"},
		{"max", false, func(v *yaml.Node) { r.count(&each().Max)(v) }, "how many elements at most; 25 when absent, 100 at most"},
		{"parallel", false, func(v *yaml.Node) { r.count(&each().Parallel)(v) }, "how many requests at once; 6 when absent, 10 at most"},
		{"next", false, func(v *yaml.Node) { r.expr(&repeat().Next, after)(v) }, "expression over the answer: while it yields something, the request is sent again with that as `cursor`; the result is a list"},
		{"rounds", false, func(v *yaml.Node) { r.count(&repeat().Max)(v) }, "how often at most; 5 when absent, 20 at most"},
		{"optional", false, r.flag(&step.Optional), "true: a failure makes the result nil instead of failing the call"},
		{"result", false, r.tree(&step.Result, after), "what later expressions see instead of the body"},
	}
}

func (l *loader) finishStep(r *reader, v *yaml.Node, step *Step) {
	if f := step.ForEach; f != nil {
		if f.List == nil {
			r.problem(v, "max and parallel belong to for_each")
		}
		if f.Max < 1 || f.Max > maxFanOut || f.Parallel < 1 || f.Parallel > maxParallel {
			r.problem(v, "for_each: max is 1 to %d and parallel 1 to %d", maxFanOut, maxParallel)
		}
	}
	if p := step.Repeat; p != nil && (p.Next == nil || p.Max < 1 || p.Max > maxRounds) {
		r.problem(v, "rounds belongs to next and is 1 to %d", maxRounds)
	}
	if step.ForEach != nil && step.Repeat != nil {
		r.problem(v, "a step has for_each or next, not both")
	}
}

// users gives what a step has beside its request that mentions arguments.
func (s *Step) users() []inputUser {
	var users []inputUser
	if s.When != nil {
		users = append(users, s.When)
	}
	if s.ForEach != nil && s.ForEach.List != nil {
		users = append(users, s.ForEach.List)
	}
	if s.Repeat != nil && s.Repeat.Next != nil {
		users = append(users, s.Repeat.Next)
	}
	if s.Result != nil {
		users = append(users, s.Result)
	}
	return users
}
