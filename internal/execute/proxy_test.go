package execute_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func (w *world) proxyCall(method, endpoint string) execute.ProxyCall {
	return execute.ProxyCall{Toolkit: w.toolkit, Select: connect.Selection{UserID: "ann"}, Method: method, Endpoint: endpoint}
}

func (w *world) proxy(call execute.ProxyCall) execute.ProxyResult {
	w.t.Helper()
	res, err := w.Proxy(w.t.Context(), caller, call)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func TestProxyRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change                func(*execute.ProxyCall)
		url, body, media, key string
	}{
		"a path":         {func(*execute.ProxyCall) {}, "/v1/me", "", "", ""},
		"without slash":  {func(c *execute.ProxyCall) { c.Endpoint = "v1/me?a=1#x" }, "/v1/me?a=1", "", "", ""},
		"an escape":      {func(c *execute.ProxyCall) { c.Endpoint = "/v1/a%2Fb" }, "/v1/a%2Fb", "", "", ""},
		"parameters":     {func(c *execute.ProxyCall) { c.Endpoint, c.Query = "/v1/me?a=1", map[string][]string{"b": {"2 3"}} }, "/v1/me?a=1&b=2+3", "", "", ""},
		"a header":       {func(c *execute.ProxyCall) { c.Header = map[string][]string{"x-a": {"b"}} }, "/v1/me", "", "", "b"},
		"a JSON body":    {func(c *execute.ProxyCall) { c.Method, c.Body = "POST", map[string]any{"a": "<1>"} }, "/v1/me", `{"a":"<1>"}`, "application/json", ""},
		"a JSON text":    {func(c *execute.ProxyCall) { c.Method, c.Body = "POST", "x" }, "/v1/me", `"x"`, "application/json", ""},
		"a binary body":  {func(c *execute.ProxyCall) { c.Method, c.Binary, c.Type = "PUT", []byte{1, 2}, "image/png" }, "/v1/me", "\x01\x02", "image/png", ""},
		"no body at all": {func(c *execute.ProxyCall) { c.Method = "DELETE" }, "/v1/me", "", "", ""},
		"a text body": {func(c *execute.ProxyCall) {
			c.Method, c.Body, c.Header = "POST", "a,b", map[string][]string{"content-type": {"text/csv"}}
		}, "/v1/me", "a,b", "text/csv", ""},
		"a form": {func(c *execute.ProxyCall) {
			c.Method, c.Body, c.Header = "POST", map[string]any{"a": "1 2"}, map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}
		}, "/v1/me", "a=1+2", "application/x-www-form-urlencoded", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(200, `{}`))
			call := w.proxyCall("GET", "/v1/me")
			tc.change(&call)
			w.proxy(call)
			got := w.seen()[0]
			if got.Method != call.Method || got.URL != tc.url || got.Body != tc.body || got.Header.Get("Content-Type") != tc.media || got.Header.Get("X-A") != tc.key {
				t.Errorf("sent %+v", got)
			}
			if got.Header.Get("Authorization") != "Bearer key-of-the-account" || got.Header.Get("X-Acme-Version") != "7" {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

func TestProxyKeepsItsOwnHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	call := w.proxyCall("GET", "/v1/me")
	call.Header = map[string][]string{
		"authorization": {"Bearer of-the-caller"}, "Connection": {"close, X-B"}, "Transfer-Encoding": {"chunked"}, "Host": {"elsewhere"},
		"Content-Length": {"99"}, "Proxy-Authorization": {"x"}, "User-Agent": {"mine"},
	}
	w.proxy(call)
	got := w.seen()[0].Header
	if got.Get("Authorization") != "Bearer key-of-the-account" || got.Get("User-Agent") != "mine" {
		t.Errorf("headers %v", got)
	}
	for _, name := range []string{"Connection", "Transfer-Encoding", "Content-Length", "Proxy-Authorization"} {
		if got.Get(name) != "" {
			t.Errorf("%s was passed on: %q", name, got.Get(name))
		}
	}
	call.Header = map[string][]string{"X-A": {"a\r\nX-B: c"}}
	_, err := w.Proxy(t.Context(), caller, call)
	wantFault(t, err, fault.Invalid, fault.SlugInvalid)
}

func TestProxyAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status            int
		media, body       string
		data, binary, typ string
	}{
		"JSON":           {200, "application/json", `{"a": 1}`, `{"a": 1}`, "", ""},
		"an error":       {404, "application/json", `{"message":"no"}`, `{"message":"no"}`, "", ""},
		"the server's":   {503, "text/html", `<h1>busy</h1>`, `"<h1>busy</h1>"`, "", ""},
		"a text":         {200, "text/plain; charset=utf-8", `hé "x"`, `"hé \"x\""`, "", ""},
		"broken JSON":    {200, "application/json", `{"a`, `"{\"a"`, "", ""},
		"nothing":        {204, "", ``, `null`, "", ""},
		"bytes":          {200, "image/png", "\x89PNG\x00", `null`, "\x89PNG\x00", "image/png"},
		"a refusal, 401": {401, "application/json", `{}`, `{}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", tc.media)
				rw.Header().Set("Set-Cookie", "session=s3cret")
				rw.Header().Set("X-Next", "2")
				rw.Header().Set("X-Echo", "key-of-the-account")
				rw.WriteHeader(tc.status)
				io.WriteString(rw, tc.body)
			})
			res := w.proxy(w.proxyCall("GET", "/v1/me"))
			if res.Status != tc.status || string(res.Data) != tc.data || string(res.Binary) != tc.binary || res.Type != tc.typ || !strings.HasPrefix(res.LogID, "log_") {
				t.Errorf("got %d %s %q %s", res.Status, res.Data, res.Binary, res.Type)
			}
			if res.Header["x-next"] != "2" || res.Header["set-cookie"] != "" || res.Header["x-echo"] != "[redacted]" || res.Header["content-type"] != tc.media {
				t.Errorf("headers %v", res.Header)
			}
			w.wantRequests(1)
			entries := w.logged()
			if len(entries) != 1 || entries[0].Upstream != tc.status || (entries[0].Status == execute.Succeeded) != (tc.status < 400) || entries[0].Origin != "proxy" {
				t.Errorf("logged %+v", entries)
			}
		})
	}
}

func TestProxyRenewsTheCredentialOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer fresh-key-1" {
			answerJSON(rw, 200, `{"ok":true}`)
			return
		}
		answerJSON(rw, 401, `{}`)
	})
	w.accounts.fresh = "fresh-key-1"
	if res := w.proxy(w.proxyCall("POST", "/v1/me")); res.Status != 200 {
		t.Errorf("status %d", res.Status)
	}
	w.wantRequests(2)
}

func TestProxyOrigins(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		base, endpoint string
		ok             bool
	}{
		"the base itself":              {"https://api.example.com", "https://api.example.com/x", true},
		"a sister host":                {"https://api.example.com", "https://files.example.com/x", true},
		"in capitals":                  {"https://api.example.com", "https://API.Example.com/x", true},
		"the usual port":               {"https://api.example.com", "https://api.example.com:443/x", true},
		"another port":                 {"https://api.example.com", "https://api.example.com:8443/x", false},
		"another scheme":               {"https://api.example.com", "http://api.example.com/x", false},
		"another domain":               {"https://api.example.com", "https://example.org/x", false},
		"a longer domain":              {"https://api.example.com", "https://api.example.com.evil.org/x", false},
		"a domain that ends alike":     {"https://api.example.com", "https://badexample.com/x", false},
		"without scheme":               {"https://api.example.com", "//evil.org/x", false},
		"user and password":            {"https://api.example.com", "https://api.example.com@evil.org/x", false},
		"user of the own host":         {"https://api.example.com", "https://evil.org@api.example.com/x", false},
		"another customer of a host":   {"https://mine.github.io", "https://yours.github.io/x", false},
		"a shared suffix":              {"https://api.example.co.uk", "https://other.co.uk/x", false},
		"an address":                   {"http://127.0.0.1:80", "http://127.0.0.1/x", true},
		"another address":              {"http://127.0.0.1", "http://127.0.0.2/x", false},
		"a host without domain":        {"http://gitlab", "http://jira/x", false},
		"not http":                     {"https://api.example.com", "file:///etc/passwd", false},
		"a tenant's own host":          {"https://{subdomain}.example.com", "https://mine.example.com/x", true},
		"another tenant of the domain": {"https://{subdomain}.example.com", "https://yours.example.com/x", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(200, `{}`))
			call := w.proxyCall("GET", tc.endpoint)
			call.Toolkit = templated(t, tc.base)
			call.Select = connect.Selection{}
			call.Custom = &execute.CustomAuth{Scheme: "API_KEY", Fields: connect.Fields{"api_key": secret.Hide("k"), "subdomain": secret.Hide("mine")}}
			ok := false
			_, err := w.proxyVia(t, call, func(*http.Request) { ok = true })
			if !tc.ok {
				wantFault(t, err, fault.Invalid, fault.SlugOriginMismatch)
			} else if err != nil {
				t.Error(err)
			}
			if ok != tc.ok {
				t.Errorf("sent: %v", ok)
			}
		})
	}
}

// A path that leaves the toolkit's own, whoever reads its escapes, is not sent.
func TestProxyPathsStayBelowTheBase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	for _, endpoint := range []string{
		"/..", "/../admin", "/v1/../../admin", "/v1/..%2Fadmin", "/v1/..%2f..%2fadmin", "/v1/%2e%2e/admin", "/v1/%2E%2E%2Fadmin", "/v1/..%5Cadmin",
		"/v1/..%252Fadmin", "/./v1", w.upstream.URL + "/v1/..%2Fadmin",
	} {
		_, err := w.Proxy(t.Context(), caller, w.proxyCall("GET", endpoint))
		wantFault(t, err, fault.Invalid, fault.SlugInvalid)
	}
	w.wantRequests(0)
	for _, endpoint := range []string{"/v1/a%2Fb", "/compare/main...topic", "/v1/...", "/v1/?q=../x"} {
		if _, err := w.Proxy(t.Context(), caller, w.proxyCall("GET", endpoint)); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	w.wantRequests(4)
}

// templated is a toolkit with a base URL that may have a connection field in it.
func templated(t *testing.T, base string) *catalog.Toolkit {
	t.Helper()
	toolkit := *loadToolkit(t, "acme", "https://unused.example")
	toolkit.Auth = append([]catalog.AuthScheme(nil), toolkit.Auth...)
	toolkit.Auth[0].AccountFields = append(toolkit.Auth[0].AccountFields, catalog.Field{Name: "subdomain", Type: "string"})
	based, err := toolkit.With(catalog.Override{BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	return based
}

func TestProxyNeedsAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	call := w.proxyCall("GET", "/v1/me")
	call.Select = connect.Selection{}
	_, err := w.Proxy(t.Context(), caller, call)
	wantFault(t, err, fault.Invalid, fault.SlugMissingAuthContext)

	open := *w.toolkit
	open.Auth = nil
	call.Toolkit = &open
	if res := w.proxy(call); res.Status != 200 {
		t.Errorf("status %d", res.Status)
	}
	if w.seen()[0].Header.Get("Authorization") != "" {
		t.Error("a credential was sent")
	}
	_, err = w.Proxy(t.Context(), caller, w.proxyCall("CONNECT", "/v1/me"))
	wantFault(t, err, fault.Invalid, fault.SlugInvalid)
}

// An auth config's list of tools must not be got around by raw requests: package connect looks at this.
func TestProxySaysThatItIsNoTool(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	w.proxy(w.proxyCall("GET", "/v1/me"))
	if got := w.accounts.selected[0].Tool; got != connect.RawRequests {
		t.Errorf("selected for %q", got)
	}
}

func TestProxyFetchesTheBody(t *testing.T) {
	t.Parallel()
	web := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		io.WriteString(w, "PNG")
	})
	w := newWorld(t, status(200, `{}`))
	call := w.proxyCall("PUT", "/v1/picture")
	call.BinaryURL = web.upstream.URL + "/p.png"
	w.proxy(call)
	if got := w.seen()[0]; got.Body != "PNG" || got.Header.Get("Content-Type") != "image/png" {
		t.Errorf("sent %+v", got)
	}
	if web.seen()[0].Header.Get("Authorization") != "" {
		t.Error("the credential was sent to where the body came from")
	}
}

func TestProxyWithoutAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		upstream http.HandlerFunc
		deadline time.Duration
		part     string
	}{
		"dropped":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, time.Minute, "closed the connection"},
		"hanging":  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, time.Second, "did not answer within"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 11<<20)) }, time.Minute, "more than 10 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.upstream, withDeadline(tc.deadline))
			_, err := w.Proxy(t.Context(), caller, w.proxyCall("POST", "/v1/me"))
			if f := wantFault(t, err, fault.Upstream, fault.SlugUpstream); !strings.Contains(f.Message, tc.part) {
				t.Error(f.Message)
			}
			w.wantRequests(1)
		})
	}
}

func TestProxyRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/old" {
			http.Redirect(rw, r, "/v1/new", http.StatusFound)
			return
		}
		answerJSON(rw, 200, `{"at":"`+r.URL.Path+`"}`)
	})
	if res := w.proxy(w.proxyCall("GET", "/v1/old")); string(res.Data) != `{"at":"/v1/new"}` {
		t.Errorf("got %s", res.Data)
	}
	res := w.proxy(w.proxyCall("POST", "/v1/old"))
	if d := cmp.Diff([]any{302, "/v1/new"}, []any{res.Status, res.Header["location"]}); d != "" {
		t.Error(d)
	}
}

// The answer to HEAD tells the length of a body that does not come.
func TestProxyHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("Content-Length", "1234") })
	res := w.proxy(w.proxyCall("HEAD", "/v1/me"))
	if res.Status != 200 || string(res.Data) != "null" {
		t.Errorf("got %d %s", res.Status, res.Data)
	}
}

func TestProxyRefusesHeadersThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, status(200, `{}`))
	for name, value := range map[string]string{"X A": "v", ":path": "v", "X-A\r\nX-B": "v", "X-A": "v\r\nX-B: w", "X-C": "\x01"} {
		call := w.proxyCall("GET", "/v1/me")
		call.Header = map[string][]string{name: {value}}
		_, err := w.Proxy(t.Context(), caller, call)
		wantFault(t, err, fault.Invalid, fault.SlugInvalid)
		call.Header, call.Custom = nil, &execute.CustomAuth{Header: map[string]string{name: value}}
		_, err = w.Proxy(t.Context(), caller, call)
		wantFault(t, err, fault.Invalid, fault.SlugInvalid)
	}
	w.wantRequests(0)
}
