package embedding

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/inference/inferencetest"
)

// randomTable is a table of tools with vectors that lean a common way, as those of many models do.
func randomTable(t testing.TB, tools, dimensions int) (*Table, [][]float32) {
	t.Helper()
	s, err := New(Options{Endpoint: inference.Endpoint{URL: "http://x", Model: "m", HTTP: &inferencetest.Server{}}, Directory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	r := rand.New(rand.NewPCG(1, 2))
	keys, vectors := make([]key, tools), make([][]float32, tools)
	for i := range vectors {
		keys[i] = keyOf(word(i))
		vectors[i] = make([]float32, dimensions)
		for d := range vectors[i] {
			vectors[i][d] = float32(r.NormFloat64()) + 0.7
		}
		if err := (asker{}).check(vectors[i], dimensions); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.file.add(keys, vectors); err != nil {
		t.Fatal(err)
	}
	s.scale.Store(&scale{apart: -1, together: 1})
	table := &Table{service: s, tools: make([]*catalog.Tool, tools)}
	table.fill(keys)
	return table, vectors
}

// The sketches let through nearly all that a comparison with all vectors would find, even here, where but one is really near.
func TestNearestFindsWhatIsNearest(t *testing.T) {
	t.Parallel()
	table, vectors := randomTable(t, 3000, 100)
	found, wanted := 0, 0
	for i := range 20 {
		request := slices.Clone(vectors[i*100])
		r := rand.New(rand.NewPCG(3, uint64(i)))
		for d := range request {
			request[d] += float32(r.NormFloat64()) * 0.05
		}
		if err := (asker{}).check(request, len(request)); err != nil {
			t.Fatal(err)
		}
		type near struct {
			doc  int
			near float32
		}
		var exact []near
		for d, v := range vectors {
			exact = append(exact, near{d, cosine(request, v)})
		}
		slices.SortFunc(exact, func(a, b near) int {
			if a.near > b.near {
				return -1
			}
			return 1
		})
		got := map[int]float32{}
		compared := 0
		if !table.Nearest(request, 256, func(int) bool { compared++; return true }, func(d int, n float32) { got[d] = n }) {
			t.Fatal("no answer")
		}
		if compared != 256 {
			t.Errorf("%d tools were compared", compared)
		}
		for _, e := range exact[:5] {
			wanted++
			if n, ok := got[e.doc]; ok {
				found++
				if off := n - (e.near+1)/2; off > 0.01 || off < -0.01 {
					t.Errorf("nearness %v for a cosine of %v", n, e.near)
				}
			}
		}
		if _, ok := got[i*100]; !ok {
			t.Error("the nearest one is missing")
		}
	}
	if found*10 < wanted*7 {
		t.Errorf("%d of the %d nearest were found", found, wanted)
	}
}

// A filter that lets little through does not make its tools harder to find.
func TestNearestOfFewTools(t *testing.T) {
	t.Parallel()
	table, vectors := randomTable(t, 2000, 100)
	var got []int
	table.Nearest(vectors[5], 256, func(d int) bool { return d >= 1990 }, func(d int, _ float32) { got = append(got, d) })
	slices.Sort(got)
	if !slices.Equal(got, []int{1990, 1991, 1992, 1993, 1994, 1995, 1996, 1997, 1998, 1999}) {
		t.Errorf("found %v", got)
	}
	if table.Nearest(vectors[5][:50], 256, nil, nil) {
		t.Error("a vector of other dimensions is compared")
	}
}

func TestTextOfATool(t *testing.T) {
	t.Parallel()
	kit := &catalog.Toolkit{Slug: "shop", Name: "Shop"}
	long := textOf(&catalog.Tool{Name: "x", Toolkit: kit, Description: strings.Repeat("ü", 2000)})
	if len(long) > maxText || strings.ContainsRune(long, '\uFFFD') || !strings.HasSuffix(long, "ü") {
		t.Errorf("%d bytes, ends in %q", len(long), long[len(long)-4:])
	}
	if got := textOf(&catalog.Tool{Slug: "SHOP_LIST_ITEMS", Toolkit: kit}); got != "Shop: shop list items" {
		t.Errorf("%q", got)
	}
}

func BenchmarkNearest(b *testing.B) {
	for _, dimensions := range []int{256, 1536} {
		b.Run("", func(b *testing.B) {
			table, vectors := randomTable(b, 32_000, dimensions)
			b.ResetTimer()
			for i := range b.N {
				table.Nearest(vectors[i%1000], 256, func(int) bool { return true }, func(int, float32) {})
			}
		})
	}
}
