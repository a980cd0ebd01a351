package authserver

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Consent is what a person is asked to agree to.
type Consent struct {
	ClientID     string
	ClientName   string // what the client calls itself; empty when it does not
	VouchedBy    string // host of the document that describes the client; empty for one that registered itself
	RedirectURI  string
	RedirectHost string // as people are shown it
	Loopback     bool   // the answer goes to a program on the person's own computer, whichever it is
	Resource     string // URL of the endpoint
	SessionID    string // of that endpoint; empty: the personal one
	Challenge    string
	State        string
	Issuer       string
	Refreshes    bool
}

// maxState bounds what we carry for clients.
const maxState = 2048

// challengeForm is what S256 gives: the base64url of 32 bytes.
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Authorize checks an authorization request (RFC 6749 section 4.1.1, with PKCE, RFC 8707 and RFC 9207) of a person who is signed in.
// With a fault about anything but the client and its redirect URI comes the address at which the client can be told of it: send a
// browser there by itself only when it is a loopback address, as anybody can register a client.
func (s *Service) Authorize(ctx context.Context, person tenant.Person, origin string, q url.Values, from string) (c Consent, back string, err error) {
	for name, values := range q {
		if len(values) > 1 && name != "resource" {
			return c, "", invalidRequest("The parameter " + shorten(name) + " is given twice.")
		}
	}
	client, vouchedBy, err := s.clientOf(ctx, q.Get("client_id"), from)
	if err != nil {
		return c, "", err
	}
	redirect, err := redirectOf(client, q)
	if err != nil {
		return c, "", err
	}
	c = Consent{
		ClientID: client.ID, ClientName: client.Name, VouchedBy: vouchedBy, RedirectURI: redirect, State: q.Get("state"), Issuer: origin,
		Challenge: q.Get("code_challenge"), Refreshes: client.Refreshes,
	}
	c.RedirectHost, c.Loopback = shown(redirect)
	if c.Resource, c.SessionID, err = resourceOf(origin, q["resource"]); err == nil {
		err = checkAuthorize(q)
	}
	if err == nil {
		err = s.mayOpen(ctx, person, c.SessionID)
	}
	if err != nil {
		return c, c.refused(fault.From(err)), err
	}
	return c, "", nil
}

// clientOf finds the client that an authorization request names.
func (s *Service) clientOf(ctx context.Context, clientID, from string) (client Client, vouchedBy string, err error) {
	switch {
	case clientID == "":
		return client, "", invalidRequest("The request does not say which program asks: client_id is missing.")
	case described(clientID):
		client, err = s.document(ctx, clientID, from)
		return client, hostOf(clientID), err
	case id.Has(id.OAuthClient, clientID) && len(clientID) < 100:
		client, err = s.store.OAuthClient(ctx, clientID)
		if !fault.Is(err, fault.NotFound) {
			return client, "", err
		}
	}
	return client, "", fault.New(fault.Invalid, fault.SlugOAuthInvalidClient, "The program that sent you is not registered here; a registration that nobody used has ended.").
		WithFix("In the program, remove this server and add it again.")
}

// redirectOf gives the address that answers go to. It may be left out where the client has one only (RFC 6749 section 3.1.2.3).
func redirectOf(client Client, q url.Values) (string, error) {
	given := q.Get("redirect_uri")
	if given == "" && len(client.RedirectURIs) == 1 {
		return client.RedirectURIs[0], nil
	}
	if redirect, ok := matchRedirectURI(client.RedirectURIs, given); ok {
		return redirect, nil
	}
	return "", fault.New(fault.Invalid, fault.SlugOAuthInvalidRedirectURI, "The program wants your answer sent to %s, which is not an address that it registered.", cmp.Or(shorten(given), "no address")).
		WithFix("Do not go on if you did not start this yourself. Otherwise remove this server in the program and add it again.")
}

// checkAuthorize checks what remains of a request.
func checkAuthorize(q url.Values) error {
	switch {
	case q.Get("response_type") != "code":
		return fault.New(fault.Invalid, fault.SlugOAuthUnsupportedResponseType, "response_type must be code.")
	case q.Get("response_mode") != "" && q.Get("response_mode") != "query":
		return invalidRequest("response_mode must be query.")
	case q.Get("code_challenge") == "":
		return invalidRequest("code_challenge is missing: PKCE is needed.")
	case q.Get("code_challenge_method") != "S256":
		return invalidRequest("code_challenge_method must be S256.")
	case !challengeForm.MatchString(q.Get("code_challenge")):
		return invalidRequest("code_challenge is not the base64url of a SHA-256.")
	case len(q.Get("state")) > maxState:
		return invalidRequest("state is too long.")
	case q.Has("request") || q.Has("request_uri"):
		return invalidRequest("Requests inside of tokens are not supported.")
	case q.Get("prompt") == "none":
		return fault.New(fault.Forbidden, fault.SlugOAuthLoginRequired, "A person has to agree each time.")
	}
	return nil
}

func invalidRequest(message string) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidRequest, "%s", message)
}

// refused is the address by which the client is told of an error (RFC 6749 section 4.1.2.1).
func (c Consent) refused(f *fault.Error) string {
	code := f.Slug
	switch {
	case code == "" || f.Kind == fault.Internal:
		code = "server_error"
	case f.Kind == fault.Unavailable || f.Kind == fault.RateLimited || f.Kind == fault.Timeout:
		code = "temporarily_unavailable"
	}
	return c.answer(url.Values{"error": {code}, "error_description": {descriptionOf(f)}})
}

// answer is the address of an answer to the client: with the client's state, and with who answers (RFC 9207).
func (c Consent) answer(params url.Values) string {
	if c.State != "" {
		params.Set("state", c.State)
	}
	params.Set("iss", c.Issuer)
	return withParams(c.RedirectURI, params)
}

// SealConsent makes what the consent form carries: what was shown is what is agreed to, by the person who was shown it.
func (s *Service) SealConsent(c Consent, login Login) (string, error) {
	return sealFor(s, c, "consent/"+login.Hash, consentLife)
}

// Agree stores the person's word, and gives the address that takes the code to the client.
func (s *Service) Agree(ctx context.Context, login Login, consent string) (location string, err error) {
	c, err := openFor[Consent](s, consent, "consent/"+login.Hash)
	if err != nil {
		return "", err
	}
	if err := s.mayOpen(ctx, login.Person, c.SessionID); err != nil {
		return "", err
	}
	code, now := id.NewSecret(id.OAuthCode), s.now().UTC().Truncate(time.Microsecond)
	grant := Grant{
		ID: id.New(id.OAuthGrant), ProjectID: login.Person.ProjectID, UserID: login.Person.UserID, KeyID: login.Person.KeyID,
		ClientID: c.ClientID, ClientName: c.ClientName, ClientHost: c.RedirectHost, Resource: c.Resource, Scope: Scope, Refreshes: c.Refreshes,
		Code:      Code{Hash: secret.Hash(code), RedirectURI: c.RedirectURI, Challenge: c.Challenge, ExpiresAt: now.Add(codeLife)},
		CreatedAt: now, ExpiresAt: now.Add(codeLife),
	}
	if err := s.store.CreateGrant(ctx, grant); err != nil {
		return "", err
	}
	s.log.InfoContext(ctx, "a person let a client in", "grant", grant.ID, "client", grant.ClientID, "client_host", grant.ClientHost, "resource", grant.Resource)
	return c.answer(url.Values{"code": {code}}), nil
}

// Decline gives the address that tells the client of a no.
func (s *Service) Decline(login Login, consent string) (location string, err error) {
	c, err := openFor[Consent](s, consent, "consent/"+login.Hash)
	if err != nil {
		return "", err
	}
	return c.refused(fault.New(fault.Forbidden, fault.SlugOAuthAccessDenied, "The person said no.")), nil
}

// shown is how people are told where an answer goes.
func shown(redirect string) (host string, loopback bool) {
	u, err := url.Parse(redirect)
	switch {
	case err != nil:
		return redirect, false
	case isLoopback(u):
		return "this computer", true
	case u.Scheme == "https":
		return u.Host, false
	default:
		return "the program that opens " + u.Scheme + ": links", true
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
