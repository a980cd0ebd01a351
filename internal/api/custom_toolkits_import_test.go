package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// booksDescription describes an API at the stack's upstream. More are the paths that a later version has.
func booksDescription(base string, more ...string) string {
	paths := map[string]any{
		"/v1/books": map[string]any{"get": map[string]any{
			"operationId": "listBooks", "summary": "List the books on the shelf",
			"responses": map[string]any{"200": map[string]any{"description": "ok"}},
		}},
		"/v1/echo": map[string]any{"trace": map[string]any{"operationId": "echo", "responses": map[string]any{}}},
	}
	for _, name := range more {
		paths["/v1/"+name] = map[string]any{"delete": map[string]any{"operationId": name, "responses": map[string]any{"204": map[string]any{"description": "gone"}}}}
	}
	text, _ := json.Marshal(map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "Book shelf"}, "servers": []any{map[string]any{"url": base}}, "paths": paths,
	})
	return string(text)
}

// foreign asks as another project.
func (s *stack) foreign(t *testing.T, method, path string) answer {
	t.Helper()
	return s.do(t, request{method: method, path: "/api/v3.1" + path, key: s.otherKey})
}

// importNow posts an import and gives it when it has ended.
func (s *stack) importNow(t *testing.T, body string) answer {
	t.Helper()
	s.clock.advance(time.Second) // the list is in the order of time
	queued := s.post(t, "/custom/toolkits/import", body).ok(t, 202)
	id := queued.text(t, "id")
	if queued.text(t, "status") != "queued" || !strings.HasPrefix(id, "imp_") {
		t.Fatalf("queued %s", queued.body)
	}
	for i := range s.imported {
		if i.ID == id {
			break
		}
	}
	return s.get(t, "/custom/toolkits/imports/"+id).ok(t, 200)
}

func TestADescriptionBecomesAToolkitOfTheProject(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	done := s.importNow(t, fmt.Sprintf(`{"description":%s,"auth":"bearer"}`, booksDescription(s.upstream.URL, "clearShelf")))
	for path, want := range map[string]any{
		"status": "succeeded", "error": nil, "source": nil, "result.slug": "book_shelf", "result.new": true, "result.version": startTime.Format("20060102") + "_00",
		"result.operations": 3.0, "result.tools_count": 2.0, "result.left_out_count": 1.0, "result.left_out.0.method": "TRACE",
		"result.auth_modes.0": "BEARER_TOKEN", "progress.done": 2.0, "progress.total": 2.0,
	} {
		if got := done.at(t, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	s.post(t, "/tools/execute/BOOK_SHELF_LIST_BOOKS",
		`{"user_id":"u","arguments":{},"custom_connection_data":{"authScheme":"BEARER_TOKEN","toolkitSlug":"book_shelf","val":{"token":"t"}}}`).ok(t, 200)
	if got := s.foreign(t, "GET", "/toolkits/book_shelf"); got.status != 404 {
		t.Errorf("another project sees it: %s", got.body)
	}

	changed := s.importNow(t, fmt.Sprintf(`{"description":%q,"auth":"bearer"}`, booksDescription(s.upstream.URL, "burnShelf")))
	if changed.at(t, "result.new") != false || changed.text(t, "result.changes.added.0") != "BOOK_SHELF_BURN_SHELF" || changed.text(t, "result.changes.removed.0") != "BOOK_SHELF_CLEAR_SHELF" {
		t.Errorf("the changes: %s", changed.body)
	}
	if again := s.importNow(t, fmt.Sprintf(`{"description":%q,"auth":"bearer"}`, booksDescription(s.upstream.URL, "burnShelf"))); again.at(t, "result.unchanged") != true {
		t.Errorf("the same again: %s", again.body)
	}
	dry := s.importNow(t, fmt.Sprintf(`{"description":%q,"slug":"never","dry_run":true}`, booksDescription(s.upstream.URL)))
	if dry.at(t, "result.version") != nil || dry.at(t, "result.auth_unknown") != true {
		t.Errorf("the dry run: %s", dry.body)
	}
	s.get(t, "/toolkits/never").ok(t, 404)

	list := s.get(t, "/custom/toolkits/imports?limit=3").ok(t, 200)
	if list.at(t, "total_items") != 4.0 || list.text(t, "items.0.id") != dry.text(t, "id") || list.text(t, "next_cursor") == "" {
		t.Errorf("the list: %s", list.body)
	}
	if got := s.foreign(t, "GET", "/custom/toolkits/imports"); got.at(t, "total_items") != 0.0 {
		t.Errorf("another project's list: %s", got.body)
	}
	s.foreign(t, "GET", "/custom/toolkits/imports/"+dry.text(t, "id")).ok(t, 404)
	s.foreign(t, "DELETE", "/custom/toolkits/imports/"+dry.text(t, "id")).ok(t, 404)
	s.delete(t, "/custom/toolkits/imports/"+dry.text(t, "id")).ok(t, 200)
	s.get(t, "/custom/toolkits/imports/"+dry.text(t, "id")).ok(t, 404)
}

func TestImportsReadAddresses(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("X-Key")+" "+r.URL.RawQuery)
		w.Write([]byte(booksDescription(s.upstream.URL)))
	}))
	t.Cleanup(server.Close)
	done := s.importNow(t, `{"url":"`+server.URL+`/openapi.json?token=hidden-in-query","headers":{"X-Key":"hidden-in-header"},"slug":"shelf","filter":["method:get"]}`)
	if done.text(t, "status") != "succeeded" || done.text(t, "source") != server.URL+"/openapi.json" || strings.Contains(string(done.body), "hidden-in") {
		t.Errorf("imported %s", done.body)
	}
	if !slices.Equal(asked, []string{"hidden-in-header token=hidden-in-query"}) {
		t.Errorf("asked %q", asked)
	}
	if strings.Contains(s.log.String(), "hidden-in") {
		t.Error("the log holds a secret")
	}
}

func TestImportsThatComeToNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for name, body := range map[string]string{
		"nothing to import":      `{}`,
		"two things":             `{"url":"https://a.example/x.json","description":{}}`,
		"a file of the server's": `{"url":"/etc/passwd"}`,
		"a file URL":             `{"url":"file:///etc/passwd"}`,
		"another kind":           `{"kind":"wsdl","url":"https://a.example"}`,
		"a filter of no kind":    `{"url":"https://a.example","filter":["colour:red"]}`,
		"no way to connect":      `{"url":"https://a.example","auth":"magic"}`,
		"a header that is none":  `{"url":"https://a.example","headers":{"a b":"c"}}`,
		"a number":               `{"description":7}`,
		"SDL without endpoint":   `{"kind":"graphql","description":"type Query{a:Int}"}`,
	} {
		t.Run(name, func(t *testing.T) { s.post(t, "/custom/toolkits/import", body).ok(t, 400) })
	}
	s.post(t, "/custom/toolkits/upsert", shelfDefinition(s.upstream.URL, "LIST_BOOKS")).ok(t, 200)
	for name, c := range map[string]struct{ body, says string }{
		"no description":           {`{"description":"good morning"}`, "neither a JSON nor a YAML object"},
		"a private server":         {`{"description":` + booksDescription("http://10.0.0.7") + `}`, "10.0.0.7"},
		"a private address":        {`{"url":"http://169.254.169.254/latest/meta-data"}`, "169.254.169.254"},
		"a toolkit of the server":  {`{"slug":"acme","description":` + booksDescription(s.upstream.URL) + `}`, "has a toolkit"},
		"tools of another toolkit": {`{"kind":"graphql","slug":"shelf","base_url":"` + s.upstream.URL + `","description":"type Query{a:Int}"}`, "was not imported from graphql"},
	} {
		t.Run(name, func(t *testing.T) {
			done := s.importNow(t, c.body)
			if done.text(t, "status") != "failed" || done.at(t, "result") != nil || !strings.Contains(done.text(t, "error.message"), c.says) {
				t.Errorf("it ended with %s", done.body)
			}
		})
	}
	s.post(t, "/tools/execute/SHELF_LIST_BOOKS", `{"user_id":"u","arguments":{}}`).ok(t, 200) // nothing else noticed
}
