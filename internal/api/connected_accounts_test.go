package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

func TestAccountLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY"}}`).
		ok(t, 201).text(t, "auth_config.id")
	tr := newTranscript(s)
	id := tr.do(t, "POST", "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"user_7","alias":"work",
		"state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"acme-key-0123456789"}}}}`).ok(t, 201).text(t, "id")
	tr.do(t, "GET", "/connected_accounts/"+id, "").ok(t, 200)
	tr.do(t, "GET", "/connected_accounts?auth_config_ids="+config+"&statuses=ACTIVE&user_ids=user_7", "").ok(t, 200)
	tr.do(t, "PATCH", "/connected_accounts/"+id, `{"alias":"home","connection":{"state":{"authScheme":"API_KEY","val":{"api_key":"acme-key-9876543210"}}}}`).ok(t, 200)
	tr.do(t, "PATCH", "/connected_accounts/"+id+"/status", `{"enabled":false}`).ok(t, 200)
	tr.do(t, "GET", "/connected_accounts/"+id, "").ok(t, 200)
	tr.do(t, "PATCH", "/connected_accounts/"+id+"/status", `{"enabled":true}`).ok(t, 200)
	tr.do(t, "DELETE", "/connected_accounts/"+id, "").ok(t, 200)
	tr.do(t, "GET", "/connected_accounts/"+id, "").ok(t, 404)
	tr.check(t, "account_life")
}

func TestLinks(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"}}`).ok(t, 201).text(t, "auth_config.id")
	session := s.session(t, `{"user_id":"user_9"}`)
	tr := newTranscript(s)
	tr.do(t, "POST", "/connected_accounts/link", `{"auth_config_id":"`+config+`","user_id":"user_7","callback_url":"https://app.example/cb","alias":"work",
		"experimental":{"account_type":"SHARED","acl_config_for_shared":{"allowed_user_ids":["u2"]}}}`).ok(t, 201)
	s.clock.advance(time.Second)
	tr.do(t, "POST", "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"user_8"}}`).ok(t, 201)
	s.clock.advance(time.Second)
	tr.do(t, "POST", "/tool_router/session/"+session+"/link", `{"toolkit":"acme","callback_url":"https://app.example/cb"}`).ok(t, 201)
	tr.do(t, "POST", "/tool_router/session/"+session+"/link", `{"toolkit":"plain"}`).ok(t, 400)
	tr.do(t, "GET", "/connected_accounts?account_type=ALL", "").ok(t, 200)
	tr.check(t, "links")
}

// TestListAccountsFilters matters more than it looks: SDKs refuse to link when this list is not empty.
func TestListAccountsFilters(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, ada := s.keyAccount(t, "ada")
	s.clock.advance(time.Second)
	bob := s.accountOf(t, config, "bob")
	s.clock.advance(time.Second)
	otherConfig, odd := s.keyAccount(t, "odd user/ä?&=%")
	s.clock.advance(time.Second)
	s.patch(t, "/connected_accounts/"+bob+"/status", `{"enabled":false}`).ok(t, 200)
	s.clock.advance(time.Second)
	shared := s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"ada",
		"state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"acme-key-0123456789"}},
		"experimental":{"account_type":"SHARED","acl_config_for_shared":{"allow_all_users":true}}}}`).ok(t, 201).text(t, "id")
	tests := map[string][]string{
		"":                               {odd, bob, ada},
		"user_ids=ada":                   {ada},
		"user_ids=ada,bob":               {bob, ada},
		"user_ids=nobody":                {},
		"statuses=ACTIVE":                {odd, ada},
		"statuses=INACTIVE,EXPIRED":      {bob},
		"statuses=FAILED":                {},
		"toolkit_slugs=acme":             {odd, bob, ada},
		"toolkit_slugs=plain":            {},
		"auth_config_ids=" + otherConfig: {odd},
		"auth_config_ids=ac_none":        {},
		"connected_account_ids=" + ada:   {ada},
		"account_type=SHARED":            {shared},
		"account_type=ALL":               {shared, odd, bob, ada},
		"order_direction=asc":            {ada, bob, odd},
		"order_by=updated_at":            {bob, odd, ada},
		"limit=1":                        {odd},
		"user_ids=" + url.QueryEscape("odd user/ä?&=%"):               {odd},
		"user_ids=ada&statuses=ACTIVE&auth_config_ids=" + otherConfig: {},
	}
	for query, want := range tests {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := []string{}
			for _, item := range s.get(t, "/connected_accounts?"+query).ok(t, 200).at(t, "items").([]any) {
				got = append(got, item.(map[string]any)["id"].(string))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSecretsOfAccountsNeverComeBack(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"OAUTH2",
		"credentials":{"client_id":"client-1","client_secret":"canary-client-secret"}}}`).ok(t, 201).text(t, "auth_config.id")
	id := s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"u",
		"state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"canary-access-token","refresh_token":"canary-refresh-token",
		"token_type":"bearer","extra":"canary-extra","expires_in":3600}}}}`).ok(t, 201).text(t, "id")
	var seen strings.Builder
	for _, path := range []string{"/connected_accounts/" + id, "/connected_accounts", "/auth_configs", "/auth_configs/" + config} {
		seen.Write(s.get(t, path).ok(t, 200).body)
	}
	seen.Write(s.post(t, "/connected_accounts/"+id+"/revoke", "").body)
	seen.Write(s.delete(t, "/connected_accounts/"+id).ok(t, 200).body)
	seen.WriteString(s.log.String())
	if strings.Contains(seen.String(), "canary") {
		t.Errorf("a secret came out: %s", seen.String())
	}
}

func TestRefreshKeepsTheAccount(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"}}`).ok(t, 201).text(t, "auth_config.id")
	id := s.post(t, "/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"u",
		"state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"at-old-000000","refresh_token":"rt-old-000000"}}}}`).ok(t, 201).text(t, "id")
	a := s.post(t, "/connected_accounts/"+id+"/refresh?redirect_url=https%3A%2F%2Fapp.example%2Fcb", `{}`).ok(t, 200)
	if a.text(t, "id") != id || a.text(t, "status") != "ACTIVE" || a.at(t, "redirect_url") != nil {
		t.Errorf("got %s", a.body)
	}
	if last := s.upstream.last(t); last.path != "/oauth/token" || !strings.Contains(last.body, "rt-old-000000") {
		t.Errorf("the provider was asked %+v", last)
	}
}

// TestStateUnion holds every state an account can be in against the contract's union, for every scheme.
func TestStateUnion(t *testing.T) {
	t.Parallel()
	raw, err := contract().Components.Schemas["ConnectionState"].Value.MarshalJSON()
	must(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	must(t, err)
	compiler := jsonschema.NewCompiler()
	must(t, compiler.AddResource("state.json", document))
	union, err := compiler.Compile("state.json")
	must(t, err)
	schemes := []string{"OAUTH2", "OAUTH1", "API_KEY", "BASIC", "BEARER_TOKEN", "GOOGLE_SERVICE_ACCOUNT", "NO_AUTH", "CALCOM_AUTH",
		"BILLCOM_AUTH", "BASIC_WITH_JWT", "SERVICE_ACCOUNT", "SAML", "DCR_OAUTH", "CIMD_OAUTH", "S2S_OAUTH2"}
	for _, scheme := range schemes {
		for _, status := range accountStatuses {
			account := connect.ConnectedAccount{Scheme: scheme, Status: status, StatusReason: "because"}
			state := stateOf(account, map[string]string{"region": "eu", "status": "odd"})
			val := make(map[string]any)
			for name, text := range state.Val {
				val[name] = text
			}
			if err := union.Validate(map[string]any{"authScheme": state.Scheme, "val": val}); err != nil {
				t.Errorf("%s %s: %v", scheme, status, err)
			}
		}
	}
}
