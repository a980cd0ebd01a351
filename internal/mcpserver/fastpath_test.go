package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sent is a request as a client sends it, by default a good one of its era.
type sent struct {
	name    string
	body    string
	era     string            // "" is 2025-11-25
	headers map[string]string // over those of the era; "-" takes one away
	method  string            // empty: POST
	fast    bool              // the short way has to take it
}

func (s sent) request() *http.Request {
	method := s.method
	if method == "" {
		method = http.MethodPost
	}
	r := httptest.NewRequest(method, "/tool_router/trs_alice/mcp", strings.NewReader(s.body))
	r.SetPathValue("session_id", "trs_alice")
	headers := map[string]string{
		"X-Api-Key": projectKey, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2025-11-25",
	}
	if s.era == stateless {
		headers["Mcp-Protocol-Version"] = stateless
		headers["Mcp-Method"] = peek(s.body, "method")
		if name := peek(s.body, "name"); name != "" {
			headers["Mcp-Name"] = name
		}
	}
	maps.Copy(headers, s.headers)
	for name, value := range headers {
		if value != "-" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// peek finds the text of the first member of that name, however deep.
func peek(body, name string) string {
	_, rest, ok := strings.Cut(body, `"`+name+`":"`)
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, `"`)
	return text
}

const (
	noCapabilities  = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}`
	urlCapabilities = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}`
)

// oldCall and newCall are a tools/call of either era, with more params if given.
func oldCall(tool, more string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s"%s}}`, tool, more)
}

func newCall(tool, more string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s"%s,"_meta":{%s}}}`, tool, more, noCapabilities)
}

func newCallURL(tool, more string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s"%s,"_meta":{%s}}}`, tool, more, urlCapabilities)
}

// conversations are all sorts of requests, proper and improper.
func conversations() []sent {
	all := []sent{
		{name: "list", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, fast: true},
		{name: "list, empty params", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}`, fast: true},
		{name: "list, no version header", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, headers: map[string]string{"Mcp-Protocol-Version": "-"}, fast: true},
		{name: "list, oldest version", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, headers: map[string]string{"Mcp-Protocol-Version": "2024-11-05"}, fast: true},
		{name: "list, bad cursor", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"nonsense"}}`},
		{name: "list, cursor", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"VEVTVF9FQ0hP"}}`, fast: true},
		{name: "new list", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"_meta":{` + noCapabilities + `}}}`, era: stateless, fast: true},
		{name: "new list, no meta", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}`, era: stateless},
		{name: "new list, no params", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, era: stateless},
		{name: "new list, bad cursor", body: `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"x","_meta":{` + noCapabilities + `}}}`, era: stateless},

		{name: "arguments", body: oldCall("TEST_ECHO", `,"arguments":{"title":"x","n":12345678901234567890}`), fast: true},
		{name: "no arguments", body: oldCall("TEST_ECHO", ``), fast: true},
		{name: "null arguments", body: oldCall("TEST_ECHO", `,"arguments":null`), fast: true},
		{name: "a list for arguments", body: oldCall("TEST_ECHO", `,"arguments":[1]`), fast: true},
		{name: "a text for arguments", body: oldCall("TEST_ECHO", `,"arguments":"x"`), fast: true},
		{name: "id text", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":"a-b_c"`, 1), fast: true},
		{name: "id empty", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":""`, 1), fast: true},
		{name: "id negative", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":-12`, 1), fast: true},
		{name: "id zero", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":0`, 1), fast: true},
		{name: "id minus zero", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":-0`, 1)},
		{name: "id escaped", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":"\u0061"`, 1)},
		{name: "id not ASCII", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":"é"`, 1)},
		{name: "id fraction", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":1.5`, 1)},
		{name: "id exponent", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":1e3`, 1)},
		{name: "id huge", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":12345678901234567890`, 1)},
		{name: "id null", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":null`, 1)},
		{name: "id true", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":true`, 1)},
		{name: "id twice", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":1,"id":2`, 1)},
		{name: "no id", body: `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"TEST_ECHO"}}`},
		{name: "spread out", body: " {\n\t\"jsonrpc\" : \"2.0\" ,\r\n \"id\" : 1 , \"method\":\"tools/call\",\"params\" : { \"name\" : \"TEST_ECHO\" , \"arguments\" : { } } } \n", fast: true},
		{name: "two messages", body: oldCall("TEST_ECHO", ``) + oldCall("TEST_ECHO", ``)},
		{name: "batch", body: "[" + oldCall("TEST_ECHO", ``) + "]"},
		{name: "batch in its time", body: "[" + oldCall("TEST_ECHO", ``) + "]", headers: map[string]string{"Mcp-Protocol-Version": "2025-03-26"}},
		{name: "not JSON", body: `{"jsonrpc":"2.0","id":1,`},
		{name: "empty", body: ``},
		{name: "null", body: `null`},
		{name: "a text", body: `"tools/call"`},
		{name: "wrong version of JSON-RPC", body: strings.Replace(oldCall("TEST_ECHO", ``), `"2.0"`, `"1.0"`, 1)},
		{name: "key in capitals", body: strings.Replace(oldCall("TEST_ECHO", ``), `"method"`, `"Method"`, 1)},
		{name: "key escaped", body: strings.Replace(oldCall("TEST_ECHO", ``), `"method"`, `"m\u0065thod"`, 1)},
		{name: "two names", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"TEST_ECHO","name":"TEST_FAIL"}}`},
		{name: "two names by case", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"TEST_ECHO","Name":"TEST_FAIL"}}`},
		{name: "name a number", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}`},
		{name: "no name", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`},
		{name: "no params", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`},
		{name: "params a list", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["TEST_ECHO"]}`},
		{name: "unknown member", body: strings.Replace(oldCall("TEST_ECHO", ``), `"id":1`, `"id":1,"extra":{}`, 1)},
		{name: "unknown param", body: oldCall("TEST_ECHO", `,"task":{"ttl":5}`)},
		{name: "progress token", body: oldCall("TEST_ECHO", `,"_meta":{"progressToken":4}`), fast: true},
		{name: "idempotency key", body: oldCall("TEST_ECHO", `,"_meta":{"dev.patchbay/idempotencyKey":"k1"}`), fast: true},
		{name: "idempotency key, plain", body: oldCall("TEST_ECHO", `,"_meta":{"idempotencyKey":"k2"}`), fast: true},
		{name: "idempotency key, not a text", body: oldCall("TEST_ECHO", `,"_meta":{"idempotencyKey":5}`)},
		{name: "meta a list", body: oldCall("TEST_ECHO", `,"_meta":[]`)},
		{name: "meta null", body: oldCall("TEST_ECHO", `,"_meta":null`)},
		{name: "meta of the other era", body: newCall("TEST_ECHO", ``)},
		{name: "deeply nested", body: oldCall("TEST_ECHO", `,"arguments":{"a":`+strings.Repeat("[", 980)+strings.Repeat("]", 980)+`}`)},
		{name: "too deeply nested", body: oldCall("TEST_ECHO", `,"arguments":{"a":`+strings.Repeat("[", 1200)+strings.Repeat("]", 1200)+`}`)},
		{name: "too large", body: oldCall("TEST_ECHO", `,"arguments":{"a":"`+strings.Repeat("x", defaultMaxBody)+`"}`)},
		{name: "not UTF-8", body: oldCall("TEST_ECHO", ",\"arguments\":{\"title\":\"\xff\xfe\"}"), fast: true},

		{name: "strange text", body: oldCall("TEST_STRANGE", ``), fast: true},
		{name: "no data", body: oldCall("TEST_EMPTY", ``), fast: true},
		{name: "tool fails", body: oldCall("TEST_FAIL", ``), fast: true},
		{name: "not allowed", body: oldCall("TEST_FORBIDDEN", ``), fast: true},
		{name: "invalid arguments", body: oldCall("TEST_INVALID", ``), fast: true},
		{name: "server at fault", body: oldCall("TEST_BROKEN", ``), fast: true},
		{name: "session gone", body: oldCall("TEST_GONE", ``), fast: true},
		{name: "unknown tool", body: oldCall("TEST_NONE", ``), fast: true},
		{name: "blocks", body: oldCall("TEST_IMAGE", ``), fast: true},
		{name: "no blocks", body: oldCall("TEST_NO_BLOCKS", ``), fast: true},
		{name: "connect, cannot be asked", body: oldCall("TEST_CONNECT", ``), fast: true},

		{name: "new arguments", body: newCall("TEST_ECHO", `,"arguments":{"title":"x"}`), era: stateless, fast: true},
		{name: "new tool fails", body: newCall("TEST_FAIL", ``), era: stateless, fast: true},
		{name: "new unknown tool", body: newCall("TEST_NONE", ``), era: stateless, fast: true},
		{name: "new server at fault", body: newCall("TEST_BROKEN", ``), era: stateless, fast: true},
		{name: "new blocks", body: newCall("TEST_IMAGE", ``), era: stateless, fast: true},
		{name: "new connect, cannot be asked", body: newCall("TEST_CONNECT", ``), era: stateless, fast: true},
		{name: "new connect", body: newCallURL("TEST_CONNECT", ``), era: stateless, fast: true},
		{name: "new connect, answered without state", body: newCallURL("TEST_CONNECT", `,"inputResponses":{"ca_1":{"action":"accept"}}`), era: stateless, fast: true},
		{name: "new connect, agreed", body: newCallURL("TEST_CONNECT", `,"inputResponses":{"ca_1":{"action":"accept"}},"requestState":"`+goodState+`"`), era: stateless, fast: true},
		{name: "new connect, declined", body: newCallURL("TEST_CONNECT", `,"inputResponses":{"ca_1":{"action":"decline"}},"requestState":"`+goodState+`"`), era: stateless, fast: true},
		{name: "new connect, reaction with content", body: newCallURL("TEST_CONNECT", `,"inputResponses":{"ca_1":{"action":"accept","content":{}}},"requestState":"`+goodState+`"`), era: stateless},
		{name: "new connect, spoilt state", body: newCallURL("TEST_CONNECT", `,"requestState":"x`+goodState+`"`), era: stateless, fast: true},
		{name: "new connect, another tool's state", body: newCallURL("TEST_ECHO", `,"requestState":"`+goodState+`"`), era: stateless, fast: true},
		{name: "new connect, old state", body: newCallURL("TEST_CONNECT", `,"requestState":"`+oldState+`"`), era: stateless, fast: true},
		{name: "new connect, unknown reaction", body: newCallURL("TEST_CONNECT", `,"inputResponses":{"ca_1":{"x":1}}`), era: stateless},
		{name: "new wrong method header", body: newCall("TEST_ECHO", ``), era: stateless, headers: map[string]string{"Mcp-Method": "tools/list"}},
		{name: "new no method header", body: newCall("TEST_ECHO", ``), era: stateless, headers: map[string]string{"Mcp-Method": "-"}},
		{name: "new wrong name header", body: newCall("TEST_ECHO", ``), era: stateless, headers: map[string]string{"Mcp-Name": "TEST_FAIL"}},
		{name: "new no name header", body: newCall("TEST_ECHO", ``), era: stateless, headers: map[string]string{"Mcp-Name": "-"}},
		{name: "new unknown version", body: strings.Replace(newCall("TEST_ECHO", ``), "2026-07-28", "2027-01-01", 1), era: stateless, headers: map[string]string{"Mcp-Protocol-Version": "2027-01-01"}},
		{name: "new versions that differ", body: strings.Replace(newCall("TEST_ECHO", ``), "2026-07-28", "2027-01-01", 1), era: stateless},
		{name: "new version only in meta", body: newCall("TEST_ECHO", ``), era: stateless, headers: map[string]string{"Mcp-Protocol-Version": "-"}},
		{name: "new no capabilities", body: strings.Replace(newCall("TEST_ECHO", ``), `,"io.modelcontextprotocol/clientCapabilities":{}`, ``, 1), era: stateless},
		{name: "new capabilities null", body: strings.Replace(newCall("TEST_ECHO", ``), `clientCapabilities":{}`, `clientCapabilities":null`, 1), era: stateless},
		{name: "new capabilities of a wrong type", body: strings.Replace(newCall("TEST_ECHO", ``), `clientCapabilities":{}`, `clientCapabilities":{"elicitation":"yes"}`, 1), era: stateless},
		{name: "new capabilities with roots", body: strings.Replace(newCall("TEST_ECHO", ``), `clientCapabilities":{}`, `clientCapabilities":{"roots":{"listChanged":true},"sampling":{},"experimental":{"x":{}}}`, 1), era: stateless, fast: true},
		{name: "new no client info", body: strings.Replace(newCall("TEST_ECHO", ``), `"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},`, ``, 1), era: stateless, fast: true},
		{name: "new client info of a wrong type", body: strings.Replace(newCall("TEST_ECHO", ``), `{"name":"test","version":"1"}`, `{"name":5}`, 1), era: stateless},
		{name: "new client info null", body: strings.Replace(newCall("TEST_ECHO", ``), `{"name":"test","version":"1"}`, `null`, 1), era: stateless},

		{name: "unknown version", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Mcp-Protocol-Version": "2025-01-01"}},
		{name: "not JSON by its type", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Content-Type": "text/plain"}},
		{name: "type with charset", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Content-Type": "application/json; charset=utf-8"}, fast: true},
		{name: "accepts only JSON", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Accept": "application/json"}},
		{name: "accepts nothing", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Accept": "-"}},
		{name: "accepts anything", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Accept": "*/*"}, fast: true},
		{name: "accepts with weights", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Accept": "text/event-stream;q=0.5, Application/JSON"}, fast: true},
		{name: "resumes a stream", body: oldCall("TEST_ECHO", ``), headers: map[string]string{"Last-Event-ID": "1_2"}},
		{name: "GET", method: http.MethodGet},
		{name: "DELETE", method: http.MethodDelete},
		{name: "PUT", method: http.MethodPut, body: oldCall("TEST_ECHO", ``)},

		{name: "initialize", body: `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, headers: map[string]string{"Mcp-Protocol-Version": "-"}},
		{name: "initialized", body: `{"jsonrpc":"2.0","method":"notifications/initialized"}`},
		{name: "ping", body: `{"jsonrpc":"2.0","id":1,"method":"ping"}`},
		{name: "prompts", body: `{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`},
		{name: "new discover", body: `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{` + noCapabilities + `}}}`, era: stateless},
		{name: "new prompts", body: `{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"_meta":{` + noCapabilities + `}}}`, era: stateless},
		{name: "new ping", body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{` + noCapabilities + `}}}`, era: stateless},
		{name: "a reaction to a question", body: `{"jsonrpc":"2.0","id":"ask-1","result":{"action":"accept"}}`},
	}
	return all
}

var (
	goodState = sealedFor("mcp/pr_1/trs_alice/TEST_CONNECT", fmt.Sprintf(`{"body":{"data":{"was":1},"error":null,"successful":true},"until":%d}`, noon.Unix()+60))
	oldState  = sealedFor("mcp/pr_1/trs_alice/TEST_CONNECT", fmt.Sprintf(`{"body":{"data":{},"error":null,"successful":true},"until":%d}`, noon.Unix()-1))
)

// TestBothWays sends the same requests the short way and the SDK's, and wants the same answers and the same calls made.
func TestBothWays(t *testing.T) {
	t.Parallel()
	for _, s := range conversations() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			short, taken := answerBy(t, s, true)
			long, _ := answerBy(t, s, false)
			if diff := cmp.Diff(long, short); diff != "" {
				t.Errorf("the short way answers differently (-SDK +short)\n%s", diff)
			}
			if taken != s.fast {
				t.Errorf("the short way took it: %v, want %v", taken, s.fast)
			}
		})
	}
}

// answered is all that can be told of an answer.
type answered struct {
	Status int
	Type   string
	Cache  string
	Allow  string
	Body   string // JSON in one fixed order of members
	Calls  []string
}

// answerBy answers a request with or without the short way, and reports whether that took it.
func answerBy(t testing.TB, s sent, short bool) (answered, bool) {
	t.Helper()
	f := newFakeSessions()
	h := newTestHandler(t, f)
	w, r := httptest.NewRecorder(), s.request()
	v, err := h.admit(w, r)
	if err != nil {
		t.Fatal(err)
	}
	v.caller.RequestID = "req_1"
	taken := short && h.serveFast(w, r, v)
	if !taken {
		h.sdk.ServeHTTP(w, withVisit(r, v))
	}
	a := answered{
		Status: w.Code, Type: w.Header().Get("Content-Type"), Cache: w.Header().Get("Cache-Control"), Allow: w.Header().Get("Allow"),
	}
	a.Body = canonical(w.Body.Bytes())
	for _, c := range f.made() {
		arguments, err := json.Marshal(c.call)
		if err != nil {
			t.Fatal(err)
		}
		a.Calls = append(a.Calls, fmt.Sprintf("%s %+v %s", c.sessionID, c.caller, arguments))
	}
	return a, taken
}

// canonical writes JSON with its members in order, and anything else as it is.
func canonical(body []byte) string {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return string(body)
	}
	ordered, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return string(body)
	}
	return string(ordered)
}

// FuzzBothWays looks for bodies that the two ways read differently.
func FuzzBothWays(f *testing.F) {
	for _, s := range conversations() {
		if len(s.body) < 4000 && s.method == "" {
			f.Add(s.body, s.era == stateless)
		}
	}
	f.Fuzz(func(t *testing.T, body string, modern bool) {
		if strings.Contains(body, "TEST_WAIT") || strings.Contains(body, "subscriptions/listen") {
			t.Skip("does not end by itself")
		}
		s := sent{body: body}
		if modern {
			s.era = stateless
		}
		if slices.ContainsFunc([]string{peek(body, "name"), peek(body, "method")}, func(text string) bool { return strings.ContainsAny(text, "\r\n\x00") }) {
			t.Skip("would not be a header")
		}
		short, taken := answerBy(t, s, true)
		if !taken {
			return // then there is only one way
		}
		long, _ := answerBy(t, s, false)
		if diff := cmp.Diff(long, short); diff != "" {
			t.Errorf("the short way answers differently (-SDK +short)\n%s", diff)
		}
	})
}

func TestWhatClientsSayIsKeptWithinBounds(t *testing.T) {
	t.Parallel()
	var c clientCache
	long := fmt.Sprintf(`{"experimental":{"x":{"y":%q}}}`, strings.Repeat("y", longestDeclared))
	if c.declared(nil, []byte(long)) == nil || len(c.known) != 0 {
		t.Errorf("%d declarations are kept", len(c.known))
	}
	for i := range 2 * clientsKept {
		if c.declared(fmt.Appendf(nil, `{"name":"client %d","version":"1"}`, i), []byte(`{}`)) == nil {
			t.Fatal("a good declaration is refused")
		}
	}
	if n := len(c.known); n == 0 || n > clientsKept {
		t.Errorf("%d declarations are kept", n)
	}
}
