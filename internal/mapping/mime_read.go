package mapping

import (
	"io"
	"mime"
	"net/mail"
	"strings"

	"golang.org/x/net/html/charset"
)

// The functions below read e-mail in the form in which Gmail's API gives it: a part is {mimeType, filename, headers: [{name,
// value}], body: {data, size, attachmentId}, parts: […]}, with data in base64url.

// wordDecoder decodes encoded words of any character set that browsers know.
var wordDecoder = mime.WordDecoder{CharsetReader: charset.NewReaderLabel}

// mimeHeaders makes an object of a list of {name, value}: names in lower case, values decoded. Of repeated headers the
// first stays, which is the one readers show.
func mimeHeaders(a ...any) (any, error) {
	out := map[string]any{}
	for _, h := range asList(a[0]) {
		name := strings.ToLower(AsText(member(h, "name")))
		if _, there := out[name]; name == "" || there {
			continue
		}
		out[name] = decodeHeader(AsText(member(h, "value")))
	}
	return out, nil
}

func decodeHeader(s string) string {
	decoded, err := wordDecoder.DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

// mimeText gives the plain text of a part and of those below it, attachments left out; nil when there is none.
func mimeText(a ...any) (any, error) { return joinTexts(a[0], "text/plain"), nil }

// mimeHTML gives the HTML of a part and of those below it; nil when there is none.
func mimeHTML(a ...any) (any, error) { return joinTexts(a[0], "text/html"), nil }

func joinTexts(part any, mediaType string) any {
	texts := partTexts(part, mediaType, 0)
	if len(texts) == 0 {
		return nil
	}
	return strings.Join(texts, "\n")
}

// maxPartDepth bounds what a hostile message can make us do.
const maxPartDepth = 50

func partTexts(part any, mediaType string, depth int) []string {
	if depth > maxPartDepth {
		return nil
	}
	var texts []string
	if strings.EqualFold(AsText(member(part, "mimeType")), mediaType) && AsText(member(part, "filename")) == "" {
		if data := member(member(part, "body"), "data"); data != nil {
			texts = append(texts, decodePart(part, AsText(data)))
		}
	}
	for _, p := range asList(member(part, "parts")) {
		texts = append(texts, partTexts(p, mediaType, depth+1)...)
	}
	return texts
}

// decodePart decodes a body to UTF-8. One that cannot be decoded is given as far as it goes.
func decodePart(part any, data string) string {
	raw, err := decodeAnyBase64(data)
	if err != nil {
		return ""
	}
	headers, _ := mimeHeaders(member(part, "headers"))
	_, params, err := mime.ParseMediaType(AsText(member(headers, "content-type")))
	if err != nil || params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8") {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	r, err := charset.NewReaderLabel(params["charset"], strings.NewReader(string(raw)))
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	decoded, _ := io.ReadAll(r)
	return string(decoded)
}

// mimeAttachments lists the attachments of a part and of those below it.
func mimeAttachments(a ...any) (any, error) {
	list := []any{}
	collectAttachments(a[0], 0, &list)
	return list, nil
}

func collectAttachments(part any, depth int, to *[]any) {
	if depth > maxPartDepth {
		return
	}
	body := member(part, "body")
	if name := AsText(member(part, "filename")); name != "" {
		attachment := map[string]any{"filename": name, "mimeType": AsText(member(part, "mimeType"))}
		for _, m := range []string{"attachmentId", "size"} {
			if v := member(body, m); v != nil {
				attachment[m] = v
			}
		}
		*to = append(*to, attachment)
	}
	for _, p := range asList(member(part, "parts")) {
		collectAttachments(p, depth+1, to)
	}
}

// mailAddress gives the bare address of "Ada <ada@example.com>"; nil when there is none.
func mailAddress(a ...any) (any, error) {
	list := addressObjects(AsText(a[0]))
	if len(list) == 0 {
		return nil, nil
	}
	return member(list[0], "address"), nil
}

// mailList gives the addresses of a header as a list of {name, address}. What is not an address is left out.
func mailList(a ...any) (any, error) {
	list := []any{}
	for _, e := range asList(a[0]) {
		list = append(list, addressObjects(AsText(e))...)
	}
	return list, nil
}

func addressObjects(s string) []any {
	addresses, err := addressParser.ParseList(s)
	if err != nil {
		addresses = parseOneByOne(s)
	}
	list := make([]any, len(addresses))
	for i, a := range addresses {
		list[i] = map[string]any{"name": a.Name, "address": a.Address}
	}
	return list
}

// parseOneByOne saves what it can from a header with a broken address in it.
func parseOneByOne(s string) []*mail.Address {
	var addresses []*mail.Address
	for _, one := range strings.Split(s, ",") {
		if a, err := addressParser.Parse(strings.TrimSpace(one)); err == nil {
			addresses = append(addresses, a)
		}
	}
	return addresses
}
