package mcpserver

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// post sends a body to a session of a test server.
func post(t *testing.T, server *httptest.Server, sessionID, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, server.URL+"/tool_router/"+sessionID+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

const listBody = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

func TestWhoMayComeIn(t *testing.T) {
	t.Parallel()
	server := newTestServer(t, newTestHandler(t, newFakeSessions()))
	for _, tc := range []struct {
		name    string
		session string
		headers []string
		want    int
	}{
		{"nobody", "trs_alice", nil, 401},
		{"project key", "trs_alice", []string{"x-api-key", projectKey}, 200},
		{"project key as user key", "trs_alice", []string{"x-user-api-key", projectKey}, 200},
		{"project key as bearer", "trs_alice", []string{"Authorization", "Bearer " + projectKey}, 200},
		{"bearer in lower case", "trs_alice", []string{"Authorization", "bearer " + projectKey}, 200},
		{"basic is no credential here", "trs_alice", []string{"Authorization", "Basic " + projectKey}, 401},
		{"wrong key", "trs_alice", []string{"x-api-key", "ak_wrong"}, 401},
		{"two that differ", "trs_alice", []string{"x-api-key", projectKey, "Authorization", "Bearer " + aliceToken}, 401},
		{"two that agree", "trs_alice", []string{"x-api-key", projectKey, "Authorization", "Bearer " + projectKey}, 200},
		{"another project", "trs_alice", []string{"x-api-key", projectKey, "x-project-id", "pr_2"}, 403},
		{"its own token", "trs_alice", []string{"Authorization", "Bearer " + aliceToken}, 200},
		{"its own token in x-api-key", "trs_alice", []string{"x-api-key", aliceToken}, 200},
		{"another session's token", "trs_alice", []string{"Authorization", "Bearer " + bobToken}, 404},
		{"wrong token", "trs_alice", []string{"Authorization", "Bearer pst_wrong"}, 401},
		{"unknown session", "trs_none", []string{"x-api-key", projectKey}, 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			response, body := post(t, server, tc.session, listBody, tc.headers...)
			if response.StatusCode != tc.want {
				t.Fatalf("status %d, want %d: %s", response.StatusCode, tc.want, body)
			}
			if tc.want == 200 {
				return
			}
			var refusal struct {
				JSONRPC string
				ID      *int
				Error   struct {
					Code    int
					Message string
					Data    struct {
						Slug string `json:"slug"`
						ID   string `json:"request_id"`
					}
				}
			}
			if err := json.Unmarshal([]byte(body), &refusal); err != nil {
				t.Fatalf("not JSON: %v: %s", err, body)
			}
			if refusal.JSONRPC != "2.0" || refusal.ID != nil || refusal.Error.Code != refusedCode || refusal.Error.Message == "" ||
				refusal.Error.Data.Slug == "" || refusal.Error.Data.ID != response.Header.Get("X-Request-Id") {
				t.Errorf("refused with %s", body)
			}
			if challenge := response.Header.Get("WWW-Authenticate"); (challenge != "") != (tc.want == 401) || strings.Contains(challenge, "resource_metadata") {
				t.Errorf("WWW-Authenticate %q with status %d", challenge, tc.want)
			}
		})
	}
}

func TestDeletedSessionIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	f := newFakeSessions()
	server := newTestServer(t, newTestHandler(t, f))
	if response, body := post(t, server, "trs_alice", listBody, "x-api-key", projectKey); response.StatusCode != 200 {
		t.Fatalf("before: %d %s", response.StatusCode, body)
	}
	f.delete("trs_alice")
	if response, body := post(t, server, "trs_alice", listBody, "x-api-key", projectKey); response.StatusCode != 404 || !strings.Contains(body, "ToolRouterV2_SessionNotFound") {
		t.Errorf("after: %d %s", response.StatusCode, body)
	}
}

func TestEachSessionActsForItsUser(t *testing.T) {
	t.Parallel()
	f := newFakeSessions()
	server := newTestServer(t, newTestHandler(t, f))
	for session, token := range map[string]string{"trs_alice": aliceToken, "trs_bob": bobToken} {
		_, body := post(t, server, session, oldCall("TEST_ECHO", ``), "Authorization", "Bearer "+token)
		if !strings.Contains(body, `\"user\":\"`+session+`\"`) {
			t.Errorf("%s was answered %s", session, body)
		}
	}
	for _, made := range f.made() {
		if made.caller.SessionID != made.sessionID || made.caller.RequestID == "" {
			t.Errorf("%s was called for by %+v", made.sessionID, made.caller)
		}
		if made.call.Via != "mcp" || made.call.Origin != "https://patchbay.example" || !made.call.Offload {
			t.Errorf("call %+v", made.call)
		}
	}
}

func TestGuardKeepsWebPagesOut(t *testing.T) {
	t.Parallel()
	server := newTestServer(t, newTestHandler(t, newFakeSessions()))
	own := strings.TrimPrefix(server.URL, "http://")
	_, port, err := net.SplitHostPort(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"no browser", nil, 200},
		{"own page", []string{"Origin", server.URL}, 200},
		{"local tool", []string{"Origin", "http://localhost:6274"}, 200},
		{"local name", []string{"Host", "localhost:" + port}, 200},
		{"IPv6", []string{"Host", "[::1]:" + port}, 200},
		{"through a proxy, by its known name", []string{"Host", "patchbay.example"}, 200},
		{"through a proxy, own page", []string{"Host", "patchbay.example", "Origin", "https://patchbay.example"}, 200},
		{"rebound name", []string{"Host", "evil.example"}, 403},
		{"rebound name and page", []string{"Host", "evil.example", "Origin", "http://evil.example"}, 403},
		{"page of another site", []string{"Origin", "https://evil.example"}, 403},
		{"sandboxed page", []string{"Origin", "null"}, 403},
		{"local page, remote server", []string{"Host", "patchbay.example", "Origin", "http://localhost:3000"}, 403},
		{"a name that only begins like ours", []string{"Origin", "https://patchbay.example.evil.example"}, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			response, body := post(t, server, "trs_alice", listBody, append([]string{"x-api-key", projectKey}, tc.headers...)...)
			if response.StatusCode != tc.want {
				t.Errorf("status %d, want %d: %s", response.StatusCode, tc.want, body)
			}
		})
	}
}

func TestGuardLooksAtHostOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "http://patchbay.internal/tool_router/trs_alice/mcp", nil)
	public := context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 8484}))
	if !newGuard(nil).admits(r.WithContext(public)) {
		t.Error("a server on a network refuses a name it is reached by")
	}
	local := context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv6loopback, Port: 8484}))
	if newGuard(nil).admits(r.WithContext(local)) {
		t.Error("a server on loopback admits a name that nobody told it")
	}
}

func TestAnswerOfATool(t *testing.T) {
	t.Parallel()
	server := newTestServer(t, newTestHandler(t, newFakeSessions()))
	for _, tc := range []struct{ name, tool, want string }{
		{"worked", "TEST_EMPTY", `{"content":[{"type":"text","text":"{\"data\":{},\"error\":null,\"successful\":true}"}],"structuredContent":{"data":{},"error":null,"successful":true}}`},
		{"failed", "TEST_FAIL", `{"content":[{"type":"text","text":"{\"data\":{\"status\":404},\"error\":\"The app says: \\\"not found\\\".\",\"successful\":false}"}],"isError":true,"structuredContent":{"data":{"status":404},"error":"The app says: \"not found\".","successful":false}}`},
		{"not allowed", "TEST_FORBIDDEN", `{"content":[{"type":"text","text":"{\"data\":{},\"error\":\"tools.test.disable forbids it. Allow it.\",\"successful\":false}"}],"isError":true,"structuredContent":{"data":{},"error":"tools.test.disable forbids it. Allow it.","successful":false}}`},
		{"invalid", "TEST_INVALID", `{"content":[{"type":"text","text":"{\"data\":{},\"error\":\"2 arguments are wrong.\\n- title: missing\\n- count: not a number\",\"successful\":false}"}],"isError":true,"structuredContent":{"data":{},"error":"2 arguments are wrong.\n- title: missing\n- count: not a number","successful":false}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, body := post(t, server, "trs_alice", oldCall(tc.tool, ``), "x-api-key", projectKey)
			var answer struct{ Result json.RawMessage }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(canonical([]byte(tc.want)), canonical(answer.Result)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFaultsOfTheServerGiveNothingAway(t *testing.T) {
	t.Parallel()
	server := newTestServer(t, newTestHandler(t, newFakeSessions()))
	_, body := post(t, server, "trs_alice", oldCall("TEST_BROKEN", ``), "x-api-key", projectKey, "X-Request-Id", "req_mine")
	if strings.Contains(body, "hunter2") || !strings.Contains(body, `-32603`) || !strings.Contains(body, "req_") {
		t.Errorf("answered %s", body)
	}
}

func TestUnknownToolNamesTheNearest(t *testing.T) {
	t.Parallel()
	server := newTestServer(t, newTestHandler(t, newFakeSessions()))
	response, body := post(t, server, "trs_alice", oldCall("TEST_ECO", ``), "x-api-key", projectKey)
	if response.StatusCode != 200 || !strings.Contains(body, "-32602") || !strings.Contains(body, "Did you mean TEST_ECHO?") {
		t.Errorf("answered %d %s", response.StatusCode, body)
	}
}

// What REST refuses to store is refused here, too.
func TestArgumentsThatCannotBeStored(t *testing.T) {
	t.Parallel()
	f := newFakeSessions()
	server := newTestServer(t, newTestHandler(t, f))
	for text, problem := range map[string]string{`a\u0000b`: "a null character", `a\ud800`: "half of a surrogate pair"} {
		call := strings.Replace(oldCall("TEST_ECHO", ``), `"name":`, `"arguments":{"text":"`+text+`"},"name":`, 1)
		_, body := post(t, server, "trs_alice", call, "x-api-key", projectKey)
		if !strings.Contains(body, "-32602") || !strings.Contains(body, problem) {
			t.Errorf("%s: answered %s", text, body)
		}
	}
	if n := len(f.made()); n > 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestIdempotencyKeyByMetaAndHeader(t *testing.T) {
	t.Parallel()
	f := newFakeSessions()
	server := newTestServer(t, newTestHandler(t, f))
	post(t, server, "trs_alice", oldCall("TEST_ECHO", `,"_meta":{"dev.patchbay/idempotencyKey":"k1"}`), "x-api-key", projectKey)
	post(t, server, "trs_alice", oldCall("TEST_ECHO", ``), "x-api-key", projectKey, "Idempotency-Key", "k2")
	post(t, server, "trs_alice", oldCall("TEST_ECHO", `,"_meta":{"idempotencyKey":"k3"}`), "x-api-key", projectKey, "Idempotency-Key", "other")
	var keys []string
	for _, made := range f.made() {
		keys = append(keys, made.call.IdempotencyKey)
	}
	if diff := cmp.Diff([]string{"k1", "k2", "k3"}, keys); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
}

// A client that goes away ends the call it has made, on either way and in either era.
func TestClientThatGoesEndsItsCall(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]sent{
		"short":         {body: oldCall("TEST_WAIT", ``)},
		"short, new":    {body: newCall("TEST_WAIT", ``), era: stateless},
		"by SDK":        {body: oldCall("TEST_WAIT", `,"unknown":1`)},
		"by SDK, newer": {body: newCall("TEST_WAIT", `,"unknown":1`), era: stateless},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeSessions()
			server := newTestServer(t, newTestHandler(t, f))
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/tool_router/trs_alice/mcp", strings.NewReader(s.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = s.request().Header
			gone := make(chan error, 1)
			go func() {
				response, err := http.DefaultClient.Do(r)
				if err == nil {
					response.Body.Close()
				}
				gone <- err
			}()
			<-f.block
			leave()
			if err := <-f.ended; err == nil {
				t.Error("the call's context ended without a cause")
			}
			if err := <-gone; err == nil {
				t.Error("the client got an answer")
			}
		})
	}
}

func TestNewWantsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("New accepts nothing at all")
	}
}
