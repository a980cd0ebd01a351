package catalog

import (
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
