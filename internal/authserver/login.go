package authserver

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// SignIn signs a person in by their personal key and gives the secret for the browser's cookie. Attempts are counted by the
// address they come from.
func (s *Service) SignIn(ctx context.Context, key, from string) (Login, secret.Value, error) {
	if err := s.guesses.admit(from, s.now()); err != nil {
		return Login{}, secret.Value{}, err
	}
	person, err := s.keys(ctx, key)
	if err != nil {
		return Login{}, secret.Value{}, err
	}
	s.guesses.forgive(from)
	return s.begin(ctx, person, "")
}

// begin stores a sign-in.
func (s *Service) begin(ctx context.Context, person tenant.Person, issuer string) (Login, secret.Value, error) {
	text, now := id.NewSecret(id.Login), s.now().UTC().Truncate(time.Microsecond)
	login := Login{Hash: secret.Hash(text), Person: person, Issuer: issuer, CreatedAt: now, ExpiresAt: now.Add(loginLife)}
	return login, secret.Hide(text), s.store.CreateLogin(ctx, login)
}

// Login finds who is signed in with a browser's secret. Nobody is a fault of kind Unauthorized.
func (s *Service) Login(ctx context.Context, cookie string) (Login, error) {
	if !id.Has(id.Login, cookie) {
		return Login{}, notSignedIn()
	}
	login, err := s.store.LoginByHash(ctx, secret.Hash(cookie), s.now())
	if fault.Is(err, fault.NotFound) {
		return Login{}, notSignedIn()
	}
	return login, err
}

func notSignedIn() error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "You are not signed in.")
}

// SignOut ends a sign-in.
func (s *Service) SignOut(ctx context.Context, login Login) error {
	return s.store.DeleteLogin(ctx, login.Hash)
}
