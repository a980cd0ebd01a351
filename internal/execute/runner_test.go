package execute_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// TestMain is also the MCP servers that tests run as programs.
func TestMain(m *testing.M) {
	if kind := os.Getenv("TEST_PROGRAM"); kind != "" {
		beProgram(kind)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tool, arguments      string
		status               int
		contentType, body    string
		wantMethod, wantURL  string
		wantSent, wantAnswer string
	}{
		"a read passes the answer through": {
			tool: "GET_THING", arguments: `{"id": "a/b", "verbose": "true"}`, body: `{"id": 12345678901234567890, "x": 1.50}`,
			wantMethod: "GET", wantURL: "/v1/things/a%2Fb?verbose=true", wantAnswer: `{"id": 12345678901234567890, "x": 1.50}`,
		},
		"a list becomes an object": {
			tool: "LIST_THINGS", arguments: `{"limit": "2"}`, body: ` [1, 2] `,
			wantMethod: "GET", wantURL: "/v1/things?limit=2", wantAnswer: `{"details":[1, 2]}`,
		},
		"a list under its declared name": {
			tool: "NAMED_LIST", arguments: `{}`, body: `[1]`, wantMethod: "GET", wantURL: "/v1/things", wantAnswer: `{"things":[1]}`,
		},
		"a shaped result": {
			tool: "PICKED_LIST", arguments: `{}`, body: `{"items": [{"id": 1, "user": {"name": "A", "x": 1}}, {"id": 2}], "more": true}`,
			wantMethod: "GET", wantURL: "/v1/things", wantAnswer: `{"things":[{"id":1,"owner":"A"},{"id":2}]}`,
		},
		"a write sends its body": {
			tool: "CREATE_THING", arguments: `{"title": "T", "count": "3", "tags": "new", "unknown": 1}`, status: 201, body: `{"id": 9}`,
			wantMethod: "POST", wantURL: "/v1/things", wantSent: `{"count":3,"tags":["new"],"title":"T"}`, wantAnswer: `{"id": 9}`,
		},
		"no answer body": {
			tool: "DELETE_THING", arguments: `{"id": 7}`, status: 204, wantMethod: "DELETE", wantURL: "/v1/things/7", wantAnswer: `{"success":true}`,
		},
		"a scalar": {tool: "GET_THING", arguments: `{"id": "1"}`, body: `42`, wantMethod: "GET", wantURL: "/v1/things/1", wantAnswer: `{"details":42}`},
		"null is nothing": {
			tool: "GET_THING", arguments: `{"id": "1"}`, body: `null`, wantMethod: "GET", wantURL: "/v1/things/1", wantAnswer: `{"success":true}`,
		},
		"a text": {
			tool: "READ_TEXT", arguments: `{}`, contentType: "text/plain", body: `hello "you"`,
			wantMethod: "GET", wantURL: "/v1/text", wantAnswer: `{"details":"hello \"you\""}`,
		},
		"JSON under another name": {
			tool: "GET_THING", arguments: `{"id": "1"}`, contentType: "text/html", body: `{"a":1}`,
			wantMethod: "GET", wantURL: "/v1/things/1", wantAnswer: `{"a":1}`,
		},
		"a media type of its own": {
			tool: "GET_THING", arguments: `{"id": "1"}`, contentType: "application/vnd.acme+json", body: `{"a":1}`,
			wantMethod: "GET", wantURL: "/v1/things/1", wantAnswer: `{"a":1}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", or(tc.contentType, "application/json"))
				rw.WriteHeader(max(tc.status, 200))
				rw.Write([]byte(tc.body))
			})
			res := w.run(tc.tool, tc.arguments)
			if res.Error != "" || string(res.Data) != tc.wantAnswer {
				t.Errorf("got %s (error %q), want %s", res.Data, res.Error, tc.wantAnswer)
			}
			if res.AccountID != "ca_1" || res.Status != max(tc.status, 200) || !strings.HasPrefix(res.LogID, "log_") {
				t.Errorf("got %+v", res)
			}
			w.wantRequests(1)
			got := w.seen()[0]
			if got.Method != tc.wantMethod || got.URL != tc.wantURL || got.Body != tc.wantSent {
				t.Errorf("sent %s %s %s, want %s %s %s", got.Method, got.URL, got.Body, tc.wantMethod, tc.wantURL, tc.wantSent)
			}
			if got.Header.Get("Authorization") != "Bearer key-of-the-account" || got.Header.Get("X-Acme-Version") != "7" || !strings.HasPrefix(got.Header.Get("User-Agent"), "patchbay") {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestNothingIsSentForWrongArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	_, err := w.Run(t.Context(), caller, w.call("CREATE_THING", `{"count": "many", "titel": "s3cret"}`))
	f := wantFault(t, err, fault.Invalid, fault.SlugInvalidArguments)
	if len(f.Details) != 2 {
		t.Errorf("details %q", f.Details)
	}
	_, err = w.Run(t.Context(), caller, w.call("GET_THING", `{"id": ".."}`))
	wantFault(t, err, fault.Invalid, fault.SlugInvalidArguments)
	w.wantRequests(0)
	if len(w.accounts.selected) != 1 {
		t.Error("an account was chosen before the arguments were right")
	}
	for _, e := range w.logged() {
		if e.Status != execute.Failed || strings.Contains(e.Error, "s3cret") || e.Error == "" {
			t.Errorf("logged %+v", e)
		}
	}
}

func TestWhatNoSchemaSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	_, err := w.Run(t.Context(), caller, w.call("CHOOSE", `{"by_id": ""}`))
	f := wantFault(t, err, fault.Invalid, fault.SlugInvalidArguments)
	if d := cmp.Diff([]string{"Give by_id or by_name."}, f.Details); d != "" || !strings.HasSuffix(f.Message, ". Give by_id or by_name.") {
		t.Error(d, f.Message)
	}
	w.run("CHOOSE", `{"by_name": "x"}`)
	w.wantRequests(1)
}

func TestNotesAboutArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { answerJSON(rw, 200, `{}`) })
	res := w.run("CREATE_THING", `{"Title": "T", "cuont": 3}`)
	want := []string{"Argument name corrected: Title -> title.", `Argument "cuont" was ignored: the tool does not have it. Did you mean "count"?`}
	if d := cmp.Diff(want, res.Notes); d != "" {
		t.Error(d)
	}
}

func TestNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	w.accounts.missing = true
	_, err := w.Run(t.Context(), caller, w.call("GET_THING", `{"id": "1"}`))
	if f := wantFault(t, err, fault.NotFound, fault.SlugExecuteAccountNotFound); f.Code != fault.CodeExecuteNoAccount {
		t.Errorf("code %d", f.Code)
	}
	w.wantRequests(0)
	if sel := w.accounts.selected[0]; sel.Toolkit != "acme" || sel.Tool != "ACME_GET_THING" || sel.UserID != "ann" {
		t.Errorf("selected by %+v", sel)
	}
}

func TestToolsWithoutAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { answerJSON(rw, 200, `{"ok":1}`) })
	w.accounts.missing = true
	call := w.call("GET_THING", `{"id": "1"}`)
	open := *call.Tool
	open.NoAuth = true
	call.Tool = &open
	res, err := w.Run(t.Context(), caller, call)
	if err != nil || string(res.Data) != `{"ok":1}` || res.AccountID != "" {
		t.Errorf("got %s, %v", res.Data, err)
	}
	if w.seen()[0].Header.Get("Authorization") != "" {
		t.Error("a credential was sent")
	}
}

func TestComputedTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	if res := w.run("COMPUTE", `{"a": "2", "b": 3.0}`); string(res.Data) != `{"sum":5}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
	w.wantRequests(0)
}

// A service that answers otherwise than declared must not make a call that took effect look like one that failed.
func TestAnswersThatDoNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{"page": 1}`))
	if res := w.run("EXPECT_A_LIST", `{}`); string(res.Data) != `{"next":2}` || res.Notes != nil {
		t.Errorf("got %s, %q", res.Data, res.Notes)
	}
	w = newWorld(t, status(200, `{"pages": [1]}`))
	res := w.run("EXPECT_A_LIST", `{}`)
	if res.Error != "" || string(res.Data) != `{"pages":[1]}` || len(res.Notes) != 1 {
		t.Errorf("got %s, %s, %q", res.Data, res.Error, res.Notes)
	}
}

func TestOffload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { answerJSON(rw, 200, `{"long":true}`) })
	call := w.call("GET_THING", `{"id": "1"}`)
	call.Offload = func(_ context.Context, data json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(`{"preview":` + string(data) + `}`), nil
	}
	res, err := w.Run(t.Context(), caller, call)
	if err != nil || string(res.Data) != `{"preview":{"long":true}}` {
		t.Errorf("got %s, %v", res.Data, err)
	}
}

func TestCustomAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { answerJSON(rw, 200, `{}`) })
	w.accounts.missing = true

	call := w.call("CREATE_THING", `{"title": "T"}`)
	call.Custom = &execute.CustomAuth{
		BaseURL: w.upstream.URL + "/sandbox", Header: map[string]string{"X-Key": "k"}, Query: map[string]string{"team": "t 1"},
		Body: map[string]any{"account": "x"},
	}
	res, err := w.Run(t.Context(), caller, call)
	if err != nil || res.Error != "" || res.AccountID != "" {
		t.Fatal(res, err)
	}
	got := w.seen()[0]
	if got.URL != "/sandbox/v1/things?team=t+1" || got.Header.Get("X-Key") != "k" || got.Header.Get("Authorization") != "" || got.Body != `{"account":"x","title":"T"}` {
		t.Errorf("sent %+v", got)
	}

	call = w.call("GET_THING", `{"id": "1"}`)
	call.Custom = &execute.CustomAuth{Scheme: "API_KEY", Fields: connect.Fields{"api_key": secret.Hide("brought-along")}}
	if _, err := w.Run(t.Context(), caller, call); err != nil {
		t.Fatal(err)
	}
	if got := w.seen()[1].Header.Get("Authorization"); got != "Bearer brought-along" {
		t.Errorf("Authorization %q", got)
	}

	for name, custom := range map[string]execute.CustomAuth{
		"a scheme that the toolkit lacks": {Scheme: "OAUTH1"},
		"a header in two lines":           {Header: map[string]string{"X": "a\r\nHost: b"}},
		"a base that is no URL":           {BaseURL: "ftp://x"},
		"a base without a host":           {BaseURL: "https://"},
		"a base to be computed":           {BaseURL: "https://x.example/${{ 1 + 1 }}"},
		"a base with a field":             {BaseURL: "https://x.example/{api_key}"},
		"a base with a query":             {BaseURL: "https://x.example/?a=1"},
		"a base with an empty fragment":   {BaseURL: "https://x.example/#"},
		"a base with a user":              {BaseURL: "https://a:b@x.example"},
	} {
		call := w.call("GET_THING", `{"id": "1"}`)
		call.Custom = &custom
		if _, err := w.Run(t.Context(), caller, call); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.wantRequests(2)
}

// A base URL of the caller's choice is dialled under the same guard as everything else.
func TestCustomBaseURLIsGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	call := w.call("GET_THING", `{"id": "1"}`)
	call.Custom = &execute.CustomAuth{BaseURL: "http://169.254.169.254"}
	_, err := w.Run(t.Context(), caller, call)
	wantFault(t, err, fault.Forbidden, fault.SlugDestinationRefused)
}

func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/things/2" {
			answerJSON(rw, 404, `{"message":"no thing for key-of-the-account"}`)
			return
		}
		answerJSON(rw, 200, `{}`)
	})
	call := w.call("GET_THING", `{"id": "1"}`)
	call.SessionID = "trs_1"
	ok, _ := w.Run(t.Context(), caller, call)
	failed := w.run("GET_THING", `{"id": "2"}`)
	w.accounts.missing = true
	unsent, err := w.Run(t.Context(), caller, w.call("GET_THING", `{"id": "3"}`))
	if err == nil {
		t.Fatal("no fault")
	}
	entries := w.logged()
	if len(entries) != 3 {
		t.Fatalf("%d entries", len(entries))
	}
	for i, want := range []execute.LogEntry{
		{ID: ok.LogID, SessionID: "trs_1", AccountID: "ca_1", AuthConfig: "ac_1", Status: "success", Upstream: 200},
		{
			ID: failed.LogID, AccountID: "ca_1", AuthConfig: "ac_1", Status: "failed", Upstream: 404,
			Error: "Acme answered 404 Not Found: no thing for [redacted]. Check ids and names. Many services also answer 404 for what the account may not see.",
		},
		{ID: unsent.LogID, Status: "failed", Error: "User ann has not connected Acme."},
	} {
		want.ProjectID, want.RequestID, want.UserID, want.Tool, want.Toolkit, want.Origin = "pr_1", "req_1", "ann", "ACME_GET_THING", "acme", "api"
		got := entries[i]
		if got.StartedAt.IsZero() || got.Took <= 0 || (got.Upstream > 0) != (got.UpstreamFor > 0) || got.UpstreamFor > got.Took {
			t.Errorf("times of entry %d: %+v", i, got)
		}
		got.StartedAt, got.Took, got.UpstreamFor = want.StartedAt, 0, 0
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("entry %d: %s", i, d)
		}
	}
}

// A service that repeats what it was sent must not make us hand out the credential.
func TestCredentialsAreTakenOutOfAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		status, before := 200, ""
		switch r.URL.Path {
		case "/v1/things/bad":
			status = 400
		case "/v1/things/long": // so long that the message is cut within the credential
			status, before = 400, strings.Repeat("x", 572)
		}
		answerJSON(rw, status, `{"message":"`+before+` you sent `+r.Header.Get("Authorization")+` and more"}`)
	})
	for _, id := range []string{"good", "bad", "long"} {
		res := w.run("GET_THING", `{"id": "`+id+`"}`)
		if text := string(res.Data) + res.Error; strings.Contains(text, "key-of-the") || !strings.Contains(text, "you sent Bearer [redacted]") {
			t.Errorf("%s: %s", id, text)
		}
	}
}

func TestNewWantsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := execute.New(execute.Options{}); err == nil {
		t.Error("a Runner without parts was made")
	}
}

var _ execute.Accounts = (*connect.Service)(nil)

// A database may refuse NUL and bytes that are not UTF-8, and an entry that is refused takes the others of its batch along.
func TestWhatIsLoggedCanBeStored(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]http.HandlerFunc{
		"NUL": status(400, `{"message": "a\u0000b"}`),
		"not UTF-8": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(400)
			w.Write([]byte("a\xffb"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, answered)
			w.run("CREATE_THING", `{"title": "T"}`)
			for _, e := range w.logged() {
				if !strings.Contains(e.Error, "a\uFFFDb") {
					t.Errorf("logged %q", e.Error)
				}
			}
		})
	}
}
