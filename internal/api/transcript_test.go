package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// transcript records requests and answers, and compares them with a golden file. Random ids are numbered in the order in
// which they turn up, so that the same id has the same number all through.
type transcript struct {
	stack *stack
	text  strings.Builder
	ids   map[string]string
}

func newTranscript(s *stack) *transcript { return &transcript{stack: s, ids: make(map[string]string)} }

// do sends a request and writes it down with its answer.
func (tr *transcript) do(t testing.TB, method, path, body string) answer {
	t.Helper()
	a := tr.stack.do(t, request{method: method, path: "/api/v3.1" + path, body: body})
	fmt.Fprintf(&tr.text, "%s %s\n", method, path)
	if body != "" {
		tr.text.WriteString(indented(t, []byte(body)))
	}
	fmt.Fprintf(&tr.text, "\n%d\n%s\n", a.status, indented(t, a.body))
	return a
}

func indented(t testing.TB, raw []byte) string {
	t.Helper()
	var out bytes.Buffer
	must(t, json.Indent(&out, bytes.TrimSpace(raw), "", "  "))
	return out.String() + "\n"
}

var (
	randomID = regexp.MustCompile(`\b(trs|pst|ac|ca|lt|ln|log|req|wf|key|pr|ws|msg)_[A-Za-z0-9_-]{12,}`)
	uuid     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	wordID   = regexp.MustCompile(`"word_id": "[a-z0-9]+_[a-z]+-[a-z0-9-]+"`)
	cursors  = regexp.MustCompile(`"next_cursor": "[^"]+"`)
	prompt   = regexp.MustCompile(`"assistive_prompt": "[^\n]+"`) // its words are package session's
	loopback = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
)

// check compares the transcript with testdata/transcripts/<name>.txt.
func (tr *transcript) check(t *testing.T, name string) {
	t.Helper()
	got := randomID.ReplaceAllStringFunc(tr.text.String(), func(id string) string {
		if _, seen := tr.ids[id]; !seen {
			prefix, _, _ := strings.Cut(id, "_")
			tr.ids[id] = fmt.Sprintf("%s_%d", prefix, len(tr.ids)+1)
		}
		return tr.ids[id]
	})
	got = uuid.ReplaceAllString(got, "00000000-0000-0000-0000-000000000000")
	got = wordID.ReplaceAllString(got, `"word_id": "acme_word-id"`)
	got = cursors.ReplaceAllString(got, `"next_cursor": "(opaque)"`)
	got = prompt.ReplaceAllString(got, `"assistive_prompt": "(text)"`)
	got = loopback.ReplaceAllString(got, "https://api.acme.test")
	golden := filepath.Join("testdata", "transcripts", name+".txt")
	if *update {
		must(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		must(t, os.WriteFile(golden, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update if that is right:\n%s", golden, diff)
	}
}
