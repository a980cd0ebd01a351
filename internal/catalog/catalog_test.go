package catalog_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

// bed is a catalog over a real store.
type bed struct {
	*catalog.Catalog
	store     *store.Store
	bus       *notify.Bus
	directory string
	shipped   []catalog.Shipped

	mu  sync.Mutex
	now time.Time
}

func newBed(t *testing.T, shipped ...catalog.Shipped) *bed {
	t.Helper()
	b := &bed{bus: new(notify.Bus), directory: t.TempDir(), shipped: shipped, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b.store = storetest.OpenWith(t, b.bus, b.clock)
	b.Catalog = b.open(t)
	return b
}

// open makes another catalog over the same store and directory: another node, or the same after a restart.
func (b *bed) open(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(t.Context(), catalog.Options{
		Shipped: b.shipped, Store: b.store, Directory: b.directory, Bus: b.bus, Now: b.clock,
		CheckURL: func(address string) error {
			if strings.Contains(address, "127.0.0.1") {
				return fault.New(fault.Invalid, fault.SlugInvalid, "private")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bed) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// add stores a definition with tools of these names, each under a path of its own unless the name says which: LIST=/items.
func (b *bed) add(t *testing.T, projectID, slug string, names ...string) catalog.Added {
	t.Helper()
	added, err := b.Add(t.Context(), projectID, definition(slug, names...))
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func definition(slug string, names ...string) catalog.Document {
	d := &catalog.Definition{Slug: slug, Name: "The " + slug, BaseURL: "https://" + slug + ".example", Source: catalog.Source{Kind: "openapi"}}
	for _, name := range names {
		name, path, own := strings.Cut(name, "=")
		if !own {
			path = "/" + strings.ToLower(name)
		}
		d.Tools = append(d.Tools, catalog.DefinedTool{
			Slug: strings.ToUpper(slug) + "_" + name, Name: name, Description: "Does " + name + ".", Hints: catalog.Hints{Read: true},
			Input: json.RawMessage(`{"type":"object","properties":{}}`), HTTP: &catalog.DefinedHTTP{Method: "GET", Path: path},
		})
	}
	return catalog.Document{Definition: d}
}

// shippedKit is a toolkit in our own format, as a binary brings it along.
func shippedKit(t *testing.T, version string, tools ...string) catalog.Shipped {
	t.Helper()
	files := kitFiles("boxes", version, tools...)
	directory := t.TempDir()
	for name, text := range files {
		path := filepath.Join(directory, "boxes", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tk, problems := catalog.LoadToolkit(os.DirFS(directory), "boxes")
	if problems != nil {
		t.Fatal(problems)
	}
	read, err := catalog.ReadFiles(os.DirFS(directory), "boxes")
	if err != nil || !cmp.Equal(read, files) {
		t.Fatalf("read %v, %v", read, err)
	}
	return catalog.Shipped{Toolkit: tk, Files: read}
}

func kitFiles(slug, version string, tools ...string) map[string]string {
	var text strings.Builder
	for _, name := range tools {
		fmt.Fprintf(&text, "- slug: %s\n  title: Do %s\n  description: Does what %s says, without arguments.\n  hints: [read]\n  request: GET /%s\n", name, name, name, strings.ToLower(name))
	}
	return map[string]string{
		"toolkit.yaml": "slug: " + slug + "\nname: Boxes\ndescription: Boxes and what is in them.\nversion: " + version +
			"\ncategories: [crm]\nbase_url: https://" + slug + ".example\n",
		"tools.yaml": text.String(),
	}
}

func has(s *catalog.Snapshot, slugs ...string) bool {
	return !slices.ContainsFunc(slugs, func(slug string) bool { _, ok := s.Tool(slug); return !ok })
}

func TestAddServesAtOnceAndSurvives(t *testing.T) {
	t.Parallel()
	b := newBed(t, shippedKit(t, "20261101_00", "LIST"))
	other := b.open(t)
	before := b.Snapshot("")
	added := b.add(t, "", "acme", "LIST", "GET")
	if added.Version != "20261122_00" || added.Tools != 2 || added.Source.Kind != "openapi" {
		t.Errorf("added %+v", added)
	}
	if !has(b.Snapshot(""), "ACME_LIST", "BOXES_LIST") || !has(b.Snapshot("pr_any"), "ACME_GET") || has(before, "ACME_LIST") {
		t.Error("it is not served, or the old snapshot has changed")
	}
	if other.CatchUp(t.Context()); !has(other.Snapshot(""), "ACME_LIST") {
		t.Error("another node does not serve it")
	}

	again := b.open(t)
	tool, ok := again.Snapshot("").Tool("acme_get")
	if !ok || tool.Held != nil || tool.Detail().Request.HTTP == nil || tool.Detail().Err != nil {
		t.Fatalf("after a restart: %v", tool)
	}
	if b.Snapshot("").ID != again.Snapshot("").ID {
		t.Error("two nodes with the same toolkits have different ids")
	}
	if err := b.Remove(t.Context(), "", "ACME"); err != nil {
		t.Fatal(err)
	}
	if has(b.Snapshot(""), "ACME_LIST") || len(b.List("")) != 0 {
		t.Error("it is still there")
	}
	if other.CatchUp(t.Context()); has(other.Snapshot(""), "ACME_LIST") {
		t.Error("another node still serves it")
	}
	if tool.Detail().Err != nil {
		t.Error("a request that holds an old snapshot cannot finish with it")
	}
	if n, err := b.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

// TestFollowing lets a started catalog hear of what another node does, and of a lost link.
func TestFollowing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	prepared := make(chan *catalog.Snapshot, 10)
	follower, err := catalog.Open(t.Context(), catalog.Options{
		Store: b.store, Directory: b.directory, Bus: b.bus, Now: b.clock, Prepare: func(s *catalog.Snapshot) { prepared <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	<-prepared // the first one
	follower.Start()
	b.add(t, "", "acme", "LIST")
	if s := <-prepared; !has(s, "ACME_LIST") {
		t.Error("what is prepared is not what comes")
	}
	b.bus.Publish(notify.Change{Kind: notify.Everything})
	follower.Stop()
	if !has(follower.Snapshot(""), "ACME_LIST") {
		t.Error("what was prepared was not put in place")
	}
}

func TestProjectsAreApart(t *testing.T) {
	t.Parallel()
	b := newBed(t, shippedKit(t, "20261101_00", "LIST"))
	b.add(t, "pr_one", "acme", "LIST")
	b.add(t, "pr_two", "acme", "OTHER")
	one, two, third := b.Snapshot("pr_one"), b.Snapshot("pr_two"), b.Snapshot("pr_three")
	if !has(one, "ACME_LIST", "BOXES_LIST") || has(one, "ACME_OTHER") || !has(two, "ACME_OTHER") || has(two, "ACME_LIST") {
		t.Error("a project sees the wrong tools")
	}
	if has(third, "ACME_LIST") || third != b.Snapshot("") || one == two || one.ID == two.ID {
		t.Error("a project without toolkits is not served the shared snapshot, or two share one")
	}
	if base, own := one.Base(); base != b.Snapshot("") || len(own) != 1 || len(one.Toolkits()) != 2 || !own[0].Custom {
		t.Error("the server's toolkits are not shared")
	}
	if one != b.Snapshot("pr_one") {
		t.Error("the same snapshot is made twice")
	}
	if got := one.NearestTools("ACME_LOST", 2); !slices.Contains(got, "ACME_LIST") {
		t.Errorf("nearest %v", got)
	}
	if got := third.NearestTools("ACME_LIST", 3); slices.Contains(got, "ACME_LIST") {
		t.Error("a suggestion tells of another project's tool")
	}
	if _, err := b.Version("pr_three", "acme", "latest"); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project's toolkit: %v", err)
	}
	if err := b.Remove(t.Context(), "pr_three", "acme"); !fault.Is(err, fault.NotFound) {
		t.Errorf("remove another project's: %v", err)
	}
	if err := b.Remove(t.Context(), "pr_one", "acme"); err != nil || b.Snapshot("pr_one") != b.Snapshot("") || !has(b.Snapshot("pr_two"), "ACME_OTHER") {
		t.Errorf("remove: %v", err)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	first := b.add(t, "pr_one", "acme", "LIST=/items", "GET", "DROP")
	if again := b.add(t, "pr_one", "acme", "LIST=/items", "GET", "DROP"); !again.Unchanged || again.Version != first.Version {
		t.Errorf("the same again: %+v", again)
	}
	second := b.add(t, "pr_one", "acme", "LIST_ITEMS=/items", "GET", "NEW")
	want := catalog.Changes{
		Added: []string{"ACME_NEW"}, Removed: []string{"ACME_DROP"}, Renamed: []catalog.Rename{{From: "ACME_LIST", To: "ACME_LIST_ITEMS"}},
	}
	if diff := cmp.Diff(want, second.Diff); diff != "" || second.Version != "20261122_01" {
		t.Errorf("%s\n%s", second.Version, diff)
	}
	b.pass(24 * time.Hour)
	third := b.add(t, "pr_one", "acme", "LIST_ITEMS=/items", "GET")
	if third.Version != "20261123_00" {
		t.Errorf("version %s", third.Version)
	}

	current := b.Snapshot("pr_one")
	tk, _ := current.Toolkit("acme")
	if diff := cmp.Diff([]string{"20261123_00", "20261122_01", "20261122_00"}, tk.Versions); diff != "" || tk.Version != "20261123_00" {
		t.Errorf("versions of %s: %s", tk.Version, diff)
	}
	if tool, ok := current.Tool("ACME_LIST"); !ok || tool.Slug != "ACME_LIST_ITEMS" {
		t.Error("a name from before the renaming is lost in the version after the next")
	}
	if has(current, "ACME_DROP") {
		t.Error("a tool that is gone is there")
	}

	pinned, missing := b.Pinned("pr_one", map[string]string{"acme": "20261122_00", "nothing": "20260101_00"})
	if missing != nil || !has(pinned, "ACME_DROP", "ACME_LIST") || has(pinned, "ACME_NEW") || pinned.ID == current.ID {
		t.Errorf("pinned: %v", missing)
	}
	if tool, _ := pinned.Tool("ACME_DROP"); tool.Toolkit.Version != "20261122_00" || tool.Detail().Request.HTTP == nil || len(tool.Toolkit.Versions) != 3 {
		t.Errorf("the pinned tool is %+v", tool.Toolkit)
	}
	if again, _ := b.Pinned("pr_one", map[string]string{"acme": "20261122_00"}); again != pinned {
		t.Error("the same pins make two snapshots")
	}
	for _, same := range []map[string]string{nil, {"acme": "latest"}, {"acme": "20261123_00"}, {"acme": catalog.BaseVersion}} {
		if s, missing := b.Pinned("pr_one", same); s != current || missing != nil {
			t.Errorf("pins %v make a snapshot of their own", same)
		}
	}
	lost, missing := b.Pinned("pr_one", map[string]string{"acme": "20261122_07"})
	if !slices.Equal(missing, []string{"acme"}) || !has(lost, "ACME_NEW") {
		t.Errorf("a version that is not there: %v", missing)
	}
	if _, err := b.Version("pr_one", "acme", "20250101_00"); !fault.Is(err, fault.NotFound) || !strings.Contains(fault.From(err).Fix, "20261122_01") {
		t.Errorf("an unknown version: %v", err)
	}

	history := b.History("pr_one", tk)
	if len(history) != 3 || history[1].Changes != "Added: ACME_NEW.\nRemoved: ACME_DROP.\nRenamed: ACME_LIST to ACME_LIST_ITEMS." {
		t.Errorf("history %+v", history)
	}

	own := definition("acme", "GET")
	own.Definition.Version = "20250101_00"
	if _, err := b.Add(t.Context(), "pr_one", own); !fault.Is(err, fault.Conflict) {
		t.Errorf("an older version: %v", err)
	}
	own.Definition.Version = "20270101_05"
	if added, err := b.Add(t.Context(), "pr_one", own); err != nil || added.Version != "20270101_05" {
		t.Errorf("a version of its own: %+v, %v", added.Version, err)
	}
}

func TestAVersionThatIsMadeOfAnother(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	next := func(over string, names ...string) error {
		document := definition("acme", names...)
		document.Over = over
		_, err := b.Add(t.Context(), "pr_1", document)
		return err
	}
	if err := next("20260728_00", "LIST"); !fault.Is(err, fault.Conflict) {
		t.Errorf("over one that was deleted: %v", err)
	}
	first := b.add(t, "pr_1", "acme", "LIST")
	if err := next(first.Version, "LIST", "GET"); err != nil {
		t.Error(err)
	}
	if err := next(first.Version, "LIST", "DELETE"); !fault.Is(err, fault.Conflict) {
		t.Errorf("over one that is not the newest any more: %v", err)
	}
	if s := b.Snapshot("pr_1"); !has(s, "ACME_LIST", "ACME_GET") || has(s, "ACME_DELETE") {
		t.Error("somebody's change was undone")
	}
}

func TestProjectPins(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.add(t, "", "acme", "OLD")
	b.pass(24 * time.Hour)
	b.add(t, "", "acme", "NEW")
	if err := b.Pin(t.Context(), "pr_one", "acme", "20261122_00"); err != nil {
		t.Fatal(err)
	}
	if s := b.Snapshot("pr_one"); !has(s, "ACME_OLD") || has(s, "ACME_NEW") || !has(b.Snapshot("pr_two"), "ACME_NEW") {
		t.Error("the pin does not hold, or holds for others")
	}
	if s, _ := b.Pinned("pr_one", map[string]string{"acme": "20261123_00"}); !has(s, "ACME_NEW") {
		t.Error("a session's pin does not win over its project's")
	}
	if s := b.open(t).Snapshot("pr_one"); !has(s, "ACME_OLD") {
		t.Error("the pin is forgotten by a restart")
	}
	if diff := cmp.Diff(map[string]string{"acme": "20261122_00"}, b.Pins("pr_one")); diff != "" {
		t.Error(diff)
	}
	if err := b.Pin(t.Context(), "pr_one", "acme", "20200101_00"); !fault.Is(err, fault.NotFound) {
		t.Errorf("pinned to nothing: %v", err)
	}
	if err := b.Pin(t.Context(), "pr_one", "acme", "latest"); err != nil || b.Snapshot("pr_one") != b.Snapshot("") {
		t.Errorf("taken away: %v", err)
	}
}

func TestOldVersionsGoButForPinnedOnes(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.add(t, "", "acme", "FIRST")
	if err := b.Pin(t.Context(), "pr_one", "acme", "20261122_00"); err != nil {
		t.Fatal(err)
	}
	for i := range 32 {
		b.add(t, "", "acme", fmt.Sprint("LATER", i))
	}
	rows, err := b.store.StoredToolkitsOf(t.Context(), "")
	if err != nil || len(rows) > 32 {
		t.Errorf("%d versions are kept, %v", len(rows), err)
	}
	if s := b.Snapshot("pr_one"); !has(s, "ACME_FIRST") {
		t.Error("the version that a project is pinned to is gone")
	}
}

// TestShippedVersionsOutliveTheBinary starts a newer binary over the data of an older one.
func TestShippedVersionsOutliveTheBinary(t *testing.T) {
	t.Parallel()
	b := newBed(t, shippedKit(t, "20261101_00", "LIST", "OLD"))
	b.CatchUp(t.Context())
	b.shipped = []catalog.Shipped{shippedKit(t, "20261201_00", "LIST", "NEW")}
	newer := b.open(t)
	if s := newer.Snapshot(""); has(s, "BOXES_OLD") || !has(s, "BOXES_NEW") {
		t.Error("the newer toolkit is not the current one")
	}
	s, missing := newer.Pinned("pr_one", map[string]string{"boxes": "20261101_00"})
	if missing != nil || !has(s, "BOXES_OLD", "BOXES_LIST") || has(s, "BOXES_NEW") {
		t.Errorf("the older version is lost: %v", missing)
	}
	newer.CatchUp(t.Context())
	tk, _ := newer.Snapshot("").Toolkit("boxes")
	if h := newer.History("", tk); len(h) != 2 || h[0].Changes != "Added: BOXES_NEW.\nRemoved: BOXES_OLD." {
		t.Errorf("history %+v", h)
	}
	newer.CatchUp(t.Context())
	if rows, err := b.store.StoredToolkitsOf(t.Context(), ""); err != nil || len(rows) != 2 {
		t.Errorf("stored %v, %v", rows, err)
	}
	if _, err := newer.Add(t.Context(), "", definition("boxes", "MINE")); !fault.Is(err, fault.Conflict) {
		t.Errorf("in place of a shipped toolkit: %v", err)
	}
	if err := newer.Remove(t.Context(), "", "boxes"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a shipped toolkit was removed: %v", err)
	}
}

func TestOurOwnFormat(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	added, err := b.Add(t.Context(), "pr_one", catalog.Document{Files: kitFiles("boxes", "20261122_00", "LIST")})
	if err != nil || added.Slug != "boxes" || added.Version != "20261122_00" {
		t.Fatalf("%+v, %v", added, err)
	}
	if tool, ok := b.open(t).Snapshot("pr_one").Tool("BOXES_LIST"); !ok || !tool.Toolkit.Custom || tool.Detail().Request.HTTP == nil {
		t.Errorf("%v", tool)
	}
	files := kitFiles("boxes", "20261122_01", "LIST")
	files["tools.yaml"] = strings.Replace(files["tools.yaml"], "hints:", "hint:", 1)
	_, err = b.Add(t.Context(), "pr_one", catalog.Document{Files: files})
	if f := fault.From(err); f.Kind != fault.Invalid || !slices.Contains(f.Details, `tools.yaml:4: unknown key "hint" in a tool; did you mean "hints"?`) {
		t.Errorf("%v %v", err, f.Details)
	}
}

// TestRefused sends what must not be stored. Nothing of it is, and what is there stays.
func TestRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t, shippedKit(t, "20261101_00", "LIST"))
	b.add(t, "", "acme", "LIST")
	change := func(f func(*catalog.Definition)) catalog.Document {
		d := definition("mine", "LIST")
		f(d.Definition)
		return d
	}
	laughs := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		laughs += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, test := range map[string]struct {
		document catalog.Document
		says     string
	}{
		"the server's slug": {definition("acme", "OTHER"), `has a toolkit "acme"`},
		"a shipped slug":    {definition("boxes", "OTHER"), `has a toolkit "boxes"`},
		"another's tool": {change(func(d *catalog.Definition) {
			d.Slug = "box"
			d.Tools[0].Slug = "BOX_X"
			d.Tools[0].Aliases = []string{"BOX_LIST", "BOX_LIST"}
		}), "another tool's already"},
		"a reserved slug":      {definition("composio", "X"), "reserved"},
		"no slug":              {definition("", "X"), "/slug"},
		"a path as slug":       {definition("../x", "X"), "/slug"},
		"a foreign tool name":  {change(func(d *catalog.Definition) { d.Tools[0].Slug = "GITHUB_X" }), "must begin with MINE_"},
		"no request":           {change(func(d *catalog.Definition) { d.Tools[0].HTTP = nil }), "exactly one"},
		"two requests":         {change(func(d *catalog.Definition) { d.Tools[0].GraphQL = &catalog.DefinedGraphQL{} }), "exactly one"},
		"a file as base":       {change(func(d *catalog.Definition) { d.BaseURL = "file:///etc" }), "/base_url"},
		"a password in a URL":  {change(func(d *catalog.Definition) { d.BaseURL = "https://u:p@x.example" }), "password"},
		"a private address":    {change(func(d *catalog.Definition) { d.BaseURL = "https://127.0.0.1" }), "private"},
		"a path without a key": {change(func(d *catalog.Definition) { d.Tools[0].HTTP.Path = "/{nothing}" }), "nothing fills"},
		"a deep schema": {change(func(d *catalog.Definition) {
			d.Tools[0].Output = json.RawMessage(strings.Repeat(`{"items":`, 10_000) + "1" + strings.Repeat("}", 10_000))
		}), "levels deep"},
		"no schema":        {change(func(d *catalog.Definition) { d.Tools[0].Input = json.RawMessage(`"text"`) }), "type"},
		"a wrong version":  {change(func(d *catalog.Definition) { d.Version = "v1" }), "/version"},
		"no toolkit.yaml":  {catalog.Document{Files: map[string]string{"tools.yaml": ""}}, "no toolkit.yaml"},
		"a file elsewhere": {catalog.Document{Files: map[string]string{"toolkit.yaml": "slug: x", "../x.yaml": ""}}, "not a name"},
		"a billion laughs": {catalog.Document{Files: map[string]string{"toolkit.yaml": laughs}}, "aliases"},
		"a list in itself": {catalog.Document{Files: map[string]string{"toolkit.yaml": "a: &a [*a]"}}, "toolkit.yaml:1"},
	} {
		_, err := b.Add(t.Context(), "pr_one", test.document)
		if f := fault.From(err); err == nil || f.Kind == fault.Internal || !strings.Contains(f.Message+strings.Join(f.Details, " "), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.Snapshot("pr_one") != b.Snapshot("") || len(b.List("pr_one")) != 0 {
		t.Error("something of it was stored")
	}
}

// TestLeftOut puts documents into the store that cannot be served. The catalog opens, says which, and serves the rest.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	b := newBed(t, shippedKit(t, "20261101_00", "LIST"))
	b.add(t, "", "good", "LIST")
	put := func(projectID, slug string, form catalog.Form, document string) {
		t.Helper()
		row := catalog.Stored{ProjectID: projectID, Slug: slug, Version: "20261122_00", Form: form, Origin: catalog.OriginAdded, Hash: "h" + slug + projectID}
		if err := b.store.PutToolkit(t.Context(), row, []byte(document)); err != nil {
			t.Fatal(err)
		}
	}
	put("", "noise", catalog.FormDefinition, "noise")
	put("", "future", "something else", "")
	put("", "boxes", catalog.FormDefinition, "")
	put("pr_one", "good", catalog.FormDefinition, "")
	put("pr_one", "empty", catalog.FormFiles, "")
	again := b.open(t)
	if !has(again.Snapshot(""), "GOOD_LIST", "BOXES_LIST") || !has(again.Snapshot("pr_one"), "GOOD_LIST") {
		t.Error("the rest is not served")
	}
	slugs := func(projectID string) (list []string) {
		for _, left := range again.LeftOut(projectID) {
			if left.Reason == "" || left.Version == "" {
				t.Errorf("no reason: %+v", left)
			}
			list = append(list, left.Slug)
		}
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff([]string{"boxes", "future", "noise"}, slugs("")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"empty", "good"}, slugs("pr_one")); diff != "" {
		t.Error(diff)
	}
}

// TestPackedFilesAreRemade loses and damages the packed forms between two starts.
func TestPackedFilesAreRemade(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.add(t, "", "one", "LIST")
	b.add(t, "", "two", "LIST")
	files, err := filepath.Glob(filepath.Join(b.directory, "*.toolkit"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[1], []byte("PBTK and nothing else"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.open(t).Snapshot("")
	for _, slug := range []string{"ONE_LIST", "TWO_LIST"} {
		if tool, ok := s.Tool(slug); !ok || tool.Detail().Err != nil {
			t.Errorf("%s: %v", slug, tool)
		}
	}
}
