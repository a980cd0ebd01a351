package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// member is one entry of an archive that a test makes.
type member struct {
	name, text string
	kind       byte // of a tar; 0: a file
}

func tarOf(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Mode: 0o644, Format: tar.FormatPAX}
		switch m.kind {
		case 0, tar.TypeReg:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(m.text))
		default:
			h.Linkname = m.text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, m.text)
		}
	}
	w.Close()
	return b.Bytes()
}

func zipOf(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(0o644)
		if m.kind == tar.TypeSymlink {
			h.SetMode(0o777 | os.ModeSymlink)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, m.text)
	}
	w.Close()
	return b.Bytes()
}

func gzipped(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(plain)
	w.Close()
	return b.Bytes()
}

// descriptions are an archive of a repository, as code hosts make them.
var descriptions = []member{
	{name: "specs-0a1b2c/", kind: tar.TypeDir},
	{name: "specs-0a1b2c/README.md", text: "Specs."},
	{name: "specs-0a1b2c/package.json", text: "{}"},
	{name: "specs-0a1b2c/shoes.example.com/v1.json", text: spec},
	{name: "specs-0a1b2c/hats.yaml", text: "swagger: '2.0'\ninfo: {title: Hats}\nhost: hats.example\npaths: {/hats: {get: {}}}\n"},
	{name: "specs-0a1b2c/broken.json", text: "{"},
	{name: "specs-0a1b2c/.github/x.json", text: spec},
	{name: "specs-0a1b2c/node_modules/y/x.json", text: spec},
	{name: "specs-0a1b2c/link.json", text: "/etc/passwd", kind: tar.TypeSymlink},
}

func TestArchivesOfDescriptions(t *testing.T) {
	t.Parallel()
	files := make([]member, 0, len(descriptions))
	for _, m := range descriptions {
		if m.kind != tar.TypeDir {
			files = append(files, m)
		}
	}
	for name, archive := range map[string][]byte{"specs.zip": zipOf(t, files...), "specs.tar": tarOf(t, descriptions...), "specs.tgz": gzipped(tarOf(t, descriptions...))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			o.Reserved = func(slug string) bool { return slug == "hats" }
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/octet-stream") // the name and the type say nothing
				w.Write(archive)
			}) + "/download?of=" + "specs"
			got := importAll(t, o, address)
			link := "download!/specs-0a1b2c/link.json"
			if len(got) != 4 || !got["shoes_example"].New || !got["hats_api"].New || got["broken"].Error == "" || !strings.Contains(got[link].Error, "a link") {
				t.Errorf("%+v", got)
			}
			if source := got["shoes_example"].Source; source != "download!/specs-0a1b2c/shoes.example.com/v1.json" {
				t.Errorf("it is from %s", source)
			}
			if again := importAll(t, o, address); !again["shoes_example"].Unchanged || !again["hats_api"].Unchanged {
				t.Errorf("again: %+v", again)
			}
			file := filepath.Join(t.TempDir(), "renamed")
			if err := os.WriteFile(file, archive, 0o600); err != nil {
				t.Fatal(err)
			}
			if again := importAll(t, o, file); !again["shoes_example"].Unchanged {
				t.Errorf("as a file: %+v", again)
			}
		})
	}
}

func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 1<<20)
	many := make([]member, maxMembers+1)
	for i := range many {
		many[i] = member{name: fmt.Sprintf("m%d.txt", i)}
	}
	bomb := make([]member, 80)
	for i := range bomb {
		bomb[i] = member{name: fmt.Sprintf("m%d.json", i), text: zeros}
	}
	hidden := make([]member, 80) // nobody wants its members, and they unpack all the same
	for i := range hidden {
		hidden[i] = member{name: fmt.Sprintf("m%d.bin", i), text: zeros}
	}
	damaged := zipOf(t, descriptions[3])
	copy(damaged[60:], "damaged damaged")
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"a tar that leads out":           {tarOf(t, descriptions[3], member{name: "../../etc/cron.d/x.json", text: spec}), "which leads out of it"},
		"a tar with an absolute name":    {tarOf(t, member{name: "/etc/x.json", text: spec}), "which leads out of it"},
		"a zip that leads out":           {zipOf(t, member{name: "a/../../x.json", text: spec}), "which leads out of it"},
		"a zip of Windows that does":     {zipOf(t, member{name: `..\..\x.json`, text: spec}), "which leads out of it"},
		"a zip that names a drive":       {zipOf(t, member{name: `C:/x.json`, text: spec}), "which leads out of it"},
		"a tar of too many":              {gzipped(tarOf(t, many...)), "more than 50000 members"},
		"a zip of too many":              {zipOf(t, many...), "more than 50000 members"},
		"a zip bomb":                     {zipOf(t, bomb...), "more than 200 times its size"},
		"a gzip bomb":                    {gzipped(tarOf(t, bomb...)), "more than 200 times its size"},
		"a gzip bomb of other members":   {gzipped(tarOf(t, hidden...)), "more than 200 times its size"},
		"a gzip of something else":       {gzipped([]byte(spec)), "no tar is in it"},
		"a gzip that ends in the middle": {gzipped(tarOf(t, bomb...))[:9000], "cannot be read"},
		"a zip without its end":          {zipOf(t, descriptions[3])[:100], "cannot be read"},
		"a page":                         {[]byte("<html>Not found</html>"), "neither an archive"},
		"nothing":                        {nil, "neither an archive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(c.archive) })
			all, err := o.Open(t.Context(), address)
			if err == nil {
				all.Close()
				t.Fatalf("%d descriptions", len(all.Files))
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
	all, err := options(t).Open(t.Context(), serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(damaged) }))
	if err != nil || len(all.Files) != 0 || len(all.LeftOut) != 1 || !strings.Contains(all.LeftOut[0].Error, "damaged") {
		t.Fatalf("a damaged member: %+v, %v", all, err)
	}
	all.Close()
}

func TestMembersThatAreLeftOut(t *testing.T) {
	t.Parallel()
	archive := tarOf(t,
		member{name: "device.json", kind: tar.TypeChar}, member{name: "pipe.json", kind: tar.TypeFifo},
		member{name: "hard.json", text: "shoes.json", kind: tar.TypeLink}, member{name: "shoes.json", text: spec}, member{name: "shoes.json", text: spec},
		member{name: strings.Repeat("deep/", 300) + "x.json", text: spec})
	all, err := options(t).Open(t.Context(), serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(archive) }))
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Files) != 1 || len(all.LeftOut) != 5 {
		t.Errorf("%+v, %+v", all.Files, all.LeftOut)
	}
	dir := all.temporary
	if inside, err := os.ReadDir(dir); err != nil || len(inside) != 1 || !inside[0].Type().IsRegular() {
		t.Errorf("unpacked %v, %v", inside, err)
	}
	if all.Close() != nil {
		t.Error("not closed")
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was unpacked stays: %v", err)
	}
}

// A file with holes says that it has any number of bytes, of which the archive holds none.
func TestFilesWithHolesAreLeftOut(t *testing.T) {
	t.Parallel()
	const name, holes = "PATCHBAYxxxxx.realsize", "GNU.sparse.000realsize"
	body := "0\n" + strings.Repeat("\x00", 510)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	header := &tar.Header{Name: "x.json", Typeflag: tar.TypeReg, Size: int64(len(body)), Format: tar.FormatPAX, PAXRecords: map[string]string{name: "9"}}
	if err := w.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, body)
	w.Close()
	plain := bytes.ReplaceAll(b.Bytes(), []byte(name), []byte(holes)) // the writer refuses to say it
	all, err := options(t).Open(t.Context(), serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(plain) }))
	if err != nil || len(all.Files) != 0 || len(all.LeftOut) != 1 || !strings.Contains(all.LeftOut[0].Error, "holes") {
		t.Fatalf("%+v, %v", all, err)
	}
	all.Close()
}

func TestServersThatStopInTheMiddle(t *testing.T) {
	t.Parallel()
	archive := gzipped(tarOf(t, descriptions...))
	for name, handler := range map[string]http.HandlerFunc{
		"before they answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in an archive": func(w http.ResponseWriter, r *http.Request) {
			w.Write(archive[:len(archive)/2])
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"in an index": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"servers":[`+strings.Repeat(" ", headLength))
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			o.Reader.Patience = 20 * time.Millisecond
			if _, err := o.Open(t.Context(), serve(t, handler)); err == nil || !strings.Contains(err.Error(), "did not answer in time") && !strings.Contains(err.Error(), "nothing more of it came") {
				t.Errorf("%v", err)
			}
		})
	}
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := o.Open(ctx, hanging); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := o.Open(t.Context(), "http://10.0.0.1/specs.zip"); err == nil || !strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("a private address: %v", err)
	}
}
