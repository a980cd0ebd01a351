package tenant_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// counting counts the lookups that reach the store, and lets a test step in between one and its return.
type counting struct {
	tenant.Store
	lookups int
	after   func()
}

func (c *counting) KeyByHash(ctx context.Context, hash string) (tenant.Key, error) {
	c.lookups++
	k, err := c.Store.KeyByHash(ctx, hash)
	if c.after != nil {
		c.after()
	}
	return k, err
}

// world is a service on a real store, with one project.
type world struct {
	*tenant.Service
	store   *counting
	bus     *notify.Bus
	project tenant.Project
}

var now = time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{bus: new(notify.Bus)}
	clock := func() time.Time { return now }
	w.store = &counting{Store: storetest.OpenWith(t, w.bus, clock)}
	var err error
	w.Service, err = tenant.New(tenant.Options{Store: w.store, Bus: w.bus, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	w.project = w.ensureProject(t, "default")
	return w
}

func (w *world) ensureProject(t *testing.T, name string) tenant.Project {
	t.Helper()
	p, err := w.EnsureProject(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) createKey(t *testing.T) (tenant.Key, string) {
	t.Helper()
	key, text, err := w.CreateKey(t.Context(), w.project.ID, "laptop")
	if err != nil {
		t.Fatal(err)
	}
	return key, text
}

func (w *world) caller() tenant.Caller { return tenant.Caller{ProjectID: w.project.ID} }

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := tenant.New(tenant.Options{Bus: new(notify.Bus)}); err == nil {
		t.Error("a service without a store")
	}
	if _, err := tenant.New(tenant.Options{Store: storetest.Open(t)}); err == nil {
		t.Error("a service without a bus")
	}
}

func TestFirstStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := w.ensureProject(t, "default")
	if again != w.project || !id.Has(id.Project, again.ID) || !id.Has(id.Organisation, again.OrganisationID) || !again.CreatedAt.Equal(now) {
		t.Errorf("got %+v, then %+v", w.project, again)
	}
	w.ensureProject(t, "other")
	projects, err := w.ListProjects(t.Context())
	if err != nil || len(projects) != 2 {
		t.Errorf("%d projects: %v", len(projects), err)
	}
}

func TestCreateKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, text := w.createKey(t)
	if !id.Has(id.ProjectKey, text) || len(text) != len("ak_")+43 { // 256 bits in base64
		t.Errorf("the key has the form %q", text)
	}
	if key.Hash != secret.Hash(text) || key.ProjectID != w.project.ID || key.Name != "laptop" || !key.CreatedAt.Equal(now) {
		t.Errorf("got %+v", key)
	}
	if first, last, _ := strings.Cut(key.Hint, "…"); !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) || len(key.Hint) > 16 {
		t.Errorf("the hint is %q", key.Hint)
	}
	_, other := w.createKey(t)
	if other == text {
		t.Error("the same key twice")
	}
	if _, _, err := w.CreateKey(t.Context(), "pr_none", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key for no project: %v", err)
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, text := w.createKey(t)
	want := tenant.Caller{ProjectID: w.project.ID, KeyID: key.ID}
	for range 3 {
		if got, err := w.Authenticate(t.Context(), text); err != nil || got != want {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if w.store.lookups != 1 {
		t.Errorf("%d lookups for three calls", w.store.lookups)
	}
	for name, wrong := range map[string]string{
		"empty": "", "no key": "hunter2", "prefix only": "ak_", "another": id.NewSecret(id.ProjectKey),
		"cut off": text[:len(text)-1], "longer": text + "x", "session token": id.NewSecret(id.SessionToken), "hash": key.Hash,
	} {
		_, err := w.Authenticate(t.Context(), wrong)
		if !fault.Is(err, fault.Unauthorized) || fault.From(err).Slug != fault.SlugUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGuessesAreNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guess := id.NewSecret(id.ProjectKey)
	for range 2 {
		if _, err := w.Authenticate(t.Context(), guess); !fault.Is(err, fault.Unauthorized) {
			t.Fatal(err)
		}
	}
	if w.store.lookups != 2 {
		t.Errorf("%d lookups for two guesses", w.store.lookups)
	}
	if _, err := w.AdoptKey(t.Context(), w.project.ID, "", guess); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), guess); err != nil {
		t.Errorf("a key that was tried before it was made: %v", err)
	}
}

func TestRevokedKeyStopsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, text := w.createKey(t)
	_, other := w.createKey(t)
	authenticate := func(text string) error {
		_, err := w.Authenticate(t.Context(), text)
		return err
	}
	if err := authenticate(text); err != nil {
		t.Fatal(err)
	}
	if err := authenticate(other); err != nil {
		t.Fatal(err)
	}
	revoked, err := w.RevokeKey(t.Context(), w.caller(), key.ID)
	if err != nil || !revoked.RevokedAt.Equal(now) {
		t.Fatalf("got %+v, %v", revoked, err)
	}
	if err := authenticate(text); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("a revoked key: %v", err)
	}
	before := w.store.lookups
	if err := authenticate(other); err != nil || w.store.lookups != before {
		t.Errorf("another key after that: %v, %d lookups", err, w.store.lookups-before)
	}
}

// TestRevokedDuringLookup revokes a key between the read of its row and the caching of it.
func TestRevokedDuringLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, text := w.createKey(t)
	w.store.after = func() {
		w.store.after = nil
		if _, err := w.RevokeKey(t.Context(), w.caller(), key.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Authenticate(t.Context(), text); err != nil { // it was valid when it was read
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), text); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the old state was cached: %v", err)
	}
}

func TestEverythingIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, text := w.createKey(t)
	for range 2 {
		if _, err := w.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		w.bus.Publish(notify.Change{Kind: notify.Session, ID: "trs_1"}) // not our business
	}
	if w.store.lookups != 1 {
		t.Errorf("%d lookups", w.store.lookups)
	}
	w.bus.Publish(notify.Change{Kind: notify.Everything})
	if _, err := w.Authenticate(t.Context(), text); err != nil || w.store.lookups != 2 {
		t.Errorf("after everything: %v, %d lookups", err, w.store.lookups)
	}
}

func TestAdoptKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := "ak_" + strings.Repeat("0123456789abcdef", 4)
	adopt := func(projectID, text string) (tenant.Key, error) {
		return w.AdoptKey(t.Context(), projectID, "from the environment", text)
	}
	first, err := adopt(w.project.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	second, err := adopt(w.project.ID, text)
	if err != nil || second != first {
		t.Errorf("again: %+v, %v", second, err)
	}
	if caller, err := w.Authenticate(t.Context(), text); err != nil || caller.KeyID != first.ID {
		t.Errorf("authenticate: %+v, %v", caller, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "too short": "ak_0123456789abcdef", "other prefix": "sk_" + text[3:], "space": text + " x", "newline": text + "\n", "not ASCII": text + "é",
	} {
		if _, err := adopt(w.project.ID, bad); !fault.Is(err, fault.Invalid) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := adopt(w.ensureProject(t, "other").ID, text); !fault.Is(err, fault.Conflict) {
		t.Errorf("in another project: %v", err)
	}
	if _, err := w.RevokeKey(t.Context(), w.caller(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := adopt(w.project.ID, text); !fault.Is(err, fault.Conflict) {
		t.Errorf("after it was revoked: %v", err)
	}
}

func TestKeysAreManagedWithAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, _ := w.createKey(t)
	token := tenant.Caller{ProjectID: w.project.ID, SessionID: "trs_1"}
	if _, err := w.ListKeys(t.Context(), token); !fault.Is(err, fault.Forbidden) {
		t.Errorf("list with a session token: %v", err)
	}
	if _, err := w.RevokeKey(t.Context(), token, key.ID); !fault.Is(err, fault.Forbidden) {
		t.Errorf("revoke with a session token: %v", err)
	}
	stranger := tenant.Caller{ProjectID: w.ensureProject(t, "other").ID}
	if keys, err := w.ListKeys(t.Context(), stranger); err != nil || len(keys) != 0 {
		t.Errorf("another project lists %d keys: %v", len(keys), err)
	}
	if _, err := w.RevokeKey(t.Context(), stranger, key.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project revokes: %v", err)
	}
	keys, err := w.ListKeys(t.Context(), w.caller())
	if err != nil || len(keys) != 1 || !keys[0].RevokedAt.IsZero() {
		t.Errorf("keys: %+v, %v", keys, err)
	}
}

func TestRevokingWithoutAnID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"", " "} {
		if _, err := w.RevokeKey(t.Context(), w.caller(), id); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
