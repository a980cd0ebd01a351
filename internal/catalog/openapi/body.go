package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// body is what an operation sends, in the same form for all versions of OpenAPI.
type body struct {
	media       string
	encoding    catalog.Encoding
	schema      any
	required    bool
	description string
	styles      node // of a form's members
}

// body finds what an operation sends; nil when that is nothing.
func (d *document) body(op *operation) *body {
	if d.swagger {
		return d.oldBody(op)
	}
	n := d.derefNode(op.n["requestBody"])
	content := object(n, "content")
	if len(content) == 0 {
		return nil
	}
	media := bestMedia(content)
	c := d.derefNode(content[media])
	b := &body{media: media, schema: c["schema"], required: isTrue(n, "required"), description: text(n, "description"), styles: object(c, "encoding")}
	b.encode()
	return b
}

// oldBody makes a body of the parameters of 2.0.
func (d *document) oldBody(op *operation) *body {
	consumes := texts(op.n["consumes"])
	if len(consumes) == 0 {
		consumes = texts(d.section("consumes"))
	}
	media := bestOf(consumes)
	form := node{"type": "object"}
	properties, required, files := node{}, []any{}, false
	for _, p := range op.params {
		switch p.in {
		case "body":
			if isForm(media) || media == "multipart/form-data" {
				media = "application/json"
			}
			b := &body{media: or(media, "application/json"), schema: p.schema, required: p.required, description: p.description}
			b.encode()
			return b
		case "formData":
			s := maps.Clone(d.derefNode(p.schema))
			if s == nil {
				s = node{"type": "string"}
			}
			delete(s, "required")
			if text(s, "type") == "file" {
				s["type"], s["format"], files = "string", "binary", true
			}
			properties[p.name] = s
			if p.required {
				required = append(required, p.name)
			}
		}
	}
	if len(properties) == 0 {
		return nil
	}
	form["properties"], form["required"] = properties, required
	if files || media == "multipart/form-data" {
		media = "multipart/form-data"
	} else {
		media = formMedia
	}
	b := &body{media: media, schema: form, required: len(required) > 0}
	b.encode()
	return b
}

const formMedia = "application/x-www-form-urlencoded"

func isForm(media string) bool { return strings.HasPrefix(media, formMedia) }

func (b *body) encode() {
	media := bareMedia(b.media)
	switch {
	case media == "multipart/form-data":
		b.encoding = catalog.EncodeMultipart
	case isForm(media):
		b.encoding = catalog.EncodeForm
	case isJSON(media), media == "*/*", media == "":
		b.encoding = catalog.EncodeJSON
	default:
		b.encoding = catalog.EncodeRaw
	}
}

func bareMedia(media string) string {
	media, _, _ = strings.Cut(media, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

func isJSON(media string) bool {
	media = bareMedia(media)
	return media == "application/json" || strings.HasSuffix(media, "+json") || media == "text/json"
}

// bestMedia chooses among the contents of a body, those without a schema last.
func bestMedia(content node) string {
	var described []string
	for _, media := range sortedKeys(content) {
		if object(content, media)["schema"] != nil {
			described = append(described, media)
		}
	}
	if len(described) == 0 {
		described = sortedKeys(content)
	}
	return bestOf(described)
}

// bestOf chooses what says most about its members and is easiest to write.
func bestOf(medias []string) string {
	best, rank := "", 100
	for _, m := range medias {
		if r := mediaRank(bareMedia(m)); r < rank {
			best, rank = m, r
		}
	}
	return best
}

func mediaRank(media string) int {
	switch {
	case media == "application/json":
		return 0
	case media == "application/json-patch+json":
		return 3
	case isJSON(media):
		return 1
	case media == "*/*":
		return 2
	case isForm(media):
		return 4
	case media == "multipart/form-data":
		return 5
	case strings.HasPrefix(media, "text/"):
		return 6
	case strings.HasSuffix(media, "xml"):
		return 8
	default:
		return 7
	}
}

// contentType is what has to be said beside the encoding's own.
func (b *body) contentType() string {
	media := bareMedia(b.media)
	switch {
	case b.encoding == catalog.EncodeJSON && isJSON(media) && media != "application/json":
		return media
	case b.encoding == catalog.EncodeRaw && media != "application/octet-stream" && !strings.Contains(media, "*"):
		return media
	default:
		return ""
	}
}

// binary reports whether a body, or a part of one, is a file's content.
func binary(n node) bool {
	return text(n, "format") == "binary" && (text(n, "type") == "string" || n["type"] == nil) || text(n, "type") == "file" ||
		n["contentMediaType"] != nil && n["contentEncoding"] == nil && text(n, "type") == "string" && !strings.HasPrefix(text(n, "contentMediaType"), "text/")
}

// fileSchema is how the SDKs are told of a file (API contract section 15).
func fileSchema(description string) node {
	return node{
		"type": "object", "description": or(description, "A file."), "file_uploadable": true,
		"properties": node{
			"name":     node{"type": "string", "description": "File name with extension."},
			"mimetype": node{"type": "string", "description": "Media type, for example application/pdf."},
			"s3key":    node{"type": "string", "description": "Key of the uploaded file, or an https URL it can be fetched from."},
		},
	}
}

func sortedKeys(n node) []string { return slices.Sorted(maps.Keys(n)) }
