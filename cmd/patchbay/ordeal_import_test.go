package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestImportsOutliveKills: "patchbay serve" is killed in the middle of imports: while a description is on its way, and again and
// again while a large one becomes a toolkit. After each kill the toolkit is the one of before or the one of after, whole, and the
// import that was cut off goes on by itself. While a server of descriptions hangs, everything else goes on.
func TestImportsOutliveKills(t *testing.T) {
	t.Parallel()
	w := newOrdealWorld(t, 0)
	asked, answer := make(chan struct{}, 10), make(chan string)
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprint(rw, " ")
		rw.(http.Flusher).Flush()
		asked <- struct{}{}
		select {
		case text := <-answer:
			fmt.Fprint(rw, text)
		case <-r.Context().Done(): // who asked was killed
		}
	}))
	t.Cleanup(slow.Close)

	w.start()
	cutOff := w.postImport(`{"slug":"slow","url":"` + slow.URL + `"}`)
	<-asked
	w.ask("GET", "/toolkits/github", "", &struct{}{}) // others do not wait
	w.ask("POST", "/tool_router/session", `{"user_id":"ada"}`, &struct{}{})
	if i := w.imported(cutOff); i.Status != "running" {
		t.Errorf("while its description is on its way the import is %+v", i)
	}
	w.kill()
	w.start()
	if got := w.toolsOf("slow"); got != 0 {
		t.Errorf("%d tools of a description that nobody has", got)
	}
	<-asked // when the lease has ended, the next process goes on
	answer <- manyOperations("slow", 3)
	if i := w.untilEnded(cutOff); i.Status != "succeeded" || w.toolsOf("slow") != 3 {
		t.Errorf("after the kill: %+v, %d tools", i, w.toolsOf("slow"))
	}

	const before, after = 500, 900
	if i := w.untilEnded(w.postImport(`{"description":` + manyOperations("large", before) + `,"auth":"bearer"}`)); i.Status != "succeeded" {
		t.Fatalf("%+v", i)
	}
	for _, moment := range []time.Duration{0, 30 * time.Millisecond, 120 * time.Millisecond, 400 * time.Millisecond} {
		id := w.postImport(`{"description":` + manyOperations("large", after) + `,"auth":"bearer"}`)
		<-time.After(moment) // a power cut asks nobody how far it is
		w.kill()
		w.start()
		switch got := w.toolsOf("large"); got {
		case before, after:
		default:
			t.Errorf("killed %s after it was posted, the toolkit has %d tools", moment, got)
		}
		w.ask("DELETE", "/custom/toolkits/imports/"+id, "", &struct{}{})
	}
	if i := w.untilEnded(w.postImport(`{"description":` + manyOperations("large", after) + `,"auth":"bearer"}`)); i.Status != "succeeded" || w.toolsOf("large") != after {
		t.Errorf("in the end: %+v, %d tools", i, w.toolsOf("large"))
	}
}

// manyOperations is a description with so many operations, at an address that is nobody's.
func manyOperations(title string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"openapi":"3.0.0","info":{"title":%q},"servers":[{"url":"https://api.example.com"}],"paths":{`, title)
	for i := range n {
		fmt.Fprintf(&b, `"/things%d":{"post":{"operationId":"makeThing%[1]d","requestBody":{"content":{"application/json":{"schema":{"type":"object",`+
			`"properties":{"name":{"type":"string"},"size":{"type":"integer"}}}}}}}},`, i)
	}
	b.WriteString(`"/none":{}}}`)
	return b.String()
}

type importShown struct {
	ID, Status string
	Error      *struct{ Message string }
}

func (i importShown) ended() bool { return i.Status == "succeeded" || i.Status == "failed" }

func (w *ordealWorld) postImport(body string) (id string) {
	w.t.Helper()
	var i importShown
	w.ask("POST", "/custom/toolkits/import", body, &i)
	return i.ID
}

func (w *ordealWorld) imported(id string) importShown {
	w.t.Helper()
	var i importShown
	w.ask("GET", "/custom/toolkits/imports/"+id, "", &i)
	return i
}

// untilEnded asks until an import has succeeded or failed.
func (w *ordealWorld) untilEnded(id string) importShown {
	w.t.Helper()
	for {
		if i := w.imported(id); i.ended() {
			return i
		}
		select {
		case <-w.t.Context().Done():
			w.t.Fatal("the import has not ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// toolsOf counts the tools of a toolkit as they can be listed; 0 for none.
func (w *ordealWorld) toolsOf(toolkit string) int {
	w.t.Helper()
	var list struct {
		Total int `json:"total_items"`
	}
	w.ask("GET", "/tools?toolkit_slug="+toolkit+"&limit=1", "", &list)
	return list.Total
}
