package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// bigDefinition has as many tools as make several blocks, of different kinds.
func bigDefinition(tools int) *Definition {
	d := defined()
	d.Description, d.Version, d.Categories = "Things in boxes.", "20261122_00", []string{"crm"}
	for i := range tools {
		d.Tools = append(d.Tools, DefinedTool{
			Slug: fmt.Sprintf("ACME_TOOL_%d", i), Name: fmt.Sprintf("Tool %d", i), Description: strings.Repeat("Does a thing. ", i%7+1),
			Aliases: map[bool][]string{true: {fmt.Sprintf("ACME_OLD_%d", i)}}[i%5 == 0], Hints: Hints{Read: i%2 == 0, Create: i%2 == 1, Idempotent: i%3 == 0},
			Important: i < 3, Deprecated: i%11 == 10, NoAuth: i%13 == 12, Scopes: Scopes{All: []string{"s" + fmt.Sprint(i%4)}, Any: [][]string{{"a", "b"}}},
			Input:  json.RawMessage(fmt.Sprintf(`{"type":"object","properties":{"id":{"type":"string"},"n%d":{"type":"integer","description":%q}},"required":["id"]}`, i, strings.Repeat("text ", i%40))),
			Output: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}}}`),
			HTTP:   &DefinedHTTP{Method: "GET", Path: "/things/{id}", Parameters: []DefinedParameter{{Argument: "id", In: "path"}, {Argument: fmt.Sprintf("n%d", i), In: "query"}}},
		})
	}
	return d
}

func packTo(t *testing.T, d *Definition) string {
	t.Helper()
	content, err := pack(d)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "deep", "acme.toolkit")
	if err := writeFile(path, content); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPackedIsTheSame holds a packed toolkit against the one that is built of the same definition.
func TestPackedIsTheSame(t *testing.T) {
	t.Parallel()
	d := bigDefinition(300)
	d.Tools[7].HTTP, d.Tools[7].GraphQL = nil, &DefinedGraphQL{Path: "/graphql", Query: "query($id: ID!) { thing(id: $id) { name } }", Variables: map[string]string{"id": "id"}}
	want, err := d.Toolkit()
	if err != nil {
		t.Fatal(err)
	}
	got, err := openPacked(packTo(t, d), newRecent[detailKey, *Detail](1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.packed.blocks); n < 2 {
		t.Fatalf("the test wants several blocks, and got %d", n)
	}
	same := cmp.Options{cmpopts.IgnoreUnexported(Toolkit{}, Tool{}), cmpopts.IgnoreFields(Tool{}, "Held", "Toolkit"), cmpopts.IgnoreFields(Toolkit{}, "BaseURL", "Auth", "Errors")}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("toolkit (-built +packed):\n%s", diff)
	}
	if want.BaseURL.String() != got.BaseURL.String() || got.Auth[0].Mode != "API_KEY" || got.Errors.FailedWhen == nil {
		t.Errorf("toolkit: %v %v %v", got.BaseURL, got.Auth, got.Errors)
	}
	env := &mapping.Env{Input: map[string]any{"id": "x", "n7": 1, "n8": 1}, Fields: map[string]string{"site": "eu"}}
	for _, i := range []int{299, 0, 150, 7, 8, 7} { // back and forth, one of them twice
		built, packed := want.Tools[i].Detail(), got.Tools[i].Detail()
		if packed.Err != nil {
			t.Fatal(packed.Err)
		}
		if string(built.Input.JSON) != string(packed.Input.JSON) || string(built.Output.JSON) != string(packed.Output.JSON) {
			t.Errorf("tool %d:\n%s\n%s\nwant\n%s\n%s", i, packed.Input.JSON, packed.Output.JSON, built.Input.JSON, built.Output.JSON)
		}
		one, err := built.Request.Build(want, env)
		other, otherErr := packed.Request.Build(got, env)
		if diff := cmp.Diff(one, other); err != nil || otherErr != nil || diff != "" {
			t.Errorf("request of tool %d: %v %v\n%s", i, err, otherErr, diff)
		}
	}
	if diff := cmp.Diff(want.ArgumentNames(), got.ArgumentNames()); diff != "" || len(got.ArgumentNames()[8]) != 2 {
		t.Errorf("argument names: %s", diff)
	}
}

// TestPackedDetailsAreForgotten shows that the details of a big catalog do not pile up.
func TestPackedDetailsAreForgotten(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	details := newRecent[detailKey, *Detail](most)
	tk, err := openPacked(packTo(t, bigDefinition(300)), details)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tk.Tools {
		if d := tool.Detail(); d.Err != nil {
			t.Fatal(d.Err)
		}
	}
	if kept := len(details.young) + len(details.old); kept == 0 || kept > 100 {
		t.Errorf("%d details are kept", kept)
	}
	if last := tk.Tools[299]; last.Detail() != details.young[detailKey{tk.packed, 299}].value {
		t.Error("a detail is read anew each time")
	}
}

// TestPackedDamage reads files with something wrong about them: never a panic, never a wrong tool, and a file that can be made
// anew is.
func TestPackedDamage(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(packTo(t, bigDefinition(60)))
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	read := func(name string, content []byte) error {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		tk, err := openPacked(path, newRecent[detailKey, *Detail](1<<20))
		if err != nil {
			return err
		}
		for _, tool := range tk.Tools {
			if d := tool.Detail(); d.Err != nil {
				return d.Err
			}
		}
		_, err = tk.packed.argumentNames()
		return err
	}
	if err := read("whole", whole); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 97 {
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x41
		if read("flipped", damaged) == nil {
			t.Fatalf("a change at byte %d goes unnoticed", at)
		}
		if read("cut", whole[:at]) == nil {
			t.Fatalf("a file cut at byte %d goes unnoticed", at)
		}
	}

	path := packTo(t, bigDefinition(60))
	tk, err := openPacked(path, newRecent[detailKey, *Detail](1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if d := tk.Tools[3].Detail(); !errors.Is(d.Err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", d.Err)
	}
	tk.packed.restore = func() error { return writeFile(path, whole) }
	if d := tk.Tools[3].Detail(); d.Err != nil || !strings.Contains(string(d.Input.JSON), `"n3"`) {
		t.Errorf("a file that is made anew: %v", d)
	}
}

func FuzzUnpack(f *testing.F) {
	content, err := pack(bigDefinition(3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content[packedHeader:])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(_ *testing.T, content []byte) {
		r := &unpacker{text: string(content)}
		r.toolkit(&packed{})
	})
}
