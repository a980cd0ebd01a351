package session_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// object is what a model sends.
type object = map[string]any

// The whole answers of the meta tools, as models and SDKs get them.
func TestMetaToolAnswers(t *testing.T) {
	t.Parallel()
	mixed := func(t *testing.T, w *world) { // github and gmail connected, slack not
		t.Helper()
		w.withGitHub(t, "ann")
		w.authConfig(t, ours, "ac_gmail", "gmail")
		w.authConfig(t, ours, "ac_slack", "slack")
		w.account(t, "ca_work", "ann", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) {
			a.Alias, a.Identity.Email = "work", "ann@work.example"
		})
		w.account(t, "ca_home", "ann", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) {
			a.Alias, a.Identity.Email, a.ConnectedAt = "home", "ann@home.example", today.Add(-time.Hour)
		})
		w.account(t, "ca_dead", "ann", "slack", "ac_slack", func(a *connect.ConnectedAccount) {
			a.Status, a.StatusReason = connect.Expired, "The refresh token was revoked."
		})
	}
	multi := func(c *session.Config) {
		c.MultiAccount = session.MultiAccount{Enable: true, RequireExplicit: true}
	}
	cases := map[string]struct {
		config    func(*session.Config)
		slug      string
		arguments object
	}{
		"search": {
			config: func(c *session.Config) { c.Timezone = "Europe/Paris" },
			slug:   "COMPOSIO_SEARCH_TOOLS",
			arguments: object{
				"queries": []any{
					object{"use_case": "create an issue in a github repository", "known_fields": "owner: octocat, repo: hello-world"},
					object{"use_case": "send a message to a slack channel", "known_fields": "channel: #general, text: hi"},
					object{"use_case": "delete a github repository"},
				},
				"session": object{"generate_id": true},
			},
		},
		"search_multi_account": {
			config: multi, slug: "COMPOSIO_SEARCH_TOOLS",
			arguments: object{"queries": []any{object{"use_case": "send an email with gmail"}}, "session": object{"id": "wf_task"}},
		},
		"search_without_connecting": {
			config: func(c *session.Config) { c.ManageConnections.Enable, c.MultiExecute = false, false },
			slug:   "COMPOSIO_SEARCH_TOOLS", arguments: object{"queries": []any{object{"use_case": "list slack channels"}}},
		},
		"search_nothing": {
			config: func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"slack"}} },
			slug:   "COMPOSIO_SEARCH_TOOLS",
			arguments: object{"queries": []any{
				object{"use_case": "reheat the soup"}, object{"use_case": "list the slack channels"}, object{"use_case": " "}, object{"use_case": strings.Repeat("x", 1025)},
			}},
		},
		"schemas": {
			config: func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"slack"}} },
			slug:   "COMPOSIO_GET_TOOL_SCHEMAS",
			arguments: object{
				"tool_slugs": []any{"GITHUB_CREATE_ISSUE", "GMAIL_SEND_EMIAL", "SLACK_SEND_MESSAGE", "GMAIL_FETCH_EMAILS"},
				"include":    []any{"input_schema", "output_schema"},
			},
		},
		"manage_connections": {
			config: func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"gmail"}} },
			slug:   "COMPOSIO_MANAGE_CONNECTIONS",
			arguments: object{
				"toolkits": []any{"github", "slack", "hackernews", "gmail", "gthub"}, "session_id": "wf_task",
			},
		},
		"manage_connections_again": {
			slug: "COMPOSIO_MANAGE_CONNECTIONS", arguments: object{"toolkits": []any{"github"}, "reinitiate_all": true},
		},
		"manage_connections_multi_account": {
			config: multi, slug: "COMPOSIO_MANAGE_CONNECTIONS",
			arguments: object{"toolkits": []any{
				object{"name": "gmail", "action": "list"},
				object{"name": "gmail", "action": "rename", "account_id": "work", "alias": "office"},
				object{"name": "gmail", "action": "remove", "account_id": "HOME"},
				object{"name": "gmail", "action": "remove"},
				object{"name": "gmail", "action": "paint"},
			}},
		},
		"multi_execute": {
			slug: "COMPOSIO_MULTI_EXECUTE_TOOL",
			arguments: object{
				"tools": []any{
					object{"tool_slug": "GITHUB_LIST_REPOSITORIES", "arguments": object{}},
					object{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": object{}},
					object{"tool_slug": "SLACK_LIST_CHANNELS", "arguments": object{}},
					object{"tool_slug": "GITHUB_MAKE_COFFEE", "arguments": object{}},
					object{"tool_slug": "COMPOSIO_SEARCH_TOOLS", "arguments": object{}},
					object{"tool_slug": "LOCAL_MY_ADD", "arguments": object{}},
					object{"tool_slug": "GITHUB_LIST_REPOSITORIES", "arguments": object{}},
				},
				"sync_response_to_workbench": false, "session_id": "wf_task",
			},
		},
		"multi_execute_all_well": {
			slug:      "COMPOSIO_MULTI_EXECUTE_TOOL",
			arguments: object{"tools": []any{object{"tool_slug": "GITHUB_LIST_REPOSITORIES", "arguments": object{}}}},
		},
		"wait_active": {
			slug:   "COMPOSIO_WAIT_FOR_CONNECTIONS",
			config: func(c *session.Config) { c.ManageConnections.Wait = true }, arguments: object{"toolkits": []any{"github", "hackernews"}},
		},
		"wait_failed": {
			slug:   "COMPOSIO_WAIT_FOR_CONNECTIONS",
			config: func(c *session.Config) { c.ManageConnections.Wait = true }, arguments: object{"toolkits": []any{"slack", "github"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mixed(t, w)
			w.runner.answer = func(call execute.Call) (execute.Result, error) {
				if call.Tool.Slug == "HACKERNEWS_GET_TOP_STORIES" {
					return execute.Result{Data: json.RawMessage(`{}`), Error: "The front page is on fire."}, nil
				}
				return execute.Result{Data: json.RawMessage(`{"items":[1]}`)}, nil
			}
			id := w.create(t, "ann", c.config).Session.ID
			out := w.run(t, id, c.slug, c.arguments)
			if !strings.HasPrefix(out.LogID, "log_") {
				t.Errorf("log id %q", out.LogID)
			}
			whole, err := json.Marshal(map[string]any{"data": out.Data, "error": out.Error, "links": len(out.Links)})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, whole)
		})
	}
}

// Models send many shapes; all of them mean the same.
func TestMetaToolsAreLenient(t *testing.T) {
	t.Parallel()
	issue := object{"owner": "octocat"}
	cases := map[string]struct {
		slug   string
		shapes []object
		check  func(t *testing.T, w *world, data map[string]any)
	}{
		"search": {
			slug: "COMPOSIO_SEARCH_TOOLS",
			shapes: []object{
				{"queries": []any{object{"use_case": "create a github issue", "known_fields": "owner: octocat"}}},
				{"queries": []any{object{"use_case": "create a github issue", "known_fields": issue}}},
				{"queries": object{"use_case": "create a github issue", "known_fields": "owner: octocat"}},
				{"queries": `[{"use_case": "create a github issue", "known_fields": "owner:octocat"}]`},
				{"queries": []any{`{"use_case": "create a github issue", "known_fields": {"owner": "octocat"}}`}},
				{"query": object{"query": "create a github issue", "known_fields": "owner: octocat"}},
			},
			check: func(t *testing.T, _ *world, data map[string]any) {
				t.Helper()
				result := data["results"].([]any)[0].(object)
				if slugs := result["primary_tool_slugs"].([]any); len(slugs) == 0 || slugs[0] != "GITHUB_CREATE_AN_ISSUE" {
					t.Errorf("found %v", slugs)
				}
				if text := result["reasoning"].(string); !strings.Contains(text, "still missing: `repo` and `title`") {
					t.Errorf("known fields were not understood: %s", text)
				}
			},
		},
		"search by texts": {
			slug: "COMPOSIO_SEARCH_TOOLS",
			shapes: []object{
				{"queries": []any{"create a github issue, please"}}, {"queries": "create a github issue, please"}, {"use_case": "create a github issue, please"},
			},
			check: func(t *testing.T, _ *world, data map[string]any) {
				t.Helper()
				if results := data["results"].([]any); len(results) != 1 || results[0].(object)["use_case"] != "create a github issue, please" {
					t.Errorf("results %v", results)
				}
			},
		},
		"schemas": {
			slug: "COMPOSIO_GET_TOOL_SCHEMAS",
			shapes: []object{
				{"tool_slugs": []any{"GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS"}},
				{"tool_slugs": "GMAIL_SEND_EMAIL, GMAIL_FETCH_EMAILS"},
				{"tool_slugs": `["gmail_send_email","gmail_fetch_emails"]`},
				{"tools": []any{object{"tool_slug": "GMAIL_SEND_EMAIL"}, object{"slug": "GMAIL_FETCH_EMAILS"}}},
			},
			check: func(t *testing.T, _ *world, data map[string]any) {
				t.Helper()
				if schemas := data["tool_schemas"].(object); schemas["GMAIL_SEND_EMAIL"] == nil || schemas["GMAIL_FETCH_EMAILS"] == nil {
					t.Errorf("schemas %v", schemas)
				}
			},
		},
		"multi execute": {
			slug: "COMPOSIO_MULTI_EXECUTE_TOOL",
			shapes: []object{
				{"tools": []any{object{"tool_slug": "GITHUB_CREATE_AN_ISSUE", "arguments": issue}}},
				{"tools": object{"tool_slug": "GITHUB_CREATE_AN_ISSUE", "arguments": issue}},
				{"tools": []any{object{"tool_slug": "GITHUB_CREATE_AN_ISSUE", "arguments": `{"owner":"octocat"}`}}},
				{"tools": `[{"tool_slug":"github_create_an_issue","arguments":{"owner":"octocat"}}]`},
				{"tools": []any{object{"slug": "GITHUB_CREATE_AN_ISSUE", "args": issue}}},
				{"tool_slug": "GITHUB_CREATE_AN_ISSUE", "arguments": issue},
			},
			check: func(t *testing.T, w *world, data map[string]any) {
				t.Helper()
				if data["success_count"] != 1.0 {
					t.Errorf("answer %v", data)
				}
				calls := w.runner.ran()
				if call := calls[len(calls)-1]; call.Tool.Slug != "GITHUB_CREATE_AN_ISSUE" || call.Arguments["owner"] != "octocat" {
					t.Errorf("ran %s with %v", call.Tool.Slug, call.Arguments)
				}
			},
		},
		"manage connections": {
			slug: "COMPOSIO_MANAGE_CONNECTIONS",
			shapes: []object{
				{"toolkits": []any{"github", "hackernews"}}, {"toolkits": "GitHub,hackernews"}, {"toolkits": `["github","hackernews"]`},
				{"toolkits": []any{object{"name": "github"}, object{"toolkit": "hackernews"}}},
			},
			check: func(t *testing.T, _ *world, data map[string]any) {
				t.Helper()
				if summary := data["summary"].(object); summary["active_connections"] != 2.0 || summary["total_toolkits"] != 2.0 {
					t.Errorf("summary %v", summary)
				}
			},
		},
		"wait": {
			slug: "COMPOSIO_WAIT_FOR_CONNECTIONS",
			shapes: []object{
				{"toolkits": []any{"github"}, "timeout_seconds": json.Number("5")}, {"toolkits": "github", "timeout_seconds": "5"}, {"toolkits": object{"name": "github"}},
			},
			check: func(t *testing.T, _ *world, data map[string]any) {
				t.Helper()
				if data["done"] != true {
					t.Errorf("answer %v", data)
				}
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.withGitHub(t, "ann")
			id := w.create(t, "ann", func(c *session.Config) { c.ManageConnections.Wait = true }).Session.ID
			for _, shape := range c.shapes {
				out := w.run(t, id, c.slug, shape)
				if out.Error != "" {
					t.Errorf("%v: %s", shape, out.Error)
					continue
				}
				c.check(t, w, decode(t, out.Data))
			}
		})
	}
}

// What cannot be understood is refused with a way out, not guessed at.
func TestMetaToolsRefuseNonsense(t *testing.T) {
	t.Parallel()
	many := make([]any, 51)
	for i := range many {
		many[i] = "GMAIL_SEND_EMAIL"
	}
	for _, c := range []struct {
		slug      string
		arguments object
		message   string
	}{
		{"COMPOSIO_SEARCH_TOOLS", object{}, "takes 1 to 7 queries"},
		{"COMPOSIO_SEARCH_TOOLS", object{"queries": 7}, "takes 1 to 7 queries"},
		{"COMPOSIO_SEARCH_TOOLS", object{"queries": []any{"a", "b", "c", "d", "e", "f", "g", "h"}}, "and this one has 8"},
		{"COMPOSIO_SEARCH_TOOLS", object{"queries": []any{"a"}, "toolkits": []any{"gthub"}}, "did you mean github"},
		{"COMPOSIO_GET_TOOL_SCHEMAS", object{}, "tool_slugs must name 1 to 50"},
		{"COMPOSIO_GET_TOOL_SCHEMAS", object{"tool_slugs": many}, "it names 51"},
		{"COMPOSIO_MULTI_EXECUTE_TOOL", object{"tools": []any{}}, "tools must have 1 to 50 entries"},
		{"COMPOSIO_MULTI_EXECUTE_TOOL", object{"tools": many}, "it has 51"},
		{"COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": nil}, "toolkits must name 1 to 25"},
		{"COMPOSIO_WAIT_FOR_CONNECTIONS", object{}, "toolkits must name 1 to 25"},
		{"COMPOSIO_WAIT_FOR_CONNECTIONS", object{"toolkits": "nowhere"}, `There is no toolkit "nowhere"`},
	} {
		w := newWorld(t)
		id := w.create(t, "ann", func(c *session.Config) { c.ManageConnections.Wait = true }).Session.ID
		_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: c.slug, Arguments: c.arguments})
		f := fault.From(err)
		if err == nil || !strings.Contains(f.Message, c.message) || !f.NoRetry || f.Kind != fault.Invalid && f.Kind != fault.NotFound {
			t.Errorf("%s %v: %v, want %q", c.slug, c.arguments, err, c.message)
		}
	}
}

// Every schema that a session serves for its meta tools passes the parser of the SDKs (contract section 19.1).
func TestMetaToolSchemas(t *testing.T) {
	t.Parallel()
	all := session.DefaultConfig()
	all.ManageConnections.Wait = true
	several := all
	several.MultiAccount.Enable = true
	for _, config := range []session.Config{all, several} {
		specs := session.NewView(session.Session{Config: config}, testCatalog(t)).Tools()
		if len(specs) != len(session.MetaTools()) {
			t.Errorf("%d meta tools, want %d", len(specs), len(session.MetaTools()))
		}
		for _, spec := range specs {
			if spec.Name == "" || spec.Description == "" || len(spec.Tags) == 0 || !spec.Hints.Read && !spec.Hints.Destructive {
				t.Errorf("%s lacks a title, description, tags or hints", spec.Slug)
			}
			for _, text := range []json.RawMessage{spec.Input, spec.Output} {
				root := decode(t, text)
				if root["type"] != "object" {
					t.Errorf("%s: root type %v", spec.Slug, root["type"])
				}
				checkSchema(t, spec.Slug, root)
			}
		}
	}
}

func checkSchema(t *testing.T, path string, schema object) {
	t.Helper()
	types, ok := schema["type"].([]any)
	if !ok {
		types = []any{schema["type"]}
	}
	for _, kind := range types {
		if kind, _ := kind.(string); !strings.Contains(" string number integer boolean object array null ", " "+kind+" ") {
			t.Errorf("%s: type %q", path, kind)
		}
	}
	for _, word := range []string{"title", "format", "description"} {
		if value, ok := schema[word]; ok && value == nil {
			t.Errorf("%s: %s is null", path, word)
		}
	}
	if schema["type"] == "array" && schema["items"] == nil {
		t.Errorf("%s: no items", path)
	}
	properties, _ := schema["properties"].(object)
	for name, property := range properties {
		checkSchema(t, path+"."+name, property.(object))
	}
	if items, ok := schema["items"].(object); ok {
		checkSchema(t, path+"[]", items)
	}
	if more, ok := schema["additionalProperties"].(object); ok {
		checkSchema(t, path+".*", more)
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if properties[name.(string)] == nil {
			t.Errorf("%s: required %v is not declared", path, name)
		}
	}
}
