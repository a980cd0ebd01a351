package mapping

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func yamlNode(t testing.TB, source string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

func compileTree(t testing.TB, source string, scope Scope) *Tree {
	t.Helper()
	tree, err := CompileTree(yamlNode(t, source), scope)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

var treeScope = Scope{Input: []string{"title", "n", "labels", "author_name", "absent"}, Fields: []string{"site"}, Answer: true}

func TestTreeEval(t *testing.T) {
	t.Parallel()
	env := &Env{
		Input:  map[string]any{"title": "A \"quoted\"\ntitle", "n": 3, "labels": []any{"a"}},
		Fields: map[string]string{"site": "s"},
		Body:   map[string]any{"items": []any{map[string]any{"id": 1}, map[string]any{"id": 2}}},
	}
	tests := []struct {
		name, source string
		want         any
	}{
		{"constant", `{a: 1, b: [x, true, 2.5, null], c: {d: text}}`, map[string]any{"a": 1, "b": []any{"x", true, 2.5, nil}, "c": map[string]any{"d": "text"}}},
		{"types stay", `{n: "${{ input.n }}", labels: "${{ input.labels }}", t: "${{ input.title }}"}`,
			map[string]any{"n": 3, "labels": []any{"a"}, "t": "A \"quoted\"\ntitle"}},
		{"text", `{t: "n=${{ input.n }}, {title} $5 ${{ input.absent }}."}`, map[string]any{"t": "n=3, {title} $5 ."}},
		{"absent member", `{a: "${{ input.absent }}", b: 1}`, map[string]any{"b": 1}},
		{"absent element", `["${{ input.absent }}", "${{ input.n }}"]`, []any{3}},
		{"nothing left below", `{a: {b: "${{ input.absent }}", c: {d: "${{ input.absent }}"}}, e: ["${{ input.absent }}"], f: 1}`, map[string]any{"f": 1}},
		{"nothing left at the root", `{a: "${{ input.absent }}"}`, map[string]any{}},
		{"written empty stays", `{a: {}, b: [], c: null}`, map[string]any{"a": map[string]any{}, "b": []any{}, "c": nil}},
		{"false and empty stay", `{a: "${{ false }}", b: "${{ '' }}", c: "${{ 0 }}"}`, map[string]any{"a": false, "b": "", "c": 0}},
		{"list by expression", `"${{ map(body.items, {{id: text(.id)}}) }}"`, []any{map[string]any{"id": "1"}, map[string]any{"id": "2"}}},
		{"field", `{s: "${{ fields.site }}"}`, map[string]any{"s": "s"}},
		{"two expressions", `"${{ input.n }}${{ input.n }}"`, "33"},
		{"anchors", `{a: &x {n: "${{ input.n }}"}, b: *x}`, map[string]any{"a": map[string]any{"n": 3}, "b": map[string]any{"n": 3}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := compileTree(t, test.source, treeScope).Eval(env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTreeTypos(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a: 1\nb: ${{ input.titel }}":           `line 2: in "input.titel": there is no argument "titel"`,
		"a: 1\nb:\n  - ${{ boddy.x }}":          "line 3: in ${{ boddy.x }}: unknown name boddy",
		"a: 1\nb: x ${{ input.titel }} y":       `line 2: in "input.titel"`,
		"a: 1\nb: 2\na: 3":                      `line 3: "a" stands twice`,
		"a: ${{ 1 + }}":                         "line 1: in ${{ 1 + }}",
		"a: \"x ${{ input.title\"":              "${{ is not closed",
		"a: '${{ sum(1..100000, # * 2) > 0 }}'": "",
	} {
		_, err := CompileTree(yamlNode(t, source), treeScope)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("CompileTree(%q) = %v, want %q", source, err, want)
		}
	}
}

func TestTreeInputs(t *testing.T) {
	t.Parallel()
	names, whole := compileTree(t, `{a: "${{ input.title }}", b: "x ${{ input[\"n\"] }}"}`, treeScope).Inputs()
	if diff := cmp.Diff([]string{"n", "title"}, names); diff != "" || whole {
		t.Errorf("inputs (-want +got), whole %v:\n%s", whole, diff)
	}
	if _, whole := compileTree(t, `{a: "${{ json(input) }}"}`, treeScope).Inputs(); !whole {
		t.Error("the arguments as a whole are not noticed")
	}
}

// A hostile or careless declaration is stopped, and says why.
func TestLimits(t *testing.T) {
	t.Parallel()
	tree := compileTree(t, `"${{ map(1..1000000, map(1..1000000, # * 2)) }}"`, treeScope)
	if _, err := tree.Eval(&Env{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "memory budget") {
		t.Errorf("error = %v", err)
	}
	if _, err := CompileExpr(strings.Repeat("1 + ", 3000)+"1", treeScope, 1); err == nil {
		t.Error("an endless expression was compiled")
	}
}

func TestEvalFaults(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`${{ input.title + 1 }}`:                "Could not compute ${{ input.title + 1 }}",
		`${{ time("tomorrow") }}`:               `"tomorrow" is not a time`,
		`${{ format(now, "date", "Mars/X") }}`:  `"Mars/X" is not a time zone`,
		`${{ merge(input.labels) }}`:            "merge needs objects",
		`${{ parse_json("{") }}`:                `"{" is not JSON`,
		`${{ base64_decode("%%") }}`:            "is not base64",
		`${{ gaps([{start: "x"}], now, now) }}`: "is not a time",
	} {
		_, err := compileTree(t, `{a: '`+source+`'}`, treeScope).Eval(&Env{Input: map[string]any{"title": "x", "labels": []any{"a"}}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want %q", source, err, want)
		}
	}
}

// Machines and variable tables are shared between calls: values must not leak from one into another.
func TestConcurrentEval(t *testing.T) {
	t.Parallel()
	tree := compileTree(t, `{n: "${{ input.n + 0 }}", k: "${{ map(input.labels, # + text(input.n)) }}"}`, treeScope)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				got, err := tree.Eval(&Env{Input: map[string]any{"n": i, "labels": []any{"a"}}})
				if diff := cmp.Diff(map[string]any{"n": i, "k": []any{"a" + AsText(i)}}, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestPick(t *testing.T) {
	t.Parallel()
	body, err := DecodeJSON([]byte(`[{"number": 1, "title": "T", "user": {"login": "ann"}, "labels": [{"name": "a"}, {}, {"name": "b"}],
		"closed": null, "assets": [{"id": 1, "url": "u"}], "labels2": [{"name": "a", "id": 1, "x": 2}], "files": {"a": 1}}, {"number": 2}, 3]`))
	if err != nil {
		t.Fatal(err)
	}
	pick, err := CompilePick(yamlNode(t, `[number, title, closed, {author: user.login}, {labels: "labels[].name", first: "labels[0].name"}, {assets: {from: assets, pick: [id]}}, {none: "files[].x"}, user.login, user.id, "labels2[].name", labels2.id]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{
		map[string]any{"number": 1, "title": "T", "author": "ann", "labels": []any{"a", "b"}, "first": "a", "assets": []any{map[string]any{"id": 1}},
			"user": map[string]any{"login": "ann"}, "labels2": []any{map[string]any{"name": "a", "id": 1}}},
		map[string]any{"number": 2}, 3,
	}
	if diff := cmp.Diff(want, pick.Apply(body)); diff != "" {
		t.Errorf("picked (-want +got):\n%s", diff)
	}
	for source, want := range map[string]string{
		`["user[0].login"]`:         "needs a name",
		`[user, user.login]`:        `"user" is picked twice`,
		`[a, a]`:                    `"a" is picked twice`,
		`[{a: "x["}]`:               "is not a path",
		`[{a: "x[y]"}]`:             "is not a path",
		`[{a: {form: b}}]`:          `unknown key "form"`,
		`{a: b}`:                    "pick is a list",
		`[{a: "${{ x }}"}]`:         "is not a path",
		`[{a: {from: b, pick: c}}]`: "pick is a list",
	} {
		if _, err := CompilePick(yamlNode(t, source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CompilePick(%s) = %v, want %q", source, err, want)
		}
	}
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	got, err := DecodeJSON([]byte(`{"i": 9007199254740993, "f": 1.5, "e": 1e3, "big": 123456789012345678901234567890, "l": [1, -2], "s": "<&>"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"i": 9007199254740993, "f": 1.5, "e": 1000.0, "big": "123456789012345678901234567890", "l": []any{1, -2}, "s": "<&>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if raw, err := EncodeJSON(map[string]any{"s": "<&>"}); err != nil || string(raw) != `{"s":"<&>"}` {
		t.Errorf("encoded %s, %v", raw, err)
	}
	for _, bad := range []string{``, `{`, `{} {}`, `nope`} {
		if _, err := DecodeJSON([]byte(bad)); err == nil {
			t.Errorf("%q was decoded", bad)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	tree := compileTree(b, `{title: "${{ input.title }}", body: "${{ input.absent }}", labels: "${{ input.labels }}", sum: "${{ input.n + 1 }}", fixed: {a: 1}}`, treeScope)
	env := &Env{Input: map[string]any{"title": "T", "labels": []any{"a"}, "n": 2}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tree.Eval(env); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPath(b *testing.B) {
	text, err := CompilePath("/repos/{owner}/{repo}/issues", textScope, 1)
	if err != nil {
		b.Fatal(err)
	}
	env := &Env{Input: map[string]any{"owner": "octocat", "repo": "hello-world"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := text.Expand(env); err != nil {
			b.Fatal(err)
		}
	}
}
