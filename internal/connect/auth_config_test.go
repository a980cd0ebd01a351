package connect_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestCreateAuthConfig(t *testing.T) {
	t.Parallel()
	b := newBed(t, withApp("acme"))
	create := func(n connect.NewAuthConfig) (connect.AuthConfig, error) {
		return b.CreateAuthConfig(b.ctx, b.caller, n)
	}
	creds := connect.Fields{"client_id": secret.Hide("i"), "client_secret": secret.Hide("s"), "extra": secret.Hide("kept")}

	for name, test := range map[string]struct {
		n    connect.NewAuthConfig
		want connect.AuthConfig
	}{
		"custom":             {connect.NewAuthConfig{Toolkit: "acme", Credentials: creds}, connect.AuthConfig{Scheme: connect.OAuth2, Name: "Acme"}},
		"named":              {connect.NewAuthConfig{Toolkit: "ACME", Name: " Mine ", Credentials: creds}, connect.AuthConfig{Scheme: connect.OAuth2, Name: "Mine"}},
		"managed":            {connect.NewAuthConfig{Toolkit: "acme", Managed: true}, connect.AuthConfig{Scheme: connect.OAuth2, Name: "Acme", Managed: true}},
		"a key":              {connect.NewAuthConfig{Toolkit: "keyed"}, connect.AuthConfig{Scheme: connect.APIKey, Name: "Keyed"}},
		"another scheme":     {connect.NewAuthConfig{Toolkit: "keyed", Scheme: connect.Basic}, connect.AuthConfig{Scheme: connect.Basic, Name: "Keyed"}},
		"token for OAuth":    {connect.NewAuthConfig{Toolkit: "acme", Scheme: connect.BearerToken}, connect.AuthConfig{Scheme: connect.BearerToken, Name: "Acme"}},
		"nothing to connect": {connect.NewAuthConfig{Toolkit: "open", Scheme: connect.NoAuth}, connect.AuthConfig{Scheme: connect.NoAuth, Name: "Open"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := create(test.n)
			must(t, err)
			stored, err := b.AuthConfig(b.ctx, b.caller, got.ID)
			must(t, err)
			if stored.Scheme != test.want.Scheme || stored.Name != test.want.Name || stored.Managed != test.want.Managed || !stored.Enabled || !strings.HasPrefix(stored.ID, "ac_") {
				t.Errorf("%+v", stored)
			}
			if len(test.n.Credentials) > 0 && stored.Credentials["extra"].Reveal() != "kept" {
				t.Error("credentials that the toolkit does not name were dropped")
			}
		})
	}
	for name, test := range map[string]struct {
		n     connect.NewAuthConfig
		kind  fault.Kind
		slug  string
		words []string
	}{
		"every missing field":     {connect.NewAuthConfig{Toolkit: "acme", Credentials: connect.Fields{"client_id": secret.Hide("  ")}}, fault.Invalid, fault.SlugAuthConfigInvalid, []string{"client_id: Client ID is required.", "client_secret: Client secret is required."}},
		"no operator's app":       {connect.NewAuthConfig{Toolkit: "slackish", Managed: true}, fault.Invalid, fault.SlugNoManagedAuth, []string{"use_custom_auth", "toolkits.slackish.oauth2.client_id"}},
		"app of another scheme":   {connect.NewAuthConfig{Toolkit: "acme", Managed: true, Scheme: connect.APIKey}, fault.Invalid, fault.SlugNoManagedAuth, nil},
		"no-auth toolkit":         {connect.NewAuthConfig{Toolkit: "open", Managed: true}, fault.Invalid, fault.SlugToolkitIsNoAuth, nil},
		"unknown toolkit":         {connect.NewAuthConfig{Toolkit: "acne"}, fault.NotFound, fault.SlugToolkitNotFound, []string{"acme"}},
		"scheme of another":       {connect.NewAuthConfig{Toolkit: "acme", Scheme: connect.Basic}, fault.Invalid, fault.SlugAuthConfigInvalid, []string{"not supported here", "OAUTH2, BEARER_TOKEN"}},
		"scheme that is not done": {connect.NewAuthConfig{Toolkit: "acme", Scheme: "SAML"}, fault.Invalid, fault.SlugAuthConfigInvalid, []string{`"SAML" is not supported here`}},
		"a proxy that is none":    {connect.NewAuthConfig{Toolkit: "keyed", ProxyURL: "ftp://x"}, fault.Invalid, fault.SlugAuthConfigInvalid, []string{"proxy_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := create(test.n)
			wantFault(t, err, test.kind, test.slug, test.words...)
		})
	}
}

func TestManagedAuthConfigUsesTheOperatorsApp(t *testing.T) {
	t.Parallel()
	b := newBed(t, withApp("acme"), func(o *connect.Options) {
		app := o.Apps["acme"]
		app.Scopes = []string{"operator.scope"}
		o.Apps["acme"] = app
	})
	c, err := b.AuthConfigFor(b.ctx, b.caller, "acme", "", true)
	must(t, err)
	if len(c.Credentials) > 0 {
		t.Error("the operator's secret was copied into the project")
	}
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	if to := b.press(l, "browser-1", nil); !strings.Contains(to, "scope=operator.scope") {
		t.Error(to)
	}
	if step := b.signIn(b.link(connect.NewLink{AuthConfigID: c.ID}), ann); step.View.Status != connect.Active {
		t.Errorf("%+v", step)
	}
	if diff := cmp.Diff([]string{"OAUTH2"}, b.ManagedSchemes("Acme")); diff != "" {
		t.Error(diff)
	}
	if b.ManagedSchemes("keyed") == nil || len(b.ManagedSchemes("keyed")) > 0 {
		t.Error("want an empty list")
	}
}

func TestAuthConfigFor(t *testing.T) {
	t.Parallel()
	b := newBed(t, withApp("acme"))
	pick := func(preferred string, forSession bool) (connect.AuthConfig, error) {
		return b.AuthConfigFor(b.ctx, b.caller, "acme", preferred, forSession)
	}
	// Of many calls that come together, one makes the managed auth config.
	var wg sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		wg.Go(func() {
			c, err := pick("", true)
			if err != nil {
				t.Error(err)
			}
			ids[i] = c.ID
		})
	}
	wg.Wait()
	if different := slices.Compact(slices.Sorted(slices.Values(ids))); len(different) != 1 {
		t.Errorf("several auth configs were made: %v", different)
	}
	own := b.oauthConfig("acme")
	if c, err := pick("", true); err != nil || c.ID == "" {
		t.Fatal(err)
	}
	got, err := pick(own.ID, true)
	must(t, err)
	if got.ID != own.ID {
		t.Error("the preferred one was not taken")
	}
	off := false
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, own.ID, connect.AuthConfigPatch{EnabledForSessions: &off})
	must(t, err)
	_, err = pick(own.ID, true)
	wantFault(t, err, fault.Unprocessable, fault.SlugAuthConfigInvalid, "sessions")
	if _, err = pick(own.ID, false); err != nil {
		t.Error(err)
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, own.ID, connect.AuthConfigPatch{Enabled: &off})
	must(t, err)
	_, err = pick(own.ID, false)
	wantFault(t, err, fault.Unprocessable, fault.SlugAuthConfigInvalid, "disabled")
	if c, err := pick("", true); err != nil || c.ID != ids[0] {
		t.Errorf("%v: %s", err, c.ID)
	}
	_, err = b.AuthConfigFor(b.ctx, b.caller, "keyed", own.ID, false)
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "not for keyed")
	_, err = b.AuthConfigFor(b.ctx, b.caller, "open", "", true)
	wantFault(t, err, fault.Invalid, fault.SlugToolkitIsNoAuth)
	_, err = b.AuthConfigFor(b.ctx, b.caller, "slackish", "", true)
	wantFault(t, err, fault.Invalid, fault.SlugNoManagedAuth)
}

func TestUpdateAuthConfig(t *testing.T) {
	t.Parallel()
	b := newBed(t, withApp("acme"))
	c := b.oauthConfig("acme")
	scopes := []string{"read"}
	got, err := b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{
		Scopes: &scopes, Credentials: connect.Fields{"client_secret": secret.Hide("new"), "client_id": secret.Hide(connect.Redacted)},
		Shared: connect.Fields{"region": secret.Hide("eu"), "zone": secret.Hide("1")},
	})
	must(t, err)
	if got.Credentials["client_secret"].Reveal() != "new" || got.Credentials["client_id"] != c.Credentials["client_id"] || got.Shared["region"].Reveal() != "eu" {
		t.Error("credentials were not merged")
	}
	got, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Shared: connect.Fields{"zone": secret.Value{}}})
	must(t, err)
	if _, there := got.Shared["zone"]; there || got.Shared["region"].Reveal() != "eu" || !slices.Equal(got.Scopes, scopes) {
		t.Errorf("%v %v", got.Shared, got.Scopes)
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Credentials: connect.Fields{"client_id": secret.Value{}}})
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "client_id")
	managed, err := b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{Toolkit: "acme", Managed: true})
	must(t, err)
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, managed.ID, connect.AuthConfigPatch{Credentials: connect.Fields{"client_id": secret.Hide("x")}})
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "operator")
}

func TestScopesOfALink(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for name, test := range map[string]struct {
		n    connect.NewAuthConfig
		want []string
	}{
		"the toolkit's default":                  {connect.NewAuthConfig{}, []string{"read", "write"}},
		"the least for a tool":                   {connect.NewAuthConfig{ToolsForCreation: []string{"ACME_MAKE_THING"}}, []string{"things.admin", "things.write"}},
		"shared between tools":                   {connect.NewAuthConfig{ToolsForCreation: []string{"ACME_MAKE_THING", "ACME_LIST_THINGS"}}, []string{"things.read", "things.write"}},
		"listed":                                 {connect.NewAuthConfig{Scopes: []string{"own"}, ToolsForCreation: []string{"ACME_MAKE_THING"}}, []string{"own"}},
		"listed for a server that is discovered": {connect.NewAuthConfig{Toolkit: "remote", Scopes: []string{"own"}}, []string{"own"}},
		"what its tools need":                    {connect.NewAuthConfig{Toolkit: "remote", ToolsForCreation: []string{"REMOTE_LIST_THINGS"}}, []string{"things.read"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.n.Toolkit == "" {
				test.n.Toolkit = "acme"
				test.n.Credentials = connect.Fields{"client_id": secret.Hide("i"), "client_secret": secret.Hide("s")}
			}
			c, err := b.CreateAuthConfig(b.ctx, b.caller, test.n)
			must(t, err)
			v, err := b.OpenLink(b.ctx, b.link(connect.NewLink{AuthConfigID: c.ID}).Token, "browser-1")
			must(t, err)
			if diff := cmp.Diff(test.want, v.Scopes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOwnRedirectURI(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.config("acme", connect.OAuth2, map[string]string{
		"client_id": b.provider.ClientID, "client_secret": b.provider.ClientSecret, "oauth_redirect_uri": "https://auth.customer.example/back",
	})
	b.provider.RedirectURI = "https://auth.customer.example/back"
	if step := b.signIn(b.link(connect.NewLink{AuthConfigID: c.ID}), ann); step.View.Status != connect.Active {
		t.Errorf("%+v", step)
	}
}

func TestDeleteAuthConfig(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a1, a2 := b.connected(c, "u1", ann), b.connected(c, "u2", bob)
	b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "u3"})
	said, err := b.DeleteAuthConfig(b.ctx, b.caller, c.ID)
	must(t, err)
	if !strings.HasPrefix(said.Note, "2 of 2 ") || len(b.provider.Requests("/revoke")) != 4 {
		t.Errorf("%+v, %d requests", said, len(b.provider.Requests("/revoke")))
	}
	for _, id := range []string{a1.ID, a2.ID} {
		if _, err := b.Account(b.ctx, b.caller, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s is still there: %v", id, err)
		}
	}
	_, err = b.DeleteAuthConfig(b.ctx, b.caller, c.ID)
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// TestDeleteAuthConfigEndsWhatIsNotInUse: an account that is switched off, or taken for dead, or about to be connected anew may hold a
// grant that works at the provider.
func TestDeleteAuthConfigEndsWhatIsNotInUse(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	off, dead, anew := b.connected(c, "off", ann), b.connected(c, "dead", ann), b.connected(c, "anew", ann)
	never := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "never"})
	_, err := b.UpdateAccount(b.ctx, b.caller, off.ID, connect.AccountPatch{Enabled: new(bool)})
	must(t, err)
	for _, id := range []string{dead.ID, anew.ID} {
		_, err := b.store.UpdateAccount(b.ctx, b.caller.ProjectID, id, func(a *connect.ConnectedAccount) error {
			a.Status = connect.Expired
			return nil
		})
		must(t, err)
	}
	b.link(connect.NewLink{AccountID: anew.ID})
	ended := b.connected(c, "ended", bob)
	_, _, err = b.EndAccount(b.ctx, b.caller, ended.ID, false)
	must(t, err)
	before := len(b.provider.Requests("/revoke"))
	said, err := b.DeleteAuthConfig(b.ctx, b.caller, c.ID)
	must(t, err)
	if asked := b.provider.Requests("/revoke")[before:]; len(asked) != 6 || !strings.HasPrefix(said.Note, "3 of 3 ") {
		t.Errorf("%d requests; %s", len(asked), said.Note)
	}
	for _, a := range []connect.ConnectedAccount{off, dead, anew} {
		if _, works := b.provider.Whose(a.Values["access_token"].Reveal()); works {
			t.Errorf("the grant of user %s works on", a.UserID)
		}
	}
	if _, err := b.Account(b.ctx, b.caller, never.Account.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("an account is still there: %v", err)
	}
}

// TestDeleteAuthConfigIsFinished: grants that were ended must not stay behind as ACTIVE accounts because the caller went away.
func TestDeleteAuthConfigIsFinished(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a := b.connected(c, "u", ann)
	ctx, leave := context.WithCancel(b.ctx)
	b.provider.Change(func() {
		b.provider.Fail = func(r *http.Request, _ url.Values) (int, string, bool) {
			if r.URL.Path == "/revoke" {
				leave()
			}
			return 0, "", false
		}
	})
	if _, err := b.DeleteAuthConfig(ctx, b.caller, c.ID); err != nil {
		t.Error(err)
	}
	if _, err := b.Account(b.ctx, b.caller, a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("the account is still there: %v", err)
	}
}
