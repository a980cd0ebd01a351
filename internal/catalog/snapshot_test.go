package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

func toolkit(slug string, popularity int, tools ...string) *Toolkit {
	tk := &Toolkit{Slug: slug, Name: strings.ToUpper(slug[:1]) + slug[1:], Popularity: popularity, Version: "20261122_00"}
	for _, name := range tools {
		slug, alias, aliased := strings.Cut(name, "=")
		tool := &Tool{Slug: slug, Hints: Hints{Read: true}, Important: true, Held: &Detail{}}
		if aliased {
			tool.Aliases = []string{alias}
		}
		tk.Tools = append(tk.Tools, tool)
	}
	return tk
}

func snapshot(t *testing.T) *Snapshot {
	t.Helper()
	s, err := NewSnapshot(
		toolkit("zeta", 0, "ZETA_GET_USER"),
		toolkit("github", 3, "GITHUB_CREATE_AN_ISSUE=GITHUB_CREATE_ISSUE", "GITHUB_LIST_REPOSITORY_ISSUES", "GITHUB_GET_AN_ISSUE"),
		toolkit("gmail", 1, "GMAIL_SEND_EMAIL", "GMAIL_FETCH_EMAILS"),
		toolkit("alpha", 0, "ALPHA_GET_USER"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	s := snapshot(t)
	var order []string
	for _, tk := range s.Toolkits() {
		order = append(order, tk.Slug)
	}
	if diff := cmp.Diff([]string{"gmail", "github", "alpha", "zeta"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for asked, want := range map[string]string{
		"GITHUB_CREATE_AN_ISSUE": "GITHUB_CREATE_AN_ISSUE", "github_create_issue": "GITHUB_CREATE_AN_ISSUE", "GITHUB_CREATE_ISSUE": "GITHUB_CREATE_AN_ISSUE",
	} {
		if tool, ok := s.Tool(asked); !ok || tool.Slug != want || tool.Toolkit.Slug != "github" {
			t.Errorf("Tool(%q) = %v, %v", asked, tool, ok)
		}
	}
	if tk, ok := s.Toolkit("GitHub"); !ok || tk.Slug != "github" {
		t.Errorf("Toolkit = %v, %v", tk, ok)
	}
	if _, ok := s.Tool("GITHUB_NOPE"); ok {
		t.Error("an unknown tool was found")
	}
	tool, _ := s.Tool("GMAIL_SEND_EMAIL")
	if diff := cmp.Diff([]string{TagImportant, TagRead, TagOpenWorld}, tool.Tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	s := snapshot(t)
	for asked, want := range map[string]string{
		"GITHUB_CREAT_AN_ISSUE":                   "GITHUB_CREATE_AN_ISSUE",
		"github_issue_create":                     "GITHUB_CREATE_AN_ISSUE",
		"GITHUB_LIST_ISSUES":                      "GITHUB_LIST_REPOSITORY_ISSUES",
		"GMAIL_SEND_MAIL":                         "GMAIL_SEND_EMAIL",
		"SEND_EMAIL":                              "GMAIL_SEND_EMAIL",
		"COMPLETELY_DIFFERENT_ONE":                "",
		strings.Repeat("GITHUB_LIST_ISSUES_", 20): "", // nobody misspells a name that long
	} {
		got := s.NearestTools(asked, 2)
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0] != want || len(got) > 2) {
			t.Errorf("NearestTools(%q) = %v, want %q first", asked, got, want)
		}
	}
	if diff := cmp.Diff([]string{"github"}, s.NearestToolkits("GitHbu", 3)); diff != "" {
		t.Errorf("toolkits (-want +got):\n%s", diff)
	}
}

func TestSnapshotIdentity(t *testing.T) {
	t.Parallel()
	a, b := snapshot(t), snapshot(t)
	if a.ID != b.ID {
		t.Error("the same content has two ids")
	}
	c, err := NewSnapshot(toolkit("gmail", 1, "GMAIL_SEND_EMAIL"))
	if err != nil || c.ID == a.ID {
		t.Errorf("another content has the same id, %v", err)
	}
	if _, err := NewSnapshot(toolkit("a", 0, "A_X=B_X"), toolkit("b", 0, "B_X")); err == nil || !strings.Contains(err.Error(), "B_X (toolkits b and a)") {
		t.Errorf("a name claimed twice: %v", err)
	}
	later, err := NewSnapshot(toolkit("a", 0, "A_X"), toolkit("a", 0, "A_Y"))
	if _, ok := later.Tool("A_Y"); err != nil || !ok || len(later.Toolkits()) != 1 {
		t.Errorf("the later of two toolkits does not win: %v", err)
	}
}

func TestCatalogReplace(t *testing.T) {
	t.Parallel()
	first, second := snapshot(t), snapshot(t)
	c := New(first)
	held := c.Snapshot("p1")
	c.Replace(second)
	if held != first || c.Snapshot("p1") != second {
		t.Error("a replaced snapshot is not the current one")
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	tk := loadAcme(t, map[string]string{"acme/other.yaml": "- slug: OTHER\n  title: Other\n  description: Asks another host for something.\n  hints: [read]\n  request: GET https://other.example.com/y\n"})
	changed, err := tk.With(Override{
		BaseURL: "http://127.0.0.1:9/api/v3/", AuthorizeURL: "http://127.0.0.1:9/authorize", TokenURL: "http://{site}.test/token",
		RevokeURL: "http://127.0.0.1:9/revoke", Scopes: []string{"all"},
	})
	if err != nil {
		t.Fatal(err)
	}
	urls := func(tk *Toolkit) []string {
		var out []string
		for _, tool := range tk.Tools {
			if tool.Toolkit != tk {
				t.Errorf("%s belongs to another toolkit", tool.Slug)
			}
			b, err := tool.Held.Request.Build(tk, &mapping.Env{Input: map[string]any{"box": "1"}, Fields: map[string]string{"site": "s"}})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b.URL)
		}
		o, _ := tk.Scheme("OAUTH2")
		return append(out, o.OAuth2.AuthorizeURL.String(), o.OAuth2.TokenURL.String(), o.OAuth2.Revoke.URL.String(), strings.Join(o.OAuth2.DefaultScopes, " "))
	}
	want := []string{"http://127.0.0.1:9/api/v3/boxes/1/things", "http://127.0.0.1:9/api/v3/y", "http://127.0.0.1:9/api/v3/boxes/1/things",
		"http://127.0.0.1:9/authorize", "http://{site}.test/token", "http://127.0.0.1:9/revoke", "all"}
	if diff := cmp.Diff(want, urls(changed)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	want = []string{"https://s.example.com/boxes/1/things", "https://other.example.com/y", "https://s.example.com/boxes/1/things",
		"https://{site}.example.com/authorize", "https://{site}.example.com/token", "https://api.example.com/revoke/{client_id}", "read"}
	if diff := cmp.Diff(want, urls(tk)); diff != "" {
		t.Errorf("the original changed (-want +got):\n%s", diff)
	}
	if _, err := tk.With(Override{BaseURL: "https://{sit}.x"}); err == nil || !strings.Contains(err.Error(), `toolkits.acme.base_url: in "fields.sit"`) {
		t.Errorf("error = %v", err)
	}
	if _, err := (&Toolkit{Slug: "x"}).With(Override{TokenURL: "https://x"}); err == nil {
		t.Error("OAuth2 of a toolkit without was set")
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	tool := loadAcme(t, nil).Tools[1]
	if got, err := tool.Held.Refuse(&mapping.Env{Input: map[string]any{"size": 13}}); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "Thirteen") {
		t.Errorf("refused %v, %v", got, err)
	}
	if got, err := tool.Held.Refuse(&mapping.Env{Input: map[string]any{"size": 12}}); err != nil || got != nil {
		t.Errorf("refused %v, %v", got, err)
	}
}

func TestHasVersion(t *testing.T) {
	t.Parallel()
	tk := loadAcme(t, nil)
	for version, want := range map[string]bool{"": true, "latest": true, "00000000_00": true, "20261122_03": true, "20260101_00": false} {
		if got := tk.HasVersion(version); got != want {
			t.Errorf("HasVersion(%q) = %v", version, got)
		}
	}
}
