package toolkits_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/toolkits"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestToolkits tests every toolkit in the same way: it loads, its schemas are such that clients and models take them, its
// examples fit, and what is served, requested and answered is as recorded in testdata/tools/<tool>.golden.
func TestToolkits(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(toolkits.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			tk, problems := catalog.LoadToolkit(toolkits.FS, e.Name())
			for _, p := range problems {
				t.Errorf("toolkits/%s", p)
			}
			if len(problems) > 0 {
				return
			}
			testToolkit(t, tk)
		})
	}
}

// TestSnapshot makes sure that the toolkits live together.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	all, err := catalog.LoadToolkits(toolkits.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.NewSnapshot(all...); err != nil {
		t.Fatal(err)
	}
}

func testToolkit(t *testing.T, tk *catalog.Toolkit) {
	important := 0
	known := map[string]bool{}
	for _, tool := range tk.Tools {
		if tool.Important {
			important++
		}
		file := strings.ToLower(strings.TrimPrefix(tool.Slug, strings.ToUpper(tk.Slug)+"_"))
		known[file] = true
		t.Run(tool.Slug, func(t *testing.T) { testTool(t, tool, file) })
	}
	if important == 0 || important > 20 {
		t.Errorf("%d tools are important; mark those that people need first, about a dozen", important)
	}
	removeStale(t, filepath.Join(tk.Slug, "testdata", "tools"), ".golden", known)
	removeStale(t, filepath.Join(tk.Slug, "testdata", "answers"), ".json", known)
}

func testTool(t *testing.T, tool *catalog.Tool, file string) {
	for _, s := range []catalog.Schema{tool.Held.Input, tool.Held.Output} {
		for _, problem := range catalog.SchemaProblems(s.JSON) {
			t.Errorf("schema: %s", problem)
		}
	}
	dir := filepath.Join(tool.Toolkit.Slug, "testdata")
	var got bytes.Buffer
	writeDeclaration(&got, tool)
	sample := readSample(t, filepath.Join(dir, "answers", file+".json"))
	writeCall(t, &got, tool, sample)
	cases, err := filepath.Glob(filepath.Join(dir, "answers", file+".*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cases {
		fmt.Fprintf(&got, "\n==== %s\n", strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), file+"."), ".json"))
		writeCall(t, &got, tool, readSample(t, name))
	}
	compare(t, filepath.Join(dir, "tools", file+".golden"), got.Bytes())
}

// writeCall shows one call: the example, changed by the sample's input, and what becomes of the sample's answer.
func writeCall(t *testing.T, w *bytes.Buffer, tool *catalog.Tool, s sample) {
	t.Helper()
	args := arguments(t, tool, s.Input)
	writeRequests(t, w, tool, args, s)
	writeData(t, w, tool, args, s)
}

// sample is what the upstream would answer: testdata/answers/<tool>.json, and <tool>.<case>.json for more cases.
type sample struct {
	Input  map[string]any    `json:"input"`  // over the example; null takes an argument away
	Steps  map[string]any    `json:"steps"`  // results of steps
	Cursor any               `json:"cursor"` // shows a step that repeats in its second round
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   any               `json:"body"`
	given  bool
}

func readSample(t *testing.T, file string) sample {
	t.Helper()
	s := sample{Status: 200}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s
	}
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	s.Body, s.given = mapping.PlainNumbers(s.Body), true
	mapping.PlainNumbers(s.Steps)
	return s
}

// arguments are the example with the defaults of the schema, as the runner would pass them. The example must fit the schema
// and pass the tool's own checks.
func arguments(t *testing.T, tool *catalog.Tool, changed map[string]any) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(tool.Held.Input.JSON))
	if err != nil {
		t.Fatal(err)
	}
	args := map[string]any{}
	for name, p := range doc.(map[string]any)["properties"].(map[string]any) {
		if d, ok := p.(map[string]any)["default"]; ok {
			args[name] = d
		}
	}
	for name, v := range tool.Held.Example {
		args[name] = v
	}
	for name, v := range changed {
		if args[name] = v; v == nil {
			delete(args, name)
		}
	}
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := mapping.DecodeJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	args = plain.(map[string]any)
	validate(t, doc, args)
	if problems, err := tool.Held.Refuse(&mapping.Env{Input: args}); err != nil || problems != nil {
		t.Errorf("the example is refused: %v %v", problems, err)
	}
	return withFiles(doc.(map[string]any), args)
}

func validate(t *testing.T, doc any, args map[string]any) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("tool:///input", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("tool:///input")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(args); err != nil {
		t.Errorf("the example does not fit the schema: %v", err)
	}
}

// withFiles puts a small file in place of every file argument, as the runner does once it has fetched it.
func withFiles(schema, args map[string]any) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	for name, v := range args {
		p, _ := properties[name].(map[string]any)
		args[name] = withFile(p, v)
	}
	return args
}

func withFile(p map[string]any, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if p["file_uploadable"] == true {
			return mapping.File{Name: fmt.Sprint(v["name"]), MIMEType: fmt.Sprint(v["mimetype"]), Data: []byte("content of " + fmt.Sprint(v["name"]))}
		}
		return withFiles(p, v)
	case []any:
		items, _ := p["items"].(map[string]any)
		for i, e := range v {
			v[i] = withFile(items, e)
		}
	}
	return v
}

func writeDeclaration(w *bytes.Buffer, tool *catalog.Tool) {
	fmt.Fprintf(w, "%s: %s\n", tool.Slug, tool.Name)
	fmt.Fprintf(w, "tags: %s\n", strings.Join(tool.Tags(), " "))
	if len(tool.Aliases) > 0 {
		fmt.Fprintf(w, "aliases: %s\n", strings.Join(tool.Aliases, " "))
	}
	if tool.Scopes.All != nil || tool.Scopes.Any != nil {
		fmt.Fprintf(w, "scopes: %v %v\n", tool.Scopes.All, tool.Scopes.Any)
	}
	fmt.Fprintf(w, "\n%s\n\n-- input --\n", tool.Description)
	writeSchema(w, tool.Held.Input.JSON)
	var output struct {
		Properties struct{ Data json.RawMessage }
	}
	_ = json.Unmarshal(tool.Held.Output.JSON, &output) // it has been checked above
	fmt.Fprintf(w, "\n-- data schema --\n%s\n", output.Properties.Data)
	for _, list := range []struct {
		name  string
		lines []string
	}{{"pitfalls", tool.Held.Pitfalls}, {"before", tool.Held.Before}, {"after", tool.Held.After}} {
		if list.lines != nil {
			fmt.Fprintf(w, "\n-- %s --\n%s\n", list.name, strings.Join(list.lines, "\n"))
		}
	}
}

// writeSchema writes an object schema with one property on a line, so that a changed argument is a changed line.
func writeSchema(w *bytes.Buffer, raw json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(raw))
	_, _ = d.Token() // the schema has been checked: it is an object
	fmt.Fprintln(w, "{")
	for d.More() {
		name, _ := d.Token()
		if name == "properties" {
			fmt.Fprintln(w, "  properties:")
			_, _ = d.Token()
			for d.More() {
				name, _ := d.Token()
				var value json.RawMessage
				_ = d.Decode(&value)
				fmt.Fprintf(w, "    %s: %s\n", name, value)
			}
			_, _ = d.Token()
			continue
		}
		var value json.RawMessage
		_ = d.Decode(&value)
		fmt.Fprintf(w, "  %s: %s\n", name, value)
	}
	fmt.Fprintln(w, "}")
}

// writeRequests shows every request that the example leads to.
func writeRequests(t *testing.T, w *bytes.Buffer, tool *catalog.Tool, args map[string]any, s sample) {
	t.Helper()
	env := environment(tool, args, nil)
	env.Steps = map[string]any{}
	for i := range tool.Held.Request.Steps {
		step := &tool.Held.Request.Steps[i]
		writeStep(t, w, tool, step, env, s)
		if v, ok := s.Steps[step.Name]; ok {
			env.Steps[step.Name] = v
		}
	}
	if tool.Held.Request.Main() {
		b, err := tool.Held.Request.Build(tool.Toolkit, env)
		writeBuilt(t, w, "request", b, err)
	}
}

func writeStep(t *testing.T, w *bytes.Buffer, tool *catalog.Tool, step *catalog.Step, env *mapping.Env, s sample) {
	t.Helper()
	if step.When != nil {
		on, err := step.When.True(env)
		if err != nil {
			t.Errorf("step %s: %v", step.Name, err)
		}
		if !on {
			fmt.Fprintf(w, "\n-- step %s: left out --\n", step.Name)
			return
		}
	}
	here := *env
	if step.ForEach != nil {
		list, err := step.ForEach.List.Eval(env)
		if err != nil {
			t.Errorf("step %s: %v", step.Name, err)
		}
		items, _ := list.([]any)
		fmt.Fprintf(w, "\n-- step %s: for each of %d, at most %d, %d at once --\n", step.Name, len(items), step.ForEach.Max, step.ForEach.Parallel)
		if len(items) == 0 {
			return
		}
		here.Item = items[0]
	}
	b, err := step.Build(tool.Toolkit, &here)
	writeBuilt(t, w, "step "+step.Name, b, err)
	if step.Repeat != nil && s.Cursor != nil {
		here.Cursor = s.Cursor
		b, err = step.Build(tool.Toolkit, &here)
		writeBuilt(t, w, "step "+step.Name+", next round", b, err)
	}
}

func writeBuilt(t *testing.T, w *bytes.Buffer, what string, b catalog.Built, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	fmt.Fprintf(w, "\n-- %s --\n%s %s\n", what, b.Method, b.URL)
	if b.Anonymous {
		fmt.Fprintln(w, "(without credential)")
	}
	for _, name := range slices.Sorted(keys(b.Header)) {
		fmt.Fprintf(w, "%s: %s\n", name, b.Header[name])
	}
	if b.Body != nil {
		fmt.Fprintf(w, "\n%s\n", bytes.TrimSuffix(readable(b.Body), []byte("\n")))
	}
}

// writeData shows what becomes of the sample answer.
func writeData(t *testing.T, w *bytes.Buffer, tool *catalog.Tool, args map[string]any, s sample) {
	t.Helper()
	computed := !tool.Held.Request.Main() && len(tool.Held.Request.Steps) == 0
	if !s.given && !computed {
		return
	}
	env := environment(tool, args, s.Steps)
	env.Body, env.Status, env.Header = s.Body, s.Status, s.Header
	for name, rule := range map[string]*mapping.Expr{"failed_when": tool.Toolkit.Errors.FailedWhen, "reconnect_when": tool.Toolkit.Errors.Reconnect} {
		if rule == nil {
			continue
		}
		if on, err := rule.True(env); err != nil || on {
			t.Errorf("%s: the sample counts as a failure (%v)", name, err)
		}
	}
	data, err := tool.Held.Data(env)
	if err != nil {
		t.Errorf("data: %v", err)
		return
	}
	raw, err := mapping.EncodeJSON(data)
	if err != nil {
		t.Errorf("data: %v", err)
		return
	}
	fmt.Fprintf(w, "\n-- data --\n%s\n", indent(raw))
}

func environment(tool *catalog.Tool, args, steps map[string]any) *mapping.Env {
	fields := map[string]string{}
	for _, a := range tool.Toolkit.Auth {
		for _, f := range slices.Concat(a.ConfigFields, a.AccountFields) {
			fields[f.Name] = f.Default
			if f.Default == "" {
				fields[f.Name] = strings.ReplaceAll(f.Name, "_", "-")
			}
			if f.Type == "url" && f.Default == "" {
				fields[f.Name] = "https://" + strings.ReplaceAll(f.Name, "_", "-") + ".example.com"
			}
		}
	}
	return &mapping.Env{Input: args, Fields: fields, Steps: steps, Now: time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)}
}

func readable(body []byte) []byte {
	if json.Valid(body) {
		return indent(body)
	}
	return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
}

func indent(raw []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return raw
	}
	return b.Bytes()
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run go test ./toolkits -update and read what it wrote", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-recorded +now):\n%s", file, diff)
	}
}

// removeStale reports files of tools that are no longer there, or removes them with -update.
func removeStale(t *testing.T, dir, ext string, known map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, _, _ := strings.Cut(e.Name(), "."); strings.HasSuffix(e.Name(), ext) && known[name] {
			continue
		}
		if *update && ext == ".golden" {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s belongs to no tool", filepath.Join(dir, e.Name()))
	}
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
