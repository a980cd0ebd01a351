package intake

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

const spec = `{"openapi":"3.0.0","info":{"title":"Shoes","version":"1"},"servers":[{"url":"https://shoes.example"}],
"paths":{"/shoes":{"get":{"operationId":"listShoes"},"post":{"operationId":"addShoe"}}}}`

// options make toolkits in a directory of the test's own, and may reach servers on this machine.
func options(t *testing.T) *Options {
	t.Helper()
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	if err != nil {
		t.Fatal(err)
	}
	return &Options{Reader: Reader{Client: client}, Sink: Directory(t.TempDir())}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return at
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestAddingAgainTellsWhatChanged(t *testing.T) {
	t.Parallel()
	o, file := options(t), write(t, t.TempDir(), "shoes.json", spec)
	first, err := o.OpenAPI(t.Context(), file)
	if err != nil || !first.New || first.Slug != "shoes" || first.Report.Tools != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	same, err := o.OpenAPI(t.Context(), file)
	if err != nil || same.New || !same.Changes.Empty() {
		t.Errorf("again: %+v, %v", same, err)
	}
	write(t, filepath.Dir(file), "shoes.json", strings.NewReplacer("listShoes", "getAllShoes", `"post":{"operationId":"addShoe"}`, `"put":{"operationId":"setShoes"}`).Replace(spec))
	after, err := o.OpenAPI(t.Context(), file)
	want := catalog.Changes{Added: []string{"SHOES_SET_SHOES"}, Removed: []string{"SHOES_ADD_SHOE"}, Changed: []string{"SHOES_LIST_SHOES"}}
	if err != nil || fmt.Sprint(after.Changes) != fmt.Sprint(want) {
		t.Errorf("changed: %+v, %v; want %+v", after.Changes, err, want)
	}
	kept, err := o.Sink.Known(t.Context(), "shoes")
	if err != nil || kept.Tools[0].Slug != "SHOES_LIST_SHOES" {
		t.Errorf("the name that was there is not kept: %+v, %v", kept, err)
	}
}

// importAll imports a collection, and gives what became of it by slug, or by source where there is none.
func importAll(t *testing.T, o *Options, place string) map[string]Outcome {
	t.Helper()
	all, err := o.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	}()
	got := map[string]Outcome{}
	keep := func(out Outcome) {
		key := out.Slug
		if key == "" {
			key = out.Source
		}
		if _, twice := got[key]; twice {
			t.Errorf("%s is told of twice", key)
		}
		got[key] = out
	}
	for _, out := range all.LeftOut {
		keep(out)
	}
	if err := o.All(t.Context(), all.Files, keep); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAWholeDirectory(t *testing.T) {
	t.Parallel()
	o, dir := options(t), t.TempDir()
	write(t, dir, "shoes.example.com/v1.json", spec)
	write(t, dir, "github.com.json", spec)
	write(t, dir, "hats/api.yaml", "swagger: '2.0'\ninfo: {title: Hats}\nhost: hats.example\npaths: {/hats: {get: {}}}\n")
	write(t, dir, "broken.json", "{")
	write(t, dir, "package.json", "{}")
	write(t, dir, ".hidden/x.json", spec)
	write(t, dir, "node_modules/x.json", spec)
	o.Reserved = func(slug string) bool { return slug == "github" }
	run := func() map[string]Outcome {
		return importAll(t, o, dir)
	}
	got := run()
	if len(got) != 4 || !got["shoes_example"].New || !got["hats"].New || !got["github_api"].New || got["broken"].Error == "" {
		t.Errorf("%+v", got)
	}
	served, err := catalog.Open(t.Context(), catalog.Options{Files: []string{string(o.Sink.(Directory))}})
	if err != nil || len(served.Snapshot("").Toolkits()) != 3 {
		t.Errorf("%v, %v", served.LeftOut(""), err)
	}
	again := run()
	for _, slug := range []string{"shoes_example", "hats", "github_api"} {
		if !again[slug].Unchanged {
			t.Errorf("%s was read again: %+v", slug, again[slug])
		}
	}
}

func TestADirectoryStopsWithItsContext(t *testing.T) {
	t.Parallel()
	o, dir := options(t), t.TempDir()
	for i := range 20 {
		write(t, dir, fmt.Sprintf("s%d.json", i), spec)
	}
	all, err := o.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := o.All(ctx, all.Files, func(Outcome) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAddressesAreRead(t *testing.T) {
	t.Parallel()
	o := options(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "k" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, strings.Replace(spec, "https://shoes.example", "/v2", 1))
	})
	if _, err := o.OpenAPI(t.Context(), url+"/openapi.json"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("without the header: %v", err)
	}
	o.Reader.Header = http.Header{"X-Key": {"k"}}
	out, err := o.OpenAPI(t.Context(), url+"/openapi.json?token=t")
	if err != nil || out.Definition.BaseURL != url+"/v2" || strings.Contains(out.Definition.Source.URL, "token") {
		t.Errorf("%+v, %v", out.Definition, err)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<20)
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	cases := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"a web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>")
		}, "web page"},
		"a picture": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
		}, "image/png"},
		"without end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 200 {
				if _, err := fmt.Fprint(w, big); err != nil {
					return
				}
			}
		}, "64 MB"},
		"200 MB that say so": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(200<<20))
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done() // nobody waits for them
		}, "200 MB"},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) { // 100 KB on the way, 100 MB when unpacked
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 100 {
				if _, err := z.Write([]byte(big)); err != nil {
					return
				}
			}
			z.Close()
		}, "64 MB"},
		"a PDF": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/pdf")
			fmt.Fprint(w, "%PDF-1.7")
		}, "application/pdf"},
		"a PDF that is called JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "%PDF-1.7")
		}, "not a text"},
		"a page about it that is called JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "\n<!doctype html>")
		}, "web page"},
		"a way round to somewhere private": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://10.0.0.1/openapi.json", http.StatusFound)
		}, "10.0.0.1"},
		"a way round without end": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "302"},
		"silence, a byte at a time": {func(w http.ResponseWriter, r *http.Request) {
			for {
				fmt.Fprint(w, " ")
				w.(http.Flusher).Flush()
				select {
				case <-hang:
					return
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}, "in time"},
		"silence": {func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, "in time"},
		"silence in the middle": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, spec[:20])
			w.(http.Flusher).Flush()
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, "in time"},
		"not found": {http.NotFound, "404"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			o.Reader.Patience = 5 * time.Minute // a bomb takes its time where races are looked for
			if strings.HasPrefix(name, "silence") {
				o.Reader.Patience = 200 * time.Millisecond
			}
			_, err := o.OpenAPI(t.Context(), serve(t, c.handler)+"/x")
			var f *fault.Error
			if !errors.As(err, &f) || !strings.Contains(f.Message, c.want) {
				t.Errorf("error %v, want a fault about %q", err, c.want)
			}
			if c.want != "in time" && c.want != "302" && f != nil && f.Fix == "" {
				t.Errorf("it is not said what to do about %v", err)
			}
		})
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	client, err := outbound.New(outbound.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Reader: Reader{Client: client}, Sink: Nowhere{}}
	for _, place := range []string{serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec) }), "http://169.254.169.254/latest"} {
		_, err := o.OpenAPI(t.Context(), place)
		var f *fault.Error
		if !errors.As(err, &f) || f.Slug != fault.SlugDestinationRefused {
			t.Errorf("%s: %v", place, err)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	o, dir := options(t), t.TempDir()
	large := write(t, dir, "large.json", "")
	if err := os.Truncate(large, 200<<20); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{"/dev/zero": "larger than", large: "200 MB", dir: "--directory", filepath.Join(dir, "none.json"): "no such file"} {
		_, err := o.OpenAPI(t.Context(), place)
		var f *fault.Error
		if !errors.As(err, &f) || !strings.Contains(f.Message+f.Fix, want) {
			t.Errorf("%s: %v, want a fault about %q", place, err, want)
		}
	}
}

func TestAReservedSlugIsRefused(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Reserved = func(slug string) bool { return slug == "shoes" }
	if _, err := o.OpenAPI(t.Context(), write(t, t.TempDir(), "s.json", spec)); err == nil || !strings.Contains(err.Error(), "another toolkit") {
		t.Errorf("error %v", err)
	}
}

func TestGraphQLEndpointsTellTheirSchema(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Slug, o.Auth = "hats", []catalog.DefinedAuth{{Mode: "BEARER_TOKEN"}}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Query string }
		if json.NewDecoder(r.Body).Decode(&body) != nil || !strings.Contains(body.Query, "__schema") || r.URL.Path != "/graphql" {
			http.Error(w, "no introspection", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"data":{"__schema":{"queryType":{"name":"Query"},"types":[{"kind":"OBJECT","name":"Query","fields":[{"name":"hat","args":[],"type":{"kind":"SCALAR","name":"String"}}]}]}}}`)
	})
	out, err := o.GraphQL(t.Context(), url+"/graphql")
	if err != nil || out.Definition.Tools[0].Slug != "HATS_GET_HAT" || out.Definition.BaseURL != url || out.Definition.Tools[0].NoAuth {
		t.Errorf("%+v, %v", out.Definition, err)
	}
}

func TestWaysToConnect(t *testing.T) {
	t.Parallel()
	o, file := options(t), write(t, t.TempDir(), "s.json", strings.Replace(spec, `"https://shoes.example"`, `"https://{shop}.shoes.example","variables":{"shop":{"default":"a"}}`, 1))
	for word, mode := range map[string]string{"bearer": "BEARER_TOKEN", "basic": "BASIC", "header:X-Key": "API_KEY", "query:key": "API_KEY"} {
		auth, err := ParseAuth(word)
		if err != nil {
			t.Fatal(err)
		}
		o.Auth, o.Again = auth, true
		out, err := o.OpenAPI(t.Context(), file)
		if err != nil || len(out.Definition.Auth) != 1 || out.Definition.Auth[0].Mode != mode || slices.ContainsFunc(out.Definition.Tools, func(t catalog.DefinedTool) bool { return t.NoAuth }) {
			t.Errorf("%s: %+v, %v", word, out.Definition, err)
		}
	}
	for _, bad := range []string{"", "token", "header:", "header:X Y", "query:a&b"} {
		if _, err := ParseAuth(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
