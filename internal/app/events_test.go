package app_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

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
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant","error_description":"Token has been revoked."}`)
	}))
	t.Cleanup(provider.Close)
	heard := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		heard <- string(body)
	}))
	t.Cleanup(sink.Close)
	server := app.New(app.Options{Toolkits: onlyGmail{toolkits.FS}, Config: load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey,
		"PATCHBAY_OUTBOUND_ALLOW=127.0.0.1/32", "PATCHBAY_TOOLKITS_GMAIL_OAUTH2_TOKEN_URL="+provider.URL+"/token",
		"PATCHBAY_TOOLKITS_GMAIL_OAUTH2_CLIENT_ID=ours", "PATCHBAY_TOOLKITS_GMAIL_OAUTH2_CLIENT_SECRET=secret")})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })

	ask(t, server, "POST", "/webhook_subscriptions", `{"webhook_url":"`+sink.URL+`","enabled_events":["composio.connected_account.expired"]}`)
	config := ask(t, server, "POST", "/auth_configs", `{"toolkit":{"slug":"gmail"}}`)
	account := ask(t, server, "POST", "/connected_accounts", `{"auth_config":{"id":"`+config["auth_config"].(map[string]any)["id"].(string)+`"},
		"connection":{"user_id":"ada","state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"at-1","refresh_token":"rt-1"}}}}`)
	ask(t, server, "POST", "/connected_accounts/"+account["id"].(string)+"/refresh", `{}`)

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
	if event.Type != "composio.connected_account.expired" || event.Data.ID != account["id"] || event.Data.Status != "EXPIRED" ||
		event.Data.UserID != "ada" || event.Metadata["project_id"] == "" || event.Metadata["org_id"] == "" {
		t.Errorf("heard %s", body)
	}
	if strings.Contains(body, "rt-1") || strings.Contains(body, "at-1") {
		t.Errorf("a token came out: %s", body)
	}
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
