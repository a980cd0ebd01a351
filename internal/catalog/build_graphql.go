package catalog

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

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
