package session_test

import (
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// Every combination of what can be said about a tool, and whether it may run then. The toolkit comes first; inside it a list
// beats tags, and the toolkit's tags stand in for the session's.
func TestPolicyPrecedence(t *testing.T) {
	t.Parallel()
	snapshot := testCatalog(t)
	only := func(slugs ...string) *session.ToolkitFilter { return &session.ToolkitFilter{Only: true, Enable: slugs} }
	without := func(slugs ...string) *session.ToolkitFilter { return &session.ToolkitFilter{Disable: slugs} }
	enable := func(slugs ...string) session.ToolFilter { return session.ToolFilter{Only: true, Enable: slugs} }
	disable := func(slugs ...string) session.ToolFilter { return session.ToolFilter{Disable: slugs} }
	tagged := func(enable, disable string) *session.TagFilter {
		f := &session.TagFilter{}
		if enable != "" {
			f.Enable = strings.Split(enable, ",")
		}
		if disable != "" {
			f.Disable = strings.Split(disable, ",")
		}
		return f
	}
	const send, fetch, remove = "GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS", "GMAIL_DELETE_MESSAGE"
	cases := map[string]struct {
		config session.Config
		allow  []string
		refuse []string
		line   string // of the configuration, as the refusal of the first tool names it
	}{
		"nothing said":                  {config: session.Config{}, allow: []string{send, fetch, remove, "SLACK_SEND_MESSAGE"}},
		"toolkit enabled":               {config: session.Config{Toolkits: only("gmail")}, allow: []string{send}, refuse: []string{"SLACK_SEND_MESSAGE"}, line: "toolkits.enable allows only gmail"},
		"toolkit not enabled":           {config: session.Config{Toolkits: only("slack")}, refuse: []string{send}, line: "toolkits.enable allows only slack"},
		"no toolkit enabled":            {config: session.Config{Toolkits: only()}, refuse: []string{send}, line: "toolkits.enable is empty"},
		"toolkit disabled":              {config: session.Config{Toolkits: without("gmail")}, allow: []string{"SLACK_SEND_MESSAGE"}, refuse: []string{send}, line: "toolkits.disable names it"},
		"nothing disabled":              {config: session.Config{Toolkits: without()}, allow: []string{send}},
		"toolkit beats the tool's list": {config: session.Config{Toolkits: without("gmail"), Tools: map[string]session.ToolFilter{"gmail": enable(send)}}, refuse: []string{send}, line: "toolkits.disable"},
		"tool enabled":                  {config: session.Config{Tools: map[string]session.ToolFilter{"gmail": enable(send)}}, allow: []string{send, "SLACK_SEND_MESSAGE"}, refuse: []string{fetch}, line: "tools.gmail.enable allows only GMAIL_SEND_EMAIL"},
		"no tool enabled":               {config: session.Config{Tools: map[string]session.ToolFilter{"gmail": enable()}}, refuse: []string{send}, line: "tools.gmail.enable is empty"},
		"tool disabled":                 {config: session.Config{Tools: map[string]session.ToolFilter{"gmail": disable(send)}}, allow: []string{fetch}, refuse: []string{send}, line: "tools.gmail.disable names it"},
		"tag wanted":                    {config: session.Config{Tags: tagged("readOnlyHint", "")}, allow: []string{fetch}, refuse: []string{send, remove}, line: "tags.enable asks for one of readOnlyHint"},
		"one of two tags wanted":        {config: session.Config{Tags: tagged("readOnlyHint,createHint", "")}, allow: []string{fetch, send}, refuse: []string{remove}, line: "tags.enable"},
		"tag unwanted":                  {config: session.Config{Tags: tagged("", "destructiveHint")}, allow: []string{fetch, send}, refuse: []string{remove}, line: "tags.disable leaves out destructiveHint"},
		"wanted and unwanted":           {config: session.Config{Tags: tagged("idempotentHint", "destructiveHint")}, allow: []string{fetch}, refuse: []string{remove, send}, line: "tags.disable"},
		"open world":                    {config: session.Config{Tags: tagged("openWorldHint", "")}, allow: []string{send, fetch, remove}},
		"important":                     {config: session.Config{Tags: tagged("important", "")}, allow: []string{send}, refuse: []string{fetch}, line: "tags.enable"},
		"enabled list beats tags":       {config: session.Config{Tags: tagged("readOnlyHint", ""), Tools: map[string]session.ToolFilter{"gmail": enable(send)}}, allow: []string{send}, refuse: []string{fetch}, line: "tools.gmail.enable"},
		"disabled list beats tags":      {config: session.Config{Tags: tagged("readOnlyHint", ""), Tools: map[string]session.ToolFilter{"gmail": disable(fetch)}}, refuse: []string{fetch}, line: "tools.gmail.disable names it"},
		"disabled list opens nothing":   {config: session.Config{Tags: tagged("readOnlyHint", ""), Tools: map[string]session.ToolFilter{"gmail": disable(remove)}}, allow: []string{fetch}, refuse: []string{send, remove}, line: "tags.enable"},
		"toolkit's tags stand in":       {config: session.Config{Tags: tagged("readOnlyHint", ""), Tools: map[string]session.ToolFilter{"gmail": {Tags: tagged("destructiveHint", "")}}}, allow: []string{remove}, refuse: []string{fetch}, line: "tools.gmail.tags.enable"},
		"toolkit's empty tags open":     {config: session.Config{Tags: tagged("readOnlyHint", ""), Tools: map[string]session.ToolFilter{"gmail": {Tags: tagged("", "")}}}, allow: []string{remove, fetch, send}, refuse: []string{"SLACK_SEND_MESSAGE"}, line: "tags.enable"},
		"slugs in any case and old":     {config: session.Config{Toolkits: only("GitHub"), Tools: map[string]session.ToolFilter{"GITHUB": enable("github_create_issue")}}, allow: []string{"GITHUB_CREATE_AN_ISSUE"}, refuse: []string{"GITHUB_LIST_REPOSITORIES"}, line: "tools.GITHUB.enable"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			view := session.NewView(session.Session{ID: "trs_1", Config: c.config}, snapshot)
			for _, slug := range c.allow {
				tool, _ := snapshot.Tool(slug)
				if err := view.Allows(tool); err != nil {
					t.Errorf("%s: %v, want it allowed", slug, err)
				}
			}
			for i, slug := range c.refuse {
				tool, _ := snapshot.Tool(slug)
				err := view.Allows(tool)
				if err == nil {
					t.Errorf("%s is allowed, want it refused", slug)
					continue
				}
				f := wantFault(t, err, fault.Forbidden, fault.SlugSessionToolNotAllowed)
				if !strings.HasPrefix(f.Message, "[Session Restriction] ") || f.Fix == "" || !f.NoRetry {
					t.Errorf("%s: %q, fix %q, no retry %v", slug, f.Message, f.Fix, f.NoRetry)
				}
				if i == 0 && !strings.Contains(f.Message, c.line) {
					t.Errorf("%s: %q does not name %q", slug, f.Message, c.line)
				}
			}
		})
	}
}

func TestAllowsToolkitInAnyCase(t *testing.T) {
	t.Parallel()
	view := session.NewView(session.Session{Config: session.Config{Toolkits: &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}}}}, testCatalog(t))
	if err := view.AllowsToolkit("GMAIL"); err != nil {
		t.Error(err)
	}
	f := wantFault(t, view.AllowsToolkit("slack"), fault.Forbidden, fault.SlugSessionToolNotAllowed)
	if want := "[Session Restriction] Toolkit 'slack' is not allowed in this session: toolkits.enable allows only gmail."; f.Message != want {
		t.Errorf("message %q, want %q", f.Message, want)
	}
}

func TestToolsList(t *testing.T) {
	t.Parallel()
	meta := []string{"COMPOSIO_SEARCH_TOOLS", "COMPOSIO_GET_TOOL_SCHEMAS", "COMPOSIO_MANAGE_CONNECTIONS", "COMPOSIO_MULTI_EXECUTE_TOOL"}
	direct := session.Config{}
	cases := map[string]struct {
		config func() session.Config
		want   []string
	}{
		"default": {session.DefaultConfig, meta},
		"waiting": {func() session.Config {
			c := session.DefaultConfig()
			c.ManageConnections.Wait = true
			return c
		}, []string{"COMPOSIO_SEARCH_TOOLS", "COMPOSIO_GET_TOOL_SCHEMAS", "COMPOSIO_MANAGE_CONNECTIONS", "COMPOSIO_WAIT_FOR_CONNECTIONS", "COMPOSIO_MULTI_EXECUTE_TOOL"}},
		"waiting needs managing": {func() session.Config {
			c := session.DefaultConfig()
			c.ManageConnections = session.ManageConnections{Wait: true}
			return c
		}, []string{"COMPOSIO_SEARCH_TOOLS", "COMPOSIO_GET_TOOL_SCHEMAS", "COMPOSIO_MULTI_EXECUTE_TOOL"}},
		"preloaded behind meta tools, as named": {func() session.Config {
			c := session.DefaultConfig()
			c.Preload.Tools = []string{"SLACK_SEND_MESSAGE", "GMAIL_SEND_EMAIL"}
			return c
		}, append(append([]string{}, meta...), "SLACK_SEND_MESSAGE", "GMAIL_SEND_EMAIL")},
		"preloaded only as allowed": {func() session.Config {
			c := session.DefaultConfig()
			c.Toolkits = &session.ToolkitFilter{Disable: []string{"slack"}}
			c.Preload.Tools = []string{"SLACK_SEND_MESSAGE", "GMAIL_SEND_EMAIL"}
			return c
		}, append(append([]string{}, meta...), "GMAIL_SEND_EMAIL")},
		"nothing": {func() session.Config { return direct }, []string{}},
		"direct tools of a toolkit": {func() session.Config {
			c := direct
			c.Toolkits, c.Preload.All = &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}}, true
			return c
		}, []string{"GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS", "GMAIL_DELETE_MESSAGE"}},
		"direct tools by name": {func() session.Config {
			c := direct
			c.Toolkits, c.Preload.All = &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}}, true
			c.Tools = map[string]session.ToolFilter{"gmail": {Only: true, Enable: []string{"GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"}}}
			return c
		}, []string{"GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS"}},
		"direct tools by name alone": {func() session.Config {
			c := direct
			c.Preload.All = true
			c.Tools = map[string]session.ToolFilter{"gmail": {Only: true, Enable: []string{"GMAIL_SEND_EMAIL"}}}
			return c
		}, []string{"GMAIL_SEND_EMAIL"}},
		"direct tools by tag": {func() session.Config {
			c := direct
			c.Preload.All, c.Tags = true, &session.TagFilter{Enable: []string{"destructiveHint"}}
			return c
		}, []string{"GITHUB_DELETE_A_REPOSITORY", "GMAIL_DELETE_MESSAGE"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			view := session.NewView(session.Session{Config: c.config()}, testCatalog(t))
			got := []string{}
			for _, spec := range view.Tools() {
				got = append(got, spec.Slug)
			}
			same(t, got, c.want)
		})
	}
}

func TestKeysOfViews(t *testing.T) {
	t.Parallel()
	snapshot := testCatalog(t)
	a := session.NewView(session.Session{ID: "trs_a", UserID: "ann", Version: 1, Config: session.DefaultConfig()}, snapshot)
	b := session.NewView(session.Session{ID: "trs_b", UserID: "bob", Version: 1, Config: session.DefaultConfig()}, snapshot)
	if a.Key() == b.Key() {
		t.Error("two sessions have the same key")
	}
	if a.ToolsKey() != b.ToolsKey() {
		t.Error("sessions with the same rules do not share the list of tools")
	}
	changed := session.DefaultConfig()
	changed.MultiAccount.Enable = true
	if c := session.NewView(session.Session{ID: "trs_a", Version: 2, Config: changed}, snapshot); c.Key() == a.Key() || c.ToolsKey() == a.ToolsKey() {
		t.Error("a changed session keeps its keys")
	}
}
