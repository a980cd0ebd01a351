package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func parse(t *testing.T, text string) *Server {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// server is a description with these members beside its name.
func server(members string) string {
	return `{"name":"com.acme/notes","description":"Notes.","version":"1.0.0",` + members + `}`
}

func TestRemotes(t *testing.T) {
	t.Parallel()
	s := parse(t, server(`"remotes":[
		{"type":"sse","url":"https://acme.example/sse"},
		{"type":"streamable-http","url":"https://{tenant}.acme.example/mcp?v=2&key={api_key}","variables":{"tenant":{"description":"Your <b>tenant</b>","default":"eu"},"api_key":{"isRequired":true}},
		 "headers":[
			{"name":"Authorization","value":"Bearer {token}","isRequired":true,"variables":{"token":{"description":"A token","isRequired":true}}},
			{"name":"X-Region","isRequired":true,"choices":["eu","us"]},
			{"name":"X-Plain","value":"as it is"},
			{"name":"X-Trace","description":"optional"},
			{"name":"X-Signed","value":"v1 {signature}"},
			{"name":"Mcp-Session-Id","value":"taken over"},
			{"name":"X-Fixed","value":"{a}-{b}","isRequired":true,"variables":{"a":{"value":"one"},"b":{"value":"two"}}}]}]`))
	got, err := s.Remote()
	if err != nil {
		t.Fatal(err)
	}
	want := Endpoint{
		URL:    "https://{tenant}.acme.example/mcp?v=2",
		Header: map[string]string{"Authorization": "Bearer {token}", "X-Region": "{x_region}", "X-Plain": "as it is", "X-Fixed": "one-two"},
		Query:  map[string]string{"key": "{api_key}"},
		Fields: []catalog.Field{
			{Name: "tenant", Title: "tenant", Type: "string", Description: "Your tenant", Default: "eu", Required: true},
			{Name: "api_key", Title: "api_key", Type: "string", Required: true, Secret: true},
			{Name: "token", Title: "token", Type: "string", Description: "A token", Required: true, Secret: true},
			{Name: "x_region", Title: "X-Region", Type: "string", Description: "One of: eu, us.", Required: true},
		},
		Notes: []string{"X-Trace is optional and not asked for", "X-Signed is optional and not asked for", "the header Mcp-Session-Id is not a publisher's to set, and is not sent"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRemotesThatCannotBeReached(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]string{
		`"remotes":[{"type":"sse","url":"https://a.example/sse"}]`:                                                           "older SSE transport",
		`"remotes":[{"type":"carrier-pigeon","url":"https://a.example"}]`:                                                    `"carrier-pigeon" is not known`,
		`"remotes":[{"type":"streamable-http","url":"{base}/mcp"}]`:                                                          "begins with a variable",
		`"remotes":[{"type":"streamable-http","url":"file:///etc/passwd"}]`:                                                  "is not an http or https address",
		`"remotes":[{"type":"streamable-http","url":"https://u:p@a.example/mcp"}]`:                                           "is not the address of an MCP server",
		`"remotes":[{"type":"streamable-http","url":"https://a.example/${{ 1 }}"}]`:                                          "is not the address of an MCP server",
		`"remotes":[{"type":"streamable-http","url":"https://a.example/{api_key}/mcp"}]`:                                     "holds a secret, api_key",
		`"remotes":[{"type":"streamable-http","url":"https://a.example/mcp?{a}=1&b={c}${{x}}"}]`:                             "can be written in no template",
		`"remotes":[{"type":"streamable-http","url":"https://a.example/mcp","headers":[{"name":"a b","value":"c"}]}]`:        "is no name of a header",
		`"remotes":[{"type":"streamable-http","url":"https://a.example/mcp","headers":[{"name":"A","value":"${{ env }}"}]}]`: "can be written in no template",
		`"packages":[]`: "it has no address",
	} {
		if e, err := parse(t, server(members)).Remote(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want %q", members, e, err, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		members string
		values  map[string]string
		words   string
		env     map[string]string
		fields  []string
	}{
		"npm": {
			members: `"packages":[{"registryType":"npm","identifier":"@acme/notes","version":"1.2.3","runtimeHint":"npx","transport":{"type":"stdio"},
				"packageArguments":[{"type":"positional","value":"start"},{"type":"named","name":"--mode","default":"local"},{"type":"named","name":"--verbose"},{"type":"named","name":"--port","format":"number","description":"where"}],
				"environmentVariables":[{"name":"ACME_KEY","isRequired":true},{"name":"LOG","value":"info"},{"name":"UNITS","default":"metric"},{"name":"TRACE"}]}]`,
			words: "npx -y @acme/notes@1.2.3 start --mode=local --verbose", env: map[string]string{"LOG": "info"}, fields: []string{"ACME_KEY={acme_key} secret", "UNITS={units}"},
		},
		"PyPI": {members: `"packages":[{"registryType":"pypi","registryBaseUrl":"https://pypi.org","identifier":"notes","version":"0.5.0"}]`, words: "uvx notes@0.5.0"},
		"a container": {
			members: `"packages":[{"registryType":"oci","identifier":"ghcr.io/acme/notes:v1","transport":{"type":"stdio"},
				"runtimeArguments":[{"type":"named","name":"-i"},{"type":"named","name":"--rm","description":"tidy"},{"type":"named","name":"-e","value":"TOKEN={token}","variables":{"token":{"isRequired":true,"isSecret":true}}}],
				"environmentVariables":[{"name":"MODE","value":"fast"}]}]`,
			words: "docker run -i --rm -e MODE -e TOKEN ghcr.io/acme/notes:v1", env: map[string]string{"MODE": "fast"}, fields: []string{"TOKEN={token} secret"},
		},
		"a container in the old spelling": {
			members: `"packages":[{"registry_type":"oci","registry_base_url":"https://docker.io","identifier":"mcp/notes","version":"1.0.2"}]`, words: "docker run -i --rm docker.io/mcp/notes:1.0.2",
		},
		"the oldest spelling": {
			members: `"packages":[{"registry_name":"npm","name":"notes","version":"1.0.2","environment_variables":[{"name":"KEY","is_required":true,"is_secret":true}]}]`,
			words:   "npx -y notes@1.0.2", fields: []string{"KEY={key} secret"},
		},
		"what only the operator says": {
			members: `"packages":[{"registryType":"npm","identifier":"fs","version":"1.0.0","packageArguments":[{"type":"positional","valueHint":"target","isRequired":true}],
				"environmentVariables":[{"name":"DATA_DIR","isRequired":true},{"name":"NODE_OPTIONS","description":"optional"},{"name":"PLACE","format":"filepath","default":"/srv"}]}]`,
			values: map[string]string{"target": "/data/a b", "DATA_DIR": "/data"}, words: "npx -y fs@1.0.0 /data/a b", env: map[string]string{"DATA_DIR": "/data", "PLACE": "/srv"},
		},
		"the second package": {
			members: `"packages":[{"registryType":"nuget","identifier":"A","version":"1"},{"registryType":"npm","identifier":"a","version":"1.0.0"}]`, words: "npx -y a@1.0.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, server(c.members)).Program(c.values)
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for variable, text := range got.Templates {
				i := slices.IndexFunc(got.Fields, func(f catalog.Field) bool { return text == "{"+f.Name+"}" })
				fields = append(fields, strings.TrimSpace(variable+"="+text+map[bool]string{true: " secret"}[got.Fields[i].Secret]))
			}
			slices.Sort(fields)
			if c.env == nil {
				c.env = map[string]string{}
			}
			if strings.Join(got.Words, " ") != c.words || !slices.Equal(fields, c.fields) || cmp.Diff(c.env, got.Env) != "" {
				t.Errorf("%q, %v, %q; notes %q", got.Words, got.Env, fields, got.Notes)
			}
		})
	}
}

func TestProgramsThatAreNotRun(t *testing.T) {
	t.Parallel()
	npm := func(more string) string {
		return `"packages":[{"registryType":"npm","identifier":"a","version":"1.0.0",` + more + `}]`
	}
	oci := func(more string) string {
		return `"packages":[{"registryType":"oci","identifier":"docker.io/a/b:1",` + more + `}]`
	}
	for members, want := range map[string]string{
		`"remotes":[]`: "it has no package",
		`"packages":[{"registryType":"mcpb","identifier":"https://github.com/x.mcpb"}]`:                   `packages of "mcpb" cannot be run`,
		`"packages":[{"registryType":"npm","identifier":"-c evil","version":"1.0.0"}]`:                    "is no name of a package",
		`"packages":[{"registryType":"npm","identifier":"a; rm -rf /","version":"1.0.0"}]`:                "is no name of a package",
		`"packages":[{"registryType":"npm","identifier":"https://evil.example/a.tgz","version":"1.0.0"}]`: "is no name of a package",
		`"packages":[{"registryType":"npm","identifier":"a","version":"latest"}]`:                         "no exact version",
		`"packages":[{"registryType":"npm","identifier":"a","version":"^1.0.0"}]`:                         "no exact version",
		`"packages":[{"registryType":"npm","identifier":"a"}]`:                                            "no exact version",
		npm(`"registryBaseUrl":"https://npm.evil.example"`):                                               "in another registry",
		npm(`"fileSha256":"00"`): "checked against a hash",
		npm(`"transport":{"type":"streamable-http","url":"http://localhost:1/"}`):                       "speaks streamable-http",
		npm(`"runtimeHint":"/bin/sh","runtimeArguments":[{"type":"named","name":"-c","value":"evil"}]`): `arguments for "/bin/sh"`,
		npm(`"packageArguments":[{"type":"positional","valueHint":"dir","isRequired":true}]`):           "--field dir=…",
		npm(`"packageArguments":[{"type":"named","name":"--token","isRequired":true,"isSecret":true}]`): "a secret, token, on its command line",
		npm(`"packageArguments":[{"type":"named","name":"token","value":"x"}]`):                         "is no flag",
		npm(`"packageArguments":[{"type":"magic","value":"x"}]`):                                        "neither named nor positional",
		npm(`"environmentVariables":[{"name":"A B"}]`):                                                  "is no name of a variable",
		npm(`"environmentVariables":[{"name":"LD_PRELOAD","isRequired":true}]`):                         "LD_PRELOAD, which only the operator may say",
		npm(`"environmentVariables":[{"name":"CONFIG_PATH","isRequired":true}]`):                        "CONFIG_PATH, which only the operator may say",
		npm(`"environmentVariables":[{"name":"NPM_TOKEN","isRequired":true,"isSecret":true}]`):          "a secret, NPM_TOKEN, that accounts must not fill in",
		oci(`"runtimeArguments":[{"type":"named","name":"--privileged"}]`):                              "--privileged, which may open the machine",
		oci(`"runtimeArguments":[{"type":"named","name":"-v","value":"/:/host"}]`):                      "-v, which may open the machine",
		oci(`"runtimeArguments":[{"type":"named","name":"--network","value":"host"}]`):                  "--network=host, which may open the machine",
		`"packages":[{"registryType":"oci","identifier":"docker.io/a/b:latest"}]`:                       "whatever is latest",
		`"packages":[{"registryType":"oci","identifier":"docker.io/a/b"}]`:                              "names no version",
		`"packages":[{"registryType":"oci","identifier":"--privileged"}]`:                               "is no name of a package",
	} {
		if c, err := parse(t, server(members)).Program(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", members, c.Words, err, want)
		}
	}
}

func TestDescriptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"name":"A"},`, 200)
	for text, want := range map[string]string{
		`{`:                             "cannot be read",
		`{"name":"notes","remotes":[]}`: "not of the form",
		`{"name":"com.acme/` + strings.Repeat("x", 300) + `"}`:                               "not of the form",
		`{"name":"com.acme/notes","remotes":"none"}`:                                         "cannot be read",
		server(`"remotes":[{"type":"streamable-http","url":7}]`):                             "cannot be read",
		server(`"remotes":[` + strings.Repeat(`{},`, 30) + `{}]`):                            "31 remotes",
		server(`"remotes":[{"headers":[` + many + `{}]}]`):                                   "201 headers",
		server(`"remotes":[{"url":"https://a.example/` + strings.Repeat("x", 5<<10) + `"}]`): "characters",
		server(`"remotes":[{"headers":[{"name":"A","value":"b\r\nHost: evil"}]}]`):           "more than one line",
		server(`"remotes":[{"variables":{"a":{"value":"${{ fields }}"}}}]`):                  "itself a template",
		server(`"description":"` + strings.Repeat("x", MaxServer) + `"`):                     "at most 256 KB",
		server(`"packages":[{"packageArguments":[` + strings.TrimSuffix(many, ",") + `]}]`):  "200 arguments",
		server(`"remotes":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)):     "cannot be read",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v; want %q", text, err, want)
		}
	}
	if s := parse(t, server(`"unheard_of":{"deep":[1]},"remotes":[],"_meta":{"x":1}`)); s.Name != "com.acme/notes" {
		t.Errorf("%+v", s)
	}
}

// TestExamples reads descriptions that were published, in several revisions of the format.
func TestExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "published.json"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := ParsePage(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range Newest(page.Entries) {
		line := e.Name + ": " + e.Left
		if e.Left == "" {
			endpoint, noRemote := e.Server.Remote()
			command, noProgram := e.Server.Program(nil)
			line += fmt.Sprintf("%s %s (%d fields) [%v, %v]", endpoint.URL, strings.Join(command.Words, " "), len(endpoint.Fields)+len(command.Fields), noRemote, noProgram)
		}
		got = append(got, line)
	}
	want := []string{
		"io.github.domdomegg/airtable-mcp-server: there is a newer version of it",
		"io.github.domdomegg/airtable-mcp-server:  npx -y airtable-mcp-server@1.7.3 (1 fields) [it has no address, <nil>]",
		`io.github.domdomegg/time-mcp-nuget:   (0 fields) [it has no address, packages of "nuget" cannot be run here, those of npm, pypi and oci can]`,
		"io.github.domdomegg/time-mcp-pypi:  uvx time-mcp-pypi@1.0.6 (0 fields) [it has no address, <nil>]",
		"io.github.getcyphrex/cyphrex-mcp: https://mcp.cyphrex.io/mcp  (0 fields) [<nil>, it has no package]",
		"io.modelcontextprotocol/brave-search:  npx -y @modelcontextprotocol/server-brave-search@1.0.2 (1 fields) [it has no address, <nil>]",
		"io.github.modelcontextprotocol/filesystem:  npx -y @modelcontextprotocol/server-filesystem@1.0.2 /Users/username/Desktop (1 fields) [it has no address, <nil>]",
		"io.modelcontextprotocol.anonymous/hybrid-mcp: https://mcp.anonymous.modelcontextprotocol.io/http npx -y @example/hybrid-mcp-server@1.5.0 --mode=local (0 fields) [<nil>, <nil>]",
		"io.github.example/old-weather: the registry says it is deprecated.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	one := func(name, version string) string {
		return fmt.Sprintf(`{"name":%q,"version":%q,"description":"d","remotes":[]}`, name, version)
	}
	official := func(text string) string {
		return `"_meta":{"io.modelcontextprotocol.registry/official":{` + text + `}}`
	}
	page, err := ParsePage([]byte(`{"servers":[
		{"server":` + one("a.b/one", "1.0.0") + `,` + official(`"status":"active","isLatest":true`) + `},
		{"server":` + one("a.b/one", "0.9.0") + `,` + official(`"isLatest":false`) + `},
		{"server":` + one("a.b/gone", "1") + `,` + official(`"status":"deleted","statusMessage":"Was malware"`) + `},
		{"server":` + one("a.b/old", "1") + `,` + official(`"status":"deprecated"`) + `},
		{"server":{"name":"a.b/broken","remotes":7}},
		{"server":` + one("a.b/two", "1.9.0") + `},{"server":` + one("a.b/two", "1.10.0-rc.1") + `},{"server":` + one("a.b/two", "1.10.0") + `},
		` + strings.TrimSuffix(one("a.b/flat", "1"), "}") + `,` + official(`"is_latest":true`) + `}
	],"metadata":{"next_cursor":"a.b/two:1","count":9}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range Newest(page.Entries) {
		line := e.Name
		if e.Server != nil {
			line += " " + e.Server.Version
		}
		got = append(got, strings.TrimSpace(line+" "+e.Left))
	}
	want := []string{
		"a.b/one 1.0.0", "a.b/one 0.9.0 there is a newer version of it", "a.b/gone 1 the registry says it is deleted. Was malware", "a.b/old 1 the registry says it is deprecated.",
		"cannot be read: cannot unmarshal number into Go struct field Server.remotes of type []registry.Transport", "a.b/two 1.9.0 there is a newer version of it",
		"a.b/two 1.10.0-rc.1 there is a newer version of it", "a.b/two 1.10.0", "a.b/flat 1",
	}
	got[4] = got[4][strings.Index(got[4], "cannot be read"):]
	if diff := cmp.Diff(want, got); diff != "" || page.Next != "a.b/two:1" {
		t.Errorf("next %q, %s", page.Next, diff)
	}
	for _, text := range []string{`{"openapi":"3.0.0","servers":[{"url":"/"}],"paths":{}}`, `{"swagger":"2.0"}`, `{"name":"npm-package","version":"1"}`, `[1]`, `{"a":1}`, `"text"`} {
		if _, err := ParsePage([]byte(text)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSlugs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"io.github.user/weather":                  "weather weather_user",
		"io.github.domdomegg/airtable-mcp-server": "airtable airtable_domdomegg",
		"com.notion/mcp":                          "notion",
		"com.acme.tools/mcp-server":               "acme_tools",
		"io.github.Acme/Acme_MCP":                 "acme",
		"ai.smithery/user-github-search":          "user_github_search user_github_search_smithery",
		"com.github/mcp":                          "github",
		"io.github.x/mcp":                         "x",
		"com.mcp/server":                          "server",
		"io.github.user/a-very-long-name-of-a-server-that-does-not-end": "",
	} {
		slugs := Slugs(name)
		for _, slug := range slugs {
			if len(slug) > 30 || slug == "" || strings.ToLower(slug) != slug {
				t.Errorf("%s: %q", name, slug)
			}
		}
		last := len(slugs) - 1
		if got := strings.Join(slugs[:last], " "); want != "" && got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if slices.Contains(slugs[:last], slugs[last]) {
			t.Errorf("%s: %q is there twice", name, slugs)
		}
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(server(`"remotes":[{"type":"streamable-http","url":"https://{a}.example/mcp?b={c}","headers":[{"name":"A","value":"B {c}"}]}],"packages":[{"registryType":"npm","identifier":"a","version":"1.0.0"}]`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		page, err := ParsePage(text)
		if err != nil {
			return
		}
		for _, e := range Newest(page.Entries) {
			if e.Left != "" {
				continue
			}
			if endpoint, err := e.Server.Remote(); err == nil {
				for _, text := range endpoint.Header {
					if strings.Contains(text, "${") || strings.ContainsAny(text, "\r\n") {
						t.Errorf("a header would be %q", text)
					}
				}
			}
			if c, err := e.Server.Program(nil); err == nil && !slices.Contains([]string{"npx", "uvx", "docker"}, c.Words[0]) {
				t.Errorf("%q would be run", c.Words)
			}
		}
	})
}
