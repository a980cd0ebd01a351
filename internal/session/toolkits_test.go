package session_test

import (
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

func TestToolkits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	w.authConfig(t, ours, "ac_gmail", "gmail")
	w.authConfig(t, ours, "ac_slack", "slack")
	w.account(t, "ca_dead", "ann", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) { a.Status = connect.Expired })
	w.account(t, "ca_bobs", "bob", "slack", "ac_slack", nil)
	id := w.create(t, "ann", func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"hackernews"}} }).Session.ID
	yes, no := true, false
	cases := map[string]struct {
		query session.ToolkitQuery
		want  []string // slug, account, whether it is enabled
	}{
		"all that is allowed": {session.ToolkitQuery{}, []string{"github ca_github on", "gmail ca_dead on", "slack - on"}},
		"connected":           {session.ToolkitQuery{Connected: &yes}, []string{"github ca_github on"}},
		"not connected":       {session.ToolkitQuery{Connected: &no}, []string{"gmail ca_dead on", "slack - on"}},
		"named, also what is not allowed": {
			session.ToolkitQuery{Slugs: []string{"Slack", "HACKERNEWS", "nowhere"}}, []string{"slack - on", "hackernews - off"},
		},
		"searched":         {session.ToolkitQuery{Search: "email"}, []string{"gmail ca_dead on"}},
		"searched in vain": {session.ToolkitQuery{Search: "hackernews"}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			states, page, err := w.Toolkits(t.Context(), ours, id, c.query)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range states {
				line := s.Toolkit.Slug + " - "
				if s.Account != nil {
					line = s.Toolkit.Slug + " " + s.Account.ID + " "
					if s.AuthConfig == nil || s.AuthConfig.ID != s.Account.AuthConfigID {
						t.Errorf("%s: auth config %+v", s.Toolkit.Slug, s.AuthConfig)
					}
				}
				got = append(got, line+map[bool]string{true: "on", false: "off"}[s.Enabled])
			}
			same(t, got, c.want)
			if page.Total != len(c.want) || page.Next != "" {
				t.Errorf("page %+v", page)
			}
		})
	}
	_, _, err := w.Toolkits(t.Context(), ours, id, session.ToolkitQuery{Cursor: "%"})
	wantFault(t, err, fault.Invalid, fault.SlugInvalid)
}

func TestToolkitsPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	var got []string
	q := session.ToolkitQuery{Limit: 3}
	for range 10 {
		states, page, err := w.Toolkits(t.Context(), ours, id, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			got = append(got, s.Toolkit.Slug)
		}
		if page.Total != 4 {
			t.Errorf("total %d", page.Total)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	same(t, got, []string{"github", "gmail", "slack", "hackernews"})
}

func TestToolkitsSayWhatIsWrongWithAPin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	id := w.create(t, "ann", func(c *session.Config) { c.ConnectedAccounts = map[string][]string{"github": {"ca_github"}} }).Session.ID
	problem := func() string {
		states, _, err := w.Toolkits(t.Context(), ours, id, session.ToolkitQuery{Slugs: []string{"github"}})
		if err != nil {
			t.Fatal(err)
		}
		return states[0].Problem
	}
	if text := problem(); text != "" {
		t.Errorf("problem %q", text)
	}
	if err := w.store.DeleteAccount(t.Context(), ours.ProjectID, "ca_github"); err != nil {
		t.Fatal(err)
	}
	if text := problem(); !strings.Contains(text, "ca_github does not exist any more") || !strings.Contains(text, "connected_accounts.github") {
		t.Errorf("problem %q", text)
	}
}

// Which account and which line of the policy a call would use, and why.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	w.authConfig(t, ours, "ac_gmail", "gmail")
	w.account(t, "ca_older", "ann", "gmail", "ac_gmail", func(a *connect.ConnectedAccount) { a.ConnectedAt = today.Add(-1) })
	w.account(t, "ca_newer", "ann", "gmail", "ac_gmail", nil)
	cases := map[string]struct {
		config  func(*session.Config)
		what    string
		works   bool
		account string
		policy  string
		chosen  string
		fix     string
	}{
		"nothing said": {
			what: "gmail", works: true, account: "ca_newer", policy: "The session has no filter that concerns it.", chosen: "the one connected last",
		},
		"pinned": {
			config: func(c *session.Config) { c.ConnectedAccounts = map[string][]string{"gmail": {"ca_older"}} },
			what:   "GMAIL_SEND_EMAIL", works: true, account: "ca_older", policy: "no filter", chosen: "connected_accounts.gmail pins ca_older",
		},
		"auth config": {
			config: func(c *session.Config) { c.AuthConfigs = map[string]string{"gmail": "ac_gmail"} },
			what:   "gmail", works: true, account: "ca_newer", policy: "no filter", chosen: "auth_configs.gmail chooses ac_gmail",
		},
		"has to be named": {
			config: func(c *session.Config) {
				c.MultiAccount = session.MultiAccount{Enable: true, RequireExplicit: true}
			},
			what: "gmail", works: true, policy: "no filter", chosen: "each call has to name one in account",
		},
		"enabled list": {
			config: func(c *session.Config) {
				c.Tools = map[string]session.ToolFilter{"github": {Only: true, Enable: []string{"GITHUB_LIST_REPOSITORIES"}}}
			},
			what: "github_list_repositories", works: true, account: "ca_github", policy: "tools.github.enable names it.", chosen: "Nothing is pinned",
		},
		"refused by a tag": {
			config: func(c *session.Config) { c.Tags = &session.TagFilter{Enable: []string{"readOnlyHint"}} },
			what:   "GMAIL_SEND_EMAIL", account: "ca_newer", policy: "tags.enable asks for one of readOnlyHint", chosen: "connected last", fix: "tools.gmail.enable",
		},
		"let in by a tag": {
			config: func(c *session.Config) { c.Tags = &session.TagFilter{Enable: []string{"readOnlyHint"}} },
			what:   "GMAIL_FETCH_EMAILS", works: true, account: "ca_newer", policy: "Its tags fit: tags.enable", chosen: "connected last",
		},
		"toolkit refused": {
			config: func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"slack"}} },
			what:   "gmail", account: "ca_newer", policy: "toolkits.enable allows only slack", chosen: "connected last", fix: `add "gmail" to toolkits.enable`,
		},
		"not connected": {
			what: "slack", policy: "no filter", chosen: "has not connected Slack", fix: "COMPOSIO_MANAGE_CONNECTIONS",
		},
		"no account needed": {what: "hackernews", works: true, policy: "no filter", chosen: "needs no account"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := w.create(t, "ann", c.config).Session.ID
			d, err := w.Diagnose(t.Context(), ours, id, c.what)
			if err != nil {
				t.Fatal(err)
			}
			account := ""
			if d.Account != nil {
				account = d.Account.ID
			}
			if d.Works != c.works || account != c.account || !strings.Contains(d.Policy, c.policy) || !strings.Contains(d.Chosen, c.chosen) ||
				c.fix == "" && d.Fix != "" || !strings.Contains(d.Fix, c.fix) {
				t.Errorf("works %v, account %q\npolicy %q\nchosen %q\nfix %q", d.Works, account, d.Policy, d.Chosen, d.Fix)
			}
		})
	}
	_, err := w.Diagnose(t.Context(), ours, w.create(t, "ann", nil).Session.ID, "gmial")
	if f := wantFault(t, err, fault.NotFound, fault.SlugSessionToolNotFound); !strings.Contains(f.Message, "did you mean gmail") {
		t.Errorf("message %q", f.Message)
	}
}
