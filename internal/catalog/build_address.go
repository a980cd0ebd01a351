package catalog

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

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
