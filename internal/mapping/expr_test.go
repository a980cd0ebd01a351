package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExprEval(t *testing.T) {
	t.Parallel()
	env := &Env{
		Input:  map[string]any{"title": "Bug", "n": 3, "labels": []any{"a", "b"}, "nested": map[string]any{"x": 1.5}},
		Fields: map[string]string{"subdomain": "acme"},
		Steps:  map[string]any{"list": map[string]any{"messages": []any{map[string]any{"id": "m1"}, map[string]any{"id": "m2"}}}},
		Item:   map[string]any{"id": "i1"},
		Body:   map[string]any{"ok": true, "items": []any{map[string]any{"id": 1, "tags": nil}}},
		Status: 201,
		Header: map[string]string{"location": "/x"},
		Now:    time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	}
	scope := Scope{
		Input: []string{"title", "n", "labels", "nested", "absent"}, Fields: []string{"subdomain"}, Steps: []string{"list"},
		Item: true, Cursor: true, Answer: true,
	}
	tests := []struct {
		source string
		want   any
	}{
		{`input.title`, "Bug"},
		{`${{ input.title }}`, "Bug"},
		{`input.absent`, nil},
		{`input.absent.deeper`, nil},
		{`(input.absent.deeper ?? 0) == 0 ? 1 : 2`, 1},
		{`input["title"]`, "Bug"},
		{`input.nested.x * 2`, 3.0},
		{`fields.subdomain`, "acme"},
		{`item.id`, "i1"},
		{`cursor ?? "first"`, "first"},
		{`last(steps.list.messages).id`, "m2"},
		{`map(steps.list.messages, .id)`, []any{"m1", "m2"}},
		{`map(input.absent, .id)`, []any{}},
		{`filter(body.absent, .id == 1)`, []any{}},
		{`len(list(input.absent))`, 0},
		{`map(body.items, {{id: .id, tags: .tags.x}})`, []any{map[string]any{"id": 1, "tags": nil}}},
		{`status == 201 && body.ok`, true},
		{`header.location`, "/x"},
		{`now.Format("2006-01-02")`, "2026-11-22"},
		{`now.Add(duration("24h")).Format("2006-01-02")`, "2026-11-23"},
		{`join(input.labels, ",")`, "a,b"},
		{`join(input.n, ",")`, "3"},
		{`coalesce(input.absent, "", "x")`, "x"},
		{`json({a: 1, b: "<"})`, `{"a":1,"b":"<"}`},
		{`parse_json("[1,2.5,\"x\"]")`, []any{1, 2.5, "x"}},
		{`base64url("a?>")`, "YT8-"},
		{`base64_decode("YT8-")`, "a?>"},
		{`base64_decode("YT8+")`, "a?>"},
		{`clip("äöü", 2)`, "äö…"},
		{`compact({a: nil, b: 1})`, map[string]any{"b": 1}},
		{`compact({a: nil})`, nil},
		{`merge({a: 1}, nil, {a: 2, b: 3})`, map[string]any{"a": 2, "b": 3}},
		{`omit({a: 1, b: 2}, "a")`, map[string]any{"b": 2}},
		{`pick({a: 1, b: nil, c: 3}, "a", "b")`, map[string]any{"a": 1}},
		{`format("2026-01-31T09:30:00Z", "datetime", "Europe/Berlin")`, "2026-01-31T10:30:00+01:00"},
		{`format(now, "date")`, "2026-11-22"},
		{`unix("1970-01-01T00:01:00Z")`, 60},
		{`time(60).Format("15:04:05")`, "00:01:00"},
		{`let x = input.n; x + 1`, 4},
		{`!input.absent && input.title ? "yes" : "no"`, "yes"},
		{`input.labels || false`, true},
		{`input.labels.name`, nil},
		{`input.labels[7]`, nil},
		{`input.labels[-1]`, "b"},
		{`input.absent[0].x`, nil},
		{`input.title.x.y`, nil},
		{`header["no-such"]`, nil},
		{`header["location"]`, "/x"},
		{`fields.subdomain + "!"`, "acme!"},
		{`body?.items?.[0]?.id`, 1},
		{`map(body.items, .id + 1)`, []any{2}},
		{`now.Year()`, 2026},
		{`split("a,b", ",")`, []any{"a", "b"}},
		{`{x: split("a,b", ",")[1]}`, map[string]any{"x": "b"}},
		{`1..3`, []any{1, 2, 3}},
		{`groupBy(steps.list.messages, .id).m1`, []any{map[string]any{"id": "m1"}}},
		{`object([["a", 1], [2, input.absent]])`, map[string]any{"a": 1, "2": nil}},
		{`list(1..2)`, []any{1, 2}},
		{`not (input.absent or input.n == 4)`, true},
		{`filter(body.items, .tags)`, []any{}},
		{`count(body.items, .id)`, 1},
		{`find(steps.list.messages, .id == "m2").id`, "m2"},
		{`input.labels[0:1]`, []any{"a"}},
		{`input.labels[1:99]`, []any{"b"}},
		{`list(input.absent)[3:99]`, []any{}},
		{`link_next("<https://x/?page=2&q=a>; rel=\"prev\", <https://x/?page=4>; rel=\"next\"", "page")`, 4},
		{`link_next("<https://x/?after=a%2Fb>; rel=next", "after")`, "a/b"},
		{`link_next("<https://x/?page=1>; rel=\"last\"", "page")`, nil},
		{`link_next(input.absent, "page")`, nil},
	}
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()
			e, err := CompileExpr(test.source, scope, 1)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second run uses the machine again
				got, err := e.Eval(env)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("value (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestExprTypos(t *testing.T) {
	t.Parallel()
	scope := Scope{Input: []string{"title", "labels"}, Fields: []string{"subdomain"}, Steps: []string{"list"}}
	tests := []struct{ source, want string }{
		{`input.titel`, `line 7: in "input.titel": there is no argument "titel"; did you mean "title"?`},
		{`map(input.labels, input.lables)`, `did you mean "labels"?`},
		{`fields.subdomian`, `there is no connection field "subdomian"; did you mean "subdomain"?`},
		{`steps.lists.x`, `there is no step "lists"; did you mean "list"?`},
		{`body.x`, `unknown name body`},
		{`item`, `unknown name item`},
		{`uper(input.title)`, `unknown name uper`},
		{`input.title +`, `unexpected token EOF`},
		{`$env.input.nope`, `$env is not offered`},
		{`toJSON(input)`, `unknown name toJSON`},
	}
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()
			_, err := CompileExpr(test.source, scope, 7)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want it to say %q", err, test.want)
			}
		})
	}
}
