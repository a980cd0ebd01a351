package catalog

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
)

func TestDefinitionsAreLoadedFromFiles(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(defined(DefinedTool{Slug: "ACME_GET", Name: "Get", HTTP: &DefinedHTTP{Method: "GET", Path: "/"}}))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"acme.json": {Data: good}, "sub/other.json": {Data: []byte("{")}, "notes.txt": {Data: []byte("x")}}
	toolkits, err := LoadDefinitions(files)
	if err != nil || len(toolkits) != 1 || toolkits[0].Slug != "acme" || len(toolkits[0].Tools) != 1 {
		t.Fatalf("%v, %v", toolkits, err)
	}
	files["broken.json"] = &fstest.MapFile{Data: []byte("{")}
	files["wrong.json"] = &fstest.MapFile{Data: []byte(`{"slug":"Wrong One","name":"X"}`)}
	_, err = LoadDefinitions(files)
	if err == nil || !strings.Contains(err.Error(), "broken.json") || !strings.Contains(err.Error(), "wrong.json") {
		t.Errorf("error %v", err)
	}
}
