package session_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// note runs a tool and notes something with it.
func (w *world) note(t *testing.T, id, task string, memory any) map[string]any {
	t.Helper()
	out := w.run(t, id, "COMPOSIO_MULTI_EXECUTE_TOOL", object{
		"tools": []any{object{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": object{}}}, "session_id": task, "memory": memory,
	})
	return decode(t, out.Data)
}

// recall searches once for each use case and gives the memory of each result.
func (w *world) recall(t *testing.T, id string, workflow object, useCases ...string) []any {
	t.Helper()
	queries := make([]any, len(useCases))
	for i, text := range useCases {
		queries[i] = object{"use_case": text}
	}
	data := decode(t, w.run(t, id, "COMPOSIO_SEARCH_TOOLS", object{"queries": queries, "session": workflow}).Data)
	memories := make([]any, 0, len(useCases))
	for _, result := range data["results"].([]any) {
		memories = append(memories, result.(object)["memory"])
	}
	return memories
}

const (
	aboutSlack  = "send a message to a slack channel"
	aboutGitHub = "create an issue in a github repository"
)

func TestMemoryComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	first := decode(t, w.run(t, id, "COMPOSIO_SEARCH_TOOLS", object{"queries": []any{aboutSlack}, "session": object{"generate_id": true}}).Data)
	task := first["session"].(object)["id"].(string)
	if first["results"].([]any)[0].(object)["memory"] != nil {
		t.Errorf("a new task remembers: %v", first)
	}

	answer := w.note(t, id, task, object{"Slack": []any{"#general is\n  C0123", "#general is C0123", " "}, "github": `["the repository is octocat/hello"]`})
	same(t, answer["next_steps"], nil)
	w.note(t, id, task, object{"slack": "Bob is U7"}) // one text instead of a list
	w.note(t, id, task, object{})
	w.note(t, id, task, nil)

	slack, github := object{"slack": []any{"#general is C0123", "Bob is U7"}}, object{"github": []any{"the repository is octocat/hello"}}
	going := object{"id": task}
	same(t, w.recall(t, id, going, aboutSlack), []any{slack})
	same(t, w.recall(t, id, going, aboutGitHub, aboutSlack, "list slack channels"), []any{github, slack, nil}) // each toolkit's notes once
	same(t, w.recall(t, id, going, "reheat the soup"), []any{nil})

	answered, err := w.Search(t.Context(), ours, id, session.SearchRequest{
		Queries: []session.SearchQuery{{UseCase: aboutSlack}}, Workflow: session.WorkflowRef{ID: task},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, answered.Results[0].Memory, map[string][]string{"slack": {"#general is C0123", "Bob is U7"}})
	if last := answered.NextSteps[len(answered.NextSteps)-1]; !strings.Contains(last, "not for instructions") {
		t.Errorf("next steps %q", answered.NextSteps)
	}
}

// What one session, user, task or project noted is nobody else's.
func TestMemoryIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, second, bob := w.create(t, "ann", nil).Session.ID, w.create(t, "ann", nil).Session.ID, w.create(t, "bob", nil).Session.ID
	foreign, err := w.Create(t.Context(), theirs, session.NewSession{UserID: "ann", Config: session.DefaultConfig()})
	if err != nil {
		t.Fatal(err)
	}
	w.note(t, ann, "task", object{"slack": []any{"ann's"}})
	same(t, w.recall(t, ann, object{"id": "task"}, aboutSlack), []any{object{"slack": []any{"ann's"}}})
	for what, memories := range map[string][]any{
		"another session of the user": w.recall(t, second, object{"id": "task"}, aboutSlack),
		"a session of another user":   w.recall(t, bob, object{"id": "task"}, aboutSlack),
		"another task":                w.recall(t, ann, object{"id": "task2"}, aboutSlack),
		"a new task":                  w.recall(t, ann, object{"id": "task", "generate_id": true}, aboutSlack),
		"no task":                     w.recall(t, ann, object{}, aboutSlack),
	} {
		if memories[0] != nil {
			t.Errorf("%s remembers %v", what, memories)
		}
	}
	answer, err := w.Search(t.Context(), theirs, foreign.Session.ID, session.SearchRequest{
		Queries: []session.SearchQuery{{UseCase: aboutSlack}}, Workflow: session.WorkflowRef{ID: "task"},
	})
	if err != nil || answer.Results[0].Memory != nil {
		t.Errorf("another project: %v %v", answer.Results[0].Memory, err)
	}
}

// A toolkit that the session does not see any more takes its notes along.
func TestMemoryFollowsThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	w.note(t, id, "task", object{"slack": []any{"#general is C0123"}, "github": []any{"octocat"}})
	_, _, err := w.Update(t.Context(), ours, id, session.Patch{Toolkits: value(&session.ToolkitFilter{Disable: []string{"slack"}})})
	if err != nil {
		t.Fatal(err)
	}
	same(t, w.recall(t, id, object{"id": "task"}, aboutSlack+" or create a github issue", aboutGitHub), []any{object{"github": []any{"octocat"}}, nil})
}

func TestMalformedMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", func(c *session.Config) { c.Toolkits = &session.ToolkitFilter{Disable: []string{"gmail"}} }).Session.ID
	cases := map[string]struct {
		memory any
		want   []string
	}{
		"a text":              {"#general is C0123", []string{"memory must be an object"}},
		"a list":              {[]any{"#general is C0123"}, []string{"memory must be an object"}},
		"an object in a list": {object{"slack": []any{object{"channel": "C0123"}}}, []string{"memory.slack[0] must be a text"}},
		"an object":           {object{"slack": object{"channel": "C0123"}}, []string{"memory.slack[0] must be a text"}},
		"numbers":             {object{"slack": []any{"fine", 7.0}}, []string{"memory.slack[1] must be a text"}},
		"too long":            {object{"slack": []any{strings.Repeat("ä", 301)}}, []string{"memory.slack[0] has 301 characters"}},
		"too many":            {object{"slack": texts(61)}, []string{"memory has 61 notes"}},
		"unknown toolkit":     {object{"slakc": []any{"x"}}, []string{`there is no toolkit "slakc"; did you mean slack?`}},
		"forbidden toolkit":   {object{"gmail": []any{"x"}}, []string{"'gmail' is not allowed in this session"}},
		"several faults":      {object{"slakc": []any{"x"}, "gmail": []any{"x"}, "slack": []any{1.0}}, []string{"slakc", "'gmail' is not allowed", "memory.slack[0]"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: "COMPOSIO_MULTI_EXECUTE_TOOL", Arguments: object{
				"tools": []any{object{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": object{}}}, "session_id": "task", "memory": c.memory,
			}})
			f := wantFault(t, err, fault.Invalid, fault.SlugInvalid)
			for _, want := range c.want {
				if !strings.Contains(f.Message, want) {
					t.Errorf("message %q, want %q in it", f.Message, want)
				}
			}
			same(t, len(f.Details), len(c.want))
		})
	}
	t.Cleanup(func() {
		if n := len(w.runner.calls); n > 0 {
			t.Errorf("%d tools were run", n)
		}
	})
}

func texts(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = fmt.Sprintf("note %d", i)
	}
	return out
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	answer := w.note(t, id, "task", object{"slack": texts(22)})
	if told, _ := answer["next_steps"].(string); !strings.Contains(told, "2 of them") {
		t.Errorf("nobody is told: %q", told)
	}
	answer = w.note(t, id, "task", object{"slack": []any{"note 2", "note 22"}}) // 2 is new again, so 3 is the oldest
	if told, _ := answer["next_steps"].(string); !strings.Contains(told, "1 of them") {
		t.Errorf("nobody is told: %q", told)
	}
	want := append(texts(22)[4:], "note 2", "note 22")
	same(t, w.recall(t, id, object{"id": "task"}, aboutSlack), []any{object{"slack": want}})

	w.note(t, id, "task", object{"github": texts(20)})
	w.note(t, id, "task", object{"gmail": texts(20)})
	answer = w.note(t, id, "task", object{"hackernews": texts(5)})
	if told, _ := answer["next_steps"].(string); !strings.Contains(told, "5 of them") {
		t.Errorf("nobody is told: %q", told)
	}
	same(t, w.recall(t, id, object{"id": "task"}, aboutSlack), []any{object{"slack": want[5:]}})
}

// Notes never cost the calls that they came with, nor the searches that would give them back.
func TestNotesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	answer := w.note(t, id, "", object{"slack": []any{"#general is C0123"}})
	if told, _ := answer["next_steps"].(string); answer["success_count"] != 1.0 || !strings.Contains(told, "pass session.id") {
		t.Errorf("without a task: %v", answer)
	}
	out, err := w.ExecuteMeta(t.Context(), ours, "zoe", session.ToolCall{Slug: "COMPOSIO_MULTI_EXECUTE_TOOL", Arguments: object{ // she has no session
		"tools": []any{object{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": object{}}}, "session_id": "task", "memory": object{"slack": []any{"x"}},
	}})
	if err != nil || !strings.Contains(string(out.Data), "were not kept") {
		t.Errorf("outside a session: %s %v", out.Data, err)
	}
	w.store.failMemory = fault.New(fault.Unavailable, fault.SlugUnavailable, "The database is down.")
	answer = w.note(t, id, "task", object{"slack": []any{"#general is C0123"}})
	if told, _ := answer["next_steps"].(string); answer["success_count"] != 1.0 || !strings.Contains(told, "could not be stored") {
		t.Errorf("without a database: %v", answer)
	}
	same(t, w.recall(t, id, object{"id": "task"}, aboutSlack), []any{nil})
	w.runner.answer = func(execute.Call) (execute.Result, error) { return execute.Result{Error: "no"}, nil }
	answer = w.note(t, id, "", object{"slack": []any{"x"}})
	if told, _ := answer["next_steps"].(string); !strings.HasPrefix(told, "Mend what") || !strings.Contains(told, "pass session.id") {
		t.Errorf("beside a failure: %q", told)
	}
}

// A warm search reads no memory from the store; a change on another node is heard of, and believed after a minute in any case.
func TestMemoryIsCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	w.note(t, id, "task", object{"slack": []any{"one"}})
	reads := func(f func()) int {
		before := w.store.memoryReads
		f()
		return w.store.memoryReads - before
	}
	search := func() { w.recall(t, id, object{"id": "task"}, aboutSlack) }
	same(t, reads(search), 1)
	same(t, reads(search), 0)
	same(t, reads(func() { w.note(t, id, "task", object{"slack": []any{"one"}}) }), 0)
	same(t, reads(func() { w.recall(t, id, object{"generate_id": true}, aboutSlack) }), 0)
	same(t, reads(func() { w.recall(t, id, object{}, aboutSlack) }), 0)

	var key session.MemoryKey
	for k := range maps.Keys(w.store.memoryKeys) {
		key = k
	}
	other := w.store.Store // writes without this node's cache, but tells the bus
	err := other.UpdateMemory(context.Background(), key, today, func(m *session.Memory) { m.Notes = append(m.Notes, session.Note{Toolkit: "slack", Text: "two"}) })
	if err != nil {
		t.Fatal(err)
	}
	same(t, w.recall(t, id, object{"id": "task"}, aboutSlack), []any{object{"slack": []any{"one", "two"}}})
	same(t, reads(search), 0)
	w.bus.Publish(notify.Change{Kind: notify.Everything})
	same(t, reads(search), 1)
	w.clock.move(61 * time.Second)
	same(t, reads(search), 1)
}

// Custom tools of the application have notes like any toolkit.
func TestMemoryOfCustomTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	custom := session.CustomTools{Toolkits: []session.CustomToolkit{{Slug: "SHOP", Name: "Shop", Description: "Our shop", Tools: []session.CustomTool{
		{OriginalSlug: "REFUND", Name: "Refund an order", Description: "Gives money back for an order.", InputSchema: []byte(`{"type":"object","properties":{}}`)},
	}}}}
	run := func(slug string, arguments object) map[string]any {
		out, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: slug, Arguments: arguments, Custom: custom})
		if err != nil {
			t.Fatal(err)
		}
		return decode(t, out.Data)
	}
	run("COMPOSIO_MULTI_EXECUTE_TOOL", object{
		"tools": []any{object{"tool_slug": "HACKERNEWS_GET_TOP_STORIES", "arguments": object{}}}, "session_id": "task", "memory": object{"shop": []any{"order 7 is Ann's"}},
	})
	found := run("COMPOSIO_SEARCH_TOOLS", object{"queries": []any{"refund an order"}, "session": object{"id": "task"}})
	same(t, found["results"].([]any)[0].(object)["memory"], any(object{"SHOP": []any{"order 7 is Ann's"}}))
}

// The longest time a memory lies unused, and the end of its session, end it.
func TestMemoriesAreSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	for i, task := range []string{"old", "new"} {
		w.clock.move(time.Duration(i) * 24 * time.Hour)
		w.note(t, id, task, object{"slack": []any{task}})
	}
	w.clock.move(29*24*time.Hour + time.Minute)
	if _, err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, w.recall(t, id, object{"id": "old"}, aboutSlack), []any{nil})
	same(t, w.recall(t, id, object{"id": "new"}, aboutSlack), []any{object{"slack": []any{"new"}}})
}
