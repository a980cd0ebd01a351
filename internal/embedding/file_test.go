package embedding

import (
	"os"
	"path/filepath"
	"testing"
)

func openTest(t *testing.T, path string) *file {
	t.Helper()
	k, err := openFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.close() })
	return k
}

func addTest(t *testing.T, k *file, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := k.add([]key{keyOf(text)}, [][]float32{{0.6, -0.8, 0}}); err != nil {
			t.Fatal(err)
		}
	}
}

func has(t *testing.T, k *file, text string) bool {
	t.Helper()
	row, ok := k.row(keyOf(text))
	vector := make([]byte, 3)
	if ok && (!k.read(row, vector) || int8(vector[0]) != 95 || int8(vector[1]) != -127 || vector[2] != 0) {
		t.Errorf("%s: read %v", text, vector)
	}
	return ok
}

func TestTheFileOutlivesDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(content []byte) []byte
		want   string // of the texts a, b, c
	}{
		"none":                  {func(c []byte) []byte { return c }, "abc"},
		"cut short by a crash":  {func(c []byte) []byte { return c[:len(c)-5] }, "ab"},
		"a record that is off":  {func(c []byte) []byte { c[headSize+23+20] ^= 1; return c }, "ac"},
		"not one of ours":       {func([]byte) []byte { return []byte("hello, world, this is no file of vectors") }, ""},
		"empty":                 {func([]byte) []byte { return nil }, ""},
		"a head without a size": {func(c []byte) []byte { clear(c[len(fileMark):headSize]); return c }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.vectors")
			k := openTest(t, path)
			addTest(t, k, "a", "b", "c")
			if err := k.close(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(content), 0o600); err != nil {
				t.Fatal(err)
			}
			k = openTest(t, path)
			got := ""
			for _, text := range []string{"a", "b", "c"} {
				if has(t, k, text) {
					got += text
				}
			}
			if got != c.want {
				t.Errorf("there are %q, want %q", got, c.want)
			}
			addTest(t, k, "d") // it can be written all the same
			if err := k.close(); err != nil {
				t.Fatal(err)
			}
			if k = openTest(t, path); !has(t, k, "d") || has(t, k, "e") {
				t.Error("what was added afterwards is not there")
			}
		})
	}
}

func TestOtherDimensionsAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.vectors")
	k := openTest(t, path)
	addTest(t, k, "a")
	if err := k.add([]key{keyOf("b")}, [][]float32{{1, 0}}); err == nil {
		t.Error("a vector of two dimensions was kept among those of three")
	}
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	other, err := openFile(path, 2)
	if err != nil || other.len() != 0 {
		t.Errorf("%d vectors of three dimensions where two are wanted, %v", other.len(), err)
	}
}

// Two servers that share a directory by mistake do not take each other's vectors for others.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.vectors")
	one := openTest(t, path)
	addTest(t, one, "a")
	two := openTest(t, path)
	addTest(t, two, "b")
	addTest(t, one, "c")
	addTest(t, two, "d")
	for text, k := range map[string]*file{"a": two, "b": one, "c": one, "d": two} {
		if !has(t, k, text) {
			t.Errorf("%s is missing", text)
		}
	}
}

func TestShrinking(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.vectors")
	k := openTest(t, path)
	const n = 3 * spare
	keys, vectors := make([]key, n), make([][]float32, n)
	for i := range keys {
		keys[i], vectors[i] = keyOf(word(i)), []float32{0.6, -0.8, 0}
	}
	if err := k.add(keys, vectors); err != nil {
		t.Fatal(err)
	}
	if err := k.shrink(map[key]bool{keys[5]: true}); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]bool{5: true, 6: false, n - spare - 1: false, n - spare: true, n - 1: true} {
		if has(t, k, word(i)) != want {
			t.Errorf("text %d is there: %v", i, !want)
		}
	}
	addTest(t, k, "new")
	again := openTest(t, path)
	if again.len() != spare+2 || !has(t, again, "new") || !has(t, again, word(5)) {
		t.Errorf("%d vectors", again.len())
	}
	if err := k.shrink(map[key]bool{keys[5]: true}); err != nil || k.len() != spare+2 {
		t.Errorf("a small file was written anew: %d, %v", k.len(), err)
	}
}
