package outbound

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// testProxy is an HTTP proxy with a key, which notes what went through it.
type testProxy struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // method and target
}

func newTestProxy(t *testing.T, wantAuth string) *testProxy {
	t.Helper()
	p := &testProxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.Host)
		p.mu.Unlock()
		if r.Header.Get("Proxy-Authorization") != wantAuth {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method == http.MethodConnect {
			tunnel(t, w, r.Host)
			return
		}
		out := r.Clone(r.Context())
		out.RequestURI = ""
		out.Header.Del("Proxy-Authorization")
		res, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body)
	}))
	t.Cleanup(p.Close)
	return p
}

func tunnel(t *testing.T, w http.ResponseWriter, target string) {
	to, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	from, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	go func() { io.Copy(to, from); to.Close() }()
	io.Copy(from, to)
	from.Close()
}

func (p *testProxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func mustProxy(t *testing.T, address, key string) Proxy {
	t.Helper()
	p, err := ParseProxy(address, secret.Hide(key))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRequestsGoThroughTheProxy(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "" {
			t.Error("the key of the proxy reached the provider")
		}
		io.WriteString(w, "hello")
	})
	plain, secure := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:pw"))
	for name, test := range map[string]struct{ target, key, want, wantAuth string }{
		"http with a password":  {plain.URL, "ann:pw", "GET", basic},
		"https with a password": {secure.URL, "ann:pw", "CONNECT", basic},
		"http with a token":     {plain.URL, "token-1", "GET", "Bearer token-1"},
		"https with a header":   {secure.URL, "Bearer token-2", "CONNECT", "Bearer token-2"},
		"https without any key": {secure.URL, "", "CONNECT", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTestProxy(t, test.wantAuth)
			c := newClient(t, Options{Allow: []string{"127.0.0.1"}, RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
			res, err := c.DoVia(mustProxy(t, p.URL, test.key), request(t, http.MethodGet, test.target))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, _ := ReadBody(res.Body, 100); string(b) != "hello" {
				t.Errorf("body %q", b)
			}
			host := strings.TrimPrefix(strings.TrimPrefix(test.target, "https://"), "http://")
			if got := p.requests(); len(got) != 1 || got[0] != test.want+" "+host {
				t.Errorf("the proxy saw %q", got)
			}
		})
	}
}

func TestProxyThatRefusesIsNamed(t *testing.T) {
	t.Parallel()
	target := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(target.Close)
	p := newTestProxy(t, "Bearer right")
	c := newClient(t, Options{Allow: []string{"127.0.0.1"}})
	for _, address := range []string{target.URL, strings.Replace(target.URL, "https:", "http:", 1)} {
		_, err := c.DoVia(mustProxy(t, p.URL, "wrong-key"), request(t, http.MethodGet, address))
		f := fault.From(err)
		if f.Kind != fault.Upstream || !strings.Contains(f.Message, p.URL) || !strings.Contains(f.Fix, "proxy_auth_key") {
			t.Errorf("%s: %v; fix %q", address, err, f.Fix)
		}
		if strings.Contains(err.Error(), "wrong-key") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	gone := mustProxy(t, "http://127.0.0.1:1", "")
	_, err := c.DoVia(gone, request(t, http.MethodGet, target.URL))
	if f := fault.From(err); f.Kind != fault.Upstream || !strings.Contains(f.Message, "http://127.0.0.1:1") {
		t.Errorf("a proxy that is not there: %v", err)
	}
}

// A proxy is an address that an outsider sets, and must neither be private itself nor be the way to what is private.
func TestProxyAndWhatIsBehindItAreGuarded(t *testing.T) {
	t.Parallel()
	p := newTestProxy(t, "")
	host := p.Listener.Addr().String()
	names := namesFor(map[string]string{"intranet.test.": "10.1.2.3"})
	for name, test := range map[string]struct{ allow, proxy, target string }{
		"a private proxy":              {"192.0.2.1", p.URL, "https://example.com/"},
		"metadata as a proxy":          {"192.0.2.1", "http://169.254.169.254", "http://example.com/"},
		"private behind the proxy":     {host, p.URL, "http://10.1.2.3/"},
		"metadata behind the proxy":    {host, p.URL, "http://169.254.169.254/latest"},
		"a private name behind it":     {host, p.URL, "https://intranet.test/"},
		"the shell port of the public": {host, p.URL, "http://203.0.114.1:22/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Allow: []string{test.allow}, Resolver: names})
			_, err := c.DoVia(mustProxy(t, test.proxy, ""), request(t, http.MethodGet, test.target))
			wantRefused(t, err)
		})
	}
	t.Cleanup(func() {
		if got := p.requests(); len(got) > 0 {
			t.Errorf("the proxy was asked for %q", got)
		}
	})
}

func TestParseProxy(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"ftp://proxy.example", "proxy.example:80", "http://", "https://proxy.example/path", "https://proxy.example?a=b", "http://[::1"} {
		if p, err := ParseProxy(bad, secret.Value{}); !fault.Is(err, fault.Invalid) || p != (Proxy{}) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := ParseProxy("http://proxy.example", secret.Hide("a\r\nX")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key with a line break: %v", err)
	}
	p := mustProxy(t, "https://ann:p%40ss@proxy.example:3128/", "")
	if p.Address() != "https://proxy.example:3128" || p != mustProxy(t, "https://proxy.example:3128", "ann:p@ss") {
		t.Errorf("user and password of the address are not its key: %v", p)
	}
}

func TestPoolsOfProxiesAreBounded(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	first := mustProxy(t, "http://proxy.example", "first")
	kept := c.proxies.get(first)
	for i := range maxProxies {
		if c.proxies.get(first) != kept {
			t.Fatal("the pool of a proxy in use was given up")
		}
		c.proxies.get(mustProxy(t, "http://proxy.example", "key"+strings.Repeat("x", i)))
	}
	if n := c.proxies.order.Len(); n != maxProxies || len(c.proxies.byName) != n {
		t.Errorf("%d pools are kept, %d by name", n, len(c.proxies.byName))
	}
	if u, _ := url.Parse(first.Address()); u.User != nil {
		t.Error("the address tells the key")
	}
}
