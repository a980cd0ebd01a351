package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAccessLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	var pages http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") }
	s := newStack(t, func(o *Options) { o.Pages = pages })
	session := s.session(t, `{"user_id":"u"}`)
	s.do(t, request{method: "GET", path: "/api/v3.1/tool_router/session/" + session + "/tools?cursor=&limit=5&x=canary-query", header: map[string]string{"User-Agent": "probe/1"}}).ok(t, 200)
	s.do(t, request{method: "GET", path: "/link/lt_canary-token?code=canary-code", key: "-"}).ok(t, 200)
	s.do(t, request{method: "GET", path: "/api/v3.1/toolkits/auth/callback?code=canary-code&state=canary-state", key: "-"}).ok(t, 200)
	s.do(t, request{method: "GET", path: "/api/v3.1/toolkits", key: "ak_canary-key"}).ok(t, 401)
	s.do(t, request{method: "GET", path: "/canary-path"}).ok(t, 404)
	log := s.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, s.key) {
		t.Errorf("the log holds a secret:\n%s", log)
	}
	var line struct {
		Method, Route, Project, Session, Client, Slug string
		Status, Bytes                                 int
		RequestID                                     string `json:"request_id"`
	}
	for text := range strings.SplitSeq(log, "\n") {
		if strings.Contains(text, "/tools") {
			must(t, json.Unmarshal([]byte(text), &line))
		}
	}
	if line.Route != "GET /api/v3.1/tool_router/session/{session_id}/tools" || line.Session != session || line.Project != s.project.ID ||
		line.Status != 200 || line.Bytes == 0 || line.Client != "probe/1" || !strings.HasPrefix(line.RequestID, "req_") {
		t.Errorf("the line is %+v", line)
	}
	if !strings.Contains(log, `"route":"unmatched","status":404`) || !strings.Contains(log, `"slug":"HTTP_Unauthorized"`) {
		t.Errorf("the log:\n%s", log)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, account := s.keyAccount(t, "u")
	session := s.session(t, `{"user_id":"u"}`)
	s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"ACME_MAKE_THING","arguments":{"title":"x"}}`).ok(t, 200)
	s.post(t, "/tools/execute/ACME_DELETE_THING", `{"connected_account_id":"`+account+`","arguments":{"id":"x"}}`).ok(t, 200)
	for _, path := range []string{"/api/v3.1/toolkits/a", "/api/v3.1/toolkits/b", "/x", "/y"} {
		s.do(t, request{method: "GET", path: path}).ok(t, 404)
	}
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"}}`).ok(t, 201).text(t, "auth_config.id")
	oauth := s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"u",
		"state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"at-old-000000","refresh_token":"rt-old-000000"}}}}`).ok(t, 201).text(t, "id")
	s.post(t, "/connected_accounts/"+oauth+"/refresh", `{}`).ok(t, 200)
	served := string(s.do(t, request{method: "GET", path: "/metrics", key: "-"}).ok(t, 200).body)
	for _, want := range []string{
		`patchbay_http_requests_total{route="GET /api/v3.1/toolkits/{slug}",status="404"} 2`,
		`patchbay_http_requests_total{route="unmatched",status="404"} 2`,
		`patchbay_http_request_duration_seconds_count{route="POST /api/v3.1/tool_router/session"} 1`,
		`patchbay_tool_calls_total{origin="session",outcome="success"} 1`,
		`patchbay_tool_calls_total{origin="api",outcome="failed"} 1`,
		`patchbay_tool_call_duration_seconds_count 2`,
		`patchbay_session_cache_total{result="hit"} 1`,
		`patchbay_token_refreshes_total{outcome="refreshed"} 1`,
	} {
		if !strings.Contains(served, want) {
			t.Errorf("no %s in\n%s", want, served)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := errors.New("database: connection refused to 10.0.0.7")
	var state error
	s := newStack(t, func(o *Options) { o.Ready = func(context.Context) error { return state } })
	s.do(t, request{method: "GET", path: "/healthz", key: "-"}).ok(t, 200)
	s.do(t, request{method: "GET", path: "/readyz", key: "-"}).ok(t, 200)
	state = broken
	s.do(t, request{method: "GET", path: "/healthz", key: "-"}).ok(t, 200)
	a := s.do(t, request{method: "GET", path: "/readyz", key: "-"}).ok(t, 503)
	if strings.Contains(string(a.body), "10.0.0.7") || !strings.Contains(s.log.String(), "10.0.0.7") {
		t.Errorf("the reason belongs in the log only: %s", a.body)
	}
}

// TestStreamsPassTheMiddleware: an MCP stream is flushed piece by piece and not cut by the API's deadline.
func TestStreamsPassTheMiddleware(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	var stream http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		if _, cut := r.Context().Deadline(); cut {
			t.Error("the stream has a deadline")
		}
		io.WriteString(w, "one ")
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "two")
	}
	s := newStack(t, func(o *Options) { o.MCP = stream })
	server := httptest.NewServer(s.handler)
	defer server.Close()
	response, err := http.Post(server.URL+"/tool_router/trs_x/mcp", "application/json", nil)
	must(t, err)
	defer response.Body.Close()
	first := make([]byte, 4)
	_, err = io.ReadFull(response.Body, first)
	must(t, err)
	close(next)
	rest, err := io.ReadAll(response.Body)
	must(t, err)
	if string(first)+string(rest) != "one two" || response.Header.Get(requestIDHeader) == "" {
		t.Errorf("got %q and %q", first, rest)
	}
}

func TestMountedHandlersGetTheirPaths(t *testing.T) {
	t.Parallel()
	name := func(who string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, who) })
	}
	s := newStack(t, func(o *Options) { o.Pages, o.MCP = name("pages"), name("mcp") })
	for path, want := range map[string]string{
		"GET /link/lt_x":                       "pages",
		"POST /link/lt_x":                      "pages",
		"GET /api/v3.1/toolkits/auth/callback": "pages",
		"GET /api/v3/toolkits/auth/callback":   "pages",
		"GET /api/v1/auth-apps/add":            "pages",
		"GET /logos/acme.svg":                  "pages",
		"GET /tool_router/trs_x/mcp":           "mcp",
		"POST /tool_router/trs_x/mcp":          "mcp",
		"DELETE /tool_router/trs_x/mcp":        "mcp",
	} {
		method, path, _ := strings.Cut(path, " ")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Body.String() != want {
			t.Errorf("%s %s went to %q, want %q", method, path, w.Body, want)
		}
	}
}
