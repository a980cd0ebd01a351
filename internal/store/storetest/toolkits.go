package storetest

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

var toolkitBehaviours = behaviours{
	"a toolkit comes back whole":                toolkitWhole,
	"a version is stored in place of its like":  toolkitReplaced,
	"a new version takes nobody's place":        toolkitCreated,
	"versions are deleted by name":              toolkitDeleted,
	"another project's toolkit does not exist":  toolkitForeign,
	"a pin is set, changed and taken away":      toolkitPinned,
	"of writers of one version one is the last": toolkitRaced,
}

func aToolkit(projectID, slug, version string) catalog.Stored {
	return catalog.Stored{
		ProjectID: projectID, Slug: slug, Version: version, Name: "name of " + slug, Form: catalog.FormDefinition, Origin: catalog.OriginAdded,
		Source: catalog.Source{Kind: "openapi", URL: "https://acme.example/openapi.json", Hash: "h"}, Hash: "hash of " + version, Tools: 7,
		Changes: "Added: ACME_X.", CreatedAt: start,
	}
}

func toolkitWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aToolkit(ours, "acme", "20260728_00")
	document := []byte{0, 1, 2, 0xff}
	must(t, f.PutToolkit(ctx, want, document))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Toolkit, ID: ours}})
	same(t, "listed", got(f.StoredToolkitsOf(ctx, ours))(t), []catalog.Stored{want})
	same(t, "document", got(f.ToolkitDocument(ctx, ours, "acme", "20260728_00"))(t), document)

	bare := catalog.Stored{Slug: "server", Version: "20260728_00", CreatedAt: start.Add(time.Second)}
	must(t, f.PutToolkit(ctx, bare, []byte("bare")))
	same(t, "the server's", got(f.StoredToolkitsOf(ctx, ""))(t), []catalog.Stored{bare})
	same(t, "all", got(f.StoredToolkits(ctx))(t), []catalog.Stored{bare, want})
}

func toolkitReplaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.PutToolkit(ctx, aToolkit(ours, "acme", "20260728_00"), []byte("first")))
	newer := aToolkit(ours, "acme", "20260729_00")
	must(t, f.PutToolkit(ctx, newer, []byte("newer")))
	again := aToolkit(ours, "acme", "20260728_00")
	again.Name, again.Hash = "another", "another"
	must(t, f.PutToolkit(ctx, again, []byte("second")))
	same(t, "listed", got(f.StoredToolkitsOf(ctx, ours))(t), []catalog.Stored{again, newer})
	same(t, "document", string(got(f.ToolkitDocument(ctx, ours, "acme", "20260728_00"))(t)), "second")
	same(t, "the other's", string(got(f.ToolkitDocument(ctx, ours, "acme", "20260729_00"))(t)), "newer")
}

func toolkitCreated(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateToolkit(ctx, aToolkit(ours, "acme", "20260728_00"), []byte("first")))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Toolkit, ID: ours}})
	wantKind(t, "created again", f.CreateToolkit(ctx, aToolkit(ours, "acme", "20260728_00"), []byte("second")), fault.Conflict)
	must(t, f.CreateToolkit(ctx, aToolkit(theirs, "acme", "20260728_00"), []byte("theirs")))
	same(t, "document", string(got(f.ToolkitDocument(ctx, ours, "acme", "20260728_00"))(t)), "first")
}

func toolkitDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	for _, version := range []string{"20260728_00", "20260728_01", "20260728_02"} {
		must(t, f.PutToolkit(ctx, aToolkit(ours, "acme", version), []byte(version)))
	}
	f.news()
	must(t, f.DeleteToolkitVersions(ctx, ours, "acme", "20260728_00", "20260728_02", "20991231_00"))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Toolkit, ID: ours}})
	same(t, "left", got(f.StoredToolkitsOf(ctx, ours))(t), []catalog.Stored{aToolkit(ours, "acme", "20260728_01")})
	_, err := f.ToolkitDocument(ctx, ours, "acme", "20260728_00")
	wantKind(t, "document of a deleted version", err, fault.NotFound)
}

func toolkitForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.PutToolkit(ctx, aToolkit(theirs, "acme", "20260728_00"), []byte("theirs")))
	must(t, f.PutToolkitPin(ctx, catalog.Pin{ProjectID: theirs, Slug: "github", Version: "20260101_00"}))
	same(t, "listed", len(got(f.StoredToolkitsOf(ctx, ours))(t)), 0)
	same(t, "pins", len(got(f.ToolkitPinsOf(ctx, ours))(t)), 0)
	_, err := f.ToolkitDocument(ctx, ours, "acme", "20260728_00")
	wantKind(t, "document", err, fault.NotFound)
	must(t, f.DeleteToolkitVersions(ctx, ours, "acme", "20260728_00"))
	same(t, "still theirs", string(got(f.ToolkitDocument(ctx, theirs, "acme", "20260728_00"))(t)), "theirs")
	same(t, "still listed", len(got(f.StoredToolkitsOf(ctx, theirs))(t)), 1)
}

func toolkitPinned(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := catalog.Pin{ProjectID: ours, Slug: "github", Version: "20260101_00"}
	other := catalog.Pin{ProjectID: ours, Slug: "gmail", Version: "20260101_00"}
	must(t, f.PutToolkitPin(ctx, first))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Toolkit, ID: ours}})
	must(t, f.PutToolkitPin(ctx, other))
	first.Version = "20260202_00"
	must(t, f.PutToolkitPin(ctx, first))
	same(t, "of the project", got(f.ToolkitPinsOf(ctx, ours))(t), []catalog.Pin{first, other})
	first.Version = ""
	must(t, f.PutToolkitPin(ctx, first))
	same(t, "all", got(f.ToolkitPins(ctx))(t), []catalog.Pin{other})
}

func toolkitRaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, err := range together(8, func(int) error {
		return f.PutToolkit(ctx, aToolkit(ours, "acme", "20260728_00"), []byte("same"))
	}) {
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	same(t, "stored", len(got(f.StoredToolkitsOf(ctx, ours))(t)), 1)
}
