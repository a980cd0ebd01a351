package openapi

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// enormous are descriptions of some megabytes that would take gigabytes if they were read as they ask to be. Most is how many
// megabytes a process may take from the system with one of them, the text included.
var enormous = map[string]struct {
	text func() string
	most uint64
}{
	"a path that holds millions of objects": {func() string {
		return head + `"paths":{"/a":{"get":{"x-junk":[` + strings.Repeat("{},", 8<<20) + `1]}}}}`
	}, 200},
	"a reference to all of it": {func() string {
		return head + `"x-junk":[` + strings.Repeat("{},", 8<<20) + `1],"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#"}}}}}}}}`
	}, 200},
	"a million paths": {func() string {
		return head + `"paths":{` + numbered(1_000_000, `"/%d":{},`) + `"/x":{"$ref":"#/paths/~11"}}}`
	}, 250},
	"a million members": {func() string { return `{` + numbered(1_000_000, `"%d":1,`) + `"openapi":"3.0.0"}` }, 200},
	"one schema in every operation": {func() string {
		operations := numbered(8_000, `"/a%d":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Big"}}}},`+
			`"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Big"}}}}}}},`)
		return head + `"paths":{` + operations + `"/y":{}},"components":{"schemas":{"Big":{"type":"object","properties":{` +
			numbered(600, `"member%d":{"type":"string","description":"`+strings.Repeat("word ", 32)+`"},`) + `"z":{}}}}}}`
	}, 300},
	"something to say of every operation": {func() string {
		return head + `"paths":{` + numbered(10_000, `"/a%d":{"post":{"parameters":[{"$ref":"other"}]}},`) + `"/y":{}}}`
	}, 250},
	"YAML of nothing but values": {func() string { return "openapi: 3.0.0\nx: [" + strings.Repeat("a,", maxYAMLSize/2-20) + "]\n" }, 150},
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

const enormousCase = "PATCHBAY_TEST_ENORMOUS"

// Each has a process of its own, which says how much it took in the end.
func TestEnormousTextsTakeLittleMemory(t *testing.T) {
	t.Parallel()
	if name := os.Getenv(enormousCase); name != "" {
		d, r, err := Import(t.Context(), []byte(enormous[name].text()), Options{})
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "took %d MB\n", m.Sys>>20)
		if err == nil && len(r.Notes) > maxNotes+1 {
			t.Errorf("%d tools, %d notes", len(d.Tools), len(r.Notes))
		}
		return
	}
	for name, c := range enormous {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEnormousTextsTakeLittleMemory$")
			child.Env = append(os.Environ(), enormousCase+"="+name)
			said, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			_, after, _ := strings.Cut(string(said), "took ")
			megabytes, _, _ := strings.Cut(after, " ")
			took, err := strconv.ParseUint(megabytes, 10, 64)
			if err != nil || took > c.most {
				t.Errorf("it took %d MB, more than %d: %v", took, c.most, err)
			}
			t.Logf("%d MB", took)
		})
	}
}
