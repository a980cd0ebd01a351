package api

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
)

// sink is a webhook's receiver.
type sink struct {
	*httptest.Server
	received chan delivered
	status   func(n int) int // of the nth request, from 1
}

type delivered struct {
	header http.Header
	body   string
}

func newSink(t *testing.T, status func(n int) int) *sink {
	t.Helper()
	s := &sink{received: make(chan delivered, 100), status: status}
	n := 0
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		n++
		w.WriteHeader(status(n))
		s.received <- delivered{r.Header.Clone(), string(body)}
	}))
	t.Cleanup(s.Close)
	return s
}

func takes(int) int { return http.StatusNoContent }

// signed reports whether a delivery verifies as the official SDKs do it: the text of the secret is the key.
func (d delivered) signed(secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(d.header.Get("webhook-id") + "." + d.header.Get("webhook-timestamp") + "." + d.body))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Fields(d.header.Get("webhook-signature")), want)
}

// happen logs one trigger message of the stack's project.
func (s *stack) happen(t *testing.T, key string) event.Event {
	t.Helper()
	added, err := s.events.Append(t.Context(), []event.Event{{
		ProjectID: s.project.ID, Key: key, Type: event.TriggerMessage, Toolkit: "acme", TriggerSlug: "ACME_NEW_THING", TriggerID: "ti_1",
		AccountID: "ca_1", AuthConfigID: "ac_1", UserID: "user_7", Data: json.RawMessage(`{"thing":"` + key + `"}`),
	}})
	must(t, err)
	if len(added) != 1 {
		t.Fatalf("%d events were added", len(added))
	}
	return added[0]
}

func TestWebhookSubscriptionLife(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	first := s.post(t, "/webhook_subscriptions", `{"webhook_url":"https://a.example.com/hook","enabled_events":["composio.trigger.message"]}`).ok(t, 201)
	id, secret := first.text(t, "id"), first.text(t, "secret")
	if !strings.HasPrefix(id, "ws_") || !strings.HasPrefix(secret, "whsec_") || first.text(t, "version") != "V3" || first.text(t, "status") != "ENABLED" {
		t.Errorf("created: %s", first.body)
	}
	s.clock.advance(time.Second)
	s.post(t, "/webhook_subscriptions", `{"webhook_url":"https://b.example.com/hook","version":"V1","enabled_events":["composio.trigger.message"],
		"filter":{"toolkit_slugs":["acme"],"user_ids":["u"]}}`).ok(t, 201)

	list := s.get(t, "/webhook_subscriptions?limit=1").ok(t, 200)
	if list.text(t, "items.0.id") != id || list.at(t, "total_items") != 2.0 {
		t.Errorf("the first is not the oldest: %s", list.body)
	}
	next := s.get(t, "/webhook_subscriptions?limit=1&cursor="+list.text(t, "next_cursor")).ok(t, 200)
	if next.text(t, "items.0.webhook_url") != "https://b.example.com/hook" || next.text(t, "items.0.filter.toolkit_slugs.0") != "acme" {
		t.Errorf("second page: %s", next.body)
	}

	// What setWebhookSubscription of the SDKs sends when there is one.
	changed := s.patch(t, "/webhook_subscriptions/"+id, `{"webhook_url":"https://c.example.com/hook","enabled_events":["composio.trigger.message",
		"composio.connected_account.expired"],"version":"V3"}`).ok(t, 200)
	if changed.text(t, "secret") != secret || changed.text(t, "enabled_events.1") != "composio.connected_account.expired" {
		t.Errorf("changed: %s", changed.body)
	}
	narrowed := s.patch(t, "/webhook_subscriptions/"+id, `{"filter":{"trigger_slugs":["ACME_NEW_THING"]},"status":"DISABLED"}`).ok(t, 200)
	if narrowed.text(t, "enabled_events.1") != "composio.connected_account.expired" || narrowed.text(t, "status") != "DISABLED" || narrowed.at(t, "disabled_reason") == nil {
		t.Errorf("narrowed: %s", narrowed.body)
	}

	rotated := s.post(t, "/webhook_subscriptions/"+id+"/rotate_secret", "").ok(t, 200)
	if rotated.text(t, "secret") == secret || rotated.text(t, "secret") != s.get(t, "/webhook_subscriptions/"+id).ok(t, 200).text(t, "secret") {
		t.Errorf("rotated: %s", rotated.body)
	}
	if got := s.get(t, "/webhook_subscriptions/event_types").ok(t, 200); got.text(t, "items.0.event_type") != "composio.trigger.message" {
		t.Errorf("event types: %s", got.body)
	}
	s.do(t, request{method: "GET", path: "/api/v3.1/webhook_subscriptions/" + id, key: s.otherKey}).ok(t, 404)
	s.do(t, request{method: "DELETE", path: "/api/v3.1/webhook_subscriptions/" + id, key: s.otherKey}).ok(t, 404)
	if got := s.delete(t, "/webhook_subscriptions/"+id).ok(t, 200); got.at(t, "success") != true {
		t.Errorf("deleted: %s", got.body)
	}
	s.get(t, "/webhook_subscriptions/"+id).ok(t, 404)
	s.delete(t, "/webhook_subscriptions/"+id).ok(t, 404)
}

func TestWebhookSubscriptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for body, want := range map[string][]string{
		`{}`: {"webhook_url", "enabled_events"},
		`{"webhook_url":"ftp://x/","enabled_events":["composio.trigger.message"]}`:                                                {"webhook_url"},
		`{"webhook_url":"https://u:p@x.example.com/","enabled_events":["composio.trigger.message"]}`:                              {"webhook_url"},
		`{"webhook_url":"https://x.example.com/` + strings.Repeat("a", 2048) + `","enabled_events":["composio.trigger.message"]}`: {"webhook_url"},
		`{"webhook_url":"https://x.example.com/","enabled_events":[]}`:                                                            {"enabled_events"},
		`{"webhook_url":"https://x.example.com/","enabled_events":["composio.trigger.massage"]}`:                                  {"enabled_events"},
		`{"webhook_url":"https://x.example.com/","enabled_events":["composio.trigger.disabled"],"version":"V2"}`:                  {"enabled_events"},
		`{"webhook_url":"https://x.example.com/","enabled_events":["composio.trigger.message"],"version":"V9"}`:                   {"version"},
		`{"webhook_url":"https://x.example.com/","enabled_events":["composio.trigger.message"],"status":"on"}`:                    {"status"},
	} {
		a := s.post(t, "/webhook_subscriptions", body).ok(t, 400)
		for i, name := range want {
			if errs := a.fault(t).Errors; len(errs) <= i || !strings.HasPrefix(errs[i], name) {
				t.Errorf("%.90s: %q does not speak of %s", body, errs, name)
			}
		}
	}
}

func TestWebhookDeliveryLogAndReplay(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	receiver := newSink(t, takes)
	sub := s.post(t, "/webhook_subscriptions", `{"webhook_url":"`+receiver.URL+`","enabled_events":["composio.trigger.message"]}`).ok(t, 201)
	path := "/webhook_subscriptions/" + sub.text(t, "id")
	e := s.happen(t, "one")
	got := <-receiver.received
	if !got.signed(sub.text(t, "secret")) || got.header.Get("webhook-id") != e.ID || got.header.Get("x-composio-webhook-version") != "V3" {
		t.Errorf("received %v", got)
	}
	if outcome := <-s.attempts; outcome != "delivered" {
		t.Fatalf("outcome %s", outcome)
	}
	log := s.get(t, path+"/deliveries").ok(t, 200)
	if log.text(t, "items.0.event_id") != e.ID || log.text(t, "items.0.status") != "delivered" || log.at(t, "items.0.last_response_status") != 204.0 {
		t.Errorf("log: %s", log.body)
	}
	if pending := s.get(t, path+"/deliveries?status=pending").ok(t, 200); pending.at(t, "total_items") != 0.0 {
		t.Errorf("pending: %s", pending.body)
	}
	s.get(t, path+"/deliveries?status=lost").ok(t, 400)
	s.do(t, request{method: "GET", path: "/api/v3.1" + path + "/deliveries", key: s.otherKey}).ok(t, 404)

	for _, body := range []string{`{"event_ids":["` + e.ID + `"]}`, `{"from":"2026-01-02T00:00:00Z","to":"2026-01-03T00:00:00Z"}`} {
		if a := s.post(t, path+"/replay", body).ok(t, 200); a.at(t, "replayed") != 1.0 {
			t.Errorf("replay %s: %s", body, a.body)
		}
		again := <-receiver.received
		if again.header.Get("webhook-id") != e.ID || again.body != got.body {
			t.Errorf("the replay is another event: %v", again)
		}
		<-s.attempts
	}
	if a := s.post(t, path+"/replay", `{"from":"2026-01-02T00:00:00Z","dead_only":true}`).ok(t, 200); a.at(t, "replayed") != 0.0 {
		t.Errorf("replayed what was delivered: %s", a.body)
	}
	s.post(t, path+"/replay", `{}`).ok(t, 400)
	s.post(t, path+"/replay", `{"from":"yesterday"}`).ok(t, 400)
	s.post(t, path+"/replay", `{"event_ids":["msg_nope"]}`).ok(t, 404)
	s.patch(t, path, `{"status":"DISABLED"}`).ok(t, 200)
	s.post(t, path+"/replay", `{"event_ids":["`+e.ID+`"]}`).ok(t, 409)
}

// A private address is refused unless the operator allows it, whatever a project's key says.
func TestWebhooksStayInPublic(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	sub := s.post(t, "/webhook_subscriptions", `{"webhook_url":"http://10.1.2.3/hook","enabled_events":["composio.trigger.message"]}`).ok(t, 201)
	s.happen(t, "one")
	if outcome := <-s.attempts; outcome != "failed" {
		t.Fatalf("outcome %s", outcome)
	}
	log := s.get(t, "/webhook_subscriptions/"+sub.text(t, "id")+"/deliveries").ok(t, 200)
	if problem := log.text(t, "items.0.last_error"); !strings.Contains(problem, "outbound.allow") {
		t.Errorf("last_error %q does not say how to allow it", problem)
	}
}

func TestEventsAreReadBehindACursor(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	start := s.get(t, "/events").ok(t, 200).text(t, "next_cursor")
	e := s.happen(t, "one")
	s.happen(t, "two")
	page := s.get(t, "/events?limit=1&cursor="+start).ok(t, 200)
	if page.text(t, "items.0.id") != e.ID || page.text(t, "items.0.data.thing") != "one" || page.text(t, "items.0.metadata.user_id") != "user_7" {
		t.Errorf("first page: %s", page.body)
	}
	rest := s.get(t, "/events?cursor="+page.text(t, "next_cursor")).ok(t, 200)
	if rest.text(t, "items.0.data.thing") != "two" || len(rest.at(t, "items").([]any)) != 1 {
		t.Errorf("second page: %s", rest.body)
	}
	if none := s.get(t, "/events?cursor=0&toolkit_slugs=other").ok(t, 200); len(none.at(t, "items").([]any)) != 0 || none.text(t, "next_cursor") != "2" {
		t.Errorf("filtered: %s", none.body)
	}
	if other := s.do(t, request{method: "GET", path: "/api/v3.1/events?cursor=0", key: s.otherKey}).ok(t, 200); len(other.at(t, "items").([]any)) != 0 {
		t.Errorf("another project sees %s", other.body)
	}
	if one := s.get(t, "/events/"+e.ID).ok(t, 200); one.text(t, "data.thing") != "one" {
		t.Errorf("one: %s", one.body)
	}
	s.do(t, request{method: "GET", path: "/api/v3.1/events/" + e.ID, key: s.otherKey}).ok(t, 404)
	s.get(t, "/events?cursor=abc").ok(t, 400)
}

func TestEventsAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	answers := make(chan answer)
	go func() { answers <- s.get(t, "/events?cursor=0&wait=50") }()
	e := s.happen(t, "one")
	if a := (<-answers).ok(t, 200); a.text(t, "items.0.id") != e.ID {
		t.Errorf("waited for %s", a.body)
	}
}

func TestEventsAreStreamed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	follow := func(ctx context.Context, lastID string) *bufio.Scanner {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v3.1/events/stream?user_ids=user_7", nil)
		must(t, err)
		r.Header.Set("X-Api-Key", s.key)
		if lastID != "" {
			r.Header.Set("Last-Event-ID", lastID)
		}
		response, err := server.Client().Do(r)
		must(t, err)
		t.Cleanup(func() { response.Body.Close() })
		if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Fatalf("content-type %q", got)
		}
		return bufio.NewScanner(response.Body)
	}
	line := func(lines *bufio.Scanner, prefix string) string {
		t.Helper()
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}

	ctx, leave := context.WithCancel(t.Context())
	lines := follow(ctx, "")
	if start := line(lines, "id: "); start != "0" {
		t.Errorf("the stream begins at %q", start)
	}
	one := s.happen(t, "one")
	last := line(lines, "id: ")
	if kind, data := line(lines, "event: "), line(lines, "data: "); kind != "composio.trigger.message" || !strings.Contains(data, one.ID) {
		t.Errorf("got %s %s", kind, data)
	}
	leave()
	two := s.happen(t, "two") // while nobody listens
	lines = follow(t.Context(), last)
	if data := line(lines, "data: "); !strings.Contains(data, two.ID) {
		t.Errorf("came back to %s", data)
	}
	s.events.CloseStreams()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream did not end by itself: %v", err)
	}
}

func TestRealtimeRoutes(t *testing.T) {
	t.Parallel()
	s := newStack(t, func(o *Options) { o.PublicURL = "https://patchbay.test" })
	c := s.get(t, "/internal/sdk/realtime/credentials").ok(t, 200)
	if c.text(t, "project_id") != s.project.ID || c.text(t, "pusher_cluster") != "@patchbay.test/realtime?h=" {
		t.Errorf("credentials %s", c.body)
	}
	channel := "private-" + s.project.ID + "_triggers"
	auth := func(kind, body string) answer {
		return s.do(t, request{
			method: "POST", path: "/api/v3/internal/sdk/realtime/auth?source=python", body: body, header: map[string]string{"Content-Type": kind},
		})
	}
	for _, a := range []answer{
		auth("application/x-www-form-urlencoded", "socket_id=12.34&channel_name="+channel),
		auth("application/x-www-form-urlencoded; charset=UTF-8", "socket_id=12.34&channel_name="+channel),
		auth("application/json", `{"socket_id":"12.34","channel_name":"`+channel+`"}`),
	} {
		if !strings.HasPrefix(a.ok(t, 200).text(t, "auth"), "patchbay:") {
			t.Errorf("auth %s", a.body)
		}
	}
	auth("application/x-www-form-urlencoded", "socket_id=12.34&channel_name=private-pr_other_triggers").ok(t, 403)
	auth("application/x-www-form-urlencoded", "socket_id=%zz").ok(t, 400)
	plain := newStack(t)
	if a := plain.get(t, "/internal/sdk/realtime/credentials").ok(t, 501); !strings.Contains(a.fault(t).SuggestedFix, "public_url") ||
		a.header.Get("X-Should-Retry") != "false" {
		t.Errorf("without TLS: %v %s", a.header, a.body)
	}
}
