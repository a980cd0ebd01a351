package mcpserver

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/session"
)

func manyTools(n int) []session.ToolSpec {
	tools := make([]session.ToolSpec, n)
	for i := range tools {
		tools[i] = session.ToolSpec{
			Slug: fmt.Sprintf("APP_TOOL_%04d", n-i), Name: fmt.Sprintf("Tool %d", i), Description: strings.Repeat("Does something useful. ", 8),
			Input: json.RawMessage(`{"type":"object","properties":{"title":{"type":"string","description":"One line."},"body":{"type":"string"},"labels":{"type":"array","items":{"type":"string"}}},"required":["title"]}`),
		}
	}
	return tools
}

func TestPagesHoldEachToolOnceInOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, pageSize, pageSize + 1, 2*pageSize + 5} {
		tools, seen, cursor := manyTools(n), []session.ToolSpec(nil), ""
		for pages := 0; ; pages++ {
			page, next, ok := pageOf(tools, cursor)
			if !ok || pages > n/pageSize+1 {
				t.Fatalf("%d tools: page %d with cursor %q", n, pages, cursor)
			}
			seen = append(seen, page...)
			if cursor = next; cursor == "" {
				break
			}
		}
		if len(seen) != n {
			t.Fatalf("%d tools: %d seen", n, len(seen))
		}
		for i := range seen {
			if seen[i].Slug != tools[i].Slug {
				t.Fatalf("%d tools: %s stands at %d, want %s", n, seen[i].Slug, i, tools[i].Slug)
			}
		}
	}
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	tools := manyTools(pageSize + 1)
	_, next, _ := pageOf(tools, "")
	if _, _, ok := pageOf(tools[:5], next); ok {
		t.Error("a cursor is good for a list without its tool")
	}
	if _, _, ok := pageOf(tools, "###"); ok {
		t.Error("anything is good for a cursor")
	}
}

func TestListsAreRenderedOnce(t *testing.T) {
	t.Parallel()
	var c listCache
	view := fakeView{manyTools(3), "rules"}
	first, ok := c.page(view, "")
	again, ok2 := c.page(fakeView{nil, "rules"}, "") // by its key alone
	if !ok || !ok2 || &first[0] != &again[0] {
		t.Error("the same rules are rendered twice")
	}
	other, _ := c.page(fakeView{manyTools(2), "other rules"}, "")
	if string(other) == string(first) {
		t.Error("other rules give the same list")
	}
}

func TestListCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c listCache
	page := make([]byte, listsBytes/8)
	for i := range 100 {
		c.put(listKey{tools: fmt.Sprint(i)}, page)
	}
	if held := (len(c.young) + len(c.old)) * len(page); held > listsBytes {
		t.Errorf("holds %d bytes, want at most %d", held, listsBytes)
	}
	if _, ok := c.get(listKey{tools: "99"}); !ok {
		t.Error("forgot the newest")
	}
}

func BenchmarkList500(b *testing.B) {
	f := newFakeSessions()
	f.tools["trs_alice"] = manyTools(500)
	benchmark(b, f, sent{body: listBody})
}

func BenchmarkCall(b *testing.B) {
	benchmark(b, newFakeSessions(), sent{body: oldCall("TEST_ECHO", `,"arguments":{"title":"x"}`)})
}

func BenchmarkCallStateless(b *testing.B) {
	benchmark(b, newFakeSessions(), sent{body: newCall("TEST_ECHO", `,"arguments":{"title":"x"}`), era: stateless})
}

func BenchmarkCallBySDK(b *testing.B) {
	benchmark(b, newFakeSessions(), sent{body: newCall("TEST_ECHO", `,"arguments":{"title":"x"},"unknown":1`), era: stateless})
}

// benchmark measures the whole of this edge, without a network.
func benchmark(b *testing.B, f *fakeSessions, s sent) {
	b.Helper()
	h := newTestHandler(b, f)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, s.request())
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
