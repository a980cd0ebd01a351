package api

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMCPServerLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, _ := s.keyAccount(t, "u")
	created := s.post(t, "/mcp/servers/custom", `{"name":"my server","toolkits":["plain"],"auth_config_ids":["`+config+`"],
		"allowed_tools":["ACME_MAKE_THING"],"custom_tools":["ACME_LIST_THINGS"],"managed_auth_via_composio":true}`).ok(t, 201)
	id := created.text(t, "id")
	if got, want := created.text(t, "mcp_url"), "http://patchbay.test/v3/mcp/"+id; got != want {
		t.Errorf("mcp_url is %s, want %s", got, want)
	}
	for _, path := range []string{"commands.claude", "commands.cursor", "commands.windsurf"} {
		if command := created.text(t, path); !strings.Contains(command, id) || strings.Contains(command, s.key) {
			t.Errorf("%s is %s", path, command)
		}
	}
	read := s.get(t, "/mcp/"+id).ok(t, 200)
	if got := read.at(t, "allowed_tools.1"); got != "ACME_LIST_THINGS" {
		t.Errorf("what Python calls custom_tools is read as %v", got)
	}
	if got := read.text(t, "toolkit_icons.acme"); got != "http://patchbay.test/logos/acme.svg" {
		t.Errorf("the icon of the auth config's toolkit is %s", got)
	}

	urls := s.post(t, "/mcp/servers/generate", `{"mcp_server_id":"`+id+`","user_ids":["user 1&2"],"managed_auth_by_composio":true}`).ok(t, 200)
	if got, want := urls.text(t, "user_ids_url.0"), "http://patchbay.test/v3/mcp/"+id+"?user_id=user+1%262"; got != want {
		t.Errorf("the user's URL is %s, want %s", got, want)
	}
	s.post(t, "/mcp/servers/"+id+"/instances", `{"user_id":"other"}`).ok(t, 201)
	listed := s.get(t, "/mcp/servers/"+id+"/instances?order_by=created_at&order_direction=asc&limit=1").ok(t, 200)
	if listed.at(t, "total_pages") != 2.0 || listed.text(t, "server_name") != "my server" {
		t.Errorf("instances are listed as %s", listed.body)
	}
	if got := s.get(t, "/mcp/"+id).at(t, "server_instance_count"); got != 2.0 {
		t.Errorf("%v instances are counted", got)
	}
	gone := s.delete(t, "/mcp/servers/"+id+"/instances/other").ok(t, 200)
	if gone.at(t, "deleted_connected_accounts") != 0.0 {
		t.Errorf("deleting an instance is answered %s", gone.body)
	}
	s.delete(t, "/mcp/servers/"+id+"/instances/other").ok(t, 404)

	patched := s.patch(t, "/mcp/"+id, `{"name":"renamed","allowed_tools":[]}`).ok(t, 200)
	if patched.text(t, "name") != "renamed" || len(patched.at(t, "allowed_tools").([]any)) != 0 || patched.text(t, "auth_config_ids.0") != config {
		t.Errorf("a patch is answered %s", patched.body)
	}
	s.delete(t, "/mcp/"+id).ok(t, 200)
	s.get(t, "/mcp/"+id).ok(t, 404)
}

func TestListMCPServersFilters(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, _ := s.keyAccount(t, "u")
	s.post(t, "/mcp/servers", `{"name":"with acme","auth_config_ids":["`+config+`"]}`).ok(t, 201)
	s.clock.advance(time.Second)
	s.post(t, "/mcp/servers", `{"name":"with plain","auth_config_ids":[],"no_auth_apps":["plain"]}`).ok(t, 201)
	for query, want := range map[string][]string{
		"/mcp/servers?order_by=created_at&order_direction=asc": {"with acme", "with plain"},
		"/mcp/servers?toolkits=plain,nothing":                  {"with plain"},
		"/mcp/servers?auth_config_ids=" + config:               {"with acme"},
		"/mcp/servers?name=ACME":                               {"with acme"},
		"/mcp/app/plain":                                       {"with plain"},
		"/mcp/servers?page_no=2&limit=1&order_by=created_at":   {"with acme"},
	} {
		var names []string
		page := s.get(t, query).ok(t, 200)
		items, _ := page.at(t, "items").([]any)
		for _, item := range items {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("%s lists %v, want %v", query, names, want)
		}
	}
	for _, query := range []string{"/mcp/servers?order_by=name", "/mcp/servers?order_direction=up"} {
		s.get(t, query).ok(t, 400)
	}
}

func TestMCPServersOfAnotherProject(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, _ := s.keyAccount(t, "u")
	id := s.post(t, "/mcp/servers", `{"name":"ours","auth_config_ids":["`+config+`"]}`).ok(t, 201).text(t, "id")
	for _, q := range []request{
		{method: "GET", path: "/mcp/" + id},
		{method: "PATCH", path: "/mcp/" + id, body: `{"name":"theirs"}`},
		{method: "DELETE", path: "/mcp/" + id},
		{method: "GET", path: "/mcp/servers/" + id + "/instances"},
		{method: "POST", path: "/mcp/servers/" + id + "/instances", body: `{"user_id":"u"}`},
		{method: "DELETE", path: "/mcp/servers/" + id + "/instances/u"},
		{method: "POST", path: "/mcp/servers/generate", body: `{"mcp_server_id":"` + id + `","user_ids":["u"]}`},
	} {
		q.path, q.key = "/api/v3.1"+q.path, s.otherKey
		s.do(t, q).ok(t, 404)
	}
	a := s.do(t, request{method: "POST", path: "/api/v3.1/mcp/servers", body: `{"name":"foreign","auth_config_ids":["` + config + `"]}`, key: s.otherKey})
	if a.status != 400 || !strings.Contains(string(a.body), "there is no auth config") {
		t.Errorf("a server over another project's auth config is answered %d %s", a.status, a.body)
	}
	if got := s.get(t, "/mcp/"+id).ok(t, 200).text(t, "name"); got != "ours" {
		t.Errorf("another project renamed the server to %s", got)
	}
}
