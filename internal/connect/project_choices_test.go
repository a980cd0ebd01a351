package connect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestWhereALinkMayLeadBackTo(t *testing.T) {
	t.Parallel()
	b := newBed(t, chose(tenant.Settings{CallbackOrigins: []string{"https://app.example", "http://localhost:3000", "https://xn--bcher-kva.example"}}))
	c := b.oauthConfig("acme")
	for _, callback := range []string{
		"", "https://app.example", "https://app.example/done?x=1#y", "https://APP.example:443/done", "http://localhost:3000/cb", "https://xn--bcher-kva.example/",
	} {
		b.link(connect.NewLink{AuthConfigID: c.ID, CallbackURL: callback})
	}
	for _, callback := range []string{
		"http://app.example/done", "https://app.example:8443/", "https://app.example.evil.example/", "https://evilapp.example/", "https://sub.app.example/",
		"https://app.example@evil.example/", "https://evil.example/https://app.example", "https://evil.example?https://app.example", "https://evil.example#@app.example",
		`https://evil.example\@app.example/`, `https:\\app.example`, "https://app.example\\.evil.example/", "https://app.example./", "https://аpp.example/",
		"https://app.example%2eevil.example/", "https://app%2eexample/", "//app.example/", "/done", "javascript:alert(1)//app.example", "data:text/html,x",
		"https://app.example\t.evil.example/", "https://app.example\n", " https://app.example", "https:app.example", "https:///app.example", "https://user:pw@app.example/",
		"http://localhost:3001/cb", "http://127.0.0.1:3000/cb", "https://app。example/", "https://app.example:443:80/",
	} {
		_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: callback})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is let through: %v", callback, err)
		}
	}
	_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: "https://other.example/x"})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "https://other.example", "callback_origins")
	a := b.connected(c, "u", ann)
	b.provider.Change(func() { b.provider.NoRefresh = true })
	_, _, err = b.RefreshAccount(b.ctx, b.caller, b.deadOf(a).ID, origin, "https://evil.example/")
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "evil.example")
}

// deadOf makes an account one that only its user can bring back.
func (b *bed) deadOf(a connect.ConnectedAccount) connect.ConnectedAccount {
	b.t.Helper()
	a, err := b.store.UpdateAccount(b.ctx, a.ProjectID, a.ID, func(a *connect.ConnectedAccount) error {
		a.Status, a.Values = connect.Expired, nil
		return nil
	})
	must(b.t, err)
	return a
}

func TestAnyCallbackWithoutAList(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	b.link(connect.NewLink{AuthConfigID: c.ID, CallbackURL: "https://anything.example:8443/x"})
	for _, callback := range []string{`https://a.example\@b.example/`, "https://a.example./", "https://bücher.example/", "ftp://a.example/"} {
		_, err := b.CreateLink(b.ctx, b.caller, connect.NewLink{AuthConfigID: c.ID, UserID: "u", CallbackURL: callback})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid)
	}
}

func TestPagesLookAsTheProjectChose(t *testing.T) {
	t.Parallel()
	b := newBed(t, chose(tenant.Settings{
		DisplayName: "Acme GmbH", LogoURL: "https://cdn.example/logo.png", AccentColor: "#ff0000", LinkURL: "https://connect.acme.example/go/",
	}))
	l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
	if !strings.HasPrefix(l.URL, "https://connect.acme.example/go/link/lt_") {
		t.Errorf("the link is %s", l.URL)
	}
	v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if v.ProjectName != "Acme GmbH" {
		t.Errorf("the project is called %s", v.ProjectName)
	}
	if diff := cmp.Diff(connect.Brand{Logo: "https://cdn.example/logo.png", Accent: "#ff0000", Own: true}, v.Brand); diff != "" {
		t.Error(diff)
	}
	plain := newBed(t)
	v, err = plain.OpenLink(plain.ctx, plain.link(connect.NewLink{AuthConfigID: plain.oauthConfig("acme").ID}).Token, "browser-1")
	must(t, err)
	if v.ProjectName != "Example Project" || v.Brand != (connect.Brand{}) {
		t.Errorf("unexpected look: %s %+v", v.ProjectName, v.Brand)
	}
}

func TestToolAccess(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	n := connect.NewAuthConfig{
		Toolkit: "acme", Scheme: connect.OAuth2, Credentials: fields("client_id", b.provider.ClientID, "client_secret", b.provider.ClientSecret),
		ToolsForCreation: []string{"acme_make_thing"}, ToolsForExecution: []string{" ACME_MAKE_THING", "acme_make_thing"},
	}
	c, err := b.CreateAuthConfig(b.ctx, b.caller, n)
	must(t, err)
	if diff := cmp.Diff([][]string{{"ACME_MAKE_THING"}, {"ACME_MAKE_THING"}}, [][]string{c.ToolsForCreation, c.ToolsForExecution}); diff != "" {
		t.Error(diff)
	}
	v, err := b.OpenLink(b.ctx, b.link(connect.NewLink{AuthConfigID: c.ID}).Token, "browser-1")
	must(t, err)
	if diff := cmp.Diff([]string{"things.admin", "things.write"}, v.Scopes); diff != "" {
		t.Errorf("not the least scopes: %s", diff)
	}
	bad := n
	bad.ToolsForCreation, bad.ToolsForExecution, bad.VerifierURL = []string{"ACME_MAKE_THINGS"}, []string{"KEYED_LIST_THINGS", "ACME_LIST_THINGS"}, "javascript:x"
	bad.Credentials = fields("client_id", "c", "client_secret", "s", "oauth_redirect_uri", "https://a.example#x")
	_, err = b.CreateAuthConfig(b.ctx, b.caller, bad)
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "ACME_MAKE_THINGS (did you mean ACME_MAKE_THING?)", "KEYED_LIST_THINGS (of keyed)", "verifier_url", "oauth_redirect_uri")

	empty, list := []string{}, []string{"ACME_LIST_THINGS"}
	c, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{ToolsForCreation: &empty, ToolsForExecution: &list})
	must(t, err)
	if len(c.ToolsForCreation) != 0 || c.ToolsForExecution[0] != "ACME_LIST_THINGS" || c.Credentials["client_secret"].Reveal() != b.provider.ClientSecret {
		t.Errorf("unexpected auth config: %+v", c)
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{ToolsForExecution: &[]string{"NOPE"}})
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "NOPE")
	if now, err := b.AuthConfig(b.ctx, b.caller, c.ID); err != nil || now.ToolsForExecution[0] != "ACME_LIST_THINGS" {
		t.Errorf("a refused list was stored: %+v %v", now, err)
	}
}

func TestWhoReadsCredentials(t *testing.T) {
	t.Parallel()
	b := newBed(t, withApp("acme"))
	account := connect.ConnectedAccount{Toolkit: "acme", Scheme: connect.OAuth2, Values: fields("access_token", "t0ken", "subdomain", "eu")}
	own, open := connect.AuthConfig{ID: "ac_1"}, connect.AuthConfig{ID: "ac_1", ShowSecrets: true}
	managed := open
	managed.Managed = true
	for name, c := range map[string]struct {
		cfg      connect.AuthConfig
		settings tenant.Settings
		caller   tenant.Caller
		whole    bool
	}{
		"nobody by default":                {own, tenant.Settings{}, b.caller, false},
		"the auth config lets":             {open, tenant.Settings{}, b.caller, true},
		"the project lets":                 {own, tenant.Settings{ShowSecrets: true}, b.caller, true},
		"not under the operator's app":     {managed, tenant.Settings{ShowSecrets: true}, b.caller, false},
		"not with a session's token":       {open, tenant.Settings{}, tenant.Caller{ProjectID: "pr_1", SessionID: "trs_1"}, false},
		"not when the auth config is gone": {connect.AuthConfig{}, tenant.Settings{ShowSecrets: true}, b.caller, false},
	} {
		values, whole := b.ShownValues(c.caller, account, c.cfg, c.settings)
		if want := map[bool]string{true: "t0ken", false: connect.Redacted}[c.whole]; whole != c.whole || values["access_token"] != want || values["subdomain"] != "eu" {
			t.Errorf("%s: %v %v", name, whole, values)
		}
	}
}
