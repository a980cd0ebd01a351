package authserver_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const (
	origin   = "https://bay.example"
	personal = origin + "/mcp"
	sessions = origin + "/tool_router/trs_ada/mcp"
	loopback = "http://127.0.0.1/callback"
)

// world is an authorization server on a real store, with two people, and a session of one of them.
type world struct {
	*authserver.Service
	t       *testing.T
	store   *counting
	bus     *notify.Bus
	tenants *tenant.Service
	project string
	keys    map[string]string // personal keys by user

	mu  sync.Mutex
	now time.Time
}

// counting counts the look-ups of tokens that reach the store.
type counting struct {
	authserver.Store
	lookups atomic.Int64
}

func (c *counting) TokenByHash(ctx context.Context, hash string) (authserver.Token, authserver.Grant, error) {
	c.lookups.Add(1)
	return c.Store.TokenByHash(ctx, hash)
}

func newWorld(t *testing.T, options ...func(*world, *authserver.Options)) *world {
	t.Helper()
	w := &world{t: t, bus: new(notify.Bus), keys: map[string]string{}, now: time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)}
	db := storetest.OpenWith(t, w.bus, w.clock)
	w.store = &counting{Store: db}
	var err error
	w.tenants, err = tenant.New(tenant.Options{Store: db, Bus: w.bus, Now: w.clock})
	w.must(err)
	project, err := w.tenants.EnsureProject(t.Context(), "default")
	w.must(err)
	w.project = project.ID
	for _, user := range []string{"ada", "bob"} {
		_, w.keys[user], err = w.tenants.CreatePersonalKey(t.Context(), w.project, user, "")
		w.must(err)
	}
	o := authserver.Options{
		Store: w.store, Bus: w.bus, Sealer: db.Keyring().Server(), Keys: w.tenants.AuthenticatePerson, Registration: true, Now: w.clock,
		SessionOwner: func(_ context.Context, projectID, sessionID string) (string, error) {
			if projectID != w.project || sessionID != "trs_ada" {
				return "", fault.New(fault.NotFound, fault.SlugSessionNotFound, "There is no such session.")
			}
			return "ada", nil
		},
	}
	for _, option := range options {
		option(w, &o)
	}
	w.Service, err = authserver.New(o)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// register makes a public client that answers go to at an address, and refreshes.
func (w *world) register(redirect string) authserver.Client {
	w.t.Helper()
	client, _, err := w.Register(w.t.Context(), authserver.NewClient{
		Name: "A client", RedirectURIs: []string{redirect}, AuthMethod: authserver.Public, GrantTypes: []string{"authorization_code", "refresh_token"},
	}, "here")
	w.must(err)
	return client
}

func (w *world) signIn(user string) authserver.Login {
	w.t.Helper()
	login, _, err := w.SignIn(w.t.Context(), w.keys[user], "here")
	w.must(err)
	return login
}

// verifier is the secret of every request of these tests.
const verifier = "a-verifier-of-at-least-forty-three-characters"

func challenge() string { return s256(verifier) }

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is an authorization request without fault, with changes: an empty value leaves a parameter out.
func request(client authserver.Client, changes ...string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {client.RedirectURIs[0]}, "state": {"the state"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"}, "resource": {personal}, "scope": {"tools"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		if q.Del(changes[i]); changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q
}

// agree goes through an authorization request as a person who says yes, and gives the parameters of the answer.
func (w *world) agree(user string, q url.Values) url.Values {
	w.t.Helper()
	login := w.signIn(user)
	consent, _, err := w.Authorize(w.t.Context(), login.Person, origin, q, "here")
	w.must(err)
	sealed, err := w.SealConsent(consent, login)
	w.must(err)
	location, err := w.Agree(w.t.Context(), login, sealed)
	w.must(err)
	return answerOf(w.t, location)
}

func answerOf(t *testing.T, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// redeem exchanges a code, with changes to a request without fault.
func (w *world) redeem(client authserver.Client, code string, changes ...string) (authserver.Tokens, error) {
	form := with(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {client.RedirectURIs[0]}, "code_verifier": {verifier}, "resource": {personal},
	}, changes...)
	return w.Exchange(w.t.Context(), origin, authserver.ClientProof{ID: client.ID}, form, "here")
}

func (w *world) refresh(client authserver.Client, token secret.Value, changes ...string) (authserver.Tokens, error) {
	form := with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}}, changes...)
	return w.Exchange(w.t.Context(), origin, authserver.ClientProof{ID: client.ID}, form, "here")
}

// letIn gives the tokens of a client that ada let in.
func (w *world) letIn(client authserver.Client, changes ...string) authserver.Tokens {
	w.t.Helper()
	q := request(client, changes...)
	tokens, err := w.redeem(client, w.agree("ada", q).Get("code"), "resource", q.Get("resource"))
	w.must(err)
	return tokens
}

// opens reports who is behind a token at the personal endpoint; empty for nobody.
func (w *world) opens(token secret.Value) string {
	person, err := w.Person(w.t.Context(), token.Reveal(), origin, "/mcp")
	if err != nil && !fault.Is(err, fault.Unauthorized) {
		w.t.Errorf("%v", err)
	}
	return person.UserID
}

// wantSlug checks the error code of the protocol.
func wantSlug(t *testing.T, what string, err error, slug string) {
	t.Helper()
	if err == nil || fault.From(err).Slug != slug {
		t.Errorf("%s: got %v, want %s", what, err, slug)
	}
}

// roundTrip answers requests to the outside.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }
