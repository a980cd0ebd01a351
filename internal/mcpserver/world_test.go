package mcpserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// fakeSessions are two users' sessions of one project, with tools that do what their names say.
type fakeSessions struct {
	mu    sync.Mutex
	calls []madeCall
	tools map[string][]session.ToolSpec // by session
	block chan struct{}                 // TEST_WAIT says here that it began, and then waits for its context
	ended chan error                    // and here how its context ended
}

type madeCall struct {
	caller    tenant.Caller
	sessionID string
	call      session.ToolCall
}

const (
	projectKey = "ak_project"
	aliceToken = "pst_alice"
	bobToken   = "pst_bob"
)

func newFakeSessions() *fakeSessions {
	object := json.RawMessage(`{"type":"object","properties":{"title":{"type":"string","description":"a < b & c"}},"required":["title"]}`)
	specs := []session.ToolSpec{
		{Slug: "COMPOSIO_SEARCH_TOOLS", Name: "Search tools", Description: "Finds tools.", Hints: catalog.Hints{Read: true, ClosedWorld: true}, Input: object},
		{Slug: "TEST_ECHO", Name: "Echo", Description: "Says what it was told.", Hints: catalog.Hints{Create: true, Idempotent: true}, Input: object},
		{Slug: "TEST_DELETE", Name: "Delete", Description: "Deletes.", Hints: catalog.Hints{Destructive: true}, Input: json.RawMessage(`{"type":"object"}`)},
	}
	return &fakeSessions{
		tools: map[string][]session.ToolSpec{"trs_alice": specs, "trs_bob": specs[:1]},
		block: make(chan struct{}), ended: make(chan error, 1),
	}
}

func (f *fakeSessions) Authenticate(_ context.Context, token string) (tenant.Caller, error) {
	switch token {
	case aliceToken:
		return tenant.Caller{ProjectID: "pr_1", SessionID: "trs_alice"}, nil
	case bobToken:
		return tenant.Caller{ProjectID: "pr_1", SessionID: "trs_bob"}, nil
	}
	return tenant.Caller{}, fault.New(fault.Unauthorized, fault.SlugUnauthorized, "This session token is not valid.")
}

func (f *fakeSessions) key(_ context.Context, key string) (tenant.Caller, error) {
	if key == projectKey {
		return tenant.Caller{ProjectID: "pr_1", KeyID: "key_1"}, nil
	}
	return tenant.Caller{}, fault.New(fault.Unauthorized, fault.SlugUnauthorized, "This key is not valid.").WithFix("Make a new one.")
}

type fakeView struct {
	tools []session.ToolSpec
	key   string
}

func (v fakeView) Tools() []session.ToolSpec { return v.tools }
func (v fakeView) ToolsKey() string          { return v.key }

func (f *fakeSessions) Open(_ context.Context, _ tenant.Caller, id string) (View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	tools, ok := f.tools[id]
	if !ok {
		return nil, noSuchSession()
	}
	return fakeView{tools, id}, nil
}

func (f *fakeSessions) Personal(_ context.Context, _ tenant.Caller, userID string) (string, View, error) {
	view, err := f.Open(context.Background(), tenant.Caller{}, "trs_"+userID)
	return "trs_" + userID, view, err
}

func (f *fakeSessions) Execute(ctx context.Context, c tenant.Caller, id string, call session.ToolCall) (Outcome, error) {
	f.mu.Lock()
	f.calls = append(f.calls, madeCall{c, id, call})
	f.mu.Unlock()
	data := func(text string) Outcome {
		return Outcome{Outcome: session.Outcome{Result: execute.Result{Data: json.RawMessage(text), LogID: "log_1"}}}
	}
	switch call.Slug {
	case "TEST_ECHO":
		raw, err := json.Marshal(map[string]any{"user": id, "said": call.Arguments})
		return data(string(raw)), err
	case "TEST_STRANGE":
		return data("{\"text\":\"a<b>&c \u2028 \\u2029 \\\" \\\\ \\n\\t \x7f é 😀 \xff\"}"), nil
	case "TEST_EMPTY":
		return data(""), nil
	case "TEST_FAIL":
		out := data(`{"status":404}`)
		out.Error = "The app says: \"not found\"."
		return out, nil
	case "TEST_FORBIDDEN":
		return Outcome{}, fault.New(fault.Forbidden, fault.SlugSessionToolNotAllowed, "tools.test.disable forbids it.").WithFix("Allow it.")
	case "TEST_INVALID":
		return Outcome{}, fault.New(fault.Invalid, fault.SlugInvalidArguments, "2 arguments are wrong.").WithDetails("title: missing", "count: not a number")
	case "TEST_BROKEN":
		return Outcome{}, errors.New("the database password is hunter2")
	case "TEST_GONE":
		return Outcome{}, noSuchSession()
	case "TEST_IMAGE":
		out := data("{}")
		out.Content = json.RawMessage(` [{"type":"text","text":"look:"},{"type":"image","data":"AAAA","mimeType":"image/png"}] `)
		return out, nil
	case "TEST_NO_BLOCKS":
		out := data("{}")
		out.Content = json.RawMessage(`[]`)
		return out, nil
	case "TEST_CONNECT":
		out := data(`{"redirect_url":"https://patchbay.example/link/lt_1"}`)
		out.Links = []connect.Link{{Token: "lt_1", URL: "https://patchbay.example/link/lt_1", Account: connect.ConnectedAccount{ID: "ca_1", Toolkit: "gmail"}}}
		return out, nil
	case "TEST_WAIT":
		f.block <- struct{}{}
		<-ctx.Done()
		f.ended <- context.Cause(ctx)
		return Outcome{}, ctx.Err()
	}
	return Outcome{}, fault.New(fault.NotFound, fault.SlugSessionToolNotFound, "There is no tool %q.", call.Slug).WithFix("Did you mean TEST_ECHO?")
}

func (f *fakeSessions) made() []madeCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]madeCall(nil), f.calls...)
}

func (f *fakeSessions) delete(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.tools, id)
}

// openSealer keeps nothing secret, but keeps a value to its place.
type openSealer struct{}

func (openSealer) Seal(plain []byte, where string) ([]byte, error) {
	return append([]byte(where+"|"), plain...), nil
}

func (openSealer) Open(sealed []byte, where string) ([]byte, error) {
	if len(sealed) < len(where)+1 || string(sealed[:len(where)+1]) != where+"|" {
		return nil, errors.New("sealed for another place")
	}
	return sealed[len(where)+1:], nil
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newTestHandler(t testing.TB, f *fakeSessions) *Handler {
	t.Helper()
	h, err := New(Options{
		Sessions:  f,
		Keys:      f.key,
		PublicURL: func(*http.Request) (string, error) { return "https://patchbay.example", nil },
		Hosts:     []string{"patchbay.example"},
		Sealer:    openSealer{},
		Version:   "1.2.3",
		Now:       func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// route puts the handler where the server has it.
func route(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/tool_router/{session_id}/mcp", h)
	return mux
}

func newTestServer(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(route(h))
	t.Cleanup(s.Close)
	return s
}

// sealedFor is the state a client would carry for an answer.
func sealedFor(where, carried string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(where + "|" + carried))
}
