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
