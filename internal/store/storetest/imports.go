package storetest

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
)

var importBehaviours = behaviours{
	"an import comes back whole":             importWhole,
	"another project's import is not there":  importForeign,
	"a project's imports follow one another": importsInOrder,
	"an import is leased to one":             importLeased,
	"who lost the lease stores nothing":      importTakenUp,
	"old imports are forgotten":              importsForgotten,
}

// anImport has something in every field that a new one can have.
func anImport(projectID, id string, created time.Time) imports.Import {
	return imports.Import{
		ID: id, ProjectID: projectID, Status: imports.Queued, CreatedAt: created, DueAt: created,
		Request: imports.Request{
			Kind: imports.OpenAPI, URL: "https://acme.example/openapi.json?key=secret", Header: map[string]string{"Authorization": "Bearer secret"},
			Slug: "acme", Name: "Acme", BaseURL: "https://api.acme.example", Auth: "bearer", Filter: []string{"tag:a"}, DryRun: true,
		},
	}
}

func leaseOf(owner string, now time.Time) job.Lease {
	return job.Lease{Owner: owner, Now: now, Until: now.Add(30 * time.Second)}
}

func importWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := anImport(ours, "imp_1", start)
	must(t, f.CreateImport(ctx, want, []byte("openapi: 3.1.0")))
	same(t, "stored", got(f.Import(ctx, ours, "imp_1"))(t), want)
	same(t, "description", string(got(f.ImportDescription(ctx, ours, "imp_1"))(t)), "openapi: 3.1.0")

	lease := leaseOf("a", start)
	claimed := got(f.ClaimImports(ctx, lease, 5))(t)
	want.Status, want.Attempts, want.StartedAt = imports.Running, 1, start
	same(t, "claimed", claimed, []imports.Import{want})
	want.Done, want.Total = 3, 7
	must(t, f.ProgressImport(ctx, lease, want))
	same(t, "under way", got(f.Import(ctx, ours, "imp_1"))(t), want)

	want.Status, want.FinishedAt, want.DueAt = imports.Succeeded, start.Add(time.Second), time.Time{}
	want.Result = &imports.Result{
		Slug: "acme", Version: "20260728_00", Changes: catalog.Changes{Added: []string{"ACME_X"}}, LeftOut: 1,
		Report: openapi.Report{Operations: 7, Tools: 6, LeftOut: []openapi.LeftOut{{Method: "TRACE", Path: "/", Reason: "echo"}}, Notes: []string{"a"}},
	}
	want.Failure = &imports.Failure{Message: "m", Fix: "f"}
	same(t, "settled", got(f.SettleImport(ctx, lease, want))(t), true)
	same(t, "ended", got(f.Import(ctx, ours, "imp_1"))(t), want)
	same(t, "description of what has ended", len(got(f.ImportDescription(ctx, ours, "imp_1"))(t)), 0)
}

func importForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateImport(ctx, anImport(theirs, "imp_1", start), nil))
	_, err := f.Import(ctx, ours, "imp_1")
	wantKind(t, "read", err, fault.NotFound)
	_, err = f.ImportDescription(ctx, ours, "imp_1")
	wantKind(t, "description", err, fault.NotFound)
	wantKind(t, "deleted", f.DeleteImport(ctx, ours, "imp_1"), fault.NotFound)
	same(t, "listed", len(got(f.Imports(ctx, ours))(t)), 0)
	must(t, f.DeleteImport(ctx, theirs, "imp_1"))
	wantKind(t, "deleted twice", f.DeleteImport(ctx, theirs, "imp_1"), fault.NotFound)
}

func importsInOrder(t *testing.T, f *fixture) {
	ctx := t.Context()
	for n, id := range []string{"imp_b", "imp_a", "imp_c"} {
		must(t, f.CreateImport(ctx, anImport(ours, id, start.Add(time.Duration(n)*time.Second)), nil))
	}
	must(t, f.CreateImport(ctx, anImport(theirs, "imp_d", start.Add(5*time.Second)), nil))
	var listed []string
	for _, i := range got(f.Imports(ctx, ours))(t) {
		listed = append(listed, i.ID)
	}
	same(t, "listed", listed, []string{"imp_c", "imp_a", "imp_b"})

	now := start.Add(time.Minute)
	same(t, "next", got(f.NextImport(ctx, now))(t), start)
	lease := leaseOf("a", now)
	claimed := got(f.ClaimImports(ctx, lease, 10))(t)
	same(t, "one of each project", ids(claimed), []string{"imp_b", "imp_d"})
	same(t, "nothing more can be claimed", got(f.NextImport(ctx, now))(t), time.Time{})
	same(t, "claimed again", len(got(f.ClaimImports(ctx, leaseOf("b", now), 10))(t)), 0)

	first := claimed[0]
	first.Status, first.DueAt = imports.Queued, now.Add(time.Hour) // to be tried again: the others wait behind it
	same(t, "settled", got(f.SettleImport(ctx, lease, first))(t), true)
	same(t, "next while the first waits", got(f.NextImport(ctx, now))(t), first.DueAt)
	same(t, "claimed while the first waits", len(got(f.ClaimImports(ctx, leaseOf("b", now), 10))(t)), 0)
	must(t, f.DeleteImport(ctx, ours, "imp_b"))
	same(t, "after it", ids(got(f.ClaimImports(ctx, leaseOf("b", now), 10))(t)), []string{"imp_a"})
}

func ids(list []imports.Import) []string {
	out := []string{}
	for _, i := range list {
		out = append(out, i.ID)
	}
	return out
}

func importLeased(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateImport(ctx, anImport(ours, "imp_1", start), nil))
	claims := make(chan int, 8)
	for n := range cap(claims) {
		go func() {
			claimed, err := f.ClaimImports(ctx, leaseOf(string(rune('a'+n)), start), 1)
			if err != nil {
				t.Error(err)
			}
			claims <- len(claimed)
		}()
	}
	sum := 0
	for range cap(claims) {
		sum += <-claims
	}
	same(t, "claims", sum, 1)
}

func importTakenUp(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateImport(ctx, anImport(ours, "imp_1", start), []byte("d")))
	killed := leaseOf("killed", start)
	mine := got(f.ClaimImports(ctx, killed, 1))(t)[0]
	same(t, "held", got(f.RenewImport(ctx, killed, mine))(t), true)
	next := leaseOf("next", start.Add(31*time.Second))
	theirs := got(f.ClaimImports(ctx, next, 1))(t)
	same(t, "taken up", len(theirs), 1)
	same(t, "attempts", theirs[0].Attempts, 2)
	same(t, "begun", theirs[0].StartedAt, start)
	same(t, "still held", got(f.RenewImport(ctx, killed, mine))(t), false)
	mine.Status, mine.DueAt = imports.Succeeded, time.Time{}
	same(t, "settled by who has it no more", got(f.SettleImport(ctx, killed, mine))(t), false)
	must(t, f.ProgressImport(ctx, killed, imports.Import{ID: "imp_1", ProjectID: ours, Done: 5}))
	now := got(f.Import(ctx, ours, "imp_1"))(t)
	same(t, "status", now.Status, imports.Running)
	same(t, "progress", now.Done, 0)
	same(t, "description", string(got(f.ImportDescription(ctx, ours, "imp_1"))(t)), "d")
}

func importsForgotten(t *testing.T, f *fixture) {
	ctx := t.Context()
	for n, id := range []string{"imp_old", "imp_new", "imp_waits"} {
		i := anImport(ours, id, start)
		if id != "imp_waits" {
			i.Status, i.DueAt, i.FinishedAt = imports.Failed, time.Time{}, start.Add(time.Duration(n)*time.Hour)
		}
		must(t, f.CreateImport(ctx, i, nil))
	}
	same(t, "forgotten", got(f.DeleteImportsBefore(ctx, start.Add(time.Minute)))(t), 1)
	same(t, "left", len(got(f.Imports(ctx, ours))(t)), 2)
}
