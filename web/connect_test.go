package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/web"
)

// links answers as a test tells it, and notes what it was asked.
type links struct {
	view   connect.LinkView
	step   connect.LinkStep
	err    error
	called []string
}

func (l *links) OpenLink(_ context.Context, token, browser string) (connect.LinkView, error) {
	l.called = append(l.called, "open "+token+" "+short(browser))
	return l.view, l.err
}

func (l *links) SubmitLink(_ context.Context, token, browser, origin string, form map[string]string) (connect.LinkStep, error) {
	l.called = append(l.called, "submit "+token+" "+short(browser)+" "+origin+" key="+form["key"])
	return l.step, l.err
}

func (l *links) FinishCallback(_ context.Context, p connect.CallbackParams, browser, origin string) (connect.LinkStep, error) {
	l.called = append(l.called, strings.Join([]string{"finish", p.State, p.Code, p.Error, p.ErrorDescription, p.Issuer, short(browser), origin}, " "))
	return l.step, l.err
}

func short(browser string) string {
	if len(browser) == 43 {
		return "browser"
	}
	return "(" + browser + ")"
}

var (
	oauthLink = connect.LinkView{
		Toolkit: "acme", ToolkitName: "Acme", ProjectName: "Harbour <b>", UserID: "user_7", Redirects: true,
		Scopes: []string{"read", "write"}, Status: connect.Initiated,
	}
	keyLink = connect.LinkView{
		Toolkit: "acme", ToolkitName: "Acme", ProjectName: "Harbour", UserID: "user_7", Guide: "Settings, then keys.",
		Fields: []connect.LinkField{
			{Name: "region", Title: "Region", Description: "Where it is.", Type: "string", Default: "eu"},
			{Name: "key", Title: "Secret key", Type: "string", Help: "https://acme.example/keys", Required: true, Secret: true},
			{Name: "test", Title: "Test account", Type: "boolean"},
		},
	}
	cookie = "patchbay_browser=" + strings.Repeat("a", 43)
)

func serve(t *testing.T, l *links, r *http.Request, adjust ...func(*web.Options)) *http.Response {
	t.Helper()
	return serveLinks(t, l, r, adjust...)
}

func serveLinks(t *testing.T, l web.Links, r *http.Request, adjust ...func(*web.Options)) *http.Response {
	t.Helper()
	o := web.Options{Links: l}
	for _, f := range adjust {
		f(&o)
	}
	h, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func get(path string, header ...string) *http.Request {
	return request(http.MethodGet, path, nil, header...)
}

func post(path string, form url.Values, header ...string) *http.Request {
	r := request(http.MethodPost, path, strings.NewReader(form.Encode()), header...)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func request(method, path string, body io.Reader, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://host.example"+path, body)
	for _, h := range header {
		name, v, _ := strings.Cut(h, ": ")
		r.Header.Add(name, v)
	}
	return r
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wantText(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("the page does not have %q:\n%s", p, page)
		}
	}
}

func TestOpenShowsTheForm(t *testing.T) {
	t.Parallel()
	l := &links{view: oauthLink}
	res := serve(t, l, get("/link/lt_1", "X-Forwarded-Proto: https"))
	page := text(t, res)
	wantText(t, page, "<title>Connect Acme</title>", "Harbour &lt;b&gt;", "user_7", "2 permissions", "<code>write</code>", "Continue to Acme", `<form method="post"`)
	if strings.Contains(page, "<script") || strings.Contains(page, "Harbour <b>") || strings.Contains(page, "lt_1") {
		t.Error("the page holds a script, raw text or the token")
	}
	set := res.Header.Get("Set-Cookie")
	wantText(t, set, "__Host-patchbay_browser=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax")
	if diff := cmp.Diff([]string{"open lt_1 browser"}, l.called); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersOfEveryPage(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*links{
		"form": {view: oauthLink}, "problem": {err: fault.New(fault.Gone, fault.SlugLinkExpired, "x")}, "bug": {err: errors.New("boom")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := serve(t, l, get("/link/lt_1")).Header
			csp := h.Get("Content-Security-Policy")
			wantText(t, csp, "default-src 'none'", "style-src 'sha256-", "frame-ancestors 'none'", "base-uri 'none'", "form-action ")
			if strings.Contains(csp, "unsafe") {
				t.Error(csp)
			}
			got := map[string]string{}
			for _, name := range []string{"Cache-Control", "X-Frame-Options", "X-Content-Type-Options", "X-Robots-Tag"} {
				got[name] = h.Get(name)
			}
			want := map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex, nofollow"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the way back has a code in its address", func(t *testing.T) {
		t.Parallel()
		res := serve(t, &links{step: connect.LinkStep{View: oauthLink}}, get("/api/v3.1/toolkits/auth/callback?code=c&state=s"))
		if got := res.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Error(got)
		}
	})
}

func TestFormTargets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		publicURL, callback, want string
	}{
		"https":                        {"https://patchbay.example", "https://app.example/", "form-action 'self' https:"},
		"http":                         {"http://localhost:8484", "", "form-action 'self' https: http:"},
		"an application without https": {"https://patchbay.example", "http://localhost:3000/", "form-action 'self' https: http:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			view := oauthLink
			view.ReturnURL = test.callback
			res := serve(t, &links{view: view}, get("/link/lt_1"), func(o *web.Options) { o.PublicURL = test.publicURL })
			if csp := res.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, test.want) {
				t.Error(csp)
			}
		})
	}
}

func TestCookieIsKept(t *testing.T) {
	t.Parallel()
	res := serve(t, &links{view: oauthLink}, get("/link/lt_1", "Cookie: "+cookie))
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a browser that has its cookie was given another")
	}
	res = serve(t, &links{view: oauthLink}, get("/link/lt_1", "Cookie: patchbay_browser=guessable"))
	if res.Header.Get("Set-Cookie") == "" {
		t.Error("a cookie that was not made here was taken")
	}
	// Over https a cookie counts only under the name that no other host can set.
	res = serve(t, &links{view: oauthLink}, get("/link/lt_1", "X-Forwarded-Proto: https", "Cookie: "+cookie))
	if !strings.HasPrefix(res.Header.Get("Set-Cookie"), "__Host-patchbay_browser=") {
		t.Error("a cookie that a sibling domain could have planted was taken")
	}
	res = serve(t, &links{view: oauthLink}, get("/link/lt_1", "X-Forwarded-Proto: https", "Cookie: __Host-"+cookie))
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a browser that has its cookie was given another")
	}
}

func TestProgramsThatOnlyLook(t *testing.T) {
	t.Parallel()
	l := &links{view: oauthLink}
	res := serve(t, l, request(http.MethodHead, "/link/lt_1", nil))
	res2 := serve(t, l, request(http.MethodHead, "/api/v3.1/toolkits/auth/callback?state=s&code=c", nil))
	if len(l.called) > 0 || res.StatusCode != 200 || res2.StatusCode != 200 {
		t.Errorf("HEAD did something: %v", l.called)
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	t.Run("goes on to the provider", func(t *testing.T) {
		t.Parallel()
		l := &links{step: connect.LinkStep{Redirect: "https://acme.example/authorize?state=x"}}
		res := serve(t, l, post("/link/lt_1", url.Values{"key": {"k"}}, "Cookie: "+cookie, "Sec-Fetch-Site: same-origin"))
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != l.step.Redirect {
			t.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
		}
		if diff := cmp.Diff([]string{"submit lt_1 browser http://host.example key=k"}, l.called); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("shows faults beside their fields", func(t *testing.T) {
		t.Parallel()
		l := &links{step: connect.LinkStep{View: keyLink, Faults: map[string]string{"key": "Acme does not accept this.", "hidden": "Something else is wrong."}}}
		res := serve(t, l, post("/link/lt_1", url.Values{"key": {"typed-secret"}, "region": {"us"}, "test": {"true"}}, "Cookie: "+cookie))
		page := text(t, res)
		wantText(t, page, `<p class="fault" id="fault-key">Acme does not accept this.</p>`, `aria-describedby="fault-key help-key"`, `aria-invalid="true"`,
			`role="alert">Something else is wrong.`, `value="us"`, `<option value="true" selected>`, `href="https://acme.example/keys"`, `type="password"`, "Settings, then keys.")
		if res.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, "typed-secret") {
			t.Errorf("status %d, or the secret came back", res.StatusCode)
		}
	})
	for name, r := range map[string]*http.Request{
		"another site":                       post("/link/lt_1", nil, "Cookie: "+cookie, "Sec-Fetch-Site: cross-site"),
		"another site, in an older browser":  post("/link/lt_1", nil, "Cookie: "+cookie, "Origin: https://evil.example"),
		"a browser that was not on the page": post("/link/lt_1", nil),
		"a cookie that somebody made up":     post("/link/lt_1", nil, "Cookie: patchbay_browser=x"),
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			l := &links{step: connect.LinkStep{Redirect: "https://acme.example"}}
			res := serve(t, l, r)
			if res.StatusCode != http.StatusForbidden || len(l.called) > 0 {
				t.Errorf("%d %v", res.StatusCode, l.called)
			}
		})
	}
	t.Run("refuses a form without end", func(t *testing.T) {
		t.Parallel()
		res := serve(t, &links{}, post("/link/lt_1", url.Values{"key": {strings.Repeat("x", 1<<20)}}, "Cookie: "+cookie))
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Error(res.StatusCode)
		}
	})
}

func TestCallback(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/v3.1/toolkits/auth/callback", "/api/v3/toolkits/auth/callback", "/api/v1/auth-apps/add"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := &links{step: connect.LinkStep{Redirect: "https://app.example/?status=success&connected_account_id=ca_1"}}
			res := serve(t, l, get(path+"?state=s&code=c&iss=i", "Cookie: __Host-"+cookie), func(o *web.Options) { o.PublicURL = "https://patchbay.example/" })
			if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != l.step.Redirect {
				t.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
			}
			if diff := cmp.Diff([]string{"finish s c   i browser https://patchbay.example"}, l.called); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("how it ended", func(t *testing.T) {
		t.Parallel()
		v := oauthLink
		v.Status, v.Identity = connect.Active, connect.Identity{Name: "Ann Lee", Email: "ann@example.com", Avatar: "https://x.example/a.png"}
		page := text(t, serve(t, &links{step: connect.LinkStep{View: v}}, get("/api/v3.1/toolkits/auth/callback?state=s")))
		wantText(t, page, "Acme is connected", "Ann Lee", "ann@example.com", ">AL<")
		v.Status, v.Reason = connect.Failed, "Access was not <allowed>."
		page = text(t, serve(t, &links{step: connect.LinkStep{View: v}}, get("/api/v3.1/toolkits/auth/callback?state=s")))
		wantText(t, page, "Acme was not connected", "Access was not &lt;allowed&gt;.")
	})
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"expired":       {fault.New(fault.Gone, fault.SlugLinkExpired, "m").WithFix("Ask again."), 410, "This link has expired"},
		"used":          {fault.New(fault.Gone, fault.SlugLinkUsed, "m"), 410, "This link was used already"},
		"unknown":       {fault.New(fault.NotFound, fault.SlugLinkNotFound, "m"), 404, "Link not found"},
		"wrong browser": {fault.New(fault.Forbidden, fault.SlugLinkWrongBrowser, "m"), 403, "Wrong browser"},
		"bug":           {errors.New("dial tcp 10.0.0.1: secret detail"), 500, "Something went wrong on the server."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := serve(t, &links{err: test.err}, get("/link/lt_1"))
			page := text(t, res)
			wantText(t, page, test.want)
			if res.StatusCode != test.status || strings.Contains(page, "secret detail") {
				t.Errorf("%d: %s", res.StatusCode, page)
			}
		})
	}
}

// formLinks keeps the form that it was given.
type formLinks struct {
	links
	form map[string]string
}

func (l *formLinks) SubmitLink(ctx context.Context, token, browser, origin string, form map[string]string) (connect.LinkStep, error) {
	l.form = form
	return l.links.SubmitLink(ctx, token, browser, origin, form)
}
