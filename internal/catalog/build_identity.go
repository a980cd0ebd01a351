package catalog

import (
	"net/http"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Build makes the "whose account is this?" request, for the fields of one account.
func (i *Identity) Build(t *Toolkit, fields map[string]string) (Built, error) {
	env := &mapping.Env{Fields: fields}
	base := i.Base
	if base == nil || t.rebased {
		base = t.BaseURL
	}
	if base == nil {
		return Built{}, fault.New(fault.Internal, fault.SlugInternal, "Toolkit %q has no base URL.", t.Slug)
	}
	origin, err := base.Expand(env)
	if err != nil {
		return Built{}, err
	}
	b := Built{Method: i.Method, URL: strings.TrimSuffix(origin, "/") + i.Path}
	if b.Header, err = headers(t, nil, env); err != nil {
		return Built{}, err
	}
	if b.Method == "" {
		b.Method = http.MethodGet
	}
	if i.Body != "" {
		b.Body, b.Header["Content-Type"] = []byte(i.Body), "application/json"
	}
	return b, nil
}
