package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Options are what a Service needs.
type Options struct {
	Store  Store       // required
	Bus    *notify.Bus // required: tells of ended grants, so that their tokens stop working at once
	Sealer Sealer      // required: protects what a browser carries from page to page

	// Keys finds the person behind a personal key. Required.
	Keys func(ctx context.Context, key string) (tenant.Person, error)

	// SessionOwner gives the user that a session belongs to; a session that is not there is a fault of kind NotFound. Required.
	SessionOwner func(ctx context.Context, projectID, sessionID string) (userID string, err error)

	HTTP Doer // reads the documents that describe clients; nil: such clients are refused

	// Registration lets any program register itself as a client (RFC 7591).
	Registration bool

	Issuer *Issuer // people may sign in there; nil: personal keys only

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
}

// Doer sends requests to the outside; *outbound.Client does.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Sealer encrypts with the server's own keyset; *secret.Sealer does.
type Sealer interface {
	Seal(plain []byte, where string) ([]byte, error)
	Open(sealed []byte, where string) ([]byte, error)
}

// Service is the authorization server. Safe for concurrent use.
type Service struct {
	store        Store
	sealer       Sealer
	keys         func(context.Context, string) (tenant.Person, error)
	owner        func(ctx context.Context, projectID, sessionID string) (string, error)
	http         Doer
	registration bool
	issuer       *Issuer
	now          func() time.Time
	log          *slog.Logger

	access    *cache.Cache[string, access]       // by the hash of a token; only of tokens that work
	documents *cache.Cache[string, heldDocument] // by client id; also of addresses that have none
	guesses   *limiter                           // of personal keys, client secrets and tokens
	newcomers *limiter                           // registrations
	fetches   *limiter                           // of clients' documents
	strangers *limiter                           // tokens that the issuer may not have signed
}

// New makes a Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Bus == nil || o.Sealer == nil || o.Keys == nil || o.SessionOwner == nil {
		return nil, errors.New("authserver: Store, Bus, Sealer, Keys and SessionOwner are required")
	}
	s := &Service{
		store: o.Store, sealer: o.Sealer, keys: o.Keys, owner: o.SessionOwner, http: o.HTTP, registration: o.Registration, issuer: o.Issuer,
		now: o.Now, log: o.Log,
		guesses:   newLimiter(10, 6*time.Second, 200),
		newcomers: newLimiter(10, 30*time.Second, 300),
		fetches:   newLimiter(10, 6*time.Second, 100),
		strangers: newLimiter(50, time.Second/5, 50),
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.access = cache.New[string, access](cache.Options{Limit: rememberedTokens, Life: believedFor, Now: s.now})
	s.documents = cache.New[string, heldDocument](cache.Options{Limit: documentsCached})
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	o.Bus.Subscribe(s.hear)
	return s, nil
}

// hear drops what a change makes doubtful.
func (s *Service) hear(change notify.Change) {
	switch change.Kind {
	case notify.Grant:
		s.access.DropFunc(func(_ string, a access) bool { return a.grantID == change.ID })
	case notify.Everything:
		s.access.Clear()
	}
}

// Issuer gives where people may sign in besides with a personal key; nil for nowhere.
func (s *Service) Issuer() *Issuer { return s.issuer }
