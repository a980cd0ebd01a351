package search

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func slugs(hits []Hit) []string {
	list := []string{}
	for _, h := range hits {
		list = append(list, h.Tool.Slug)
	}
	return list
}

func TestSearchFindsTheTool(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, tc := range []struct{ name, query, want string }{
		{"plain", "create an issue in a GitHub repository", "GITHUB_CREATE_AN_ISSUE"},
		{"slug itself", "GITHUB_CREATE_A_PULL_REQUEST", "GITHUB_CREATE_A_PULL_REQUEST"},
		{"app written apart", "which git hub issues are open", "GITHUB_LIST_REPOSITORY_ISSUES"},
		{"app by alias", "put lunch on my gcal", "GOOGLECALENDAR_CREATE_EVENT"},
		{"app in two words", "when is everybody free, says Google Calendar", "GOOGLECALENDAR_FIND_FREE_SLOTS"},
		{"app that is a word", "raise a ticket in Linear", "LINEAR_CREATE_LINEAR_ISSUE"},
		{"app that is a word, lower case", "make a folder in box", "BOX_CREATE_FOLDER"},
		{"other noun", "file a bug on GitHub", "GITHUB_CREATE_AN_ISSUE"},
		{"other verb", "get rid of the GitHub repository", "GITHUB_DELETE_A_REPOSITORY"},
		{"verb apart", "let the team know on Slack that we ship", "SLACK_SEND_MESSAGE"},
		{"question", "which channels are there in Slack", "SLACK_LIST_ALL_CHANNELS"},
		{"noun that is a verb", "comment on the GitHub issue", "GITHUB_CREATE_AN_ISSUE_COMMENT"},
		{"abbreviation", "open a PR on GitHub", "GITHUB_CREATE_A_PULL_REQUEST"},
		{"expression", "give the customer their money back", "STRIPE_CREATE_REFUND"},
		{"no app", "send an email to my boss", "GMAIL_SEND_EMAIL"},
		{"no app, other noun", "show me our bills", "STRIPE_LIST_INVOICES"},
		{"typo in a noun", "create a fodler", "BOX_CREATE_FOLDER"},
		{"typo in the app", "send a Gmial message", "GMAIL_SEND_EMAIL"},
		{"politeness", "Hi, could you please help me to query a Notion database?", "NOTION_QUERY_DATABASE"},
		{"long", "create an event in Google Calendar for Thursday because the whole team wants to look at the numbers of the last quarter " +
			"again before they are sent to the people who asked for them in their message", "GOOGLECALENDAR_CREATE_EVENT"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := slugs(x.Search(Query{Text: tc.query}))
			if len(got) == 0 || got[0] != tc.want {
				t.Errorf("Search(%q) = %v, want %s first", tc.query, got, tc.want)
			}
		})
	}
}

// TestSearchFindsWhatFindsAnything covers requests to find a thing in an app that has one search for all things.
func TestSearchFindsWhatFindsAnything(t *testing.T) {
	t.Parallel()
	x := Documents([]Document{
		{ID: "drive9.list_folder", Toolkit: "drive9", Name: "list folder"}, {ID: "drive9.create_folder", Toolkit: "drive9", Name: "create folder"},
		{ID: "drive9.delete_file", Toolkit: "drive9", Name: "delete file"}, {ID: "drive9.search_content", Toolkit: "drive9", Name: "search content"},
		{ID: "tasks9.search", Toolkit: "tasks9", Name: "search"},
	})
	if got := slugs(x.Search(Query{Text: "find files or folders in drive9"})); !slices.Contains(got[:min(3, len(got))], "drive9.search_content") {
		t.Errorf("got %v, want drive9.search_content among the first three", got)
	}
	if got := slugs(x.Search(Query{Text: "create a folder in drive9"})); got[0] != "drive9.create_folder" {
		t.Errorf("got %v, want drive9.create_folder first", got)
	}
}

// TestScoreLeavesOutNothing compares short lists with the beginning of one so long that no tool is left out on the way.
func TestScoreLeavesOutNothing(t *testing.T) {
	t.Parallel()
	docs := bigFixture(3000)
	x := Documents(docs)
	best := func(q Query) []scored {
		s := x.borrow()
		r := x.read(q, s, nil)
		x.match(r, s)
		x.score(q, r, s, x.tops(q, s))
		return s.best
	}
	for _, text := range []string{
		"create an issue", "find contacts of a team in app7", "send the invoice or the report to an account", "medical care near me", "message",
	} {
		all := best(Query{Text: text, Limit: len(docs)})
		for _, limit := range []int{1, 5, 20} {
			if got := best(Query{Text: text, Limit: limit}); !slices.Equal(got, all[:min(limit, len(all))]) {
				t.Errorf("the best %d of %q are %v, want %v", limit, text, got, all[:min(limit, len(all))])
			}
		}
	}
}

// TestSearchReadsTheBeginning covers requests that somebody pasted a text into.
func TestSearchReadsTheBeginning(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	pasted := strings.Repeat("delete the calendar event of the repository and the invoice ", 40)
	if got := slugs(x.Search(Query{Text: "create an issue: " + pasted + " In GitHub."})); got[0] != "GITHUB_CREATE_AN_ISSUE" {
		t.Errorf("got %v, want GITHUB_CREATE_AN_ISSUE first", got)
	}
	s := x.borrow()
	if r := x.read(Query{Text: pasted + pasted}, s, nil); len(r.slots) > 2*mostWords {
		t.Errorf("%d slots for a pasted text", len(r.slots))
	}
}

func TestSearchNeverAnswersTheOpposite(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for query, never := range map[string]string{
		"create an event in Google Calendar": "GOOGLECALENDAR_DELETE_EVENT",
		"show me the repository on GitHub":   "GITHUB_DELETE_A_REPOSITORY",
	} {
		got := slugs(x.Search(Query{Text: query, Limit: 3}))
		if i := slices.Index(got, never); i == 0 {
			t.Errorf("Search(%q) = %v, and %s is first", query, got, never)
		}
	}
}

func TestSearchSaysWhenNothingFits(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, query := range []string{
		"", "   ", "the of and", "water the plants on my balcony", "what is the meaning of life", "preheat the oven", "sing me a lullaby",
	} {
		if got := slugs(x.Search(Query{Text: query})); len(got) != 0 {
			t.Errorf("Search(%q) = %v, want nothing", query, got)
		}
	}
}

func TestSearchNamesTheApp(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for query, want := range map[string]bool{
		"send a message on Slack":      true,
		"create an issue in Linear":    true,
		"find the box with the folder": false,
		"send an email":                false,
	} {
		hits := x.Search(Query{Text: query})
		if len(hits) == 0 {
			t.Fatalf("Search(%q) found nothing", query)
		}
		if hits[0].Named != want {
			t.Errorf("Search(%q): %s is named: %v, want %v", query, hits[0].Tool.Slug, hits[0].Named, want)
		}
	}
}

func TestSearchAnswersOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	asked := make(map[string]int)
	hits := x.Search(Query{Text: "create an issue on GitHub", Allow: func(t *catalog.Tool) bool {
		asked[t.Slug]++
		return t.Toolkit.Slug == "linear"
	}})
	if got := slugs(hits); len(got) == 0 || got[0] != "LINEAR_CREATE_LINEAR_ISSUE" {
		t.Errorf("got %v, want LINEAR_CREATE_LINEAR_ISSUE first", got)
	}
	for _, h := range hits {
		if h.Tool.Toolkit.Slug != "linear" {
			t.Errorf("%s was not allowed", h.Tool.Slug)
		}
	}
	for slug, n := range asked {
		if n > 1 {
			t.Errorf("asked %d times whether %s is allowed", n, slug)
		}
	}
}

func TestSearchPrefersConnectedToolkits(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	query := "create an issue"
	for _, app := range []string{"github", "linear"} {
		hits := x.Search(Query{Text: query, Connected: func(tk string) bool { return tk == app }})
		if len(hits) == 0 || hits[0].Tool.Toolkit.Slug != app {
			t.Errorf("with %s connected, got %v", app, slugs(hits))
		}
	}
}

func TestSearchUsesKnownFacts(t *testing.T) {
	t.Parallel()
	docs := []Document{
		{ID: "a.find", Toolkit: "a", Name: "find person", Parameters: []string{"phone_number"}},
		{ID: "b.find", Toolkit: "b", Name: "find person", Parameters: []string{"email_address"}},
	}
	x := Documents(docs)
	if got := slugs(x.Search(Query{Text: "find a person", Known: "email_address:a@b.example"})); len(got) != 2 || got[0] != "b.find" {
		t.Errorf("got %v, want b.find first", got)
	}
}

func TestSearchKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	all := slugs(x.Search(Query{Text: "list issues", Limit: 100}))
	if got := slugs(x.Search(Query{Text: "list issues", Limit: 3})); !cmp.Equal(got, all[:3]) {
		t.Errorf("limit 3 gives %v, the best of all are %v", got, all[:3])
	}
	if got := x.Search(Query{Text: "list issues"}); len(got) > 10 {
		t.Errorf("no limit gives %d hits, want at most 10", len(got))
	}
}

func TestSearchIsTheSameFromAllGoroutines(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	queries := []string{"send an email", "raise a ticket in Linear", "which channels are there in Slack", "water the plants"}
	var want [][]string
	for _, q := range queries {
		want = append(want, slugs(x.Search(Query{Text: q})))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				for i, q := range queries {
					if got := slugs(x.Search(Query{Text: q})); !cmp.Equal(got, want[i]) {
						t.Errorf("Search(%q) = %v, before it was %v", q, got, want[i])
					}
				}
			}
		})
	}
	all.Wait()
}

func TestEmptyIndex(t *testing.T) {
	t.Parallel()
	x := build(nil, true, nil)
	if got := x.Search(Query{Text: "anything"}); len(got) != 0 {
		t.Errorf("got %v from an empty index", got)
	}
	if got := x.Toolkits("anything"); len(got) != 0 {
		t.Errorf("got toolkits %v from an empty index", got)
	}
}

func TestToolkits(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for query, want := range map[string][]string{
		"github":        {"github"},
		"gh":            {"github"},
		"git hub":       {"github"},
		"Google":        {"gmail", "googlecalendar"}, // gmail goes by "google mail"
		"cal":           {"googlecalendar"},
		"issues":        {"github", "linear"}, // by description, most used first
		"files folders": {"box"},
		"nothing":       {},
		"":              {},
	} {
		got := []string{}
		for _, tk := range x.Toolkits(query) {
			got = append(got, tk.Slug)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Toolkits(%q) (-want +got)\n%s", query, diff)
		}
	}
}

func BenchmarkSearch32k(b *testing.B) {
	x := Documents(bigFixture(32_000))
	queries := []string{
		"create an issue in app17", "let the team know that the deploy is done", "find a contact by name",
		"show me all invoices of the last month and archive those that are paid, for the team in the workspace",
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Search(Query{Text: queries[i%len(queries)]})
	}
}

func BenchmarkBuild32k(b *testing.B) {
	docs := bigFixture(32_000)
	for b.Loop() {
		Documents(docs)
	}
}
