package web

import (
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
)

// clientsPage lists the programs that a person let in.
type clientsPage struct {
	plain
	UserID string
	Grants []authserver.Grant
	Form   string
}

func (p clientsPage) Title() string       { return "Programs that may use your tools" }
func (p clientsPage) formTargets() string { return "'self'" }

// Day is how the page writes a time.
func (p clientsPage) Day(t time.Time) string { return t.Format("2 January 2006") }

func (p *pages) clients(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		p.headers(w, r, nil)
		return
	}
	login, ok := p.who(w, r, clientsPath)
	if !ok {
		return
	}
	grants, err := p.o.People.ListGrants(r.Context(), login.Person.ProjectID, login.Person.UserID)
	page := clientsPage{UserID: login.Person.UserID, Grants: grants}
	if err == nil {
		page.Form, err = p.o.People.Form("signed-in", login.Hash)
	}
	if err != nil {
		p.problem(w, r, err)
		return
	}
	p.render(w, r, http.StatusOK, "clients", page)
}

// endGrant ends what a person allowed.
func (p *pages) endGrant(w http.ResponseWriter, r *http.Request) {
	login, ok := p.signedForm(w, r)
	if !ok {
		return
	}
	err := p.o.People.CheckForm("signed-in", login.Hash, r.PostForm.Get("form"))
	if err == nil {
		_, err = p.o.People.RevokeGrant(r.Context(), login.Person.ProjectID, login.Person.UserID, r.PostForm.Get("grant"), "the person ended it")
	}
	p.send(w, r, p.base()+clientsPath, err)
}
