package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// TestBadInput sends what must be refused. Each case names the status, something the message or the fix must say, and what
// errors must begin with; after all of them, nothing has changed.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, account := s.keyAccount(t, "u")
	id := s.session(t, `{"user_id":"u","toolkits":["acme"]}`)
	deleted := s.session(t, `{"user_id":"u"}`)
	s.delete(t, "/tool_router/session/"+deleted).ok(t, 200)
	before := stored(t, s)

	const sessions = "/tool_router/session"
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     []string // in message or suggested_fix
		errors                   []string // what lines of errors begin with, in order
	}{
		// Malformed bodies.
		{"not JSON", "POST", sessions, `{"user_id":"u",}`, 400, []string{"line 1, column 16"}, nil},
		{"not JSON, further down", "POST", sessions, "{\n \"user_id\": \"ü\",\n  x\n}", 400, []string{"line 3, column 3"}, nil},
		{"cut off", "POST", sessions, `{"user_id":"u"`, 400, []string{"not valid JSON"}, nil},
		{"text after it", "POST", sessions, `{"user_id":"u"} {}`, 400, []string{"not valid JSON"}, nil},
		{"a list", "POST", sessions, `[]`, 400, nil, []string{"body: expected an object, got a list"}},
		{"null", "POST", sessions, `null`, 400, nil, []string{"user_id"}},
		{"a string", "POST", sessions, `"u"`, 400, nil, []string{"body: expected an object, got a string"}},
		{"nothing", "POST", sessions, ``, 400, nil, []string{"user_id"}},
		{"not UTF-8", "POST", sessions, "{\"user_id\":\"\xff\xfe\"}", 400, []string{"UTF-8"}, nil},
		{"a null character", "POST", sessions, `{"user_id":"u\u0000"}`, 400, nil, []string{"user_id: contains a null character"}},
		{"half a surrogate pair, which would become another user", "POST", sessions, `{"user_id":"u\ud800"}`, 400, nil, nil},
		{"the other half in a name", "POST", sessions, `{"user_id":"u","\udc00":1}`, 400, nil, nil},
		{"a null character deep down", "POST", sessions + "/" + id + "/execute", `{"tool_slug":"ACME_MAKE_THING","arguments":{"a":[{"b":"\u0000"}]}}`, 400, nil,
			[]string{"arguments.a[0].b: contains a null character"}},
		{"too deep", "POST", sessions, `{"user_id":"u","tools":` + strings.Repeat("[", 20000), 400, []string{"depth"}, nil},

		// Wrong types: all at once, each with its path.
		{"wrong types", "POST", sessions,
			`{"user_id":7,"toolkits":"acme","tools":{"acme":{"enable":["A",2]},"plain":{"tags":{"disable":{}}}},"tags":{"enable":"x"},
			"manage_connections":"yes","workbench":{"enable":"true","auto_offload_threshold":"1"},"multi_account":{"max_accounts_per_toolkit":2.5},
			"preload":{"tools":{}},"connected_accounts":{"acme":5},"auth_configs":{"acme":["ac"]},"experimental":{"custom_tools":{}}}`, 400, nil,
			[]string{
				"auth_configs.acme: expected a string, got a list",
				"connected_accounts.acme: expected a string or a list of strings, got a number",
				"experimental.custom_tools: expected a list, got an object",
				"manage_connections: expected an object, true or false, got a string",
				"multi_account.max_accounts_per_toolkit: expected a whole number, got a number",
				"preload.tools: expected a string or a list of strings, got an object",
				"tags.enable: expected a list, got a string",
				"toolkits: expected an object or a list of strings, got a string",
				"tools.acme.enable[1]: expected a string, got a number",
				"tools.plain.tags.disable: expected a list, got an object",
				"user_id: expected a string, got a number",
				"workbench.auto_offload_threshold: expected a number, got a string",
				"workbench.enable: expected true or false, got a string",
			}},
		{"wrong in a thousand places", "POST", sessions, `{"user_id":"u","preload":{"tools":[` + strings.Repeat("1,", 999) + `1]}}`, 400, []string{"and 950 more"},
			[]string{"preload.tools[0]: expected a string, got a number"}},
		{"arguments as a list", "POST", "/tools/execute/ACME_MAKE_THING", `{"user_id":"u","arguments":[1]}`, 400, nil, []string{"arguments: expected an object, got a list"}},
		{"arguments as broken text", "POST", "/tools/execute/ACME_MAKE_THING", `{"user_id":"u","arguments":"{"}`, 400, nil, []string{"arguments: expected an object, got a string"}},
		{"wrong scopes", "POST", "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"credentials":{"scopes":7}}}`, 400, nil,
			[]string{"auth_config.credentials.scopes: expected a string or a list of strings, got a number"}},

		// Sessions.
		{"no user", "POST", sessions, `{"user_id":""}`, 400, nil, []string{"user_id"}},
		{"unknown toolkit and tool", "POST", sessions, `{"user_id":"u","toolkits":{"enable":["acne"]},"tools":{"acme":{"enable":["ACME_MAKE_THINGS"]}}}`, 400,
			[]string{"acme", "ACME_MAKE_THING"}, []string{"toolkits.enable", "tools.acme"}},
		{"both lists", "POST", sessions, `{"user_id":"u","toolkits":{"enable":["acme"],"disable":["plain"]}}`, 400, nil, []string{"toolkits"}},
		{"sandbox and workbench", "POST", sessions, `{"user_id":"u","sandbox":{},"workbench":{}}`, 400, nil, []string{"sandbox"}},
		{"an account that is not there", "POST", sessions, `{"user_id":"u","connected_accounts":{"acme":["ca_nothing00000"]}}`, 400, nil, []string{"connected_accounts.acme"}},
		{"an auth config that is not there", "POST", sessions, `{"user_id":"u","auth_configs":{"acme":"ac_nothing00000"}}`, 400, nil, []string{"auth_configs.acme"}},
		{"a saved configuration", "POST", sessions, `{"user_id":"u","experimental":{"session_config_id":"sc_1"}}`, 404, []string{"sc_1"}, nil},
		{"permissions of the wrong type", "POST", sessions, `{"user_id":"u","experimental":{"permissions":"all"}}`, 400, nil, []string{"experimental.permissions"}},
		{"another user", "PATCH", sessions + "/" + id, `{"user_id":"v"}`, 400, nil, []string{"user_id"}},
		{"an old version", "PATCH", sessions + "/" + id, `{"toolkits":null,"expected_config_version":7}`, 409, []string{"version"}, nil},
		{"a broken patch", "PATCH", sessions + "/" + id, `{"toolkits":{"enable":["acme","nope"]},"search":{"enable":false}}`, 400, nil, []string{"toolkits.enable"}},
		{"a deleted session", "PATCH", sessions + "/" + deleted, `{"toolkits":null}`, 404, nil, nil},
		{"an unknown session", "GET", sessions + "/trs_nothing00000/tools", ``, 404, nil, nil},
		{"a session of no form", "GET", sessions + "/%00", ``, 400, nil, []string{"session_id: contains a null character"}},
		{"a wrong cursor", "GET", sessions + "?cursor=abc", ``, 400, []string{"next_cursor"}, []string{"cursor"}},
		{"a cursor of another list", "GET", sessions + "?cursor=MjpxcXE", ``, 400, nil, nil},

		// Search, execute, link, proxy in a session.
		{"no queries", "POST", sessions + "/" + id + "/search", `{}`, 400, nil, []string{"queries: expected 1 to 7, got 0"}},
		{"too many queries", "POST", sessions + "/" + id + "/search", `{"queries":[` + strings.Repeat(`{"use_case":"x"},`, 7) + `{"use_case":"x"}]}`, 400, nil, []string{"queries"}},
		{"queries too long", "POST", sessions + "/" + id + "/search", `{"queries":[{"use_case":"` + strings.Repeat("x", 1025) + `","known_fields":"` + strings.Repeat("ü", 501) + `"},{}]}`, 400, nil,
			[]string{"queries[0].use_case: at most 1024", "queries[0].known_fields: at most 500", "queries[1].use_case: is required"}},
		{"no tool", "POST", sessions + "/" + id + "/execute", `{"arguments":{}}`, 400, nil, []string{"tool_slug: is required"}},
		{"unknown tool", "POST", sessions + "/" + id + "/execute", `{"tool_slug":"ACME_MAKE_THIN"}`, 404, []string{"ACME_MAKE_THING"}, nil},
		{"missing argument", "POST", sessions + "/" + id + "/execute", `{"tool_slug":"ACME_MAKE_THING","arguments":{"count":0}}`, 400, []string{"title"}, nil},
		{"no toolkit to link", "POST", sessions + "/" + id + "/link", `{}`, 400, nil, []string{"toolkit: is required"}},
		{"unknown toolkit to link", "POST", sessions + "/" + id + "/link", `{"toolkit":"acne"}`, 404, []string{"acme"}, nil},
		{"wrong account type", "POST", sessions + "/" + id + "/link", `{"toolkit":"acme","experimental":{"account_type":"PUBLIC"}}`, 400, nil, []string{"experimental.account_type"}},
		{"ACL on a private account", "POST", sessions + "/" + id + "/link", `{"toolkit":"acme","experimental":{"acl_config_for_shared":{"allow_all_users":true}}}`, 400,
			[]string{"acl_config_for_shared is only valid on SHARED"}, nil}, // the words SDKs look for
		{"no endpoint", "POST", sessions + "/" + id + "/proxy_execute", `{"toolkit_slug":"acme","method":"TRACE","parameters":[{"type":"cookie","value":"x","name":"a"},{"type":"query","value":"x"}]}`, 400, nil,
			[]string{"endpoint: is required", "method: expected one of", "parameters[0].type: expected header or query", "parameters[1].name: is required"}},
		{"another origin", "POST", sessions + "/" + id + "/proxy_execute", `{"toolkit_slug":"acme","method":"GET","endpoint":"https://evil.test/x"}`, 400, nil, nil},
		{"two bodies", "POST", sessions + "/" + id + "/proxy_execute", `{"toolkit_slug":"acme","method":"POST","endpoint":"/x","binary_body":{"url":"https://a.test","base64":"aGk="}}`, 400, nil, []string{"binary_body"}},
		{"not base64", "POST", sessions + "/" + id + "/proxy_execute", `{"toolkit_slug":"acme","method":"POST","endpoint":"/x","binary_body":{"base64":"%%%"}}`, 400, nil, []string{"binary_body.base64"}},

		// Tools.
		{"unknown tool by slug", "GET", "/tools/ACME_MAKE_THINGY", ``, 404, []string{"ACME_MAKE_THING"}, nil},
		{"not a version", "GET", "/tools/ACME_MAKE_THING?version=1.2", ``, 400, []string{"20260102_00"}, []string{"version"}},
		{"not a version in a list", "GET", "/tools?toolkit_versions[acme]=new", ``, 400, nil, []string{"toolkit_versions[acme]"}},
		{"wrong parameters", "GET", "/tools?limit=many&important=maybe", ``, 400, nil, []string{"important: expected true or false", "limit: expected a number"}},
		{"a broken query", "GET", "/tools?limit=%zz", ``, 400, []string{"query string"}, nil},
		{"a null character in a query", "GET", "/tools?query=a%00b", ``, 400, nil, []string{"query: contains a null character"}},
		{"bytes that are no text in a query", "GET", "/connected_accounts?user_ids=%ff", ``, 400, nil, []string{"user_ids: is not valid UTF-8"}},
		{"half a surrogate pair in a query", "GET", "/connected_accounts?user_ids=u%ED%A0%80", ``, 400, nil, []string{"user_ids: is not valid UTF-8"}},
		{"half a surrogate pair in a version", "GET", "/tools?toolkit_versions[acme]=%ED%A0%80", ``, 400, nil, []string{"toolkit_versions: is not valid UTF-8"}},
		{"a wrong cursor of tools", "GET", "/tools?cursor=MjotNQ", ``, 400, nil, []string{"cursor"}},
		{"execute for nobody", "POST", "/tools/execute/ACME_MAKE_THING", `{"arguments":{"title":"x"}}`, 400, nil, []string{"user_id"}},
		{"execute an unknown tool", "POST", "/tools/execute/ACME_NOPE", `{"user_id":"u"}`, 404, nil, nil},
		{"execute a version that is none", "POST", "/tools/execute/ACME_MAKE_THING", `{"user_id":"u","version":"v9","arguments":{"title":"x"}}`, 400, nil, []string{"version"}},
		{"execute by words", "POST", "/tools/execute/ACME_MAKE_THING", `{"user_id":"u","text":"make me a lamp"}`, 501, []string{"arguments"}, nil},
		{"execute with an account that is not there", "POST", "/tools/execute/ACME_MAKE_THING", `{"connected_account_id":"ca_nothing00000","arguments":{"title":"x"}}`, 404, nil, nil},
		{"custom parameters of no sort", "POST", "/tools/execute/ACME_MAKE_THING", `{"user_id":"u","arguments":{"title":"x"},"custom_auth_params":{"parameters":[{"in":"cookie","name":"a","value":"b"}],"body":5}}`, 400, nil,
			[]string{"custom_auth_params.parameters[0].in", "custom_auth_params.body"}},
		{"proxy for nobody", "POST", "/tools/execute/proxy", `{"endpoint":"/me","method":"GET"}`, 400, nil, []string{"connected_account_id"}},
		{"scopes of nothing", "POST", "/tools/scopes/required", `{"tools":[]}`, 400, nil, []string{"tools"}},
		{"scopes of unknown tools", "POST", "/tools/scopes/required", `{"tools":["ACME_MAKE_THING","NOPE","ACME_MAKE_THIN"]}`, 404, nil, []string{"tools[1]", "tools[2]"}},

		// Toolkits.
		{"unknown toolkit", "GET", "/toolkits/acne", ``, 404, []string{"acme"}, nil},
		{"wrong filters", "GET", "/toolkits?sort_by=name&type=old&managed_by=me", ``, 400, nil, []string{"managed_by", "type", "sort_by"}},
		{"wrong filters in a body", "POST", "/toolkits/multi", `{"sort_by":"name"}`, 400, nil, []string{"sort_by"}},
		{"not a version of a toolkit", "GET", "/toolkits/acme?version=x", ``, 400, nil, []string{"version"}},

		// Auth configs.
		{"no toolkit", "POST", "/auth_configs", `{}`, 400, nil, []string{"toolkit.slug"}},
		{"unknown toolkit of an auth config", "POST", "/auth_configs", `{"toolkit":{"slug":"acne"}}`, 404, []string{"acme"}, nil},
		{"unknown scheme", "POST", "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"SAML"}}`, 400, []string{"API_KEY"}, nil},
		{"missing credentials", "POST", "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"OAUTH2","credentials":{"client_id":"x"}}}`, 400, []string{"client_secret"}, nil},
		{"managed without an app", "POST", "/auth_configs", `{"toolkit":{"slug":"plain"},"auth_config":{"type":"use_composio_managed_auth"}}`, 400, nil, nil},
		{"unknown type", "POST", "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"magic"}}`, 400, nil, []string{"auth_config.type"}},
		{"unknown status", "PATCH", "/auth_configs/" + config + "/PAUSED", ``, 400, nil, []string{"status: expected ENABLED or DISABLED"}},
		{"an auth config that does not exist", "PATCH", "/auth_configs/ac_nothing00000", `{"name":"x"}`, 404, nil, nil},

		// Connected accounts.
		{"link without ids", "POST", "/connected_accounts/link", `{}`, 400, nil, []string{"auth_config_id: is required", "user_id: is required"}},
		{"link with an unknown auth config", "POST", "/connected_accounts/link", `{"auth_config_id":"ac_nothing00000","user_id":"u"}`, 404, nil, nil},
		{"link with a callback that is no URL", "POST", "/connected_accounts/link", `{"auth_config_id":"` + config + `","user_id":"u","callback_url":"javascript:alert(1)"}`, 400, nil, nil},
		{"create without an auth config", "POST", "/connected_accounts", `{"connection":{"user_id":"u"}}`, 400, nil, []string{"auth_config.id"}},
		{"import without the key", "POST", "/connected_accounts", `{"auth_config":{"id":"` + config + `"},"connection":{"user_id":"u","state":{"authScheme":"API_KEY","val":{"status":"ACTIVE"}}}}`, 400, []string{"api_key"}, nil},
		{"unknown filters", "GET", "/connected_accounts?statuses=ACTIVE,HAPPY&account_type=MINE&order_by=name&order_direction=up", ``, 400, nil,
			[]string{"statuses", "account_type", "order_by", "order_direction"}},
		{"neither on nor off", "PATCH", "/connected_accounts/" + account + "/status", `{}`, 400, nil, []string{"enabled"}},
		{"credentials of another scheme", "PATCH", "/connected_accounts/" + account, `{"connection":{"state":{"authScheme":"BASIC","val":{"username":"x"}}}}`, 400, nil, []string{"connection.state.authScheme"}},
		{"ACL of a private account", "PATCH", "/connected_accounts/" + account, `{"experimental":{"acl_config_for_shared":{"allow_all_users":true}}}`, 400,
			[]string{"acl_config_for_shared is only valid on SHARED"}, nil},
		{"an account that does not exist", "POST", "/connected_accounts/ca_nothing00000/refresh", `{}`, 404, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := s.do(t, request{method: test.method, path: "/api/v3.1" + test.path, body: test.body})
			f := a.fault(t)
			if a.status != test.status || f.Status != test.status || f.Slug == "" || f.Code == 0 || f.RequestID == "" {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if f.SuggestedFix == "" && len(f.Errors) == 0 {
				t.Errorf("no word on how to mend it: %s", a.body)
			}
			for _, says := range test.says {
				if all := f.Message + f.SuggestedFix + strings.Join(f.Errors, ""); !strings.Contains(all, says) {
					t.Errorf("nothing about %q: %s", says, a.body)
				}
			}
			for i, begin := range test.errors {
				if i >= len(f.Errors) || !strings.HasPrefix(f.Errors[i], begin) {
					t.Errorf("errors[%d] should begin with %q: %s", i, begin, strings.Join(f.Errors, "\n"))
				}
			}
		})
	}
	if diff := cmp.Diff(before, stored(t, s)); diff != "" {
		t.Errorf("something changed (-before +after)\n%s", diff)
	}
	if asked := s.upstream.all(); len(asked) != 1 { // the identity probe of the account at the beginning
		t.Errorf("the provider was asked %d times: %+v", len(asked), asked)
	}
}

// stored gives all that a project has, as text.
func stored(t *testing.T, s *stack) string {
	t.Helper()
	sessions, _, err := s.store.ListSessions(t.Context(), s.project.ID, session.Filter{Limit: 100})
	must(t, err)
	configs, _, err := s.store.ListAuthConfigs(t.Context(), s.project.ID, connect.AuthConfigFilter{ShowDisabled: true, Limit: 100})
	must(t, err)
	accounts, _, err := s.store.ListAccounts(t.Context(), s.project.ID, connect.AccountFilter{Limit: 100})
	must(t, err)
	text, err := json.MarshalIndent([]any{sessions, configs, accounts}, "", " ")
	must(t, err)
	return string(text)
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := newStack(t, func(o *Options) { o.MaxBody = 4 << 10 })
	body := func(n int) string { return `{"user_id":"` + strings.Repeat("u", n) + `"}` }
	f := s.post(t, "/tool_router/session", body(5000)).ok(t, 413).fault(t)
	if f.Slug != fault.SlugTooLarge || !strings.Contains(f.Message, "4 KB") {
		t.Errorf("got %+v", f)
	}
}

// TestCustomToolsOfSeveralMegabytes: SDKs send all of an application's own tools with every execute and search.
func TestCustomToolsOfSeveralMegabytes(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var tools []string
	for i := range 90 {
		tools = append(tools, fmt.Sprintf(`{"slug":"TOOL_%d","name":"Tool","description":"%s","input_schema":{"type":"object","properties":{"a":{"type":"string","description":"%s"}}}}`,
			i, strings.Repeat("d", 5000), strings.Repeat("e", 30000)))
	}
	custom := `"experimental":{"custom_toolkits":[{"slug":"DEVTK","name":"Dev","description":"dev kit","tools":[` + strings.Join(tools, ",") + `]}]}`
	if len(custom) < 3<<20 {
		t.Fatal("not large enough to prove anything")
	}
	id := s.session(t, `{"user_id":"u",`+custom+`}`)
	s.post(t, "/tool_router/session/"+id+"/execute", `{"tool_slug":"PLAIN_GET_FACT","arguments":{"id":1},`+custom+`}`).ok(t, 200)
	s.post(t, "/tool_router/session/"+id+"/search", `{"queries":[{"use_case":"get a fact"}],`+custom+`}`).ok(t, 200)
}
