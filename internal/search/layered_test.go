package search

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func snapshotOf(t testing.TB, toolkits ...*catalog.Toolkit) *catalog.Snapshot {
	t.Helper()
	s, err := catalog.NewSnapshot(toolkits...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parted gives the fixture's toolkits but for one, and that one.
func parted(t testing.TB, slug string) (rest []*catalog.Toolkit, one *catalog.Toolkit) {
	t.Helper()
	for _, tk := range parseFixture(appFixture) {
		if tk.Slug == slug {
			one = tk
		} else {
			rest = append(rest, tk)
		}
	}
	if one == nil {
		t.Fatalf("the fixture has no toolkit %s", slug)
	}
	return rest, one
}

func slugsOf(hits []Hit) []string {
	slugs := []string{}
	for _, h := range hits {
		slugs = append(slugs, h.Tool.Slug)
	}
	return slugs
}

// TestLayeredIsLikeOne asks one index of everything, and one toolkit's index over that of the rest.
func TestLayeredIsLikeOne(t *testing.T) {
	t.Parallel()
	whole := build(parseFixture(appFixture), true, nil)
	for _, slug := range []string{"github", "gmail", "slack"} {
		rest, one := parted(t, slug)
		base := snapshotOf(t, rest...)
		layered := Build(base.Over(one), Build(base, nil))
		for _, text := range []string{
			"create an issue on " + slug, "send an email to the team", "fetch my emails", "post a message in a channel", slug,
			"merge the pull request", "delete a file", "completely unrelated nonsense zzyzx",
		} {
			want, got := whole.Search(Query{Text: text, Limit: 5}), layered.Search(Query{Text: text, Limit: 5})
			if (len(want) == 0) != (len(got) == 0) {
				t.Errorf("%s over the rest, %q: found %v, want %v", slug, text, slugsOf(got), slugsOf(want))
				continue
			}
			if len(want) > 0 && want[0].Tool.Slug != got[0].Tool.Slug {
				t.Errorf("%s over the rest, %q: first %v, want %v", slug, text, slugsOf(got), slugsOf(want))
			}
			for i := range got[:max(0, len(got)-1)] {
				if got[i].Score < got[i+1].Score || got[i].Score > 1 {
					t.Errorf("%q: scores out of order", text)
				}
			}
		}
		if found := layered.Toolkits(slug); len(found) == 0 || found[0] != one {
			t.Errorf("toolkits called %s: %v", slug, found)
		}
	}
}

// TestLayeredHides puts another version in the place of a toolkit, as a pin does: the old one is not found, and filters hold in
// both layers.
func TestLayeredHides(t *testing.T) {
	t.Parallel()
	base := snapshotOf(t, parseFixture(appFixture)...)
	current, _ := base.Toolkit("github")
	older := &catalog.Toolkit{Slug: "github", Name: current.Name, Version: "20200101_00"}
	older.Tools = append(older.Tools, &catalog.Tool{Slug: "GITHUB_MAKE_ISSUE", Name: "Create an issue", Description: "Opens an issue in a repository."})
	x := Build(base.Over(older), Build(base, nil))
	for _, h := range x.Search(Query{Text: "create an issue on github", Limit: 50}) {
		if h.Tool.Toolkit == current {
			t.Errorf("%s of the version that is hidden is found", h.Tool.Slug)
		}
	}
	hits := x.Search(Query{Text: "create an issue on github"})
	if len(hits) == 0 || hits[0].Tool.Slug != "GITHUB_MAKE_ISSUE" || !hits[0].Named || hits[0].Score != 1 {
		t.Errorf("found %v", slugsOf(hits))
	}
	none := x.Search(Query{Text: "create an issue on github", Allow: func(tool *catalog.Tool) bool { return tool.Toolkit.Slug == "gmail" }})
	for _, h := range none {
		if h.Tool.Toolkit.Slug != "gmail" {
			t.Errorf("%s is found and not allowed", h.Tool.Slug)
		}
	}
	for _, tk := range x.Toolkits("github") {
		if tk == current {
			t.Error("a toolkit that is hidden is found")
		}
	}
}

// TestSavedIndex compares an index that was saved and loaded with the one that was made. Whoever adds a field to the index adds
// it to the saved ones, or to those that follow from the snapshot.
func TestSavedIndex(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, parseFixture(appFixture)...)
	made := Build(s, nil)
	var b strings.Builder
	if err := saveIndex(&b, made); err != nil {
		t.Fatal(err)
	}
	loaded, err := loadIndex(strings.NewReader(b.String()), int64(b.Len()), s)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Options{
		cmp.AllowUnexported(Index{}, routes{}, route{}, postings{}, grams{}, spelling{}), cmpopts.IgnoreFields(Index{}, "scratch"),
		cmp.Comparer(func(a, b *catalog.Toolkit) bool { return a == b }), cmp.Comparer(func(a, b *catalog.Tool) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(made, loaded, same); diff != "" {
		t.Errorf("index (-made +loaded):\n%s", diff)
	}
	for at := 0; at < b.Len(); at += 1009 {
		if _, err := loadIndex(strings.NewReader(b.String()[:at]), int64(at), s); err == nil {
			t.Fatalf("an index cut at byte %d goes unnoticed", at)
		}
		damaged := []byte(b.String())
		damaged[at] ^= 0x20
		if _, err := loadIndex(strings.NewReader(string(damaged)), int64(len(damaged)), s); err == nil {
			t.Fatalf("a change at byte %d goes unnoticed", at)
		}
	}
}

// TestIndexesAreSaved starts again over the directory of saved indexes, with the same program and with another.
func TestIndexesAreSaved(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	var big []*catalog.Toolkit
	for _, d := range bigFixture(savedFrom) {
		if n := len(big); n == 0 || big[n-1].Slug != d.Toolkit {
			big = append(big, &catalog.Toolkit{Slug: d.Toolkit, Name: d.Toolkit})
		}
		tk := big[len(big)-1]
		tk.Tools = append(tk.Tools, &catalog.Tool{Slug: d.ID, Name: d.Name, Description: d.Description, Toolkit: tk})
	}
	s := snapshotOf(t, big...)
	saved := func() []string {
		list, err := filepath.Glob(filepath.Join(directory, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	text := big[3].Tools[0].Description
	want := slugsOf(NewIndexes(IndexesOptions{Directory: directory, Program: "one"}).Of(s).Search(Query{Text: text}))
	first := saved()
	if len(first) != 1 || len(want) == 0 {
		t.Fatalf("saved %v, found %v", first, want)
	}
	x := (&files{directory: directory, program: "one"}).load(s)
	if x == nil || cmp.Diff(want, slugsOf(x.Search(Query{Text: text}))) != "" {
		t.Error("the saved index finds something else, or is not there")
	}
	if (&files{directory: directory, program: "two"}).load(s) != nil {
		t.Error("the index of another program is used")
	}
	again := NewIndexes(IndexesOptions{Directory: directory, Program: "two"})
	if one, other := again.Of(s), again.Of(s); one != other {
		t.Error("an index is made twice")
	}
	if now := saved(); len(now) != 1 || now[0] == first[0] {
		t.Errorf("saved %v", now)
	}
	if err := os.WriteFile(saved()[0], []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := slugsOf(NewIndexes(IndexesOptions{Directory: directory, Program: "two"}).Of(s).Search(Query{Text: text})); cmp.Diff(want, found) != "" {
		t.Errorf("over a damaged file: %v", found)
	}
	if base := again.Of(s); again.Of(s.Over(&catalog.Toolkit{Slug: "own", Name: "Own"})).below != base {
		t.Error("the shared index is not shared")
	}
}
