package graphql

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

func board(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/board.graphql")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func importBoard(t *testing.T, o Options) *catalog.Definition {
	t.Helper()
	o.Endpoint = "https://api.board.example/v1/graphql"
	d, r, err := Import(t.Context(), board(t), o)
	if err != nil || len(r.LeftOut) > 0 {
		t.Fatal(err, r)
	}
	return d
}

func find(t *testing.T, d *catalog.Definition, slug string) catalog.DefinedTool {
	t.Helper()
	at := slices.IndexFunc(d.Tools, func(t catalog.DefinedTool) bool { return t.Slug == slug })
	if at < 0 {
		t.Fatalf("no tool %s", slug)
	}
	return d.Tools[at]
}

func TestOperationsBecomeTools(t *testing.T) {
	t.Parallel()
	d := importBoard(t, Options{})
	want := map[string]string{
		"BOARD_GET_CARD": "query Card($number: Int!) { card(number: $number) { %fields% } }" +
			"| id number title state createdAt data author { id login } labels { name } parent { id title number }",
		"BOARD_GET_CARDS": "query Cards($first: Int, $after: String, $where: card_filter) { cards(first: $first, after: $after, where: $where) { %fields% } }" +
			"| edges { node { id number title state createdAt data } } totalCount pageInfo { hasNextPage endCursor }",
		"BOARD_GET_ME":      "query Me { me { %fields% } }| id login",
		"BOARD_GET_VERSION": "query Version { version }|",
		"BOARD_LIST_LABELS": "query Labels { labels { %fields% } }| name",
		"BOARD_FIND": "query Find($text: String!, $fields: [String!]) { find(text: $text, fields: $fields) { %fields% } }" +
			"| __typename ... on Card { id title number } ... on User { id login }",
		"BOARD_GET_NODE":    "query Node($id: ID!) { node(id: $id) { %fields% } }| id",
		"BOARD_GET_OLD":     "query Old { old }|",
		"BOARD_CREATE_CARD": "mutation CreateCard($input: CreateCardInput!) { createCard(input: $input) { %fields% } }| card { id title number } errors",
		"BOARD_DELETE_CARD": "mutation DeleteCard($id: ID!, $force: Boolean) { deleteCard(id: $id, force: $force) }|",
		"BOARD_PING":        "mutation Ping { _ping }|",
	}
	got := map[string]string{}
	for _, tool := range d.Tools {
		got[tool.Slug] = tool.GraphQL.Query + strings.TrimSuffix("| "+tool.GraphQL.Selection, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	if d.BaseURL != "https://api.board.example" || d.Tools[0].GraphQL.Path != "/v1/graphql" {
		t.Errorf("base %s, path %s", d.BaseURL, d.Tools[0].GraphQL.Path)
	}
}

// What we send is checked with the library's validator, against the schema it was made of.
func TestOperationsAreValid(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: string(board(t))})
	if err != nil {
		t.Fatal(err)
	}
	d := importBoard(t, Options{})
	for _, tool := range d.Tools {
		text := strings.Replace(tool.GraphQL.Query, "%fields%", tool.GraphQL.Selection, 1)
		if _, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules()); len(errs) > 0 {
			t.Errorf("%s: %v\n%s", tool.Slug, errs, text)
		}
	}
}

func TestArgumentsAreDescribed(t *testing.T) {
	t.Parallel()
	d := importBoard(t, Options{})
	cases := map[string]string{
		"BOARD_CREATE_CARD": `"input":{"properties":{"due":{"format":"date-time","type":"string"},"meta":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"object"},{"items":{},"type":"array"}]},`,
		"BOARD_FIND":        `"arg_fields":{"items":{"type":"string"},"type":"array"}`,
		"BOARD_GET_CARDS":   `"title":{"properties":{"eq_":{"type":"string"},"in_":{"items":{"type":"string"},"type":"array"}},"type":"object"}`,
		"BOARD_DELETE_CARD": `"required":["id"]`,
	}
	for slug, want := range cases {
		tool := find(t, d, slug)
		if !strings.Contains(string(tool.Input), want) {
			t.Errorf("%s: %s lacks %s", slug, tool.Input, want)
		}
	}
	for _, tool := range d.Tools {
		if problems := catalog.SchemaProblems(tool.Input); problems != nil {
			t.Errorf("%s: %v", tool.Slug, problems)
		}
	}
}

func TestToolsBuildTheirOperations(t *testing.T) {
	t.Parallel()
	tk, err := importBoard(t, Options{}).Toolkit()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tk.Tools {
		if tool.Slug != "BOARD_GET_CARDS" {
			continue
		}
		b, err := tool.Held.Request.Build(tk, &mapping.Env{Input: map[string]any{
			"first": 2, "where": map[string]any{"and_": []any{map[string]any{"title": map[string]any{"eq_": "x"}}}}, "fields": "totalCount",
		}})
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Query     string         `json:"query"`
			Variables map[string]any `json:"variables"`
		}
		if err := json.Unmarshal(b.Body, &sent); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"first": 2.0, "where": map[string]any{"_and": []any{map[string]any{"title": map[string]any{"_eq": "x"}}}}}
		if diff := cmp.Diff(want, sent.Variables); diff != "" || !strings.HasSuffix(sent.Query, "{ totalCount } }") || b.URL != "https://api.board.example/v1/graphql" {
			t.Errorf("%s to %s, variables (-want +got):\n%s", sent.Query, b.URL, diff)
		}
	}
}

func TestHintsAndPages(t *testing.T) {
	t.Parallel()
	d := importBoard(t, Options{Auth: []catalog.DefinedAuth{{Mode: "BEARER_TOKEN"}}})
	if h := find(t, d, "BOARD_DELETE_CARD").Hints; h != (catalog.Hints{Destructive: true}) {
		t.Errorf("delete: %+v", h)
	}
	if h := find(t, d, "BOARD_CREATE_CARD").Hints; h != (catalog.Hints{Create: true}) {
		t.Errorf("create: %+v", h)
	}
	cards := find(t, d, "BOARD_GET_CARDS")
	if !cards.Hints.Read || cards.NoAuth || cards.Page == nil || cards.Page.At != "after" || cards.Page.Next != "data.cards.pageInfo.endCursor" {
		t.Errorf("cards: %+v %+v", cards.Hints, cards.Page)
	}
	if old := find(t, d, "BOARD_GET_OLD"); !old.Deprecated || old.Important {
		t.Errorf("old: %+v", old)
	}
}

func TestKnownOperationsKeepTheirSlugs(t *testing.T) {
	t.Parallel()
	before := importBoard(t, Options{})
	for n := range before.Tools {
		if before.Tools[n].Slug == "BOARD_GET_CARD" {
			before.Tools[n].Slug = "BOARD_LOOK_UP"
		}
	}
	find(t, importBoard(t, Options{Known: before}), "BOARD_LOOK_UP")
}

// Both forms of one schema make the same tools.
func TestIntrospectionIsTheSame(t *testing.T) {
	t.Parallel()
	sdl := `type Query { thing(id: ID!, n: Int = 1): Thing } type Thing { id: ID! names: [String!]! } `
	introspected := `{"data":{"__schema":{"queryType":{"name":"Query"},"mutationType":null,"types":[
		{"kind":"OBJECT","name":"Query","fields":[{"name":"thing","args":[
			{"name":"id","type":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"ID"}}},
			{"name":"n","defaultValue":"1","type":{"kind":"SCALAR","name":"Int"}}],"type":{"kind":"OBJECT","name":"Thing"}}]},
		{"kind":"SCALAR","name":"ID"},{"kind":"SCALAR","name":"Int"},{"kind":"SCALAR","name":"String"},
		{"kind":"OBJECT","name":"Thing","fields":[
			{"name":"id","args":[],"type":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"ID"}}},
			{"name":"names","args":[],"type":{"kind":"NON_NULL","ofType":{"kind":"LIST","ofType":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"String"}}}}}]}]}}}`
	a, _, err := Import(t.Context(), []byte(sdl), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Import(t.Context(), []byte(introspected), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.Tools, b.Tools); diff != "" {
		t.Errorf("-SDL +introspection:\n%s", diff)
	}
}

func TestWhatIsNoSchemaIsRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"":                                       "empty",
		"<html>":                                 "neither a GraphQL schema",
		"type X { a: Int }":                      "neither queries",
		`{"errors":[{"message":"not allowed"}]}`: "not allowed",
		`{"data":{}}`:                            "not the answer",
		"type Query { a(" + strings.Repeat("[", 100):  "neither a GraphQL schema",
		strings.Repeat("type A { a: Int } ", 150_000): "neither a GraphQL schema",
	}
	for text, want := range cases {
		_, _, err := Import(t.Context(), []byte(text), Options{})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || !strings.Contains(f.Message, want) {
			t.Errorf("%.40q: %v, want a fault about %q", text, err, want)
		}
	}
	for _, endpoint := range []string{"ftp://x", "x", "https://u:p@x/"} {
		if _, _, err := Import(t.Context(), []byte("type Query { a: Int }"), Options{Endpoint: endpoint}); err == nil {
			t.Errorf("the endpoint %q is taken", endpoint)
		}
	}
}

// Types that hold themselves, and inputs that do, end.
func TestCyclesEnd(t *testing.T) {
	t.Parallel()
	text := `type Query { a(in: I): A } input I { i: I, j: J } input J { i: [I!], j: J } type A { a: A b: B } type B { a: A }`
	d, _, err := Import(t.Context(), []byte(text), Options{})
	if err != nil || len(d.Tools) != 1 || d.Tools[0].GraphQL.Selection != "__typename" || len(d.Tools[0].Input) > 4_000 {
		t.Errorf("%v %+v", err, d)
	}
}
