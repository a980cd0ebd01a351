package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

var authConfigBehaviours = behaviours{
	"an auth config comes back whole":              authConfigWhole,
	"an auth config without secrets comes back":    authConfigBare,
	"an auth config changes in one step":           authConfigUpdated,
	"auth configs are listed by filter":            authConfigsFiltered,
	"auth configs are paged":                       authConfigsPaged,
	"its accounts go with a deleted auth config":   authConfigDeleted,
	"another project's auth config does not exist": authConfigForeign,
}

// anAuthConfig has something in every field.
func anAuthConfig(id, projectID string) connect.AuthConfig {
	return connect.AuthConfig{
		ID: id, ProjectID: projectID, Toolkit: "github", Name: "name of " + id, Scheme: "OAUTH2", Managed: true,
		Credentials: connect.Fields{"client_id": secret.Hide("client of " + id), "client_secret": secret.Hide("secret of " + id)},
		Scopes:      []string{"repo", "user"}, UserScopes: []string{"chat:write"},
		Shared:           connect.Fields{"subdomain": secret.Hide("acme")},
		ToolsForCreation: []string{"GITHUB_A"}, ToolsForExecution: []string{"GITHUB_A", "GITHUB_B"},
		ProxyURL: "https://proxy.example", ProxyKey: secret.Hide("proxy key of " + id),
		VerifierURL: "https://app.example/verify", ShowSecrets: true,
		Enabled: true, EnabledForSessions: true, CreatedAt: start, UpdatedAt: start.Add(time.Second),
	}
}

func authConfigWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := anAuthConfig("ac_1", ours)
	must(t, f.CreateAuthConfig(ctx, want))
	same(t, "read", got(f.AuthConfig(ctx, ours, "ac_1"))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.AuthConfig, ID: "ac_1"}})
	wantKind(t, "same id", f.CreateAuthConfig(ctx, want), fault.Conflict)

	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	want.Connections = 1
	same(t, "read with an account", got(f.AuthConfig(ctx, ours, "ac_1"))(t), want)
}

func authConfigBare(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := connect.AuthConfig{ID: "ac_1", ProjectID: ours, ToolsForExecution: []string{}}
	must(t, f.CreateAuthConfig(ctx, want))
	same(t, "read", got(f.AuthConfig(ctx, ours, "ac_1"))(t), want)
}

func authConfigUpdated(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateAuthConfig(ctx, anAuthConfig("ac_1", ours)))
	f.news()
	want := anAuthConfig("ac_1", ours)
	want.Name, want.Enabled, want.UpdatedAt = "new", false, start.Add(time.Hour)
	want.Credentials = connect.Fields{"client_id": secret.Hide("new")}
	want.Shared, want.ProxyKey = nil, secret.Value{}
	after := got(f.UpdateAuthConfig(ctx, ours, "ac_1", func(c *connect.AuthConfig) error {
		*c = want
		c.ID, c.ProjectID = "ac_other", theirs // an update cannot move it
		return nil
	}))(t)
	same(t, "given back", after, want)
	same(t, "read", got(f.AuthConfig(ctx, ours, "ac_1"))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.AuthConfig, ID: "ac_1"}})

	_, err := f.UpdateAuthConfig(ctx, ours, "ac_1", func(c *connect.AuthConfig) error { c.Name = "never"; return errRefused })
	same(t, "refused", err == errRefused, true)
	same(t, "read after refusal", got(f.AuthConfig(ctx, ours, "ac_1"))(t), want)
	same(t, "news after refusal", len(f.news()), 0)

	const writers = 10
	for i, err := range together(writers, func(int) error {
		_, err := f.UpdateAuthConfig(ctx, ours, "ac_1", func(c *connect.AuthConfig) error {
			c.Scopes = append(c.Scopes, "one more")
			return nil
		})
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	same(t, "scopes", len(got(f.AuthConfig(ctx, ours, "ac_1"))(t).Scopes), len(want.Scopes)+writers)
}

func authConfigsFiltered(t *testing.T, f *fixture) {
	ctx := t.Context()
	yes, no := true, false
	for i, change := range []func(*connect.AuthConfig){
		func(c *connect.AuthConfig) {},
		func(c *connect.AuthConfig) { c.Toolkit = "gmail" },
		func(c *connect.AuthConfig) { c.Managed = false; c.Name = "Sales_100%" },
		func(c *connect.AuthConfig) { c.Enabled = false },
		func(c *connect.AuthConfig) { c.EnabledForSessions = false },
		func(c *connect.AuthConfig) { c.ProjectID = theirs },
	} {
		c := anAuthConfig("ac_"+string(rune('a'+i)), ours)
		c.CreatedAt = start.Add(time.Duration(i) * time.Second)
		change(&c)
		must(t, f.CreateAuthConfig(ctx, c))
	}
	for name, test := range map[string]struct {
		filter connect.AuthConfigFilter
		want   []string
	}{
		"nothing":       {connect.AuthConfigFilter{}, []string{"ac_e", "ac_c", "ac_b", "ac_a"}},
		"disabled too":  {connect.AuthConfigFilter{ShowDisabled: true}, []string{"ac_e", "ac_d", "ac_c", "ac_b", "ac_a"}},
		"toolkit":       {connect.AuthConfigFilter{Toolkits: []string{"gmail", "slack"}}, []string{"ac_b"}},
		"managed":       {connect.AuthConfigFilter{Managed: &yes}, []string{"ac_e", "ac_b", "ac_a"}},
		"not managed":   {connect.AuthConfigFilter{Managed: &no}, []string{"ac_c"}},
		"for sessions":  {connect.AuthConfigFilter{ForSessions: true}, []string{"ac_c", "ac_b", "ac_a"}},
		"search, case":  {connect.AuthConfigFilter{Search: "sALES"}, []string{"ac_c"}},
		"search, %":     {connect.AuthConfigFilter{Search: "0%"}, []string{"ac_c"}},
		"search, _":     {connect.AuthConfigFilter{Search: "s_1"}, []string{"ac_c"}},
		"search, no _":  {connect.AuthConfigFilter{Search: "a_es"}, nil},
		"search, !":     {connect.AuthConfigFilter{Search: "!"}, nil},
		"search by id":  {connect.AuthConfigFilter{Search: "ac_a"}, []string{"ac_a"}},
		"all together":  {connect.AuthConfigFilter{Toolkits: []string{"github"}, Managed: &no, ForSessions: true, Search: "sales"}, []string{"ac_c"}},
		"nothing there": {connect.AuthConfigFilter{Toolkits: []string{"nothing"}}, nil},
	} {
		configs, page, err := f.ListAuthConfigs(ctx, ours, test.filter)
		must(t, err)
		same(t, name, idsOf(configs, func(c connect.AuthConfig) string { return c.ID }), test.want)
		same(t, name+": page", page, connect.Page{Total: len(test.want)})
	}
	configs, _, err := f.ListAuthConfigs(ctx, theirs, connect.AuthConfigFilter{})
	must(t, err)
	same(t, "secrets in a list", configs[0].Credentials["client_secret"].Reveal(), "secret of ac_f")
}

func authConfigsPaged(t *testing.T, f *fixture) {
	ctx := t.Context()
	var want []string
	for i := range 7 {
		c := anAuthConfig("ac_"+string(rune('a'+i)), ours) // all at the same time: the id decides
		must(t, f.CreateAuthConfig(ctx, c))
		want = append(want, c.ID)
	}
	slices.Reverse(want)
	all := pages(t, 7, func(cursor string) ([]connect.AuthConfig, connect.Page, error) {
		return f.ListAuthConfigs(ctx, ours, connect.AuthConfigFilter{Limit: 3, Cursor: cursor})
	})
	same(t, "pages", idsOf(all, func(c connect.AuthConfig) string { return c.ID }), want)
	_, _, err := f.ListAuthConfigs(ctx, ours, connect.AuthConfigFilter{Cursor: "made up"})
	wantKind(t, "made up cursor", err, fault.Invalid)
}

func authConfigDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateAuthConfig(ctx, anAuthConfig("ac_1", ours)))
	must(t, f.CreateAuthConfig(ctx, anAuthConfig("ac_2", ours)))
	must(t, f.CreateAccount(ctx, anAccount("ca_1", ours)))
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	stays := anAccount("ca_2", ours)
	stays.AuthConfigID = "ac_2"
	must(t, f.CreateAccount(ctx, stays))
	f.news()

	must(t, f.DeleteAuthConfig(ctx, ours, "ac_1"))
	same(t, "news", f.news(), []notify.Change{
		{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "user of ca_1"}, {Kind: notify.AuthConfig, ID: "ac_1"},
	})
	_, err := f.Account(ctx, ours, "ca_1")
	wantKind(t, "account", err, fault.NotFound)
	_, err = f.RequestByToken(ctx, "token 1")
	wantKind(t, "request", err, fault.NotFound)
	got(f.Account(ctx, ours, "ca_2"))(t)
	wantKind(t, "delete again", f.DeleteAuthConfig(ctx, ours, "ac_1"), fault.NotFound)
}

func authConfigForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := anAuthConfig("ac_1", theirs)
	must(t, f.CreateAuthConfig(ctx, want))
	_, err := f.AuthConfig(ctx, ours, "ac_1")
	wantKind(t, "get", err, fault.NotFound)
	_, err = f.UpdateAuthConfig(ctx, ours, "ac_1", func(c *connect.AuthConfig) error { t.Error("update saw it"); return nil })
	wantKind(t, "update", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteAuthConfig(ctx, ours, "ac_1"), fault.NotFound)
	configs, page, err := f.ListAuthConfigs(ctx, ours, connect.AuthConfigFilter{ShowDisabled: true})
	must(t, err)
	same(t, "list", len(configs)+page.Total, 0)
	must(t, f.CreateAuthConfig(ctx, anAuthConfig("ac_1", ours))) // the same id in another project is another auth config
	same(t, "untouched", got(f.AuthConfig(ctx, theirs, "ac_1"))(t), want)
}

// idsOf gives the ids of a list; nil for none.
func idsOf[T any](items []T, id func(T) string) []string {
	var ids []string
	for _, item := range items {
		ids = append(ids, id(item))
	}
	return ids
}
