package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/realtime"
)

// route is one operation of the API.
type route struct {
	method   string
	path     string // below the prefix
	status   int    // of success
	rules    rules
	endpoint endpoint
}

// rules are the ways in which a route departs from the rest.
type rules uint8

const (
	sessionToken rules = 1 << iota // the session's own token opens it too, not only a project key
	noRetry                        // a failure must not be repeated by an SDK on its own: x-should-retry: false
	form                           // the body may be a form as well as JSON
)

// prefixes are the two generations of clients. They mean the same here: upstream they differ in the tool version that is
// meant when none is named (API contract section 1.2), and here that is the project's pin or the latest for both.
var prefixes = []string{"/api/v3.1", "/api/v3"}

// routes lists every operation of the API, each served below both prefixes.
func (a *api) routes() []route {
	return slices.Concat(a.sessionRoutes(), a.catalogRoutes(), a.connectionRoutes(), a.eventRoutes(), a.projectRoutes())
}

// sessionRoutes are about one user's session.
func (a *api) sessionRoutes() []route {
	return []route{
		{"POST", "/tool_router/session", 201, noRetry, serve(a.createSession)},
		{"GET", "/tool_router/session", 200, 0, serve(a.listSessions)},
		{"GET", "/tool_router/session/{session_id}", 200, sessionToken, serve(a.getSession)},
		{"PATCH", "/tool_router/session/{session_id}", 200, 0, serve(a.updateSession)},
		{"DELETE", "/tool_router/session/{session_id}", 200, 0, serve(a.deleteSession)},
		{"POST", "/tool_router/session/{session_id}/attach", 200, 0, serve(a.attachSession)},
		{"GET", "/tool_router/session/{session_id}/config_history", 200, 0, serve(a.sessionHistory)},
		{"GET", "/tool_router/session/{session_id}/tools", 200, sessionToken, serve(a.sessionTools)},
		{"GET", "/tool_router/session/{session_id}/toolkits", 200, sessionToken, serve(a.sessionToolkits)},
		{"GET", "/tool_router/session/{session_id}/diagnose", 200, 0, serve(a.diagnoseSession)},
		{"POST", "/tool_router/session/{session_id}/search", 200, sessionToken | noRetry, serve(a.searchSession)},
		{"POST", "/tool_router/session/{session_id}/execute", 200, sessionToken | noRetry, serve(a.executeInSession)},
		{"POST", "/tool_router/session/{session_id}/execute_meta", 200, sessionToken | noRetry, serve(a.executeMetaInSession)},
		{"POST", "/tool_router/session/{session_id}/link", 201, sessionToken, serve(a.linkInSession)},
		{"POST", "/tool_router/session/{session_id}/proxy_execute", 200, noRetry, serve(a.proxyInSession)},
	}
}

// catalogRoutes are about what there is to call, and call it outside sessions.
func (a *api) catalogRoutes() []route {
	return []route{
		{"GET", "/tools", 200, 0, serve(a.listTools)},
		{"GET", "/tools/enum", 200, 0, serve(a.listToolSlugs)},
		{"GET", "/tools/{tool_slug}", 200, 0, serve(a.getTool)},
		{"POST", "/tools/scopes/required", 200, 0, serve(a.requiredScopes)},
		{"POST", "/tools/execute/proxy", 200, noRetry, serve(a.proxyTool)},
		{"POST", "/tools/execute/{tool_slug}", 200, noRetry, serve(a.executeTool)},

		{"GET", "/toolkits", 200, 0, serve(a.listToolkits)},
		{"POST", "/toolkits/multi", 200, 0, serve(a.listToolkitsBySlug)},
		{"GET", "/toolkits/categories", 200, 0, serve(a.listCategories)},
		{"GET", "/toolkits/changelog", 200, 0, serve(a.toolkitsChangelog)},
		{"GET", "/toolkits/{slug}", 200, 0, serve(a.getToolkit)},
		{"POST", "/toolkits/{toolkit_slug}/scopes/recommended", 200, 0, serve(a.recommendScopes)},
		{"GET", "/toolkits/{toolkit_slug}/scopes/grant_context", 200, 0, serve(a.grantContext)},

		{"PUT", "/toolkits/{slug}/pin", 200, 0, serve(a.pinToolkit)},
		{"POST", "/custom/toolkits/upsert", 200, noRetry, serve(a.upsertCustomToolkit)},
		{"POST", "/custom/toolkits/sync", 200, noRetry, serve(a.syncCustomToolkit)},
		{"GET", "/custom/toolkits/changes", 200, 0, serve(a.listToolkitChanges)},
		{"POST", "/custom/toolkits/approve", 200, noRetry, serve(a.approveToolkitChanges)},
		{"GET", "/custom/toolkits", 200, 0, serve(a.listCustomToolkits)},
		{"POST", "/custom/toolkits/import", 202, noRetry, serve(a.importToolkit)},
		{"GET", "/custom/toolkits/imports", 200, 0, serve(a.listImports)},
		{"GET", "/custom/toolkits/imports/{id}", 200, 0, serve(a.getImport)},
		{"DELETE", "/custom/toolkits/imports/{id}", 200, 0, serve(a.cancelImport)},
		{"DELETE", "/custom/toolkits/{slug}", 200, 0, serve(a.deleteCustomToolkit)},
	}
}

// connectionRoutes are about users' accounts and how they are connected.
func (a *api) connectionRoutes() []route {
	return []route{
		{"GET", "/auth_configs", 200, 0, serve(a.listAuthConfigs)},
		{"POST", "/auth_configs", 201, 0, serve(a.createAuthConfig)},
		{"GET", "/auth_configs/{nanoid}", 200, 0, serve(a.getAuthConfig)},
		{"PATCH", "/auth_configs/{nanoid}", 200, 0, serve(a.updateAuthConfig)},
		{"DELETE", "/auth_configs/{nanoid}", 200, 0, serve(a.deleteAuthConfig)},
		{"PATCH", "/auth_configs/{nanoid}/{status}", 200, 0, serve(a.setAuthConfigStatus)},

		{"GET", "/connected_accounts", 200, 0, serve(a.listAccounts)},
		{"POST", "/connected_accounts", 201, 0, serve(a.createAccount)},
		{"POST", "/connected_accounts/link", 201, 0, serve(a.linkAccount)},
		{"POST", "/connected_accounts/complete_auth", 200, 0, serve(a.completeAuth)},
		{"GET", "/connected_accounts/{nanoid}", 200, 0, serve(a.getAccount)},
		{"PATCH", "/connected_accounts/{nanoid}", 200, 0, serve(a.updateAccount)},
		{"DELETE", "/connected_accounts/{nanoid}", 200, 0, serve(a.deleteAccount)},
		{"PATCH", "/connected_accounts/{nanoid}/status", 200, 0, serve(a.setAccountStatus)},
		{"POST", "/connected_accounts/{nanoid}/refresh", 200, 0, serve(a.refreshAccount)},
		{"POST", "/connected_accounts/{nanoid}/revoke", 200, 0, serve(a.revokeAccount)},
	}
}

// projectRoutes are about the project itself, and the MCP servers of the older API.
func (a *api) projectRoutes() []route {
	return []route{
		{"GET", "/org/project/config", 200, 0, serve(a.getProjectConfig)},
		{"PATCH", "/org/project/config", 200, 0, serve(a.updateProjectConfig)},

		{"POST", "/mcp/servers", 201, 0, serve(a.createMCPServer)},
		{"POST", "/mcp/servers/custom", 201, 0, serve(a.createMCPServer)},
		{"GET", "/mcp/servers", 200, 0, serve(a.listMCPServers)},
		{"POST", "/mcp/servers/generate", 200, 0, serve(a.generateMCPURLs)},
		{"GET", "/mcp/servers/{serverId}/instances", 200, 0, serve(a.listMCPInstances)},
		{"POST", "/mcp/servers/{serverId}/instances", 201, 0, serve(a.createMCPInstance)},
		{"DELETE", "/mcp/servers/{serverId}/instances/{instanceId}", 200, 0, serve(a.deleteMCPInstance)},
		{"GET", "/mcp/app/{appKey}", 200, 0, serve(a.listMCPServersOfToolkit)},
		{"GET", "/mcp/{id}", 200, 0, serve(a.getMCPServer)},
		{"PATCH", "/mcp/{id}", 200, 0, serve(a.updateMCPServer)},
		{"DELETE", "/mcp/{id}", 200, 0, serve(a.deleteMCPServer)},
	}
}

// eventRoutes are those by which events come in, and go out.
func (a *api) eventRoutes() []route {
	return []route{
		{"GET", "/triggers_types", 200, 0, serve(a.listTriggerTypes)},
		{"GET", "/triggers_types/list/enum", 200, 0, serve(a.listTriggerSlugs)},
		{"GET", "/triggers_types/{slug}", 200, 0, serve(a.getTriggerType)},
		{"POST", "/trigger_instances/{slug}/upsert", 201, noRetry, serve(a.upsertTrigger)},
		{"POST", "/trigger_instances/{slug}/check", 200, noRetry, serve(a.checkTrigger)},
		{"GET", "/trigger_instances/active", 200, 0, serve(a.listTriggers)},
		{"PATCH", "/trigger_instances/manage/{trigger_id}", 200, noRetry, serve(a.manageTrigger)},
		{"DELETE", "/trigger_instances/manage/{trigger_id}", 200, 0, serve(a.deleteTrigger)},

		{"POST", "/webhook_endpoints", 200, 0, serve(a.createEndpoint)},
		{"GET", "/webhook_endpoints", 200, 0, serve(a.listEndpoints)},
		{"GET", "/webhook_endpoints/schema", 200, 0, serve(a.endpointSchema)},
		{"GET", "/webhook_endpoints/{nano_id}", 200, 0, serve(a.getEndpoint)},
		{"PATCH", "/webhook_endpoints/{nano_id}", 200, 0, serve(a.mergeEndpointData)},
		{"POST", "/webhook_endpoints/{nano_id}", 200, 0, serve(a.replaceEndpointData)},
		{"POST", "/webhook_ingress/{toolkit}/{we_id}/trigger_event", 200, 0, a.ingress()},

		{"POST", "/webhook_subscriptions", 201, 0, serve(a.createSubscription)},
		{"GET", "/webhook_subscriptions", 200, 0, serve(a.listSubscriptions)},
		{"GET", "/webhook_subscriptions/event_types", 200, 0, serve(a.listEventTypes)},
		{"GET", "/webhook_subscriptions/{id}", 200, 0, serve(a.getSubscription)},
		{"PATCH", "/webhook_subscriptions/{id}", 200, 0, serve(a.updateSubscription)},
		{"DELETE", "/webhook_subscriptions/{id}", 200, 0, serve(a.deleteSubscription)},
		{"POST", "/webhook_subscriptions/{id}/rotate_secret", 200, 0, serve(a.rotateSubscriptionSecret)},
		{"GET", "/webhook_subscriptions/{id}/deliveries", 200, 0, serve(a.listDeliveries)},
		{"POST", "/webhook_subscriptions/{id}/replay", 200, noRetry, serve(a.replayEvents)},

		{"GET", "/events", 200, 0, serve(a.listEvents)},
		{"GET", "/events/stream", 200, 0, serveStream(a.streamEvents)},
		{"GET", "/events/{id}", 200, 0, serve(a.getEvent)},

		{"GET", "/internal/sdk/realtime/credentials", 200, 0, serve(a.realtimeCredentials)},
		{"POST", "/internal/sdk/realtime/auth", 200, form, serve(a.authorizeRealtime)},
	}
}

// pageRoutes are the paths of pages. Connecting: the link, and where providers send the browser back to, old targets included. Letting
// programs in: signing in, agreeing, and the list of them.
var pageRoutes = []string{
	"GET /link/{token}",
	"POST /link/{token}",
	"GET /api/v3.1/toolkits/auth/callback",
	"GET /api/v3/toolkits/auth/callback",
	"GET /api/v1/auth-apps/add",
	"GET /logos/{file}",
	"GET " + connect.ClientDocumentPath,

	"GET /oauth/authorize",
	"POST /oauth/authorize",
	"POST /oauth/sign-in",
	"POST /oauth/issuer",
	"GET /oauth/callback",
	"POST /oauth/sign-out",
	"GET /oauth/clients",
	"POST /oauth/clients",
}

// oauthRoutes are what MCP clients use to be let in by a person, pages aside. Their forms are those of RFCs, not of this API.
var oauthRoutes = []string{
	"GET /.well-known/oauth-authorization-server",
	"GET /.well-known/openid-configuration",
	"GET /.well-known/oauth-protected-resource/{path...}",
	"POST /oauth/token",
	"POST /oauth/revoke",
	"POST /oauth/register",
}

// mux lays out the whole server.
func (a *api) mux(o Options) *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range a.routes() {
		handler := a.handler(rt)
		for _, prefix := range prefixes {
			mux.Handle(rt.method+" "+prefix+rt.path, handler)
		}
	}
	if o.Pages != nil {
		for _, pattern := range pageRoutes {
			mux.Handle(pattern, a.inTime(o.Pages))
		}
	}
	if o.OAuth != nil {
		for _, pattern := range oauthRoutes {
			mux.Handle(pattern, a.inTime(o.OAuth))
		}
	}
	if o.MCP != nil {
		mux.Handle("/mcp", o.MCP)
		mux.Handle("/tool_router/{session_id}/mcp", o.MCP)
		mux.Handle("/v3/mcp/{server_id}", o.MCP)
		mux.Handle("/v3/mcp/{server_id}/mcp", o.MCP)
	}
	mux.Handle("GET "+realtime.Path, o.Realtime)
	if o.Gatherer != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{}))
	}
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /openapi.json", serveOpenAPI)
	mux.HandleFunc("/api/v1/", a.gone)
	mux.HandleFunc("/api/v2/", a.gone)
	mux.Handle("/", a.unmatched(mux))
	return mux
}

// inTime gives a page the time that an API request has.
func (a *api) inTime(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
		defer cancel()
		pages.ServeHTTP(w, r.WithContext(ctx))
	})
}

// gone answers the old API's prefixes.
func (a *api) gone(w http.ResponseWriter, r *http.Request) {
	a.writeFault(w, r, fault.New(fault.Gone, fault.SlugGone, "This server does not speak API v1 or v2.").
		WithFix("Update the SDK to one that uses /api/v3.1, or change the path: sessions are at /api/v3.1/tool_router/session."), true)
}

// unmatched answers what no route took: 405 when the path exists under other methods, else 404.
func (a *api) unmatched(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed := otherMethods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			a.writeEnvelope(w, fault.New(fault.Invalid, fault.SlugMethodNotAllowed, "%s does not take %s.", short(r.URL.Path), short(r.Method)).
				WithFix("Use %s.", strings.Join(allowed, " or ")), http.StatusMethodNotAllowed)
			return
		}
		a.writeFault(w, r, fault.New(fault.NotFound, fault.SlugNotFound, "There is nothing at %s.", short(r.URL.Path)).
			WithFix("/openapi.json lists what this server serves."), false)
	})
}

// otherMethods asks the mux by which methods the path of a request would have been taken.
func otherMethods(mux *http.ServeMux, r *http.Request) []string {
	allowed := make(map[string]bool)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
			allowed[method] = true
		}
	}
	return slices.Sorted(maps.Keys(allowed))
}
