package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestExecuteDirectly(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, account := s.keyAccount(t, "user_7")
	want := `{"data":{"id":"th_9","number":12345678901234567890,"note":"<b>&"},"error":null,"successful":true,"log_id":"`
	for name, body := range map[string]string{
		"for a user":           `{"user_id":"user_7","arguments":{"title":"x"},"version":"latest","allow_tracing":true}`,
		"under the older name": `{"entity_id":"user_7","arguments":{"title":"x"},"version":"20251201_00"}`,
		"with an account":      `{"connected_account_id":"` + account + `","arguments":{"title":"x"}}`,
		"arguments as text":    `{"user_id":"user_7","arguments":"{\"title\":\"x\"}"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.post(t, "/tools/execute/ACME_MAKE_THING", body).ok(t, 200)
			if !strings.HasPrefix(string(a.body), want) || !strings.HasSuffix(string(a.body), `,"session_info":null}`) {
				t.Errorf("got %s", a.body)
			}
		})
	}
}

func TestExecutePutsTheCredentialOnTheRequest(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.keyAccount(t, "user_7")
	s.post(t, "/tools/execute/ACME_MAKE_THING", `{"user_id":"user_7","arguments":{"title":"x","count":"3"}}`).ok(t, 200)
	last := s.upstream.last(t)
	if last.authorization != "Key acme-key-0123456789" || last.method != "POST" || last.path != "/things" || !strings.Contains(last.body, `"count":3`) {
		t.Errorf("the provider was asked %+v", last)
	}
	s.post(t, "/tools/execute/PLAIN_GET_FACT", `{"user_id":"user_7","arguments":{"id":1},
		"custom_auth_params":{"parameters":[{"in":"header","name":"X-Tenant","value":"t1"},{"in":"query","name":"v","value":2}]}}`).ok(t, 200)
	if last := s.upstream.last(t); last.header.Get("X-Tenant") != "t1" || !strings.Contains(last.query, "v=2") {
		t.Errorf("the provider was asked %+v", last)
	}
	s.post(t, "/tools/execute/ACME_LIST_THINGS", `{"arguments":{},"custom_connection_data":{"authScheme":"API_KEY","toolkitSlug":"acme","val":{"api_key":"brought-along-1"}}}`).ok(t, 200)
	if last := s.upstream.last(t); last.authorization != "Key brought-along-1" {
		t.Errorf("the provider was asked %+v", last)
	}
}

// TestAToolThatFailsIsAnAnswer is the contract's line between a failed tool and a failed request.
func TestAToolThatFailsIsAnAnswer(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.keyAccount(t, "user_7")
	a := s.post(t, "/tools/execute/ACME_DELETE_THING", `{"user_id":"user_7","arguments":{"id":"gone"}}`).ok(t, 200)
	if a.at(t, "successful") != false || !strings.Contains(a.text(t, "error"), "no such thing") {
		t.Errorf("got %s", a.body)
	}
	if _, object := a.at(t, "data").(map[string]any); !object {
		t.Errorf("data is not an object: %s", a.body)
	}
	session := s.session(t, `{"user_id":"user_7"}`)
	b := s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"ACME_DELETE_THING","arguments":{"id":"gone"}}`).ok(t, 200)
	if !strings.Contains(b.text(t, "error"), "no such thing") || b.text(t, "log_id") == "" {
		t.Errorf("got %s", b.body)
	}
}

func TestExecuteWithoutAConnection(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := s.post(t, "/tools/execute/ACME_MAKE_THING", `{"user_id":"nobody","arguments":{"title":"x"}}`).fault(t)
	if f.Code != fault.CodeExecuteNoAccount || f.Slug != fault.SlugExecuteAccountNotFound || f.Status < 400 {
		t.Errorf("directly: %+v; the TypeScript SDK knows this fault by code 1803", f)
	}
	session := s.session(t, `{"user_id":"nobody"}`)
	f = s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"ACME_MAKE_THING","arguments":{"title":"x"}}`).fault(t)
	if f.Code != fault.CodeNoActiveConnection || f.Slug != fault.SlugNoActiveConnection || f.SuggestedFix == "" {
		t.Errorf("in a session: %+v", f)
	}
	if len(s.upstream.all()) != 0 {
		t.Error("the provider was asked all the same")
	}
}

func TestExecuteInSession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.keyAccount(t, "user_7")
	id := s.session(t, `{"user_id":"user_7","toolkits":["acme"]}`)
	custom := `"experimental":{"custom_tools":[{"slug":"MY_ADD","name":"Add","description":"adds two numbers","input_schema":{"type":"object","properties":{"a":{"type":"number"}}}}]}`
	a := s.post(t, "/tool_router/session/"+id+"/execute", `{"tool_slug":"acme_make_thing","arguments":{"title":"x"},"enable_auto_workbench_offload":true,`+custom+`}`).ok(t, 200)
	if !strings.HasPrefix(string(a.body), `{"data":{"id":"th_9","number":12345678901234567890,"note":"<b>&"},"error":null,"log_id":"log_`) {
		t.Errorf("got %s", a.body)
	}
	found := s.post(t, "/tool_router/session/"+id+"/execute", `{"tool_slug":"COMPOSIO_SEARCH_TOOLS","arguments":{"queries":[{"use_case":"make a thing"}]}}`).ok(t, 200)
	if got := found.at(t, "data.results.0.primary_tool_slugs").([]any); len(got) == 0 || got[0] != "ACME_MAKE_THING" {
		t.Errorf("found %v", got)
	}
	meta := s.post(t, "/tool_router/session/"+id+"/execute_meta", `{"slug":"COMPOSIO_MULTI_EXECUTE_TOOL","arguments":{"tools":[{"tool_slug":"ACME_MAKE_THING","arguments":{"title":"x"}}]}}`).ok(t, 200)
	if got := meta.at(t, "data.success_count"); got != 1.0 {
		t.Errorf("got %s", meta.body)
	}
	refused := s.post(t, "/tool_router/session/"+id+"/execute", `{"tool_slug":"PLAIN_GET_FACT","arguments":{"id":1}}`)
	if refused.status != 403 || refused.fault(t).Slug != fault.SlugSessionToolNotAllowed {
		t.Errorf("a tool outside the session's toolkits: %s", refused.body)
	}
	if f := s.post(t, "/tool_router/session/"+id+"/execute_meta", `{"slug":"ACME_MAKE_THING","arguments":{}}`).fault(t); f.Status != 400 || !strings.Contains(f.Message, "slug") {
		t.Errorf("execute_meta of an app's tool: %+v", f)
	}
}

// TestMetaToolsOutsideASession is how SDK providers without sessions run what a model picked (API contract section 7.5).
func TestMetaToolsOutsideASession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.get(t, "/tools/COMPOSIO_SEARCH_TOOLS?toolkit_versions=latest").ok(t, 200)
	a := s.post(t, "/tools/execute/COMPOSIO_SEARCH_TOOLS", `{"user_id":"user_7","version":"latest","arguments":{"queries":[{"use_case":"make a thing"}]}}`).ok(t, 200)
	if a.at(t, "successful") != true {
		t.Errorf("got %s", a.body)
	}
}

func TestIdempotencyKeyRunsOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.keyAccount(t, "user_7")
	before := len(s.upstream.all())
	var answers []any
	for range 2 {
		a := s.do(t, request{
			method: "POST", path: "/api/v3/tools/execute/ACME_MAKE_THING", body: `{"user_id":"user_7","arguments":{"title":"x"}}`,
			header: map[string]string{"Idempotency-Key": "once"},
		}).ok(t, 200)
		answers = append(answers, a.at(t, "data"), a.at(t, "log_id"))
	}
	if asked := len(s.upstream.all()) - before; asked != 1 {
		t.Errorf("the provider was asked %d times", asked)
	}
	if diff := cmp.Diff(answers[:2], answers[2:]); diff != "" {
		t.Errorf("the repeat answered something else (-first +repeat)\n%s", diff)
	}
}

func TestSearchInSession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	id := s.session(t, `{"user_id":"user_7"}`)
	a := s.post(t, "/tool_router/session/"+id+"/search", `{"queries":[{"use_case":"make a thing","known_fields":"title: x"}],"toolkits":["acme"],"model":"m"}`).ok(t, 200)
	if got := a.at(t, "results.0.primary_tool_slugs").([]any); len(got) == 0 || got[0] != "ACME_MAKE_THING" {
		t.Errorf("found %s", a.body)
	}
}

// TestMemoryInSession notes over both ways of running a meta tool in a session; searches over both give it back.
func TestMemoryInSession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	session := "/tool_router/session/" + s.session(t, `{"user_id":"user_7"}`)
	for path, name := range map[string]string{"/execute": "tool_slug", "/execute_meta": "slug"} {
		note := func(memory string) answer {
			return s.post(t, session+path, `{"`+name+`":"COMPOSIO_MULTI_EXECUTE_TOOL","arguments":{"tools":[{"tool_slug":"ACME_MAKE_THING","arguments":{"title":"x"}}],
				"session_id":"task `+name+`","memory":`+memory+`}}`)
		}
		note(`{"acme":["thing 9 is Ann's"]}`).ok(t, 200)
		if f := note(`{"acme":[{"thing":9}]}`).fault(t); f.Status != 400 || !strings.Contains(f.Message, "memory.acme[0] must be a text") {
			t.Errorf("malformed: %+v", f)
		}
		found := s.post(t, session+"/search", `{"queries":[{"use_case":"make a thing"}],"session":{"id":"task `+name+`"}}`).ok(t, 200)
		if got := found.at(t, "results.0.memory.acme.0"); got != "thing 9 is Ann's" {
			t.Errorf("search: %s", found.body)
		}
		found = s.post(t, session+path, `{"`+name+`":"COMPOSIO_SEARCH_TOOLS","arguments":{"queries":[{"use_case":"make a thing"}],"session":{"id":"task `+name+`"}}}`).ok(t, 200)
		if got := found.at(t, "data.results.0.memory.acme.0"); got != "thing 9 is Ann's" {
			t.Errorf("meta tool: %s", found.body)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, account := s.keyAccount(t, "user_7")
	id := s.session(t, `{"user_id":"user_7"}`)
	a := s.post(t, "/tool_router/session/"+id+"/proxy_execute", `{"toolkit_slug":"acme","endpoint":"/things","method":"POST","body":{"a":1},
		"parameters":[{"name":"q","type":"query","value":"1"},{"name":"X-A","in":"header","value":"b"}]}`).ok(t, 200)
	if a.at(t, "status") != 201.0 || a.text(t, "data.id") != "th_9" {
		t.Errorf("got %s", a.body)
	}
	last := s.upstream.last(t)
	if last.query != "q=1" || last.header.Get("X-A") != "b" || last.body != `{"a":1}` || last.authorization != "Key acme-key-0123456789" {
		t.Errorf("the provider was asked %+v", last)
	}
	teapot := s.post(t, "/tools/execute/proxy", `{"connected_account_id":"`+account+`","endpoint":"/teapot","method":"GET"}`)
	if teapot.status == 200 {
		if teapot.at(t, "status") != 418.0 || teapot.text(t, "data.short") != "and stout" {
			t.Errorf("got %s", teapot.body)
		}
	} else {
		t.Errorf("a provider's own error must come inside a 200: %s", teapot.body)
	}
	picture := s.post(t, "/tools/execute/proxy", `{"connected_account_id":"`+account+`","endpoint":"/picture","method":"GET"}`).ok(t, 200)
	if picture.text(t, "binary_data.content_type") != "image/png" || picture.at(t, "binary_data.size") != 8.0 ||
		picture.text(t, "binary_data.url") != "data:image/png;base64,iVBORw0KGgo=" {
		t.Errorf("got %s", picture.body)
	}
	s.post(t, "/tools/execute/proxy", `{"connected_account_id":"`+account+`","endpoint":"/things","method":"POST","binary_body":{"base64":"aGk=","content_type":"text/plain"}}`).ok(t, 200)
	if last := s.upstream.last(t); last.body != "hi" || last.header.Get("Content-Type") != "text/plain" {
		t.Errorf("the provider was asked %+v", last)
	}
	brought := s.post(t, "/tools/execute/proxy", `{"endpoint":"/me","method":"GET","custom_connection_data":{"authScheme":"API_KEY","toolkitSlug":"acme","val":{"api_key":"brought-along-1"}}}`).ok(t, 200)
	if brought.text(t, "data.name") != "Ada" || s.upstream.last(t).authorization != "Key brought-along-1" {
		t.Errorf("got %s", brought.body)
	}
}
