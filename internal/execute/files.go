package execute

import (
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Files keeps what was uploaded for a tool and what tools answer as files.
type Files interface {
	// Open gives an uploaded file by its key, or a file of the call's session by its path.
	Open(ctx context.Context, c tenant.Caller, call FileScope, key string) (mapping.File, error)
	// Keep stores a file and gives a URL it can be fetched from.
	Keep(ctx context.Context, c tenant.Caller, call FileScope, f mapping.File) (url string, err error)
}

// FileScope says for whom a file is opened or kept.
type FileScope struct {
	UserID    string
	SessionID string // empty outside sessions
	Toolkit   string
	Tool      string
}

// Members of a file argument and of a file result (API contract section 15).
const (
	fileKey  = "s3key"
	fileURL  = "s3url"
	fileName = "name"
	fileType = "mimetype"
)

// openFiles puts the content of files where arguments only name them.
func (x *execution) openFiles(ctx context.Context, t *catalog.Tool, args map[string]any) (map[string]any, error) {
	if !t.FileInputs {
		return args, nil
	}
	schema := x.schemas.of(t)
	if schema == nil {
		return args, nil
	}
	opened, err := x.openIn(ctx, schema, args, "")
	if err != nil {
		return nil, err
	}
	return opened.(map[string]any), nil
}

// openIn opens the files of one value. It changes v, which is ours.
func (x *execution) openIn(ctx context.Context, s *jsonschema.Schema, v any, at string) (any, error) {
	s = deref(s)
	switch v := v.(type) {
	case map[string]any:
		if isFile(s) {
			return x.openFile(ctx, v, at)
		}
		b := branch(s, typeObject)
		if b == nil {
			return v, nil
		}
		for name, p := range b.Properties {
			member, ok := v[name]
			if !ok {
				continue
			}
			opened, err := x.openIn(ctx, p, member, strings.TrimPrefix(at+"."+name, "."))
			if err != nil {
				return nil, err
			}
			v[name] = opened
		}
	case []any:
		items := itemsOf(branch(s, typeArray))
		if items == nil {
			return v, nil
		}
		for i, e := range v {
			opened, err := x.openIn(ctx, items, e, fmt.Sprintf("%s[%d]", at, i))
			if err != nil {
				return nil, err
			}
			v[i] = opened
		}
	}
	return v, nil
}

// openFile gets a file's content: from a data URL, from the web, or by its key.
func (x *execution) openFile(ctx context.Context, ref map[string]any, at string) (any, error) {
	key, _ := ref[fileKey].(string)
	var f mapping.File
	var err error
	switch {
	case strings.HasPrefix(key, "data:"):
		f, err = dataURL(key)
	case strings.HasPrefix(key, "https://"), strings.HasPrefix(key, "http://"):
		f, err = x.download(ctx, key)
	case key == "":
		err = fileFault("it has no %s", fileKey)
	case x.files == nil:
		err = fileFault("this server keeps no uploaded files")
	default:
		f, err = x.files.Open(ctx, x.caller, x.fileScope(), key)
	}
	if err != nil {
		e := fault.From(err)
		if e.Kind == fault.Internal {
			return nil, err
		}
		return nil, fault.New(e.Kind, e.Slug, "Argument %s: %s", at, e.Message).
			WithFix("Upload the file and pass its key, or pass an https URL or a data: URL with the content in base64.").Because(err)
	}
	if name, _ := ref[fileName].(string); name != "" {
		f.Name = name
	}
	if media, _ := ref[fileType].(string); media != "" {
		f.MIMEType = media
	}
	return f, nil
}

func fileFault(format string, args ...any) error {
	return fault.New(fault.Invalid, fault.SlugInvalidArguments, "The file cannot be read: "+format+".", args...)
}

// dataURL reads RFC 2397's data:text/plain;base64,….
func dataURL(s string) (mapping.File, error) {
	head, data, ok := strings.Cut(strings.TrimPrefix(s, "data:"), ",")
	media, encoded := strings.CutSuffix(head, ";base64")
	if !ok {
		return mapping.File{}, fileFault("the data URL has no content")
	}
	content := []byte(data)
	if encoded {
		var err error
		if content, err = base64.StdEncoding.DecodeString(data); err != nil {
			return mapping.File{}, fileFault("the data URL is not base64")
		}
	} else if plain, err := url.PathUnescape(data); err == nil {
		content = []byte(plain)
	}
	return mapping.File{Name: "file" + extension(media), MIMEType: media, Data: content}, nil
}

// download fetches a file from the web, without any credential.
func (x *execution) download(ctx context.Context, address string) (mapping.File, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return mapping.File{}, fileFault("its URL is not valid")
	}
	r.Header.Set("User-Agent", userAgent)
	res, err := x.client.DoFollowing(r)
	if err != nil {
		if f := fault.From(err); f.Slug == fault.SlugDestinationRefused {
			return mapping.File{}, f
		}
		return mapping.File{}, fileFault("%s did not answer", r.URL.Host)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return mapping.File{}, fileFault("%s answered %s", r.URL.Host, statusText(res.StatusCode))
	}
	data, err := outbound.ReadBody(res.Body, x.maxAnswer)
	if err != nil {
		return mapping.File{}, fileFault("it is larger than %s, or the connection broke", sizeText(x.maxAnswer))
	}
	return fileOf(res.Header, path.Base(r.URL.Path), data), nil
}

// fileOf names a file by the headers it came with, or else by the end of its URL.
func fileOf(h http.Header, fallback string, data []byte) mapping.File {
	f := mapping.File{Name: fallback, Data: data}
	f.MIMEType, _, _ = strings.Cut(h.Get("Content-Type"), ";")
	if f.MIMEType == "" {
		f.MIMEType, _, _ = strings.Cut(http.DetectContentType(data), ";")
	}
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		f.Name = path.Base(params["filename"])
	}
	if f.Name == "" || f.Name == "." || f.Name == "/" {
		f.Name = "file" + extension(f.MIMEType)
	}
	return f
}

func extension(media string) string {
	if known, _ := mime.ExtensionsByType(media); len(known) > 0 {
		return known[0]
	}
	return ""
}

// keepFiles stores the files in a result and puts a link where each was. Results may share parts with declarations, so what
// changes is copied.
func (x *execution) keepFiles(ctx context.Context, v any) (any, error) {
	if !hasFiles(v) {
		return v, nil
	}
	switch v := v.(type) {
	case mapping.File:
		return x.keepFile(ctx, v)
	case []byte:
		return x.keepFile(ctx, fileOf(http.Header{}, "", v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			kept, err := x.keepFiles(ctx, e)
			if err != nil {
				return nil, err
			}
			out[name] = kept
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			kept, err := x.keepFiles(ctx, e)
			if err != nil {
				return nil, err
			}
			out[i] = kept
		}
		return out, nil
	default:
		return v, nil
	}
}

func hasFiles(v any) bool {
	switch v := v.(type) {
	case mapping.File, []byte:
		return true
	case map[string]any:
		for _, e := range v {
			if hasFiles(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasFiles)
	}
	return false
}

func (x *execution) keepFile(ctx context.Context, f mapping.File) (any, error) {
	link := map[string]any{fileName: f.Name, fileType: f.MIMEType}
	if x.files == nil {
		link["base64"] = base64.StdEncoding.EncodeToString(f.Data)
		return link, nil
	}
	address, err := x.files.Keep(ctx, x.caller, x.fileScope(), f)
	if err != nil {
		return nil, err
	}
	link[fileURL] = address
	return link, nil
}

func (x *execution) fileScope() FileScope {
	return FileScope{UserID: x.entry.UserID, SessionID: x.entry.SessionID, Toolkit: x.toolkit.Slug, Tool: x.entry.Tool}
}
