package api

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSessionLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	authConfig, account := s.keyAccount(t, "user_7")
	tr := newTranscript(s)
	id := tr.do(t, "POST", "/tool_router/session", `{"user_id":"user_7",
		"toolkits":{"enable":["acme","plain"]},
		"tools":{"acme":{"disable":["ACME_DELETE_THING"]},"plain":{"tags":{"enable":["readOnlyHint"]}}},
		"tags":{"disable":["destructiveHint"]},
		"auth_configs":{"acme":"`+authConfig+`"},
		"connected_accounts":{"acme":["`+account+`"]},
		"manage_connections":{"enable":true,"callback_url":"https://app.example/cb","enable_wait_for_connections":true},
		"workbench":{"enable":false,"enable_proxy_execution":false,"auto_offload_threshold":1000,"sandbox_size":"medium"},
		"preload":{"tools":["ACME_MAKE_THING"]},
		"experimental":{"assistive_prompt_config":{"user_timezone":"Europe/Paris"},
			"custom_tools":[{"slug":"MY_ADD","name":"Add","description":"adds","input_schema":{"type":"object","properties":{"a":{"type":"number"}}},"preload":true}]}}`).
		ok(t, 201).text(t, "session_id")
	tr.do(t, "GET", "/tool_router/session/"+id, "").ok(t, 200)
	s.clock.advance(time.Minute)
	tr.do(t, "PATCH", "/tool_router/session/"+id, `{"toolkits":null,"tags":{"enable":["readOnlyHint"]},"connected_accounts":null,"preload":{"tools":"all"},
		"manage_connections":{"callback_url":null},"expected_config_version":1}`).ok(t, 200)
	tr.do(t, "PATCH", "/tool_router/session/"+id, `{"search":{"enable":false},"expected_config_version":1}`).ok(t, 409)
	tr.do(t, "GET", "/tool_router/session/"+id+"/config_history?limit=1", "").ok(t, 200)
	tr.do(t, "GET", "/tool_router/session?user_ids=user_7", "").ok(t, 200)
	tr.do(t, "DELETE", "/tool_router/session/"+id, "").ok(t, 200)
	tr.do(t, "DELETE", "/tool_router/session/"+id, "").ok(t, 404)
	tr.do(t, "GET", "/tool_router/session/"+id, "").ok(t, 404)
	tr.check(t, "session_life")
}

func TestSmallestSession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	tr.do(t, "POST", "/tool_router/session", `{"user_id":"user_7","manage_connections":{"enable":true}}`).ok(t, 201)
	tr.check(t, "session_smallest")
}

// TestBothVocabularies sends the same configuration in the words of requests, in the words of answers, and in short forms.
func TestBothVocabularies(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, account := s.keyAccount(t, "u")
	bodies := map[string]string{
		"requests": `{"toolkits":{"enable":["acme"]},"tools":{"acme":{"enable":["ACME_MAKE_THING"]}},"tags":{"enable":["readOnlyHint"]},
			"manage_connections":{"enable":false},"workbench":{"enable":false,"enable_proxy_execution":false},
			"connected_accounts":{"acme":["` + account + `"]}}`,
		"answers": `{"toolkits":{"enabled":["acme"]},"tools":{"acme":{"enabled":["ACME_MAKE_THING"]}},"tags":{"enabled":["readOnlyHint"]},
			"manage_connections":{"enabled":false},"workbench":{"enabled":false,"proxy_execution_enabled":false},
			"connected_accounts":{"acme":["` + account + `"]}}`,
		"short": `{"toolkits":["acme"],"tools":{"acme":["ACME_MAKE_THING"]},"tags":["readOnlyHint"],
			"manage_connections":false,"sandbox":{"enable":false,"enable_proxy_execution":false},
			"connected_accounts":{"acme":"` + account + `"}}`,
	}
	configs := make(map[string]string)
	for name, body := range bodies {
		a := s.post(t, "/tool_router/session", `{"user_id":"u",`+body[1:]).ok(t, 201)
		configs[name] = string(a.body[strings.Index(string(a.body), `"config"`):strings.Index(string(a.body), `"config_version"`)])
	}
	for name, config := range configs {
		if config != configs["requests"] {
			t.Errorf("%s came out as\n%s\nwant\n%s", name, config, configs["requests"])
		}
	}
}

// TestAnAnswerCanBeSentBack is what users expect of enable and enabled: the config of an answer is a valid patch.
func TestAnAnswerCanBeSentBack(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	a := s.post(t, "/tool_router/session", `{"user_id":"u","toolkits":{"disable":["plain"]},"tools":{"acme":{"tags":["readOnlyHint"]}},
		"multi_account":{"enable":true,"max_accounts_per_toolkit":3},"workbench":{"enable":false},
		"experimental":{"assistive_prompt_config":{"user_timezone":"UTC"}}}`).ok(t, 201)
	id := a.text(t, "session_id")
	config := string(a.body)
	config = config[strings.Index(config, `"config":`)+len(`"config":`) : strings.Index(config, `,"config_version"`)]
	again := s.patch(t, "/tool_router/session/"+id, config).ok(t, 200)
	if !strings.Contains(string(again.body), config) {
		t.Errorf("the config changed:\n%s\nwas\n%s", again.body, config)
	}
	if warnings := again.at(t, "warnings").([]any); len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestUnknownMembersAreIgnoredWithAWarning(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	a := s.post(t, "/tool_router/session", `{"user_id":"u","tolkits":["acme"],"manage_connections":{"enabel":true},
		"workbench":{"colour":"red"},"experimental":{"fast_mode":true,"shiny":1},"tools":{"acme":{"enbled":[]}}}`).ok(t, 201)
	for _, name := range []string{"tolkits", "manage_connections.enabel", "workbench.colour", "experimental.shiny", "tools.acme.enbled"} {
		if text := a.text(t, "warnings.0.message"); !strings.Contains(text, name) {
			t.Errorf("the warning does not name %s: %s", name, text)
		}
	}
	if strings.Contains(a.text(t, "warnings.0.message"), "fast_mode") {
		t.Error("fast_mode is known and ignored, not unknown")
	}
}

func TestMCPURLHasTheOriginOfTheCall(t *testing.T) {
	t.Parallel()
	create := func(s *stack, header map[string]string) answer {
		return s.do(t, request{method: "POST", path: "/api/v3.1/tool_router/session", body: `{"user_id":"u"}`, header: header})
	}
	forwarded := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "patchbay.example.com, inner"}
	tests := []struct {
		name   string
		option stackOption
		header map[string]string
		want   string
	}{
		{"the request's own", func(*Options) {}, nil, "http://patchbay.test"},
		{"forwarded, but nobody is trusted", func(*Options) {}, forwarded, "http://patchbay.test"},
		{"forwarded by a trusted proxy", func(o *Options) { o.TrustProxy = true }, forwarded, "https://patchbay.example.com"},
		{"configured", func(o *Options) { o.PublicURL = "https://mcp.example.com/" }, forwarded, "https://mcp.example.com"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := create(newStack(t, test.option), test.header).ok(t, 201)
			want := test.want + "/tool_router/" + a.text(t, "session_id") + "/mcp"
			if got := a.text(t, "mcp.url"); got != want {
				t.Errorf("mcp.url %s, want %s", got, want)
			}
		})
	}
}

func TestSessionListPages(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var made []string
	for range 5 {
		s.clock.advance(time.Second)
		made = append([]string{s.session(t, `{"user_id":"u"}`)}, made...)
	}
	s.session(t, `{"user_id":"somebody else"}`)
	var listed []string
	cursor, page := "", 0
	for {
		a := s.get(t, "/tool_router/session?user_ids=u&limit=2&cursor="+cursor).ok(t, 200)
		page++
		if got := a.at(t, "current_page"); got != float64(page) {
			t.Errorf("current_page %v, want %d", got, page)
		}
		if a.at(t, "total_items") != 5.0 || a.at(t, "total_pages") != 3.0 {
			t.Errorf("counts of %s", a.body)
		}
		for _, item := range a.at(t, "items").([]any) {
			listed = append(listed, item.(map[string]any)["session_id"].(string))
		}
		if a.at(t, "next_cursor") == nil {
			break
		}
		cursor = a.text(t, "next_cursor")
	}
	if strings.Join(listed, " ") != strings.Join(made, " ") {
		t.Errorf("listed %v, want %v", listed, made)
	}
}

func TestSessionEndsByItself(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	a := s.post(t, "/tool_router/session", `{"user_id":"u","ttl_seconds":60}`).ok(t, 201)
	if got, want := a.text(t, "expires_at"), timestamp(startTime.Add(time.Minute)); got != want {
		t.Errorf("expires_at %s, want %s", got, want)
	}
	id := a.text(t, "session_id")
	s.clock.advance(59 * time.Second)
	s.get(t, "/tool_router/session/"+id).ok(t, 200)
	s.clock.advance(2 * time.Second)
	s.get(t, "/tool_router/session/"+id).ok(t, 404)
}

func TestSessionToolkits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.keyAccount(t, "user_7")
	id := s.session(t, `{"user_id":"user_7"}`)
	tr := newTranscript(s)
	tr.do(t, "GET", "/tool_router/session/"+id+"/toolkits", "").ok(t, 200)
	tr.check(t, "session_toolkits")
	path := "/tool_router/session/" + id + "/toolkits?"
	for query, want := range map[string][]string{
		"toolkits=plain":          {"plain"},
		"toolkits=acme%2Cnope":    {"acme"},
		"is_connected=true":       {"acme"},
		"is_connected=false":      {"acme", "plain"},
		"search=acme":             {"acme"},
		"limit=1":                 {"acme"},
		"limit=1000":              {"acme", "plain"},
		"toolkits=&is_connected=": {"acme", "plain"},
	} {
		got := s.get(t, path+query).ok(t, 200).slugs(t)
		if query == "is_connected=true" { // what needs no account counts as connected
			got = slices.DeleteFunc(got, func(slug string) bool { return slug == "plain" })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gave %v, want %v", query, got, want)
		}
	}
	next := s.get(t, path+"limit=1").ok(t, 200).text(t, "next_cursor")
	if got := s.get(t, path+"limit=1&cursor="+next).ok(t, 200); !slices.Equal(got.slugs(t), []string{"plain"}) || got.at(t, "current_page") != 2.0 {
		t.Errorf("the second page is %s", got.body)
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, account := s.keyAccount(t, "user_7")
	id := s.session(t, `{"user_id":"user_7","tags":["readOnlyHint"]}`)
	path := "/tool_router/session/" + id + "/diagnose?slug="
	works := s.get(t, path+"ACME_LIST_THINGS").ok(t, 200)
	if works.at(t, "works") != true || works.text(t, "connected_account.id") != account || works.text(t, "reason") == "" {
		t.Errorf("got %s", works.body)
	}
	refused := s.get(t, path+"ACME_MAKE_THING").ok(t, 200)
	if refused.at(t, "works") != false || refused.at(t, "allowed") != false || !strings.Contains(refused.text(t, "policy"), "tags") {
		t.Errorf("got %s", refused.body)
	}
	s.patch(t, "/connected_accounts/"+account+"/status", `{"enabled":false}`).ok(t, 200)
	off := s.get(t, path+"acme").ok(t, 200)
	if off.at(t, "works") != false || off.at(t, "connected_account") != nil || off.text(t, "accounts.0.problem") == "" || off.text(t, "suggested_fix") == "" {
		t.Errorf("got %s", off.body)
	}
	s.get(t, path+"acne").ok(t, 404)
	s.get(t, path).ok(t, 400)
}
