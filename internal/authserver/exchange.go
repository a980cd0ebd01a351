package authserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Tokens are what a client receives.
type Tokens struct {
	Access  secret.Value
	Refresh secret.Value // empty when the client did not ask to refresh
	Life    time.Duration
	Scope   string
}

// Exchange answers a token request (RFC 6749 sections 4.1.3 and 6). The form holds what the client sent; the proof, who it is.
func (s *Service) Exchange(ctx context.Context, origin string, proof ClientProof, form url.Values, from string) (Tokens, error) {
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return Tokens{}, invalidRequest("The parameter " + shorten(name) + " is given twice.")
		}
	}
	grantType := form.Get("grant_type")
	if grantType != "authorization_code" && grantType != "refresh_token" {
		return Tokens{}, fault.New(fault.Invalid, fault.SlugOAuthUnsupportedGrantType, "grant_type must be authorization_code or refresh_token.")
	}
	client, err := s.authenticate(ctx, proof, from)
	if err != nil {
		return Tokens{}, err
	}
	if grantType == "authorization_code" {
		return s.redeem(ctx, origin, client, form)
	}
	return s.refresh(ctx, origin, client, form)
}

// redeem exchanges a code. One that comes a second time has been seen by somebody else: everything it led to ends.
func (s *Service) redeem(ctx context.Context, origin string, client Client, form url.Values) (Tokens, error) {
	code := form.Get("code")
	if code == "" {
		return Tokens{}, invalidRequest("code is missing.")
	}
	grant, err := s.store.GrantByCode(ctx, secret.Hash(code))
	if fault.Is(err, fault.NotFound) {
		return Tokens{}, invalidGrant("The code is not known or has expired.")
	}
	if err != nil {
		return Tokens{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	if !grant.Code.UsedAt.IsZero() {
		return Tokens{}, s.reused(ctx, grant, "its code was used twice")
	}
	if err := checkCode(grant, client, origin, form, now); err != nil {
		return Tokens{}, err
	}
	tokens, rows := mint(grant, now)
	grant.UsedAt, grant.ExpiresAt = now, rows[len(rows)-1].ExpiresAt
	err = s.store.RedeemCode(ctx, grant, rows, now)
	if fault.Is(err, fault.Conflict) {
		return Tokens{}, s.reused(ctx, grant, "its code was used twice")
	}
	return tokens, err
}

// checkCode checks all that a code is bound to.
func checkCode(grant Grant, client Client, origin string, form url.Values, now time.Time) error {
	redirect, redirected := form.Get("redirect_uri"), form.Has("redirect_uri")
	switch {
	case grant.ClientID != client.ID:
		return invalidGrant("The code was given to another client.")
	case !grant.RevokedAt.IsZero() || !now.Before(grant.Code.ExpiresAt):
		return invalidGrant("The code is not known or has expired.")
	case redirected && redirect != grant.Code.RedirectURI:
		return invalidGrant("redirect_uri is another than the one that the code was sent to.")
	case !verifies(form.Get("code_verifier"), grant.Code.Challenge):
		return invalidGrant("code_verifier does not fit the code_challenge.")
	}
	return sameResource(grant, origin, form)
}

// verifies checks a PKCE verifier (RFC 7636 section 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// sameResource refuses tokens for another resource than the person agreed to. Naming it again is optional (RFC 8707 section 2.2).
func sameResource(grant Grant, origin string, form url.Values) error {
	if !form.Has("resource") {
		return nil
	}
	resource, _, err := resourceOf(origin, form["resource"])
	if err == nil && resource != grant.Resource {
		return invalidTarget("The person agreed to another resource.")
	}
	return err
}

// refresh exchanges a refresh token for the next one. One that comes a second time has been seen by somebody else, and nobody can
// tell who of the two is the client: everything ends (RFC 9700 section 4.14.2).
func (s *Service) refresh(ctx context.Context, origin string, client Client, form url.Values) (Tokens, error) {
	text := form.Get("refresh_token")
	if text == "" {
		return Tokens{}, invalidRequest("refresh_token is missing.")
	}
	token, grant, err := s.store.TokenByHash(ctx, secret.Hash(text))
	if fault.Is(err, fault.NotFound) || err == nil && token.Kind != RefreshToken {
		return Tokens{}, invalidGrant("The refresh token is not known or has expired.")
	}
	if err != nil {
		return Tokens{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	switch {
	case grant.ClientID != client.ID:
		return Tokens{}, invalidGrant("The refresh token was given to another client.")
	case !grant.RevokedAt.IsZero():
		return Tokens{}, invalidGrant("The person's permission has ended.")
	case !token.UsedAt.IsZero():
		return Tokens{}, s.reused(ctx, grant, "a refresh token was used twice")
	case !now.Before(token.ExpiresAt):
		return Tokens{}, invalidGrant("The refresh token is not known or has expired.")
	}
	if err := sameResource(grant, origin, form); err != nil {
		return Tokens{}, err
	}
	tokens, rows := mint(grant, now)
	err = s.store.RotateToken(ctx, token, rows, now)
	if fault.Is(err, fault.Conflict) {
		return Tokens{}, s.reused(ctx, grant, "a refresh token was used twice")
	}
	return tokens, err
}

// reused ends a grant whose code or refresh token came twice, whether or not the one who sent it waits for the answer.
func (s *Service) reused(ctx context.Context, grant Grant, reason string) error {
	if _, err := s.store.RevokeGrant(context.WithoutCancel(ctx), grant.ProjectID, grant.ID, reason, s.now()); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "a grant was ended", "grant", grant.ID, "client", grant.ClientID, "reason", reason)
	return invalidGrant("The permission was ended, because " + reason + ". The person has to agree again.")
}

// mint makes the next tokens of a grant; the one that lives longest is last.
func mint(grant Grant, now time.Time) (Tokens, []Token) {
	tokens := Tokens{Access: secret.Hide(id.NewSecret(id.AccessToken)), Life: accessLife, Scope: grant.Scope}
	row := Token{ProjectID: grant.ProjectID, GrantID: grant.ID, CreatedAt: now}
	row.Hash, row.Kind, row.ExpiresAt = secret.Hash(tokens.Access.Reveal()), AccessToken, now.Add(accessLife)
	rows := []Token{row}
	if grant.Refreshes {
		tokens.Refresh = secret.Hide(id.NewSecret(id.RefreshToken))
		row.Hash, row.Kind, row.ExpiresAt = secret.Hash(tokens.Refresh.Reveal()), RefreshToken, now.Add(refreshLife)
		rows = append(rows, row)
	}
	return tokens, rows
}

// Revoke ends a token (RFC 7009): with a refresh token its whole grant, with an access token that token alone. A token that is not
// known has ended already, which is no error.
func (s *Service) Revoke(ctx context.Context, proof ClientProof, text, from string) error {
	if text == "" {
		return invalidRequest("token is missing.")
	}
	client, err := s.authenticate(ctx, proof, from)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(text, id.AccessToken+"_") && !strings.HasPrefix(text, id.RefreshToken+"_") {
		return nil
	}
	token, grant, err := s.store.TokenByHash(ctx, secret.Hash(text))
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case grant.ClientID != client.ID:
		return fault.New(fault.Invalid, fault.SlugOAuthUnauthorizedClient, "The token was given to another client.")
	case token.Kind == AccessToken:
		return s.store.DeleteToken(ctx, token)
	}
	_, err = s.store.RevokeGrant(ctx, grant.ProjectID, grant.ID, "the client revoked it", s.now())
	return err
}

func invalidGrant(message string) error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidGrant, "%s", message)
}

// descriptionOf is a fault in the characters that error_description may have (RFC 6749 section 4.1.2.1).
func descriptionOf(f *fault.Error) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return ' '
		}
		return r
	}, f.Message)
}

// Description is descriptionOf for the edge.
func Description(f *fault.Error) string { return descriptionOf(f) }
