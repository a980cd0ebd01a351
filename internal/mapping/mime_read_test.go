package mapping

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMail(t *testing.T) {
	t.Parallel()
	data := func(s string) map[string]any {
		return map[string]any{"data": base64.URLEncoding.EncodeToString([]byte(s)), "size": len(s)}
	}
	header := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	payload := map[string]any{
		"mimeType": "multipart/mixed",
		"headers": []any{
			header("Subject", "=?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?q?_f=FCr?="), header("From", "=?utf-8?q?Zo=C3=AB?= <zoe@example.com>"),
			header("Received", "first"), header("received", "second"), header("X-Odd", "=?no-such-charset?q?x?="),
		},
		"parts": []any{
			map[string]any{"mimeType": "multipart/alternative", "parts": []any{
				map[string]any{"mimeType": "text/plain", "headers": []any{header("Content-Type", "text/plain; charset=iso-8859-1")}, "body": data("Gr\xfc\xdfe")},
				map[string]any{"mimeType": "text/html", "body": data("<p>Grüße</p>")},
			}},
			map[string]any{"mimeType": "text/plain", "filename": "notes.txt", "body": map[string]any{"attachmentId": "A1", "size": 12}},
			map[string]any{"mimeType": "text/plain", "body": data("-- \nlist footer")},
		},
	}
	env := &Env{Body: map[string]any{"payload": payload}}
	for source, want := range map[string]any{
		`mime_headers(body.payload.headers)`: map[string]any{
			"subject": "Grüße für", "from": "Zoë <zoe@example.com>", "received": "first", "x-odd": "=?no-such-charset?q?x?=",
		},
		`mime_text(body.payload)`:               "Grüße\n-- \nlist footer",
		`mime_html(body.payload)`:               "<p>Grüße</p>",
		`mime_html(body.absent)`:                nil,
		`mime_headers(body.absent)`:             map[string]any{},
		`mime_attachments(body.payload)`:        []any{map[string]any{"filename": "notes.txt", "mimeType": "text/plain", "attachmentId": "A1", "size": 12}},
		`mail_address("Zoë <zoe@example.com>")`: "zoe@example.com",
		`mail_address("nobody")`:                nil,
		`mail_list("a@example.com, \"B, C\" <b@example.com>")`: []any{
			map[string]any{"name": "", "address": "a@example.com"}, map[string]any{"name": "B, C", "address": "b@example.com"},
		},
		`mail_list("broken, a@example.com")`: []any{map[string]any{"name": "", "address": "a@example.com"}},
		`mail_list(body.absent)`:             []any{},
	} {
		e, err := CompileExpr(source, Scope{Answer: true}, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Eval(env)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// A message that is nested without end must not exhaust the stack.
func TestReadDeepMail(t *testing.T) {
	t.Parallel()
	var part any = map[string]any{"mimeType": "text/plain", "body": map[string]any{"data": "eA"}}
	for range 10_000 {
		part = map[string]any{"mimeType": "multipart/mixed", "parts": []any{part}}
	}
	if got, err := mimeText(part); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestHTMLText(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"plain text":                        "plain text",
		"a &lt; b &amp;&#x27;c&#x27;":       "a < b &'c'",
		"one<p>two<p>three":                 "one\n\ntwo\n\nthree",
		"<p>one</p>\n\n<p>two<br>lines</p>": "one\n\ntwo\nlines",
		"<style>p{color:red}</style><script>alert(1)</script>x<title>t</title>":      "x",
		"<ul><li>a</li><li>b</li></ul>":                                              "- a\n- b",
		`see <a href="https://x.example/long">this</a>.`:                             "see this (https://x.example/long).",
		`<a href="https://x.example/a/very/long/path">https://x.example/a/ve...</a>`: "https://x.example/a/very/long/path",
		`<a href="https://x.example/">https://x.example/</a>`:                        "https://x.example/",
		`<a href="#top">top</a>`:                                                     "top",
		"<pre><code>if a {\n  b()\n}</code></pre>":                                   "if a {\n  b()\n}",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>":            "a b\nc",
		"bro<b>ken <i>mark":                   "broken mark",
		"<div>a</div><div><div>b</div></div>": "a\nb",
		`<img alt="logo" src="x">`:            "logo",
	} {
		if got := HTMLText(source); got != want {
			t.Errorf("HTMLText(%q) = %q, want %q", source, got, want)
		}
	}
	if got := HTMLText(strings.Repeat("<div>", 100_000) + "x"); got != "x" {
		t.Errorf("deep markup gave %d bytes", len(got))
	}
}

func TestTreesAndTimes(t *testing.T) {
	t.Parallel()
	env := &Env{Body: map[string]any{
		"tree": map[string]any{"text": "<p>root", "kids": []any{
			map[string]any{"text": "a", "kids": []any{map[string]any{"text": "a1", "kids": []any{}}}},
			map[string]any{"text": "b"}, map[string]any{"text": "c"},
		}},
		"busy": []any{
			map[string]any{"start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z"},
			map[string]any{"start": "2026-11-22T09:30:00Z", "end": "2026-11-22T10:15:00Z"},
			map[string]any{"start": "2026-11-22T16:30:00Z", "end": "2026-11-22T18:00:00Z"},
		},
	}}
	for source, want := range map[string]any{
		`prune(body.tree, "kids", 1, 2)`: map[string]any{"text": "<p>root", "kids_omitted": 1, "kids": []any{
			map[string]any{"text": "a", "kids": []any{}, "kids_omitted": 1}, map[string]any{"text": "b"},
		}},
		`html_members(prune(body.tree, "kids", 0, 9), "text", 3)`: map[string]any{"text": "roo…", "kids": []any{}, "kids_omitted": 3},
		`gaps(body.busy, "2026-11-22T09:00:00Z", "2026-11-22T17:00:00Z")`: []any{
			map[string]any{"start": "2026-11-22T09:00:00Z", "end": "2026-11-22T09:30:00Z"},
			map[string]any{"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T16:30:00Z"},
		},
		`gaps(nil, "2026-11-22", time("2026-11-23", "UTC"))`:               []any{map[string]any{"start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"}},
		`gaps(body.busy, "2026-11-22T10:00:00Z", "2026-11-22T10:30:00Z")`:  []any{},
		`format(time("2026-07-01T09:00", "America/New_York"), "datetime")`: "2026-07-01T09:00:00-04:00",
		`format("2026-07-01", "Monday")`:                                   "Wednesday",
		`format(body.absent, "date")`:                                      nil,
		`unix(body.absent)`:                                                nil,
	} {
		e, err := CompileExpr(source, Scope{Answer: true}, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Eval(env)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}
