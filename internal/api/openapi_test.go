package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// contract is openapi.json, loaded once and checked as a document.
var contract = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	if err != nil {
		panic(err)
	}
	return doc
})

// operationOf finds what openapi.json says of a matched route, such as "POST /api/v3.1/tools/enum".
func operationOf(pattern string) (*routers.Route, bool) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return nil, false
	}
	for _, prefix := range prefixes {
		if below, ok := strings.CutPrefix(path, prefix+"/"); ok {
			path = "/" + below
		}
	}
	item := contract().Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return nil, false
	}
	return &routers.Route{Spec: contract(), Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)}, true
}

// checkAgainstContract holds every response of every test against openapi.json, and the request too where it was accepted: what
// we take must be what we say we take.
func checkAgainstContract(t testing.TB, r *http.Request, body string, w *httptest.ResponseRecorder) {
	t.Helper()
	route, ok := operationOf(r.Pattern)
	if !ok {
		return // a page, MCP, or nothing at all; that no operation is missing is proven below
	}
	parameters := make(map[string]string)
	for _, name := range pathNames(route.Path) {
		parameters[name] = r.PathValue(name)
	}
	again := r.Clone(context.Background())
	again.Body = io.NopCloser(strings.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: again, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if w.Code < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			t.Errorf("accepted a request that openapi.json does not allow: %s %s %s: %v", r.Method, r.URL, body, err)
		}
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(),
		Body:    io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: input.Options,
	})
	if err != nil {
		t.Errorf("%s %s: the response is not what openapi.json says: %v", r.Method, r.URL, err)
	}
}

func pathNames(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

func TestEveryRouteIsInTheContractAndBack(t *testing.T) {
	t.Parallel()
	routed := make(map[string]bool)
	for _, rt := range new(api).routes() {
		routed[rt.method+" "+rt.path] = true
	}
	for _, server := range []string{"/healthz", "/readyz", "/openapi.json", "/metrics"} {
		routed["GET "+server] = true
	}
	described := make(map[string]bool)
	for path, item := range contract().Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	for name := range routed {
		if !described[name] {
			t.Errorf("%s is routed, but not in openapi.json", name)
		}
	}
	for name := range described {
		if !routed[name] {
			t.Errorf("%s is in openapi.json, but not routed", name)
		}
	}
}

// TestEveryParameterIsInTheContractAndBack compares names: of path, query and header parameters, and of the members of bodies.
func TestEveryParameterIsInTheContractAndBack(t *testing.T) {
	t.Parallel()
	for _, rt := range new(api).routes() {
		route, ok := operationOf(rt.method + " /api/v3.1" + rt.path)
		if !ok {
			continue // the test above complains
		}
		var bound, described []string
		for _, f := range rt.endpoint.binding.fields {
			if f.source != "from" {
				bound = append(bound, f.source+" "+f.name)
			}
		}
		for _, p := range route.Operation.Parameters {
			described = append(described, p.Value.In+" "+p.Value.Name)
		}
		for _, name := range bodyMembers(rt.endpoint.binding.request) {
			bound = append(bound, "body "+name)
		}
		if body := route.Operation.RequestBody; body != nil {
			for name := range body.Value.Content.Get("application/json").Schema.Value.Properties {
				described = append(described, "body "+name)
			}
		}
		slices.Sort(bound)
		slices.Sort(described)
		if !slices.Equal(bound, described) {
			t.Errorf("%s %s\n reads %v\n  says %v", rt.method, rt.path, bound, described)
		}
	}
}

func bodyMembers(t reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func TestTheContractIsServed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	served := s.do(t, request{method: "GET", path: "/openapi.json", key: "-"}).ok(t, 200)
	if !bytes.Equal(served.body, openAPI) {
		t.Error("/openapi.json is not the embedded document")
	}
	if got := served.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content-type %q", got)
	}
}

// Code generators make method names of them.
func TestOperationIDsAreUnique(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for path, item := range contract().Paths.Map() {
		for method, operation := range item.Operations() {
			where := fmt.Sprintf("%s %s", method, path)
			if other, taken := seen[operation.OperationID]; taken || operation.OperationID == "" {
				t.Errorf("operationId %q of %s is also that of %s", operation.OperationID, where, other)
			}
			seen[operation.OperationID] = where
		}
	}
}
