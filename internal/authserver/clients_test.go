package authserver_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

func TestRegistering(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string]struct {
		client authserver.NewClient
		slug   string
	}{
		"nowhere to answer": {slug: fault.SlugOAuthInvalidRedirectURI},
		"too many places":   {client: authserver.NewClient{RedirectURIs: make([]string, 21)}, slug: fault.SlugOAuthInvalidRedirectURI},
		"a signed method":   {client: authserver.NewClient{RedirectURIs: []string{loopback}, AuthMethod: "private_key_jwt"}, slug: fault.SlugOAuthInvalidClientMetadata},
		"other grants":      {client: authserver.NewClient{RedirectURIs: []string{loopback}, GrantTypes: []string{"client_credentials"}}, slug: fault.SlugOAuthInvalidClientMetadata},
		"other answers":     {client: authserver.NewClient{RedirectURIs: []string{loopback}, ResponseTypes: []string{"token"}}, slug: fault.SlugOAuthInvalidClientMetadata},
	} {
		_, _, err := w.Register(t.Context(), tc.client, name)
		wantSlug(t, name, err, tc.slug)
	}
}

func TestWhereAnswersMayGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for uri, ok := range map[string]bool{
		"https://client.example/cb":                           true,
		"https://client.example:8443/cb?x=1":                  true,
		"http://127.0.0.1/cb":                                 true,
		"http://127.0.0.1:4711/cb":                            true,
		"http://[::1]:4711/cb":                                true,
		"http://localhost:4711/cb":                            true,
		"com.example.app:/cb":                                 true,
		"cursor://anysphere.cursor-retrieval/cb":              true,
		"http://client.example/cb":                            false,
		"http://127.0.0.1.evil.example/cb":                    false,
		"http://localhost.evil.example/cb":                    false,
		"http://localhost@evil.example/cb":                    false,
		"http://0.0.0.0/cb":                                   false,
		"http://192.168.1.1/cb":                               false,
		"https:///cb":                                         false,
		"https:client.example":                                false,
		"https://client.example/cb#fragment":                  false,
		"https://client.example/cb#":                          false,
		"https://user@client.example/cb":                      false,
		"https://client.example\\@evil.example":               false,
		"https://client.example/c b":                          false,
		"https://client.example/\r\nSet-Cookie:":              false,
		"javascript:alert(1)":                                 false,
		"JavaScript:alert(1)":                                 false,
		"data:text/html,x":                                    false,
		"file:///etc/passwd":                                  false,
		"ms-msdt:/id":                                         false,
		"mailto:a@b.example":                                  false,
		"/cb":                                                 false,
		"//evil.example/cb":                                   false,
		"":                                                    false,
		"https://client.example/" + strings.Repeat("x", 3000): false,
	} {
		_, _, err := w.Register(t.Context(), authserver.NewClient{RedirectURIs: []string{uri}}, uri)
		if ok != (err == nil) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestOnlyThePortOfALoopbackAddressIsFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		registered, given string
		ok                bool
	}{
		{"http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", true},
		{"http://127.0.0.1:1/cb?a=b", "http://127.0.0.1:4711/cb?a=b", true},
		{"http://localhost/cb", "http://localhost:4711/cb", true},
		{"http://[::1]/cb", "http://[::1]:4711/cb", true},
		{"http://127.0.0.1/cb", "http://localhost:4711/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.2:4711/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:4711/other", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:4711/cb?more", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:4711@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:4711.evil.example/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:4711/cb", false},
		{"https://client.example/cb", "https://client.example:8443/cb", false},
	} {
		client := w.registerFrom(tc.registered, tc.registered+tc.given)
		_, _, err := w.Authorize(t.Context(), w.signIn("ada").Person, origin, request(client, "redirect_uri", tc.given), "here")
		if tc.ok != (err == nil) {
			t.Errorf("registered %s, given %s: %v", tc.registered, tc.given, err)
		}
	}
}

// registerFrom registers from an address of its own, so that registrations do not add up.
func (w *world) registerFrom(redirect, from string) authserver.Client {
	w.t.Helper()
	client, _, err := w.Register(w.t.Context(), authserver.NewClient{RedirectURIs: []string{redirect}, AuthMethod: authserver.Public}, from)
	w.must(err)
	return client
}

func TestAFloodOfRegistrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	admitted := 0
	for i := range 1000 {
		_, _, err := w.Register(t.Context(), authserver.NewClient{RedirectURIs: []string{loopback}}, fmt.Sprint("attacker ", i%50))
		if err == nil {
			admitted++
		} else if f := fault.From(err); f.Kind != fault.RateLimited || f.After == 0 {
			t.Fatal(err)
		}
	}
	if admitted > 300 {
		t.Errorf("%d of 1,000 registrations were admitted", admitted)
	}
	if tokens := w.letIn(client); w.opens(tokens.Access) != "ada" {
		t.Error("clients that are there cannot be let in meanwhile")
	}
	w.pass(8 * 24 * time.Hour)
	w.must(w.Sweep(t.Context()))
	if _, _, err := w.Authorize(t.Context(), w.signIn("ada").Person, origin, request(client), "here"); err != nil {
		t.Errorf("a client that was used is forgotten: %v", err)
	}
}

func TestRegistrationCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, o *authserver.Options) { o.Registration = false })
	if _, _, err := w.Register(t.Context(), authserver.NewClient{RedirectURIs: []string{loopback}}, "here"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	if m := w.Metadata(origin); m.RegistrationEndpoint != "" || len(m.TokenAuthMethods) != 1 || m.ClientDocumentsSupported {
		t.Errorf("the metadata promises what is not there: %+v", m)
	}
}

func TestNamesCannotDeceive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for given, want := range map[string]string{
		"Claude":                              "Claude",
		" Claude\n\n(really)\t":               "Claude (really)",
		"evil\u202eedualC":                    "eviledualC",
		"Cla\u200bude\u0000":                  "Claude",
		"<b>Claude</b>":                       "<b>Claude</b>", // the page escapes it
		strings.Repeat("very ", 100) + "long": strings.Repeat("very ", 19) + "very…",
		"\xff\xfe":                            "",
	} {
		client, _, err := w.Register(t.Context(), authserver.NewClient{Name: given, RedirectURIs: []string{loopback}}, given)
		if err != nil || client.Name != want {
			t.Errorf("%q becomes %q, want %q (%v)", given, client.Name, want, err)
		}
	}
}

// site serves one client's document over TLS.
type site struct {
	*httptest.Server
	document string
	media    string
	status   int
	reads    int
}

// newDocuments is a world that reads documents of a site through the guarded client, which may reach that site only when it is
// allowed to.
func newDocuments(t *testing.T, allowed bool) (*world, *site) {
	t.Helper()
	s := &site{media: "application/json", status: 200}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.reads++
		if r.URL.Path == "/elsewhere" {
			http.Redirect(w, r, "/client", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", s.media)
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.document)
	}))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	o := outbound.Options{RootCAs: roots}
	if allowed {
		o.Allow = []string{s.Listener.Addr().String()}
	}
	client, err := outbound.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, func(_ *world, o *authserver.Options) { o.HTTP = client }), s
}

func TestAClientDescribesItself(t *testing.T) {
	t.Parallel()
	w, s := newDocuments(t, true)
	id := s.URL + "/client"
	s.document = fmt.Sprintf(`{"client_id":%q,"client_name":"Good \u202eclient","redirect_uris":[%q,"http://127.0.0.1/cb"],"grant_types":["authorization_code","refresh_token"],"token_endpoint_auth_method":"none"}`,
		id, s.URL+"/cb")
	client := authserver.Client{ID: id, RedirectURIs: []string{"http://127.0.0.1:4711/cb"}}
	consent, _, err := w.Authorize(t.Context(), w.signIn("ada").Person, origin, request(client), "here")
	w.must(err)
	if host := strings.TrimPrefix(s.URL, "https://"); consent.VouchedBy != host || consent.ClientName != "Good client" || !consent.Loopback {
		t.Errorf("the person is shown %+v", consent)
	}
	tokens := w.letIn(client)
	if w.opens(tokens.Access) != "ada" || tokens.Refresh.Empty() {
		t.Errorf("got %+v", tokens)
	}
	if _, err := w.refresh(client, tokens.Refresh); err != nil {
		t.Error(err)
	}
	if s.reads != 1 {
		t.Errorf("the document was read %d times", s.reads)
	}
	w.pass(2 * time.Hour)
	w.letIn(client)
	if s.reads != 2 {
		t.Errorf("the document was read %d times; it may have changed after an hour", s.reads)
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	t.Parallel()
	w, s := newDocuments(t, true)
	good := func(id string) string {
		return fmt.Sprintf(`{"client_id":%q,"redirect_uris":["http://127.0.0.1/cb"]}`, id)
	}
	for name, tc := range map[string]struct {
		path, document, media, want string
		status                      int
	}{
		"another client's":       {path: "/a", document: good("https://claude.ai/client"), want: "the client_id in the document is another one"},
		"another host's address": {path: "/b", document: `{"client_id":"URL","redirect_uris":["https://claude.ai/callback"]}`, want: "another host than its own"},
		"a secret":               {path: "/c", document: `{"client_id":"URL","client_secret":"x","redirect_uris":["http://127.0.0.1/cb"]}`, want: "only public clients"},
		"a method with secrets":  {path: "/d", document: `{"client_id":"URL","token_endpoint_auth_method":"client_secret_post","redirect_uris":["http://127.0.0.1/cb"]}`, want: "only public clients"},
		"no addresses":           {path: "/e", document: `{"client_id":"URL"}`, want: "redirect_uris is empty"},
		"a page":                 {path: "/f", document: good(s.URL + "/f"), media: "text/html", want: "JSON document"},
		"not found":              {path: "/g", document: good(s.URL + "/g"), status: 404, want: "JSON document"},
		"no JSON":                {path: "/h", document: "client", want: "JSON document"},
		"a long one":             {path: "/i", document: good(s.URL+"/i") + strings.Repeat(" ", 20_000), want: "cannot be read"},
		"a redirect":             {path: "/elsewhere", document: good(s.URL + "/elsewhere"), want: "JSON document"},
		"the root":               {path: "/", document: good(s.URL + "/"), want: "no path of its own"},
		"dots":                   {path: "/x/../client", document: good(s.URL + "/client"), want: "dots"},
		"a fragment":             {path: "/client#x", document: good(s.URL + "/client#x"), want: "fragment"},
	} {
		s.document = strings.ReplaceAll(tc.document, "URL", s.URL+tc.path)
		s.media, s.status = "application/json", 200
		if tc.media != "" {
			s.media = tc.media
		}
		if tc.status != 0 {
			s.status = tc.status
		}
		client := authserver.Client{ID: s.URL + tc.path, RedirectURIs: []string{"http://127.0.0.1/cb"}}
		_, back, err := w.Authorize(t.Context(), w.signIn("ada").Person, origin, request(client), name)
		wantSlug(t, name, err, fault.SlugOAuthInvalidClient)
		if err == nil || !strings.Contains(err.Error(), tc.want) || back != "" {
			t.Errorf("%s: %v (back %q), want %q", name, err, back, tc.want)
		}
	}
}

func TestDocumentsInPrivateNetworksAreNotRead(t *testing.T) {
	t.Parallel()
	w, s := newDocuments(t, false)
	for range 3 {
		client := authserver.Client{ID: s.URL + "/client", RedirectURIs: []string{"http://127.0.0.1/cb"}}
		_, _, err := w.Authorize(t.Context(), w.signIn("ada").Person, origin, request(client), "here")
		wantSlug(t, "a private address", err, fault.SlugOAuthInvalidClient)
		if f := fault.From(err); strings.Contains(f.Message+f.Fix, "private") {
			t.Errorf("it tells what is there: %s %s", f.Message, f.Fix)
		}
	}
	if s.reads != 0 {
		t.Errorf("it was read %d times", s.reads)
	}
}

func TestDocumentsAreNotReadAsOftenAsStrangersLike(t *testing.T) {
	t.Parallel()
	reads := 0
	w := newWorld(t, func(_ *world, o *authserver.Options) {
		o.HTTP = roundTrip(func(*http.Request) (*http.Response, error) {
			reads++
			return nil, &net.OpError{Err: errors.New("gone"), Op: "dial"}
		})
	})
	ada := w.signIn("ada").Person
	for i := range 50 {
		client := authserver.Client{ID: fmt.Sprintf("https://victim.example/%d", i), RedirectURIs: []string{"http://127.0.0.1/cb"}}
		w.Authorize(t.Context(), ada, origin, request(client), "here")
		w.Authorize(t.Context(), ada, origin, request(client), "here") // known not to work, for a while
	}
	if reads != 10 {
		t.Errorf("%d reads for 50 addresses", reads)
	}
}
