package toolkits_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// TestTriggers tests every trigger type in the same way: its schemas are such that clients take them, its example fits, and what is
// asked of the provider and what becomes of a recorded call or element is as in testdata/triggers/<trigger>.golden.
func TestTriggers(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(toolkits.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			tk, _ := catalog.LoadToolkit(toolkits.FS, e.Name())
			known := map[string]bool{}
			for _, trigger := range tk.Triggers {
				file := strings.ToLower(strings.TrimPrefix(trigger.Slug, strings.ToUpper(tk.Slug)+"_"))
				known[file] = true
				t.Run(trigger.Slug, func(t *testing.T) { testTrigger(t, trigger, file) })
			}
			if len(known) > 0 {
				removeStale(t, filepath.Join(tk.Slug, "testdata", "triggers"), ".golden", known)
			}
		})
	}
}

// occurrence is a call or an element as the provider would send it: testdata/events/<trigger>.json.
type occurrence struct {
	Input  map[string]any    `json:"input"` // over the example
	Hook   map[string]any    `json:"hook"`  // what making or probing the webhook answered
	Header map[string]string `json:"header"`
	Body   any               `json:"body"` // of a call, or of the answer that the list is in
	Steps  map[string]any    `json:"steps"`
	Ignore any               `json:"ignore"` // a body that is no event of this type
}

func testTrigger(t *testing.T, trigger *catalog.TriggerType, file string) {
	for _, s := range []catalog.Schema{trigger.Config, trigger.Payload} {
		for _, problem := range catalog.SchemaProblems(s.JSON) {
			t.Errorf("schema: %s", problem)
		}
	}
	dir := filepath.Join(trigger.Toolkit.Slug, "testdata")
	o := readOccurrence(t, filepath.Join(dir, "events", file+".json"))
	input := map[string]any{}
	for _, more := range []map[string]any{defaults(t, trigger.Config), trigger.Example, o.Input} {
		for name, v := range more {
			input[name] = v
		}
	}
	var got bytes.Buffer
	fmt.Fprintf(&got, "%s %s (%s)\nconfig %s\npayload %s\n", trigger.Kind, trigger.Slug, trigger.Name, trigger.Config.JSON, trigger.Payload.JSON)
	writeHidden(t, &got, trigger, input, o)
	writeEvents(t, &got, trigger, input, o)
	compare(t, filepath.Join(dir, "triggers", file+".golden"), got.Bytes())
}

func readOccurrence(t *testing.T, file string) occurrence {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("a trigger type needs an event as its provider sends it: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	var o occurrence
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	o.Body, o.Ignore = mapping.PlainNumbers(o.Body), mapping.PlainNumbers(o.Ignore)
	for _, m := range []map[string]any{o.Input, o.Hook, o.Steps} {
		mapping.PlainNumbers(m)
	}
	return o
}

// defaults gives what a configuration holds when nothing is chosen.
func defaults(t *testing.T, schema catalog.Schema) map[string]any {
	t.Helper()
	var s struct {
		Properties map[string]struct {
			Default any `json:"default"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(schema.JSON, &s); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for name, p := range s.Properties {
		if f, ok := p.Default.(float64); ok {
			values[name] = int(f)
		} else if p.Default != nil {
			values[name] = p.Default
		}
	}
	return values
}

var triggerNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// writeHidden shows the requests of a trigger type.
func writeHidden(t *testing.T, w *bytes.Buffer, trigger *catalog.TriggerType, input map[string]any, o occurrence) {
	show := func(what string, tool *catalog.Tool, more map[string]any) {
		if tool == nil {
			return
		}
		env := &mapping.Env{Input: map[string]any{}, Fields: map[string]string{}, Steps: o.Steps, Now: triggerNow}
		for _, m := range []map[string]any{input, more} {
			for name, v := range m {
				env.Input[name] = v
			}
		}
		d := tool.Detail()
		for i := range d.Request.Steps {
			step := &d.Request.Steps[i]
			if step.ForEach != nil {
				env.Item = map[string]any{"id": "ITEM"}
			}
			built, err := step.Build(trigger.Toolkit, env)
			writeBuilt(t, w, what+" "+step.Name, built, err)
			env.Item = nil
		}
		if d.Request.Main() {
			built, err := d.Request.Build(trigger.Toolkit, env)
			writeBuilt(t, w, what, built, err)
		}
	}
	if p := trigger.Poll; p != nil {
		show("list", p.List, map[string]any{"since": "2026-03-04T05:00:00Z"})
	}
	if h := trigger.Webhook; h != nil {
		show("create", h.Create, map[string]any{
			"webhook_url": "https://patchbay.example/hook", "signing_secret": "SECRET", "events": anyTexts(trigger.Events),
		})
		show("remove", h.Remove, map[string]any{"hook": map[string]any{"id": "HOOK"}})
		show("about", h.About, nil)
	}
}

func anyTexts(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

// writeEvents shows the events of an occurrence, and makes sure that they fit the payload's schema.
func writeEvents(t *testing.T, w *bytes.Buffer, trigger *catalog.TriggerType, input map[string]any, o occurrence) {
	t.Helper()
	env := &mapping.Env{Input: input, Steps: o.Steps, Header: o.Header, Body: o.Body, Status: 200, Now: triggerNow}
	items := []any{nil}
	if trigger.Poll != nil {
		data, err := trigger.Poll.List.Detail().Data(env)
		if err != nil {
			t.Fatal(err)
		}
		items, _ = data["items"].([]any)
		fmt.Fprintf(w, "next %v, mark %v\n", data["next"], data["mark"])
	} else {
		input["hook"] = o.Hook
		if mine := trigger.Webhook.Mine; mine != nil && o.Hook != nil {
			if yes, err := mine.True(env); err != nil || !yes {
				t.Errorf("mine: %v %v", yes, err)
			}
		}
	}
	found := eventsIn(t, w, trigger, env, items)
	if found == 0 {
		t.Error("the recorded occurrence is no event")
	}
	if o.Ignore == nil {
		return
	}
	env.Body = o.Ignore
	if trigger.Poll != nil {
		data, err := trigger.Poll.List.Detail().Data(env)
		if err != nil {
			t.Fatal(err)
		}
		items, _ = data["items"].([]any)
	}
	if n := eventsIn(t, new(bytes.Buffer), trigger, env, items); n != 0 {
		t.Errorf("what is to be ignored makes %d events", n)
	}
}

func eventsIn(t *testing.T, w *bytes.Buffer, trigger *catalog.TriggerType, env *mapping.Env, items []any) (found int) {
	t.Helper()
	rule := trigger.Event
	if rule.Each != nil {
		v, err := rule.Each.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		items, _ = v.([]any)
	}
	for _, item := range items {
		env.Item = item
		if rule.When != nil {
			if yes, err := rule.When.True(env); err != nil || !yes {
				if err != nil {
					t.Errorf("when: %v", err)
				}
				continue
			}
		}
		found++
		key, err := rule.Key.Eval(env)
		if err != nil || mapping.AsText(key) == "" {
			t.Errorf("key %v: %v", key, err)
		}
		fmt.Fprintf(w, "event %s", mapping.AsText(key))
		if rule.At != nil {
			at, err := rule.At.Eval(env)
			if err != nil || at == nil {
				t.Errorf("at %v: %v", at, err)
			}
			fmt.Fprintf(w, " at %v", at)
		}
		data, err := rule.Data.EvalObject(env)
		if err != nil {
			t.Fatal(err)
		}
		checkPayload(t, trigger, data)
		shown, err := json.MarshalIndent(data, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "\n%s\n", shown)
	}
	return found
}

func checkPayload(t *testing.T, trigger *catalog.TriggerType, data map[string]any) {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(trigger.Payload.JSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("payload:///", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("payload:///")
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("an event does not fit the payload that is declared: %v", err)
	}
	var declared struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(trigger.Payload.JSON, &declared); err != nil {
		t.Fatal(err)
	}
	for name := range data {
		if _, ok := declared.Properties[name]; !ok {
			t.Errorf("an event has %q, which its payload does not declare", name)
		}
	}
}
