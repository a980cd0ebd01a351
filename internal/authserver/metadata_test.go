package authserver_test

import (
	"testing"

	"github.com/patchbay-dev/patchbay/internal/authserver"
)

func TestResourcesDescribeThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct{ origin, path, resource string }{
		{origin, "/mcp", origin + "/mcp"},
		{origin, "/tool_router/trs_1/mcp", origin + "/tool_router/trs_1/mcp"},
		{origin + "/below", "/below/mcp", origin + "/below/mcp"}, // the well-known part stood before the path
		{origin + "/below", "/mcp", origin + "/below/mcp"},       // or behind it
		{origin, "/", ""},
		{origin, "/api/v3.1", ""},
		{origin, "/tool_router//mcp", ""},
		{origin, "/tool_router/a/b/mcp", ""},
		{origin, `/tool_router/"/mcp`, ""},
	} {
		m, ok := w.ResourceMetadata(tc.origin, tc.path)
		if m.Resource != tc.resource || ok != (tc.resource != "") {
			t.Errorf("%s%s: %+v, %t", tc.origin, tc.path, m, ok)
		}
		if ok && (len(m.AuthorizationServers) != 1 || m.AuthorizationServers[0] != tc.origin || w.Metadata(tc.origin).Issuer != tc.origin) {
			t.Errorf("%s%s names %v", tc.origin, tc.path, m.AuthorizationServers)
		}
	}
	if _, ok := authserver.ResourceMetadataURL(origin, `/tool_router/"x/mcp`); ok {
		t.Error("a quote can get into a header")
	}
}
