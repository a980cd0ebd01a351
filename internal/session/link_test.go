package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

func TestLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_old", "gmail")
	w.clock.move(time.Minute)
	w.authConfig(t, ours, "ac_new", "gmail")
	id := w.create(t, "ann", func(c *session.Config) {
		c.AuthConfigs = map[string]string{"gmail": "ac_old"}
		c.ManageConnections.CallbackURL = "https://app.example/connected"
	}).Session.ID
	link, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "GMAIL", Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if link.URL != origin+"/link/"+link.Token || link.Request.CallbackURL != "https://app.example/connected" {
		t.Errorf("link %s, callback %s", link.URL, link.Request.CallbackURL)
	}
	if a := link.Account; a.UserID != "ann" || a.AuthConfigID != "ac_old" || a.Status != connect.Initializing {
		t.Errorf("account %+v", a)
	}

	// Asked again before the user is done, it goes on with the same account; another alias is another account.
	again, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "gmail", Origin: origin, CallbackURL: "https://app.example/other"})
	if err != nil {
		t.Fatal(err)
	}
	if again.Account.ID != link.Account.ID || again.Token == link.Token || again.Request.CallbackURL != "https://app.example/other" {
		t.Errorf("account %s after %s, callback %s", again.Account.ID, link.Account.ID, again.Request.CallbackURL)
	}
	work, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "gmail", Alias: "work", Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if work.Account.ID == link.Account.ID || work.Account.Alias != "work" {
		t.Errorf("account %+v", work.Account)
	}
	shared, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "gmail", AccountType: connect.Shared, ACL: &connect.ACL{AllowAll: true}, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if shared.Account.ID == link.Account.ID || shared.Account.Type != connect.Shared || !shared.Account.ACL.AllowAll {
		t.Errorf("account %+v", shared.Account)
	}
}

func TestLinkUnderTheApplicationsHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_gmail", "gmail")
	id := w.create(t, "ann", func(c *session.Config) { c.LinkURLOverwrite = "https://login.example/start/" }).Session.ID
	link, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "gmail", Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://login.example/start/link/" + link.Token; link.URL != want {
		t.Errorf("link %s, want %s", link.URL, want)
	}
	out := w.run(t, id, "COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": "gmail"})
	if !strings.HasPrefix(out.Links[0].URL, "https://login.example/start/link/lt_") || !strings.Contains(string(out.Data), out.Links[0].URL) {
		t.Errorf("link %s, data %s", out.Links[0].URL, out.Data)
	}
}

func TestLinkRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	w.authConfig(t, ours, "ac_gmail", "gmail")
	for _, id := range []string{"ca_1", "ca_2"} {
		w.account(t, id, "ann", "gmail", "ac_gmail", nil)
	}
	created := w.create(t, "ann", func(c *session.Config) {
		c.Toolkits = &session.ToolkitFilter{Disable: []string{"slack"}}
		c.ConnectedAccounts = map[string][]string{"github": {"ca_github"}}
		c.MultiAccount = session.MultiAccount{Enable: true, Max: 2}
		c.ManageConnections.Enable = false
	})
	for _, c := range []struct {
		toolkit string
		kind    fault.Kind
		slug    string
		code    int
	}{
		{"github", fault.Invalid, fault.SlugSessionInvalid, fault.CodeSessionInvalid}, // pinned
		{"hackernews", fault.Invalid, fault.SlugToolkitIsNoAuth, fault.CodeToolkitIsNoAuth},
		{"slack", fault.Forbidden, fault.SlugSessionToolNotAllowed, 0},
		{"slakc", fault.NotFound, fault.SlugToolkitNotFound, 0},
		{"gmail", fault.Invalid, fault.SlugSessionInvalid, fault.CodeSessionInvalid}, // as many as are allowed
	} {
		_, err := w.Link(t.Context(), ours, created.Session.ID, session.LinkRequest{Toolkit: c.toolkit, Origin: origin})
		if f := wantFault(t, err, c.kind, c.slug); f.Code != c.code {
			t.Errorf("%s: code %d, want %d", c.toolkit, f.Code, c.code)
		}
	}
	caller, err := w.Authenticate(t.Context(), created.Token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Link(t.Context(), caller, created.Session.ID, session.LinkRequest{Toolkit: "gmail", Origin: origin})
	f := wantFault(t, err, fault.Forbidden, fault.SlugSessionToolNotAllowed)
	if !strings.Contains(f.Message, "manage_connections.enable is off") {
		t.Errorf("message %q", f.Message)
	}
}

// Without an auth config and without an app of the operator's there is nothing to connect with.
func TestLinkWithoutAuthConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	_, err := w.Link(t.Context(), ours, id, session.LinkRequest{Toolkit: "gmail", Origin: origin})
	if f := wantFault(t, err, fault.Invalid, fault.SlugNoManagedAuth); f.Code != fault.CodeNoManagedAuth {
		t.Errorf("code %d", f.Code)
	}
	out := w.run(t, id, "COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": "gmail"})
	if out.Error == "" || len(out.Links) != 0 {
		t.Errorf("error %q, %d links", out.Error, len(out.Links))
	}
}

// Removing is for accounts that are named, and only where the session lets the agent.
func TestRemoveAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	strict := w.create(t, "ann", func(c *session.Config) { c.ManageConnections.AllowRemoval = false }).Session.ID
	free := w.create(t, "ann", nil).Session.ID
	remove := func(id string, entry object) session.Outcome {
		entry["name"], entry["action"] = "github", "remove"
		return w.run(t, id, "COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": []any{entry}})
	}
	if out := remove(strict, object{"account_id": "ca_github"}); !strings.Contains(out.Error, "enable_connection_removal is off") {
		t.Errorf("error %q", out.Error)
	}
	if out := remove(free, object{}); !strings.Contains(out.Error, "Name one of: ca_github") {
		t.Errorf("error %q", out.Error)
	}
	if out := remove(free, object{"account_id": "GITHUB_github"}); out.Error != "" {
		t.Errorf("error %q", out.Error)
	}
	if _, err := w.store.Account(t.Context(), ours.ProjectID, "ca_github"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the account is still there: %v", err)
	}
}

// A pinned account that died is renewed under its id if it is the user's own, and left to its owner if it is not.
func TestReconnectPinned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_gmail", "gmail")
	expired := func(a *connect.ConnectedAccount) { a.Status = connect.Expired }
	w.account(t, "ca_own", "ann", "gmail", "ac_gmail", expired)
	w.account(t, "ca_team", "bob", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) {
		expired(a)
		a.Type, a.ACL = connect.Shared, connect.ACL{AllowAll: true}
	})
	pinned := func(id string) string {
		return w.create(t, "ann", func(c *session.Config) { c.ConnectedAccounts = map[string][]string{"gmail": {id}} }).Session.ID
	}
	own, team := pinned("ca_own"), pinned("ca_team")
	out := w.run(t, own, "COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": "gmail"})
	if len(out.Links) != 1 || out.Links[0].Account.ID != "ca_own" {
		t.Errorf("%s", out.Data)
	}
	out = w.run(t, team, "COMPOSIO_MANAGE_CONNECTIONS", object{"toolkits": "gmail"})
	if len(out.Links) != 0 || !strings.Contains(out.Error, "only the application or its owner can mend it") {
		t.Errorf("%q: %s", out.Error, out.Data)
	}
}
