package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.create(t, "ann", func(c *session.Config) {
		c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"GitHub", "github", "composio"}}
		c.Tools = map[string]session.ToolFilter{"github": {Only: true, Enable: []string{"github_create_issue"}}}
		c.ToolkitVersions = map[string]string{"github": "20260101_00"}
		c.Preload.Tools = []string{"GITHUB_CREATE_ISSUE", "COMPOSIO_SEARCH_TOOLS"}
	})
	s := created.Session
	same(t, s.Config.Toolkits, &session.ToolkitFilter{Only: true, Enable: []string{"github"}})
	same(t, s.Config.Tools["github"].Enable, []string{"GITHUB_CREATE_AN_ISSUE"}) // the current slug, not the old one
	same(t, s.Config.Preload.Tools, []string{"GITHUB_CREATE_AN_ISSUE"})
	if s.Version != 1 || !s.ExpiresAt.IsZero() || !s.CreatedAt.Equal(today) || len(created.Warnings) != 0 {
		t.Errorf("session %+v, warnings %v", s, created.Warnings)
	}
	if !strings.HasPrefix(created.Token, "pst_") || strings.Contains(s.TokenHash, created.Token) || len(s.TokenHash) != 64 {
		t.Errorf("token %q is kept as %q", created.Token, s.TokenHash)
	}
	stored, err := w.store.Session(t.Context(), ours.ProjectID, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, stored, s)
	if again := w.create(t, "ann", nil); again.Session.ID == s.ID {
		t.Error("a second session of the user has the same id")
	}
}

func TestCreateTellsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, theirs, "ac_theirs", "github")
	w.authConfig(t, ours, "ac_gmail", "gmail")
	w.account(t, "ca_bobs", "bob", "gmail", "ac_gmail", nil)
	config := session.DefaultConfig()
	config.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"githb", "gmail"}}
	config.Tools = map[string]session.ToolFilter{
		"gmail": {Only: true, Enable: []string{"GMAIL_SEND_EMIAL", "SLACK_SEND_MESSAGE"}},
		"slack": {Disable: []string{"SLACK_LIST_CHANNELS"}, Tags: &session.TagFilter{Enable: []string{"readonly"}}},
	}
	config.AuthConfigs = map[string]string{"github": "ac_theirs", "gmail": "nonsense", "slack": "ac_gmail"}
	config.ConnectedAccounts = map[string][]string{"gmail": {"ca_bobs"}, "slack": {"ca_a", "ca_b"}}
	config.MultiAccount = session.MultiAccount{Max: 11}
	config.ToolkitVersions = map[string]string{"gmail": "2020"}
	config.Preload.Tools = []string{"SLACK_SEND_MESSAGE"}
	config.ManageConnections.CallbackURL = "javascript:alert(1)"
	config.LinkURLOverwrite = "login.example"
	config.Timezone = "Mars/Olympus"
	config.Workbench = session.Workbench{Size: "huge", OffloadThreshold: -1}
	_, err := w.Create(t.Context(), ours, session.NewSession{
		UserID: " ", Config: config, TTL: -1,
		Custom: session.CustomTools{Tools: []session.CustomTool{{OriginalSlug: "no good"}}},
	})
	f := wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid)
	if f.Code != fault.CodeSessionInvalid || !f.NoRetry || f.Fix == "" {
		t.Errorf("code %d, no retry %v, fix %q", f.Code, f.NoRetry, f.Fix)
	}
	for _, want := range []string{
		`user_id: it is missing or empty`,
		`ttl: -1 is not between`,
		`custom_tools[0]: slug "no good" must consist of`,
		`custom_tools[0]: input_schema must be`,
		`toolkits.enable: there is no toolkit "githb"; did you mean github`,
		`tools.gmail.enable: there is no tool "GMAIL_SEND_EMIAL"; did you mean GMAIL_SEND_EMAIL`,
		`tools.gmail.enable: SLACK_SEND_MESSAGE is a tool of slack; put it under tools.slack`,
		`tools.slack: give one of enable, disable and tags`,
		`tools.slack.tags: there is no tag "readonly"`,
		`toolkit_versions.gmail: there is no version "2020"`,
		`multi_account: enable is false, but other members are set`,
		`multi_account.max_accounts_per_toolkit: 11 is not between 2 and 10`,
		`manage_connections.callback_url: "javascript:alert(1)"`,
		`experimental.link_url_overwrite: "login.example"`,
		`user_timezone: "Mars/Olympus"`,
		`workbench.sandbox_size: "huge"`,
		`workbench.auto_offload_threshold: -1`,
		`auth_configs.github: this project has no auth config ac_theirs`,
		`auth_configs.gmail: "nonsense" is not the id of an auth config`,
		`auth_configs.slack: ac_gmail is an auth config of gmail`,
		`connected_accounts.gmail: ca_bobs is another user's account`,
		`connected_accounts.slack: 2 accounts are pinned, but multi_account is off`,
		`connected_accounts.slack: this project has no connected account ca_a`,
		`preload.tools: [Session Restriction] Toolkit 'slack' is not allowed`,
	} {
		if !slices.ContainsFunc(f.Details, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("no fault says %q", want)
		}
	}
	if t.Failed() {
		t.Logf("faults:\n%s", strings.Join(f.Details, "\n"))
	}
	if sessions, _, err := w.List(t.Context(), ours, session.Filter{}); err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions were stored, %v", len(sessions), err)
	}
}

// Who pins what: strangers stay out, and what has merely died costs the session one toolkit.
// Each suggestion costs a look at the whole catalog, and a request may name a million tools that do not exist.
func TestSuggestionsAreBounded(t *testing.T) {
	t.Parallel()
	config := session.DefaultConfig()
	config.Preload.Tools = slices.Repeat([]string{"GMAIL_SEND_EMIAL"}, 50)
	_, err := newWorld(t).Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: config})
	helped := 0
	for _, line := range wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid).Details {
		if strings.Contains(line, "did you mean") {
			helped++
		}
	}
	if helped != 20 {
		t.Errorf("%d faults come with a suggestion, want 20", helped)
	}
}

func TestPinnedAccounts(t *testing.T) {
	t.Parallel()
	multi := func(c *session.Config) { c.MultiAccount.Enable = true }
	cases := map[string]struct {
		pins   []string
		also   func(*session.Config)
		faults []string // all of them; then the code is the one of invalid accounts
		warns  string
	}{
		"one's own":                {pins: []string{"ca_own"}},
		"another user's":           {pins: []string{"ca_bobs"}, faults: []string{"ca_bobs is another user's account"}},
		"another project's":        {pins: []string{"ca_foreign"}, faults: []string{"this project has no connected account ca_foreign"}},
		"malformed":                {pins: []string{"own"}, faults: []string{`"own" is not the id of a connected account`}},
		"of another toolkit":       {pins: []string{"ca_slack"}, faults: []string{"ca_slack is an account of slack"}},
		"none":                     {pins: []string{}, faults: []string{"the list is empty"}},
		"shared with everybody":    {pins: []string{"ca_team"}},
		"shared with others":       {pins: []string{"ca_club"}, faults: []string{`its ACL does not let user "ann" use it`}},
		"expired":                  {pins: []string{"ca_dead"}, warns: "account ca_dead is EXPIRED (The provider ended it), so gmail cannot be used"},
		"deleted":                  {pins: []string{"ca_gone"}, warns: "account ca_gone was deleted, so gmail cannot be used"},
		"deleted in other project": {pins: []string{"ca_gone_theirs"}, faults: []string{"this project has no connected account ca_gone_theirs"}},
		"two without multi":        {pins: []string{"ca_own", "ca_own2"}, faults: []string{"2 accounts are pinned, but multi_account is off"}},
		"two with multi":           {pins: []string{"ca_own", "ca_own2"}, also: multi},
		"twice the same":           {pins: []string{"ca_own", "ca_own"}, also: multi, faults: []string{"an account is named twice"}},
		"private beside shared":    {pins: []string{"ca_own", "ca_team"}, also: multi},
		"two shared":               {pins: []string{"ca_team", "ca_team2"}, also: multi, faults: []string{"2 SHARED accounts are pinned"}},
		"more than allowed": {
			pins: []string{"ca_own", "ca_own2", "ca_team"}, faults: []string{"3 accounts are pinned, more than"},
			also: func(c *session.Config) { c.MultiAccount = session.MultiAccount{Enable: true, Max: 2} },
		},
	}
	w := newWorld(t)
	w.authConfig(t, ours, "ac_gmail", "gmail")
	w.authConfig(t, ours, "ac_slack", "slack")
	w.authConfig(t, theirs, "ac_theirs", "gmail")
	shared := func(acl connect.ACL) func(*connect.ConnectedAccount) {
		return func(a *connect.ConnectedAccount) { a.Type, a.ACL = connect.Shared, acl }
	}
	foreign := func(a *connect.ConnectedAccount) { a.ProjectID = theirs.ProjectID }
	w.account(t, "ca_own", "ann", "gmail", "ac_gmail", nil)
	w.account(t, "ca_own2", "ann", "gmail", "ac_gmail", nil)
	w.account(t, "ca_bobs", "bob", "gmail", "ac_gmail", nil)
	w.account(t, "ca_slack", "ann", "slack", "ac_slack", nil)
	w.account(t, "ca_foreign", "ann", "gmail", "ac_theirs", foreign)
	w.account(t, "ca_team", "bob", "gmail", "ac_gmail", shared(connect.ACL{AllowAll: true}))
	w.account(t, "ca_team2", "bob", "gmail", "ac_gmail", shared(connect.ACL{Allowed: []string{"ann"}}))
	w.account(t, "ca_club", "bob", "gmail", "ac_gmail", shared(connect.ACL{AllowAll: true, Denied: []string{"ann"}}))
	w.account(t, "ca_dead", "ann", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) {
		a.Status, a.StatusReason = connect.Expired, "The provider ended it."
	})
	w.account(t, "ca_gone", "ann", "gmail", "ac_gmail", nil)
	w.account(t, "ca_gone_theirs", "ann", "gmail", "ac_theirs", foreign)
	if err := w.store.DeleteAccount(t.Context(), ours.ProjectID, "ca_gone"); err != nil {
		t.Fatal(err)
	}
	if err := w.store.DeleteAccount(t.Context(), theirs.ProjectID, "ca_gone_theirs"); err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := session.DefaultConfig()
			config.ConnectedAccounts = map[string][]string{"gmail": c.pins}
			if c.also != nil {
				c.also(&config)
			}
			created, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: config})
			if len(c.faults) > 0 {
				f := wantFault(t, err, fault.Invalid, fault.SlugInvalidAccountIDs)
				if f.Code != fault.CodeInvalidAccountIDs || len(f.Details) != len(c.faults) {
					t.Errorf("code %d, faults %q", f.Code, f.Details)
				}
				for i, want := range c.faults {
					if !strings.Contains(f.Details[i], want) {
						t.Errorf("fault %q, want %q", f.Details[i], want)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, created.Session.Config.ConnectedAccounts["gmail"], c.pins)
			var warnings []string
			for _, warning := range created.Warnings {
				warnings = append(warnings, warning.Message)
			}
			if c.warns == "" && len(warnings) > 0 || c.warns != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], c.warns)) {
				t.Errorf("warnings %q, want %q", warnings, c.warns)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_gmail", "gmail")
	if _, err := w.store.UpdateAuthConfig(t.Context(), ours.ProjectID, "ac_gmail", func(c *connect.AuthConfig) error {
		c.Enabled = false
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	config := session.DefaultConfig()
	config.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}}
	config.Tools = map[string]session.ToolFilter{"slack": {Disable: []string{"SLACK_SEND_MESSAGE"}}}
	config.AuthConfigs = map[string]string{"gmail": "ac_gmail"}
	config.Permissions = []byte(`{"default":"ask_every_call"}`)
	config.MultiAccount = session.MultiAccount{Enable: true, RequireExplicit: true}
	config.Preload.Tools = []string{"GMAIL_SEND_EMAIL"}
	created, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: config, WantsSandbox: true, KnownNoise: []string{"colour"}})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, warning := range created.Warnings {
		codes = append(codes, warning.Code)
	}
	slices.Sort(codes)
	same(t, codes, []string{
		"AUTH_CONFIG_UNUSABLE", "FILTER_WITHOUT_EFFECT", "PERMISSIONS_NOT_ENFORCED", "PRELOAD_WITH_ACCOUNT_SELECTION", "SANDBOX_NOT_AVAILABLE", "UNKNOWN_KEYS_IGNORED",
	})
	same(t, string(created.Session.Config.Permissions), `{"default":"ask_every_call"}`)
}

func TestPreloadAllNeedsAFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(change func(*session.Config)) error {
		config := session.Config{Preload: session.Preload{All: true}}
		change(&config)
		_, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: config})
		return err
	}
	for name, change := range map[string]func(*session.Config){
		"none":              func(*session.Config) {},
		"toolkits disabled": func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"gmail"}} },
		"tags disabled":     func(c *session.Config) { c.Tags = &session.TagFilter{Disable: []string{"destructiveHint"}} },
		"tools only disabled": func(c *session.Config) {
			c.Tools = map[string]session.ToolFilter{"gmail": {Disable: []string{"GMAIL_SEND_EMAIL"}}}
		},
	} {
		f := wantFault(t, create(change), fault.Invalid, fault.SlugSessionInvalid)
		if len(f.Details) != 1 || !strings.Contains(f.Details[0], `preload.tools: "all" needs a filter`) {
			t.Errorf("%s: %q", name, f.Details)
		}
	}
	for name, change := range map[string]func(*session.Config){
		"toolkits": func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}} },
		"tools": func(c *session.Config) {
			c.Tools = map[string]session.ToolFilter{"gmail": {Only: true, Enable: []string{"GMAIL_SEND_EMAIL"}}}
		},
		"tags": func(c *session.Config) { c.Tags = &session.TagFilter{Enable: []string{"readOnlyHint"}} },
	} {
		if err := create(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSavedConfigurationsNeverWiden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: session.DefaultConfig(), ConfigID: "sc_1"})
	if f := wantFault(t, err, fault.NotFound, fault.SlugNotFound); !f.NoRetry {
		t.Error("an SDK would repeat it")
	}
}

func TestCustomToolsAreEchoed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := []byte(`{"type":"object","properties":{"a":{"type":"number"}}}`)
	custom := session.CustomTools{
		Tools: []session.CustomTool{
			{OriginalSlug: "MY_ADD", Name: "Add", Description: "adds", InputSchema: input, Preload: true},
			{OriginalSlug: "my-file", Name: "File", Description: "files an issue", InputSchema: input, ExtendsToolkit: "GitHub"},
		},
		Toolkits: []session.CustomToolkit{{Slug: "devtk", Name: "Dev", Description: "dev kit", Tools: []session.CustomTool{
			{OriginalSlug: "PING", Name: "Ping", Description: "pings", InputSchema: input},
		}}},
	}
	created, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: session.DefaultConfig(), Custom: custom})
	if err != nil {
		t.Fatal(err)
	}
	attached, err := w.Attach(t.Context(), ours, created.Session.ID, custom)
	if err != nil {
		t.Fatal(err)
	}
	for name, echo := range map[string]session.CustomTools{"create": created.Custom, "attach": attached.Custom} {
		if len(echo.Tools) != 2 || len(echo.Toolkits) != 1 || len(echo.Toolkits[0].Tools) != 1 {
			t.Fatalf("%s: %+v", name, echo)
		}
		got := []string{echo.Tools[0].Slug, echo.Tools[0].OriginalSlug, echo.Tools[1].Slug, echo.Tools[1].ExtendsToolkit, echo.Toolkits[0].Tools[0].Slug}
		same(t, got, []string{"LOCAL_MY_ADD", "MY_ADD", "LOCAL_GITHUB_MY-FILE", "github", "LOCAL_DEVTK_PING"})
	}
	if attached.Token != "" {
		t.Error("attach gives a token")
	}

	custom.Tools = append(custom.Tools,
		session.CustomTool{OriginalSlug: "MY_ADD", Name: "Twice", Description: "d", InputSchema: input},
		session.CustomTool{OriginalSlug: strings.Repeat("x", 60), Name: "Long", Description: "d", InputSchema: input},
		session.CustomTool{OriginalSlug: "BAD", Name: "", Description: strings.Repeat("d", 6000), InputSchema: []byte(`{"type":"object"}`), ExtendsToolkit: "nowhere"},
	)
	_, err = w.Attach(t.Context(), ours, created.Session.ID, custom)
	f := wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid)
	if len(f.Details) != 6 {
		t.Errorf("faults %q", f.Details)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created, err := w.Create(t.Context(), ours, session.NewSession{UserID: "ann", Config: session.DefaultConfig(), TTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	id := created.Session.ID
	if _, err := w.Open(t.Context(), ours, id); err != nil {
		t.Fatal(err)
	}
	w.clock.move(time.Minute)
	_, err = w.Open(t.Context(), ours, id) // it is still in memory
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)
	_, err = w.Authenticate(t.Context(), created.Token)
	wantFault(t, err, fault.Unauthorized, fault.SlugUnauthorized)
	if n, err := w.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.create(t, "ann", nil)
	id := created.Session.ID
	if err := w.Delete(t.Context(), theirs, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project's delete: %v", err)
	}
	if err := w.Delete(t.Context(), ours, id); err != nil {
		t.Fatal(err)
	}
	_, err := w.Open(t.Context(), ours, id)
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)
	_, err = w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "HACKERNEWS_GET_TOP_STORIES"})
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)
	_, err = w.Authenticate(t.Context(), created.Token)
	wantFault(t, err, fault.Unauthorized, fault.SlugUnauthorized)
	wantFault(t, w.Delete(t.Context(), ours, id), fault.NotFound, fault.SlugSessionNotFound)
}

// A session token opens one session and changes nothing about it.
func TestSessionToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created, other := w.create(t, "ann", nil), w.create(t, "bob", nil)
	caller, err := w.Authenticate(t.Context(), created.Token)
	if err != nil {
		t.Fatal(err)
	}
	same(t, caller, tenant.Caller{ProjectID: ours.ProjectID, SessionID: created.Session.ID})
	if _, err := w.Open(t.Context(), caller, created.Session.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.Execute(t.Context(), caller, created.Session.ID, session.ToolCall{Slug: "HACKERNEWS_GET_TOP_STORIES"}); err != nil {
		t.Error(err)
	}
	_, err = w.Open(t.Context(), caller, other.Session.ID)
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)

	_, err = w.Create(t.Context(), caller, session.NewSession{UserID: "ann", Config: session.DefaultConfig()})
	wantFault(t, err, fault.Forbidden, fault.SlugForbidden)
	_, _, err = w.Update(t.Context(), caller, created.Session.ID, session.Patch{Toolkits: session.Optional[*session.ToolkitFilter]{Set: true, Null: true}})
	wantFault(t, err, fault.Forbidden, fault.SlugForbidden)
	wantFault(t, w.Delete(t.Context(), caller, created.Session.ID), fault.Forbidden, fault.SlugForbidden)
	_, _, err = w.List(t.Context(), caller, session.Filter{})
	wantFault(t, err, fault.Forbidden, fault.SlugForbidden)

	for _, token := range []string{"", "pst_", "ak_123", created.Token + "x"} {
		_, err := w.Authenticate(t.Context(), token)
		wantFault(t, err, fault.Unauthorized, fault.SlugUnauthorized)
	}
}

// A warm session costs no read, whoever opens it, and a bounded number of sessions is kept.
func TestWarmSessionsAreNotRead(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, session.Options{Cached: 2})
	first := w.create(t, "ann", nil)
	caller, err := w.Authenticate(t.Context(), first.Token)
	if err != nil {
		t.Fatal(err)
	}
	before := w.store.count()
	for range 5 {
		if _, err := w.Authenticate(t.Context(), first.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Execute(t.Context(), caller, first.Session.ID, session.ToolCall{Slug: "HACKERNEWS_GET_TOP_STORIES"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.store.count() - before; n != 0 {
		t.Errorf("%d reads while warm", n)
	}
	w.create(t, "bob", nil)
	w.create(t, "cid", nil) // pushes the first one out
	if _, err := w.Open(t.Context(), ours, first.Session.ID); err != nil {
		t.Fatal(err)
	}
	if n := w.store.count() - before; n != 1 {
		t.Errorf("%d reads when cold, want 1", n)
	}
	w.clock.move(2 * time.Minute) // too old to be believed without word of a change
	if _, err := w.Open(t.Context(), ours, first.Session.ID); err != nil {
		t.Fatal(err)
	}
	if n := w.store.count() - before; n != 2 {
		t.Errorf("%d reads when old, want 2", n)
	}
}
