package catalog

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Built is a request ready to be sent, but for the credential.
type Built struct {
	Method    string
	URL       string // absolute
	Header    map[string]string
	Body      []byte // nil for none
	Anonymous bool   // do not add the credential
}

// Build makes the main request of a tool: HTTP or GraphQL. It does no I/O. Faults are of kind Invalid and name the argument.
func (r *Request) Build(t *Toolkit, env *mapping.Env) (Built, error) {
	return buildEither(t, env, r.HTTP, r.GraphQL)
}

// Build makes the request of a step, for one element or round.
func (s *Step) Build(t *Toolkit, env *mapping.Env) (Built, error) {
	return buildEither(t, env, s.HTTP, s.GraphQL)
}

// Main reports whether there is a request after the steps.
func (r *Request) Main() bool { return r.HTTP != nil || r.GraphQL != nil || r.MCP != nil }

func buildEither(t *Toolkit, env *mapping.Env, plain *HTTPRequest, graphql *GraphQLRequest) (Built, error) {
	if plain != nil {
		return plain.Build(t, env)
	}
	return graphql.Build(t, env)
}

// Build makes the request.
func (r *HTTPRequest) Build(t *Toolkit, env *mapping.Env) (Built, error) {
	b := Built{Method: r.Method, Anonymous: r.Anonymous}
	var err error
	if b.URL, err = r.url(t, env); err != nil {
		return Built{}, err
	}
	if b.Header, err = headers(t, r.Headers, env); err != nil {
		return Built{}, err
	}
	if err := r.addHeaders(b.Header, env); err != nil {
		return Built{}, err
	}
	if err := r.addBody(&b, env); err != nil {
		return Built{}, err
	}
	return b, nil
}

func (r *HTTPRequest) url(t *Toolkit, env *mapping.Env) (string, error) {
	target, err := r.target(t, env)
	if err != nil {
		return "", err
	}
	query, err := r.query(env)
	if err != nil || query == "" {
		return target, err
	}
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return target + separator + query, nil
}

func (r *HTTPRequest) target(t *Toolkit, env *mapping.Env) (string, error) {
	if r.URL == nil {
		return join(t, r.Base, r.Path, env)
	}
	v, err := r.URL.Eval(env)
	if err != nil {
		return "", err
	}
	s := mapping.AsText(v)
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", fault.New(fault.Upstream, fault.SlugUpstream, "The service should have answered with a URL at %s and did not.", r.URL)
	}
	return s, nil
}

// join puts the path behind the base. What the operator set as base wins over a request's own.
func join(t *Toolkit, base, path *mapping.Text, env *mapping.Env) (string, error) {
	if base == nil || t.rebased {
		base = t.BaseURL
	}
	origin, err := expandBase(t, base, env)
	if err != nil {
		return "", err
	}
	p, err := path.Expand(env)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(origin, "/") + p, nil
}

func expandBase(t *Toolkit, base *mapping.Text, env *mapping.Env) (string, error) {
	if base == nil {
		return "", fault.New(fault.Internal, fault.SlugInternal, "Toolkit %q has no base URL.", t.Slug)
	}
	return base.Expand(env)
}

// MCPEndpoint gives the address of the toolkit's MCP server: all of its tools are there.
func (t *Toolkit) MCPEndpoint(env *mapping.Env) (string, error) { return expandBase(t, t.BaseURL, env) }

func (r *HTTPRequest) query(env *mapping.Env) (string, error) {
	var p params
	for _, a := range r.QueryArgs {
		if v, ok := a.value(env, r.Rename); ok {
			p.add(a.As, v, cmp.Or(a.Lists, r.Lists), a.Deep)
		}
	}
	if r.Query != nil {
		object, err := r.Query.EvalObject(env)
		if err != nil {
			return "", err
		}
		p.addObject(object, r.Lists, false)
	}
	return p.String(), nil
}

func headers(t *Toolkit, own *mapping.Tree, env *mapping.Env) (map[string]string, error) {
	out := make(map[string]string, len(t.Headers)+2)
	out["Accept"] = "application/json"
	for name, text := range t.Headers {
		v, err := text.Expand(env)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	if own == nil {
		return out, nil
	}
	object, err := own.EvalObject(env)
	if err != nil {
		return nil, err
	}
	for name, v := range object {
		s := mapping.AsText(v)
		if err := headerValue(name, s); err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}

func headerValue(name, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fault.New(fault.Invalid, fault.SlugInvalidArguments, "What goes into the header %s must not contain line breaks.", name)
	}
	return nil
}

// addHeaders adds the arguments that are headers and cookies.
func (r *HTTPRequest) addHeaders(to map[string]string, env *mapping.Env) error {
	for _, a := range r.HeaderArgs {
		v, ok := a.value(env, r.Rename)
		if !ok {
			continue
		}
		s := flatText(v)
		if err := headerValue(a.As, s); err != nil {
			return err
		}
		to[http.CanonicalHeaderKey(a.As)] = s
	}
	var cookies []string
	for _, a := range r.CookieArgs {
		if v, ok := a.value(env, r.Rename); ok {
			cookies = append(cookies, a.As+"="+url.QueryEscape(flatText(v)))
		}
	}
	if cookies != nil {
		to["Cookie"] = strings.Join(cookies, "; ")
	}
	return nil
}

// flatText writes a value where there is one line for it: the elements of a list with commas between them.
func flatText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return mapping.AsText(v)
	}
	return joinTexts(list, ",")
}

func joinTexts(list []any, separator string) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = mapping.AsText(e)
	}
	return strings.Join(texts, separator)
}

// value gives what an argument is upstream, and whether it is sent at all.
func (a *Argument) value(env *mapping.Env, names map[string]string) (any, bool) {
	if a.Name == "" {
		return a.Fixed, true
	}
	v, ok := env.Input[a.Name]
	if ok && len(names) > 0 {
		v = renameMembers(v, names)
	}
	return v, ok
}

// renameMembers gives the members of objects, at any depth, their names upstream. It copies what it changes.
func renameMembers(v any, names map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if as, ok := names[name]; ok {
				name = as
			}
			out[name] = renameMembers(e, names)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = renameMembers(e, names)
		}
		return out
	default:
		return v
	}
}

func (r *HTTPRequest) addBody(b *Built, env *mapping.Env) error {
	if r.Body == nil && len(r.BodyArgs) == 0 && r.BodyArg == "" {
		return nil
	}
	data, contentType, err := r.encodedBody(env)
	if err != nil {
		return err
	}
	b.Body = data
	if _, own := b.Header["Content-Type"]; !own && data != nil {
		b.Header["Content-Type"] = contentType
	}
	return nil
}

func (r *HTTPRequest) encodedBody(env *mapping.Env) (data []byte, contentType string, err error) {
	if r.Encoding == EncodeForm && slices.ContainsFunc(r.BodyArgs, func(a Argument) bool { return a.Lists != "" }) {
		var p params
		for _, a := range r.BodyArgs {
			if v, ok := a.value(env, r.Rename); ok {
				p.add(a.As, v, a.Lists, a.Deep)
			}
		}
		return []byte(p.String()), formType, nil
	}
	body, err := r.body(env)
	if err != nil {
		return nil, "", err
	}
	return encodeBody(body, r.Encoding, r.Lists)
}

func (r *HTTPRequest) body(env *mapping.Env) (any, error) {
	if r.BodyArg != "" {
		return renameMembers(env.Input[r.BodyArg], r.Rename), nil
	}
	var body any
	if r.Body != nil {
		var err error
		if body, err = r.Body.Eval(env); err != nil {
			return nil, err
		}
	}
	if len(r.BodyArgs) == 0 {
		return body, nil
	}
	object := make(map[string]any, len(r.BodyArgs))
	if own, ok := body.(map[string]any); ok {
		for name, v := range own {
			object[name] = v
		}
	} else if body != nil {
		return nil, fmt.Errorf("a body that is not an object leaves no room for arguments")
	}
	for _, a := range r.BodyArgs {
		if v, ok := a.value(env, r.Rename); ok {
			object[a.As] = v
		}
	}
	return object, nil
}

// Build makes the request.
func (r *GraphQLRequest) Build(t *Toolkit, env *mapping.Env) (Built, error) {
	b := Built{Method: "POST"}
	var err error
	if b.URL, err = join(t, nil, r.Path, env); err != nil {
		return Built{}, err
	}
	if b.Header, err = headers(t, nil, env); err != nil {
		return Built{}, err
	}
	message, err := r.message(env)
	if err != nil {
		return Built{}, err
	}
	if b.Body, err = mapping.EncodeJSON(message); err != nil {
		return Built{}, err
	}
	b.Header["Content-Type"] = "application/json"
	return b, nil
}

// graphQLMessage is the body of a GraphQL request over HTTP.
type graphQLMessage struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
}

func (r *GraphQLRequest) message(env *mapping.Env) (graphQLMessage, error) {
	m := graphQLMessage{Query: r.Query, OperationName: r.OperationName}
	if r.QueryFrom != nil {
		v, err := r.QueryFrom.Eval(env)
		if err != nil {
			return m, err
		}
		m.Query = mapping.AsText(v)
	}
	m.Variables = make(map[string]any, len(r.VariableArgs))
	if r.Variables != nil {
		object, err := r.Variables.EvalObject(env)
		if err != nil {
			return m, err
		}
		for name, v := range object {
			m.Variables[name] = v
		}
	}
	for _, a := range r.VariableArgs {
		if v, ok := a.value(env, r.Rename); ok {
			m.Variables[a.As] = v
		}
	}
	if r.FieldsArg == "" {
		return m, nil
	}
	selection, err := r.selection(env)
	m.Query = strings.Replace(m.Query, fieldsMark, selection, 1)
	return m, err
}

// params collects the parameters of a query or a form, in order.
type params struct{ b bytes.Buffer }

func (p *params) String() string { return p.b.String() }

func (p *params) addObject(object map[string]any, lists ListStyle, nested bool) {
	for _, name := range sortedKeys(object) {
		p.add(name, object[name], lists, nested)
	}
}

// add writes one value. Nested says whether objects and lists become a[b] and a[0], as forms have it.
func (p *params) add(name string, v any, lists ListStyle, nested bool) {
	switch v := v.(type) {
	case nil:
	case []any:
		p.addList(name, v, lists, nested)
	case map[string]any:
		if !nested {
			p.write(name, mapping.AsText(v))
			return
		}
		for _, member := range sortedKeys(v) {
			p.add(name+"["+member+"]", v[member], lists, nested)
		}
	default:
		p.write(name, mapping.AsText(v))
	}
}

func (p *params) addList(name string, list []any, lists ListStyle, nested bool) {
	if lists == ListsJSON {
		p.write(name, mapping.AsText(list))
		return
	}
	if separator, joined := listSeparators[lists]; joined {
		p.write(name, joinTexts(list, separator))
		return
	}
	for i, e := range list {
		switch {
		case lists == ListsBrackets:
			p.add(name+"[]", e, lists, nested)
		case nested:
			p.add(fmt.Sprintf("%s[%d]", name, i), e, lists, nested)
		default:
			p.write(name, mapping.AsText(e))
		}
	}
}

// listSeparators are those of the styles that write a list as one value.
var listSeparators = map[ListStyle]string{ListsComma: ",", ListsSpaces: " ", ListsPipes: "|"}

func (p *params) write(name, value string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('&')
	}
	p.b.WriteString(url.QueryEscape(name))
	p.b.WriteByte('=')
	p.b.WriteString(url.QueryEscape(value))
}
