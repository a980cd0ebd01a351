package catalog

import (
	"bytes"
	"fmt"
	"net/url"
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
func (r *Request) Main() bool { return r.HTTP != nil || r.GraphQL != nil }

func buildEither(t *Toolkit, env *mapping.Env, http *HTTPRequest, graphql *GraphQLRequest) (Built, error) {
	if http != nil {
		return http.Build(t, env)
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
	if base == nil {
		return "", fault.New(fault.Internal, fault.SlugInternal, "Toolkit %q has no base URL.", t.Slug)
	}
	origin, err := base.Expand(env)
	if err != nil {
		return "", err
	}
	p, err := path.Expand(env)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(origin, "/") + p, nil
}

func (r *HTTPRequest) query(env *mapping.Env) (string, error) {
	var p params
	for _, a := range r.QueryArgs {
		if v, ok := env.Input[a.Name]; ok {
			p.add(a.As, v, r.Lists, false)
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
		if strings.ContainsAny(s, "\r\n\x00") {
			return nil, fault.New(fault.Invalid, fault.SlugInvalidArguments, "What goes into the header %s must not contain line breaks.", name)
		}
		out[name] = s
	}
	return out, nil
}

func (r *HTTPRequest) addBody(b *Built, env *mapping.Env) error {
	if r.Body == nil && len(r.BodyArgs) == 0 {
		return nil
	}
	body, err := r.body(env)
	if err != nil {
		return err
	}
	data, contentType, err := encodeBody(body, r.Encoding, r.Lists)
	if err != nil {
		return err
	}
	b.Body = data
	if _, own := b.Header["Content-Type"]; !own && data != nil {
		b.Header["Content-Type"] = contentType
	}
	return nil
}

func (r *HTTPRequest) body(env *mapping.Env) (any, error) {
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
		if v, ok := env.Input[a.Name]; ok {
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
		if v, ok := env.Input[a.Name]; ok {
			m.Variables[a.As] = v
		}
	}
	return m, nil
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
	if lists == ListsComma {
		texts := make([]string, len(list))
		for i, e := range list {
			texts[i] = mapping.AsText(e)
		}
		p.write(name, strings.Join(texts, ","))
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

func (p *params) write(name, value string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('&')
	}
	p.b.WriteString(url.QueryEscape(name))
	p.b.WriteByte('=')
	p.b.WriteString(url.QueryEscape(value))
}
