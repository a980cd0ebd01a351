package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Links is the part of connect.Service that the pages show.
type Links interface {
	OpenLink(ctx context.Context, token, browser string) (connect.LinkView, error)
	SubmitLink(ctx context.Context, token, browser, origin string, form map[string]string) (connect.LinkStep, error)
	FinishCallback(ctx context.Context, p connect.CallbackParams, browser, origin string) (connect.LinkStep, error)
}

// Options of the pages.
type Options struct {
	Links       Links                                    // required
	ToolkitName func(slug string) (name string, ok bool) // for the letters on logos; nil: made from the slug
	PublicURL   string                                   // as users see this server; empty: as each request came in
	People      People                                   // who signs in and lets programs in; nil: those pages are not served
	Address     func(*http.Request) string               // where a request comes from, to count attempts; nil: RemoteAddr
	Log         *slog.Logger                             // nil: nothing is logged
}

// pages serves them.
type pages struct {
	o         Options
	templates map[string]*template.Template
	crossSite *http.CrossOriginProtection
}

// New makes the handler of the Connect pages, the OAuth callbacks and the logos.
func New(o Options) (http.Handler, error) {
	if o.Links == nil {
		return nil, errors.New("web: Links is required")
	}
	if o.ToolkitName == nil {
		o.ToolkitName = func(slug string) (string, bool) { return slug, true }
	}
	if o.Address == nil {
		o.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	p := &pages{o: o, templates: templates, crossSite: http.NewCrossOriginProtection()}
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		if err := p.crossSite.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /link/{token}", p.open)
	mux.HandleFunc("POST /link/{token}", p.submit)
	for _, path := range callbackPaths {
		mux.HandleFunc("GET "+path, p.callback)
	}
	mux.HandleFunc("GET /logos/{file}", p.logo)
	mux.HandleFunc("GET "+connect.ClientDocumentPath, p.clientDocument)
	if o.People != nil {
		p.handlePeople(mux)
	}
	return mux, nil
}

// open shows a link's form.
func (p *pages) open(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // asked by programs that look whether the page exists, before anybody opened it
		p.headers(w, r, nil)
		return
	}
	view, err := p.o.Links.OpenLink(r.Context(), r.PathValue("token"), p.browser(w, r))
	if err != nil {
		p.problem(w, r, err)
		return
	}
	if view.Waiting {
		p.render(w, r, http.StatusOK, "waiting", waitingPage{View: view})
		return
	}
	p.render(w, r, http.StatusOK, "link", formPage{View: view})
}

// maxForm bounds what is posted. The longest value is a service account's file.
const maxForm = 256 << 10

// submit takes a link's form. The cookie that came with the form has to come back with it: another site can make a browser
// post here, but not with the cookie.
func (p *pages) submit(w http.ResponseWriter, r *http.Request) {
	if err := p.crossSite.Check(r); err != nil {
		p.problem(w, r, fault.New(fault.Forbidden, fault.SlugForbidden, "Another site sent this form.").
			WithFix("Open the link itself, and press the button there."))
		return
	}
	browser, ok := p.browserOf(r)
	if !ok {
		p.problem(w, r, fault.New(fault.Forbidden, fault.SlugLinkNoCookie, "Your browser did not send back the cookie of this page.").
			WithFix("Allow cookies for this site, then open the link again."))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	form, err := readForm(r)
	if err != nil {
		p.problem(w, r, fault.New(fault.TooLarge, fault.SlugTooLarge, "The form cannot be read: it is too long or was cut off.").
			WithFix("Go back and try again with shorter values."))
		return
	}
	step, err := p.o.Links.SubmitLink(r.Context(), r.PathValue("token"), browser, p.origin(r), form)
	if err == nil && len(step.Faults) > 0 {
		p.render(w, r, http.StatusUnprocessableEntity, "link", formPage{View: step.View, Faults: step.Faults, Given: form})
		return
	}
	p.next(w, r, step, err)
}

// readForm reads what was typed, and the files that were chosen where nothing was typed.
func readForm(r *http.Request) (map[string]string, error) {
	parse := r.ParseForm
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		parse = func() error { return r.ParseMultipartForm(maxForm) }
	}
	if err := parse(); err != nil {
		return nil, err
	}
	form := make(map[string]string, len(r.PostForm))
	for name := range r.PostForm {
		form[name] = r.PostForm.Get(name)
	}
	for name := range wholeFiles {
		if r.MultipartForm == nil || strings.TrimSpace(form[name]) != "" {
			continue
		}
		file, _, err := r.FormFile(fileInput(name))
		if errors.Is(err, http.ErrMissingFile) {
			continue
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(file) // bounded with the form
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		form[name] = string(text)
	}
	return form, nil
}

// callbackPaths are where providers send the browser back to: ours, and those that apps registered elsewhere still name.
var callbackPaths = []string{"/api/v3.1/toolkits/auth/callback", "/api/v3/toolkits/auth/callback", "/api/v1/auth-apps/add"}

// clientDocument tells authorization servers who we are (scheme CIMD_OAUTH).
func (p *pages) clientDocument(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if err := json.NewEncoder(w).Encode(connect.DescribeClient(p.origin(r), callbackPaths...)); err != nil {
		p.o.Log.DebugContext(r.Context(), "the client document was not taken", "error", err)
	}
}

// callback is where providers send the browser back to.
func (p *pages) callback(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		p.headers(w, r, nil)
		return
	}
	browser, _ := p.browserOf(r)
	q := r.URL.Query()
	step, err := p.o.Links.FinishCallback(r.Context(), callbackParams(q), browser, p.origin(r))
	p.next(w, r, step, err)
}

// callbackParams reads what OAuth 2 providers send back, and what those of OAuth 1 do: their token for our state, and "denied" or
// "oauth_problem" for an error.
func callbackParams(q url.Values) connect.CallbackParams {
	p := connect.CallbackParams{
		State: cmp.Or(q.Get("state"), q.Get("oauth_token"), q.Get("denied")), Code: q.Get("code"), Verifier: q.Get("oauth_verifier"),
		Error: cmp.Or(q.Get("error"), q.Get("oauth_problem")), ErrorDescription: q.Get("error_description"), Issuer: q.Get("iss"),
	}
	if q.Has("denied") || p.Error == "permission_denied" {
		p.Error = "access_denied"
	}
	return p
}

// next sends the browser on, or shows how it ended.
func (p *pages) next(w http.ResponseWriter, r *http.Request, step connect.LinkStep, err error) {
	switch {
	case err != nil:
		p.problem(w, r, err)
	case step.Redirect != "":
		p.headers(w, r, nil)
		http.Redirect(w, r, step.Redirect, http.StatusSeeOther)
	case step.View.Waiting:
		p.render(w, r, http.StatusOK, "waiting", waitingPage{View: step.View})
	default:
		p.render(w, r, http.StatusOK, "ended", endedPage{View: step.View})
	}
}

// problem shows an error: what happened and what to do.
func (p *pages) problem(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		p.o.Log.ErrorContext(r.Context(), "page failed", "page", r.Pattern, "error", err.Error(), "request_id", w.Header().Get("X-Request-Id"))
	}
	p.render(w, r, statusOf(f.Kind), "problem", problemPage{Heading: headings[f.Slug], Fault: f})
}

// render writes a whole page, or, if its template fails, an error instead of half a page.
func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, name string, content page) {
	var body bytes.Buffer
	if err := p.templates[name].Execute(&body, content); err != nil {
		p.o.Log.ErrorContext(r.Context(), "page not rendered", "page", name, "error", err.Error())
		http.Error(w, "Something went wrong on the server.", http.StatusInternalServerError)
		return
	}
	p.headers(w, r, content)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		if _, err := body.WriteTo(w); err != nil {
			p.o.Log.DebugContext(r.Context(), "page not sent", "page", name, "error", err.Error()) // the browser went away
		}
	}
}

// headers keep a page from being framed, stored, leaked by a referrer, or made to run anything.
func (p *pages) headers(w http.ResponseWriter, r *http.Request, content page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer")
	target := "'none'"
	if form, ok := content.(formPage); ok {
		// Browsers hold the targets of redirects after a form against the policy too, and those are the provider, whoever it
		// sends the user on to, and the application.
		target = "'self' https:"
		if strings.HasPrefix(p.origin(r), "http:") || strings.HasPrefix(form.View.ReturnURL, "http:") || strings.HasPrefix(form.View.Verifier, "http:") {
			target += " http:"
		}
		h.Set("Referrer-Policy", "same-origin") // no-referrer would hide from ourselves, too, that the form came from here
	}
	if posting, ok := content.(interface{ formTargets() string }); ok {
		target = posting.formTargets()
		h.Set("Referrer-Policy", "same-origin")
	}
	styles, pictures := styleHash, "data:"
	if content != nil {
		brand := content.Brand()
		if own := brandStyle(brand.Accent); own != "" {
			styles += " " + sourceOf(string(own))
		}
		pictures += pictureSource(brand.Logo) + pictureSource(content.Portrait())
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styles+"; img-src "+pictures+"; base-uri 'none'; frame-ancestors 'none'; form-action "+target)
}

// origin is where the browser reached this server.
func (p *pages) origin(r *http.Request) string {
	if p.o.PublicURL != "" {
		return strings.TrimSuffix(p.o.PublicURL, "/")
	}
	scheme, host := "http", r.Host
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" {
		host = forwarded
	}
	return scheme + "://" + host
}

// The cookie that ties a link to one browser. Over https its name has the prefix that makes browsers refuse it from any other
// host (RFC 6265bis section 4.1.3.2): a neighbour on a sibling domain must not plant a value that it knows.
const (
	cookieName       = "patchbay_browser"
	secureCookieName = "__Host-" + cookieName
)

func (p *pages) secure(r *http.Request) bool { return strings.HasPrefix(p.origin(r), "https:") }

func (p *pages) cookieName(r *http.Request) string {
	if p.secure(r) {
		return secureCookieName
	}
	return cookieName
}

// browser gives this browser's secret, and sets it when there is none yet.
func (p *pages) browser(w http.ResponseWriter, r *http.Request) string {
	if value, ok := p.browserOf(r); ok {
		return value
	}
	var raw [32]byte
	rand.Read(raw[:])
	value := base64.RawURLEncoding.EncodeToString(raw[:])
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(r), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(r),
	})
	return value
}

var browserValue = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// browserOf gives the secret that the browser brought, if it is one that was made here.
func (p *pages) browserOf(r *http.Request) (string, bool) {
	c, err := r.Cookie(p.cookieName(r))
	if err != nil || !browserValue.MatchString(c.Value) {
		return "", false
	}
	return c.Value, true
}

var logoFile = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,63})\.svg$`)

// logo serves a toolkit's tile.
func (p *pages) logo(w http.ResponseWriter, r *http.Request) {
	m := logoFile.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		http.NotFound(w, r)
		return
	}
	name, ok := p.o.ToolkitName(m[1])
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
	io.WriteString(w, LogoSVG(m[1], name))
}
