package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// shelf is a definition with tools that answer at the stack's upstream.
func shelfDefinition(base string, tools ...string) string {
	list := []map[string]any{}
	for _, name := range tools {
		list = append(list, map[string]any{
			"slug": "SHELF_" + name, "name": name, "description": "Does " + name + " on a shelf of books.", "hints": map[string]bool{"Read": true}, "scopes": map[string]any{},
			"input": map[string]any{"type": "object", "properties": map[string]any{"id": map[string]string{"type": "string"}}},
			"http":  map[string]any{"method": "GET", "path": "/v1/" + strings.ToLower(name)},
		})
	}
	text, _ := json.Marshal(map[string]any{"definition": map[string]any{
		"slug": "shelf", "name": "Shelf", "base_url": base, "tools": list, "source": map[string]string{"kind": "openapi"},
	}})
	return string(text)
}

func TestCustomToolkits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	first := s.post(t, "/custom/toolkits/upsert", shelfDefinition(s.upstream.URL, "LIST_BOOKS", "OLD")).ok(t, 200)
	if first.text(t, "slug") != "shelf" || first.text(t, "version") != startTime.Format("20060102")+"_00" {
		t.Errorf("stored %s", first.body)
	}
	if again := s.post(t, "/custom/toolkits/upsert", shelfDefinition(s.upstream.URL, "LIST_BOOKS", "OLD")).ok(t, 200); again.at(t, "unchanged") != true {
		t.Errorf("the same again: %s", again.body)
	}
	detail := s.get(t, "/toolkits/shelf").ok(t, 200)
	if detail.text(t, "type") != "custom" || detail.text(t, "base_url") != s.upstream.URL {
		t.Errorf("detail %s", detail.body)
	}
	if got := s.get(t, "/tools?query=list+the+books+on+my+shelf").ok(t, 200); got.text(t, "items.0.slug") != "SHELF_LIST_BOOKS" {
		t.Errorf("search %s", got.body)
	}
	session := s.session(t, `{"user_id":"u","toolkits":["shelf"]}`)
	pinned := s.session(t, `{"user_id":"u","toolkits":["shelf"],"toolkit_versions":{"shelf":"`+first.text(t, "version")+`"}}`)
	s.post(t, "/tools/execute/SHELF_OLD", `{"user_id":"u","arguments":{}}`).ok(t, 200)

	second := s.post(t, "/custom/toolkits/upsert", shelfDefinition(s.upstream.URL, "LIST_BOOKS", "NEW")).ok(t, 200)
	if second.text(t, "changes.added.0") != "SHELF_NEW" || second.text(t, "changes.removed.0") != "SHELF_OLD" {
		t.Errorf("changes %s", second.body)
	}
	versions := s.get(t, "/toolkits/shelf").ok(t, 200)
	if versions.text(t, "meta.available_versions.1") != first.text(t, "version") {
		t.Errorf("versions %s", versions.body)
	}
	for _, c := range []struct {
		session, tool string
		status        int
	}{{session, "SHELF_NEW", 200}, {session, "SHELF_OLD", 404}, {pinned, "SHELF_OLD", 200}, {pinned, "SHELF_NEW", 404}} {
		s.post(t, "/tool_router/session/"+c.session+"/execute", `{"tool_slug":"`+c.tool+`","arguments":{}}`).ok(t, c.status)
	}
	old := s.get(t, "/tools/SHELF_OLD?version="+first.text(t, "version")).ok(t, 200)
	if old.text(t, "version") != first.text(t, "version") {
		t.Errorf("an older version: %s", old.body)
	}
	s.get(t, "/tools/SHELF_OLD").ok(t, 404)
	s.post(t, "/tools/execute/SHELF_OLD", `{"user_id":"u","arguments":{},"version":"`+first.text(t, "version")+`"}`).ok(t, 200)
	changelog := string(s.get(t, "/toolkits/changelog").ok(t, 200).body)
	if !strings.Contains(changelog, `Added: SHELF_NEW.\nRemoved: SHELF_OLD.`) {
		t.Errorf("changelog %s", changelog)
	}

	s.do(t, request{method: "PUT", path: "/api/v3.1/toolkits/shelf/pin", body: `{"version":"` + first.text(t, "version") + `"}`}).ok(t, 200)
	s.get(t, "/tools/SHELF_OLD").ok(t, 200)
	s.do(t, request{method: "PUT", path: "/api/v3.1/toolkits/shelf/pin", body: `{"version":"19990101_00"}`}).ok(t, 404)
	s.do(t, request{method: "PUT", path: "/api/v3.1/toolkits/shelf/pin", body: `{"version":"latest"}`}).ok(t, 200)
	s.get(t, "/tools/SHELF_OLD").ok(t, 404)

	listed := s.get(t, "/custom/toolkits").ok(t, 200)
	if listed.text(t, "items.0.slug") != "shelf" || listed.at(t, "items.0.problem") != nil {
		t.Errorf("listed %s", listed.body)
	}
	gone := s.delete(t, "/custom/toolkits/SHELF").ok(t, 200)
	if gone.at(t, "deleted") != true {
		t.Errorf("deleted %s", gone.body)
	}
	s.get(t, "/toolkits/shelf").ok(t, 404)
	s.delete(t, "/custom/toolkits/shelf").ok(t, 404)
	s.delete(t, "/custom/toolkits/acme").ok(t, 404)
}

func TestCustomToolkitsInOurFormat(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	files := map[string]string{
		"toolkit.yaml": "slug: bins\nname: Bins\ndescription: Bins and what is in them.\nversion: 20261122_00\ncategories: [crm]\nbase_url: " + s.upstream.URL + "\n",
		"bins.yaml":    "- slug: LIST\n  title: List bins\n  description: Lists the bins of the account.\n  hints: [read]\n  request: GET /v1/bins\n",
	}
	send := func(more string) answer {
		text, _ := json.Marshal(files)
		return s.post(t, "/custom/toolkits/upsert", `{"files":`+string(text)+more+`}`)
	}
	if checked := send(`,"dry_run":true`).ok(t, 200); checked.at(t, "tools_count") != 1.0 {
		t.Errorf("checked %s", checked.body)
	}
	s.get(t, "/toolkits/bins").ok(t, 404)
	send(`,"slug":"BINS"`).ok(t, 200)
	s.get(t, "/tools/BINS_LIST").ok(t, 200)
	send(`,"slug":"other"`).ok(t, 400)

	files["bins.yaml"] = strings.Replace(files["bins.yaml"], "request: GET", "request: FETCH", 1)
	if wrong := send("").ok(t, 400); !strings.Contains(string(wrong.body), "bins.yaml:5:") {
		t.Errorf("no line: %s", wrong.body)
	}
}

func TestCustomToolkitsRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for name, body := range map[string]string{
		"nothing":            `{}`,
		"two forms":          `{"definition":{},"files":{}}`,
		"an unknown member":  `{"definition":{"slug":"x","name":"X","tolls":[]}}`,
		"a private address":  shelfDefinition("http://10.0.0.1", "X"),
		"metadata":           shelfDefinition("http://169.254.169.254", "X"),
		"the server's own":   strings.ReplaceAll(shelfDefinition("https://x.example", "X"), `"shelf"`, `"acme"`),
		"a tool of MCP":      strings.ReplaceAll(shelfDefinition("https://x.example", "X"), `"http":{`, `"mcp":{"tool":"x","hash":"y"},"graphql":null,"http":{`),
		"a wrong type":       `{"definition":{"slug":7}}`,
		"a definition of no": `{"definition":null}`,
		"a server's command": `{"slug":"x","toolkit_config":{"name":"X","command":["sh"],"auth_schemes":[{"mode":"NO_AUTH"}]}}`,
		"a server by a file": `{"slug":"x","toolkit_config":{"name":"X","app_url":"file:///bin/sh","auth_schemes":[{"mode":"NO_AUTH"}]}}`,
	} {
		got := s.post(t, "/custom/toolkits/upsert", body)
		if got.status < 400 || got.status >= 500 && got.status != 501 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if listed := s.get(t, "/custom/toolkits").ok(t, 200); listed.at(t, "total_items") != 0.0 {
		t.Errorf("stored %s", listed.body)
	}
}

// What runs on the server's machine is its operator's to say: no body of the API may name a program.
func TestNoProgramsByAPI(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const program = `"slug":"x","name":"X","program":{"command":["/bin/sh","-c","touch /tmp/owned"]},"tools":[{"slug":"X_RUN","name":"Run","mcp":{"tool":"run","hash":""}}]`
	for _, dry := range []string{"", `,"dry_run":true`} {
		got := s.post(t, "/custom/toolkits/upsert", `{"definition":{`+program+`}`+dry+`}`)
		if got.status != 403 || !strings.Contains(string(got.body), "only its operator may decide") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	files := `{"files":{"toolkit.yaml":"slug: x\nname: X\nprogram: {command: [sh]}\n","tools.yaml":"run:\n  program: {command: [sh]}\n"}}`
	if got := s.post(t, "/custom/toolkits/upsert", files); got.status != 400 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if listed := s.get(t, "/custom/toolkits").ok(t, 200); listed.at(t, "total_items") != 0.0 {
		t.Errorf("stored %s", listed.body)
	}
}

// A tool that gets another name goes on under the old one, in sessions that run too; what is deprecated says so.
func TestRenamedAndDeprecatedTools(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.post(t, "/custom/toolkits/upsert", shelfDefinition(s.upstream.URL, "LIST_BOOKS", "OLD")).ok(t, 200)
	session := s.session(t, `{"user_id":"u","toolkits":["shelf"]}`)
	renamed := strings.Replace(shelfDefinition(s.upstream.URL, "LIST_BOOKS", "NEW"), `"slug":"SHELF_NEW"`, `"slug":"SHELF_NEW","aliases":["SHELF_OLD"]`, 1)
	renamed = strings.Replace(renamed, `"slug":"SHELF_LIST_BOOKS"`, `"slug":"SHELF_LIST_BOOKS","deprecated":true`, 1)
	changed := s.post(t, "/custom/toolkits/upsert", renamed).ok(t, 200)
	if changed.text(t, "changes.renamed.0.to") != "SHELF_NEW" || changed.text(t, "changes.deprecated.0") != "SHELF_LIST_BOOKS" {
		t.Errorf("changes %s", changed.body)
	}
	if tool := s.get(t, "/tools/SHELF_OLD").ok(t, 200); tool.text(t, "slug") != "SHELF_NEW" {
		t.Errorf("by its old name: %s", tool.body)
	}
	s.post(t, "/tools/execute/SHELF_OLD", `{"user_id":"u","arguments":{}}`).ok(t, 200)
	s.post(t, "/tool_router/session/"+session+"/execute", `{"tool_slug":"SHELF_OLD","arguments":{}}`).ok(t, 200)
	if tool := s.get(t, "/tools/SHELF_LIST_BOOKS").ok(t, 200); tool.at(t, "is_deprecated") != true {
		t.Errorf("deprecated: %s", tool.body)
	}
	if log := string(s.get(t, "/toolkits/changelog").ok(t, 200).body); !strings.Contains(log, "Renamed: SHELF_OLD to SHELF_NEW") || !strings.Contains(log, "Deprecated: SHELF_LIST_BOOKS") {
		t.Errorf("changelog %s", log)
	}
}
