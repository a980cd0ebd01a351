package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

const formType = "application/x-www-form-urlencoded"

// encodeBody writes a body and says its content type.
func encodeBody(body any, encoding Encoding, lists ListStyle) (data []byte, contentType string, err error) {
	if body == nil {
		return nil, "", nil
	}
	switch encoding {
	case EncodeForm:
		object, err := bodyObject(body)
		if err != nil {
			return nil, "", err
		}
		var p params
		p.addObject(object, lists, true)
		return []byte(p.String()), formType, nil
	case EncodeMultipart:
		return encodeMultipart(body)
	case EncodeRelated:
		return encodeRelated(body)
	case EncodeRaw:
		return encodeRaw(body)
	default:
		data, err = mapping.EncodeJSON(body)
		return data, "application/json", err
	}
}

func bodyObject(body any) (map[string]any, error) {
	object, ok := body.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("this encoding needs a body that is an object, not %T", body)
	}
	return object, nil
}

func encodeMultipart(body any) ([]byte, string, error) {
	object, err := bodyObject(body)
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary(body)); err != nil {
		return nil, "", err
	}
	for _, name := range sortedKeys(object) {
		for _, v := range asParts(object[name]) {
			if err := writeFormPart(w, name, v); err != nil {
				return nil, "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

// asParts gives the parts that one member of a form makes: a list makes one for each element.
func asParts(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func writeFormPart(w *multipart.Writer, name string, v any) error {
	file, ok := v.(mapping.File)
	if !ok {
		return w.WriteField(name, mapping.AsText(v))
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, quoted.Replace(name), quoted.Replace(file.Name)))
	header.Set("Content-Type", mediaType(file.MIMEType))
	part, err := w.CreatePart(header)
	if err != nil {
		return err
	}
	_, err = part.Write(file.Data)
	return err
}

// quoted escapes what would end a quoted parameter, as browsers do.
var quoted = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")

func encodeRelated(body any) ([]byte, string, error) {
	parts, ok := body.([]any)
	if !ok {
		return nil, "", fmt.Errorf("multipart/related needs a body that is a list of parts, not %T", body)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary(body)); err != nil {
		return nil, "", err
	}
	for _, v := range parts {
		data, contentType, err := encodePart(v)
		if err != nil {
			return nil, "", err
		}
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {contentType}})
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(data); err != nil {
			return nil, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), "multipart/related; boundary=" + w.Boundary(), nil
}

func encodePart(v any) ([]byte, string, error) {
	switch v := v.(type) {
	case mapping.File, string:
		return encodeRaw(v)
	default:
		data, err := mapping.EncodeJSON(v)
		return data, "application/json; charset=UTF-8", err
	}
}

func encodeRaw(body any) ([]byte, string, error) {
	switch v := body.(type) {
	case mapping.File:
		return v.Data, mediaType(v.MIMEType), nil
	case []byte:
		return v, "application/octet-stream", nil
	case string:
		return []byte(v), "text/plain; charset=utf-8", nil
	default:
		return nil, "", fault.New(fault.Invalid, fault.SlugInvalidArguments, "The body must be a text or a file, not %T.", body)
	}
}

// mediaType refuses one that would break out of its header line.
func mediaType(s string) string {
	if s == "" || strings.ContainsAny(s, "\r\n\x00") {
		return "application/octet-stream"
	}
	return s
}

// boundary is derived from the content, so that the same arguments make the same bytes and the content cannot hold it by
// chance.
func boundary(body any) string {
	h := sha256.New()
	hashParts(h, body)
	return "patchbay-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func hashParts(h io.Writer, v any) {
	switch v := v.(type) {
	case mapping.File:
		fmt.Fprintf(h, "file %q %q %d ", v.Name, v.MIMEType, len(v.Data))
		h.Write(v.Data)
	case map[string]any:
		for _, name := range sortedKeys(v) {
			fmt.Fprintf(h, "%q:", name)
			hashParts(h, v[name])
		}
	case []any:
		for _, e := range v {
			hashParts(h, e)
		}
	default:
		fmt.Fprintf(h, "%q ", mapping.AsText(v))
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
