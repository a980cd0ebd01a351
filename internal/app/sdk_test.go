package app_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay"
)

// TestTheSDKFitsTheServer makes every call of the Go SDK that no other test makes against a real server.
func TestTheSDKFitsTheServer(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	close(provider.release)
	sdk := client(t, start(t, load(t, t.TempDir(), provider.settings()...)), operatorsKey)
	ctx := t.Context()

	session, err := sdk.Sessions.Create(ctx, patchbay.NewSession{
		UserID: "ada", Toolkits: &patchbay.Filter{Enable: []string{"hackernews"}}, Preload: &patchbay.Preload{Tools: []string{"HACKERNEWS_GET_USER"}}, TTL: 3600,
		Tools: map[string]patchbay.ToolPolicy{"hackernews": {Tags: &patchbay.Filter{Enable: []string{"readOnlyHint"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if session.ExpiresAt.IsZero() || session.CreatedAt.IsZero() || len(session.MetaTools) == 0 {
		t.Errorf("the session is not all there: %+v", session)
	}
	want := patchbay.SessionConfig{
		UserID: "ada", Toolkits: &patchbay.Filter{Enable: []string{"hackernews"}}, Preload: patchbay.Preload{Tools: []string{"HACKERNEWS_GET_USER"}},
		Tools: map[string]patchbay.ToolPolicy{"hackernews": {Tags: &patchbay.Filter{Enable: []string{"readOnlyHint"}}}},
	}
	got := patchbay.SessionConfig{UserID: session.Config.UserID, Toolkits: session.Config.Toolkits, Tools: session.Config.Tools, Preload: session.Config.Preload}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the policy came back changed (-sent +got):\n%s", diff)
	}
	if mcp := session.MCP(); mcp.Headers["Authorization"] == "" {
		t.Errorf("no token of the session's own: %v", mcp)
	}

	tools, err := session.Tools(ctx)
	if err != nil || len(tools) != len(session.MetaTools)+1 || tools[len(tools)-1].Slug != "HACKERNEWS_GET_USER" {
		t.Errorf("tools: %v, %v", tools, err)
	}
	toolkits, err := session.Toolkits(ctx, patchbay.ToolkitQuery{})
	if err != nil || len(toolkits) != 1 || !toolkits[0].Connected() {
		t.Errorf("toolkits: %+v, %v", toolkits, err)
	}
	found, err := session.Search(ctx, patchbay.SearchQuery{UseCase: "profile of a hacker news user"})
	if err != nil || len(found.Results) != 1 || len(found.Results[0].Primary) == 0 || len(found.Schemas) == 0 {
		t.Errorf("search: %+v, %v", found, err)
	}
	var user struct{ Karma int }
	result, err := session.Execute(ctx, slowCall)
	if err := errors.Join(err, result.Decode(&user)); err != nil || user.Karma != 1 || result.LogID == "" {
		t.Errorf("execute: %s, %v", result.Data, err)
	}
	if err := session.Delete(ctx); err != nil {
		t.Error(err)
	}
	var gone *patchbay.Error
	if _, err := session.Execute(ctx, slowCall); !errors.As(err, &gone) || gone.Status != 404 || gone.RequestID == "" {
		t.Errorf("after the end: %v", err)
	}
}

// TestTheSDKFitsTheServersAccounts is the same for auth configs and accounts.
func TestTheSDKFitsTheServersAccounts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sdk := client(t, start(t, load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_TOOLKIT_DIRS=testdata/toolkits")), operatorsKey)
	made, err := sdk.AuthConfigs.Create(ctx, patchbay.NewAuthConfig{Toolkit: "ledger", Scheme: "API_KEY", Name: "Ledger keys"})
	if err != nil || made.Toolkit.Slug != "ledger" || made.Managed {
		t.Fatalf("create: %+v, %v", made, err)
	}
	config, err := sdk.AuthConfigs.Get(ctx, made.ID)
	if err != nil || config.Name != "Ledger keys" || config.Status != "ENABLED" || config.CreatedAt.IsZero() {
		t.Errorf("get: %+v, %v", config, err)
	}
	link, err := sdk.ConnectedAccounts.Link(ctx, patchbay.NewLink{AuthConfigID: made.ID, UserID: "ada", Alias: "books"})
	if err != nil || link.URL == "" {
		t.Fatalf("link: %+v, %v", link, err)
	}
	account, err := sdk.ConnectedAccounts.Get(ctx, link.AccountID)
	if err != nil || account.Status != patchbay.StatusInitializing || account.Alias != "books" || account.AuthConfig.ID != made.ID || account.Toolkit.Slug != "ledger" {
		t.Errorf("account: %+v, %v", account, err)
	}
	page, err := sdk.ConnectedAccounts.List(ctx, patchbay.AccountFilter{Statuses: []patchbay.AccountStatus{patchbay.StatusInitializing}, AuthConfigs: []string{made.ID}})
	if err != nil || page.TotalItems != 1 || page.Items[0].ID != account.ID {
		t.Errorf("accounts: %+v, %v", page, err)
	}
	if err := sdk.ConnectedAccounts.Delete(ctx, account.ID); err != nil {
		t.Error(err)
	}
	if err := sdk.AuthConfigs.SetEnabled(ctx, made.ID, false); err != nil {
		t.Error(err)
	}
	listed, err := sdk.AuthConfigs.List(ctx, patchbay.AuthConfigFilter{Toolkits: []string{"ledger"}, ShowDisabled: true})
	if err != nil || len(listed.Items) != 1 || listed.Items[0].Status != "DISABLED" {
		t.Errorf("auth configs: %+v, %v", listed, err)
	}
	if err := sdk.AuthConfigs.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
}

// TestTheSDKFitsTheServersToolkits is the same for a project's own toolkits, its settings and its triggers.
func TestTheSDKFitsTheServersToolkits(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sdk := client(t, start(t, load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey)), operatorsKey)
	shelf := func(version string) patchbay.NewToolkit {
		return patchbay.NewToolkit{Slug: "shelf", Files: map[string]string{
			"toolkit.yaml": "slug: shelf\nname: Shelf\ndescription: Lists of books on a shelf.\nversion: " + version + "\ncategories: [testing]\nbase_url: https://shelf.example\n",
			"books.yaml":   "- slug: LIST_BOOKS\n  title: List books\n  description: Lists the books there are.\n  hints: [read]\n  request: GET /books\n",
		}}
	}
	for _, version := range []string{"20260101_00", "20260102_00"} {
		stored, err := sdk.CustomToolkits.Put(ctx, shelf(version))
		if err != nil || stored.Slug != "shelf" || stored.Version != version || stored.Tools != 1 {
			t.Fatalf("put: %+v, %v", stored, err)
		}
	}
	for own, err := range sdk.CustomToolkits.All(ctx) {
		if err != nil || own.Slug != "shelf" || own.Kind != "custom" || len(own.Versions) != 2 || own.Problem != "" || own.CreatedAt.IsZero() {
			t.Errorf("own: %+v, %v", own, err)
		}
	}
	if version, err := sdk.Toolkits.Pin(ctx, "shelf", "20260101_00"); err != nil || version != "20260101_00" {
		t.Errorf("pin: %s, %v", version, err)
	}
	pinned, err := sdk.Toolkits.Get(ctx, "shelf")
	if err != nil || pinned.Meta.Pinned != "20260101_00" || pinned.Meta.Version != "20260101_00" || len(pinned.Meta.Versions) != 2 {
		t.Errorf("pinned: %+v, %v", pinned.Meta, err)
	}
	if version, err := sdk.Toolkits.Pin(ctx, "shelf", "latest"); err != nil || version != "20260102_00" {
		t.Errorf("unpin: %s, %v", version, err)
	}
	if err := sdk.CustomToolkits.Delete(ctx, "shelf"); err != nil {
		t.Error(err)
	}
	var none *patchbay.Error
	if _, err := sdk.CustomToolkits.Sync(ctx, "shelf", ""); !errors.As(err, &none) || none.Status != 404 {
		t.Errorf("sync of none: %v", err)
	}

	name := "Books"
	settings, err := sdk.Project.Update(ctx, patchbay.ProjectChange{DisplayName: &name})
	if err != nil || settings.DisplayName != name || !settings.MaskSecrets {
		t.Errorf("settings: %+v, %v", settings, err)
	}
	if again, err := sdk.Project.Settings(ctx); err != nil || again.DisplayName != name {
		t.Errorf("settings again: %+v, %v", again, err)
	}
}

// TestTheSDKFitsTheServersTriggers goes the way of a trigger: look, try, watch, rest, end.
func TestTheSDKFitsTheServersTriggers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := startGmail(t)
	sdk := client(t, server, operatorsKey)
	config := ask(t, server, "POST", "/auth_configs", `{"toolkit":{"slug":"gmail"}}`)
	account := ask(t, server, "POST", "/connected_accounts", `{"auth_config":{"id":"`+config["auth_config"].(map[string]any)["id"].(string)+`"},
		"connection":{"user_id":"ada","state":{"authScheme":"OAUTH2","val":{"status":"ACTIVE","access_token":"at-1","refresh_token":"rt-1"}}}}`)["id"].(string)

	const slug = "GMAIL_WEBHOOK_RECEIVED" // whatever calls an address: nothing is made at the provider
	kind, err := sdk.Triggers.Type(ctx, slug)
	if err != nil || kind.Toolkit.Slug != "gmail" || len(kind.Config) == 0 {
		t.Fatalf("type: %+v, %v", kind, err)
	}
	found := false
	for kind, err := range sdk.Triggers.Types(ctx, "gmail") {
		if err != nil {
			t.Fatal(err)
		}
		found = found || kind.Slug == slug
	}
	if !found {
		t.Error("the type is not listed")
	}
	wanted := patchbay.NewTrigger{AccountID: account, Config: map[string]any{"verify": "token", "signature_header": "X-Token"}}
	if check, err := sdk.Triggers.Check(ctx, slug, wanted); err != nil || !check.OK || check.AccountID != account {
		t.Errorf("check: %+v, %v", check, err)
	}
	bad := patchbay.NewTrigger{AccountID: account, Config: map[string]any{"verify": "by heart"}}
	if check, err := sdk.Triggers.Check(ctx, slug, bad); err == nil && (check.OK || check.Problem == nil) {
		t.Errorf("check of nonsense: %+v", check)
	}
	made, err := sdk.Triggers.Create(ctx, slug, wanted)
	if err != nil || made.ID == "" || made.URL == "" || made.Secret == "" {
		t.Fatalf("create: %+v, %v", made, err)
	}
	if err := sdk.Triggers.SetEnabled(ctx, made.ID, false); err != nil {
		t.Error(err)
	}
	seen := func(f patchbay.TriggerFilter) (states []string) {
		for trigger, err := range sdk.Triggers.All(ctx, f) {
			if err != nil || trigger.ID != made.ID || trigger.Type != slug || trigger.UserID != "ada" {
				t.Errorf("listed: %+v, %v", trigger, err)
			}
			states = append(states, trigger.State.Status)
		}
		return states
	}
	if enabled, all := seen(patchbay.TriggerFilter{}), seen(patchbay.TriggerFilter{UserIDs: []string{"ada"}, ShowDisabled: true}); len(enabled) != 0 || len(all) != 1 {
		t.Errorf("at rest: %v, %v", enabled, all)
	}
	if err := sdk.Triggers.SetEnabled(ctx, made.ID, true); err != nil {
		t.Error(err)
	}
	if enabled := seen(patchbay.TriggerFilter{Types: []string{slug}}); len(enabled) != 1 {
		t.Errorf("enabled again: %v", enabled)
	}
	if err := sdk.Triggers.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
	if left := seen(patchbay.TriggerFilter{ShowDisabled: true}); len(left) != 0 {
		t.Errorf("deleted: %v", left)
	}
}
