package mcpserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// fakePeople knows credentials by the endpoint they are for.
type fakePeople map[string]string // credential -> URL

func (f fakePeople) Person(_ context.Context, credential, origin, path string) (tenant.Person, error) {
	if f[credential] != origin+path {
		return tenant.Person{}, fault.New(fault.Unauthorized, fault.SlugOAuthInvalidToken, "The access token is not for this endpoint.")
	}
	return tenant.Person{ProjectID: "pr_1", UserID: "alice"}, nil
}

func TestPeopleAtMCPEndpoints(t *testing.T) {
	t.Parallel()
	const origin = "https://patchbay.example"
	sessions := newFakeSessions()
	h, err := New(Options{
		Sessions: sessions, Keys: sessions.key, Hosts: []string{"patchbay.example"},
		PublicURL: func(*http.Request) (string, error) { return origin, nil },
		People:    fakePeople{"oat_personal": origin + "/mcp", "oat_alice": origin + "/tool_router/trs_alice/mcp", "oat_nowhere": origin},
		Now:       func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", h)
	mux.Handle("/tool_router/{session_id}/mcp", h)
	mux.Handle("/v3/mcp/{server_id}", h)
	const echo = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"TEST_ECHO","arguments":{"title":"x"}}}`
	for name, tc := range map[string]struct {
		path, header, credential string
		status                   int
		caller                   tenant.Caller // of a call that is made
	}{
		"a person at /mcp":              {"/mcp", "Authorization", "Bearer oat_personal", 200, tenant.Caller{ProjectID: "pr_1", SessionID: "trs_alice", UserID: "alice"}},
		"whoever the URL names":         {"/mcp?user_id=bob", "Authorization", "Bearer oat_personal", 200, tenant.Caller{ProjectID: "pr_1", SessionID: "trs_alice", UserID: "alice"}},
		"a person at their session":     {"/tool_router/trs_alice/mcp", "Authorization", "Bearer oat_alice", 200, tenant.Caller{ProjectID: "pr_1", SessionID: "trs_alice", UserID: "alice"}},
		"a token for another endpoint":  {"/mcp", "Authorization", "Bearer oat_alice", 401, tenant.Caller{}},
		"the other way round":           {"/tool_router/trs_alice/mcp", "Authorization", "Bearer oat_personal", 401, tenant.Caller{}},
		"a token at an older endpoint":  {"/v3/mcp/x", "Authorization", "Bearer oat_personal", 401, tenant.Caller{}},
		"the project's key at /mcp":     {"/mcp?user_id=alice", "X-Api-Key", projectKey, 200, tenant.Caller{ProjectID: "pr_1", KeyID: "key_1"}},
		"a key, for a user without one": {"/mcp", "X-Api-Key", projectKey, 404, tenant.Caller{}}, // of these fakes' world
		"a wrong personal key":          {"/mcp", "X-Consumer-Api-Key", "ck_wrong", 401, tenant.Caller{}},
		"a JWT":                         {"/mcp", "Authorization", "Bearer eyJh.eyJi.c", 401, tenant.Caller{}},
		"a token as a key":              {"/mcp", "X-Api-Key", "oat_personal", 200, tenant.Caller{ProjectID: "pr_1", SessionID: "trs_alice", UserID: "alice"}},
	} {
		before := len(sessions.made())
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tc.path, strings.NewReader(echo))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set(tc.header, tc.credential)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
			continue
		}
		if made := sessions.made()[before:]; tc.status == 200 {
			if len(made) != 1 {
				t.Errorf("%s: %d calls", name, len(made))
				continue
			}
			if made[0].caller.RequestID = ""; made[0].caller != tc.caller || made[0].sessionID != "trs_alice" {
				t.Errorf("%s: called as %+v in %s", name, made[0].caller, made[0].sessionID)
			}
		}
	}
}

func TestChallengesSayWhereToSignIn(t *testing.T) {
	t.Parallel()
	sessions := newFakeSessions()
	h, err := New(Options{
		Sessions: sessions, Keys: sessions.key, People: fakePeople{},
		PublicURL: func(*http.Request) (string, error) { return "https://patchbay.example/below", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", h)
	mux.Handle("/tool_router/{session_id}/mcp", h)
	mux.Handle("/v3/mcp/{server_id}", h)
	const where = `resource_metadata="https://patchbay.example/below/.well-known/oauth-protected-resource`
	for _, tc := range []struct{ path, credential, want string }{
		{"/mcp", "", `Bearer realm="Patchbay", ` + where + `/mcp", scope="tools"`},
		{"/mcp", "oat_ended", `Bearer realm="Patchbay", error="invalid_token", ` + where + `/mcp", scope="tools"`},
		{"/tool_router/trs_1/mcp", "", `Bearer realm="Patchbay", ` + where + `/tool_router/trs_1/mcp", scope="tools"`},
		{"/tool_router/trs_1%22/mcp", "", `Bearer realm="Patchbay"`}, // a quote cannot get into the header
		{"/v3/mcp/x", "", `Bearer realm="Patchbay"`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tc.path, strings.NewReader("{}"))
		if tc.credential != "" {
			r.Header.Set("Authorization", "Bearer "+tc.credential)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if got := w.Header().Get("WWW-Authenticate"); w.Code != http.StatusUnauthorized || got != tc.want {
			t.Errorf("%s: %d %s\nwant %s", tc.path, w.Code, got, tc.want)
		}
	}
}
