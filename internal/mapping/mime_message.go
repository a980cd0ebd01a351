package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// mimeMessage writes an e-mail: RFC 5322 with the headers of RFC 2047 and 2231 and the bodies of RFC 2045 and 2046. It takes
// one object; docs/toolkits.md lists its members. The same object makes the same bytes.
func mimeMessage(a ...any) (any, error) {
	object, ok := a[0].(map[string]any)
	if !ok {
		return nil, invalid("mime_message needs an object, not %s.", typeName(a[0]))
	}
	for name := range object {
		if !slices.Contains(messageMembers, name) {
			return nil, invalid("mime_message does not know %q; it takes %s.", name, strings.Join(messageMembers, ", "))
		}
	}
	m := &messageWriter{seed: messageSeed(object)}
	if err := m.headers(object); err != nil {
		return nil, err
	}
	if err := m.content(object); err != nil {
		return nil, err
	}
	return m.b.String(), nil
}

var messageMembers = []string{
	"from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "body", "is_html", "date", "message_id", "in_reply_to", "references",
	"headers", "attachments",
}

// messageWriter writes a message. All line ends are CRLF.
type messageWriter struct {
	b    bytes.Buffer
	seed string
	used int // boundaries made
}

func (m *messageWriter) headers(object map[string]any) error {
	for _, h := range []struct{ name, member string }{
		{"From", "from"}, {"To", "to"}, {"Cc", "cc"}, {"Bcc", "bcc"}, {"Reply-To", "reply_to"},
	} {
		if err := m.addresses(h.name, h.member, object[h.member]); err != nil {
			return err
		}
	}
	if subject := AsText(object["subject"]); subject != "" {
		m.header("Subject", encodeWords(oneLine(subject)))
	}
	if object["date"] != nil {
		date, err := formatTime(object["date"], "Mon, 02 Jan 2006 15:04:05 -0700")
		if err != nil {
			return err
		}
		m.header("Date", date.(string))
	}
	m.ids("Message-ID", object["message_id"])
	m.ids("In-Reply-To", object["in_reply_to"])
	m.ids("References", object["references"])
	if err := m.moreHeaders(object["headers"]); err != nil {
		return err
	}
	m.header("MIME-Version", "1.0")
	return nil
}

// addresses writes a header of addresses: a text ("a@example.com, Bo <b@example.com>"), an object {name, address}, or a list.
func (m *messageWriter) addresses(header, member string, v any) error {
	var written []string
	for _, e := range asList(v) {
		list, err := parseAddresses(e)
		if err != nil {
			return invalid("%q (in %q) is not an e-mail address such as ada@example.com or Ada <ada@example.com>.", shorten(AsText(e)), member)
		}
		for _, a := range list {
			written = append(written, writeAddress(a))
		}
	}
	if len(written) > 0 {
		m.header(header, strings.Join(written, ", "))
	}
	return nil
}

func parseAddresses(v any) ([]*mail.Address, error) {
	if object, ok := v.(map[string]any); ok {
		a, err := mail.ParseAddress(AsText(object["address"]))
		if err != nil {
			return nil, err
		}
		return []*mail.Address{{Name: AsText(object["name"]), Address: a.Address}}, nil
	}
	s := strings.Trim(strings.TrimSpace(AsText(v)), ",;")
	if s == "" {
		return nil, nil
	}
	return addressParser.ParseList(s)
}

// addressParser understands names in the character sets that mail in the wild uses.
var addressParser = mail.AddressParser{WordDecoder: &wordDecoder}

// writeAddress writes one address. A domain in another script is written in its ASCII form, which every mail server takes.
func writeAddress(a *mail.Address) string {
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	bare := (&mail.Address{Address: local + "@" + domain}).String()
	name := oneLine(a.Name)
	switch {
	case name == "":
		return strings.Trim(bare, "<>")
	case needsWords(name):
		return encodeWords(name) + " " + bare
	default:
		return (&mail.Address{Name: name, Address: local + "@" + domain}).String()
	}
}

// ids writes a header of message ids, each in angle brackets.
func (m *messageWriter) ids(header string, v any) {
	var written []string
	for _, e := range asList(v) {
		for _, id := range strings.Fields(oneLine(AsText(e))) {
			written = append(written, "<"+strings.Trim(id, "<>")+">")
		}
	}
	if len(written) > 0 {
		m.header(header, strings.Join(written, " "))
	}
}

// moreHeaders writes the caller's own headers. Those that this writer makes cannot be among them.
func (m *messageWriter) moreHeaders(v any) error {
	if v == nil {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return invalid(`"headers" needs an object of names and values, not %s.`, typeName(v))
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		lower := strings.ToLower(name)
		switch {
		case !headerName(name):
			return invalid("%q is not a header name.", name)
		case strings.HasPrefix(lower, "content-") || slices.Contains(ownHeaders, lower):
			return invalid("The header %q is made from the other members; set it there.", name)
		}
		m.header(name, encodeWords(oneLine(AsText(object[name]))))
	}
	return nil
}

var ownHeaders = []string{"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"}

func headerName(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return s != ""
}

// header writes one header, folded at blanks so that lines stay below 78 characters where they can.
func (m *messageWriter) header(name, value string) {
	m.b.WriteString(name)
	m.b.WriteByte(':')
	length := len(name) + 1
	for _, word := range strings.Split(value, " ") {
		if length+1+len(word) > 76 && length > 1 && word != "" {
			m.b.WriteString("\r\n")
			length = 0
		}
		m.b.WriteByte(' ')
		m.b.WriteString(word)
		length += 1 + len(word)
	}
	m.b.WriteString("\r\n")
}

// content writes the content headers and the body: text, HTML, both as alternatives, and the attachments around them.
func (m *messageWriter) content(object map[string]any) error {
	attachments, err := readAttachments(object["attachments"])
	if err != nil {
		return err
	}
	text, html := bodies(object)
	write := func(m *messageWriter) {
		if html == "" {
			m.text("plain", text)
			return
		}
		m.multipart("alternative", []func(*messageWriter){
			func(m *messageWriter) { m.text("plain", text) },
			func(m *messageWriter) { m.text("html", html) },
		})
	}
	if len(attachments) == 0 {
		write(m)
		return nil
	}
	parts := []func(*messageWriter){write}
	for _, f := range attachments {
		parts = append(parts, func(m *messageWriter) { m.attachment(f) })
	}
	m.multipart("mixed", parts)
	return nil
}

// bodies gives the text and the HTML of a message. HTML alone gets a text made of it, for readers that show none.
func bodies(object map[string]any) (text, html string) {
	text, html = AsText(object["text"]), AsText(object["html"])
	if body := AsText(object["body"]); body != "" && truthy(object["is_html"]) {
		html = body
	} else if body != "" {
		text = body
	}
	if text == "" {
		text = HTMLText(html)
	}
	return text, html
}

// multipart writes a body of parts. Each part writes its own content headers.
func (m *messageWriter) multipart(kind string, parts []func(*messageWriter)) {
	m.used++
	boundary := "=_" + m.seed + string(rune('a'+m.used-1))
	m.b.WriteString("Content-Type: multipart/" + kind + ";\r\n boundary=\"" + boundary + "\"\r\n\r\n")
	for _, part := range parts {
		m.b.WriteString("--" + boundary + "\r\n")
		part(m)
		m.b.WriteString("\r\n")
	}
	m.b.WriteString("--" + boundary + "--\r\n")
}

func (m *messageWriter) text(subtype, s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	m.b.WriteString("Content-Type: text/" + subtype + "; charset=utf-8\r\n")
	s = crlf(s)
	switch textEncoding(s) {
	case "7bit":
		m.b.WriteString("Content-Transfer-Encoding: 7bit\r\n\r\n")
		m.b.WriteString(s)
	case "quoted-printable":
		m.b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
		w := quotedprintable.NewWriter(&m.b)
		_, _ = w.Write([]byte(s)) // a buffer takes everything
		_ = w.Close()
	default:
		m.base64([]byte(s))
	}
}

// textEncoding chooses the most readable encoding that is safe for a text.
func textEncoding(s string) string {
	high, long := 0, false
	line := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			line = 0
			continue
		case c >= 0x80 || c < ' ' && c != '\r' && c != '\t':
			high++
		}
		if line++; line > 77 {
			long = true
		}
	}
	switch {
	case high == 0 && !long:
		return "7bit"
	case high*6 <= len(s):
		return "quoted-printable"
	default:
		return "base64"
	}
}

// crlf makes every line end CRLF.
func crlf(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// base64 writes a body in lines of 76 characters.
func (m *messageWriter) base64(data []byte) {
	m.b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	m.b.Grow(len(data)*4/3 + len(data)/28)
	const lineBytes = 57 // 76 characters
	line := make([]byte, 76)
	for len(data) > 0 {
		n := min(lineBytes, len(data))
		base64.StdEncoding.Encode(line, data[:n])
		m.b.Write(line[:base64.StdEncoding.EncodedLen(n)])
		if data = data[n:]; len(data) > 0 {
			m.b.WriteString("\r\n")
		}
	}
}

func (m *messageWriter) attachment(f File) {
	name := attachmentName(f.Name)
	m.b.WriteString("Content-Type: " + attachmentType(f.MIMEType, name) + "\r\n")
	m.b.WriteString("Content-Disposition: " + foldParameters(mime.FormatMediaType("attachment", map[string]string{"filename": name})) + "\r\n")
	m.base64(f.Data)
}

// messageSeed is derived from the content, so that boundaries do not occur in it by chance and tests are stable.
func messageSeed(object map[string]any) string {
	h := sha256.New()
	seed, err := EncodeJSON(object)
	if err != nil {
		seed = []byte(err.Error())
	}
	h.Write(seed)
	return hex.EncodeToString(h.Sum(nil)[:12])
}
