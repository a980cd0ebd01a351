package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/toolkits"
)

func TestGenerationsAreBounded(t *testing.T) {
	t.Parallel()
	var g generations[int, string]
	for i := range 100 {
		g.put(i, "v", 10, 200) // ten fit into a generation
		if kept := len(g.young) + len(g.old); kept > 20 {
			t.Fatalf("%d values of 10 bytes are kept within 200", kept)
		}
	}
	if _, ok := g.get(99); !ok {
		t.Error("the newest value is gone")
	}
	if _, ok := g.get(0); ok {
		t.Error("the oldest value is still there")
	}
	g.put(1000, "huge", 150, 200)
	if _, ok := g.get(1000); ok {
		t.Error("a value larger than a generation was kept")
	}
}

func TestWhatIsUsedStays(t *testing.T) {
	t.Parallel()
	var g generations[int, string]
	g.put(-1, "used", 10, 200)
	for i := range 100 {
		g.put(i, "v", 10, 200)
		if value, ok := g.get(-1); !ok || value != "used" {
			t.Fatalf("gone after %d others", i+1)
		}
	}
}

func TestPreparedToolsKeepOriginsApart(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	id := s.session(t, `{"user_id":"u","preload":{"tools":["ACME_MAKE_THING"]}}`)
	for _, path := range []string{"/tools/ACME_MAKE_THING", "/tools?tool_slugs=ACME_MAKE_THING", "/tool_router/session/" + id + "/tools"} {
		for _, host := range []string{"one.test", "two.test", "one.test"} {
			r := httptest.NewRequest("GET", "/api/v3.1"+path, nil)
			r.Host = host
			r.Header.Set("X-Api-Key", s.key)
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if n := strings.Count(w.Body.String(), `"logo":"http://`+host+`/logos/acme.svg"`); n != 2 || strings.Contains(w.Body.String(), "127.0.0.1") {
				t.Errorf("%s asked at %s has %d logos there: %s", path, host, n, w.Body)
			}
		}
	}
}

// TestEveryShippedToolIsServedAsTheContractSays pages through the toolkits that come with the server; the client of these tests
// holds each page against openapi.json.
func TestEveryShippedToolIsServedAsTheContractSays(t *testing.T) {
	t.Parallel()
	shipped, err := catalog.LoadToolkits(toolkits.FS)
	must(t, err)
	s := newStackOver(t, shipped)
	want := 0
	for _, tk := range shipped {
		want += len(tk.Tools)
		s.get(t, "/toolkits/"+tk.Slug).ok(t, 200)
	}
	got, cursor := 0, ""
	for {
		a := s.get(t, "/tools?limit=200&cursor="+cursor).ok(t, 200)
		got += len(a.slugs(t))
		if a.at(t, "next_cursor") == nil {
			break
		}
		cursor = a.text(t, "next_cursor")
	}
	if got != want || want == 0 {
		t.Errorf("%d tools came, there are %d", got, want)
	}
	s.get(t, "/toolkits?limit=1000").ok(t, 200)
}

// manyTools makes a toolkit with n tools of an ordinary size.
func manyTools(n int) *catalog.Toolkit {
	tk := &catalog.Toolkit{Slug: "big", Name: "Big", Version: "20260101_00", Versions: []string{"20260101_00"}}
	schema := `{"type":"object","properties":{` + strings.Repeat(`"argument_x":{"type":"string","description":"What it is for, in a sentence of some length."},`, 12) + `"last":{"type":"string"}}}`
	for i := range n {
		tk.Tools = append(tk.Tools, &catalog.Tool{
			Slug: fmt.Sprintf("BIG_TOOL_%d", i), Name: "Tool", Description: strings.Repeat("Does something useful. ", 10),
			NoAuth: true, Hints: catalog.Hints{Read: true},
			Held: &catalog.Detail{Input: catalog.Schema{JSON: []byte(schema)}, Output: catalog.Schema{JSON: []byte(schema)}},
		})
	}
	return tk
}

// BenchmarkSessionTools lists 500 preloaded tools; the goal is the cost of writing bytes that are ready, which the second part
// measures in the same run.
func BenchmarkSessionTools(b *testing.B) {
	s := newStackOver(b, []*catalog.Toolkit{manyTools(500)}, quiet)
	id := s.session(b, `{"user_id":"u","toolkits":["big"],"preload":{"tools":"all"},"search":{"enable":false},"execute":{"enable_multi_execute":false},"manage_connections":false}`)
	request := func() *http.Request {
		r := httptest.NewRequest("GET", "/api/v3.1/tool_router/session/"+id+"/tools?limit=500", nil)
		r.Header.Set("X-Api-Key", s.key)
		return r
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, request())
	page := w.Body.Bytes()
	b.Run("list", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			s.handler.ServeHTTP(discard{make(http.Header)}, request())
		}
	})
	b.Run("ready bytes", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			writeJSON(discard{make(http.Header)}, 200, page)
		}
	})
	b.Run("list from the catalog", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			r := httptest.NewRequest("GET", "/api/v3.1/tools?toolkit_slug=big&limit=500", nil)
			r.Header.Set("X-Api-Key", s.key)
			s.handler.ServeHTTP(discard{make(http.Header)}, r)
		}
	})
}

func BenchmarkCreateSession(b *testing.B) {
	s := newStack(b, quiet)
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/v3.1/tool_router/session", strings.NewReader(`{"user_id":"user_7","manage_connections":{"enable":true}}`))
		r.Header.Set("X-Api-Key", s.key)
		s.handler.ServeHTTP(discard{make(http.Header)}, r)
	}
}

func quiet(o *Options) { o.Log = slog.New(slog.DiscardHandler) }

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}

// BenchmarkEdge is what a request costs besides its work: a session that is in memory, answered with its configuration, and a
// refusal.
func BenchmarkEdge(b *testing.B) {
	s := newStack(b, quiet)
	id := s.session(b, `{"user_id":"u"}`)
	for name, path := range map[string]string{"get session": "/tool_router/session/" + id, "not found": "/toolkits/nope"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", "/api/v3.1"+path, nil)
				r.Header.Set("X-Api-Key", s.key)
				s.handler.ServeHTTP(discard{make(http.Header)}, r)
			}
		})
	}
	b.Run("search", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequest("POST", "/api/v3.1/tool_router/session/"+id+"/search", strings.NewReader(`{"queries":[{"use_case":"make a thing"}]}`))
			r.Header.Set("X-Api-Key", s.key)
			s.handler.ServeHTTP(discard{make(http.Header)}, r)
		}
	})
}
