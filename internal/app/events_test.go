package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// onlyGmail is a catalog with OAuth in it.
type onlyGmail struct{ fs.ReadDirFS }

// ReadDir hides the other toolkits.
func (o onlyGmail) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := o.ReadDirFS.ReadDir(name)
	if name == "." {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() != "gmail" })
	}
	return entries, err
}

// TestAnAccountThatExpiresTells: the provider ends a grant, and the project's webhook hears of it.
func TestAnAccountThatExpiresTells(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		heard <- string(body)
	}))
	t.Cleanup(sink.Close)
	server := startGmail(t)
	ask(t, server, "POST", "/webhook_subscriptions", `{"webhook_url":"`+sink.URL+`","enabled_events":["composio.connected_account.expired"]}`)
	account := expire(t, server)

	var event struct {
		Type     string
		Metadata map[string]string
		Data     struct {
			ID, Status string
			UserID     string `json:"user_id"`
		}
	}
	body := <-heard
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		t.Fatal(err)
	}
	if event.Type != "composio.connected_account.expired" || event.Data.ID != account || event.Data.Status != "EXPIRED" ||
		event.Data.UserID != "ada" || event.Metadata["project_id"] == "" || event.Metadata["org_id"] == "" {
		t.Errorf("heard %s", body)
	}
	if strings.Contains(body, "rt-1") || strings.Contains(body, "at-1") {
		t.Errorf("a token came out: %s", body)
	}
}

// startGmail starts a server whose Gmail ends every grant that is to be refreshed.
func startGmail(t *testing.T) *app.App {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant","error_description":"Token has been revoked."}`)
	}))
	t.Cleanup(provider.Close)
	server := app.New(app.Options{Toolkits: onlyGmail{toolkits.FS}, Config: load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey,
		"PATCHBAY_OUTBOUND_ALLOW=127.0.0.1/32", "PATCHBAY_TOOLKITS_GMAIL_OAUTH2_TOKEN_URL="+provider.URL+"/token",
		"PATCHBAY_TOOLKITS_GMAIL_OAUTH2_CLIENT_ID=ours", "PATCHBAY_TOOLKITS_GMAIL_OAUTH2_CLIENT_SECRET=secret")})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

// expire connects an account, lets its grant end, and gives its id.
func expire(t *testing.T, server *app.App) string {
	t.Helper()
	config := ask(t, server, "POST", "/auth_configs", `{"toolkit":{"slug":"gmail"}}`)
	account := ask(t, server, "POST", "/connected_accounts", `{"auth_config":{"id":"`+config["auth_config"].(map[string]any)["id"].(string)+`"},
		"connection":{"user_id":"ada","state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"at-1","refresh_token":"rt-1"}}}}`)
	ask(t, server, "POST", "/connected_accounts/"+account["id"].(string)+"/refresh", `{}`)
	return account["id"].(string)
}

// ask sends a request to the API and gives the answer, which must be a success.
func ask(t *testing.T, server *app.App, method, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL()+"/api/v3.1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", operatorsKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, raw)
	}
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestTheSDKsWebhooksAndEvents goes the way of a program: subscribe, receive, verify, look at the log, replay.
func TestTheSDKsWebhooksAndEvents(t *testing.T) {
	t.Parallel()
	server := startGmail(t)
	sdk := client(t, server, operatorsKey)
	verified := make(chan patchbay.Event, 10)
	var secret atomic.Value
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		event, err := patchbay.VerifyWebhook(r.Header, body, secret.Load().(string))
		if err != nil {
			t.Error(err)
		}
		verified <- event
	}))
	t.Cleanup(sink.Close)
	webhook, err := sdk.Webhooks.Create(t.Context(), patchbay.NewWebhook{URL: sink.URL, Events: []string{patchbay.AccountExpired}})
	if err != nil {
		t.Fatal(err)
	}
	secret.Store(webhook.Secret)
	account := expire(t, server)
	event := <-verified
	if event.Type != patchbay.AccountExpired || !strings.Contains(string(event.Data), account) {
		t.Errorf("received %s", event.Raw)
	}
	listed, cursor, err := sdk.Events.List(t.Context(), patchbay.EventFilter{Cursor: "0"}, 0)
	if err != nil || len(listed) != 1 || listed[0].ID != event.ID || cursor == "0" {
		t.Errorf("listed %v to %s: %v", listed, cursor, err)
	}
	enough := errors.New("enough")
	if _, err := sdk.Events.Follow(t.Context(), patchbay.EventFilter{Cursor: "0"}, func(e patchbay.Event) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("following ended with %v", err)
	}
	if got, err := sdk.Events.Get(t.Context(), event.ID); err != nil || string(got.Data) != string(event.Data) {
		t.Errorf("got %s, %v", got.Raw, err)
	}

	fresh, err := sdk.Webhooks.RotateSecret(t.Context(), webhook.ID)
	if err != nil || fresh == webhook.Secret {
		t.Errorf("rotated to the same: %v", err)
	}
	if n, err := sdk.Webhooks.Replay(t.Context(), webhook.ID, patchbay.Replay{EventIDs: []string{event.ID}}); err != nil || n != 1 {
		t.Errorf("replayed %d: %v", n, err)
	}
	if again := <-verified; again.ID != event.ID { // the secret of before still signs
		t.Errorf("replayed %s", again.ID)
	}
	for d, err := range sdk.Webhooks.Deliveries(t.Context(), webhook.ID, "") {
		if err != nil || d.EventID != event.ID {
			t.Errorf("delivery %+v, %v", d, err)
		}
	}
	if w, err := sdk.Webhooks.Update(t.Context(), webhook.ID, patchbay.NewWebhook{Status: "DISABLED"}); err != nil || w.Status != "DISABLED" || w.URL != sink.URL {
		t.Errorf("updated %+v, %v", w, err)
	}
	if err := sdk.Webhooks.Delete(t.Context(), webhook.ID); err != nil {
		t.Error(err)
	}
	for w, err := range sdk.Webhooks.All(t.Context()) {
		t.Errorf("left: %+v, %v", w, err)
	}
}

// A client that follows events would otherwise keep a server from stopping for as long as calls may take.
func TestStoppingEndsStreams(t *testing.T) {
	t.Parallel()
	server := start(t, load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/api/v3.1/events/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", operatorsKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, response.Body)
		ended <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("stopping: %v", errors.Join(err, ctx.Err()))
	}
	if err := <-ended; err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
}
