package search

import (
	"slices"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func TestVectorsAreInOrder(t *testing.T) {
	t.Parallel()
	lines := len(vectorWords) / lineSize
	if lines*lineSize != len(vectorWords) || lines*meaningSize != len(vectorBytes) {
		t.Fatalf("%d bytes of words and %d of vectors do not go together", len(vectorWords), len(vectorBytes))
	}
	for i := range lines {
		if i > 0 && writtenAt(i-1) >= writtenAt(i) {
			t.Fatalf("%q comes before %q", writtenAt(i-1), writtenAt(i))
		}
		if vectorOf(writtenAt(i)) != vectorBytes[i*meaningSize:][:meaningSize] {
			t.Fatalf("%q is not found", writtenAt(i))
		}
	}
	for _, word := range []string{"", " ", "zzzzzzzz", "qxqx", "a word that is longer than a line"} {
		if v := vectorOf(word); v != "" {
			t.Errorf("%q has a vector", word)
		}
	}
}

func TestLikeWordsAreNear(t *testing.T) {
	t.Parallel()
	near := func(a, b string) float32 {
		var m meaning
		m.add(newVector(b), 1)
		return newVector(a).likeness((*[meaningSize]uint8)(m.appendTo(nil)))
	}
	for _, words := range [][3]string{{"flight", "airline", "invoice"}, {"recipe", "cooking", "repository"}, {"doctor", "hospital", "spreadsheet"}} {
		if like, other := near(words[0], words[1]), near(words[0], words[2]); like <= other {
			t.Errorf("%s: %s is %v near, %s %v", words[0], words[1], like, words[2], other)
		}
	}
	if same := near("flight", "flight"); same < 0.98 || same > 1.02 {
		t.Errorf("a word is %v near itself, want 1", same)
	}
}

// meantFixture has tools that the requests of the tests share hardly a word with.
func meantFixture() []Document {
	return []Document{
		{ID: "trip.flights", Toolkit: "trip", Name: "search flights", Description: "Airline tickets between two airports."},
		{ID: "kitchen.recipes", Toolkit: "kitchen", Name: "suggest recipes", Description: "Dishes to cook from ingredients."},
		{ID: "clinic.doctors", Toolkit: "clinic", Name: "find doctors", Description: "Physicians and hospitals near a place."},
		{ID: "ledger.invoices", Toolkit: "ledger", Name: "list invoices", Description: "Invoices that a company has sent."},
	}
}

func TestMeaningFindsWhatWordsDoNot(t *testing.T) {
	t.Parallel()
	x := Documents(meantFixture())
	for query, want := range map[string]string{
		"search medical care near me":             "clinic.doctors",
		"find me a plane, tickets for air travel": "trip.flights",
		"what does my company owe to a supplier":  "ledger.invoices",
	} {
		if got := slugs(x.Search(Query{Text: query})); len(got) == 0 || got[0] != want {
			t.Errorf("Search(%q) = %v, want %s first", query, got, want)
		}
	}
}

func TestMeaningDoesNotMakeThingsFit(t *testing.T) {
	t.Parallel()
	x := Documents(meantFixture())
	for _, query := range []string{"paint the fence", "sing me a lullaby", "xyzzy plugh", "merge the branch", "tune my guitar"} {
		if got := slugs(x.Search(Query{Text: query})); len(got) != 0 {
			t.Errorf("Search(%q) = %v, want nothing", query, got)
		}
	}
}

func TestMeaningKeepsToWhatIsAllowed(t *testing.T) {
	t.Parallel()
	x := Documents(meantFixture())
	none := x.Search(Query{Text: "search medical care near me", Allow: func(tool *catalog.Tool) bool { return tool.Toolkit.Slug == "ledger" }})
	if len(none) != 0 {
		t.Errorf("found %v: the tool that is meant is not allowed and lets others pass", slugs(none))
	}
}

// TestMeaningIsExact compares the answer with the one that comparing every tool would give.
func TestMeaningIsExact(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, query := range []string{"send an email", "cash back for a purchase", "which chats are there", "meeting with my boss"} {
		all := slugs(x.Search(Query{Text: query, Limit: len(x.tools)}))
		few := slugs(x.Search(Query{Text: query, Limit: 1}))
		if len(few) > 0 && !slices.Equal(few, all[:1]) {
			t.Errorf("Search(%q) = %v with a limit of one, %v without", query, few, all[:min(3, len(all))])
		}
	}
}
