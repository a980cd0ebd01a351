package mapping

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func message(t *testing.T, object map[string]any) string {
	t.Helper()
	v, err := mimeMessage(object)
	if err != nil {
		t.Fatal(err)
	}
	raw := v.(string)
	checkLines(t, raw)
	return raw
}

// checkLines holds a message against RFC 5322 section 2.1.1: CRLF line ends, 7-bit characters, and lines of at most 998
// characters; those of headers at most 78 unless a single word is longer.
func checkLines(t *testing.T, raw string) {
	t.Helper()
	for _, c := range []byte(raw) {
		if c >= 0x80 {
			t.Fatalf("the message is not 7-bit:\n%s", raw)
		}
	}
	if strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\r") {
		t.Fatalf("a line end is not CRLF: %q", raw)
	}
	header, _, _ := strings.Cut(raw, "\r\n\r\n")
	for _, line := range strings.Split(raw, "\r\n") {
		if len(line) > 998 {
			t.Fatalf("a line has %d characters", len(line))
		}
		if strings.Contains(header, line) && len(line) > 78 && strings.Count(strings.TrimSpace(line), " ") > 1 {
			t.Errorf("header line of %d characters: %q", len(line), line)
		}
	}
}

func parse(t *testing.T, raw string) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	return m
}

// part is a decoded part of a message, for comparison.
type part struct {
	Type     string
	Name     string
	Body     string
	Parts    []part
	Encoding string
}

func readPart(t *testing.T, header textproto.MIMEHeader, body io.Reader) part {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	p := part{Type: mediaType, Encoding: header.Get("Content-Transfer-Encoding")}
	if _, disposition, err := mime.ParseMediaType(header.Get("Content-Disposition")); err == nil {
		p.Name = disposition["filename"]
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			inner, err := r.NextRawPart()
			if err == io.EOF {
				return p
			}
			if err != nil {
				t.Fatal(err)
			}
			p.Parts = append(p.Parts, readPart(t, inner.Header, inner))
		}
	}
	switch p.Encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	p.Body = strings.ReplaceAll(string(data), "\r\n", "\n")
	return p
}

func content(t *testing.T, raw string) part {
	t.Helper()
	m := parse(t, raw)
	return readPart(t, textproto.MIMEHeader(m.Header), m.Body)
}

func TestMIMEMessageHeaders(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Quartalsbericht über Öl und Äpfel – ", 12)
	raw := message(t, map[string]any{
		"from":        "Zoë Müller <zoe@example.com>",
		"to":          []any{"bob@example.com", "山田太郎 <taro@example.jp>", map[string]any{"name": `O'Neil, "Ann"`, "address": "ann@example.com"}},
		"cc":          "a@example.com, B Person <b@example.com>",
		"bcc":         "secret@example.com",
		"reply_to":    "team@bücher.example",
		"subject":     long,
		"date":        "2026-11-22T10:30:00+01:00",
		"in_reply_to": "abc@mail.example.com",
		"references":  "<one@example.com> two@example.com",
		"headers":     map[string]any{"X-Campaign": "été\r\nBcc: victim@example.com", "List-Unsubscribe": "<https://example.com/u>"},
		"text":        "Hello",
	})
	m := parse(t, raw)
	addresses := func(header string) []string {
		list, err := (&mail.AddressParser{}).ParseList(m.Header.Get(header))
		if err != nil {
			t.Fatalf("%s: %v (%q)", header, err, m.Header.Get(header))
		}
		var out []string
		for _, a := range list {
			out = append(out, a.Name+"|"+a.Address)
		}
		return out
	}
	for header, want := range map[string][]string{
		"From":     {"Zoë Müller|zoe@example.com"},
		"To":       {"|bob@example.com", "山田太郎|taro@example.jp", `O'Neil, "Ann"|ann@example.com`},
		"Cc":       {"|a@example.com", "B Person|b@example.com"},
		"Bcc":      {"|secret@example.com"},
		"Reply-To": {"|team@xn--bcher-kva.example"},
	} {
		if diff := cmp.Diff(want, addresses(header)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", header, diff)
		}
	}
	decoder := mime.WordDecoder{}
	texts := map[string]string{
		"Subject": strings.TrimSpace(long), "X-Campaign": "été  Bcc: victim@example.com",
		"List-Unsubscribe": "<https://example.com/u>", "Date": "Sun, 22 Nov 2026 10:30:00 +0100",
		"In-Reply-To": "<abc@mail.example.com>", "References": "<one@example.com> <two@example.com>", "Mime-Version": "1.0",
	}
	for header, want := range texts {
		got, err := decoder.DecodeHeader(m.Header.Get(header))
		if err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", header, got, err, want)
		}
	}
	if strings.Contains(raw, "\r\nBcc: victim") {
		t.Error("a header value added a header")
	}
}

func TestMIMEMessageSubjects(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{
		"Plain", "Grüße aus Köln", "日本語の件名です。長い件名もきちんと折り返されます。" + strings.Repeat("件名", 40), "🎉🎉🎉" + strings.Repeat("🎉", 60),
		"=?utf-8?q?not_encoded?=", strings.Repeat("word ", 60) + "end", strings.Repeat("x", 2000), "a: b", "עברית", "x\u0000y",
	} {
		m := parse(t, message(t, map[string]any{"subject": subject, "text": "x"}))
		got, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
		if want := strings.ReplaceAll(subject, "\u0000", ""); err != nil || got != want {
			t.Errorf("subject = %q, %v, want %q", got, err, want)
		}
	}
}

func TestMIMEMessageBodies(t *testing.T) {
	t.Parallel()
	german := "Schöne Grüße,\n\nAnna = 100 %.\n.\nEin Punkt." + strings.Repeat(" Und noch ein langer Satz.", 10) + "\ntrailing blanks  \n"
	japanese := strings.Repeat("こんにちは。\n", 20)
	tests := []struct {
		name   string
		object map[string]any
		want   part
	}{
		{"plain", map[string]any{"text": "Hi\nthere\r\n"}, part{Type: "text/plain", Body: "Hi\nthere\n", Encoding: "7bit"}},
		{"nothing", map[string]any{}, part{Type: "text/plain", Encoding: "7bit"}},
		{"body", map[string]any{"body": "Hi", "is_html": false}, part{Type: "text/plain", Body: "Hi", Encoding: "7bit"}},
		{"german", map[string]any{"text": german}, part{Type: "text/plain", Body: german, Encoding: "quoted-printable"}},
		{"japanese", map[string]any{"text": japanese}, part{Type: "text/plain", Body: japanese, Encoding: "base64"}},
		{"long line", map[string]any{"text": strings.Repeat("x", 3000)}, part{Type: "text/plain", Body: strings.Repeat("x", 3000), Encoding: "quoted-printable"}},
		{"html", map[string]any{"body": "<p>Grüße,<br>Anna</p>", "is_html": true}, part{Type: "multipart/alternative", Parts: []part{
			{Type: "text/plain", Body: "Grüße,\nAnna", Encoding: "base64"},
			{Type: "text/html", Body: "<p>Grüße,<br>Anna</p>", Encoding: "base64"},
		}}},
		{"both", map[string]any{"text": "T", "html": "<b>H</b>"}, part{Type: "multipart/alternative", Parts: []part{
			{Type: "text/plain", Body: "T", Encoding: "7bit"},
			{Type: "text/html", Body: "<b>H</b>", Encoding: "7bit"},
		}}},
		{"attachments", map[string]any{"text": "T", "html": "<b>H</b>", "attachments": []any{
			File{Name: "Bericht für März.pdf", MIMEType: "application/pdf", Data: bytes.Repeat([]byte{0, 255, 10, 13}, 100)},
			map[string]any{"name": `C:\dir\..\a";b.txt`, "mimetype": "text/plain; charset=utf-8", "data": "w6TDtg"},
			map[string]any{"name": "mail.eml", "mimetype": "message/rfc822", "data": ""},
			map[string]any{"name": "x\r\nEvil: 1", "mimetype": "bad type\r\nEvil: 1", "data": "eA=="},
			nil,
		}}, part{Type: "multipart/mixed", Parts: []part{
			{Type: "multipart/alternative", Parts: []part{{Type: "text/plain", Body: "T", Encoding: "7bit"}, {Type: "text/html", Body: "<b>H</b>", Encoding: "7bit"}}},
			{Type: "application/pdf", Name: "Bericht für März.pdf", Encoding: "base64", Body: strings.ReplaceAll(strings.Repeat("\x00\xff\n\r", 100), "\r\n", "\n")},
			{Type: "text/plain", Name: `a";b.txt`, Encoding: "base64", Body: "äö"},
			{Type: "application/octet-stream", Name: "mail.eml", Encoding: "base64"},
			{Type: "application/octet-stream", Name: "x  Evil: 1", Encoding: "base64", Body: "x"},
		}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			raw := message(t, test.object)
			if diff := cmp.Diff(test.want, content(t, raw)); diff != "" {
				t.Errorf("content (-want +got):\n%s\n%s", diff, raw)
			}
			if again := message(t, test.object); again != raw {
				t.Error("the same object made another message")
			}
			if strings.Contains(raw, "\r\nEvil") {
				t.Error("an attachment added a header")
			}
		})
	}
}

func TestMIMEMessageLongNames(t *testing.T) {
	t.Parallel()
	raw := message(t, map[string]any{"text": "x", "attachments": []any{File{Name: strings.Repeat("長い名前", 60) + ".txt", Data: []byte("x")}}})
	got := content(t, raw).Parts[1].Name
	if !strings.HasPrefix(got, "長い名前") || !strings.HasSuffix(got, ".txt") || len([]rune(got)) != 80 {
		t.Errorf("name = %q", got)
	}
	var many []any
	for range 60 {
		many = append(many, "Ünal Ärztin <someone.with.a.long.address@department.example.com>")
	}
	m := parse(t, message(t, map[string]any{"to": many, "text": "x"}))
	if list, err := m.Header.AddressList("To"); err != nil || len(list) != 60 {
		t.Errorf("%d addresses, %v", len(list), err)
	}
}

func TestMIMEMessageRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object any
		want   string
	}{
		"address":      {map[string]any{"to": "not an address"}, `"not an address" (in "to") is not an e-mail address`},
		"two ats":      {map[string]any{"cc": []any{"a@b@c"}}, `in "cc"`},
		"member":       {map[string]any{"recipient": "a@b.c"}, `does not know "recipient"`},
		"own header":   {map[string]any{"headers": map[string]any{"content-type": "text/evil"}}, `"content-type" is made from`},
		"header name":  {map[string]any{"headers": map[string]any{"X Y": "1"}}, `"X Y" is not a header name`},
		"headers":      {map[string]any{"headers": []any{"x"}}, `"headers" needs an object`},
		"attachment":   {map[string]any{"attachments": []any{map[string]any{"name": "a", "data": "%"}}}, `"a" needs its content in base64`},
		"no data":      {map[string]any{"attachments": []any{map[string]any{"name": "a"}}}, `"a" needs its content`},
		"string":       {"hello", "needs an object"},
		"date":         {map[string]any{"date": "soon"}, "is not a time"},
		"bare address": {map[string]any{"from": map[string]any{"name": "X", "address": "nope"}}, `in "from"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mimeMessage(test.object)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want Invalid with %q", err, test.want)
			}
		})
	}
}

func FuzzMIMEMessage(f *testing.F) {
	f.Add("Ann <a@example.com>", "Subject", "body\n", "name.txt")
	f.Add("a@example.com", "=?x?=\r\n ü", "\r\x00\u2028", "../\"x")
	f.Fuzz(func(t *testing.T, to, subject, body, name string) {
		object := map[string]any{"to": to, "subject": subject, "body": body, "is_html": len(body)%2 == 0, "attachments": []any{File{Name: name, Data: []byte(body)}}}
		if _, err := mimeMessage(object); err != nil {
			return // an address that is none
		}
		raw := message(t, object)
		content(t, raw)
		for header := range parse(t, raw).Header {
			switch header {
			case "To", "Subject", "Mime-Version", "Content-Type":
			default:
				t.Errorf("header %q came out of nowhere:\n%s", header, raw)
			}
		}
	})
}
