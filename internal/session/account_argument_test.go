package session_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// TestCallsNameTheirAccount does so beside the arguments, as REST can, and among them, as MCP must; with several accounts allowed
// and without.
func TestCallsNameTheirAccount(t *testing.T) {
	t.Parallel()
	for name, multi := range map[string]bool{"several accounts": true, "one account": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.withGitHub(t, "ann") // ca_github
			w.account(t, "ca_work", "ann", "github", "ac_github", func(a *connect.ConnectedAccount) { a.Alias, a.WordID = "work", "github_calm-otter" })
			w.account(t, "ca_bob", "bob", "github", "ac_github", func(a *connect.ConnectedAccount) { a.Alias = "bobs" })
			id := w.create(t, "ann", func(c *session.Config) { c.MultiAccount.Enable = multi }).Session.ID
			var sent map[string]any
			w.runner.answer = func(c execute.Call) (execute.Result, error) {
				sent = c.Arguments
				return execute.Result{Data: []byte(`{}`)}, nil
			}
			for _, account := range []string{"work", "WORK", "github_calm-otter", "ca_work", "ca_github"} {
				want := "ca_work"
				if account == "ca_github" {
					want = account
				}
				for _, call := range []session.ToolCall{
					{Account: account},
					{Arguments: map[string]any{"account": account, "per_page": 3}},
					{Account: account, Arguments: map[string]any{"account": "bobs", "per_page": 3}},
				} {
					call.Slug = "GITHUB_LIST_REPOSITORIES"
					out, err := w.Execute(t.Context(), ours, id, call)
					if err != nil || out.AccountID != want {
						t.Errorf("%+v ran with %q: %v", call, out.AccountID, err)
					}
					if _, there := sent["account"]; there {
						t.Errorf("the tool was given %v", sent)
					}
					if call.Arguments != nil && (sent["per_page"] != 3 || call.Arguments["account"] == nil) {
						t.Errorf("the tool was given %v of %v", sent, call.Arguments)
					}
				}
			}
			for _, account := range []string{"bobs", "ca_bob", "nobody"} {
				_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "GITHUB_LIST_REPOSITORIES", Arguments: map[string]any{"account": account}})
				f := wantFault(t, err, fault.Invalid, fault.SlugAccountRequired)
				if !strings.Contains(strings.Join(f.Details, "\n"), "ca_work") || strings.Contains(strings.Join(f.Details, "\n"), "ca_bob") {
					t.Errorf("the choices are %q", f.Details)
				}
			}
		})
	}
}

func TestSchemasSayThatAccountsCanBeNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inputs := func(multi bool) map[string]string {
		created := w.create(t, "ann", func(c *session.Config) {
			c.MultiAccount.Enable, c.Preload = multi, session.Preload{All: true}
			c.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"github", "hackernews"}}
		})
		view, err := w.Open(t.Context(), ours, created.Session.ID)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[string]string)
		for _, spec := range view.Tools() {
			if spec.Tool != nil {
				out[spec.Slug] = string(spec.Input)
			}
		}
		return out
	}
	one, several := inputs(false), inputs(true)
	if len(one) == 0 || len(one) != len(several) {
		t.Fatalf("%d and %d tools", len(one), len(several))
	}
	for slug, input := range several {
		var schema struct {
			Type       string
			Properties map[string]struct{ Type, Description string }
			Required   []string
		}
		if err := json.Unmarshal([]byte(input), &schema); err != nil || schema.Type != "object" {
			t.Fatalf("%s: %v\n%s", slug, err, input)
		}
		account := schema.Properties["account"]
		if strings.HasPrefix(slug, "GITHUB_") != (account.Type == "string" && strings.Contains(account.Description, "alias")) {
			t.Errorf("%s: %s", slug, input)
		}
		if strings.Contains(strings.Join(schema.Required, " "), "account") {
			t.Errorf("%s wants the account named: %s", slug, input)
		}
		if strings.Contains(one[slug], `"account"`) {
			t.Errorf("%s in a session with one account: %s", slug, one[slug])
		}
		if strings.HasPrefix(slug, "GITHUB_") && !strings.HasPrefix(input, one[slug][:strings.Index(one[slug], `"properties"`)]) {
			t.Errorf("%s: the rest of the schema has changed:\n%s\n%s", slug, one[slug], input)
		}
	}
}
