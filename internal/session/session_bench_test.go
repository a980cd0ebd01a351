package session_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// emptyRunner does nothing, so that what is measured is the session's own part of a call.
type emptyRunner struct{}

func (emptyRunner) Run(context.Context, tenant.Caller, execute.Call) (execute.Result, error) {
	return execute.Result{Data: json.RawMessage(`{}`), LogID: "log_1"}, nil
}

func (emptyRunner) Proxy(context.Context, tenant.Caller, execute.ProxyCall) (execute.ProxyResult, error) {
	return execute.ProxyResult{}, nil
}

// The session's part of a warm tool call: authenticate the token, find the view, apply the policy.
func BenchmarkExecuteWarm(b *testing.B) {
	w := newWorld(b)
	s, err := session.New(session.Options{Store: w.store, Catalog: w.catalog, Connections: w.connect, Runner: emptyRunner{}})
	if err != nil {
		b.Fatal(err)
	}
	config := session.DefaultConfig()
	config.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"github", "gmail"}}
	config.Tags = &session.TagFilter{Disable: []string{"destructiveHint"}}
	created, err := s.Create(b.Context(), ours, session.NewSession{UserID: "ann", Config: config})
	if err != nil {
		b.Fatal(err)
	}
	call := session.ToolCall{Slug: "GITHUB_CREATE_AN_ISSUE", Arguments: map[string]any{}, Via: "mcp"}
	b.ReportAllocs()
	for b.Loop() {
		caller, err := s.Authenticate(b.Context(), created.Token)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Execute(b.Context(), caller, created.Session.ID, call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	w := newWorld(b)
	w.authConfig(b, ours, "ac_gmail", "gmail")
	config := session.DefaultConfig()
	config.Toolkits = &session.ToolkitFilter{Only: true, Enable: []string{"gmail"}}
	config.AuthConfigs = map[string]string{"gmail": "ac_gmail"}
	config.Tools = map[string]session.ToolFilter{"gmail": {Only: true, Enable: []string{"GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS"}}}
	b.ReportAllocs()
	b.SetParallelism(32) // commits of waiting writers are shared
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := w.Create(b.Context(), ours, session.NewSession{UserID: "ann", Config: config}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	w := newWorld(b)
	w.authConfig(b, ours, "ac_gmail", "gmail")
	w.account(b, "ca_1", "ann", "gmail", "ac_gmail", func(*connect.ConnectedAccount) {})
	id := w.create(b, "ann", nil).Session.ID
	call := session.ToolCall{Slug: "COMPOSIO_SEARCH_TOOLS", Arguments: object{"queries": []any{object{"use_case": "send an email with gmail"}}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Execute(b.Context(), ours, id, call); err != nil {
			b.Fatal(err)
		}
	}
}
