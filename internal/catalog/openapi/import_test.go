package openapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

var update = flag.Bool("update", false, "write the goldens anew")

// importFile imports a description of testdata.
func importFile(t *testing.T, name string, o Options) (*catalog.Definition, *Report) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return importText(t, string(data), o)
}

func importText(t *testing.T, text string, o Options) (*catalog.Definition, *Report) {
	t.Helper()
	d, r, err := Import(t.Context(), []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Toolkit(); err != nil {
		t.Errorf("the definition cannot be built: %v", err)
	}
	for _, tool := range d.Tools {
		if problems := catalog.SchemaProblems(tool.Input); problems != nil {
			t.Errorf("%s: %v", tool.Slug, problems)
		}
	}
	return d, r
}

// What becomes of whole descriptions, in every detail: read the difference line by line when it changes.
func TestDescriptionsBecomeDefinitions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shelf.yaml", "petstore2.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, r := importFile(t, name, Options{Source: "https://docs.example/" + name + "?key=secret"})
			got := golden(t, d, r)
			file := filepath.Join("testdata", strings.TrimSuffix(name, filepath.Ext(name))+".golden")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got (write anew with -update):\n%s", diff)
			}
		})
	}
}

// golden writes a definition and its report so that one can read them.
func golden(t *testing.T, d *catalog.Definition, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	r.Print(&b)
	b.WriteByte('\n')
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportIsDeterministic(t *testing.T) {
	t.Parallel()
	first, _ := importFile(t, "shelf.yaml", Options{})
	second, _ := importFile(t, "shelf.yaml", Options{})
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}
