package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Limits of the pool and of the phases of one request. The whole of a request is bounded by its context.
const (
	dialTimeout           = 10 * time.Second
	tlsTimeout            = 10 * time.Second
	responseHeaderTimeout = 120 * time.Second // a backstop: callers set shorter deadlines
	idleTimeout           = 90 * time.Second
	idlePerHost           = 256 // net/http keeps two by default and opens a connection for the third caller, every time
	idleTotal             = 2048
	maxResponseHeader     = 256 << 10
	clientTimeout         = 60 * time.Second
)

// Options of a Client.
type Options struct {
	// Allow lists destinations that may be private, or on an unusual port: a CIDR ("10.1.0.0/16"), an address, a host
	// ("git.corp") or either with a port ("127.0.0.1:9000", "git.corp:8443"). Empty: public addresses only.
	Allow []string
	// RootCAs replaces the system's certificate authorities. Nil: the system's.
	RootCAs *x509.CertPool
	// Resolver looks names up. Nil: the system's way.
	Resolver *net.Resolver
	// Wrap puts something around the transport, for metrics or traces. Nil: nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client does guarded requests over one shared pool of connections. It is safe for concurrent use.
type Client struct {
	pool      *http.Transport
	transport http.RoundTripper // the pool with whatever Options.Wrap put around it
	guard     *guard
	proxies   *proxies
}

var _ http.RoundTripper = (*Client)(nil)

// New checks the options and makes a client. An entry of Allow that is neither CIDR nor host is an error.
func New(o Options) (*Client, error) {
	allowed, err := parseAllowList(o.Allow)
	if err != nil {
		return nil, err
	}
	g := newGuard(allowed, o.Resolver)
	pool := newPool(g, o.RootCAs)
	c := &Client{pool: pool, transport: pool, guard: g}
	if o.Wrap != nil {
		c.transport = o.Wrap(pool)
	}
	c.proxies = newProxies(func(p Proxy) *throughProxy { return newThroughProxy(p, newPool(g, o.RootCAs), o.Wrap) })
	return c, nil
}

// newPool makes the one kind of transport used here.
func newPool(g *guard, roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // never from the environment; throughProxy sets the one that a request is meant for
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  responseHeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxResponseHeader,
		ForceAttemptHTTP2:      true, // a custom dialer switches it off otherwise
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
}

// Do sends one request. Redirects are not followed: the answer is handed back as it is. A destination that is not
// allowed is a fault with slug Outbound_DestinationRefused; other errors are the transport's, without the URL, which
// may hold a credential.
func (c *Client) Do(r *http.Request) (*http.Response, error) { return c.DoVia(Proxy{}, r) }

// DoVia is Do through a proxy; the zero Proxy is none. What the proxy itself does wrong is a fault of kind Upstream that names
// it.
func (c *Client) DoVia(p Proxy, r *http.Request) (*http.Response, error) {
	if r.URL == nil || r.URL.Scheme != "https" && r.URL.Scheme != "http" {
		return nil, fault.New(fault.Invalid, fault.SlugDestinationRefused, "Only http and https destinations can be reached.").
			WithFix("Give a URL that begins with https://.")
	}
	if p != (Proxy{}) {
		if err := c.guard.permitBehindProxy(r.Context(), r.URL); err != nil {
			return nil, err
		}
		return c.proxies.get(p).do(r)
	}
	return c.transport.RoundTrip(r)
}

// RoundTrip is Do, for whatever takes an http.RoundTripper.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) { return c.Do(r) }

// HTTP gives an *http.Client over the same guard and pool, for libraries that insist on one. It follows no redirects
// and gives up after a minute.
func (c *Client) HTTP() *http.Client {
	return &http.Client{
		Transport:     c,
		Timeout:       clientTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends idle connections. Requests on their way are not disturbed.
func (c *Client) Close() {
	c.pool.CloseIdleConnections()
	c.proxies.close()
}

// newDialer makes the one kind of dialer used here.
func newDialer(r *net.Resolver, control func(ctx context.Context, network, address string) error) *net.Dialer {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Resolver: r}
	if control != nil {
		d.ControlContext = ignoreConn(control)
	}
	return d
}
