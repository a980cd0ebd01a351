package openapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"unicode/utf8"
)

const head = `{"openapi":"3.0.0","info":{"title":"Hostile","version":"1"},"servers":[{"url":"https://h.example"}],`

func TestHostileTextsAreRefused(t *testing.T) {
	t.Parallel()
	yamlBomb := "openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		yamlBomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	cases := map[string]struct{ text, want string }{
		"nothing":                     {" \n", "empty"},
		"a web page":                  {"<!doctype html><html></html>", "web page"},
		"another JSON value":          {"[1]", "object"},
		"neither JSON nor YAML":       {"{\"openapi\": \"3.0.0\",,}", "neither JSON nor YAML"},
		"a text":                      {"hello", "object"},
		"no version":                  {"{}", "neither which OpenAPI"},
		"a version to come":           {`{"openapi":"4.0.0"}`, "4.0.0"},
		"nested ten thousand deep":    {`{"openapi":"3.0.0","x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}", "nested"},
		"objects ten thousand deep":   {`{"openapi":"3.0.0","x":` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + "}", "nested"},
		"too large":                   {strings.Repeat(" ", MaxSize+1), "at most"},
		"too much YAML":               {"openapi: 3.0.0\n" + strings.Repeat("#", maxYAMLSize), "YAML"},
		"YAML of nothing but values":  {"openapi: 3.0.0\nx: [" + strings.Repeat("a,", maxYAMLMarks) + "]\n", "values"},
		"a PDF":                       {"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "not a text"},
		"an archive":                  {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "not a text"},
		"members without end":         {"{" + numbered(maxMembers, `"%d":1,`) + `"openapi":"3.0.0"}`, "members at its root"},
		"anchors that unfold":         {yamlBomb, "anchors"},
		"an anchor within itself":     {"openapi: 3.0.0\na: &a {b: *a}\n", "a"},
		"more operations than exists": {head + `"paths":{` + strings.Repeat(`"/a":{"get":{}},`, maxOperations+1) + `"/b":{}}}`, "operations"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Import(t.Context(), []byte(c.text), Options{})
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || !strings.Contains(f.Message, c.want) {
				t.Errorf("error %v, want a fault about %q", err, c.want)
			}
		})
	}
}

// bomb is a description whose one schema refers to the next ten times, and so on: unfolded it has 10^levels members.
func bomb(levels int, word string) string {
	var b strings.Builder
	b.WriteString(head + `"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/S0"}}}}}}},"components":{"schemas":{`)
	for i := range levels {
		fmt.Fprintf(&b, `"S%d":{"type":"object",%s},`, i, fmt.Sprintf(word, i+1, i+1, i+1, i+1, i+1, i+1, i+1, i+1))
	}
	fmt.Fprintf(&b, `"S%d":{"type":"object","properties":{"end":{"type":"string"}}}}}}`, levels)
	return b.String()
}

func ref(format string) string {
	return strings.ReplaceAll(format, "@", `{"$ref":"#/components/schemas/S%d"}`)
}

func TestReferencesThatUnfoldWithoutEndStaySmall(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"members":  bomb(40, ref(`"properties":{"a":@,"b":@,"c":@,"d":@,"e":@,"f":@,"g":@,"h":@}`)),
		"required": bomb(40, ref(`"required":["a","b","c","d","e","f","g","h"],"properties":{"a":@,"b":@,"c":@,"d":@,"e":@,"f":@,"g":@,"h":@}`)),
		"allOf":    bomb(40, ref(`"allOf":[@,@,@,@,@,@,@,@]`)),
		"unions":   bomb(40, ref(`"anyOf":[@,@,@,@,@,@,@,@]`)),
		"themselves": head + `"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}},` +
			`"components":{"schemas":{"A":{"allOf":[{"$ref":"#/components/schemas/B"}],"properties":{"a":{"$ref":"#/components/schemas/A"}}},"B":{"$ref":"#/components/schemas/C"},"C":{"$ref":"#/components/schemas/B"}}}}`,
		"paths": head + `"paths":{"/x":{"$ref":"#/paths/~1y"},"/y":{"$ref":"#/paths/~1x"},"/z":{"get":{"parameters":[{"$ref":"#/paths/~1z/get/parameters/0"}]}}}}`,
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := importText(t, text, Options{})
			for _, tool := range d.Tools {
				if len(tool.Input) > 64<<10 {
					t.Errorf("%s: a schema of %d bytes", tool.Slug, len(tool.Input))
				}
			}
		})
	}
}

func TestMemoryIsBoundedByTheText(t *testing.T) { // not parallel: it watches the heap
	var b strings.Builder
	b.WriteString(head + `"paths":{`)
	for i := range 3_000 {
		fmt.Fprintf(&b, `"/x%d":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Big"}}}},"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Big"}}}}}}},`, i)
	}
	b.WriteString(`"/y":{}},"components":{"schemas":{"Big":{"type":"object","properties":{`)
	for i := range 8_000 {
		fmt.Fprintf(&b, `"member%d":{"type":"object","description":"%s","properties":{"x":{"$ref":"#/components/schemas/Big"}}},`, i, strings.Repeat("word ", 10))
	}
	b.WriteString(`"end":{"type":"string"}}}}}}`)
	text := b.String()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, _, err := Import(t.Context(), []byte(text), Options{Filter: Filter{Paths: []string{"/x10*"}}})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.HeapSys - before.HeapSys; grown > 400<<20 {
		t.Errorf("%d tools of %d KB took %d MB", len(d.Tools), len(text)>>10, grown>>20)
	}
}

// Names of a megabyte, names by the thousand that are the same, and parameters without end cost a short time and no memory.
func TestNamesWithoutMeasure(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("aB/", 300_000)
	for name, c := range map[string]struct {
		text  string
		tools int
		said  string
	}{
		"an id of a megabyte":     {head + `"paths":{"/x":{"get":{"operationId":"` + long + `","tags":["` + long + `"],"summary":"` + long + `"}}}}`, 1, ""},
		"a path of a megabyte":    {head + `"paths":{"/` + long + `":{"get":{"operationId":"` + long + `"}}}}`, 0, "its path has"},
		"placeholders":            {head + `"paths":{"/` + strings.Repeat("{a}", 100_000) + `":{"get":{}}}}`, 0, "its path has"},
		"the same id":             {head + `"paths":{` + numbered(5_000, `"/v%d/x":{"get":{"operationId":"getThing"}},`) + `"/y":{}}}`, 5_000, ""},
		"parameters":              {head + `"paths":{"/x":{"get":{"parameters":[` + numbered(5_000, `{"name":"p%d","in":"query"},`) + `{}]}}}}`, 1, "too many"},
		"required members":        {head + `"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"required":[` + numbered(3_000, `"$%d",`) + `""],"properties":{` + numbered(3_000, `"$%d":{},`) + `"z":{}}}}}}}}}}`, 1, ""},
		"parts of allOf":          {head + `"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"allOf":[` + numbered(20_000, `{"properties":{"p%d":{}}},`) + `{}]}}}}}}}}`, 1, ""},
		"branches":                {head + `"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"anyOf":[` + numbered(20_000, `{"properties":{"p%d":{}}},`) + `{}]}}}}}}}}`, 1, ""},
		"servers":                 {`{"openapi":"3.0.0","servers":[` + strings.Repeat(`{"url":"https://{a}.{b}.{c}.x"},`, 50_000) + `{}],"paths":{"/x":{"get":{}}}}`, 1, ""},
		"variables of a server":   {`{"openapi":"3.0.0","servers":[{"url":"https://` + strings.Repeat("{a}", 50_000) + `.x"}],"paths":{"/x":{"get":{}}}}`, 1, "base URL"},
		"an operation, and again": {head + `"paths":{` + strings.Repeat(`"/x":{"get":{}},`, 20_000) + `"/y":{}}}`, 1, "described twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, r := importText(t, c.text, Options{Slug: "h"})
			slugs, size := map[string]bool{}, 0
			for _, tool := range d.Tools {
				slugs[tool.Slug] = true
				size += len(tool.Input) + len(tool.Group) + len(tool.Name) + len(tool.Description)
				if len(tool.Slug) > 64 {
					t.Errorf("the slug %s", tool.Slug)
				}
			}
			said := strings.Join(r.Notes, "\n")
			for _, l := range r.LeftOut {
				said += l.Reason
				if len(l.Path)+len(l.OperationID) > 500 {
					t.Errorf("the report repeats a name of %d bytes", len(l.Path)+len(l.OperationID))
				}
			}
			if len(slugs) != c.tools || len(d.Tools) != c.tools || size > 200<<10+c.tools*2_000 || !strings.Contains(said, c.said) {
				t.Errorf("%d tools of %d KB; it is said: %.300s", len(d.Tools), size>>10, said)
			}
		})
	}
}

// What nobody sees must not reach a model, a log or a header: characters that turn text round, tags, control characters.
func TestCharactersThatNobodySees(t *testing.T) {
	t.Parallel()
	const hidden = `\u202e\u0000\u200b\udb40\udc49\u2066\ud800\r\nX-Evil: 1`
	d, r := importText(t, `{"openapi":"3.0.0","info":{"title":"Shop`+hidden+`","description":"`+hidden+`"},"servers":[{"url":"https://h.example`+hidden+`"},{"url":"https://h.example"}],
		"paths":{"/x`+hidden+`":{"get":{"operationId":"unseen"}},
		"/y":{"get":{"operationId":"read`+hidden+`","summary":"Reads`+hidden+`","description":"`+hidden+`","tags":["t`+hidden+`"],
			"parameters":[{"name":"h`+hidden+`","in":"header"},{"name":"q`+hidden+`","in":"query"},{"name":"ok","in":"query","description":"Is`+hidden+`"}]}}},
		"components":{"securitySchemes":{"k`+hidden+`":{"type":"apiKey","in":"header","name":"X`+hidden+`"}}}}`, Options{})
	if len(d.Tools) != 1 || len(r.LeftOut) != 1 || !strings.Contains(strings.Join(r.Notes, "\n"), "cannot be seen") || d.BaseURL != "https://h.example" {
		t.Fatalf("%d tools at %q, report %+v", len(d.Tools), d.BaseURL, r)
	}
	d.Source.Hash = ""
	for what, v := range map[string]any{"toolkit": d, "report": r} {
		said, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []string{"\u202e", "\u200b", "\U000e0049", "\u2066", `\u0000`, `\r`, "\ufffd"} {
			if strings.Contains(string(said), c) {
				t.Errorf("%q is in the %s: %s", c, what, said)
			}
		}
	}
}

func TestImportStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var paths strings.Builder
	for i := range 500 {
		fmt.Fprintf(&paths, `"/a%d":{"get":{}},`, i)
	}
	_, _, err := Import(ctx, []byte(head+`"paths":{`+paths.String()+`"/b":{}}}`), Options{Progress: func(done, total int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPrivateServersAreNoted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://localhost:80", "https://10.1.2.3/v1", "https://[::1]/", "http://169.254.169.254/latest", "https://db.internal"} {
		_, r := importText(t, `{"openapi":"3.0.0","info":{"title":"X","version":"1"},"servers":[{"url":"`+url+`"}],"paths":{}}`, Options{})
		if !strings.Contains(strings.Join(r.Notes, "\n"), "private address") {
			t.Errorf("%s: notes %q", url, r.Notes)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(head + `"paths":{"/a/{b}":{"get":{"parameters":[{"name":"b","in":"path"}]}}}}`))
	f.Add([]byte("swagger: '2.0'\npaths: {/x: {post: {parameters: [{in: body, schema: {$ref: '#'}}]}}}"))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/":{"get":{"responses":{"200":{"content":{"x":{"schema":true}}}}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _, err := Import(t.Context(), text, Options{})
		if err != nil {
			return
		}
		if _, err := d.Toolkit(); err != nil && len(d.Tools) > 0 && d.BaseURL == "" {
			t.Errorf("cannot be built: %v", err)
		}
	})
}

func TestWorkOnSchemasIsBounded(t *testing.T) {
	t.Parallel()
	raw, err := toJSON([]byte(bomb(3, ref(`"properties":{"a":@,"b":@,"c":@,"d":@,"e":@,"f":@,"g":@,"h":@}`))))
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	d.work = maxWork
	w := &schemaWriter{doc: d, budget: requestNodes, depth: requestDepth, foreign: r}
	if out := w.write(node{"$ref": "#/components/schemas/S0"}); out["type"] != "object" || out["properties"] != nil || len(r.Notes) == 0 {
		t.Errorf("schema %v, notes %q", out, r.Notes)
	}
}

// References to files and to addresses are never followed, whatever stands there; what is under them is not checked.
func TestReferencesLeadNowhereOutside(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	t.Cleanup(server.Close)
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`{"type":"object","properties":{"stolen":{"type":"string"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"file://" + secret, secret, "../../etc/passwd", server.URL + "/schema.json", "other.yaml#/S", "#/components/schemas/None", "#/%zz", "#"} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			to := strings.ReplaceAll(to, `\`, `/`)
			d, r := importText(t, head+`"paths":{"/x":{"post":{"operationId":"x","requestBody":{"content":{"application/json":{"schema":
				{"type":"object","properties":{"a":{"$ref":"`+to+`"}}}}}}}},"/y":{"$ref":"`+to+`"}}}`, Options{})
			if len(d.Tools) != 1 || strings.Contains(string(d.Tools[0].Input), "stolen") {
				t.Errorf("tools %+v", d.Tools)
			}
			if to != "#" && len(r.Notes) == 0 {
				t.Error("nobody is told")
			}
		})
	}
	t.Cleanup(func() {
		select {
		case path := <-asked:
			t.Errorf("%s was asked for", path)
		default:
		}
	})
}

// What is wrong in one place costs that place.
func TestSloppyTextIsTakenAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	const path = `"/x":{"get":{"operationId":"readThing","summary":"Reads x","responses":{"200":{"description":"ok"}}}}`
	for name, text := range map[string]string{
		"a path twice":             head + `"paths":{` + path + `,` + path + `}}`,
		"paths twice":              head + `"paths":{},"paths":{` + path + `}}`,
		"bytes that are not UTF-8": head + `"paths":{"/x":{"get":{"operationId":"readThing","summary":"Reads ` + "\xff\xfe\xc0" + `","responses":{"200":{"description":"ok"}}}}}}`,
		"half a surrogate pair":    head + `"paths":{"/x":{"get":{"operationId":"readThing","summary":"Reads \ud800","responses":{"200":{"description":"ok"}}}}}}`,
		"a null character":         head + `"paths":{"/x":{"get":{"operationId":"readThing","summary":"Reads \u0000","responses":{"200":{"description":"ok"}}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := importText(t, text, Options{Slug: "h"})
			slugs := map[string]bool{}
			for _, tool := range d.Tools {
				if slugs[tool.Slug] {
					t.Errorf("%s is there twice", tool.Slug)
				}
				slugs[tool.Slug] = true
				if !utf8.ValidString(tool.Description) || strings.ContainsRune(tool.Description, 0) {
					t.Errorf("description %q", tool.Description)
				}
			}
			if !slugs["H_READ_THING"] || len(slugs) != 1 {
				t.Errorf("tools %v", slugs)
			}
		})
	}
}

// YAML in block style is read by another reader than JSON; its depth is bounded as well.
func TestYAMLThatIsNestedWithoutEnd(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\n")
	for depth := range 3_000 {
		b.WriteString(strings.Repeat(" ", depth) + "a:\n")
	}
	for name, text := range map[string]string{
		"block style":         b.String(),
		"flow style":          "openapi: 3.0.0\na: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"lists in one line":   "openapi: 3.0.0\na:\n  " + strings.Repeat("- ", 20_000) + "x\n",
		"anchors of anchors":  "openapi: 3.0.0\na0: &a0 {x: y}\n" + chained(2_000),
		"keys that are lists": "openapi: 3.0.0\n? [a, b]\n: c\n? {a: b}\n: d\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d, _, err := Import(t.Context(), []byte(text), Options{}); err == nil && len(d.Tools) > 0 {
				t.Errorf("tools were made of it: %d", len(d.Tools))
			}
		})
	}
}

// chained are anchors each of which holds the one before twice.
func chained(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: &a%d {x: *a%d, y: *a%d}\n", i+1, i+1, i, i)
	}
	return b.String()
}
