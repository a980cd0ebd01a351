package connect_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestImport(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	oauth, keyed, tenant := b.oauthConfig("acme"), b.config("keyed", connect.APIKey, nil), b.config("tenant", connect.APIKey, nil)
	access, refresh := b.provider.Issue(ann)

	t.Run("tokens", func(t *testing.T) {
		a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Alias: "work", Values: map[string]string{
			"status": "ACTIVE", "access_token": access, "refresh_token": refresh, "expires_in": "3600", "scope": "read,write", "tenant": "t1",
		}})
		must(t, err)
		stored := b.account(a.ID)
		if stored.Status != connect.Active || !stored.TokenExpiry.Equal(b.clock.Now().Add(time.Hour)) || stored.Identity.Name != "Ann Lee" || stored.Alias != "work" {
			t.Errorf("%+v", stored)
		}
		if diff := cmp.Diff([]string{"read", "write"}, stored.Scopes); diff != "" {
			t.Error(diff)
		}
		if !strings.HasPrefix(stored.WordID, "acme_") || !strings.Contains(stored.WordID, "-") {
			t.Errorf("word id %q", stored.WordID)
		}
		b.clock.Move(2 * time.Hour)
		b.credential(stored)
		if b.provider.Refreshes() != 1 {
			t.Error("an imported account is not refreshed")
		}
	})
	t.Run("a refresh token alone", func(t *testing.T) {
		_, refresh := b.provider.Issue(bob)
		a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Values: map[string]string{"refresh_token": refresh}})
		must(t, err)
		if a.Identity.ID != bob.ID || a.Values["access_token"].Empty() {
			t.Errorf("%+v", a.Identity)
		}
	})
	t.Run("a token that has ended", func(t *testing.T) {
		for name, given := range map[string]map[string]string{
			"by its own word":       {"expires_at": b.clock.Now().Add(-time.Hour).Format(time.RFC3339)},
			"as the provider knows": {},
		} {
			access, refresh := b.provider.Issue(bob)
			given["access_token"], given["refresh_token"] = "ended "+access, refresh
			before := b.provider.Refreshes()
			a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Values: given})
			must(t, err)
			if a.Identity.ID != bob.ID || b.provider.Refreshes() != before+1 || !a.TokenExpiry.After(b.clock.Now()) || strings.HasPrefix(a.Values["access_token"].Reveal(), "ended") {
				t.Errorf("%s: %s, %d refreshes, until %s", name, a.Identity.ID, b.provider.Refreshes()-before, a.TokenExpiry)
			}
		}
		access, _ := b.provider.Issue(bob)
		_, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Values: map[string]string{"access_token": access, "expires_at": "1600000000"}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "does not accept")
	})
	t.Run("a bearer token under an OAuth config", func(t *testing.T) {
		token, _ := b.provider.Issue(bob)
		a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u2", Scheme: connect.BearerToken, Values: map[string]string{"token": token}})
		must(t, err)
		if cred := b.credential(a); bearer(cred) != token || a.Scheme != connect.BearerToken {
			t.Errorf("%s", a.Scheme)
		}
	})
	t.Run("a key under another of its names", func(t *testing.T) {
		for _, name := range []string{"api_key", "generic_api_key", "key"} {
			a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", Values: map[string]string{name: access}})
			must(t, err)
			if cred := b.credential(a); cred.Header["X-Acme-Key"].Reveal() != access {
				t.Errorf("%s was not understood", name)
			}
		}
	})
	for name, test := range map[string]struct {
		n     connect.NewAccount
		kind  fault.Kind
		slug  string
		words []string
	}{
		"refused credentials": {connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Values: map[string]string{"access_token": "bogus"}}, fault.Invalid, fault.SlugAccountInvalid, []string{"Acme does not accept"}},
		"dead refresh token":  {connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Values: map[string]string{"refresh_token": "bogus"}}, fault.Invalid, fault.SlugAccountInvalid, []string{"invalid_grant"}},
		"no tokens":           {connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u"}, fault.Invalid, fault.SlugAccountInvalid, []string{"access_token"}},
		"missing and wrong":   {connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", Values: map[string]string{"size": "x"}}, fault.Invalid, fault.SlugAccountInvalid, []string{"key: Secret key is required.", "size: Size must be a number."}},
		"another scheme":      {connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", Scheme: connect.Basic}, fault.Invalid, fault.SlugAccountInvalid, []string{"is for API_KEY"}},
		"no user":             {connect.NewAccount{AuthConfigID: keyed.ID}, fault.Invalid, fault.SlugAccountInvalid, []string{"user_id"}},
		"a blank user":        {connect.NewAccount{AuthConfigID: keyed.ID, UserID: " \t"}, fault.Invalid, fault.SlugAccountInvalid, []string{"user_id"}},
		"no host":             {connect.NewAccount{AuthConfigID: tenant.ID, UserID: "u", Values: map[string]string{"site": "evil.example/", "key": "k"}}, fault.Invalid, fault.SlugAccountInvalid, []string{`"site"`, "host name"}},
		"no auth config":      {connect.NewAccount{AuthConfigID: "ac_none", UserID: "u"}, fault.NotFound, fault.SlugAuthConfigNotFound, nil},
		"an ACL on PRIVATE":   {connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", ACL: &connect.ACL{}}, fault.Invalid, fault.SlugAccountInvalid, []string{"acl_config_for_shared is only valid on SHARED"}},
		"an unknown type":     {connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", AccountType: "PUBLIC"}, fault.Invalid, fault.SlugAccountInvalid, []string{"PUBLIC"}},
		"too long an ACL":     {connect.NewAccount{AuthConfigID: keyed.ID, UserID: "u", AccountType: connect.Shared, ACL: &connect.ACL{Allowed: make([]string, 1001)}}, fault.Invalid, fault.SlugAccountInvalid, []string{"1000"}},
		"a taken alias":       {connect.NewAccount{AuthConfigID: oauth.ID, UserID: "u", Alias: "work", Values: map[string]string{"access_token": access}}, fault.Conflict, fault.SlugAccountInvalid, []string{"work"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.ImportAccount(b.ctx, b.caller, test.n)
			wantFault(t, err, test.kind, test.slug, test.words...)
		})
	}
}

func TestUpdateAccount(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	keyed := b.config("keyed", connect.APIKey, nil)
	a := b.imported(keyed, connect.NewAccount{UserID: "u"})
	shared := b.imported(keyed, connect.NewAccount{UserID: "u", AccountType: connect.Shared, ACL: &connect.ACL{Allowed: []string{"v"}}})
	update := func(id string, p connect.AccountPatch) (connect.ConnectedAccount, error) {
		return b.UpdateAccount(b.ctx, b.caller, id, p)
	}
	ptr := func(s string) *string { return &s }

	t.Run("alias", func(t *testing.T) {
		got, err := update(a.ID, connect.AccountPatch{Alias: ptr(" work ")})
		must(t, err)
		if got.Alias != "work" {
			t.Error(got.Alias)
		}
		_, err = update(shared.ID, connect.AccountPatch{Alias: ptr("work")})
		wantFault(t, err, fault.Conflict, fault.SlugAccountInvalid, "work")
		got, err = update(a.ID, connect.AccountPatch{Alias: ptr("")})
		must(t, err)
		if got.Alias != "" {
			t.Error(got.Alias)
		}
	})
	t.Run("access list", func(t *testing.T) {
		yes, none, denied := true, []string{}, []string{"w"}
		got, err := update(shared.ID, connect.AccountPatch{ACL: &connect.ACLPatch{AllowAll: &yes, Denied: &denied}})
		must(t, err)
		if diff := cmp.Diff(connect.ACL{AllowAll: true, Allowed: []string{"v"}, Denied: []string{"w"}}, got.ACL); diff != "" {
			t.Error(diff)
		}
		got, err = update(shared.ID, connect.AccountPatch{ACL: &connect.ACLPatch{Allowed: &none}})
		must(t, err)
		if len(got.ACL.Allowed) > 0 || !got.ACL.AllowAll {
			t.Errorf("%+v", got.ACL)
		}
		_, err = update(shared.ID, connect.AccountPatch{ACL: &connect.ACLPatch{}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "nothing to change")
		_, err = update(a.ID, connect.AccountPatch{ACL: &connect.ACLPatch{AllowAll: &yes}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "acl_config_for_shared is only valid on SHARED")
	})
	t.Run("credentials", func(t *testing.T) {
		before := b.credential(b.account(a.ID))
		key, _ := b.provider.Issue(bob)
		got, err := update(a.ID, connect.AccountPatch{Values: map[string]string{"key": key}})
		must(t, err)
		if got.Identity.ID != bob.ID || got.Values["region"].Reveal() != "eu" || got.Status != connect.Active {
			t.Errorf("%+v", got)
		}
		if after := b.credential(got); after.Header["X-Acme-Key"].Reveal() != key || before.Header["X-Acme-Key"].Reveal() == key {
			t.Error("the credential in memory is the old one")
		}
		_, err = update(a.ID, connect.AccountPatch{Values: map[string]string{"key": "bogus"}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "does not accept")
		if now := b.account(a.ID); now.Values["key"].Reveal() != key {
			t.Error("refused credentials were stored")
		}
		_, err = update(a.ID, connect.AccountPatch{Values: map[string]string{"key": connect.Redacted, "region": "us"}})
		must(t, err)
		if now := b.account(a.ID); now.Values["key"].Reveal() != key || now.Values["region"].Reveal() != "us" {
			t.Error("a value that came back masked was taken for a new one")
		}
		o := b.connected(b.oauthConfig("acme"), "u", ann)
		_, err = update(o.ID, connect.AccountPatch{Values: map[string]string{"access_token": "x"}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "cannot be replaced", "/refresh")
	})
	t.Run("new credentials bring a dead account back", func(t *testing.T) {
		b.provider.End(bob)
		now := b.account(a.ID)
		_, err := b.Rejected(b.ctx, b.caller, now, b.credential(now))
		must(t, err)
		key, _ := b.provider.Issue(ann)
		got, err := update(a.ID, connect.AccountPatch{Values: map[string]string{"key": key}})
		must(t, err)
		if got.Status != connect.Active {
			t.Error(got.Status)
		}
	})
	t.Run("on and off", func(t *testing.T) {
		off, on := false, true
		got, err := update(a.ID, connect.AccountPatch{Enabled: &off})
		must(t, err)
		if got.Status != connect.Inactive || got.StatusReason == "" {
			t.Errorf("%s %q", got.Status, got.StatusReason)
		}
		if _, err := update(a.ID, connect.AccountPatch{Enabled: &off}); err != nil {
			t.Error("off twice:", err)
		}
		_, err = b.Credential(b.ctx, b.caller, b.account(a.ID))
		wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, "switched off")
		got, err = update(a.ID, connect.AccountPatch{Enabled: &on})
		must(t, err)
		if got.Status != connect.Active || got.StatusReason != "" {
			t.Errorf("%s %q", got.Status, got.StatusReason)
		}
		l := b.link(connect.NewLink{AuthConfigID: keyed.ID, UserID: "z"})
		_, err = update(l.Account.ID, connect.AccountPatch{Enabled: &on})
		wantFault(t, err, fault.Invalid, fault.SlugAccountState, "INITIALIZING")
	})
}

// holdsSecret tells whether anything is left that opens an account.
func holdsSecret(a connect.ConnectedAccount) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(a.Values)), func(name string) bool {
		return !slices.Contains([]string{"token_type", "expires_in", "scope", "region"}, name)
	})
}

// TestEndAccount ends accounts of all kinds: what is kept, what is wiped, and what a second try does.
func TestEndAccount(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a := b.connected(c, "u", ann)
	keyed := b.config("keyed", connect.APIKey, nil)

	b.provider.Change(func() { b.provider.Fail = failOn("/revoke", 503, "down") })
	_, said, err := b.EndAccount(b.ctx, b.caller, a.ID, false)
	wantFault(t, err, fault.Upstream, fault.SlugUpstream, "did not confirm")
	if now := b.account(a.ID); now.Status != connect.Active || now.Values["access_token"].Empty() || said.Outcome != connect.Unconfirmed {
		t.Errorf("%s after %s", now.Status, said.Outcome)
	}
	forced := b.connected(c, "u2", bob)
	_, said, err = b.EndAccount(b.ctx, b.caller, forced.ID, true)
	must(t, err)
	if now := b.account(forced.ID); now.Status != connect.Revoked || holdsSecret(now) || said.Outcome != connect.Unconfirmed {
		t.Errorf("forced: %s after %s, with a secret: %t", now.Status, said.Outcome, holdsSecret(now))
	}
	b.provider.Change(func() { b.provider.Fail = nil })

	for name, test := range map[string]struct {
		id   string
		want connect.Outcome
	}{
		"confirmed this time": {a.ID, connect.EndedAtProvider},
		"an API key":          {b.imported(keyed, connect.NewAccount{UserID: "u"}).ID, connect.ByHand},
		"a link nobody used":  {b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "z"}).Account.ID, connect.NothingToEnd},
		"ended before":        {forced.ID, connect.NothingToEnd},
	} {
		_, said, err := b.EndAccount(b.ctx, b.caller, test.id, false)
		must(t, err)
		if now := b.account(test.id); said.Outcome != test.want || now.Status != connect.Revoked || holdsSecret(now) || said.Note == "" {
			t.Errorf("%s: %s (%s), the account is %s, with a secret: %t", name, said.Outcome, said.Note, now.Status, holdsSecret(now))
		}
	}
	_, _, err = b.EndAccount(b.ctx, tenant.Caller{ProjectID: "pr_theirs"}, a.ID, true)
	wantFault(t, err, fault.NotFound, fault.SlugAccountNotFound, a.ID)
}

// TestEndingClosesLinks: whoever holds a link to an account that was ended can do nothing with it, wherever they are.
func TestEndingClosesLinks(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	ways := map[string]func(id string) (connect.Revocation, error){
		"ended": func(id string) (connect.Revocation, error) {
			_, said, err := b.EndAccount(b.ctx, b.caller, id, false)
			return said, err
		},
		"revoked": func(id string) (connect.Revocation, error) {
			_, said, err := b.RevokeAccount(b.ctx, b.caller, id)
			return said, err
		},
	}
	for name, end := range ways {
		a := b.connected(c, "user of "+name, connectPerson{ID: name, Name: name})
		unopened := b.link(connect.NewLink{AccountID: a.ID})
		atProvider := b.link(connect.NewLink{AccountID: a.ID})
		back := b.provider.Consent(t, b.press(atProvider, "browser-2", nil), ann)
		other := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "somebody else of " + name})

		said, err := end(a.ID)
		must(t, err)
		if said.Links != 2 {
			t.Errorf("%s: %d links closed", name, said.Links)
		}
		if step, err := b.SubmitLink(b.ctx, unopened.Token, "browser-1", origin, nil); err == nil && step.Redirect != "" {
			t.Errorf("%s: a link that nobody had opened leads to %s", name, step.Redirect)
		}
		if step, err := b.FinishCallback(b.ctx, params(back), "browser-2", origin); err == nil {
			t.Errorf("%s: the way back from the provider ends in %+v", name, step)
		}
		if now := b.account(a.ID); now.Status != connect.Revoked || holdsSecret(now) {
			t.Errorf("%s: the account is %s", name, now.Status)
		}
		if b.press(other, "browser-3", nil) == "" {
			t.Errorf("%s: another account's link is closed too", name)
		}
	}
	later := b.connected(c, "later", bob)
	_, _, err := b.EndAccount(b.ctx, b.caller, later.ID, false)
	must(t, err)
	b.link(connect.NewLink{AccountID: later.ID})
	_, said, err := b.EndAccount(b.ctx, b.caller, later.ID, false)
	if err != nil || said.Links != 1 {
		t.Errorf("ended again: %d links closed, %v", said.Links, err)
	}
}

func TestRevokeAndDelete(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	a := b.connected(c, "u", ann)

	got, said, err := b.RevokeAccount(b.ctx, b.caller, a.ID)
	must(t, err)
	if diff := cmp.Diff([]string{"refresh_token", "access_token"}, said.Tokens); diff != "" {
		t.Error(diff)
	}
	now := b.account(a.ID)
	if got.Status != connect.Revoked || now.Status != connect.Revoked || !now.Values["access_token"].Empty() || !strings.Contains(now.StatusReason, "revoked at Acme") {
		t.Errorf("%s: %s", now.Status, now.StatusReason)
	}
	again, said, err := b.RevokeAccount(b.ctx, b.caller, a.ID)
	if err != nil || again.Status != connect.Revoked || len(said.Tokens) != 0 || said.Outcome != connect.NothingToEnd {
		t.Errorf("revoked again: %s %+v %v", again.Status, said, err)
	}
	_, _, err = b.RevokeAccount(b.ctx, b.caller, b.link(connect.NewLink{AuthConfigID: c.ID, UserID: "later"}).Account.ID)
	wantFault(t, err, fault.Conflict, fault.SlugAccountState, "INITIALIZING")

	k := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "u"})
	_, _, err = b.RevokeAccount(b.ctx, b.caller, k.ID)
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "no way to revoke")
	said, err = b.DeleteAccount(b.ctx, b.caller, k.ID)
	must(t, err)
	if len(said.Tokens) > 0 || !strings.Contains(said.Note, "no way") {
		t.Errorf("%+v", said)
	}

	d := b.connected(c, "u2", bob)
	b.provider.Change(func() { b.provider.Fail = failOn("/revoke", 503, "down") })
	said, err = b.DeleteAccount(b.ctx, b.caller, d.ID)
	must(t, err)
	if !strings.Contains(said.Note, "did not confirm") {
		t.Errorf("%+v", said)
	}
	if _, err := b.Account(b.ctx, b.caller, d.ID); !fault.Is(err, fault.NotFound) {
		t.Error("an account whose provider is down cannot be deleted")
	}
}

func TestRevokeInTheProvidersOwnWay(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.provider.BasicAuth, b.provider.ExpiresIn = true, 0
	b.provider.Token = func(access, _ string, who connectPerson) any {
		return map[string]any{"authed_user": map[string]any{"access_token": access}}
	}
	a := b.connected(b.oauthConfig("slackish"), "u", ann)
	b.provider.Change(func() { b.provider.Fail = failOn("/applications/client-1/grant", 204, "") })
	said, err := b.DeleteAccount(b.ctx, b.caller, a.ID)
	must(t, err)
	asked := b.provider.Requests("/applications/client-1/grant")
	if len(asked) != 1 || asked[0].Method != "DELETE" || asked[0].Form.Get("access_token") != a.Values["access_token"].Reveal() ||
		!strings.HasPrefix(asked[0].Header.Get("Authorization"), "Basic ") || asked[0].Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%+v", asked)
	}
	if diff := cmp.Diff([]string{"access_token"}, said.Tokens); diff != "" {
		t.Error(diff)
	}
}

func TestProviderThatCannotBeReached(t *testing.T) {
	t.Parallel()
	b := newBed(t, func(o *connect.Options) {
		client, err := outbound.New(outbound.Options{}) // nothing private is allowed
		if err != nil {
			panic(err)
		}
		o.HTTP = client
	})
	l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
	b.signIn(l, ann)
	a := b.account(l.Account.ID)
	if a.Status != connect.Failed || !strings.Contains(a.StatusReason, "127.0.0.1") || !strings.Contains(a.StatusReason, "cannot be reached") {
		t.Errorf("%s: %s", a.Status, a.StatusReason)
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.config("keyed", connect.APIKey, nil)
	first, second := b.imported(c, connect.NewAccount{UserID: "u"}), b.imported(c, connect.NewAccount{UserID: "u"})
	b.enable(second.ID, false)
	sel := connect.Selection{UserID: "u", Toolkit: "keyed"}
	got, err := b.Choices(b.ctx, b.caller, sel)
	must(t, err)
	if len(got.All) != 2 || got.Used == nil || got.Used.ID != first.ID || got.Problem != nil {
		t.Fatalf("%+v", got)
	}
	for _, choice := range got.All {
		if (choice.Problem != nil) != (choice.Account.ID == second.ID) {
			t.Errorf("%s: %v", choice.Account.ID, choice.Problem)
		}
	}
	b.enable(first.ID, false)
	got, err = b.Choices(b.ctx, b.caller, sel)
	must(t, err)
	if got.Used != nil {
		t.Fatal("an account is used although none can be")
	}
	wantFault(t, got.Problem, fault.Unprocessable, fault.SlugAccountState, first.ID, second.ID)
	_, err = b.DeleteAccount(b.ctx, b.caller, first.ID)
	must(t, err)
	for id, want := range map[string]bool{first.ID: true, second.ID: false, "ca_never": false} {
		if was, err := b.WasDeleted(b.ctx, b.caller, id); err != nil || was != want {
			t.Errorf("%s was deleted: %v, %v", id, was, err)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.config("keyed", connect.APIKey, nil)
	a := b.imported(c, connect.NewAccount{UserID: "u"})
	b.imported(c, connect.NewAccount{UserID: "v"})
	accounts, page, err := b.ListAccounts(b.ctx, b.caller, connect.AccountFilter{UserIDs: []string{"u"}, Statuses: []connect.Status{connect.Active}, AuthConfigIDs: []string{c.ID}})
	must(t, err)
	if len(accounts) != 1 || accounts[0].ID != a.ID || page.Total != 1 {
		t.Errorf("%d accounts", len(accounts))
	}
	configs, _, err := b.ListAuthConfigs(b.ctx, b.caller, connect.AuthConfigFilter{Toolkits: []string{"keyed"}})
	must(t, err)
	if len(configs) != 1 || configs[0].ID != c.ID || configs[0].Connections != 2 {
		t.Errorf("%+v", configs)
	}
}

func TestProviderQuirks(t *testing.T) {
	t.Parallel()
	t.Run("comma scopes, Basic client, tokens below another member, no end", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		b.provider.BasicAuth, b.provider.ExpiresIn = true, 0
		b.provider.Token = func(access, _ string, who connectPerson) any {
			return map[string]any{"ok": true, "team": map[string]any{"id": "T1"}, "authed_user": map[string]any{"id": who.ID, "access_token": access, "scope": "search:read,chat:write"}}
		}
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("slackish").ID})
		to := b.press(l, "browser-1", nil)
		for _, part := range []string{"scope=chat%3Awrite%2Cusers%3Aread", "user_scope=search%3Aread"} {
			if !strings.Contains(to, part) {
				t.Errorf("%s lacks %s", to, part)
			}
		}
		if strings.Contains(to, "code_challenge") {
			t.Error("PKCE where the provider refuses it")
		}
		_, err := b.FinishCallback(b.ctx, params(b.provider.Consent(t, to, ann)), "browser-1", origin)
		must(t, err)
		a := b.account(l.Account.ID)
		if a.Status != connect.Active || a.Values["team"].Reveal() != "T1" || !a.TokenExpiry.IsZero() {
			t.Errorf("%+v", a)
		}
		if diff := cmp.Diff([]string{"search:read", "chat:write"}, a.Scopes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an error in an answer of status 200", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		b.provider.Fail = failOn("/token", 200, `{"ok":false,"error":"invalid_code"}`)
		l := b.link(connect.NewLink{AuthConfigID: b.oauthConfig("acme").ID})
		b.signIn(l, ann)
		if a := b.account(l.Account.ID); a.Status != connect.Failed || !strings.Contains(a.StatusReason, "invalid_code") {
			t.Errorf("%s: %s", a.Status, a.StatusReason)
		}
	})
	t.Run("reports a refused credential with status 200", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		c := b.config("okfalse", connect.BearerToken, nil)
		token, _ := b.provider.Issue(ann)
		b.provider.Change(func() { b.provider.Fail = failOn("/me", 200, `{"ok":false,"error":"invalid_auth"}`) })
		_, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"token": token}})
		wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "does not accept")
		b.provider.Change(func() { b.provider.Fail = failOn("/me", 200, `{"ok":false,"error":"ratelimited"}`) })
		a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{"token": token}})
		must(t, err)
		if (a.Identity != connect.Identity{}) {
			t.Errorf("a failure was read as a person: %+v", a.Identity)
		}
	})
	t.Run("answers as a form", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		b.provider.FormAnswers = true
		a := b.connected(b.oauthConfig("acme"), "u", ann)
		if a.Status != connect.Active || a.Identity.ID != ann.ID || a.TokenExpiry.IsZero() {
			t.Errorf("%+v", a)
		}
	})
	t.Run("says who it is by ID token alone", func(t *testing.T) {
		t.Parallel()
		b := newBed(t)
		b.provider.BasicAuth = true
		b.provider.Token = func(access, _ string, _ connectPerson) any {
			// {"sub":"s1","name":"Ann Lee","email":"ann@example.com"}
			return map[string]any{"access_token": access, "id_token": "e30.eyJzdWIiOiJzMSIsIm5hbWUiOiJBbm4gTGVlIiwiZW1haWwiOiJhbm5AZXhhbXBsZS5jb20ifQ.sig", "authed_user": map[string]any{"access_token": access}}
		}
		a := b.connected(b.oauthConfig("slackish"), "u", ann)
		if diff := cmp.Diff(connect.Identity{ID: "s1", Name: "Ann Lee", Email: "ann@example.com"}, a.Identity); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSharedValuesOfAnAuthConfig(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	key, _ := b.provider.Issue(ann)
	c, err := b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{Toolkit: "keyed", Scheme: connect.APIKey, Shared: fields("region", "us", "key", key)})
	must(t, err)
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if len(v.Fields) != 1 || v.Fields[0].Name != "size" {
		t.Errorf("the page asks for %v", v.Fields)
	}
	b.press(l, "browser-1", nil)
	a := b.account(l.Account.ID)
	if _, copied := a.Values["key"]; copied {
		t.Error("the shared key was copied to the account")
	}
	if cred := b.credential(a); cred.Header["X-Acme-Key"].Reveal() != key || cred.Header["X-Region"].Reveal() != "us" {
		t.Error("the account does not inherit")
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Shared: fields("region", "eu")})
	must(t, err)
	if cred := b.credential(a); cred.Header["X-Region"].Reveal() != "eu" {
		t.Error("a changed value is not seen")
	}
	imported, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "v"})
	must(t, err) // although the key is required: the auth config gives it
	if len(imported.Values) > 0 {
		t.Error("a default was put over what the auth config gives")
	}
	if got := b.PublicShared(b.caller, c); got["region"] != "us" || got["key"] != connect.Redacted {
		t.Errorf("%v", got)
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Shared: fields("key", connect.Redacted, "size", "4")}) // as it was shown
	must(t, err)
	if cred := b.credential(a); cred.Header["X-Acme-Key"].Reveal() != key {
		t.Error("a masked value was stored over the real one")
	}
	_, err = b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{Shared: fields("size", "big")})
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "shared_credentials.size", "must be a number")
	_, err = b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{Toolkit: "keyed", Scheme: connect.APIKey, Shared: fields("size", "big")})
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "shared_credentials.size")
}

// TestPrefilledFieldsAreNeverShown has the application give beforehand what its users are not to see.
func TestPrefilledFieldsAreNeverShown(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	key, _ := b.provider.Issue(ann)
	l := b.link(connect.NewLink{AuthConfigID: b.config("keyed", connect.APIKey, nil).ID, Data: map[string]string{"key": key, "region": "us"}})
	v, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	if shown := fmt.Sprintf("%+v", v); len(v.Fields) != 1 || v.Fields[0].Name != "size" || strings.Contains(shown, key) || strings.Contains(shown, "us,") {
		t.Errorf("the page shows %s", shown)
	}
	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"key": "another", "region": "moon", "size": "3"})
	must(t, err)
	a := b.account(l.Account.ID)
	if step.View.Status != connect.Active || a.Values["key"].Reveal() != key || a.Values["region"].Reveal() != "us" || a.Values["size"].Reveal() != "3" {
		t.Errorf("the user changed what the application gave: %+v", step.View)
	}
}

func TestSitesThatAreNoHosts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.link(connect.NewLink{AuthConfigID: b.config("tenant", connect.APIKey, nil).ID})
	_, err := b.OpenLink(b.ctx, l.Token, "browser-1")
	must(t, err)
	for _, site := range []string{"evil.example/", "a@b", "x#", "x:80"} {
		step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"site": site, "key": "k"})
		must(t, err)
		if !strings.Contains(step.Faults[""], `"site"`) {
			t.Errorf("%q: %+v", site, step)
		}
	}
	step, err := b.SubmitLink(b.ctx, l.Token, "browser-1", origin, map[string]string{"site": "mine", "key": "k"})
	must(t, err)
	if step.View.Status != connect.Active {
		t.Errorf("%+v", step)
	}
}
