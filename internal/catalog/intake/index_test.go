package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/process"
)

func TestAnIndexOfAPIs(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Reader.Header = http.Header{"X-Key": {"for-the-index"}}
	var mu sync.Mutex
	var leaked []string
	full, same := 0, 0
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		leaked = append(leaked, r.Header.Values("X-Key")...)
		fmt.Fprint(w, spec)
	})
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Header.Get("X-Key") != "for-the-index":
			http.Error(w, "no", http.StatusForbidden)
		case r.URL.Path == "/list.json":
			fmt.Fprintf(w, `{
				"shoes.example.com":{"preferred":"2","versions":{"1":{"swaggerUrl":"/1.json"},"2":{"swaggerUrl":"/2.json","swaggerYamlUrl":"/2.yaml"}}},
				"googleapis.com:gmail":{"versions":{"v1":{"openapiUrl":%q}}},
				"inside":{"preferred":"1","versions":{"1":{"swaggerUrl":"http://10.1.2.3/latest/meta-data"}}},
				"files":{"preferred":"1","versions":{"1":{"swaggerUrl":"file:///etc/passwd"}}},
				"gone":{"preferred":"1","versions":{"1":{"swaggerUrl":"/gone.json"}}},
				"none":{"preferred":"1","versions":{}},
				"picture":{"preferred":"1","versions":{"1":{"swaggerUrl":"/picture.json"}}}}`, elsewhere+"/gmail.json?secret=s")
		case r.URL.Path == "/2.json" && r.Header.Get("If-None-Match") == `"e2"`:
			same++
			w.WriteHeader(http.StatusNotModified)
		case r.URL.Path == "/2.json":
			full++
			w.Header().Set("ETag", `"e2"`)
			fmt.Fprint(w, spec)
		case r.URL.Path == "/picture.json":
			w.Header().Set("Content-Type", "image/png")
		default:
			http.NotFound(w, r)
		}
	})
	got := importAll(t, o, address+"/list.json")
	for key, want := range map[string]string{
		"inside": "10.1.2.3", "gone": "404", "picture": "image/png", "files": "no http or https address", "none": "no version", "shoes.example.com 1": "prefers another",
	} {
		if out := got[key]; !strings.Contains(out.Error+out.Skipped, want) {
			t.Errorf("%s: %+v; want %q", key, out, want)
		}
	}
	if len(got) != 8 || !got["shoes_example"].New || !got["googleapis_gmail"].New || strings.Contains(got["googleapis_gmail"].Source, "secret") || len(leaked) != 0 {
		t.Errorf("%+v; leaked %q", got, leaked)
	}
	again := importAll(t, o, address+"/list.json")
	if !again["shoes_example"].Unchanged || !again["googleapis_gmail"].Unchanged || full != 1 || same != 1 {
		t.Errorf("again: fetched %d times, %d as unchanged: %+v", full, same, again)
	}
}

func TestWhatIsNoIndex(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		spec:               "one description and no index",
		`{"a":1,"b":{}}`:   "neither an index of APIs",
		`{"servers":[7]}`:  "nor of MCP servers",
		`{"apis":`:         "no index that can be read",
		`[{"name":"npm"}]`: "no index that can be read",
	} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
		if _, err := options(t).Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v; want %q", text, err, want)
		}
	}
}

// listed is an MCP registry with these servers, so many on a page.
func listed(t *testing.T, perPage int, servers ...string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); r.URL.Path != "/v0.1/servers" || q.Get("version") != "latest" || q.Get("limit") != "100" {
			http.Error(w, "it is asked otherwise: "+r.URL.String(), http.StatusBadRequest)
			return
		}
		from := 0
		fmt.Sscan(r.URL.Query().Get("cursor"), &from)
		to := min(from+perPage, len(servers))
		next := ""
		if to < len(servers) {
			next = fmt.Sprint(to)
		}
		fmt.Fprintf(w, `{"servers":[%s],"metadata":{"nextCursor":%q}}`, strings.Join(servers[from:to], ","), next)
	}) + "/v0.1/servers"
}

func remoteServer(name, address, more string) string {
	return fmt.Sprintf(`{"server":{"name":%q,"description":"Notes.","version":"1","remotes":[{"type":"streamable-http","url":%q%s}]}}`, name, address, more)
}

const keyHeader = `,"headers":[{"name":"Authorization","value":"Bearer {token}","isRequired":true,"isSecret":true,"variables":{"token":{"isRequired":true,"isSecret":true}}}]`

func TestARegistryOfServers(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read", "write"}
	o.Servers.Later = true
	o.Reserved = func(slug string) bool { return slug == "github" }
	open, keyed := notes(t, "", "", &names), notes(t, "Bearer key", "Bearer", &names)
	oauth := notes(t, "Bearer of-ann", `Bearer resource_metadata="https://x.example/.well-known/oauth-protected-resource"`, &names)
	dead := httptest.NewServer(nil)
	dead.Close()
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	address := listed(t, 2,
		remoteServer("io.github.ann/notes", open, ""), remoteServer("com.acme/notes-mcp", open, `,"headers":[{"name":"X-Region","default":"eu"}]`),
		remoteServer("io.github.bob/notes", keyed, keyHeader), remoteServer("com.github/mcp", open, ""), remoteServer("com.signed/in", oauth, ""),
		remoteServer("com.unsaid/server", keyed, ""), remoteServer("com.dead/server", dead.URL, ""), remoteServer("com.page/server", page, ""),
		remoteServer("com.inside/server", "https://10.1.2.3/mcp", ""), remoteServer("com.plain/server", "http://mcp.plain.example/mcp", ""),
		remoteServer("com.tenant/server", "https://{tenant}.example/mcp", ""), strings.ReplaceAll(remoteServer("com.old/server", open, ""), "streamable-http", "sse"),
		`{"server":{"name":"com.broken/server","remotes":7}}`,
		`{"server":{"name":"com.program/server","version":"1","packages":[{"registryType":"npm","identifier":"a","version":"1.0.0"}]}}`,
	)
	got := importAll(t, o, address)
	for slug, want := range map[string]string{
		"unsaid": "wants a credential, and its description names none", "dead": "cannot be reached", "page": "does not answer as an MCP server", "inside": "10.1.2.3",
		"plain": "unencrypted", "old": "older SSE transport", "program": "only --programs",
	} {
		if out := got[slug]; !strings.Contains(out.Error+out.Skipped, want) || out.New {
			t.Errorf("%s: %+v; want %q", slug, out, want)
		}
	}
	for slug, want := range map[string]struct {
		modes    string
		tools    int
		unlisted string
	}{
		"notes": {"NO_AUTH", 2, ""}, "notes_ann": {"NO_AUTH", 2, ""}, "notes_bob": {"API_KEY", 0, "connected accounts only"}, "github_mcp": {"NO_AUTH", 2, ""},
		"in": {"DCR_OAUTH CIMD_OAUTH", 0, "sign in"}, "tenant": {"NO_AUTH", 0, "parts that accounts fill in"},
	} {
		d, err := o.Sink.Known(t.Context(), slug)
		if err != nil || d == nil {
			t.Errorf("%s is not kept: %+v, %v", slug, got[slug], err)
			continue
		}
		var modes []string
		for _, a := range d.Auth {
			modes = append(modes, a.Mode)
		}
		if strings.Join(modes, " ") != want.modes || len(d.Tools) != want.tools || !strings.Contains(got[slug].Unlisted, want.unlisted) || (want.unlisted == "") != (got[slug].Unlisted == "") {
			t.Errorf("%s: %q, %d tools, %q", slug, modes, len(d.Tools), got[slug].Unlisted)
		}
	}
	if d, _ := o.Sink.Known(t.Context(), "notes"); d.Source.Server != "com.acme/notes-mcp" || d.Auth[0].Header["X-Region"] != "eu" || d.Tools[0].Slug != "NOTES_READ" {
		t.Errorf("whoever owns a domain comes first: %+v", d)
	}
	if d, _ := o.Sink.Known(t.Context(), "notes_bob"); d.Auth[0].Header["Authorization"] != "Bearer {token}" || !d.Auth[0].AccountFields[0].Secret {
		t.Errorf("%+v", d.Auth)
	}

	again := importAll(t, o, address)
	for _, slug := range []string{"notes", "notes_ann", "notes_bob", "github_mcp", "in", "tenant"} {
		if !again[slug].Unchanged {
			t.Errorf("%s again: %+v", slug, again[slug])
		}
	}
	if again["in"].Unlisted == "" || again["notes"].Unlisted != "" {
		t.Error("it is not said again what has no tools yet")
	}
}

func TestServersKeepTheirSlugs(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read"}
	address := notes(t, "", "", &names)
	importAll(t, o, listed(t, 9, remoteServer("io.github.zoe/weather", address, "")))
	got := importAll(t, o, listed(t, 9, remoteServer("io.github.zoe/weather", address, ""), remoteServer("com.acme/weather", address, ""), remoteServer("io.github.bob/weather", address, "")))
	if !got["weather"].Unchanged || got["weather"].Source != "io.github.zoe/weather" || !got["weather_acme"].New || !got["weather_bob"].New {
		t.Errorf("%+v", got)
	}
}

func TestServersThatWaitHaveNoPlaceInFiles(t *testing.T) {
	t.Parallel()
	got := importAll(t, options(t), listed(t, 9, remoteServer("com.tenant/server", "https://{tenant}.example/mcp", "")))
	if out := got["tenant"]; !strings.Contains(out.Skipped, "add it without --out") || out.New {
		t.Errorf("%+v", out)
	}
}

func TestToolsThatWereListedStay(t *testing.T) {
	t.Parallel()
	o, names := options(t), []string{"read"}
	o.Servers.Later = true
	address := notes(t, "Bearer key", "Bearer", &names)
	o.Servers.Fields = map[string]string{"token": "key"}
	if got := importAll(t, o, listed(t, 9, remoteServer("com.acme/notes", address, keyHeader))); got["notes"].Report.Tools != 1 {
		t.Fatalf("%+v", got)
	}
	o.Servers.Fields = nil
	newer := strings.Replace(remoteServer("com.acme/notes", address, keyHeader), `"1"`, `"2"`, 1)
	if got := importAll(t, o, listed(t, 9, newer)); got["notes"].Unlisted != "" || got["notes"].Error != "" || got["notes"].Unchanged {
		t.Errorf("%+v", got)
	}
	if d, _ := o.Sink.Known(t.Context(), "notes"); len(d.Tools) != 1 {
		t.Errorf("its tools are gone: %+v", d)
	}
	if plain, _ := json.Marshal(o.Servers.Fields); strings.Contains(string(plain), "key") {
		t.Error("the key is kept")
	}
}

func TestListsThatNeverEnd(t *testing.T) {
	t.Parallel()
	names := []string{"read"}
	open := notes(t, "", "", &names)
	pages := 0
	for name, c := range map[string]struct {
		next func(w http.ResponseWriter) string
		want string
	}{
		"new cursors without end": {func(http.ResponseWriter) string { pages++; return fmt.Sprint(pages) }, "has no end"},
		"round in a circle":       {func(http.ResponseWriter) string { return "again" }, "in a circle"},
	} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"servers":[%s],"metadata":{"nextCursor":%q}}`, remoteServer("com.acme/notes", open, ""), c.next(w))
		})
		all, err := options(t).Open(t.Context(), address+"/v0/servers")
		if err != nil || len(all.Files) != 1 {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		if !slices.ContainsFunc(all.LeftOut, func(out Outcome) bool { return strings.Contains(out.Error, c.want) }) {
			t.Errorf("%s: it is not said", name)
		}
	}
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("cursor") {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, `{"servers":[%s],"metadata":{"nextCursor":"x"}}`, remoteServer("com.acme/notes", open, ""))
	})
	if got := importAll(t, options(t), broken+"/v0/servers"); !got["notes"].New || !strings.Contains(got[broken+"/v0/servers"].Error, "502") {
		t.Errorf("a page that fails: %+v", got)
	}
}

func TestOneServerJSON(t *testing.T) {
	t.Parallel()
	o, names, dir := options(t), []string{"read"}, t.TempDir()
	address := notes(t, "Bearer key", "Bearer", &names)
	file := write(t, dir, "server.json", `{"name":"com.acme/notes","version":"1","remotes":[{"type":"streamable-http","url":"`+address+`"`+keyHeader+`}]}`)
	o.Servers.Fields = map[string]string{"token": "key"}
	out, err := o.Server(t.Context(), file)
	if err != nil || out.Slug != "notes" || out.Report.Tools != 1 || out.Definition.Auth[0].Mode != "API_KEY" {
		t.Errorf("%+v, %v", out, err)
	}
	if plain, _ := json.Marshal(out.Definition); strings.Contains(string(plain), `"key"`) {
		t.Errorf("the value is kept: %s", plain)
	}
	for text, want := range map[string]string{
		`{"servers":[` + remoteServer("a.b/c", address, "") + `,` + remoteServer("a.b/d", address, "") + `]}`: "holds 2 servers",
		`{"name":"a.b/c","remotes":[{"type":"sse","url":"https://a.example"}]}`:                               "older SSE",
		`{"name":"npm-package"}`: "no server.json",
		`{"server":{"name":"a.b/c","remotes":[]},"_meta":{"io.modelcontextprotocol.registry/official":{"status":"deleted"}}}`: "deleted",
	} {
		if _, err := o.Server(t.Context(), write(t, dir, "x.json", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for place, want := range map[string]bool{
		"server.json": true, "https://a.example/server.json?x=1": true, "https://r.example/v0.1/servers/com.acme%2Fnotes/versions/latest": true,
		"https://a.example/mcp": false, "https://a.example/v0/servers": false,
	} {
		if IsServerJSON(place) != want {
			t.Errorf("%s is taken for the other", place)
		}
	}
}

func TestProgramsOfARegistry(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Servers.Later = true
	host := process.NewHost(process.Options{})
	t.Cleanup(func() { host.Close(context.Background()) })
	entry := func(name, more string) string {
		return `{"server":{"name":"` + name + `","version":"1","packages":[{"registryType":"npm","identifier":"a","version":"1.0.0"` + more + `}]}}`
	}
	address := listed(t, 9, entry("com.acme/open", `,"environmentVariables":[{"name":"MODE","default":"fast"}]`), entry("com.acme/keyed", `,"environmentVariables":[{"name":"API_KEY","isRequired":true,"isSecret":true}]`),
		entry("com.acme/path", `,"packageArguments":[{"type":"positional","valueHint":"dir","isRequired":true}]`))
	var mu sync.Mutex
	started := map[string]map[string]string{}
	o.Servers.Start = func(slug string, p *catalog.Program, env map[string]string) (*process.Process, error) {
		mu.Lock()
		defer mu.Unlock()
		if started[slug] = env; !slices.Equal(p.Command, []string{"npx", "-y", "a@1.0.0"}) {
			t.Errorf("%q is run", p.Command)
		}
		return host.Start(slug, process.Command{Args: []string{"/bin/sh", "-c", `
			read discover; echo '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'
			read initialize; echo '{"jsonrpc":"2.0","id":2,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}}'
			read initialized; read list
			echo '{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"read","inputSchema":{"type":"object"}}]}}'; read end`}})
	}
	if got := importAll(t, o, address); len(started) != 0 || got["open"].New || got["open"].Skipped == "" {
		t.Errorf("programs are run without being asked for: %v", started)
	}
	o.Servers.Programs = true
	got := importAll(t, o, address)
	if len(started) != 1 || started["open"]["MODE"] != "fast" || got["open"].Report.Tools != 1 || got["keyed"].Unlisted == "" || !strings.Contains(got["path"].Skipped, "--field dir=") {
		t.Errorf("%v, %+v", started, got)
	}
	d, err := o.Sink.Known(t.Context(), "keyed")
	if err != nil || d.Program == nil || d.Auth[0].Env["API_KEY"] != "{api_key}" || d.Auth[0].Mode != "API_KEY" || d.BaseURL != "" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestHeadersForTheRegistryStayThere(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Reader.Header = http.Header{"Authorization": {"Bearer for-the-registry"}}
	var mu sync.Mutex
	var seen []string
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		return mcp.NewServer(&mcp.Implementation{Name: "x", Version: "1"}, nil)
	}, nil)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Header.Values("Authorization")...)
		mu.Unlock()
		h.ServeHTTP(w, r)
	})
	importAll(t, o, listed(t, 9, remoteServer("com.acme/notes", server, "")))
	if len(seen) != 0 {
		t.Errorf("the server was sent %q", seen)
	}
}

func TestRegistriesAreGuarded(t *testing.T) {
	t.Parallel()
	client, err := outbound.New(outbound.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Reader: Reader{Client: client}, Sink: Nowhere{}}
	for _, place := range []string{"http://127.0.0.1:8080/v0/servers", "http://169.254.169.254/list.json", "https://[::1]/specs.zip"} {
		if _, err := o.Open(t.Context(), place); err == nil || !strings.Contains(err.Error(), "are refused") {
			t.Errorf("%s: %v", place, err)
		}
	}
}
