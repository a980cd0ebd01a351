package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestExecute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	id := w.create(t, "ann", func(c *session.Config) {
		c.AuthConfigs = map[string]string{"github": "ac_github"}
		c.MultiAccount = session.MultiAccount{Enable: true, RequireExplicit: true}
	}).Session.ID
	out, err := w.Execute(t.Context(), ours, id, session.ToolCall{
		Slug: " github_create_issue ", Arguments: map[string]any{"title": "x"}, Account: "ca_github", IdempotencyKey: "k", Via: "mcp",
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Data) != `{"ok":true}` || out.Error != "" || out.LogID != "log_test" || out.AccountID != "ca_github" {
		t.Errorf("outcome %+v", out)
	}
	call := w.runner.ran()[0]
	if call.Tool.Slug != "GITHUB_CREATE_AN_ISSUE" || call.SessionID != id || call.Origin != "mcp" || call.IdempotencyKey != "k" {
		t.Errorf("call %+v", call)
	}
	same(t, call.Select, connect.Selection{
		UserID: "ann", Toolkit: "github", Account: "ca_github", AuthConfigID: "ac_github", RequireExplicit: true, ForSession: true,
	})
}

func TestExecuteRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		config  func(*session.Config)
		call    session.ToolCall
		kind    fault.Kind
		slug    string
		message string
		fix     string
	}{
		"an unknown tool": {
			call: session.ToolCall{Slug: "GITHUB_CREATE_ISSUES"}, kind: fault.NotFound, slug: fault.SlugSessionToolNotFound,
			message: `There is no tool "GITHUB_CREATE_ISSUES"`, fix: "Did you mean GITHUB_CREATE_AN_ISSUE",
		},
		"a custom tool": {
			call: session.ToolCall{Slug: "LOCAL_MY_ADD"}, kind: fault.Invalid, slug: fault.SlugSessionToolNotFound,
			message: "runs in the application that registered it", fix: "through the SDK",
		},
		"a tool outside the policy": {
			config: func(c *session.Config) { c.Tags = &session.TagFilter{Enable: []string{"readOnlyHint"}} },
			call:   session.ToolCall{Slug: "GMAIL_SEND_EMAIL"}, kind: fault.Forbidden, slug: fault.SlugSessionToolNotAllowed, message: "[Session Restriction]", fix: "tools.gmail.enable",
		},
		"the sandbox": {
			call: session.ToolCall{Slug: "COMPOSIO_REMOTE_WORKBENCH"}, kind: fault.Invalid, slug: fault.SlugSessionToolNotFound,
			message: "runs Python in a sandbox, and this server has none", fix: "COMPOSIO_MULTI_EXECUTE_TOOL",
		},
		"a meta tool that is off": {
			config: func(c *session.Config) { c.MultiExecute = false },
			call:   session.ToolCall{Slug: "COMPOSIO_MULTI_EXECUTE_TOOL"}, kind: fault.Forbidden, slug: fault.SlugSessionToolNotAllowed,
			message: "execute.enable_multi_execute is off", fix: "set execute.enable_multi_execute to true",
		},
		"a toolkit without a connection": {
			call: session.ToolCall{Slug: "GMAIL_SEND_EMAIL"}, kind: fault.Invalid, slug: fault.SlugNoActiveConnection,
			message: "has not connected Gmail", fix: `COMPOSIO_MANAGE_CONNECTIONS with toolkits ["gmail"] and show the user the link. The application can do it with session.authorize("gmail")`,
		},
		"a connection that the agent cannot make": {
			config: func(c *session.Config) { c.ManageConnections.Enable = false },
			call:   session.ToolCall{Slug: "GMAIL_SEND_EMAIL"}, kind: fault.Invalid, slug: fault.SlugNoActiveConnection,
			message: "has not connected Gmail", fix: `The user has to connect Gmail in the application first. The application can do it with session.authorize("gmail")`,
		},
		"an account that the user does not have": {
			call: session.ToolCall{Slug: "GMAIL_SEND_EMAIL", Account: "work"}, kind: fault.Invalid, slug: fault.SlugAccountRequired,
			message: `has no Gmail account "work" here`, fix: "Connect Gmail first",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.create(t, "ann", c.config).Session.ID
			_, err := w.Execute(t.Context(), ours, id, c.call)
			f := wantFault(t, err, c.kind, c.slug)
			if !strings.Contains(f.Message, c.message) || !strings.Contains(f.Fix, c.fix) || !f.NoRetry {
				t.Errorf("message %q, fix %q, no retry %v", f.Message, f.Fix, f.NoRetry)
			}
			if c.slug == fault.SlugNoActiveConnection && f.Code != fault.CodeNoActiveConnection {
				t.Errorf("code %d", f.Code)
			}
		})
	}
}

// A tool that ran and failed is an answer. A failure of ours is a fault that no SDK repeats.
func TestExecuteFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	w.runner.answer = func(execute.Call) (execute.Result, error) {
		return execute.Result{Data: []byte(`{}`), Error: "The front page is on fire."}, nil
	}
	if out := w.run(t, id, "HACKERNEWS_GET_TOP_STORIES", nil); out.Error != "The front page is on fire." {
		t.Errorf("outcome %+v", out)
	}
	w.runner.answer = func(execute.Call) (execute.Result, error) { return execute.Result{}, errors.New("secret path /etc") }
	_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "HACKERNEWS_GET_TOP_STORIES"})
	if f := wantFault(t, err, fault.Internal, fault.SlugInternal); !f.NoRetry || strings.Contains(f.Message, "/etc") {
		t.Errorf("%+v", f)
	}
}

// Two users with the same configuration share everything about their sessions but their accounts.
func TestUsersDoNotMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_github", "github")
	w.account(t, "ca_ann", "ann", "github", "ac_github", nil)
	w.account(t, "ca_bob", "bob", "github", "ac_github", nil)
	config := func(c *session.Config) { c.MultiAccount.Enable = true }
	ids := map[string]string{"ann": w.create(t, "ann", config).Session.ID, "bob": w.create(t, "bob", config).Session.ID}
	var group sync.WaitGroup
	for user, id := range ids {
		for range 10 {
			group.Go(func() {
				out, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "GITHUB_LIST_REPOSITORIES"})
				if err != nil || out.AccountID != "ca_"+user {
					t.Errorf("%s ran with %q, %v", user, out.AccountID, err)
				}
			})
		}
	}
	group.Wait()

	_, err := w.Execute(t.Context(), ours, ids["ann"], session.ToolCall{Slug: "GITHUB_LIST_REPOSITORIES", Account: "ca_bob"})
	wantFault(t, err, fault.Invalid, fault.SlugAccountRequired)
	_, err = w.Execute(t.Context(), theirs, ids["ann"], session.ToolCall{Slug: "GITHUB_LIST_REPOSITORIES"})
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)

	// What ann's agent is told and can change is ann's.
	listed := string(w.run(t, ids["ann"], "COMPOSIO_MANAGE_CONNECTIONS", map[string]any{"toolkits": []any{map[string]any{"name": "github", "action": "list"}}}).Data)
	if !strings.Contains(listed, "ca_ann") || strings.Contains(listed, "ca_bob") || strings.Contains(listed, "nobody may see") {
		t.Errorf("listed %s", listed)
	}
	removed := w.run(t, ids["ann"], "COMPOSIO_MANAGE_CONNECTIONS", map[string]any{"toolkits": []any{map[string]any{"name": "github", "action": "remove", "account_id": "ca_bob"}}})
	if !strings.Contains(removed.Error, "does not say which GitHub account is meant") {
		t.Errorf("removing bob's account: %q", removed.Error)
	}
	if _, err := w.store.Account(t.Context(), ours.ProjectID, "ca_bob"); err != nil {
		t.Errorf("bob's account: %v", err)
	}
}

// Pinned accounts are used exactly: when one dies its toolkit says why, and the rest of the session goes on.
func TestDeadPinCostsOneToolkit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	w.account(t, "ca_spare", "ann", "github", "ac_github", nil)
	id := w.create(t, "ann", func(c *session.Config) { c.ConnectedAccounts = map[string][]string{"github": {"ca_github"}} }).Session.ID
	if out := w.run(t, id, "GITHUB_LIST_REPOSITORIES", nil); out.AccountID != "ca_github" {
		t.Errorf("ran with %s", out.AccountID)
	}
	if err := w.store.DeleteAccount(t.Context(), ours.ProjectID, "ca_github"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "GITHUB_LIST_REPOSITORIES"})
	f := wantFault(t, err, fault.Invalid, fault.SlugNoActiveConnection)
	if !strings.Contains(f.Message, "ca_github does not exist any more") || !strings.Contains(f.Fix, "The session pins connected_accounts.github") {
		t.Errorf("message %q, fix %q", f.Message, f.Fix)
	}
	w.run(t, id, "HACKERNEWS_GET_TOP_STORIES", nil)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	created := w.create(t, "ann", func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"github"}} })
	id := created.Session.ID
	if _, err := w.Proxy(t.Context(), ours, id, "GitHub", execute.ProxyCall{Method: "GET", Endpoint: "/user"}); err != nil {
		t.Fatal(err)
	}
	call := w.runner.proxy[0]
	if call.Toolkit.Slug != "github" || call.Select.UserID != "ann" || !call.Select.ForSession || call.SessionID != id {
		t.Errorf("call %+v", call)
	}
	_, err := w.Proxy(t.Context(), ours, id, "gmail", execute.ProxyCall{})
	wantFault(t, err, fault.Forbidden, fault.SlugSessionToolNotAllowed)
	_, err = w.Proxy(t.Context(), ours, id, "gthub", execute.ProxyCall{})
	wantFault(t, err, fault.NotFound, fault.SlugToolkitNotFound)
	caller, err := w.Authenticate(t.Context(), created.Token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Proxy(t.Context(), caller, id, "github", execute.ProxyCall{})
	wantFault(t, err, fault.Forbidden, fault.SlugForbidden)
}

// Meta tools outside sessions run in the session that the model names if it is the user's, in the user's newest, or in a
// passing one.
func TestExecuteMeta(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	schemas := func(caller tenant.Caller, userID string, arguments map[string]any) (session.Outcome, error) {
		arguments["tool_slugs"] = []any{"GMAIL_SEND_EMAIL", "SLACK_SEND_MESSAGE"}
		return w.ExecuteMeta(t.Context(), caller, userID, session.ToolCall{Slug: "COMPOSIO_GET_TOOL_SCHEMAS", Arguments: arguments})
	}
	found := func(out session.Outcome) string {
		found := decode(t, out.Data)["tool_schemas"].(map[string]any)
		slugs := []string{}
		for _, slug := range []string{"GMAIL_SEND_EMAIL", "SLACK_SEND_MESSAGE"} {
			if found[slug] != nil {
				slugs = append(slugs, slug)
			}
		}
		return strings.Join(slugs, " ")
	}
	check := func(name, want string, caller tenant.Caller, userID string, arguments map[string]any) {
		t.Helper()
		out, err := schemas(caller, userID, arguments)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := found(out); got != want {
			t.Errorf("%s: found %q, want %q", name, got, want)
		}
	}
	const both = "GMAIL_SEND_EMAIL SLACK_SEND_MESSAGE"
	check("without a session", both, ours, "ann", map[string]any{})
	if sessions, _, err := w.List(t.Context(), ours, session.Filter{}); err != nil || len(sessions) != 0 {
		t.Errorf("the passing session was stored: %v, %v", sessions, err)
	}
	only := func(toolkit string) func(*session.Config) {
		return func(c *session.Config) {
			c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{toolkit}}
		}
	}
	older := w.create(t, "ann", only("slack"))
	w.clock.move(1)
	w.create(t, "ann", only("gmail"))
	bobs := w.create(t, "bob", nil)
	check("the newest session", "GMAIL_SEND_EMAIL", ours, "ann", map[string]any{"session_id": "wf_whatever"})
	check("the named session", "SLACK_SEND_MESSAGE", ours, "ann", map[string]any{"session_id": older.Session.ID})
	check("the named session, the other way", "SLACK_SEND_MESSAGE", ours, "ann", map[string]any{"session": map[string]any{"id": older.Session.ID}})
	_, err := schemas(ours, "ann", map[string]any{"session_id": bobs.Session.ID})
	wantFault(t, err, fault.NotFound, fault.SlugSessionNotFound)
	_, err = schemas(ours, "", map[string]any{})
	wantFault(t, err, fault.Invalid, fault.SlugInvalid)
	caller, err := w.Authenticate(t.Context(), older.Token)
	if err != nil {
		t.Fatal(err)
	}
	check("a session token", "SLACK_SEND_MESSAGE", caller, "bob", map[string]any{"session_id": bobs.Session.ID})
}

// A direct call hands over what came. A batch shortens what is too large for a model, if the caller lets it.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.runner.answer = func(execute.Call) (execute.Result, error) {
		return execute.Result{Data: []byte(`{"text":"` + strings.Repeat("x", 30_000) + `"}`), Notes: []string{"limit was lowered to 100"}}, nil
	}
	id := w.create(t, "ann", func(c *session.Config) { c.ToolkitVersions = map[string]string{"hackernews": "latest"} }).Session.ID
	small := w.create(t, "ann", func(c *session.Config) { c.Workbench.OffloadThreshold = 500 }).Session.ID
	batch := map[string]any{"tools": []any{map[string]any{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": map[string]any{}}}}
	for _, c := range []struct {
		session   string
		slug      string
		arguments map[string]any
		offload   bool
		most      int
		least     int
	}{
		{id, "HACKERNEWS_GET_TOP_STORIES", nil, true, 30_100, 30_000},
		{id, "COMPOSIO_MULTI_EXECUTE_TOOL", batch, false, 31_000, 30_000},
		{id, "COMPOSIO_MULTI_EXECUTE_TOOL", batch, true, 20_000, 1_000},
		{small, "COMPOSIO_MULTI_EXECUTE_TOOL", batch, true, 2_000, 500},
	} {
		out, err := w.Execute(t.Context(), ours, c.session, session.ToolCall{Slug: c.slug, Arguments: c.arguments, Offload: c.offload})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(out.Data); n > c.most || n < c.least {
			t.Errorf("%s, offload %v: %d bytes, want %d to %d", c.slug, c.offload, n, c.least, c.most)
		}
		if c.slug == "COMPOSIO_MULTI_EXECUTE_TOOL" && !strings.Contains(string(out.Data), `"notes":["limit was lowered to 100"]`) {
			t.Errorf("the notes are missing: %.300s", out.Data)
		}
	}
	if version := w.runner.ran()[0].Version; version != "latest" {
		t.Errorf("version %q", version)
	}
}

// A batch stops when the client goes away, and says so in each result.
func TestBatchIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	ctx, cancel := context.WithCancel(t.Context())
	w.runner.answer = func(execute.Call) (execute.Result, error) {
		cancel()
		return execute.Result{}, ctx.Err()
	}
	tools := make([]any, 50)
	for i := range tools {
		tools[i] = map[string]any{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": map[string]any{}}
	}
	out, err := w.Execute(ctx, ours, id, session.ToolCall{Slug: "COMPOSIO_MULTI_EXECUTE_TOOL", Arguments: map[string]any{"tools": tools}})
	if err != nil {
		t.Fatal(err)
	}
	if out.Error != "50 out of 50 tools failed" || len(w.runner.ran()) > 10 {
		t.Errorf("%q after %d calls", out.Error, len(w.runner.ran()))
	}
}

func TestACallThatFindsNoAccountAnswersALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authConfig(t, ours, "ac_github", "github")
	id := w.create(t, "ann", func(c *session.Config) {
		c.ManageConnections = session.ManageConnections{OnCall: true}
	}).Session.ID
	call := session.ToolCall{Slug: "github_list_repositories", Origin: origin}
	out, err := w.Execute(t.Context(), ours, id, call)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Links) != 1 || !strings.Contains(out.Error, out.Links[0].URL) || !strings.Contains(out.Error, "GITHUB_LIST_REPOSITORIES") {
		t.Fatalf("the call is answered %q with links %v", out.Error, out.Links)
	}
	again, err := w.Execute(t.Context(), ours, id, call)
	if err != nil || len(again.Links) != 1 || again.Links[0].Account.ID != out.Links[0].Account.ID {
		t.Errorf("the second call begins another connection: %v %v", again.Links, err)
	}
}
