package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// consentPage asks a person whether a program may use their tools.
type consentPage struct {
	plain
	authserver.Consent
	UserID string
	Sealed string // the consent, as it comes back
	Form   string // of the button that signs out
	Next   string
}

func (p consentPage) Title() string {
	return "Let " + p.Called() + " use your tools?"
}

// Called is what the page calls the program: its name where somebody vouches for it, and otherwise no name in a heading.
func (p consentPage) Called() string {
	switch {
	case p.VouchedBy == "":
		return "a program"
	case p.ClientName == "":
		return p.VouchedBy
	}
	return p.ClientName
}

// formTargets lets the form lead to the program, and on to wherever that sends the person: browsers hold all the redirects that follow
// a form against the policy, and stay on the page when one of them breaks it.
func (p consentPage) formTargets() string {
	u, err := url.Parse(p.RedirectURI)
	if err != nil {
		return "'self'"
	}
	if u.Scheme == "https" {
		return "'self' https:"
	}
	return "'self' https: " + u.Scheme + ":"
}

// stoppedPage says why a program's request cannot be met.
type stoppedPage struct {
	plain
	Fault *fault.Error
	Back  template.URL // tells the program of it; its scheme was looked at when the client was registered
	Host  string
}

func (p stoppedPage) Title() string { return "This program cannot be let in" }

// authorize is where programs send their person (RFC 6749 section 3.1).
func (p *pages) authorize(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		p.headers(w, r, nil)
		return
	}
	next := authserver.AuthorizePath + "?" + r.URL.RawQuery
	login, ok := p.who(w, r, next)
	if !ok {
		return
	}
	consent, back, err := p.o.People.Authorize(r.Context(), login.Person, p.origin(r), r.URL.Query(), p.o.Address(r))
	if err != nil {
		p.stopped(w, r, consent, back, err)
		return
	}
	page := consentPage{Consent: consent, UserID: login.Person.UserID, Next: next}
	page.Sealed, err = p.o.People.SealConsent(consent, login)
	if err == nil {
		page.Form, err = p.o.People.Form("signed-in", login.Hash)
	}
	if err != nil {
		p.problem(w, r, err)
		return
	}
	p.render(w, r, http.StatusOK, "consent", page)
}

// stopped tells of a request that cannot be met. A program on this computer is told at once; any other place only when the person
// follows the link, because whoever registered a client could use this server to send people to it (RFC 9700 section 4.11.2).
func (p *pages) stopped(w http.ResponseWriter, r *http.Request, consent authserver.Consent, back string, err error) {
	f := fault.From(err)
	if back == "" || f.Kind == fault.Internal {
		p.problem(w, r, err)
		return
	}
	if strings.HasPrefix(back, "http://") && consent.Loopback {
		p.send(w, r, back, nil)
		return
	}
	p.render(w, r, statusOf(f.Kind), "stopped", stoppedPage{Fault: f, Back: template.URL(back), Host: consent.RedirectHost})
}

// decide takes the person's word.
func (p *pages) decide(w http.ResponseWriter, r *http.Request) {
	login, ok := p.signedForm(w, r)
	if !ok {
		return
	}
	var location string
	var err error
	if r.PostForm.Get("answer") == "allow" {
		location, err = p.o.People.Agree(r.Context(), login, r.PostForm.Get("consent"))
	} else {
		location, err = p.o.People.Decline(login, r.PostForm.Get("consent"))
	}
	p.send(w, r, location, err)
}
