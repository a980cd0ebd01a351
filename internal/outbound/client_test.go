package outbound

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestDestinationsRefused(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"loopback":              "http://127.0.0.1:8080/",
		"loopback elsewhere":    "http://127.9.9.9/",
		"unspecified":           "http://0.0.0.0:8080/",
		"private 10":            "http://10.0.0.5/",
		"private 172":           "https://172.16.3.4/",
		"private 192":           "https://192.168.1.1/",
		"carrier NAT":           "http://100.64.0.1/",
		"metadata":              "http://169.254.169.254/latest/meta-data/",
		"IPv6 loopback":         "http://[::1]:8080/",
		"IPv6 unique local":     "http://[fd00::1]/",
		"IPv6 link local":       "http://[fe80::1]/",
		"mapped loopback":       "http://[::ffff:127.0.0.1]:8080/",
		"mapped metadata":       "http://[::ffff:a9fe:a9fe]/",
		"NAT64 of a private":    "http://[64:ff9b::a00:1]/",
		"mail port":             "http://203.0.114.1:25/",
		"shell port":            "http://203.0.114.1:22/",
		"name of a private":     "http://intranet.test/",
		"name of the metadata":  "http://metadata.test/",
		"name of a mapped":      "http://mapped.test/",
		"localhost by its name": "http://localhost:8080/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Resolver: namesFor(map[string]string{
				"intranet.test.": "10.1.2.3",
				"metadata.test.": "169.254.169.254",
				"mapped.test.":   "::ffff:10.1.2.3",
			})})
			_, err := c.Do(request(t, http.MethodGet, target))
			f := wantRefused(t, err)
			if !strings.Contains(f.Fix, "outbound.allow") {
				t.Errorf("the fix does not name the setting: %q", f.Fix)
			}
			if strings.Contains(f.Message, "10.1.2.3") {
				t.Errorf("the message tells what the name resolves to: %q", f.Message)
			}
		})
	}
}

func TestOtherSchemesRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, target := range []string{"file:///etc/passwd", "gopher://example.com/", "ftp://example.com/a"} {
		_, err := c.Do(request(t, http.MethodGet, target))
		wantRefused(t, err)
	}
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	t.Cleanup(upstream.Close)
	addr := upstream.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	names := map[string]string{"git.corp.": "127.0.0.1", "other.corp.": "127.0.0.1"}

	for name, tc := range map[string]struct {
		allow, target string
		refused       bool
	}{
		"CIDR":                    {"127.0.0.0/8", upstream.URL, false},
		"address":                 {"127.0.0.1", upstream.URL, false},
		"mapped address":          {"127.0.0.1", "http://[::ffff:127.0.0.1]:" + port, false},
		"address and port":        {addr, upstream.URL, false},
		"address and other port":  {"127.0.0.1:1", upstream.URL, true},
		"other CIDR":              {"10.0.0.0/8", upstream.URL, true},
		"host":                    {"git.corp", "http://git.corp:" + port, false},
		"host in capitals":        {"Git.Corp", "http://GIT.corp.:" + port, false},
		"host and port":           {"git.corp:" + port, "http://git.corp:" + port, false},
		"host and other port":     {"git.corp:1", "http://git.corp:" + port, true},
		"another name of it":      {"git.corp", "http://other.corp:" + port, true},
		"a name by the addresses": {"127.0.0.1/32", "http://other.corp:" + port, false},
		"host does not open IPs":  {"git.corp", upstream.URL, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Allow: []string{tc.allow}, Resolver: namesFor(names)})
			res, err := c.Do(request(t, http.MethodGet, tc.target))
			if tc.refused {
				wantRefused(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, _ := ReadBody(res.Body, 100); string(b) != "hello" {
				t.Errorf("body %q", b)
			}
		})
	}
}

func TestAllowListRejectsNonsense(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"", "https://git.corp", "git.corp/path", "10.0.0.0/99", "10.0.0.300", "git.corp:http", "a b"} {
		if _, err := New(Options{Allow: []string{entry}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("entry %q: got %v, want a fault of kind Invalid", entry, err)
		}
	}
}

func TestUsualPorts(t *testing.T) {
	t.Parallel()
	g := newGuard(allowList{}, nil)
	for port, want := range map[uint16]bool{80: true, 443: true, 8443: true, 1024: true, 22: false, 25: false, 445: false, 0: false} {
		err := g.permit(t.Context(), "tcp4", netip.AddrPortFrom(netip.MustParseAddr("93.184.215.14"), port).String())
		if (err == nil) != want {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

func TestProxyVariablesAreIgnored(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	_, err := newClient(t, Options{}).Do(request(t, http.MethodGet, "http://10.0.0.5/"))
	wantRefused(t, err)
}

func TestDoDoesNotFollow(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest", http.StatusFound))
	t.Cleanup(upstream.Close)
	c := newClient(t, Options{Allow: []string{"127.0.0.1/32"}})
	res, err := c.Do(request(t, http.MethodGet, upstream.URL))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Errorf("status %d", res.StatusCode)
	}
	viaHTTP, err := c.HTTP().Get(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	viaHTTP.Body.Close()
	if viaHTTP.StatusCode != http.StatusFound {
		t.Errorf("HTTP(): status %d", viaHTTP.StatusCode)
	}
}

func TestHTTPClientIsGuarded(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, Options{}).HTTP().Get("http://10.0.0.5/")
	wantRefused(t, err)
}

func TestWrapSeesRequests(t *testing.T) {
	t.Parallel()
	var hosts []string
	c := newClient(t, Options{Wrap: func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Host)
			return next.RoundTrip(r)
		})
	}})
	_, err := c.Do(request(t, http.MethodGet, "http://10.0.0.5/"))
	wantRefused(t, err)
	if len(hosts) != 1 || hosts[0] != "10.0.0.5" {
		t.Errorf("the wrapper saw %v", hosts)
	}
}

// The pool keeps a connection for each of many callers at once: net/http's default of two would dial again and again.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const callers = 20
	arrived, release := make(chan struct{}, callers), make(chan struct{})
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	dialled := make(chan struct{}, 10*callers)
	upstream.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled <- struct{}{}
		}
	}
	upstream.Start()
	t.Cleanup(upstream.Close)
	c := newClient(t, Options{Allow: []string{"127.0.0.1/32"}})
	for range 2 {
		done := make(chan error, callers)
		for range callers {
			go func() {
				res, err := c.Do(request(t, http.MethodGet, upstream.URL))
				if err == nil {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				done <- err
			}()
		}
		for range callers {
			<-arrived
		}
		for range callers {
			release <- struct{}{}
		}
		for range callers {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := len(dialled); got > callers+callers/4 {
		t.Errorf("%d connections for 2 rounds of %d callers", got, callers)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func request(t *testing.T, method, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantRefused(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Slug != fault.SlugDestinationRefused {
		t.Fatalf("got %v, want a fault with slug %s", err, fault.SlugDestinationRefused)
	}
	return f
}

// namesFor makes a resolver that knows these names and no others.
func namesFor(names map[string]string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerNames(ours, names)
		return theirs, nil
	}}
}

func answerNames(conn net.Conn, names map[string]string) {
	defer conn.Close()
	for {
		var length uint16
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		query := make([]byte, length)
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := answerName(query, names)
		if binary.Write(conn, binary.BigEndian, uint16(len(answer))) != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func answerName(query []byte, names map[string]string) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	m.Header.Response, m.Additionals = true, nil
	q := m.Questions[0]
	addr, err := netip.ParseAddr(names[strings.ToLower(q.Name.String())])
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, Type: q.Type, TTL: 1}
	switch {
	case err != nil:
		m.Header.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	packed, _ := m.Pack()
	return packed
}
