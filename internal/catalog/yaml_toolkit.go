package catalog

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

var (
	toolkitSlug   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	toolSlug      = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_]{1,95}$`)
	versionName   = regexp.MustCompile(`^\d{8}_\d{2}$`)
	graphqlSuffix = "/graphql"
)

// Limits of texts that models and people read. The longest description that the model vendors take is 1,024 characters.
const (
	minDescription = 20
	maxDescription = 1024
	maxTitle       = 80
)

func (l *loader) readToolkit(r *reader, root *yaml.Node) {
	l.shared.lists, l.shared.names, l.shared.graphqlPath = ListsRepeated, namesAsIs, graphqlSuffix
	l.shared.inputs = map[string]*yaml.Node{}
	if root.Kind == yaml.MappingNode {
		l.shared.fields = connectionFields(root)
		l.shared.hasBase = child(root, "base_url") != nil
	}
	r.object(root, "toolkit.yaml", l.toolkitKeys(r))
	l.checkToolkit(r, root)
}

// toolkitKeys are the keys of toolkit.yaml.
func (l *loader) toolkitKeys(r *reader) []key {
	t, scope := l.toolkit, mapping.Scope{Fields: l.shared.fields}
	return []key{
		{"slug", true, r.text(&t.Slug), "the API's name of the toolkit, lower case; also the name of its directory"},
		{"name", true, r.text(&t.Name), "its name for people"},
		{"description", true, r.text(&t.Description), "one or two sentences: what there is in it"},
		{"version", true, r.text(&t.Version), "YYYYMMDD_NN; raise it with each change that callers can notice"},
		{"categories", true, l.categories(r), "list; the first is the main one"},
		{"aliases", false, r.texts(&t.Aliases), "what people call it; search routes on these"},
		{"docs", false, r.text(&t.Docs), "URL of the provider's API documentation"},
		{"app_url", false, r.text(&t.AppURL), "URL of the app itself"},
		{"logo", false, r.text(&t.Logo), "URL of a picture"},
		{"popularity", false, r.count(&t.Popularity), "rank among all toolkits, 1 the most used: lists are in this order"},
		{"base_url", false, r.url(&t.BaseURL, scope), "origin of the API; may use connection fields: https://{subdomain}.example.com"},
		{"headers", false, r.templates(&t.Headers, "headers", scope), "headers that every request carries"},
		{"auth", false, func(v *yaml.Node) { l.readAuth(r, v) }, "list of the ways to connect an account, best first; without it no account is needed"},
		{"identity", false, func(v *yaml.Node) { l.readIdentity(r, v) }, "the request that says whose account it is"},
		{"errors", false, func(v *yaml.Node) { l.readErrors(r, v) }, "how the provider reports failure"},
		{"inputs", false, l.sharedInputs(r), "arguments that many tools take; a tool takes one over by naming it without a value"},
		{"page", false, func(v *yaml.Node) { l.shared.page = v }, "how lists are continued, for tools that say `page: true`"},
		{"trim", false, l.trim(r), "members of answers that tell a caller nothing"},
		{"lists", false, oneOf(r, &l.shared.lists, ListsRepeated, ListsBrackets, ListsComma), "how a list appears in a query: `repeated` a=1&a=2 (the default), `brackets` a[]=1, `comma` a=1,2"},
		{"names", false, oneOf(r, &l.shared.names, namesAsIs, namesCamel), "`camelCase`: page_token goes upstream as pageToken where nothing else is said"},
		{"graphql", false, r.text(&l.shared.graphqlPath), "path of the GraphQL endpoint; /graphql when absent"},
	}
}

func (l *loader) checkToolkit(r *reader, root *yaml.Node) {
	t := l.toolkit
	if t.Slug != "" && !toolkitSlug.MatchString(t.Slug) {
		r.problem(root, "slug %q: use lower case letters, digits, _ and -", t.Slug)
	}
	if base := l.dirName(); t.Slug != "" && base != "." && base != t.Slug {
		r.problem(root, "slug %q and the directory %q must be the same", t.Slug, base)
	}
	if t.Version != "" && !versionName.MatchString(t.Version) {
		r.problem(root, "version %q: write it as YYYYMMDD_NN, for example 20261122_00", t.Version)
	}
	if n := len(t.Description); t.Description != "" && (n < minDescription || n > maxDescription) {
		r.problem(root, "description has %d characters; it needs %d to %d", n, minDescription, maxDescription)
	}
	t.Versions = []string{t.Version}
	t.UpdatedAt, _ = time.Parse("20060102", strings.SplitN(t.Version, "_", 2)[0])
}

func (l *loader) dirName() string {
	return l.dir[strings.LastIndexByte(l.dir, '/')+1:]
}

func (l *loader) categories(r *reader) func(*yaml.Node) {
	return func(v *yaml.Node) {
		var ids []string
		r.texts(&ids)(v)
		for _, id := range ids {
			l.toolkit.Categories = append(l.toolkit.Categories, Category{ID: id, Name: categoryName(id)})
		}
	}
}

// categoryName writes "developer-tools" as "Developer Tools" and "crm" as "CRM".
func categoryName(id string) string {
	words := strings.FieldsFunc(id, func(c rune) bool { return c == '-' || c == '_' || c == ' ' })
	for i, w := range words {
		if len(w) <= 3 && w != "and" && w != "web" {
			words[i] = strings.ToUpper(w)
		} else if w != "and" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

func (l *loader) sharedInputs(r *reader) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.members(v, "inputs", func(name, value *yaml.Node) { l.shared.inputs[name.Value] = value })
	}
}

func (l *loader) trim(r *reader) func(*yaml.Node) {
	return func(v *yaml.Node) {
		var drop, keep []string
		var nulls bool
		r.object(v, "trim", trimKeys(r, &drop, &keep, &nulls))
		for _, name := range drop {
			if strings.Contains(strings.TrimSuffix(strings.TrimPrefix(name, "*"), "*"), "*") || name == "*" || strings.HasPrefix(name, "*") && strings.HasSuffix(name, "*") {
				r.problem(v, "drop %q: a pattern has one * at its beginning or its end", name)
			}
		}
		l.shared.trim = NewTrim(drop, keep, nulls)
	}
}

func trimKeys(r *reader, drop, keep *[]string, nulls *bool) []key {
	return []key{
		{"drop", false, r.texts(drop), "names of members, wherever they are; `*` at the beginning or the end stands for anything: \"*_url\""},
		{"keep", false, r.texts(keep), "names that stay although a pattern matches"},
		{"nulls", false, r.flag(nulls), "true drops members that are null"},
	}
}

// readIdentity reads the request that says whose account it is.
func (l *loader) readIdentity(r *reader, v *yaml.Node) {
	id := &Identity{}
	r.object(v, "identity", identityKeys(r, id))
	if id.Path == "" {
		r.problem(v, "identity needs a request: GET: /path")
		return
	}
	base, p, err := splitTarget(id.Path, l.shared.fields, v.Line)
	if r.compiled(v, err) {
		id.Base, id.Path = base, p
		l.toolkit.Identity = id
	}
}

func identityKeys(r *reader, id *Identity) []key {
	method := func(name string) func(*yaml.Node) {
		return func(v *yaml.Node) {
			id.Method = name
			r.text(&id.Path)(v)
		}
	}
	return []key{
		{"GET", false, method("GET"), "path of the request"},
		{"POST", false, method("POST"), "path of the request, where the provider wants POST"},
		{"body", false, r.text(&id.Body), "its whole body as JSON"},
		{"id", true, r.text(&id.ID), "path in the answer of what never changes about the account"},
		{"name", false, r.text(&id.Name), "path of a name for people"},
		{"email", false, r.text(&id.Email), "path of the e-mail address"},
		{"avatar", false, r.text(&id.Avatar), "path of a picture's URL"},
	}
}

func (l *loader) readErrors(r *reader, v *yaml.Node) {
	e := &l.toolkit.Errors
	scope := mapping.Scope{Answer: true, Fields: l.shared.fields, AnyInput: true}
	r.object(v, "errors", errorKeys(r, e, scope))
}

func errorKeys(r *reader, e *ErrorRules, scope mapping.Scope) []key {
	return []key{
		{"message", false, func(v *yaml.Node) {
			paths := []*yaml.Node{v}
			if v.Kind == yaml.SequenceNode {
				paths = v.Content
			}
			for _, p := range paths {
				var to mapping.Path
				r.path(&to)(p)
				e.Message = append(e.Message, to)
			}
		}, "path in the body where the reason is, or a list of paths: the first that is there wins"},
		{"failed_when", false, r.expr(&e.FailedWhen, scope), "expression: true for an answer that is a failure in spite of its status"},
		{"reconnect_on", false, func(v *yaml.Node) {
			r.elements(v, "reconnect_on", func(s *yaml.Node) {
				var status int
				r.count(&status)(s)
				e.ReconnectOn = append(e.ReconnectOn, status)
			})
		}, "list of statuses that mean the account has to be connected anew"},
		{"reconnect_when", false, r.expr(&e.Reconnect, scope), "expression: the same, said by the body"},
		{"rate_limited_when", false, r.expr(&e.RateLimited, scope), "expression: true when the provider asks to slow down in another way than by 429"},
		{"retry_after", false, r.expr(&e.RetryAfter, scope), "expression: seconds to wait, where there is no Retry-After header"},
		{"advice", false, r.advice(&e.Advice), "from a status to what it means here and how to mend it"},
	}
}

// splitTarget splits "https://other.example.com/path" into base and path; a plain path has no base of its own.
func splitTarget(target string, fields []string, line int) (base *mapping.Text, path string, err error) {
	scheme := strings.Index(target, "://")
	if scheme < 0 {
		if !strings.HasPrefix(target, "/") {
			return nil, "", &mapping.Error{Line: line, Message: `"` + target + `": a path starts with / (or is a whole https:// URL)`}
		}
		return nil, target, nil
	}
	slash := strings.IndexByte(target[scheme+3:], '/')
	origin, path := target, "/"
	if slash >= 0 {
		origin, path = target[:scheme+3+slash], target[scheme+3+slash:]
	}
	base, err = compileOwnBase(origin, fields, line)
	return base, path, err
}

// compileOwnBase compiles the address of a single request. Its host is the toolkit's to name: where fields say which host there is, they
// belong into the toolkit's address, which decides who may give them.
func compileOwnBase(base string, fields []string, line int) (*mapping.Text, error) {
	t, err := mapping.CompileURL(base, mapping.Scope{Fields: fields}, line)
	if err == nil && !t.KeepsHost() {
		return nil, &mapping.Error{Line: line, Message: `"` + base + `": a field decides its host; write such an address into the toolkit's base_url`}
	}
	return t, err
}
