package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAuthConfigLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	id := tr.do(t, "POST", "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","name":"ours","authScheme":"OAUTH2",
		"credentials":{"client_id":"client-1","client_secret":"very-secret-indeed","scopes":"things.read, things.write"},
		"tool_access_config":{"tools_for_connected_account_creation":["ACME_MAKE_THING"]},
		"shared_credentials":{"region":"eu"}}}`).ok(t, 201).text(t, "auth_config.id")
	tr.do(t, "GET", "/auth_configs/"+id, "").ok(t, 200)
	tr.do(t, "PATCH", "/auth_configs/"+id, `{"type":"custom","name":"renamed","credentials":{"scopes":["things.read"]},"is_enabled_for_tool_router":false,
		"tool_access_config":{"tools_available_for_execution":["ACME_LIST_THINGS"]}}`).ok(t, 200)
	tr.do(t, "PATCH", "/auth_configs/"+id, `{"type":"custom","tool_access_config":{}}`).ok(t, 200)
	tr.do(t, "PATCH", "/auth_configs/"+id+"/DISABLED", "").ok(t, 200)
	tr.do(t, "GET", "/auth_configs?toolkit_slug=acme", "").ok(t, 200)
	tr.do(t, "GET", "/auth_configs?toolkit_slug=acme&show_disabled=true", "").ok(t, 200)
	tr.do(t, "DELETE", "/auth_configs/"+id+"?revoke_on_delete=true", "").ok(t, 200)
	tr.do(t, "DELETE", "/auth_configs/"+id, "").ok(t, 404)
	tr.check(t, "auth_config_life")
	if strings.Contains(tr.text.String(), `"very-secret-indeed"`) && strings.Count(tr.text.String(), "very-secret-indeed") > 1 {
		t.Error("a client secret came back")
	}
}

func TestManagedAuthConfigs(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, body := range []string{
		`{"toolkit":{"slug":"acme"}}`,
		`{"toolkit":{"slug":"ACME"},"auth_config":{"type":"use_composio_managed_auth"}}`,
		`{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_composio_managed_auth","credentials":{"scopes":["things.read"]},"name":"n"}}`,
	} {
		a := s.post(t, "/auth_configs", body).ok(t, 201)
		if a.at(t, "auth_config.is_composio_managed") != true || a.text(t, "auth_config.auth_scheme") != "OAUTH2" {
			t.Errorf("%s gave %s", body, a.body)
		}
	}
	managed := s.get(t, "/auth_configs?is_composio_managed=true").ok(t, 200)
	if got := managed.text(t, "items.0.type"); got != "default" {
		t.Errorf("type %q", got)
	}
	if got := s.get(t, "/auth_configs?is_composio_managed=false").ok(t, 200).at(t, "total_items"); got != 0.0 {
		t.Errorf("%v that are not managed", got)
	}
}

func TestListAuthConfigsFilters(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	create := func(body string) string { return s.post(t, "/auth_configs", body).ok(t, 201).text(t, "auth_config.id") }
	key := create(`{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY","name":"by key"}}`)
	s.clock.advance(time.Second)
	managed := create(`{"toolkit":{"slug":"acme"}}`)
	tests := map[string][]string{
		"toolkit_slug=acme":       {managed, key},
		"toolkit_slug=ACME,plain": {managed, key},
		"toolkit_slug=plain":      {},
		"search=by+key":           {key},
		"limit=1":                 {managed},
		"is_composio_managed=false&show_disabled=":    {key},
		"toolkit_slug=acme&is_composio_managed=false": {key},
	}
	for query, want := range tests {
		var got []string
		for _, item := range s.get(t, "/auth_configs?"+query).ok(t, 200).at(t, "items").([]any) {
			got = append(got, item.(map[string]any)["id"].(string))
		}
		if diff := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", query, diff)
		}
	}
}
