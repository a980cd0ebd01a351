package api

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestCompleteAuth(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.patch(t, "/org/project/config", `{"verifier_url":"https://app.example/verify"}`).ok(t, 200)
	tr := newTranscript(s)
	config := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY"}}`).ok(t, 201).text(t, "auth_config.id")
	claim := func() (account, uri string) {
		link := s.post(t, "/connected_accounts/link", `{"auth_config_id":"`+config+`","user_id":"ada","callback_url":"https://app.example/done?x=1"}`).ok(t, 201)
		step, err := s.connect.SubmitLink(t.Context(), link.text(t, "link_token"), "browser", "https://patchbay.test", map[string]string{"api_key": "acme-key-0123456789"})
		must(t, err)
		u, err := url.Parse(step.Redirect)
		must(t, err)
		return link.text(t, "connected_account_id"), u.Query().Get("session_uri")
	}
	account, uri := claim()
	body := `{"user_id":"ada","session_uri":"` + uri + `"}`
	s.do(t, request{method: "POST", path: "/api/v3.1/connected_accounts/complete_auth", body: body, key: s.otherKey}).ok(t, 404)
	if a := s.post(t, "/connected_accounts/complete_auth", body).ok(t, 200); a.text(t, "connected_account_id") != account ||
		a.text(t, "toolkit_slug") != "acme" || a.text(t, "redirect_url") != "https://app.example/done?x=1&status=success&connected_account_id="+account {
		t.Errorf("got %s", a.body)
	}
	s.post(t, "/connected_accounts/complete_auth", body).ok(t, 404)
	s.clock.advance(time.Second)
	account, uri = claim()
	s.post(t, "/connected_accounts/complete_auth", `{"user_id":"bob","session_uri":"`+uri+`"}`).ok(t, 403)
	if a := s.get(t, "/connected_accounts/"+account).ok(t, 200); a.text(t, "status") != "FAILED" || !strings.HasPrefix(a.text(t, "status_reason"), "IDENTITY_VERIFICATION_FAILED") {
		t.Errorf("got %s", a.body)
	}
	tr.do(t, "POST", "/connected_accounts/complete_auth", `{"user_id":"ada","session_uri":"urn:patchbay:connection:nonsense"}`).ok(t, 404)
	tr.do(t, "POST", "/connected_accounts/complete_auth", `{}`).ok(t, 400)
	tr.check(t, "complete_auth")
}
