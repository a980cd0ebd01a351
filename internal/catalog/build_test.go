package catalog

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// oneTool loads a toolkit with one tool of the given arguments and behaviour.
func oneTool(t *testing.T, lines string) *Tool {
	t.Helper()
	toolkit := "slug: acme\nname: Acme\ndescription: Boxes of things, for tests.\nversion: 20261122_00\ncategories: [crm]\n" +
		"base_url: https://api.example.com/\nheaders: {X-Site: \"{site}\"}\ntrim: {drop: [\"*_url\", \"internal*\", etag], keep: [html_url]}\n" +
		"auth: [{scheme: API_KEY, fields: {site: Site}}]\n"
	tool := "- slug: EXTRA\n  title: Extra\n  description: One more tool for the tests here.\n  hints: [read]\n" + lines
	tk, problems := LoadToolkit(acme(map[string]string{"acme/toolkit.yaml": toolkit, "acme/things.yaml": tool}), "acme")
	if problems != nil {
		t.Fatal(problems)
	}
	return tk.Tools[0]
}

const someInput = `  input:
    q: A text.
    n: {type: integer, description: A number.}
    list: {type: [string], description: Texts.}
    nested: {type: object, description: An object.}
    doc: {type: file, description: A file.}
`

func TestBuild(t *testing.T) {
	t.Parallel()
	input := map[string]any{
		"q": "a&b=ü", "n": 3, "list": []any{"x", "y z"},
		"nested": map[string]any{"a": []any{map[string]any{"b": 1}, "c"}, "d": true},
		"doc":    mapping.File{Name: `r"1".txt`, MIMEType: "text/plain", Data: []byte("hello")},
	}
	without := func(names ...string) map[string]any {
		out := map[string]any{}
		for k, v := range input {
			out[k] = v
		}
		for _, name := range names {
			delete(out, name)
		}
		return out
	}
	plain := map[string]string{"Accept": "application/json", "X-Site": "s1"}
	with := func(more ...string) map[string]string {
		out := map[string]string{"Accept": "application/json", "X-Site": "s1"}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	tests := []struct {
		name, request string
		input         map[string]any
		want          Built
	}{
		{"query", "GET /x", without("doc"), Built{Method: "GET", Header: plain,
			URL: "https://api.example.com/x?q=a%26b%3D%C3%BC&n=3&list=x&list=y+z&nested=%7B%22a%22%3A%5B%7B%22b%22%3A1%7D%2C%22c%22%5D%2C%22d%22%3Atrue%7D"}},
		{"nothing given", "GET /x", nil, Built{Method: "GET", URL: "https://api.example.com/x", Header: plain}},
		{"comma lists", "{GET: /x, lists: comma}", without("doc", "nested", "q"), Built{Method: "GET", Header: plain, URL: "https://api.example.com/x?n=3&list=x%2Cy+z"}},
		{"bracket lists", "{GET: /x, lists: brackets}", without("doc", "nested", "q", "n"), Built{Method: "GET", Header: plain, URL: "https://api.example.com/x?list%5B%5D=x&list%5B%5D=y+z"}},
		{"renamed", "{GET: /x, rename: {n: page}}", map[string]any{"n": 2}, Built{Method: "GET", Header: plain, URL: "https://api.example.com/x?page=2"}},
		{"own query", `{GET: "/x?v=1", query: {fixed: 1, q: "${{ input.q }}", gone: "${{ input.n }}"}}`, map[string]any{"q": "z", "list": []any{}}, Built{Method: "GET", Header: plain, URL: "https://api.example.com/x?v=1&fixed=1&q=z"}},
		{"other host", "GET https://other.example.com/y", nil, Built{Method: "GET", URL: "https://other.example.com/y", Header: plain}},
		{"JSON", "POST /x", map[string]any{"q": "<z>", "n": 0}, Built{Method: "POST", URL: "https://api.example.com/x",
			Header: with("Content-Type", "application/json"), Body: []byte(`{"n":0,"q":"<z>"}`)}},
		{"empty JSON", "POST /x", nil, Built{Method: "POST", URL: "https://api.example.com/x", Header: with("Content-Type", "application/json"), Body: []byte(`{}`)}},
		{"body and rest", `{PUT: /x, body: {fixed: {a: "${{ input.n }}"}}, rest: body}`, map[string]any{"q": "z", "n": 1}, Built{Method: "PUT",
			URL: "https://api.example.com/x", Header: with("Content-Type", "application/json"), Body: []byte(`{"fixed":{"a":1},"q":"z"}`)}},
		{"body to query", `{POST: /x, rest: query}`, map[string]any{"q": "z"}, Built{Method: "POST", URL: "https://api.example.com/x?q=z", Header: plain}},
		{"form", `{POST: /x, encoding: form}`, without("doc"), Built{Method: "POST", URL: "https://api.example.com/x",
			Header: with("Content-Type", "application/x-www-form-urlencoded"),
			Body:   []byte("list%5B0%5D=x&list%5B1%5D=y+z&n=3&nested%5Ba%5D%5B0%5D%5Bb%5D=1&nested%5Ba%5D%5B1%5D=c&nested%5Bd%5D=true&q=a%26b%3D%C3%BC")}},
		{"raw text", `{POST: /x, body: "${{ input.q }}", encoding: raw, headers: {Content-Type: text/markdown}, rest: query}`, map[string]any{"q": "# T"},
			Built{Method: "POST", URL: "https://api.example.com/x", Header: with("Content-Type", "text/markdown"), Body: []byte("# T")}},
		{"raw file", `{POST: /x, body: "${{ input.doc }}", encoding: raw, anonymous: true, rest: query}`, without("q", "n", "list", "nested"),
			Built{Method: "POST", URL: "https://api.example.com/x", Header: with("Content-Type", "text/plain"), Body: []byte("hello"), Anonymous: true}},
		{"graphql", `{graphql: "query($q: String) { a }"}`, map[string]any{"q": "z"}, Built{Method: "POST", URL: "https://api.example.com/graphql",
			Header: with("Content-Type", "application/json"), Body: []byte(`{"query":"query($q: String) { a }","variables":{"q":"z"}}`)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tool := oneTool(t, someInput+"  request: "+test.request+"\n")
			got, err := tool.Held.Request.Build(tool.Toolkit, &mapping.Env{Input: test.input, Fields: map[string]string{"site": "s1"}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildMultipart(t *testing.T) {
	t.Parallel()
	file := mapping.File{Name: "r\"1\r\nX: y.txt", MIMEType: "text/plain", Data: []byte("hello")}
	env := &mapping.Env{Input: map[string]any{"q": "z", "list": []any{"a", "b"}, "doc": file}}
	tool := oneTool(t, someInput+"  request: {POST: /x, encoding: multipart}\n")
	got := parts(t, tool, env)
	want := []string{
		`form-data; name="doc"; filename="r%221%0D%0AX: y.txt"|text/plain|hello`,
		`form-data; name="list"||a`, `form-data; name="list"||b`, `form-data; name="q"||z`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	tool = oneTool(t, someInput+`  request: {POST: /x, encoding: related, body: [{name: "${{ input.q }}"}, "${{ input.doc }}"], rest: query}`+"\n")
	if diff := cmp.Diff([]string{`|application/json; charset=UTF-8|{"name":"z"}`, `|text/plain|hello`}, parts(t, tool, env)); diff != "" {
		t.Errorf("related (-want +got):\n%s", diff)
	}
}

func parts(t *testing.T, tool *Tool, env *mapping.Env) []string {
	t.Helper()
	b, err := tool.Held.Request.Build(tool.Toolkit, env)
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(b.Header["Content-Type"])
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r := multipart.NewReader(strings.NewReader(string(b.Body)), params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Header.Get("Content-Disposition")+"|"+p.Header.Get("Content-Type")+"|"+string(data))
	}
}

func TestBuildSteps(t *testing.T) {
	t.Parallel()
	tool := oneTool(t, `  input: {q: A text., deep: {type: boolean, description: All.}}
  steps:
    begin: {POST: /uploads, body: {name: "${{ input.q }}"}}
    each: {for_each: "${{ steps.begin.ids }}", max: 3, parallel: 2, when: "${{ input.deep }}", GET: "/x/${{ item }}", result: {id: "${{ body.id }}"}}
    pages: {GET: /y, query: {at: "${{ cursor }}"}, next: "${{ body.next }}", rounds: 4, optional: true}
    put: {PUT: "${{ steps.begin.upload_url }}", body: "${{ input.q }}", encoding: raw, anonymous: true}
  result: {data: {ids: "${{ steps.each }}"}}
`)
	steps := tool.Held.Request.Steps
	if f := steps[1].ForEach; f.Max != 3 || f.Parallel != 2 || steps[2].Repeat.Max != 4 || !steps[2].Optional || tool.Held.Request.Main() {
		t.Errorf("steps = %+v", steps)
	}
	env := &mapping.Env{Input: map[string]any{"q": "z"}, Steps: map[string]any{"begin": map[string]any{"upload_url": "https://up.example.com/1?sig=2"}}, Item: "a/b", Cursor: 9}
	for i, want := range []string{"POST https://api.example.com/uploads", "GET https://api.example.com/x/a%2Fb", "GET https://api.example.com/y?at=9", "PUT https://up.example.com/1?sig=2"} {
		b, err := steps[i].Build(tool.Toolkit, env)
		if err != nil || b.Method+" "+b.URL != want || b.Anonymous != (i == 3) {
			t.Errorf("step %s = %s %s, %v", steps[i].Name, b.Method, b.URL, err)
		}
	}
	if on, err := steps[1].When.True(env); on || err != nil {
		t.Errorf("when = %v, %v", on, err)
	}
	env.Steps["begin"] = map[string]any{"upload_url": "/relative"}
	if _, err := steps[3].Build(tool.Toolkit, env); !fault.Is(err, fault.Upstream) {
		t.Errorf("a URL that is none: %v", err)
	}
}

func TestBuildFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines string
		input map[string]any
		want  string
	}{
		"path":   {someInput + "  request: {GET: \"/x/{q}\"}\n", map[string]any{"q": ".."}, `"q" must not be`},
		"header": {someInput + "  request: {GET: /x, headers: {X: \"${{ input.q }}\"}}\n", map[string]any{"q": "a\nb"}, "the header X must not contain line breaks"},
		"raw":    {someInput + "  request: {POST: /x, body: \"${{ input.nested }}\", encoding: raw, rest: query}\n", map[string]any{"nested": map[string]any{}}, "must be a text or a file"},
		"value":  {someInput + "  request: {GET: /x, query: {t: \"${{ unix(input.q) }}\"}}\n", map[string]any{"q": "soon"}, `"soon" is not a time`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tool := oneTool(t, test.lines)
			_, err := tool.Held.Request.Build(tool.Toolkit, &mapping.Env{Input: test.input})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	object := `{"id": 1, "self_url": "u", "html_url": "h", "internal_id": 2, "user": {"login": "ann", "etag": "e"}, "none": null}`
	for name, test := range map[string]struct{ lines, body, want string }{
		"trimmed":       {"  request: GET /x\n", object, `{"html_url":"h","id":1,"none":null,"user":{"login":"ann"}}`},
		"not trimmed":   {"  request: GET /x\n  result: {trim: false}\n", `{"etag":1}`, `{"etag":1}`},
		"picked":        {"  request: GET /x\n  result: {pick: [id, {author: user.login}, none]}\n", object, `{"author":"ann","id":1}`},
		"named":         {"  request: GET /x\n  result: thing\n", `{"id":1}`, `{"thing":{"id":1}}`},
		"list":          {"  request: GET /x\n", `[1,2]`, `{"details":[1,2]}`},
		"named list":    {"  request: GET /x\n  result: {as: things, pick: [id]}\n", `[` + object + `]`, `{"things":[{"id":1}]}`},
		"part":          {"  request: GET /x\n  result: {from: data.items, as: items, also: {total: \"${{ body.data.total_url }}\"}}\n", `{"data":{"items":[],"total_url":3}}`, `{"items":[],"total":3}`},
		"part missing":  {"  request: GET /x\n  result: {from: data.items, as: items}\n", `{}`, `{}`},
		"scalar":        {"  request: GET /x\n", `7`, `{"details":7}`},
		"empty":         {"  request: DELETE /x\n", `null`, `{"success":true}`},
		"own empty":     {"  request: DELETE /x\n  result: {empty: {gone: true}}\n", `null`, `{"gone":true}`},
		"computed":      {"  compute: {now: \"${{ format(now, 'date') }}\"}\n", `null`, `{"now":"0001-01-01"}`},
		"data":          {"  request: GET /x\n  result: {data: {n: \"${{ len(body) }}\", url: \"${{ body[0].a_url }}\"}}\n", `[{"a_url":"u"}]`, `{"n":1,"url":"u"}`},
		"graphql":       {"  request: {graphql: \"{ a }\"}\n  result: {from: issue}\n", `{"data":{"issue":{"id":1}}}`, `{"id":1}`},
		"graphql whole": {"  request: {graphql: \"{ a }\"}\n", `{"data":{"issue":{"id":1}}}`, `{"issue":{"id":1}}`},
		"page":          {"  input: {p: Page.}\n  request: GET /x\n  page: {at: p, next: \"${{ body.next_url }}\"}\n", `{"items":[],"next_url":"c"}`, `{"items":[],"next_p":"c"}`},
		"last page":     {"  input: {p: Page.}\n  request: GET /x\n  page: {at: p, next: \"${{ body.next_url }}\"}\n", `{"items":[],"next_url":""}`, `{"items":[]}`},
		"own page":      {"  input: {p: Page.}\n  request: GET /x\n  page: {at: p, next: \"${{ body.token }}\", as: token}\n", `{"token":"c"}`, `{"token":"c"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tool := oneTool(t, test.lines)
			body, err := mapping.DecodeJSON([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			env := &mapping.Env{Body: body, Status: 200}
			env.Now = env.Now.AddDate(0, 0, 0).UTC().Add(1) // not zero, which would mean the clock
			data, err := tool.Held.Data(env)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := mapping.EncodeJSON(data)
			if err != nil || string(raw) != test.want {
				t.Errorf("data = %s, %v, want %s", raw, err, test.want)
			}
		})
	}
}

func TestGraphQLFailures(t *testing.T) {
	t.Parallel()
	tool := oneTool(t, "  request: {graphql: \"{ a }\"}\n")
	failed := func(body string) bool {
		v, err := mapping.DecodeJSON([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		on, err := tool.Toolkit.Errors.FailedWhen.True(&mapping.Env{Body: v})
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	if !failed(`{"errors":[{"message":"m"}]}`) || failed(`{"data":{}}`) || failed(`{"errors":[]}`) || failed(`[1]`) {
		t.Error("errors in a GraphQL answer are not told from data")
	}
}

func BenchmarkBuild(b *testing.B) {
	tk, problems := LoadToolkit(acme(nil), "acme")
	if problems != nil {
		b.Fatal(problems)
	}
	tool := tk.Tools[1]
	env := &mapping.Env{Input: map[string]any{"box": "b1", "thing_name": "Shoe", "kind": "small", "tags": []any{"a"}}, Fields: map[string]string{"site": "s"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tool.Held.Request.Build(tk, env); err != nil {
			b.Fatal(err)
		}
	}
}
