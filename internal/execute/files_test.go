package execute_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// shelf plays the place where files are kept.
type shelf struct {
	files map[string]mapping.File
	kept  []mapping.File
	scope execute.FileScope
}

func (s *shelf) Open(_ context.Context, _ tenant.Caller, scope execute.FileScope, key string) (mapping.File, error) {
	s.scope = scope
	if f, ok := s.files[key]; ok {
		return f, nil
	}
	return mapping.File{}, fault.New(fault.NotFound, fault.SlugNotFound, "There is no file %q.", key)
}

func (s *shelf) Keep(_ context.Context, _ tenant.Caller, scope execute.FileScope, f mapping.File) (string, error) {
	s.scope = scope
	s.kept = append(s.kept, f)
	return "https://files.example/1", nil
}

func onShelf(s *shelf) func(*execute.Options) { return func(o *execute.Options) { o.Files = s } }

func TestFileArguments(t *testing.T) {
	t.Parallel()
	web := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a credential was sent along")
		}
		w.Header().Set("Content-Type", "image/png")
		io.WriteString(w, "PNG")
	})
	for name, tc := range map[string]struct {
		document                 string // the argument, as JSON
		wantName, wantType, want string
	}{
		"a key":              {`{"name": "b.txt", "mimetype": "text/x-b", "s3key": "k1"}`, "b.txt", "text/x-b", "kept"},
		"a key alone":        {`{"s3key": "k1"}`, "a.txt", "text/plain", "kept"},
		"a key as a text":    {`"k1"`, "a.txt", "text/plain", "kept"},
		"a URL":              {`"` + web.upstream.URL + `/dir/pic.png?x=1"`, "pic.png", "image/png", "PNG"},
		"a data URL":         {`"data:text/csv;base64,YSxi"`, "file.csv", "text/csv", "a,b"},
		"a data URL of text": {`{"name": "n.txt", "s3key": "data:text/plain,a%20b"}`, "n.txt", "text/plain", "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got multipart.File
			w := newWorld(t, status(200, `{}`), onShelf(&shelf{files: map[string]mapping.File{
				"k1": {Name: "a.txt", MIMEType: "text/plain", Data: []byte("kept")},
			}}))
			if res := w.run("UPLOAD", `{"document": `+tc.document+`, "note": "n"}`); res.Error != "" {
				t.Fatal(res.Error)
			}
			_, params, err := mime.ParseMediaType(w.seen()[0].Header.Get("Content-Type"))
			if err != nil {
				t.Fatal(err)
			}
			form, err := multipart.NewReader(strings.NewReader(w.seen()[0].Body), params["boundary"]).ReadForm(1 << 20)
			if err != nil {
				t.Fatal(err)
			}
			head := form.File["document"][0]
			if got, err = head.Open(); err != nil {
				t.Fatal(err)
			}
			content, _ := io.ReadAll(got)
			if head.Filename != tc.wantName || head.Header.Get("Content-Type") != tc.wantType || string(content) != tc.want || form.Value["note"][0] != "n" {
				t.Errorf("sent %s, %s, %q", head.Filename, head.Header.Get("Content-Type"), content)
			}
		})
	}
}

func TestFileArgumentsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	web := newWorld(t, status(404, `{}`))
	for name, document := range map[string]string{
		"an unknown key":       `"k2"`,
		"no key":               `{"name": "a.txt"}`,
		"a URL that is gone":   `"` + web.upstream.URL + `/x"`,
		"a private URL":        `"http://169.254.169.254/latest"`,
		"broken base64":        `"data:text/csv;base64,%%%"`,
		"a data URL of naught": `"data:text/csv"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(200, `{}`), onShelf(&shelf{}))
			_, err := w.Run(t.Context(), caller, w.call("UPLOAD", `{"document": `+document+`}`))
			var f *fault.Error
			if !errors.As(err, &f) || !strings.Contains(f.Message, "Argument document: ") || f.Fix == "" {
				t.Errorf("got %v", err)
			}
			w.wantRequests(0)
		})
	}
}

func TestFileResults(t *testing.T) {
	t.Parallel()
	pdf := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Disposition", `attachment; filename="../q3.pdf"`)
		io.WriteString(w, "%PDF")
	}
	s := &shelf{}
	w := newWorld(t, pdf, onShelf(s))
	res := w.run("DOWNLOAD", `{}`)
	if string(res.Data) != `{"file":{"mimetype":"application/pdf","name":"report.pdf","s3url":"https://files.example/1"}}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
	if string(s.kept[0].Data) != "%PDF" || s.scope != (execute.FileScope{UserID: "ann", Toolkit: "acme", Tool: "ACME_DOWNLOAD"}) {
		t.Errorf("kept %+v for %+v", s.kept, s.scope)
	}

	// A file that the declaration does not mention is kept all the same, under its own name.
	w = newWorld(t, pdf, onShelf(s))
	if res := w.run("READ_TEXT", `{}`); !strings.Contains(string(res.Data), `"s3url":"https://files.example/1"`) {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}

	// Without a place to keep files they are handed over in place.
	w = newWorld(t, pdf)
	if res := w.run("DOWNLOAD", `{}`); string(res.Data) != `{"file":{"base64":"JVBERg==","mimetype":"application/pdf","name":"report.pdf"}}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
}
