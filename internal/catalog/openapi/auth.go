package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// authReader turns security schemes into ways to connect an account.
type authReader struct {
	doc      *document
	report   *Report
	base     string          // of the API, for URLs that are relative to it
	schemes  map[string]node // by name
	general  []any           // the requirements of operations that say none
	said     bool            // some operation or the whole says requirements
	used     map[string]int  // how many operations name a scheme
	carried  map[string]bool // "header name" of credentials
	guessed  *catalog.DefinedAuth
	needs    []scopeNeed // of each operation with OAuth
	combined [][]string  // names that requirements want together
}

// maxSchemes bounds the security schemes that are looked at; real descriptions have at most twenty.
const maxSchemes = 200

// scopeNeed is what one operation needs: any of the lists.
type scopeNeed [][]string

func newAuthReader(d *document, base string, r *Report) *authReader {
	a := &authReader{doc: d, report: r, base: base, schemes: map[string]node{}, used: map[string]int{}, carried: map[string]bool{}}
	from := d.section("securityDefinitions")
	if !d.swagger {
		from = d.decode(memberOf(d.sections["components"], "securitySchemes"))
	}
	names := sortedKeys(asNode(from))
	for _, name := range names[:min(len(names), maxSchemes)] {
		if n := d.derefNode(asNode(from)[name]); n != nil && wording.Printable(name+text(n, "name")) {
			a.schemes[name] = n
			if text(n, "type") == "apiKey" {
				a.carried[text(n, "in")+" "+strings.ToLower(text(n, "name"))] = true
			}
		}
	}
	a.general, a.said = d.section("security").([]any)
	return a
}

// carries reports whether a parameter is a credential.
func (a *authReader) carries(in, name string) bool { return a.carried[in+" "+strings.ToLower(name)] }

// survey looks at the requirements of an operation before any tool is made.
func (a *authReader) survey(op *operation) {
	if l, own := op.n["security"].([]any); own {
		a.said = true
		a.count(l)
	} else {
		a.count(a.general)
	}
}

func (a *authReader) count(requirements []any) {
	for _, v := range requirements {
		names := sortedKeys(asNode(v))
		for _, name := range names {
			a.used[name]++
		}
		if len(names) > 1 && !slices.ContainsFunc(a.combined, func(c []string) bool { return slices.Equal(c, names) }) {
			a.combined = append(a.combined, names)
		}
	}
}

// credentialNames are parameters that are credentials wherever no security scheme says so.
var credentialNames = map[string]bool{
	"header authorization": true, "header x-api-key": true, "header api-key": true, "header apikey": true, "header x-auth-token": true,
	"header x-access-token": true, "header api_key": true, "query api_key": true, "query apikey": true, "query access_token": true,
}

// guess makes a scheme of a parameter that most operations take and whose name says that it is a credential, for descriptions
// without security schemes.
func (a *authReader) guess(params map[string]int, operations int) {
	if len(a.schemes) > 0 {
		return
	}
	best, most := "", operations/2
	for key, count := range params {
		if credentialNames[strings.ToLower(key)] && (count > most || count == most && key < best) {
			best, most = key, count
		}
	}
	if best == "" {
		return
	}
	in, name, _ := strings.Cut(best, " ")
	a.carried[in+" "+strings.ToLower(name)] = true
	a.guessed = keyAuth(in, name, "")
	a.report.note("The description names no security scheme; the %s %q, which most operations take, is taken for the credential.", in, name)
}

// apply says what an operation needs of an account.
func (a *authReader) apply(op *operation, t *catalog.DefinedTool) {
	requirements, own := op.n["security"].([]any)
	if !own {
		requirements = a.general
	}
	if own && openToAll(requirements) {
		t.NoAuth = true
		return
	}
	var need scopeNeed
	for _, v := range requirements {
		for _, name := range sortedKeys(asNode(v)) {
			if text(a.schemes[name], "type") == "oauth2" {
				need = append(need, texts(asNode(v)[name]))
			}
		}
	}
	switch {
	case len(need) == 1:
		t.Scopes.All = need[0]
	case len(need) > 1 && !slices.ContainsFunc(need, func(l []string) bool { return len(l) != 1 }):
		var group []string
		for _, l := range need {
			if !slices.Contains(group, l[0]) {
				group = append(group, l[0])
			}
		}
		t.Scopes.Any = [][]string{group}
	case len(need) > 1:
		t.Scopes.All = need[0]
	}
	if len(need) > 0 {
		a.needs = append(a.needs, need)
	}
}

// declaredOpen reports whether the description says in so many words that nobody has to be known.
func (a *authReader) declaredOpen() bool { return len(a.schemes) == 0 && a.said && len(a.used) == 0 }

// openToAll reports whether requirements ask for nothing.
func openToAll(requirements []any) bool {
	return !slices.ContainsFunc(requirements, func(v any) bool { return len(asNode(v)) > 0 })
}

// preference orders the ways to connect, best first.
var preference = []string{"OAUTH2", "API_KEY", "BEARER_TOKEN", "BASIC", "S2S_OAUTH2"}

// all gives the ways to connect. Schemes that no operation names are left out when others are named.
func (a *authReader) all() []catalog.DefinedAuth {
	if a.guessed != nil {
		return []catalog.DefinedAuth{*a.guessed}
	}
	var out []catalog.DefinedAuth
	add := func(d *catalog.DefinedAuth) {
		if d != nil && !slices.ContainsFunc(out, func(have catalog.DefinedAuth) bool { return have.Mode == d.Mode }) {
			out = append(out, *d)
		}
	}
	for _, name := range a.order() {
		for _, d := range a.scheme(name) {
			a.combine(name, d)
			add(d)
		}
	}
	slices.SortStableFunc(out, func(x, y catalog.DefinedAuth) int {
		return slices.Index(preference, x.Mode) - slices.Index(preference, y.Mode)
	})
	return out
}

// order gives the names of the schemes, the most used first.
func (a *authReader) order() []string {
	names := slices.Sorted(maps.Keys(a.schemes))
	if a.said && len(a.used) > 0 {
		names = slices.DeleteFunc(names, func(n string) bool { return a.used[n] == 0 })
	}
	slices.SortStableFunc(names, func(x, y string) int { return a.used[y] - a.used[x] })
	return names
}

// scheme turns one security scheme into what it amounts to here; nothing for what cannot be offered.
func (a *authReader) scheme(name string) []*catalog.DefinedAuth {
	n := a.schemes[name]
	guide := wording.Shorten(wording.Clean(text(n, "description")), 400)
	kind := strings.ToLower(text(n, "type"))
	switch {
	case kind == "basic", kind == "http" && strings.EqualFold(text(n, "scheme"), "basic"):
		return one(&catalog.DefinedAuth{Mode: "BASIC", Guide: guide})
	case kind == "http" && strings.EqualFold(text(n, "scheme"), "bearer"):
		return one(&catalog.DefinedAuth{Mode: "BEARER_TOKEN", Guide: guide})
	case kind == "apikey":
		return one(a.apiKey(n, guide))
	case kind == "oauth2":
		return a.oauth2(name, n, guide)
	case kind == "openidconnect":
		a.report.note("Security scheme %q is OpenID Connect: accounts are connected with an access token. Its provider is described at %s.", name, text(n, "openIdConnectUrl"))
		return one(&catalog.DefinedAuth{Mode: "BEARER_TOKEN", Guide: or(guide, "An access token of the provider described at "+text(n, "openIdConnectUrl"))})
	default:
		a.report.note("Security scheme %q is of the type %q (%s), which cannot be offered.", name, text(n, "type"), text(n, "scheme"))
		return nil
	}
}

func one(d *catalog.DefinedAuth) []*catalog.DefinedAuth { return []*catalog.DefinedAuth{d} }

func (a *authReader) apiKey(n node, guide string) *catalog.DefinedAuth {
	in, name := text(n, "in"), text(n, "name")
	if in != "header" && in != "query" && in != "cookie" || name == "" {
		a.report.note("A security scheme says neither where its key goes nor under what name; it is left out.")
		return nil
	}
	if strings.EqualFold(text(n, "x-amazon-apigateway-authtype"), "awsSigv4") {
		a.report.note("Each request to this API has to be signed (AWS Signature Version 4), which is not done here: calls are refused unless something in between signs them.")
	}
	d := keyAuth(in, name, keyPrefix(in, name, text(n, "description")))
	d.Guide = guide
	return d
}

// keyAuth is a key in one place.
func keyAuth(in, name, prefix string) *catalog.DefinedAuth {
	d := &catalog.DefinedAuth{
		Mode: "API_KEY", AccountFields: []catalog.Field{{Name: "api_key", Title: "API key", Type: "string", Required: true, Secret: true}},
	}
	if prefix != "" {
		d.AccountFields[0].Description = "Without the word " + strings.TrimSpace(prefix) + " before it."
	} else if strings.EqualFold(name, "authorization") {
		d.AccountFields[0].Description = "The whole value of the header Authorization, for example Bearer and the token."
	}
	switch in {
	case "header":
		d.Header = map[string]string{name: prefix + "{api_key}"}
	case "query":
		d.Query = map[string]string{name: "{api_key}"}
	case "cookie":
		d.Header = map[string]string{"Cookie": name + "={api_key}"}
	}
	return d
}

// keyPrefix reads from a description that a key goes behind a word, as many do that have no other way to say it.
func keyPrefix(in, name, description string) string {
	if in != "header" || !strings.EqualFold(name, "authorization") {
		return ""
	}
	for _, word := range []string{"Bearer", "Token", "ApiKey", "Key"} {
		for _, then := range []string{" <", " {", " [", " `", " $", " YOUR", " your", " xxx", " JWT"} {
			if strings.Contains(description, word+then) {
				return word + " "
			}
		}
	}
	return ""
}

// combine adds the keys that requirements want beside a scheme.
func (a *authReader) combine(name string, d *catalog.DefinedAuth) {
	if d == nil {
		return
	}
	for _, names := range a.combined {
		if !slices.Contains(names, name) {
			continue
		}
		for _, other := range names {
			n := a.schemes[other]
			if other == name || text(n, "type") != "apiKey" || text(n, "name") == "" {
				continue
			}
			a.addKey(d, other, n)
		}
	}
}

func (a *authReader) addKey(d *catalog.DefinedAuth, scheme string, n node) {
	if d.Mode == "BASIC" {
		a.report.note("Operations want %q beside HTTP Basic; only the latter is sent.", scheme)
		return
	}
	in, name := text(n, "in"), text(n, "name")
	field := strings.ToLower(wording.ArgumentKey(name))
	if field == "api_key" || slices.ContainsFunc(d.AccountFields, func(f catalog.Field) bool { return f.Name == field }) {
		field = strings.ToLower(wording.ArgumentKey(scheme))
	}
	if slices.ContainsFunc(d.AccountFields, func(f catalog.Field) bool { return f.Name == field }) {
		return
	}
	place := "{" + field + "}"
	switch in {
	case "header":
		if _, taken := d.Header[name]; taken {
			return
		}
		if d.Header == nil {
			d.Header = map[string]string{}
		}
		d.Header[name] = place
	case "query":
		if d.Query == nil {
			d.Query = map[string]string{}
		}
		d.Query[name] = place
	default:
		return
	}
	if _, own := d.Header["Authorization"]; !own && d.Mode != "API_KEY" {
		if d.Header == nil {
			d.Header = map[string]string{}
		}
		d.Header["Authorization"] = "Bearer {access_token}" // templates replace the usual place
		if d.Mode == "BEARER_TOKEN" {
			d.Header["Authorization"] = "Bearer {token}"
			d.AccountFields = append(d.AccountFields, catalog.Field{Name: "token", Title: "Access token", Type: "string", Required: true, Secret: true})
		}
	}
	d.AccountFields = append(slices.Clone(d.AccountFields), catalog.Field{
		Name: field, Title: wording.Capitalised(strings.Join(wording.SplitWords(name), " ")), Type: "string", Required: true, Secret: true,
		Description: wording.Shorten(wording.Clean(text(n, "description")), wording.MaxMember),
	})
}
