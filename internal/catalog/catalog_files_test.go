package catalog_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// TestDefinitionFiles starts over a directory of definitions, of which some cannot be used.
func TestDefinitionFiles(t *testing.T) {
	t.Parallel()
	files, packed := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	define := func(slug string, tools ...string) string {
		text, err := json.Marshal(definition(slug, tools...).Definition)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	open := func(directory string) *catalog.Catalog {
		t.Helper()
		c, err := catalog.Open(t.Context(), catalog.Options{Files: []string{files}, Directory: directory, Shipped: []catalog.Shipped{shippedKit(t, "20261101_00", "LIST")}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	write("acme.json", define("acme", "LIST"))
	write("boxes.json", define("boxes", "MINE"))
	write("broken.json", "{")
	write("wrong.json", `{"slug": "Wrong One", "name": "X"}`)
	write("notes.txt", "x")
	for _, directory := range []string{"", packed, packed} {
		c := open(directory)
		if s := c.Snapshot(""); !has(s, "ACME_LIST", "BOXES_LIST") || has(s, "BOXES_MINE") || len(s.Toolkits()) != 2 {
			t.Errorf("in %q: %d toolkits", directory, len(s.Toolkits()))
		}
		if tool, _ := c.Snapshot("").Tool("ACME_LIST"); tool.Detail().Request.HTTP == nil {
			t.Errorf("in %q: the tool cannot be run: %v", directory, tool.Detail().Err)
		}
		var left []string
		for _, l := range c.LeftOut("") {
			left = append(left, l.Slug+": "+l.Reason)
		}
		if all := strings.Join(left, "\n"); len(left) != 3 || !strings.Contains(all, "broken.json: it is not") || !strings.Contains(all, "of this name already") || !strings.Contains(all, "/slug") {
			t.Errorf("left out:\n%s", all)
		}
	}
	before := open(packed).Snapshot("").ID
	write("acme.json", define("acme", "LIST", "NEW"))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(files, "acme.json"), later, later); err != nil {
		t.Fatal(err)
	}
	if s := open(packed).Snapshot(""); !has(s, "ACME_NEW") || s.ID == before {
		t.Error("a file that was changed is not read anew")
	}
}
