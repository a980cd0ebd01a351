package api

import (
	"strings"
	"testing"
)

func TestProjectConfig(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	tr.do(t, "GET", "/org/project/config", "").ok(t, 200)
	tr.do(t, "PATCH", "/org/project/config", `{"display_name":"Acme","logo_url":"https://cdn.example/logo.png","accent_color":"#F00",
		"link_url":"https://connect.example","verifier_url":"https://app.example/verify","callback_origins":["https://app.example/"],
		"mask_secret_keys_in_connected_account":false,"is_2FA_enabled":false,"require_mcp_api_key":true}`).ok(t, 200)
	tr.do(t, "PATCH", "/org/project/config", `{"display_name":"","callback_origins":[]}`).ok(t, 200)
	tr.do(t, "GET", "/org/project/config", "").ok(t, 200)
	tr.do(t, "PATCH", "/org/project/config", `{"logo_url":"http://cdn.example/logo.png","accent_color":"red"}`).ok(t, 400)
	tr.do(t, "PATCH", "/org/project/config", `{"is_2FA_enabled":true,"log_visibility_setting":"show_all","require_mcp_api_key":false,"is_composio_link_enabled_for_managed_auth":false}`).ok(t, 400)
	tr.check(t, "project_config")
	other := s.do(t, request{method: "GET", path: "/api/v3.1/org/project/config", key: s.otherKey}).ok(t, 200)
	if strings.Contains(string(other.body), "cdn.example") {
		t.Errorf("another project sees them: %s", other.body)
	}
}

// TestOriginsBindSessions: what a session could not use when it makes a link is refused when the session is made.
func TestOriginsBindSessions(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const sessions = "/tool_router/session"
	create := func(callback string) answer {
		return s.post(t, sessions, `{"user_id":"ada","manage_connections":{"enable":true,"callback_url":"`+callback+`"}}`)
	}
	old := create("https://old.example/back").ok(t, 201).text(t, "session_id")
	s.patch(t, "/org/project/config", `{"callback_origins":["https://app.example"]}`).ok(t, 200)
	create("https://app.example/back?x=1").ok(t, 201)
	for _, callback := range []string{"https://app.example.evil.example/back", "http://app.example/back", "https://user@app.example/back"} {
		refused := create(callback).ok(t, 400)
		if line := refused.text(t, "error.errors.0"); !strings.HasPrefix(line, "manage_connections.callback_url: ") {
			t.Errorf("%s: %s", callback, refused.body)
		}
	}
	s.patch(t, sessions+"/"+old, `{"tags":{"enable":["readOnlyHint"]}}`).ok(t, 200) // what it had before it may keep
	s.patch(t, sessions+"/"+old, `{"manage_connections":{"enable":true,"callback_url":"https://other.example/"}}`).ok(t, 400)
}

func TestCredentialsAreReadByChoiceOnly(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, account := s.keyAccount(t, "ada")
	secretOf := func() string {
		if strings.Contains(string(s.get(t, "/connected_accounts").ok(t, 200).body), "acme-key-0123456789") {
			t.Error("a list shows credentials")
		}
		return s.get(t, "/connected_accounts/"+account).ok(t, 200).text(t, "state.val.api_key")
	}
	if got := secretOf(); got != "REDACTED" {
		t.Errorf("shown by default: %s", got)
	}
	if a := s.patch(t, "/auth_configs/"+config, `{"type":"custom","expose_credentials":true}`).ok(t, 200); a.at(t, "expose_credentials") != true {
		t.Errorf("got %s", a.body)
	}
	if got := secretOf(); got != "acme-key-0123456789" {
		t.Errorf("not shown where the auth config lets it: %s", got)
	}
	if !strings.Contains(s.log.String(), "credentials were read") || strings.Contains(s.log.String(), "acme-key-0123456789") {
		t.Error("the log does not say that they were read, or says them")
	}
	s.patch(t, "/auth_configs/"+config, `{"type":"custom","expose_credentials":false}`).ok(t, 200)
	if got := secretOf(); got != "REDACTED" {
		t.Errorf("shown again: %s", got)
	}
	s.patch(t, "/org/project/config", `{"mask_secret_keys_in_connected_account":false}`).ok(t, 200)
	if got := secretOf(); got != "acme-key-0123456789" {
		t.Errorf("not shown where the project lets it: %s", got)
	}
}
