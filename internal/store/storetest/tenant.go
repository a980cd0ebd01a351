package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var tenantBehaviours = behaviours{
	"a project is made once":           projectOnce,
	"projects are listed oldest first": projectsListed,
	"a key is found by its hash":       keyFound,
	"a key exists once in all":         keyOnce,
	"keys are listed newest first":     keysListed,
	"a key is revoked once":            keyRevoked,
	"another project's key is safe":    keyForeign,
}

func aProject(id, name string) tenant.Project {
	return tenant.Project{ID: id, OrganisationID: "ok_1", Name: name, CreatedAt: start}
}

func aKey(id, projectID string) tenant.Key {
	return tenant.Key{ID: id, ProjectID: projectID, Name: "name of " + id, Hint: "ak_a…z", Hash: "hash of " + id, CreatedAt: start}
}

// withProjects stores both projects.
func (f *fixture) withProjects(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, id := range []string{ours, theirs} {
		got(f.EnsureProject(ctx, aProject(id, "name of "+id)))(t)
	}
}

func projectOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := got(f.EnsureProject(ctx, aProject("pr_1", "default")))(t)
	same(t, "made", first, aProject("pr_1", "default"))
	second := got(f.EnsureProject(ctx, aProject("pr_2", "default")))(t)
	same(t, "made again", second, first)
	_, err := f.EnsureProject(ctx, aProject("pr_1", "other"))
	wantKind(t, "same id under another name", err, fault.Conflict)

	for i, err := range together(8, func(i int) error {
		p, err := f.EnsureProject(ctx, aProject("pr_p"+string(rune('a'+i)), "parallel"))
		if err == nil && p.Name != "parallel" {
			t.Errorf("caller %d got project %q", i, p.Name)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	if all := got(f.ListProjects(ctx))(t); len(all) != 2 {
		t.Errorf("there are %d projects, want 2", len(all))
	}
}

func projectsListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	younger, older := aProject("pr_1", "younger"), aProject("pr_2", "older")
	older.CreatedAt = start.Add(-time.Hour)
	got(f.EnsureProject(ctx, younger))(t)
	got(f.EnsureProject(ctx, older))(t)
	same(t, "projects", got(f.ListProjects(ctx))(t), []tenant.Project{older, younger})
}

func keyFound(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	must(t, f.CreateKey(ctx, aKey("key_1", ours)))
	same(t, "found", got(f.KeyByHash(ctx, "hash of key_1"))(t), aKey("key_1", ours))
	_, err := f.KeyByHash(ctx, "hash of nothing")
	wantKind(t, "unknown hash", err, fault.NotFound)
}

func keyOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	must(t, f.CreateKey(ctx, aKey("key_1", ours)))
	again := aKey("key_2", theirs)
	again.Hash = aKey("key_1", ours).Hash
	wantKind(t, "same key in another project", f.CreateKey(ctx, again), fault.Conflict)
	wantKind(t, "same id", f.CreateKey(ctx, aKey("key_1", ours)), fault.Conflict)
	wantKind(t, "no such project", f.CreateKey(ctx, aKey("key_3", "pr_none")), fault.NotFound)
}

func keysListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	a, b, c := aKey("key_a", ours), aKey("key_b", ours), aKey("key_c", ours)
	c.CreatedAt = start.Add(-time.Second)
	for _, k := range []tenant.Key{a, b, c, aKey("key_d", theirs)} {
		must(t, f.CreateKey(ctx, k))
	}
	same(t, "keys", got(f.ListKeys(ctx, ours))(t), []tenant.Key{b, a, c})
}

func keyRevoked(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	must(t, f.CreateKey(ctx, aKey("key_1", ours)))
	f.news()
	want := aKey("key_1", ours)
	want.RevokedAt = start.Add(time.Hour)
	same(t, "revoked", got(f.RevokeKey(ctx, ours, "key_1", want.RevokedAt))(t), want)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Key, ID: "key_1"}})
	same(t, "revoked again", got(f.RevokeKey(ctx, ours, "key_1", start.Add(2*time.Hour)))(t), want)
	same(t, "found", got(f.KeyByHash(ctx, want.Hash))(t), want)
}

func keyForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	must(t, f.CreateKey(ctx, aKey("key_1", theirs)))
	_, err := f.RevokeKey(ctx, ours, "key_1", start)
	wantKind(t, "revoke", err, fault.NotFound)
	same(t, "untouched", got(f.KeyByHash(ctx, "hash of key_1"))(t), aKey("key_1", theirs))
	same(t, "keys of ours", len(got(f.ListKeys(ctx, ours))(t)), 0)
}
