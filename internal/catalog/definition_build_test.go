package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// defined is a definition as an importer makes one.
func defined(tools ...DefinedTool) *Definition {
	return &Definition{
		Slug: "acme", Name: "Acme", BaseURL: "https://{site}.acme.example/v2",
		Auth: []DefinedAuth{{
			Mode: "API_KEY", AccountFields: []Field{{Name: "site", Required: true}, {Name: "api_key", Required: true, Secret: true}},
			Header: map[string]string{"X-Key": "{api_key}"},
		}},
		Tools: tools,
	}
}

func buildOne(t *testing.T, d DefinedTool, args map[string]any) Built {
	t.Helper()
	tk, err := defined(d).Toolkit()
	if err != nil {
		t.Fatal(err)
	}
	b, err := tk.Tools[0].Held.Request.Build(tk, &mapping.Env{Input: args, Fields: map[string]string{"site": "eu"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDefinedHTTPBuildsRequests(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		http        DefinedHTTP
		args        map[string]any
		url, body   string
		header      map[string]string
		contentType string
	}{
		{
			name: "parameters under names of their own",
			http: DefinedHTTP{Method: "GET", Path: "/things/{thing-id}/{+path}", Parameters: []DefinedParameter{
				{Argument: "thing_id", As: "thing-id", In: "path"}, {Argument: "path", In: "path"},
				{Argument: "filter", As: "$filter", In: "query"}, {Argument: "if_match", As: "If-Match", In: "header"},
				{Argument: "sid", In: "cookie"}, {As: "Version", Fixed: "7", In: "header"}, {As: "Action", Fixed: "List", In: "query"},
			}},
			args: map[string]any{"thing_id": "a b", "path": "x/y z", "filter": "n eq 1", "if_match": "e1", "sid": "s;1"},
			url:  "https://eu.acme.example/v2/things/a%20b/x/y%20z?%24filter=n+eq+1&Action=List",
			header: map[string]string{
				"Accept": "application/json", "If-Match": "e1", "Cookie": "sid=s%3B1", "Version": "7",
			},
		},
		{
			name: "lists and objects in a query",
			http: DefinedHTTP{Method: "GET", Path: "/things/{ids}", Parameters: []DefinedParameter{
				{Argument: "ids", In: "path", Lists: ListsComma},
				{Argument: "a", In: "query"}, {Argument: "b", In: "query", Lists: ListsComma}, {Argument: "c", In: "query", Lists: ListsBrackets},
				{Argument: "d", In: "query", Lists: ListsPipes}, {Argument: "e", In: "query", Deep: true}, {Argument: "f", In: "query", Lists: ListsJSON},
			}},
			args: map[string]any{
				"ids": []any{1, 2}, "a": []any{"x", "y"}, "b": []any{"x", "y"}, "c": []any{"x"}, "d": []any{"x", "y"},
				"e": map[string]any{"k": map[string]any{"l": 1}}, "f": []any{1},
			},
			url:    "https://eu.acme.example/v2/things/1%2C2?a=x&a=y&b=x%2Cy&c%5B%5D=x&d=x%7Cy&e%5Bk%5D%5Bl%5D=1&f=%5B1%5D",
			header: map[string]string{"Accept": "application/json"},
		},
		{
			name: "a JSON body with members renamed at any depth",
			http: DefinedHTTP{
				Method: "POST", Path: "/things", ContentType: "application/vnd.api+json", Rename: map[string]string{"odata_type": "@odata.type"},
				Parameters: []DefinedParameter{{Argument: "body_id", As: "id", In: "body"}, {Argument: "parts", In: "body"}},
			},
			args:   map[string]any{"body_id": 1, "parts": []any{map[string]any{"odata_type": "#x"}}},
			url:    "https://eu.acme.example/v2/things",
			body:   `{"id":1,"parts":[{"@odata.type":"#x"}]}`,
			header: map[string]string{"Accept": "application/json", "Content-Type": "application/vnd.api+json"},
		},
		{
			name:   "a body that is one argument",
			http:   DefinedHTTP{Method: "PUT", Path: "/things", Body: "things", Parameters: []DefinedParameter{}},
			args:   map[string]any{"things": []any{1, 2}},
			url:    "https://eu.acme.example/v2/things",
			body:   `[1,2]`,
			header: map[string]string{"Accept": "application/json", "Content-Type": "application/json"},
		},
		{
			name: "a form whose members have styles",
			http: DefinedHTTP{Method: "POST", Path: "/things", Encoding: EncodeForm, Parameters: []DefinedParameter{
				{Argument: "a", In: "body"}, {Argument: "b", In: "body", Deep: true}, {As: "v", Fixed: "1", In: "body"},
			}},
			args:   map[string]any{"a": []any{"x", "y"}, "b": map[string]any{"c": []any{"z"}}},
			url:    "https://eu.acme.example/v2/things",
			body:   "a=x&a=y&b%5Bc%5D%5B0%5D=z&v=1",
			header: map[string]string{"Accept": "application/json", "Content-Type": formType},
		},
		{
			name: "no body when nothing is said",
			http: DefinedHTTP{Method: "POST", Path: "/things", Body: "things"},
			args: map[string]any{}, url: "https://eu.acme.example/v2/things",
			header: map[string]string{"Accept": "application/json"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := buildOne(t, DefinedTool{Slug: "ACME_X", HTTP: &c.http}, c.args)
			want := Built{Method: c.http.Method, URL: c.url, Header: c.header}
			if c.body != "" {
				want.Body = []byte(c.body)
			}
			if diff := cmp.Diff(want, b); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefinedGraphQLChoosesItsSelection(t *testing.T) {
	t.Parallel()
	tool := DefinedTool{Slug: "ACME_Q", GraphQL: &DefinedGraphQL{
		Query: "query($id: ID!) { thing(id: $id) { %fields% } }", Variables: map[string]string{"id": "id"}, Fields: "fields", Selection: "id",
	}}
	cases := []struct{ fields, want string }{
		{"", "{ thing(id: $id) { id } }"},
		{"name", "{ thing(id: $id) { name } }"},
		{" { name owner { login } } ", "{ thing(id: $id) { name owner { login } } }"},
		{`items(first: 2, like: "}") { id }`, `{ thing(id: $id) { items(first: 2, like: "}") { id } } }`},
	}
	for _, c := range cases {
		b := buildOne(t, tool, map[string]any{"id": "7", "fields": c.fields})
		var message graphQLMessage
		if err := json.Unmarshal(b.Body, &message); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(message.Query, "query($id: ID!) "); got != c.want || message.Variables["id"] != "7" || message.Variables["fields"] != nil {
			t.Errorf("fields %q: query %s, variables %v, want %s", c.fields, got, message.Variables, c.want)
		}
	}
}

func TestDefinedGraphQLKeepsSelectionsInTheirBraces(t *testing.T) {
	t.Parallel()
	tk, err := defined(DefinedTool{Slug: "ACME_Q", GraphQL: &DefinedGraphQL{Query: "{ thing { %fields% } }", Fields: "fields", Selection: "id"}}).Toolkit()
	if err != nil {
		t.Fatal(err)
	}
	for _, fields := range []string{
		"id } } mutation { wipe { id", "} other { id", "{ id } wipe { id }}", "a(b: \"", "a(b: [)", "id #", `a(b: """ " """) }`, "a { b",
	} {
		env := &mapping.Env{Input: map[string]any{"fields": fields}, Fields: map[string]string{"site": "eu"}}
		if b, err := tk.Tools[0].Held.Request.Build(tk, env); err == nil {
			t.Errorf("fields %q: built %s", fields, b.Body)
		}
	}
}

func TestDefinitionsThatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Definition)
		want   string
	}{
		"a path without its argument": {func(d *Definition) { d.Tools[0].HTTP.Path = "/{nobody}" }, "{nobody}"},
		"no request":                  {func(d *Definition) { d.Tools[0].HTTP = nil }, "no request"},
		"an unknown connection field": {func(d *Definition) { d.BaseURL = "https://{region}.example" }, "region"},
		"a host that a field decides": {func(d *Definition) { d.Tools[0].HTTP.Base = "https://{site}" }, "write such an address into the toolkit's base_url"},
		"a base that is no URL":       {func(d *Definition) { d.BaseURL = "ftp://x" }, "https://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := defined(DefinedTool{Slug: "ACME_X", HTTP: &DefinedHTTP{Method: "GET", Path: "/"}})
			c.change(d)
			if _, err := d.Toolkit(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %s", err, c.want)
			}
		})
	}
}

func TestDefinedToolsSayWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	tk, err := defined(
		DefinedTool{Slug: "ACME_LIST", HTTP: &DefinedHTTP{Method: "GET", Path: "/"}, Output: json.RawMessage(`{"type":"array","items":{}}`), Page: &DefinedPage{At: "cursor", Next: "meta.next-cursor"}},
		DefinedTool{Slug: "ACME_GET", HTTP: &DefinedHTTP{Method: "GET", Path: "/"}},
	).Toolkit()
	if err != nil {
		t.Fatal(err)
	}
	list := tk.Tools[0]
	if !strings.Contains(string(list.Held.Output.JSON), `"data":{"type":"object","properties":{"details":{"type":"array","items":{}}}}`) {
		t.Errorf("output %s", list.Held.Output.JSON)
	}
	data, err := list.Held.Data(&mapping.Env{Body: map[string]any{"meta": map[string]any{"next-cursor": "c2"}}})
	if err != nil || data["next_cursor"] != "c2" {
		t.Errorf("data %v, %v", data, err)
	}
	for _, tool := range tk.Tools {
		if problems := SchemaProblems(tool.Held.Output.JSON); problems != nil {
			t.Errorf("%s: %v", tool.Slug, problems)
		}
		if problems := SchemaProblems(tool.Held.Input.JSON); problems != nil {
			t.Errorf("%s: %v", tool.Slug, problems)
		}
	}
}
