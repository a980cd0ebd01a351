package search

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Create an issue":        {"create", "an", "issue"},
		"GITHUB_CREATE_ISSUE":    {"github", "create", "issue"},
		"createGitHubIssue":      {"creategithubissue", "create", "git", "hub", "issue"},
		"HTTPServer v2 OAuth2":   {"httpserver", "http", "server", "v2", "oauth2", "o", "auth2"},
		"an engineer's to-dos":   {"an", "engineer", "to", "dos"},
		"it’s ‘quoted’ (Straße)": {"it", "quoted", "straße"},
		"":                       nil,
	} {
		var got []string
		for _, w := range split(text) {
			got = append(append(got, w.text), w.parts...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("split(%q) (-want +got)\n%s", text, diff)
		}
	}
}

func TestSplitKnowsSentences(t *testing.T) {
	t.Parallel()
	var starts []string
	for _, w := range split("Post it in Box. Then tell Ann! v1.2 is fine") {
		if w.starts {
			starts = append(starts, w.text)
		}
	}
	if diff := cmp.Diff([]string{"post", "then", "v1"}, starts); diff != "" {
		t.Errorf("words that start a sentence (-want +got)\n%s", diff)
	}
}

func TestStemBringsFormsTogether(t *testing.T) {
	t.Parallel()
	for _, forms := range [][]string{
		{"issue", "issues"}, {"repository", "repositories"}, {"send", "sent", "sends", "sending"}, {"person", "people", "persons"},
		{"write", "wrote", "written"}, {"archive", "archived", "archiving"},
	} {
		for _, f := range forms[1:] {
			if stem(f) != stem(forms[0]) {
				t.Errorf("stem(%q) = %q, but stem(%q) = %q", f, stem(f), forms[0], stem(forms[0]))
			}
		}
	}
}

func TestReadVerbs(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for query, want := range map[string]verbClass{
		"raise a ticket":                     verbCreate,
		"please could you list my issues":    verbList,
		"I want to get rid of this file":     verbDelete,
		"which issues are open":              verbList,
		"how many people signed up":          verbCount,
		"turn the alerts off":                verbDisable,
		"put the old version back":           verbRestore,
		"let everybody in the team know":     verbSend,
		"look up a person by address":        verbSearch,
		"Slack messages that I want deleted": verbDelete,
		"tick the task off":                  verbFinish,
		"sign off on the timesheets":         verbApprove,
		"say no to the invitation":           verbReject,
		"open the ticket again":              verbRestore,
		"manage the labels":                  verbManage,
		"relocate a file":                    verbMove, // not misspelt, though no tool says so
	} {
		s := x.borrow()
		if r := x.read(Query{Text: query}, s, nil); !r.want.has(want) {
			t.Errorf("%q wants %b, which has not class %d", query, r.want, want)
		}
		x.scratch.Put(s)
	}
}

func TestReadVerbsOfAList(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	s := x.borrow()
	r := x.read(Query{Text: "create, update or delete events"}, s, nil)
	if !r.want.has(verbCreate) || !r.also.has(verbUpdate) || !r.also.has(verbDelete) {
		t.Errorf("wants %b and also %b", r.want, r.also)
	}
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	set := func(c verbClass) verbSet { return 1 << c }
	if a := agreement(set(verbCreate), set(verbCreate)); a != 1 {
		t.Errorf("the same verb agrees by %v, want 1", a)
	}
	if a := agreement(set(verbCreate), set(verbDelete)); a != -1 {
		t.Errorf("create and delete agree by %v, want -1", a)
	}
	if a := agreement(0, set(verbDelete)); a != 0 {
		t.Errorf("no verb agrees with delete by %v, want 0", a)
	}
	for a := noVerb; a < verbClasses; a++ {
		for b := noVerb; b < verbClasses; b++ {
			if x, y := agreement(set(a), set(b)), agreement(set(b), set(a)); x != y {
				t.Errorf("classes %d and %d agree by %v one way and by %v the other", a, b, x, y)
			}
		}
	}
}

func TestToolVerb(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		tool  catalog.Tool
		want  verbClass
		never verbClass
	}{
		{"first word", catalog.Tool{Slug: "X_LIST_ITEMS", Name: "Items to delete"}, verbList, verbDelete},
		{"later word", catalog.Tool{Slug: "X_ISSUES_CREATE", Name: "Issues"}, verbCreate, verbRead},
		{"noun that is no verb here", catalog.Tool{Slug: "X_CREATE_FILE", Name: "Create file"}, verbCreate, verbSend},
		{"a method before the verb", catalog.Tool{Slug: "X_GET_SEARCH", Name: "Get search"}, verbSearch, verbCreate},
		{"a method before a participle", catalog.Tool{Slug: "X_GET_COUNTED_ITEMS", Name: "Get counted items"}, verbRead, verbCount},
		{"by its hints", catalog.Tool{Slug: "X_FRONT_PAGE", Name: "Front page", Hints: catalog.Hints{Read: true}}, verbRead, verbCreate},
	} {
		tc.tool.Toolkit = &catalog.Toolkit{Slug: "x"}
		if v := toolVerb(&tc.tool, new(gluer).nameWords(&tc.tool)); !v.has(tc.want) || v.has(tc.never) {
			t.Errorf("%s: %s does %b, want class %d and not class %d", tc.name, tc.tool.Slug, v, tc.want, tc.never)
		}
	}
}

// TestFindsAny covers tools that search without a word of what they find.
func TestFindsAny(t *testing.T) {
	t.Parallel()
	own := []string{"you", "tube", "youtube"}
	for name, want := range map[string]bool{
		"search": true, "search for content": true, "search youtube": true, "get search": true, "search all items": true,
		"search videos": false, "find user": false,
	} {
		if got := findsAny(strings.Fields(name), own); got != want {
			t.Errorf("findsAny(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestNearestWord(t *testing.T) {
	t.Parallel()
	s := newSpelling(map[string]int{"folder": 3, "repository": 9, "message": 4, "file": 2}, &routes{})
	for written, want := range map[string]string{
		"fodler": "folder", "repositroy": "repository", "mesage": "message", "flie": "", "banana": "", "": "",
	} {
		if got := s.nearest(written); got != want {
			t.Errorf("nearest(%q) = %q, want %q", written, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"same", "same", 2, 0}, {"folder", "fodler", 2, 1}, {"cat", "cart", 2, 1}, {"kitten", "sitting", 3, 3}, {"kitten", "sitting", 1, 2}, {"", "ab", 2, 2},
	} {
		if got := distance(tc.a, tc.b, tc.limit); got != tc.want {
			t.Errorf("distance(%q, %q, %d) = %d, want %d", tc.a, tc.b, tc.limit, got, tc.want)
		}
	}
}

func TestConceptsAreStemsOfOneWord(t *testing.T) {
	t.Parallel()
	for word, others := range concepts {
		for _, o := range others {
			if o.stem == word || stem(o.stem) != o.stem && stem(stem(o.stem)) != stem(o.stem) {
				t.Errorf("concept %q leads to %q", word, o.stem)
			}
		}
	}
}

func TestRouteNames(t *testing.T) {
	t.Parallel()
	x := Documents([]Document{
		{ID: "GoogleDocsApi.create", Toolkit: "GoogleDocsApi", Name: "create document"},
		{ID: "share_point.list", Toolkit: "share_point", ToolkitName: "SharePoint", Name: "list sites"},
		{ID: "monday.list", Toolkit: "monday", Name: "list boards", Aliases: []string{"monday.com"}},
		{ID: "chattybot.send", Toolkit: "chattybot", Name: "send message"},
	})
	for query, want := range map[string]int32{
		"write a Google Doc": 0, "in google docs": 0, "what is on our Sharepoint": 1, "the share point site": 1, "boards on monday.com": 2,
		"post in Chatty": 3,
	} {
		strength := make([]float32, 4)
		x.routes.find(split(query), strength)
		for i, s := range strength {
			if (s >= routed) != (int32(i) == want) {
				t.Errorf("%q names toolkits by %v, want number %d", query, strength, want)
				break
			}
		}
	}
}

func TestArgumentsOfABrokenSchema(t *testing.T) {
	t.Parallel()
	tk := &catalog.Toolkit{Slug: "x", Tools: []*catalog.Tool{{Slug: "X_GET_THING", Held: &catalog.Detail{Input: catalog.Schema{JSON: []byte(`{"properties":`)}}}}}
	tk.Tools[0].Toolkit = tk
	if hits := build([]*catalog.Toolkit{tk}, true, nil).Search(Query{Text: "get thing"}); len(hits) != 1 {
		t.Errorf("found %v", hits)
	}
}
