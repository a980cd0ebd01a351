package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// IssuerOptions say where the operator's people sign in otherwise: at an OpenID Connect provider.
type IssuerOptions struct {
	URL          string // the issuer, as its own documents write it
	ClientID     string // of this server, registered there with the redirect URI …/oauth/callback
	ClientSecret secret.Value
	UserClaim    string   // the claim that is the user id here; empty: sub
	Users        []string // values of that claim that may sign in, "@example.com" for all that end so; empty: everybody the issuer knows

	// Tokens lets the issuer's own access tokens (JWT) open MCP endpoints. They have to be meant for the endpoint's URL, or for one
	// of Audiences.
	Tokens    bool
	Audiences []string

	// Project gives the project that these people belong to. Required.
	Project func(ctx context.Context) (id string, err error)

	HTTP *http.Client     // required; the guarded one
	Now  func() time.Time // nil: time.Now
}

// Issuer is an OpenID Connect provider at which people may sign in. Nil is none. Safe for concurrent use.
type Issuer struct {
	o IssuerOptions

	mu       sync.Mutex
	provider *oidc.Provider // nil until it was asked the first time
	triedAt  time.Time
	trouble  error
}

// NewIssuer checks the options. The issuer itself is asked when somebody first signs in, so that a server starts without it.
func NewIssuer(o IssuerOptions) (*Issuer, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || o.HTTP == nil || o.Project == nil {
		return nil, errors.New("authserver: an Issuer needs the URL of an issuer, HTTP and Project")
	}
	if o.ClientID == "" {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "signin.issuer is set, but signin.client_id is not.").
			WithFix("Register this server at the issuer, with the redirect URI <public_url>/oauth/callback, and set signin.client_id.")
	}
	if slices.Contains(o.Audiences, o.ClientID) {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "signin.audience must not be signin.client_id: the proof that a person signed in here would count as an access token.").
			WithFix("Give the MCP server an audience of its own at the issuer.")
	}
	if o.UserClaim == "" {
		o.UserClaim = "sub"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Issuer{o: o}, nil
}

// URL is the issuer's name.
func (i *Issuer) URL() string { return i.o.URL }

// Host is what people know the issuer by.
func (i *Issuer) Host() string { return hostOf(i.o.URL) }

func (i *Issuer) acceptsTokens() bool { return i != nil && i.o.Tokens }

// retryDiscovery is how long an issuer that did not answer is left alone.
const retryDiscovery = 5 * time.Second

// discovered asks the issuer for its description, once.
func (i *Issuer) discovered(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	if now := i.o.Now(); i.trouble == nil || now.Sub(i.triedAt) >= retryDiscovery {
		i.triedAt = now
		// The provider keeps the context for its keys: it must not end with this request.
		i.provider, i.trouble = oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), i.o.HTTP), i.o.URL)
	}
	if i.trouble != nil {
		return nil, fault.New(fault.Unavailable, fault.SlugUnavailable, "%s cannot be reached, or does not describe itself as an OpenID Connect issuer.", i.Host()).
			WithFix("Try again; if it stays, have the operator check signin.issuer (and outbound.allow, if it is in a private network).").Because(i.trouble)
	}
	return i.provider, nil
}

func (i *Issuer) client(provider *oidc.Provider, origin string) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	if i.o.UserClaim != "sub" {
		scopes = append(scopes, "profile", "email")
	}
	return &oauth2.Config{
		ClientID: i.o.ClientID, ClientSecret: i.o.ClientSecret.Reveal(), Endpoint: provider.Endpoint(),
		RedirectURL: origin + CallbackPath, Scopes: scopes,
	}
}

// CallbackPath is where the issuer sends people back to.
const CallbackPath = "/oauth/callback"

// issuerVisit is what a browser carries to the issuer and back, in the state.
type issuerVisit struct {
	Nonce, Verifier, Next string
}

// VisitIssuer gives the address at the issuer where a person signs in. Next is what they want to see afterwards. The browser's
// secret binds the answer to the browser that asked.
func (s *Service) VisitIssuer(ctx context.Context, origin, browser, next string) (location string, err error) {
	if s.issuer == nil {
		return "", noIssuer()
	}
	provider, err := s.issuer.discovered(ctx)
	if err != nil {
		return "", err
	}
	visit := issuerVisit{Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Next: next}
	state, err := sealFor(s, visit, "issuer/"+browser, consentLife)
	if err != nil {
		return "", err
	}
	return s.issuer.client(provider, origin).AuthCodeURL(state, oidc.Nonce(visit.Nonce), oauth2.S256ChallengeOption(visit.Verifier)), nil
}

// ReturnFromIssuer signs in the person whom the issuer sent back, and gives what they wanted to see.
func (s *Service) ReturnFromIssuer(ctx context.Context, origin, browser string, q url.Values) (login Login, cookie secret.Value, next string, err error) {
	if s.issuer == nil {
		return login, cookie, "", noIssuer()
	}
	visit, err := openFor[issuerVisit](s, q.Get("state"), "issuer/"+browser)
	if err != nil {
		return login, cookie, "", err
	}
	person, err := s.issuer.person(ctx, origin, visit, q)
	if err != nil {
		return login, cookie, "", err
	}
	login, cookie, err = s.begin(ctx, person, s.issuer.URL())
	return login, cookie, visit.Next, err
}

func noIssuer() error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "This server has no other place to sign in.").WithFix("Sign in with a personal key.")
}

// person exchanges the issuer's code and reads the proof that comes with the tokens.
func (i *Issuer) person(ctx context.Context, origin string, visit issuerVisit, q url.Values) (tenant.Person, error) {
	refuse := func(message string, cause error) error {
		return fault.New(fault.Forbidden, fault.SlugForbidden, "%s did not sign you in: %s.", i.Host(), message).WithFix("Begin again.").Because(cause)
	}
	if code := q.Get("error"); code != "" {
		return tenant.Person{}, refuse("it answered "+shorten(code), nil)
	}
	if iss := q.Get("iss"); iss != "" && iss != i.o.URL {
		return tenant.Person{}, refuse("the answer is another issuer's", nil)
	}
	provider, err := i.discovered(ctx)
	if err != nil {
		return tenant.Person{}, err
	}
	tokens, err := i.client(provider, origin).Exchange(oidc.ClientContext(ctx, i.o.HTTP), q.Get("code"), oauth2.VerifierOption(visit.Verifier))
	if err != nil {
		return tenant.Person{}, refuse("it did not take its own code back", redacted(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return tenant.Person{}, refuse("it sent no id_token", nil)
	}
	proof, err := provider.Verifier(&oidc.Config{ClientID: i.o.ClientID, Now: i.o.Now}).Verify(ctx, raw)
	if err != nil {
		return tenant.Person{}, refuse("its id_token is not valid", err)
	}
	if proof.Nonce != visit.Nonce {
		return tenant.Person{}, refuse("its id_token is for another visit", nil)
	}
	return i.known(ctx, proof)
}

// redacted keeps the body of a token endpoint's error out of the log: it may repeat what was sent.
func redacted(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("the token endpoint answered %d %s", refused.Response.StatusCode, refused.ErrorCode)
	}
	return err
}

// known gives the person that a verified token speaks of, if they may come in.
func (i *Issuer) known(ctx context.Context, token *oidc.IDToken) (tenant.Person, error) {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Forbidden, fault.SlugForbidden, format, args...).WithFix("Ask whoever runs this server.")
	}
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return tenant.Person{}, refuse("%s says nothing readable about you.", i.Host())
	}
	var user string
	if err := json.Unmarshal(claims[i.o.UserClaim], &user); err != nil || strings.TrimSpace(user) == "" || len(user) > 256 {
		return tenant.Person{}, refuse("%s does not say your %s, by which people are known here.", i.Host(), i.o.UserClaim)
	}
	// An address that nobody verified may be somebody else's (OpenID Connect Core section 5.7).
	if verified := string(claims["email_verified"]); i.o.UserClaim == "email" && verified != "true" && verified != `"true"` {
		return tenant.Person{}, refuse("%s has not verified your e-mail address.", i.Host())
	}
	if len(i.o.Users) > 0 && !slices.ContainsFunc(i.o.Users, func(allowed string) bool { return admits(allowed, user) }) {
		return tenant.Person{}, refuse("You are signed in at %s, but are not among those who may use this server.", i.Host())
	}
	project, err := i.o.Project(ctx)
	return tenant.Person{ProjectID: project, UserID: user}, err
}

// admits reports whether an entry of the operator's list covers a user: the user itself, or "@" and the user's domain.
func admits(allowed, user string) bool {
	if strings.HasPrefix(allowed, "@") {
		at := strings.LastIndexByte(user, '@')
		return at > 0 && strings.EqualFold(user[at:], allowed)
	}
	return allowed == user
}

// issued finds the person behind an access token that the issuer signed.
func (s *Service) issued(ctx context.Context, token, resource string) (tenant.Person, error) {
	key, now := secret.Hash(token+" "+resource), s.now()
	if found, ok := s.access.Get(key); ok && now.Before(found.expires) {
		return found.person, nil
	}
	mark := s.access.Mark()
	// A token of unknown keys makes go-oidc ask the issuer for new ones: not as often as strangers like.
	if err := s.strangers.admit("", now); err != nil {
		return tenant.Person{}, err
	}
	provider, err := s.issuer.discovered(ctx)
	if err != nil {
		return tenant.Person{}, err
	}
	verified, err := provider.Verifier(&oidc.Config{SkipClientIDCheck: true, Now: s.issuer.o.Now}).Verify(ctx, token)
	if err != nil {
		return tenant.Person{}, invalidToken("The access token is not one that " + s.issuer.Host() + " signed, or it has expired.")
	}
	s.strangers.forgive("")
	if !slices.Contains(verified.Audience, resource) && !slices.ContainsFunc(verified.Audience, s.issuer.hasAudience) {
		return tenant.Person{}, invalidToken("The access token is for another audience than this endpoint.")
	}
	person, err := s.issuer.known(ctx, verified)
	if err == nil {
		s.access.Put(key, access{person: person, resource: resource, expires: verified.Expiry}, mark)
	}
	return person, err
}

func (i *Issuer) hasAudience(audience string) bool { return slices.Contains(i.o.Audiences, audience) }
