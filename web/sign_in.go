package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// People is the part of authserver.Service that the pages show.
type People interface {
	Issuer() *authserver.Issuer
	Form(kind, browser string) (string, error)
	CheckForm(kind, browser, text string) error

	SignIn(ctx context.Context, key, from string) (authserver.Login, secret.Value, error)
	VisitIssuer(ctx context.Context, origin, browser, next string) (location string, err error)
	ReturnFromIssuer(ctx context.Context, origin, browser string, q url.Values) (authserver.Login, secret.Value, string, error)
	Login(ctx context.Context, cookie string) (authserver.Login, error)
	SignOut(ctx context.Context, login authserver.Login) error

	Authorize(ctx context.Context, person tenant.Person, origin string, q url.Values, from string) (c authserver.Consent, back string, err error)
	SealConsent(c authserver.Consent, login authserver.Login) (string, error)
	Agree(ctx context.Context, login authserver.Login, consent string) (location string, err error)
	Decline(login authserver.Login, consent string) (location string, err error)

	ListGrants(ctx context.Context, projectID, userID string) ([]authserver.Grant, error)
	RevokeGrant(ctx context.Context, projectID, userID, grantID, reason string) (authserver.Grant, error)
}

// Paths of the pages beside those that package authserver names.
const (
	signInPath  = "/oauth/sign-in"
	issuerPath  = "/oauth/issuer"
	signOutPath = "/oauth/sign-out"
	clientsPath = "/oauth/clients"
)

func (p *pages) handlePeople(mux *http.ServeMux) {
	mux.HandleFunc("GET "+authserver.AuthorizePath, p.authorize)
	mux.HandleFunc("POST "+authserver.AuthorizePath, p.decide)
	mux.HandleFunc("POST "+signInPath, p.signIn)
	mux.HandleFunc("POST "+issuerPath, p.visitIssuer)
	mux.HandleFunc("GET "+authserver.CallbackPath, p.returnFromIssuer)
	mux.HandleFunc("POST "+signOutPath, p.signOut)
	mux.HandleFunc("GET "+clientsPath, p.clients)
	mux.HandleFunc("POST "+clientsPath, p.endGrant)
}

// plain is what pages of the server itself have for looks: they are about the server's people, whatever project's pages look like.
type plain struct{}

func (plain) Brand() connect.Brand { return connect.Brand{} }
func (plain) Portrait() string     { return "" }

// signInPage is where a person says who they are.
type signInPage struct {
	plain
	Form    string // shows that the form was shown here
	Next    string // the page they came for
	Issuer  string // host of the other place to sign in; empty: none
	Fault   string
	Asked   bool // whether a program sent them, rather than they themselves
	targets string
}

func (p signInPage) Title() string       { return "Sign in" }
func (p signInPage) formTargets() string { return p.targets }

// askWho shows the sign-in page. What was asked for is not looked at before it is known who asks: strangers learn nothing about
// clients, and cannot make this server fetch their documents.
func (p *pages) askWho(w http.ResponseWriter, r *http.Request, next, problem string) {
	form, err := p.o.People.Form("sign-in", p.browser(w, r))
	if err != nil {
		p.problem(w, r, err)
		return
	}
	page := signInPage{Form: form, Next: next, Fault: problem, Asked: strings.HasPrefix(next, authserver.AuthorizePath), targets: "'self'"}
	if page.Asked {
		page.targets += " http://127.0.0.1:* http://localhost:*" // a program on this computer is told at once what is wrong
	}
	if issuer := p.o.People.Issuer(); issuer != nil {
		page.Issuer = issuer.Host()
		page.targets += " https:" // whoever the issuer sends the person on to
		if strings.HasPrefix(issuer.URL(), "http:") {
			page.targets += " http:"
		}
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	p.render(w, r, status, "sign_in", page)
}

// signIn takes a personal key.
func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	next, ok := p.readSignIn(w, r)
	if !ok {
		return
	}
	login, cookie, err := p.o.People.SignIn(r.Context(), strings.TrimSpace(r.PostForm.Get("key")), p.o.Address(r))
	switch f := fault.From(err); {
	case err == nil:
		p.signedIn(w, r, login, cookie, next)
	case f.Kind == fault.Unauthorized:
		p.askWho(w, r, next, "This key is not valid. It begins with ck_, and may have been revoked.")
	case f.Kind == fault.RateLimited:
		p.askWho(w, r, next, "There were too many attempts. Wait a minute, then try again.")
	default:
		p.problem(w, r, err)
	}
}

// visitIssuer sends the person to the operator's own place to sign in.
func (p *pages) visitIssuer(w http.ResponseWriter, r *http.Request) {
	next, ok := p.readSignIn(w, r)
	if !ok {
		return
	}
	location, err := p.o.People.VisitIssuer(r.Context(), p.origin(r), p.browser(w, r), next)
	p.send(w, r, location, err)
}

func (p *pages) returnFromIssuer(w http.ResponseWriter, r *http.Request) {
	browser, _ := p.browserOf(r)
	login, cookie, next, err := p.o.People.ReturnFromIssuer(r.Context(), p.origin(r), browser, r.URL.Query())
	if err != nil {
		p.problem(w, r, err)
		return
	}
	p.signedIn(w, r, login, cookie, next)
}

// readSignIn reads a form of the sign-in page, and gives the page to go on to.
func (p *pages) readSignIn(w http.ResponseWriter, r *http.Request) (next string, ok bool) {
	browser, known := p.browserOf(r)
	if !p.readForm(w, r, known) {
		return "", false
	}
	if err := p.o.People.CheckForm("sign-in", browser, r.PostForm.Get("form")); err != nil {
		p.problem(w, r, err)
		return "", false
	}
	return ownPage(r.PostForm.Get("next")), true
}

// readForm parses what was posted, if it was posted from a page of ours by a browser that keeps cookies.
func (p *pages) readForm(w http.ResponseWriter, r *http.Request, cookie bool) bool {
	if err := p.crossSite.Check(r); err != nil {
		p.problem(w, r, fault.New(fault.Forbidden, fault.SlugForbidden, "Another site sent this form.").WithFix("Open the page itself, and press the button there."))
		return false
	}
	if !cookie {
		p.problem(w, r, fault.New(fault.Forbidden, fault.SlugLinkNoCookie, "Your browser did not send back the cookie of this page, or you were signed out.").
			WithFix("Allow cookies for this site, then begin again."))
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, fault.New(fault.TooLarge, fault.SlugTooLarge, "The form cannot be read: it is too long or was cut off.").WithFix("Begin again."))
		return false
	}
	return true
}

// ownPage keeps "next" to the pages that a person can have come for, so that nobody is sent elsewhere from here.
func ownPage(next string) string {
	if strings.HasPrefix(next, authserver.AuthorizePath+"?") {
		return next
	}
	return clientsPath
}

// signedIn sets the cookie and goes on. The address is relative, so it cannot lead elsewhere.
func (p *pages) signedIn(w http.ResponseWriter, r *http.Request, login authserver.Login, cookie secret.Value, next string) {
	http.SetCookie(w, &http.Cookie{
		Name: p.loginCookie(r), Value: cookie.Reveal(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: p.secure(r), Expires: login.ExpiresAt,
	})
	p.send(w, r, p.base()+ownPage(next), nil)
}

// base is the path in front of ours in the public URL, if it has one.
func (p *pages) base() string {
	u, err := url.Parse(p.o.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// loginCookie names the cookie of a signed-in browser. With the prefix, browsers take it from this very host over TLS only (RFC 6265bis
// section 4.1.3.2); without TLS they would not take it at all.
func (p *pages) loginCookie(r *http.Request) string {
	if p.secure(r) {
		return "__Host-patchbay_login"
	}
	return "patchbay_login"
}

// who finds out who is signed in; ok is false when nobody is, or when it could not be found out and the answer was given.
func (p *pages) who(w http.ResponseWriter, r *http.Request, next string) (login authserver.Login, ok bool) {
	cookie, err := r.Cookie(p.loginCookie(r))
	if err == nil {
		login, err = p.o.People.Login(r.Context(), cookie.Value)
	}
	switch {
	case err == nil:
		return login, true
	case cookie == nil || fault.Is(err, fault.Unauthorized):
		p.askWho(w, r, next, "")
	default:
		p.problem(w, r, err)
	}
	return login, false
}

// signedForm reads a form of a page that only a signed-in person sees.
func (p *pages) signedForm(w http.ResponseWriter, r *http.Request) (login authserver.Login, ok bool) {
	cookie, err := r.Cookie(p.loginCookie(r))
	if !p.readForm(w, r, err == nil) {
		return login, false
	}
	login, err = p.o.People.Login(r.Context(), cookie.Value)
	if fault.Is(err, fault.Unauthorized) {
		err = fault.New(fault.Forbidden, fault.SlugForbidden, "You are not signed in any more.").WithFix("Go back to the program, and begin again there.")
	}
	if err != nil {
		p.problem(w, r, err)
		return login, false
	}
	return login, true
}

// signOut ends the sign-in of this browser.
func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	login, ok := p.signedForm(w, r)
	if !ok {
		return
	}
	err := p.o.People.CheckForm("signed-in", login.Hash, r.PostForm.Get("form"))
	if err == nil {
		err = p.o.People.SignOut(r.Context(), login)
	}
	if err == nil {
		http.SetCookie(w, &http.Cookie{Name: p.loginCookie(r), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(r), MaxAge: -1})
	}
	p.send(w, r, p.base()+ownPage(r.PostForm.Get("next")), err)
}

// send sends the browser on, or says what is wrong.
func (p *pages) send(w http.ResponseWriter, r *http.Request, location string, err error) {
	if err != nil {
		p.problem(w, r, err)
		return
	}
	p.headers(w, r, nil)
	w.Header().Set("Location", location) // as it is: http.Redirect would clean what has to stay the same text
	w.WriteHeader(http.StatusSeeOther)
}
