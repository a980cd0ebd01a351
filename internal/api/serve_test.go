package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// example is a path of a route with something in its place-holders.
func (rt route) example(ids map[string]string) string {
	path := rt.path
	for name, id := range ids {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	return path
}

func TestEveryRouteNeedsACredential(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, rt := range new(api).routes() {
		if rt.endpoint.open != nil { // providers have no key of ours: their calls prove themselves
			continue
		}
		for _, prefix := range prefixes {
			path := prefix + rt.example(map[string]string{"session_id": "trs_x", "tool_slug": "X", "slug": "x", "nanoid": "ac_x", "status": "ENABLED"})
			for name, header := range map[string]map[string]string{
				"none":  nil,
				"wrong": {"X-Api-Key": "ak_wrong"},
				"basic": {"Authorization": "Basic YTpi"},
				"empty": {"X-Api-Key": ""},
				"token": {"Authorization": "Bearer pst_wrong"},
			} {
				a := s.do(t, request{method: rt.method, path: path, key: "-", header: header})
				if f := a.fault(t); a.status != 401 || f.Slug != fault.SlugUnauthorized {
					t.Errorf("%s %s with credential %q answered %d %s", rt.method, path, name, a.status, f.Slug)
				}
			}
		}
	}
}

func TestOtherProjectsIDsDoNotExist(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, account := s.keyAccount(t, "u")
	session := s.session(t, `{"user_id":"u"}`)
	ids := map[string]string{"session_id": session, "status": "DISABLED", "tool_slug": "ACME_MAKE_THING", "slug": "acme"}
	bodies := map[string]string{
		"/tool_router/session/{session_id}/search":        `{"queries":[{"use_case":"x"}]}`,
		"/tool_router/session/{session_id}/execute":       `{"tool_slug":"ACME_MAKE_THING"}`,
		"/tool_router/session/{session_id}/execute_meta":  `{"slug":"COMPOSIO_SEARCH_TOOLS"}`,
		"/tool_router/session/{session_id}/link":          `{"toolkit":"acme"}`,
		"/tool_router/session/{session_id}/proxy_execute": `{"toolkit_slug":"acme","endpoint":"/me","method":"GET"}`,
		"/connected_accounts/{nanoid}/status":             `{"enabled":false}`,
	}
	for _, rt := range new(api).routes() {
		ids["nanoid"] = config
		if strings.HasPrefix(rt.path, "/connected_accounts") {
			ids["nanoid"] = account
		}
		if !strings.Contains(rt.path, "{session_id}") && !strings.Contains(rt.path, "{nanoid}") {
			continue
		}
		a := s.do(t, request{method: rt.method, path: "/api/v3.1" + rt.example(ids) + "?slug=acme", body: bodies[rt.path], key: s.otherKey})
		if a.status != 404 {
			t.Errorf("%s %s of another project answered %d: %s", rt.method, rt.path, a.status, a.body)
		}
		if strings.Contains(string(a.body), s.project.ID) {
			t.Errorf("%s %s tells whose it is: %s", rt.method, rt.path, a.body)
		}
	}
	for name, q := range map[string]request{
		"link":    {method: "POST", path: "/connected_accounts/link", body: `{"auth_config_id":"` + config + `","user_id":"u"}`},
		"create":  {method: "POST", path: "/connected_accounts", body: `{"auth_config":{"id":"` + config + `"},"connection":{"user_id":"u"}}`},
		"proxy":   {method: "POST", path: "/tools/execute/proxy", body: `{"connected_account_id":"` + account + `","endpoint":"/me","method":"GET"}`},
		"execute": {method: "POST", path: "/tools/execute/ACME_MAKE_THING", body: `{"connected_account_id":"` + account + `","arguments":{"title":"x"}}`},
	} {
		q.path, q.key = "/api/v3.1"+q.path, s.otherKey
		if a := s.do(t, q); a.status != 404 {
			t.Errorf("%s with another project's id answered %d: %s", name, a.status, a.body)
		}
	}
	s.get(t, "/connected_accounts/"+account).ok(t, 200)
	s.get(t, "/tool_router/session/"+session).ok(t, 200)
	if got := s.get(t, "/auth_configs/"+config).ok(t, 200).text(t, "status"); got != "ENABLED" {
		t.Errorf("another project's key switched the auth config to %s", got)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	key, other := s.key, s.otherKey
	tests := []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"x-api-key", map[string]string{"X-Api-Key": key}, 200},
		{"x-user-api-key with scope", map[string]string{"X-User-Api-Key": key, "X-Org-Id": "ok_any", "X-Project-Id": s.project.ID}, 200},
		{"x-org-api-key", map[string]string{"X-Org-Api-Key": key}, 200},
		{"bearer", map[string]string{"Authorization": "Bearer " + key}, 200},
		{"bearer in lower case", map[string]string{"Authorization": "bearer " + key}, 200},
		{"the same key twice", map[string]string{"X-Api-Key": key, "Authorization": "Bearer " + key}, 200},
		{"two different keys", map[string]string{"X-Api-Key": key, "Authorization": "Bearer " + other}, 401},
		{"two different headers", map[string]string{"X-Api-Key": key, "X-User-Api-Key": other}, 401},
		{"another project named", map[string]string{"X-Api-Key": key, "X-Project-Id": "pr_other"}, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s.do(t, request{method: "GET", path: "/api/v3.1/toolkits", key: "-", header: test.header}).ok(t, test.want)
		})
	}
}

func TestASessionTokenOpensItsOwnSessionOnly(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	created := s.post(t, "/tool_router/session", `{"user_id":"u"}`).ok(t, 201)
	token := created.text(t, "mcp.headers.Authorization")
	own, foreign := created.text(t, "session_id"), s.session(t, `{"user_id":"u"}`)
	call := func(method, path, body string) answer {
		return s.do(t, request{method: method, path: "/api/v3.1" + path, body: body, key: "-", header: map[string]string{"Authorization": token}})
	}
	call("GET", "/tool_router/session/"+own, "").ok(t, 200)
	call("GET", "/tool_router/session/"+own+"/tools", "").ok(t, 200)
	call("GET", "/tool_router/session/"+own+"/toolkits", "").ok(t, 200)
	call("POST", "/tool_router/session/"+own+"/search", `{"queries":[{"use_case":"make a thing"}]}`).ok(t, 200)
	call("POST", "/tool_router/session/"+own+"/execute", `{"tool_slug":"PLAIN_GET_FACT","arguments":{"id":1}}`).ok(t, 200)
	call("POST", "/tool_router/session/"+own+"/link", `{"toolkit":"acme"}`).ok(t, 201)
	s.patch(t, "/tool_router/session/"+own, `{"manage_connections":false}`).ok(t, 200)
	call("POST", "/tool_router/session/"+own+"/link", `{"toolkit":"acme"}`).ok(t, 403)
	for _, rt := range new(api).routes() {
		if rt.endpoint.open != nil { // providers have no key of ours
			continue
		}
		ids := map[string]string{"session_id": foreign, "tool_slug": "PLAIN_GET_FACT", "slug": "plain", "nanoid": "ca_x", "status": "ENABLED"}
		a := call(rt.method, rt.example(ids), "")
		if want := 403; rt.rules&sessionToken != 0 {
			a.ok(t, 404)
		} else {
			a.ok(t, want)
		}
	}
	call("DELETE", "/tool_router/session/"+own, "").ok(t, 403)
	call("PATCH", "/tool_router/session/"+own, `{"toolkits":null}`).ok(t, 403)
	s.delete(t, "/tool_router/session/"+own).ok(t, 200)
	call("GET", "/tool_router/session/"+own, "").ok(t, 401)
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tests := []struct {
		method, path string
		status       int
		slug, allow  string
	}{
		{"GET", "/api/v3.1/nothing", 404, fault.SlugNotFound, ""},
		{"GET", "/nothing", 404, fault.SlugNotFound, ""},
		{"POST", "/api/v3.1/webhook_subscription", 404, fault.SlugNotFound, ""},
		{"PUT", "/api/v3.1/tool_router/session", 405, fault.SlugMethodNotAllowed, "GET, POST"},
		{"DELETE", "/api/v3/tools/enum", 405, fault.SlugMethodNotAllowed, "GET"},
		{"GET", "/api/v3.1/connected_accounts/ca_x/status", 405, fault.SlugMethodNotAllowed, "PATCH"},
		{"POST", "/healthz", 405, fault.SlugMethodNotAllowed, "GET"},
		{"GET", "/api/v1/apps", 410, fault.SlugGone, ""},
		{"POST", "/api/v2/actions/X/execute", 410, fault.SlugGone, ""},
	}
	for _, test := range tests {
		a := s.do(t, request{method: test.method, path: test.path})
		f := a.fault(t)
		if a.status != test.status || f.Slug != test.slug || f.Status != test.status || f.SuggestedFix == "" {
			t.Errorf("%s %s answered %d %+v", test.method, test.path, a.status, f)
		}
		if got := a.header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s allows %q, want %q", test.method, test.path, got, test.allow)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	get := func(id string) (header, envelope string) {
		a := s.do(t, request{method: "GET", path: "/api/v3.1/toolkits/nope", header: map[string]string{"X-Request-Id": id}}).ok(t, 404)
		return a.header.Get("X-Request-Id"), a.fault(t).RequestID
	}
	if header, envelope := get("my-id-1"); header != "my-id-1" || envelope != "my-id-1" {
		t.Errorf("the caller's id came back as %q and %q", header, envelope)
	}
	for _, bad := range []string{"", "with space", "line\nbreak", strings.Repeat("x", 200), "ünicode"} {
		if header, envelope := get(bad); !strings.HasPrefix(header, "req_") || envelope != header {
			t.Errorf("%q came back as %q and %q", bad, header, envelope)
		}
	}
}

// TestRetries: SDKs repeat 408, 409, 429 and 5xx of any method unless they are told not to.
func TestRetries(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	session := s.session(t, `{"user_id":"u"}`)
	for _, rt := range new(api).routes() {
		if rt.rules&noRetry == 0 {
			continue
		}
		path := "/api/v3.1" + rt.example(map[string]string{"session_id": session, "tool_slug": "ACME_MAKE_THING"})
		a := s.do(t, request{method: rt.method, path: path, body: `{"user_id":7,"queries":7,"tool_slug":7,"slug":7,"method":7,"event_ids":7}`})
		if a.status != 400 || a.header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s %s answered %d with x-should-retry %q", rt.method, path, a.status, a.header.Get("X-Should-Retry"))
		}
	}
	if a := s.patch(t, "/tool_router/session/"+session, `{"expected_config_version":9}`).ok(t, 409); a.header.Get("X-Should-Retry") != "false" {
		t.Error("a conflict may be repeated")
	}
}

func TestFaultsBecomeEnvelopes(t *testing.T) {
	t.Parallel()
	log := new(lockedBuffer)
	tests := []struct {
		err    error
		status int
		code   int
		header map[string]string
		hidden string
	}{
		{fault.New(fault.RateLimited, fault.SlugRateLimited, "slow down"), 429, 10429, nil, ""},
		{&fault.Error{Kind: fault.Unavailable, Slug: "X", Message: "later", After: 1500 * time.Millisecond}, 503, 10503, map[string]string{"Retry-After": "2", "Retry-After-Ms": "1500"}, ""},
		{fault.New(fault.Invalid, "X", "bad").WithCode(4300), 400, 4300, nil, ""},
		{fault.New(fault.Conflict, "X", "changed"), 409, 10409, map[string]string{"X-Should-Retry": "false"}, ""},
		{&fault.Error{Kind: fault.Upstream, Slug: "X", NoRetry: true}, 502, 10502, map[string]string{"X-Should-Retry": "false"}, ""},
		{fault.New(fault.Unprocessable, "X", "no"), 422, 10422, nil, ""},
		{fault.New(fault.Unsupported, "X", "no"), 501, 10501, nil, ""},
		{fmt.Errorf("while: %w", context.DeadlineExceeded), 408, 10408, nil, "while"},
		{errors.New("the password is hunter2"), 500, 10500, nil, "hunter2"},
		{fault.New(fault.NotFound, "X", "gone").Because(errors.New("row 17")), 404, 10404, nil, "row 17"},
	}
	a := &api{log: slog.New(slog.NewTextHandler(log, nil))}
	for _, test := range tests {
		w := httptest.NewRecorder()
		a.writeFault(w, httptest.NewRequest("GET", "/", nil), test.err, false)
		got := answer{w.Code, w.Header(), w.Body.Bytes()}
		f := got.fault(t)
		if got.status != test.status || f.Status != test.status || f.Code != test.code || f.Errors == nil {
			t.Errorf("%v became %d %+v", test.err, got.status, f)
		}
		for name, want := range test.header {
			if got.header.Get(name) != want {
				t.Errorf("%v: %s is %q, want %q", test.err, name, got.header.Get(name), want)
			}
		}
		if test.hidden != "" && strings.Contains(string(got.body), test.hidden) {
			t.Errorf("the cause got out: %s", got.body)
		}
	}
	if !strings.Contains(log.String(), "hunter2") {
		t.Error("the cause of a 500 is not in the log")
	}
}

// TestDeadline: a handler that never ends is told to, and the client hears of it before it gives up by itself.
func TestDeadline(t *testing.T) {
	t.Parallel()
	s := newStack(t, func(o *Options) { o.Timeout = time.Nanosecond })
	a := s.get(t, "/auth_configs").ok(t, 408)
	if got := a.fault(t).Slug; got != fault.SlugTimeout {
		t.Errorf("slug %s", got)
	}
}

// TestPanicsAreAnswered: the log says where it went wrong, and of what a panic carries nothing that may be a secret.
func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cause  func(nothing []string) any
		logged string
	}{
		"a text":             {func([]string) any { return "secret detail" }, "with a string"},
		"an error":           {func([]string) any { return errors.New("secret detail") }, "with a *errors.errorString"},
		"one of the runtime": {func(nothing []string) any { return nothing[len("secret detail")] }, "index out of range [13]"},
	} {
		var broken http.HandlerFunc = func(http.ResponseWriter, *http.Request) { panic(tc.cause(nil)) }
		s := newStack(t, func(o *Options) { o.MCP = broken })
		a := s.do(t, request{method: "POST", path: "/tool_router/trs_x/mcp"}).ok(t, 500)
		if strings.Contains(string(a.body), "secret detail") || strings.Contains(string(a.body), tc.logged) || a.header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s: got %s", name, a.body)
		}
		if log := s.log.String(); strings.Contains(log, "secret detail") || !strings.Contains(log, tc.logged) || !strings.Contains(log, "serve_test.go") {
			t.Errorf("%s: the log is %s", name, log)
		}
	}
}
