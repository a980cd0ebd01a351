package search

import (
	"slices"
	"testing"
)

func TestAlternativesAreGroups(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, tc := range []struct {
		name, query string
		want        []int // by word
		groups      int
	}{
		{"none", "create an issue in GitHub", []int{0, 0, 0, 0, 0}, 0},
		{"commas alone list facts", "create an issue, urgent, today", []int{0, 0, 0, 0, 0}, 0},
		{"or", "issues or events", []int{1, 2, 2}, 2},
		{"commas and or", "channels, folders, or issues", []int{1, 2, 3, 3}, 3},
		{"verbs share their thing", "create, update or delete contacts", []int{1, 1, 1, 1, 1}, 1},
		{"an app belongs to all", "issues or events in GitHub", []int{1, 2, 2, 2, 0}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := x.read(Query{Text: tc.query}, x.borrow(), nil)
			got := make([]int, len(r.words))
			for i := range r.words {
				got[i] = r.words[i].group
			}
			if !slices.Equal(got, tc.want) || r.groups != tc.groups {
				t.Errorf("groups of %q are %v, %d of them; want %v, %d", tc.query, got, r.groups, tc.want, tc.groups)
			}
		})
	}
}

func TestSearchServesOneAlternative(t *testing.T) {
	t.Parallel()
	x := Documents([]Document{
		{ID: "forge.list_branches", Toolkit: "forge", Name: "list branches"},
		{ID: "forge.list_releases", Toolkit: "forge", Name: "list releases"},
		{ID: "forge.list_release_branch_tags", Toolkit: "forge", Name: "list release branch tags"},
		{ID: "mill.list_orders", Toolkit: "mill", Name: "list orders"},
	})
	got := slugs(x.Search(Query{Text: "list releases, branches or tickets in forge", Limit: 2}))
	slices.Sort(got)
	if !slices.Equal(got, []string{"forge.list_branches", "forge.list_releases"}) {
		t.Errorf("found %v, want the tools of one alternative before the one that has a word of each", got)
	}
}

func TestManyAlternatives(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	query := "issues"
	for range 3 * mostGroups {
		query += " or events"
	}
	if r := x.read(Query{Text: query}, x.borrow(), nil); r.groups != mostGroups {
		t.Errorf("%d groups, want %d", r.groups, mostGroups)
	}
	if got := slugs(x.Search(Query{Text: query})); len(got) == 0 {
		t.Error("found nothing")
	}
}

func TestSearchPrefersTheThingToItsPlace(t *testing.T) {
	t.Parallel()
	x := Documents([]Document{
		{ID: "plank.add_board", Toolkit: "plank", Name: "add board"},
		{ID: "plank.add_card", Toolkit: "plank", Name: "add card"},
	})
	for query, want := range map[string]string{"add a new card to our board": "plank.add_card", "add a new board under this card": "plank.add_board"} {
		if got := slugs(x.Search(Query{Text: query})); len(got) == 0 || got[0] != want {
			t.Errorf("Search(%q) = %v, want %s first", query, got, want)
		}
	}
}

func TestChatterCountsLess(t *testing.T) {
	t.Parallel()
	x := Documents([]Document{
		{ID: "a.trips", Toolkit: "a", Name: "trips", Description: "Hotels for a journey."},
		{ID: "b.talks", Toolkit: "b", Name: "talks", Description: "Popular talks."},
		{ID: "c.songs", Toolkit: "c", Name: "songs", Description: "Plays songs."},
	})
	query := "can you recommend some popular hotels that are interesting"
	if got := slugs(x.Search(Query{Text: query})); len(got) == 0 || got[0] != "a.trips" {
		t.Errorf("Search(%q) = %v, want a.trips first", query, got)
	}
}
