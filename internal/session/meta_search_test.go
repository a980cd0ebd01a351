package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// The REST answer and the meta tool's differ in names and nothing else.
func TestSearchOverREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withGitHub(t, "ann")
	id := w.create(t, "ann", nil).Session.ID
	answer, err := w.Search(t.Context(), ours, id, session.SearchRequest{
		Queries:  []session.SearchQuery{{UseCase: "create an issue in a github repository", KnownFields: "owner: octocat"}},
		Workflow: session.WorkflowRef{ID: "wf_task"},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "search_rest", text)

	out := w.run(t, id, "COMPOSIO_SEARCH_TOOLS", object{
		"queries": []any{object{"use_case": "create an issue in a github repository", "known_fields": "owner: octocat"}}, "session": object{"id": "wf_task"},
	})
	rest, meta := decode(t, text), decode(t, out.Data)
	delete(rest, "success")
	delete(rest, "error")
	for _, result := range rest["results"].([]any) {
		result := result.(object)
		result["reasoning"], result["task_difficulty"] = result["execution_guidance"], result["difficulty"]
		delete(result, "execution_guidance")
		delete(result, "difficulty")
	}
	same(t, meta, rest)
}

func TestSearchOnlyToolkits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	answer, err := w.Search(t.Context(), ours, id, session.SearchRequest{
		Queries: []session.SearchQuery{{UseCase: "send a message to a slack channel"}}, Toolkits: []string{"GMAIL"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := answer.Results[0]
	for _, toolkit := range r.Toolkits {
		if toolkit != "gmail" {
			t.Errorf("found %v in %v", r.Primary, r.Toolkits)
		}
	}
	if !strings.Contains(r.Guidance, `toolkits leaves "slack" out of this search`) {
		t.Errorf("guidance %q", r.Guidance)
	}
	_, err = w.Search(t.Context(), ours, id, session.SearchRequest{Queries: []session.SearchQuery{{UseCase: "x"}}, Toolkits: []string{"slakc"}})
	if f := wantFault(t, err, fault.Invalid, fault.SlugSessionInvalid); !strings.Contains(f.Message, "did you mean slack") || !f.NoRetry {
		t.Errorf("%+v", f)
	}
}

func TestSearchForAppsThatAreNotHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	answer, err := w.Search(t.Context(), ours, id, session.SearchRequest{Queries: []session.SearchQuery{
		{UseCase: "send a message on WhatsApp"}, {UseCase: "send a message to a channel on Mattermost or Slack"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r := answer.Results[0]; len(r.Primary) > 0 || !strings.Contains(r.Guidance, `"whatsapp" is not among the apps here`) {
		t.Errorf("%v, guidance %q", r.Primary, r.Guidance)
	}
	if r := answer.Results[1]; len(r.Primary) == 0 || strings.Contains(r.Guidance, "not among the apps") {
		t.Errorf("%v, guidance %q", r.Primary, r.Guidance)
	}
}

// Custom tools stand beside the apps' in searches and schemas, under their final slugs.
func TestCustomToolsAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, "ann", nil).Session.ID
	input := json.RawMessage(`{"type":"object","properties":{"order":{"type":"string"}}}`)
	custom := session.CustomTools{
		Tools: []session.CustomTool{{OriginalSlug: "TRACK_ORDER", Name: "Track order", Description: "Tells where a parcel of our shop is.", InputSchema: input}},
		Toolkits: []session.CustomToolkit{{Slug: "SHOP", Name: "Shop", Description: "Our shop", Tools: []session.CustomTool{
			{OriginalSlug: "REFUND", Name: "Refund an order", Description: "Gives money back for an order.", InputSchema: input},
		}}},
	}
	call := func(slug string, arguments object) map[string]any {
		out, err := w.Execute(t.Context(), ours, id, session.ToolCall{Slug: slug, Arguments: arguments, Custom: custom})
		if err != nil {
			t.Fatal(err)
		}
		return decode(t, out.Data)
	}
	data := call("COMPOSIO_SEARCH_TOOLS", object{"queries": []any{"refund an order", "where is the parcel of an order"}})
	results := data["results"].([]any)
	for i, want := range []string{"LOCAL_SHOP_REFUND", "LOCAL_TRACK_ORDER"} {
		if slugs := results[i].(object)["primary_tool_slugs"].([]any); len(slugs) == 0 || slugs[0] != want {
			t.Errorf("query %d found %v, want %s first", i, slugs, want)
		}
	}
	if schema := data["tool_schemas"].(object)["LOCAL_SHOP_REFUND"].(object); schema["toolkit"] != "SHOP" || schema["input_schema"] == nil {
		t.Errorf("schema %v", schema)
	}
	data = call("COMPOSIO_GET_TOOL_SCHEMAS", object{"tool_slugs": []any{"LOCAL_TRACK_ORDER"}})
	if data["success"] != true || data["tool_schemas"].(object)["LOCAL_TRACK_ORDER"] == nil {
		t.Errorf("schemas %v", data)
	}
}

// What does not fit into one answer is pointed to, and no query takes the room of another.
func TestSearchKeepsWithinItsBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var kits []*catalog.Toolkit
	for i := range 3 {
		names := []string{"alpha", "bravo", "carbon"}
		kit := &catalog.Toolkit{Slug: names[i], Name: names[i], Version: "20260701_00"}
		for _, verb := range []string{"create", "list", "delete"} {
			wide := make([]string, 400)
			for j := range wide {
				wide[j] = fmt.Sprintf("argument_%d", j)
			}
			kit.Tools = append(kit.Tools, &catalog.Tool{
				Slug: strings.ToUpper(names[i] + "_" + verb + "_WIDGET"), Name: verb + " widget", Description: verb + " a widget.", Hints: catalog.Hints{Read: true},
				Held: &catalog.Detail{Input: schema(wide...), Output: answerSchema},
			})
		}
		kits = append(kits, kit)
	}
	snapshot, err := catalog.NewSnapshot(kits...)
	if err != nil {
		t.Fatal(err)
	}
	w.catalog.Replace(snapshot)
	id := w.create(t, "ann", nil).Session.ID
	out := w.run(t, id, "COMPOSIO_SEARCH_TOOLS", object{"queries": []any{"create a widget in alpha", "list widgets in bravo", "delete a widget in carbon"}})
	if len(out.Data) > 80_000 {
		t.Errorf("the answer has %d bytes", len(out.Data))
	}
	whole, pointed := 0, 0
	for slug, value := range decode(t, out.Data)["tool_schemas"].(object) {
		value := value.(object)
		switch {
		case value["hasFullSchema"] == true && value["input_schema"] != nil:
			whole++
		case value["hasFullSchema"] == false && value["input_schema"] == nil && value["schemaRef"].(object)["tool"] == "COMPOSIO_GET_TOOL_SCHEMAS":
			pointed++
		default:
			t.Errorf("%s: %v", slug, value)
		}
	}
	if whole == 0 || pointed == 0 {
		t.Errorf("%d whole and %d pointed to", whole, pointed)
	}
}
