package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/trigger"
)

func TestTriggerTypes(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	all := s.get(t, "/triggers_types").ok(t, 200)
	if !strings.Contains(string(all.body), `"items":[]`) { // the toolkits of this test declare none
		t.Errorf("all: %s", all.body)
	}
	s.get(t, "/triggers_types/list/enum").ok(t, 200)
	of := s.get(t, "/triggers_types?toolkit_slugs=ACME,plain&limit=3").ok(t, 200)
	for _, want := range []string{`"slug":"ACME_WEBHOOK_RECEIVED"`, `"type":"webhook"`, `"slug":"ACME_LIST_ITEM_ADDED"`, `"type":"poll"`, `"total_items":4`, `"next_cursor":"`, `/logos/acme.svg"`} {
		if !strings.Contains(string(of.body), want) {
			t.Errorf("of acme: no %s in %s", want, of.body)
		}
	}
	one := s.get(t, "/triggers_types/acme_webhook_received?toolkit_versions=latest").ok(t, 200)
	if one.text(t, "slug") != "ACME_WEBHOOK_RECEIVED" || one.text(t, "version") == "" {
		t.Errorf("one: %s", one.body)
	}
	if missing := s.get(t, "/triggers_types/ACME_NOTHING"); missing.status != 404 || !strings.Contains(string(missing.body), "ACME_LIST_ITEM_ADDED") {
		t.Errorf("missing: %d %s", missing.status, missing.body)
	}
}

func TestTriggerLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config, account := s.keyAccount(t, "ada")
	body := `{"connected_account_id":"` + account + `","trigger_config":{"tool":"ACME_LIST_THINGS","items":"things"}}`
	check := s.post(t, "/trigger_instances/ACME_LIST_ITEM_ADDED/check", body).ok(t, 200)
	if !strings.Contains(string(check.body), `"ok":`) {
		t.Errorf("check: %s", check.body)
	}
	bad := s.post(t, "/trigger_instances/ACME_LIST_ITEM_ADDED/check", `{"user_id":"ada","trigger_config":{}}`).ok(t, 200)
	if !strings.Contains(string(bad.body), `"ok":false`) || !strings.Contains(string(bad.body), "tool") {
		t.Errorf("check of what cannot work: %s", bad.body)
	}
	hook := `{"user_id":"ada","triggerConfig":{"verify":"token","signature_header":"X-Token"},"toolkit_versions":{"acme":"latest"}}`
	made := s.post(t, "/trigger_instances/ACME_WEBHOOK_RECEIVED/upsert", hook).ok(t, 201)
	id, address, secret := made.text(t, "trigger_id"), made.text(t, "webhook_url"), made.text(t, "webhook_secret")
	again := s.post(t, "/trigger_instances/acme_webhook_received/upsert", hook).ok(t, 200)
	if again.text(t, "trigger_id") != id || strings.Contains(string(again.body), secret) {
		t.Errorf("the same again: %s", again.body)
	}
	for query, want := range map[string]int{
		"": 1, "?trigger_ids=" + id: 1, "?triggerIds=" + id: 1, "?trigger_ids=ti_no": 0, "?trigger_names=acme_webhook_received": 1, "?triggerNames=OTHER": 0,
		"?user_ids=ada,bob": 1, "?user_ids=bob": 0, "?connected_account_ids=" + account: 1, "?connectedAccountIds=ca_no": 0,
		"?auth_config_ids=" + config: 1, "?authConfigIds=ac_no": 0, "?limit=9999&show_disabled=true": 1,
	} {
		if list := s.get(t, "/trigger_instances/active"+query).ok(t, 200); strings.Count(string(list.body), `"trigger_name"`) != want {
			t.Errorf("%s: %s", query, list.body)
		}
	}

	call := func(token, body string) *httptest.ResponseRecorder {
		_, path, _ := strings.Cut(address, "://")
		r := httptest.NewRequest(http.MethodPost, path[strings.IndexByte(path, '/'):], strings.NewReader(body))
		r.Header.Set("X-Token", token)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		checkAgainstContract(t, r, body, w)
		return w
	}
	if w := call(secret, `{"hello":"there"}`); w.Code != 200 || <-s.calls != trigger.Accepted {
		t.Errorf("a call: %d %s", w.Code, w.Body)
	}
	if w := call("wrong", `{"hello":"there"}`); w.Code != 401 || <-s.calls != trigger.BadSignature || strings.Contains(w.Body.String(), secret) {
		t.Errorf("a call with the wrong token: %d %s", w.Code, w.Body)
	}
	if w := call(secret, `{"a":"`+strings.Repeat("a", trigger.MaxCall)+`"}`); w.Code != 413 || <-s.calls != trigger.TooLarge {
		t.Errorf("an oversize call: %d", w.Code)
	}
	events := s.get(t, "/events?cursor=0").ok(t, 200)
	if strings.Count(string(events.body), `"trigger_slug"`) != 1 || !strings.Contains(string(events.body), `"hello":"there"`) || strings.Contains(string(events.body), secret) {
		t.Errorf("events: %s", events.body)
	}

	manage := "/trigger_instances/manage/" + id
	s.patch(t, manage, `{"status":"disable"}`).ok(t, 200)
	if list := s.get(t, "/trigger_instances/active").ok(t, 200); strings.Contains(string(list.body), id) {
		t.Errorf("disabled and active: %s", list.body)
	}
	if list := s.get(t, "/trigger_instances/active?showDisabled=true").ok(t, 200); !strings.Contains(string(list.body), `"disabled_reason":"disabled_by_project"`) {
		t.Errorf("disabled: %s", list.body)
	}
	if w := call(secret, `{"hello":"again"}`); w.Code != 401 {
		t.Errorf("a call for a disabled trigger: %d", w.Code)
	}
	s.patch(t, manage, `{"status":"enable"}`).ok(t, 200)
	if bad := s.patch(t, manage, `{"status":"pause"}`); bad.status != 400 {
		t.Errorf("an unknown status: %d", bad.status)
	}
	if deleted := s.delete(t, manage).ok(t, 200); deleted.text(t, "trigger_id") != id {
		t.Errorf("deleted: %s", deleted.body)
	}
	if gone := s.delete(t, manage); gone.status != 404 {
		t.Errorf("deleted twice: %d", gone.status)
	}
	if w := call(secret, `{}`); w.Code != 404 {
		t.Errorf("a call for a deleted trigger: %d", w.Code)
	}
}

func TestWebhookEndpoints(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	made := s.post(t, "/webhook_endpoints", `{"toolkit_slug":"acme","client_id":"app-1"}`).ok(t, 200)
	id := made.text(t, "id")
	if want := "/api/v3.1/webhook_ingress/acme/" + id + "/trigger_event"; !strings.HasSuffix(made.text(t, "webhook_url"), want) || !strings.Contains(string(made.body), `"data":null`) {
		t.Errorf("made: %s", made.body)
	}
	if again := s.post(t, "/webhook_endpoints", `{"toolkit_slug":"ACME","client_id":"app-1"}`).ok(t, 200); again.text(t, "id") != id {
		t.Errorf("made twice: %s", again.body)
	}
	if list := s.get(t, "/webhook_endpoints?toolkit_slug=acme").ok(t, 200); strings.Count(string(list.body), `"id"`) != 1 {
		t.Errorf("listed: %s", list.body)
	}
	one := "/webhook_endpoints/" + id
	s.patch(t, one, `{"data":{"webhook_signing_secret":"very-secret","note":"x"}}`).ok(t, 200)
	if merged := s.patch(t, one, `{"data":{"note":""}}`).ok(t, 200); strings.Contains(string(merged.body), "very-secret") || strings.Contains(string(merged.body), "note") || !strings.Contains(string(merged.body), "webhook_signing_secret") {
		t.Errorf("merged: %s", merged.body)
	}
	if replaced := s.post(t, one, `{"data":{"other":"y"}}`).ok(t, 200); strings.Contains(string(replaced.body), "webhook_signing_secret") {
		t.Errorf("replaced: %s", replaced.body)
	}
	s.get(t, "/webhook_endpoints/schema?toolkit_slug=acme").ok(t, 200)
	for _, bad := range []answer{
		s.get(t, "/webhook_endpoints/we_no"), s.post(t, "/webhook_endpoints", `{"toolkit_slug":"nothing","client_id":"x"}`),
		s.get(t, "/webhook_endpoints/schema?toolkit_slug=nothing"),
	} {
		if bad.status != 404 {
			t.Errorf("of nothing: %d %s", bad.status, bad.body)
		}
	}
	for path, body := range map[string]string{"/webhook_endpoints": `{"toolkit_slug":"acme"}`, one: `{}`} {
		if bad := s.post(t, path, body); bad.status != 400 {
			t.Errorf("%s %s: %d", path, body, bad.status)
		}
	}
}
