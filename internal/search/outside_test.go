package search

import (
	"slices"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// spokenFor are vectors that say of each tool how near it is, whatever the request.
type spokenFor struct {
	tools []*catalog.Tool
	near  map[string]float32
	ready bool
	asked int
}

func (v *spokenFor) Nearest(_ []float32, most int, wanted func(int) bool, found func(int, float32)) bool {
	v.asked++
	if !v.ready {
		return false
	}
	for d, t := range v.tools {
		if near := v.near[t.Slug]; near > 0 && wanted(d) && most > 0 {
			most--
			found(d, near)
		}
	}
	return true
}

func outsideFixture(near map[string]float32) (*Index, *spokenFor) {
	v := &spokenFor{near: near, ready: true}
	x := Documents(meantFixture()).WithVectors(func(tools []*catalog.Tool) Vectors {
		v.tools = tools
		return v
	})
	return x, v
}

var someVector = []float32{1}

func TestVectorsOfAModelOutside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query string
		near  map[string]float32
		want  string // the first; empty: nothing fits
	}{
		"find what shares no word":                 {"wibble the wobble", map[string]float32{"ledger.invoices": 1, "kitchen.recipes": 0.4}, "ledger.invoices"},
		"do not make what is hardly near fit":      {"wibble the wobble", map[string]float32{"ledger.invoices": 0.4}, ""},
		"do not outweigh all the words":            {"search flights between two airports", map[string]float32{"kitchen.recipes": 0.5, "trip.flights": 0.4}, "trip.flights"},
		"decide among what the words leave open":   {"search physicians or recipes", map[string]float32{"kitchen.recipes": 0.2, "clinic.doctors": 1}, "clinic.doctors"},
		"say that nothing has to do with anything": {"xyzzy plugh", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, _ := outsideFixture(c.near)
			got := slugs(x.Search(Query{Text: c.query, Vector: someVector}))
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) == 0 || got[0] != c.want) {
				t.Errorf("found %v, want %q first", got, c.want)
			}
		})
	}
}

// Without a vector of the request, or of all tools, a search answers as if there was no model.
func TestASearchWithoutVectors(t *testing.T) {
	t.Parallel()
	plain := Documents(meantFixture())
	x, v := outsideFixture(map[string]float32{"ledger.invoices": 1})
	for _, query := range []string{"search medical care near me", "find me a plane, tickets for air travel", "wibble the wobble"} {
		want := plain.Search(Query{Text: query})
		if got := x.Search(Query{Text: query}); !slices.Equal(slugs(got), slugs(want)) {
			t.Errorf("%q finds %v without a vector, and %v without a model", query, slugs(got), slugs(want))
		}
		if v.asked != 0 {
			t.Error("vectors were compared with none")
		}
		v.ready = false
		if got := x.Search(Query{Text: query, Vector: someVector}); !slices.Equal(slugs(got), slugs(want)) {
			t.Errorf("%q finds %v while vectors are made, and %v without a model", query, slugs(got), slugs(want))
		}
		v.asked, v.ready = 0, true
	}
}

func TestVectorsKeepToWhatIsAllowed(t *testing.T) {
	t.Parallel()
	x, _ := outsideFixture(map[string]float32{"ledger.invoices": 1, "kitchen.recipes": 0.3})
	allow := func(tool *catalog.Tool) bool { return tool.Toolkit.Slug == "kitchen" }
	if got := x.Search(Query{Text: "wibble the wobble", Vector: someVector, Allow: allow}); len(got) != 0 {
		t.Errorf("found %v: a tool that is not allowed lets others pass", slugs(got))
	}
}

// A project's own tools lie in an index of their own, over the shared one. Both have vectors, and what is found is in one order.
func TestVectorsOfTwoLayers(t *testing.T) {
	t.Parallel()
	kit := func(slug, tool, text string) *catalog.Toolkit {
		k := &catalog.Toolkit{Slug: slug, Name: slug}
		k.Tools = []*catalog.Tool{{Slug: tool, Name: text, Description: text, Toolkit: k, Held: &catalog.Detail{}}}
		return k
	}
	base, err := catalog.NewSnapshot(kit("ledger", "LEDGER_LIST", "list invoices"))
	if err != nil {
		t.Fatal(err)
	}
	over := base.Over(kit("clinic", "CLINIC_FIND", "find doctors"))
	near := map[string]float32{"LEDGER_LIST": 0.9, "CLINIC_FIND": 1}
	indexes := NewIndexes(IndexesOptions{Vectors: func(tools []*catalog.Tool) Vectors { return &spokenFor{tools: tools, near: near, ready: true} }})
	if got := slugs(indexes.Of(over).Search(Query{Text: "wibble the wobble", Vector: someVector})); !slices.Equal(got, []string{"CLINIC_FIND", "LEDGER_LIST"}) {
		t.Errorf("found %v", got)
	}
	near["LEDGER_LIST"], near["CLINIC_FIND"] = 1.1, 0.5
	if got := slugs(indexes.Of(over).Search(Query{Text: "wibble the wobble", Vector: someVector})); len(got) == 0 || got[0] != "LEDGER_LIST" {
		t.Errorf("found %v", got)
	}
}
