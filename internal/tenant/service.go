package tenant

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Options are what a Service needs.
type Options struct {
	Store Store            // required
	Bus   *notify.Bus      // required: tells of revoked keys, so that they stop working at once
	Now   func() time.Time // time.Now when nil

	Defaults Settings // of projects that chose nothing themselves
}

// Service makes and checks keys. Safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	known *callers

	defaults Settings
	settings *cache.Cache[string, Settings] // by project id
}

// New makes a Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Bus == nil {
		return nil, errors.New("tenant: Store and Bus are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		store: o.Store, now: o.Now, known: newCallers(o.Now),
		defaults: o.Defaults,
		settings: cache.New[string, Settings](cache.Options{Limit: rememberedSettings, Life: rememberedFor, Now: o.Now}),
	}
	o.Bus.Subscribe(s.hear)
	return s, nil
}

// EnsureProject gives the project of this name, making it if there is none.
func (s *Service) EnsureProject(ctx context.Context, name string) (Project, error) {
	return s.store.EnsureProject(ctx, Project{
		ID:             id.New(id.Project),
		OrganisationID: id.New(id.Organisation),
		Name:           name,
		CreatedAt:      s.now(),
	})
}

// ListProjects gives all projects, oldest first.
func (s *Service) ListProjects(ctx context.Context) ([]Project, error) {
	return s.store.ListProjects(ctx)
}

// Authenticate finds the caller behind a project key. A wrong or revoked key is a fault of kind Unauthorized. Warm calls
// read memory only.
func (s *Service) Authenticate(ctx context.Context, key string) (Caller, error) {
	if !id.Has(id.ProjectKey, key) {
		return Caller{}, unauthorized()
	}
	caller, err := s.find(ctx, key)
	if err == nil && caller.UserID != "" {
		return Caller{}, unauthorized() // one person's key opens no project
	}
	return caller, err
}

// find gives the caller behind a key that works, a project's or a person's.
func (s *Service) find(ctx context.Context, key string) (Caller, error) {
	hash := secret.Hash(key)
	if caller, ok := s.known.Get(hash); ok {
		return caller, nil
	}
	mark := s.known.Mark()
	k, err := s.store.KeyByHash(ctx, hash)
	if fault.Is(err, fault.NotFound) || err == nil && !k.RevokedAt.IsZero() {
		return Caller{}, unauthorized()
	}
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{ProjectID: k.ProjectID, KeyID: k.ID, UserID: k.UserID}
	s.known.Put(hash, caller, mark)
	return caller, nil
}

func unauthorized() error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "The API key is not valid.").
		WithFix("Send a key of this server in the x-api-key header; make one with: patchbay key create")
}

// CreateKey makes a key for a project and returns it once, in the clear.
func (s *Service) CreateKey(ctx context.Context, projectID, name string) (Key, string, error) {
	text := id.NewSecret(id.ProjectKey)
	key := s.newKey(projectID, name, text)
	if err := s.store.CreateKey(ctx, key); err != nil {
		return Key{}, "", err
	}
	return key, text, nil
}

// shortestAdoptedKey is the least length of a key that an operator may bring along: enough for 128 random bits.
const shortestAdoptedKey = len(id.ProjectKey) + 1 + 22

// AdoptKey makes the given key exist (PATCHBAY_API_KEY); it is no error if it does already. A key that was revoked stays
// revoked: that is a fault.
func (s *Service) AdoptKey(ctx context.Context, projectID, name, key string) (Key, error) {
	if !id.Has(id.ProjectKey, key) || len(key) < shortestAdoptedKey || strings.ContainsFunc(key, notInHeaders) {
		return Key{}, fault.New(fault.Invalid, fault.SlugInvalid,
			"The given API key does not have the form ak_ and at least %d random characters.", shortestAdoptedKey-len(id.ProjectKey)-1).
			WithFix("Make one with: echo ak_$(openssl rand -hex 32)")
	}
	k := s.newKey(projectID, name, key)
	err := s.store.CreateKey(ctx, k)
	if !fault.Is(err, fault.Conflict) {
		return k, err
	}
	k, err = s.store.KeyByHash(ctx, k.Hash)
	switch {
	case err != nil:
		return Key{}, err
	case k.ProjectID != projectID:
		return Key{}, fault.New(fault.Conflict, fault.SlugInvalid, "The given API key belongs to another project.").
			WithFix("Give each project a key of its own.")
	case !k.RevokedAt.IsZero():
		return Key{}, fault.New(fault.Conflict, fault.SlugInvalid, "The given API key was revoked on %s.", k.RevokedAt.UTC().Format(time.DateOnly)).
			WithFix("Use a new key; a revoked one never works again.")
	}
	return k, nil
}

// notInHeaders tells characters that a header's value cannot carry safely.
func notInHeaders(r rune) bool { return r <= ' ' || r >= 0x7f }

// newKey describes a key; the text itself does not go further than this.
func (s *Service) newKey(projectID, name, text string) Key {
	return Key{
		ID:        id.New(id.KeyRecord),
		ProjectID: projectID,
		Name:      name,
		Hint:      text[:len(id.ProjectKey)+4] + "…" + text[len(text)-4:],
		Hash:      secret.Hash(text),
		CreatedAt: s.now().UTC().Truncate(time.Microsecond), // as it is stored
	}
}

// ListKeys gives a project's keys, newest first, revoked ones included. A session token may not see them.
func (s *Service) ListKeys(ctx context.Context, caller Caller) ([]Key, error) {
	if err := mayManageKeys(caller); err != nil {
		return nil, err
	}
	return s.store.ListKeys(ctx, caller.ProjectID)
}

// RevokeKey ends a key at once, on every node, and with it what its user allowed MCP clients after signing in with it. A session token may not do it.
func (s *Service) RevokeKey(ctx context.Context, caller Caller, keyID string) (Key, error) {
	if err := mayManageKeys(caller); err != nil {
		return Key{}, err
	}
	if strings.TrimSpace(keyID) == "" {
		return Key{}, fault.New(fault.Invalid, fault.SlugInvalid, "The id of a key is missing.").
			WithFix("Give an id of the list of keys.")
	}
	return s.store.RevokeKey(ctx, caller.ProjectID, keyID, s.now())
}

func mayManageKeys(caller Caller) error {
	if caller.Restricted() {
		return fault.New(fault.Forbidden, fault.SlugForbidden, "A session token cannot manage API keys.").
			WithFix("Use a project key.")
	}
	return nil
}
