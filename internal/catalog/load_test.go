package catalog

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

const goodToolkit = `slug: acme
name: Acme
description: Boxes of things, for tests of the loader.
version: 20261122_03
categories: [developer-tools, crm]
aliases: [acme boxes]
docs: https://docs.example.com
base_url: https://{site}.example.com
headers: {X-Site: "{site}"}
popularity: 7
auth:
  - scheme: OAUTH2
    authorize_url: https://{site}.example.com/authorize
    token_url: https://{site}.example.com/token
    revoke: {POST: "https://api.example.com/revoke/{client_id}", form: {token: "{access_token}"}, client: basic}
    scopes: {default: [read], separator: ","}
    user_scopes: {param: user_scope, default: [chat]}
    pkce: false
    client_auth: basic
    authorize_params: {access_type: offline}
    token: {access_token: authed.token}
    register: Make an app.
    fields: {site*: Site}
    config_fields: {client_id*: {title: Client, help: "https://x.example"}}
  - scheme: API_KEY
    fields: {key*: {title: Key, secret: true}}
    header: {X-Key: "{key}"}
identity: {GET: /me, id: user.id, name: user.name}
errors:
  message: [error.message, message]
  failed_when: ${{ body.ok == false }}
  reconnect_on: [401]
  advice: {404: Look again with LIST_THINGS.}
inputs:
  box: Box of the thing; LIST_THINGS finds it.
  page: {type: integer, default: 1, description: Page from one.}
  size: {type: integer, description: Things on a page.}
page: {at: page, size: size, max: 50, next: "${{ body.next }}"}
trim: {drop: ["*_url", etag], keep: [html_url]}
names: camelCase
`

const goodTools = `- slug: LIST_THINGS
  title: List things
  description: Things of a box, newest first, a page at a time.
  hints: [read]
  important: true
  input: {box*: , since: {type: date-time, description: Only newer ones.}}
  page: true
  request: GET /boxes/{box}/things
  result: {as: things, pick: [id, {owner: user.name}]}
  example: {box: b1}
- slug: CREATE_THING
  aliases: [ADD_THING]
  title: Create a thing
  description: Puts a new thing into a box. LIST_THINGS shows it.
  hints: [create]
  scopes: [write, [a, b]]
  input:
    box*:
    thing_name*: One line.
    kind: {enum: [big, small], default: small}
    tags: {type: [string], description: Words., max_items: 3}
    parts: {type: [object], description: Parts., properties: {part*: What., count: {type: integer, description: How many., min: 1}}}
    size: {type: integer|string, description: Size or its name.}
    anything: {type: any, description: Whatever.}
    upload: {type: file, description: A picture.}
  refuse: [{when: "${{ input.size == 13 }}", say: Thirteen is not available. See LIST_THINGS.}]
  request:
    POST: /boxes/{box}/things
    rename: {tags: labelList}
  example: {box: b1, thing_name: Shoe}
  pitfalls: [The box must be open.]
  before: [LIST_THINGS]
  after: [LIST_THINGS]
  advice: {409: There is one already.}
`

func acme(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{
		"acme/toolkit.yaml": {Data: []byte(goodToolkit)},
		"acme/things.yaml":  {Data: []byte(goodTools)},
	}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

func loadAcme(t *testing.T, files map[string]string) *Toolkit {
	t.Helper()
	tk, problems := LoadToolkit(acme(files), "acme")
	for _, p := range problems {
		t.Error(p)
	}
	if t.Failed() {
		t.FailNow()
	}
	return tk
}

func TestLoadToolkit(t *testing.T) {
	t.Parallel()
	tk := loadAcme(t, nil)
	got := map[string]any{
		"slug": tk.Slug, "versions": tk.Versions, "categories": tk.Categories, "popularity": tk.Popularity,
		"updated": tk.UpdatedAt.Format("2006-01-02"), "base": tk.BaseURL.String(), "no auth": tk.NoAuth(),
		"identity": *tk.Identity, "reconnect": tk.Errors.ReconnectOn, "advice": tk.Errors.Advice,
	}
	want := map[string]any{
		"slug": "acme", "versions": []string{"20261122_03"}, "popularity": 7,
		"categories": []Category{{ID: "developer-tools", Name: "Developer Tools"}, {ID: "crm", Name: "CRM"}},
		"updated":    "2026-11-22", "base": "https://{site}.example.com", "no auth": false,
		"identity": Identity{Method: "GET", Path: "/me", ID: "user.id", Name: "user.name"}, "reconnect": []int{401},
		"advice": map[int]string{404: "Look again with ACME_LIST_THINGS."},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mapping.Text{})); diff != "" {
		t.Errorf("toolkit (-want +got):\n%s", diff)
	}
	if v, err := tk.Errors.FailedWhen.True(&mapping.Env{Body: map[string]any{"ok": false}}); !v || err != nil {
		t.Errorf("failed_when = %v, %v", v, err)
	}
}

func TestLoadAuth(t *testing.T) {
	t.Parallel()
	tk := loadAcme(t, nil)
	oauth, _ := tk.Scheme("OAUTH2")
	o := oauth.OAuth2
	got := map[string]any{
		"account": oauth.AccountFields, "config": oauth.ConfigFields, "guide": oauth.Guide,
		"scopes": o.DefaultScopes, "available": o.AvailableScopes, "separator": o.ScopeSeparator,
		"user": []any{o.UserScopeParam, o.DefaultUser}, "pkce": o.PKCE, "client": o.ClientAuth, "params": o.AuthorizeParams,
		"token": o.Token, "revoke": []any{o.Revoke.Method, o.Revoke.URL.String(), o.Revoke.Form["token"].String(), o.Revoke.Basic, o.Revoke.JSON},
	}
	want := map[string]any{
		"account": []Field{{Name: "site", Title: "Site", Type: "string", Required: true}},
		"config":  []Field{{Name: "client_id", Title: "Client", Type: "string", Required: true, Help: "https://x.example"}},
		"guide":   "Make an app.", "scopes": []string{"read"}, "available": []string{"read", "write", "a", "b"}, "separator": ",",
		"user": []any{"user_scope", []string{"chat"}}, "pkce": false, "client": "basic", "params": map[string]string{"access_type": "offline"},
		"token":  map[string]string{"access_token": "authed.token"},
		"revoke": []any{"POST", "https://api.example.com/revoke/{client_id}", "{access_token}", true, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OAUTH2 (-want +got):\n%s", diff)
	}
	key, _ := tk.Scheme("API_KEY")
	if diff := cmp.Diff([]Field{{Name: "key", Title: "Key", Type: "string", Required: true, Secret: true}}, key.AccountFields); diff != "" || key.OAuth2 != nil {
		t.Errorf("API_KEY %v (-want +got):\n%s", key.OAuth2, diff)
	}
	if v, err := key.Header["X-Key"].ExpandFields(map[string]string{"key": "k"}); v != "k" || err != nil {
		t.Errorf("header = %q, %v", v, err)
	}
}

func TestLoadTool(t *testing.T) {
	t.Parallel()
	tk := loadAcme(t, nil)
	tool := tk.Tools[1]
	got := map[string]any{
		"slug": tool.Slug, "aliases": tool.Aliases, "name": tool.Name, "description": tool.Description,
		"hints": tool.Hints, "scopes": tool.Scopes, "pitfalls": tool.Held.Pitfalls, "before": tool.Held.Before, "after": tool.Held.After,
		"example": tool.Held.Example, "files": tool.FileInputs, "advice": tool.Held.Advice, "say": tool.Held.Refusals[0].Say,
		"body": tool.Held.Request.HTTP.BodyArgs, "query": tool.Held.Request.HTTP.QueryArgs,
		"input": string(tool.Held.Input.JSON), "output": string(tool.Held.Output.JSON),
	}
	want := map[string]any{
		"slug": "ACME_CREATE_THING", "aliases": []string{"ACME_ADD_THING"}, "name": "Create a thing",
		"description": "Puts a new thing into a box. ACME_LIST_THINGS shows it.", "hints": Hints{Create: true},
		"scopes": Scopes{All: []string{"write"}, Any: [][]string{{"a", "b"}}}, "pitfalls": []string{"The box must be open."},
		"before": []string{"ACME_LIST_THINGS"}, "after": []string{"ACME_LIST_THINGS"},
		"example": map[string]any{"box": "b1", "thing_name": "Shoe"}, "files": true, "advice": map[int]string{409: "There is one already."},
		"say": "Thirteen is not available. See ACME_LIST_THINGS.",
		"body": []Argument{
			{Name: "thing_name", As: "thingName"}, {Name: "kind", As: "kind"}, {Name: "tags", As: "labelList"}, {Name: "parts", As: "parts"}, {Name: "size", As: "size"},
			{Name: "anything", As: "anything"}, {Name: "upload", As: "upload"},
		},
		"query": []Argument(nil),
		"input": `{"type":"object","title":"CreateThingRequest","properties":{` +
			`"box":{"type":"string","description":"Box of the thing; ACME_LIST_THINGS finds it."},` +
			`"thing_name":{"type":"string","description":"One line."},` +
			`"kind":{"type":"string","enum":["big","small"],"default":"small"},` +
			`"tags":{"type":"array","items":{"type":"string"},"description":"Words.","maxItems":3},` +
			`"parts":{"type":"array","items":{"type":"object","properties":{"part":{"type":"string","description":"What."},` +
			`"count":{"type":"integer","description":"How many.","minimum":1}},"required":["part"]},"description":"Parts."},` +
			`"size":{"anyOf":[{"type":"integer"},{"type":"string"}],"description":"Size or its name."},` +
			`"anything":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"object"},{"type":"array","items":{}}],"description":"Whatever."},` +
			`"upload":{"type":"object","properties":{"name":{"type":"string","description":"File name with extension."},` +
			`"mimetype":{"type":"string","description":"Media type, for example application/pdf."},` +
			`"s3key":{"type":"string","description":"Key of the uploaded file, or an https URL it can be fetched from."}},` +
			`"description":"A picture.","file_uploadable":true}},"required":["box","thing_name"]}`,
		"output": `{"type":"object","title":"CreateThingResponse","properties":{"data":{"type":"object"},` +
			`"error":{"type":["string","null"],"description":"What went wrong; null when the call succeeded."},` +
			`"successful":{"type":"boolean","description":"Whether the call did what it should."}},"required":["data","error","successful"]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tool (-want +got):\n%s", diff)
	}
	list := tk.Tools[0]
	if !list.Important || list.Held.Page == nil || list.Held.Page.At != "page" || list.Held.Page.Size != "size" || list.Held.Page.Max != 50 || list.Held.Page.Member != "next_page" {
		t.Errorf("page = %+v", list.Held.Page)
	}
	if diff := cmp.Diff([]Argument{{Name: "since", As: "since"}, {Name: "size", As: "size"}, {Name: "page", As: "page"}}, list.Held.Request.HTTP.QueryArgs); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

// A mistake in a file is reported with its line, all of them at once, and with what was probably meant.
func TestProblems(t *testing.T) {
	t.Parallel()
	tool := func(lines string) string {
		return "- slug: EXTRA\n  title: Extra\n  description: One more tool for the tests here.\n  hints: [read]\n" + lines
	}
	for name, test := range map[string]struct {
		file, data string
		want       []string
	}{
		"unknown key":          {"x.yaml", tool("  requset: GET /x\n  request: GET /x\n"), []string{`acme/x.yaml:5: unknown key "requset" in a tool; did you mean "request"?`}},
		"key twice":            {"x.yaml", tool("  request: GET /x\n  title: Again\n"), []string{`acme/x.yaml:6: "title" stands twice in a tool`}},
		"wrong type":           {"x.yaml", tool("  request: GET /x\n  important: maybe\n  pitfalls: text\n"), []string{`x.yaml:6: this must be true or false, not "maybe"`, `x.yaml:7: this must be a list, not "text"`}},
		"missing keys":         {"x.yaml", "- slug: EXTRA\n  request: GET /x\n", []string{`x.yaml:1: a tool needs "title"`, `x.yaml:1: a tool needs "description"`, `x.yaml:1: a tool needs "hints"`}},
		"slug taken":           {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "EXTRA", "LIST_THINGS", 1), []string{`acme/x.yaml:1: slug "LIST_THINGS" is already used at acme/things.yaml:1`}},
		"slug of alias":        {"x.yaml", tool("  aliases: [ADD_THING]\n  request: GET /x\n"), []string{`slug "ADD_THING" is already used at acme/things.yaml:11`}},
		"slug with prefix":     {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "EXTRA", "ACME_EXTRA", 1), []string{"leave the toolkit's name out"}},
		"slug letters":         {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "EXTRA", "extra", 1), []string{"use upper case letters"}},
		"no hint":              {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "[read]", "[idempotent]", 1), []string{"x.yaml:4: hints need one of read, create, update and destructive"}},
		"odd hint":             {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "[read]", "[raed]", 1), []string{`there is no hint "raed"; did you mean "read"?`}},
		"read and destroy":     {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "[read]", "[read, destructive]", 1), []string{"a tool that only reads cannot also"}},
		"short description":    {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "One more tool for the tests here.", "Too short.", 1), []string{"x.yaml:3: description has 10 characters; it needs 20 to 1024"}},
		"long description":     {"x.yaml", strings.Replace(tool("  request: GET /x\n"), "One more tool for the tests here.", strings.Repeat("Long. ", 200), 1), []string{"it needs 20 to 1024"}},
		"path argument":        {"x.yaml", tool("  input: {thing_id*: An id.}\n  request: GET /x/{thing}\n  example: {thing_id: 1}\n"), []string{`x.yaml:6: in "input.thing": there is no argument "thing"`}},
		"expression argument":  {"x.yaml", tool("  input: {q: A query.}\n  request:\n    GET: /x\n    query:\n      search: ${{ input.qq }}\n"), []string{`x.yaml:9: in "input.qq": there is no argument "qq"; did you mean "q"?`}},
		"expression":           {"x.yaml", tool("  request: GET /x\n  result:\n    data: {a: \"${{ body. }}\"}\n"), []string{"x.yaml:7: in ${{ body. }}:"}},
		"argument unused":      {"x.yaml", tool("  input: {q: A query.}\n  request: {POST: /x, body: {a: 1}}\n"), []string{`x.yaml:5: argument "q" has no effect`}},
		"argument unknown":     {"x.yaml", tool("  input: {bxo*: }\n  request: GET /x/{bxo}\n  example: {bxo: 1}\n"), []string{`argument "bxo" has no description, and toolkit.yaml has none for it under inputs; did you mean "box"?`}},
		"argument undescribed": {"x.yaml", tool("  input: {q: {type: integer}}\n  request: GET /x\n"), []string{`argument "q" needs a description`}},
		"argument name":        {"x.yaml", tool("  input: {_q: Hidden.}\n  request: GET /x\n"), []string{`argument name "_q": start with a letter`}},
		"argument type":        {"x.yaml", tool("  input: {q: {type: strng, description: X.}}\n  request: GET /x\n"), []string{`there is no type "strng"; did you mean "string"?`}},
		"argument key":         {"x.yaml", tool("  input: {q: {desciption: X.}}\n  request: GET /x\n"), []string{`unknown key "desciption" in an argument; did you mean "description"?`, `argument "q" needs a description`}},
		"argument default":     {"x.yaml", tool("  input: {q*: {description: X., default: 1}, r: {enum: [a], default: b}}\n  request: GET /x\n  example: {q: 1}\n"), []string{`"q" is required and has a default`, `the default of "r" is not one of its values`}},
		"argument bound":       {"x.yaml", tool("  input: {q: {type: integer, description: X., min: low}}\n  request: GET /x\n"), []string{`this must be a number, not "low"`}},
		"argument pattern":     {"x.yaml", tool("  input: {q: {description: X., pattern: \"(\"}}\n  request: GET /x\n"), []string{"pattern: error parsing regexp"}},
		"properties of text":   {"x.yaml", tool("  input: {q: {type: string, description: X., properties: {a: B.}}}\n  request: GET /x\n"), []string{"only an object or a list of objects has properties"}},
		"renamed member":       {"x.yaml", tool("  input: {q: {description: X., properties: {a: {description: B., as: c}}}}\n  request: POST /x\n"), []string{"only an argument itself has another name upstream"}},
		"dangling before":      {"x.yaml", tool("  request: GET /x\n  before: [LIST_THNGS]\n"), []string{`x.yaml:6: there is no tool "LIST_THNGS" in this toolkit; did you mean "LIST_THINGS"?`}},
		"no example":           {"x.yaml", tool("  input: {box*: }\n  request: GET /x/{box}\n"), []string{"a tool with required arguments needs an example"}},
		"poor example":         {"x.yaml", tool("  input: {box*: }\n  request: GET /x/{box}\n  example: {bx: 1}\n"), []string{`x.yaml:7: the example lacks the required argument "box"`, `x.yaml:7: the example has an unknown argument "bx"; did you mean "box"?`}},
		"no request":           {"x.yaml", tool(""), []string{"a tool needs a request"}},
		"bad request":          {"x.yaml", tool("  request: FETCH /x\n"), []string{`"FETCH /x": write a request as "GET /path"`}},
		"relative path":        {"x.yaml", tool("  request: GET x\n"), []string{`"x": a path starts with /`}},
		"host by field":        {"x.yaml", tool("  request: {GET: \"https://{site}/x\"}\n"), []string{`"https://{site}": a field decides its host; write such an address into the toolkit's base_url`}},
		"two methods":          {"x.yaml", tool("  request: {GET: /x, POST: /y}\n"), []string{"a request has one method"}},
		"method and graphql":   {"x.yaml", tool("  request: {GET: /x, graphql: \"{ a }\"}\n"), []string{"a request has a method or graphql, not both"}},
		"no method":            {"x.yaml", tool("  request: {query: {a: 1}}\n"), []string{"a request needs a method with a path"}},
		"rename":               {"x.yaml", tool("  input: {q: A query.}\n  request: {GET: /x, rename: {qq: search}}\n"), []string{`rename: there is no argument "qq"; did you mean "q"?`}},
		"encoding":             {"x.yaml", tool("  request: {POST: /x, body: {a: 1}, encoding: from}\n"), []string{`"from" is not one of json, form, multipart, related, raw; did you mean "form"?`}},
		"step order":           {"x.yaml", tool("  steps:\n    one: {GET: /x, query: {a: \"${{ steps.two.id }}\"}}\n    two: {GET: /y}\n  request: GET /z\n"), []string{"x.yaml:6: in ${{ steps.two.id }}: unknown name steps"}},
		"step name":            {"x.yaml", tool("  steps: {one: GET /x}\n  result: {data: {a: \"${{ steps.oen }}\"}}\n"), []string{`there is no step "oen"; did you mean "one"?`}},
		"step takes no rest":   {"x.yaml", tool("  input: {q: A query.}\n  steps: {one: {GET: /x, rest: query}}\n  request: GET /x\n"), []string{"only the main request takes the rest"}},
		"item outside":         {"x.yaml", tool("  steps: {one: {GET: \"/x/${{ item.id }}\"}}\n  request: GET /x\n"), []string{"unknown name item"}},
		"fan-out":              {"x.yaml", tool("  steps: {one: {for_each: \"${{ [1] }}\", max: 1000, GET: \"/x/${{ item }}\"}}\n  request: GET /x\n"), []string{"for_each: max is 1 to 100"}},
		"body in request":      {"x.yaml", tool("  request: {POST: /x, body: {a: \"${{ body.x }}\"}}\n"), []string{"unknown name body"}},
		"compute and request":  {"x.yaml", tool("  request: GET /x\n  compute: {a: 1}\n"), []string{"compute stands alone"}},
		"data and pick":        {"x.yaml", tool("  request: GET /x\n  result: {data: {a: 1}, pick: [b]}\n"), []string{"data says the whole result"}},
		"pick":                 {"x.yaml", tool("  request: GET /x\n  result:\n    pick: [\"a[0].b\"]\n"), []string{`x.yaml:7: "a[0].b" needs a name`}},
		"page argument":        {"x.yaml", tool("  request: GET /x\n  page: {at: cursor}\n"), []string{`argument "cursor" has no description`}},
		"page next":            {"x.yaml", tool("  request: GET /x\n  page: {next: \"${{ boddy.x }}\"}\n"), []string{"x.yaml:6: in ${{ boddy.x }}: unknown name boddy"}},
		"advice":               {"x.yaml", tool("  request: GET /x\n  advice: {200: Fine.}\n"), []string{`"200" is not an HTTP status of a failure`}},
		"refusal":              {"x.yaml", tool("  request: GET /x\n  refuse: [{when: \"${{ input.a }}\"}]\n"), []string{`there is no argument "a"`, `refuse needs "say"`}},
		"yaml":                 {"x.yaml", "- slug: EXTRA\n  title: a: b\n", []string{"acme/x.yaml:2: mapping values are not allowed in this context (a text with a colon"}},
		"not a list":           {"x.yaml", "slug: EXTRA\n", []string{"acme/x.yaml:1: a tool file must be a list, not an object"}},
		"empty file":           {"x.yaml", "# nothing\n", []string{"acme/x.yaml:1: the file is empty"}},
		"two documents":        {"x.yaml", tool("  request: GET /x\n") + "---\n[]\n", []string{"more than one document"}},
		"yml":                  {"x.yml", "[]", []string{"toolkit files end in .yaml"}},
		"toolkit key":          {"toolkit.yaml", goodToolkit + "basurl: x\n", []string{`unknown key "basurl" in toolkit.yaml; did you mean "base_url"?`}},
		"toolkit slug":         {"toolkit.yaml", strings.Replace(goodToolkit, "slug: acme", "slug: acne", 1), []string{`slug "acne" and the directory "acme" must be the same`}},
		"toolkit version":      {"toolkit.yaml", strings.Replace(goodToolkit, "20261122_03", "v1", 1), []string{`version "v1": write it as YYYYMMDD_NN`}},
		"field in URL":         {"toolkit.yaml", strings.Replace(goodToolkit, "base_url: https://{site}", "base_url: https://{sitee}", 1), []string{`acme/toolkit.yaml:8: in "fields.sitee": there is no connection field "sitee"; did you mean "site"?`}},
		"scheme":               {"toolkit.yaml", strings.Replace(goodToolkit, "scheme: API_KEY", "scheme: APIKEY", 1), []string{`"APIKEY" is not one of`, `did you mean "API_KEY"?`}},
		"oauth key elsewhere":  {"toolkit.yaml", strings.Replace(goodToolkit, "    header: {X-Key", "    pkce: false\n    header: {X-Key", 1), []string{`unknown key "pkce" in auth`}},
		"oauth incomplete":     {"toolkit.yaml", strings.Replace(goodToolkit, "    token_url: https://{site}.example.com/token\n", "", 1), []string{"OAUTH2 needs authorize_url and token_url"}},
		"s2s incomplete":       {"toolkit.yaml", withAuth("  - scheme: S2S_OAUTH2\n    scopes: [a]\n"), []string{"S2S_OAUTH2 needs token_url"}},
		"s2s consent":          {"toolkit.yaml", withAuth("  - scheme: S2S_OAUTH2\n    token_url: https://a.example/token\n    authorize_url: https://a.example/\n"), []string{`unknown key "authorize_url" in auth`}},
		"exchange incomplete":  {"toolkit.yaml", withAuth("  - scheme: BASIC_WITH_JWT\n"), []string{"BASIC_WITH_JWT needs token_url"}},
		"exchange field":       {"toolkit.yaml", withAuth("  - scheme: SERVICE_ACCOUNT\n    token_url: https://a.example/{instalation_id}\n"), []string{"SERVICE_ACCOUNT needs token_url", `did you mean "installation_id"?`}},
		"oauth1 incomplete":    {"toolkit.yaml", withAuth("  - scheme: OAUTH1\n    authorize_url: https://a.example/\n"), []string{"OAUTH1 needs request_token_url, authorize_url and access_token_url"}},
		"google host by field": {"toolkit.yaml", withAuth("  - scheme: GOOGLE_SERVICE_ACCOUNT\n    token_url: https://{site}.example.com/token\n"), []string{`there is no connection field "site"`}},
		"trim":                 {"toolkit.yaml", strings.Replace(goodToolkit, "etag]", "\"a*b\"]", 1), []string{"a pattern has one * at its beginning or its end"}},
		"identity by field":    {"toolkit.yaml", strings.Replace(goodToolkit, "GET: /me", "GET: \"https://{site}.com/me\"", 1), []string{"a field decides its host"}},
		"identity":             {"toolkit.yaml", strings.Replace(goodToolkit, "{GET: /me, id: user.id,", "{id: user.id,", 1), []string{"identity needs a request"}},
		"no tools":             {"things.yaml", "[]\n", []string{"the toolkit has no tools"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := Check(acme(map[string]string{"acme/" + test.file: test.data}), "acme")
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			all := strings.Join(got, "\n")
			for _, want := range test.want {
				if !strings.Contains(all, want) {
					t.Errorf("problems:\n%s\nwant: %s", all, want)
				}
			}
			if len(got) != len(test.want) && name != "scheme" && name != "no tools" {
				t.Errorf("%d problems, want %d:\n%s", len(got), len(test.want), all)
			}
		})
	}
}

// withAuth is the good toolkit with one more way to connect.
func withAuth(scheme string) string {
	return strings.Replace(goodToolkit, "auth:\n", "auth:\n"+scheme, 1)
}

func TestLoadToolkits(t *testing.T) {
	t.Parallel()
	fsys := acme(nil)
	maps.Copy(fsys, fstest.MapFS{"README.md": {Data: []byte("x")}, "notes/x.txt": {Data: []byte("x")}})
	toolkits, err := LoadToolkits(fsys)
	if err != nil || len(toolkits) != 1 || toolkits[0].Slug != "acme" {
		t.Errorf("%d toolkits, %v", len(toolkits), err)
	}
	fsys["acme/toolkit.yaml"] = &fstest.MapFile{Data: []byte("slug: 1\nnaem: x\n")}
	if _, err := LoadToolkits(fsys); err == nil || !strings.Contains(err.Error(), "acme/toolkit.yaml:2: unknown key") {
		t.Errorf("error = %v", err)
	}
}
