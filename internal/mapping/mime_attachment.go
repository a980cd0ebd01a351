package mapping

import (
	"mime"
	"path"
	"strings"
	"unicode/utf8"
)

// attachmentType gives the media type with the name, as older readers want it. Messages go as octets: a message/rfc822 part may
// not be encoded (RFC 2046 section 5.2.1).
func attachmentType(mediaType, name string) string {
	base, params, err := mime.ParseMediaType(mediaType)
	if err != nil || strings.HasPrefix(base, "message/") || strings.HasPrefix(base, "multipart/") {
		base, params = "application/octet-stream", nil
	}
	all := map[string]string{"name": name}
	for k, v := range params {
		if k == "charset" {
			all[k] = v
		}
	}
	return foldParameters(mime.FormatMediaType(base, all))
}

func foldParameters(s string) string { return strings.ReplaceAll(s, "; ", ";\r\n ") }

// attachmentName is the file's own name, short enough that its header line is legal in any script.
func attachmentName(s string) string {
	s = path.Base(strings.ReplaceAll(oneLine(strings.ToValidUTF8(s, "_")), `\`, "/"))
	if s == "." || s == "/" {
		return "attachment"
	}
	const longest = 80
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	ext := []rune(path.Ext(s))
	if len(ext) > 16 {
		ext = nil
	}
	return string([]rune(s)[:longest-len(ext)]) + string(ext)
}

// readAttachments takes files, and objects {name, mimetype, data} with data in base64.
func readAttachments(v any) ([]File, error) {
	var files []File
	for _, e := range asList(v) {
		switch e := e.(type) {
		case nil:
		case File:
			files = append(files, e)
		case map[string]any:
			f := File{Name: AsText(e["name"]), MIMEType: AsText(e["mimetype"])}
			if data, ok := e["data"].([]byte); ok {
				f.Data = data
			} else {
				data, err := decodeAnyBase64(AsText(e["data"]))
				if err != nil || e["data"] == nil {
					return nil, invalid("The attachment %q needs its content in base64 as data.", f.Name)
				}
				f.Data = data
			}
			files = append(files, f)
		default:
			return nil, invalid("An attachment is a file or an object {name, mimetype, data}, not %s.", typeName(e))
		}
	}
	return files, nil
}
