package outbound

import (
	"container/list"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Proxy is an HTTP proxy (RFC 9110 section 7.3.2) that requests go through: https ones in a tunnel, so that it sees none of
// their content. Its own address is guarded like any other. The zero Proxy is none. Proxies are equal when they are the same.
type Proxy struct {
	address string       // scheme, host and port
	auth    secret.Value // the whole Proxy-Authorization header; empty: none
}

// ParseProxy reads the address of a proxy and the key it is opened with. An address may carry user and password; the key is
// "user:password", a whole header value ("Bearer …") or a bearer token. An empty address is the zero Proxy. An address that is
// not the whole http or https URL of a host is a fault.
func ParseProxy(address string, key secret.Value) (Proxy, error) {
	if address == "" {
		return Proxy{}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return Proxy{}, fault.New(fault.Invalid, fault.SlugInvalid, "The proxy must be a whole http or https URL without a path.").
			WithFix("Write it as https://proxy.example:3128.")
	}
	p := Proxy{address: u.Scheme + "://" + u.Host}
	if u.User != nil {
		password, _ := u.User.Password()
		p.auth = basicAuth(u.User.Username() + ":" + password)
	}
	if key := strings.TrimSpace(key.Reveal()); key != "" {
		p.auth = proxyAuth(key)
	}
	if strings.ContainsAny(p.auth.Reveal(), "\r\n\x00") {
		return Proxy{}, fault.New(fault.Invalid, fault.SlugInvalid, "The key of the proxy contains a line break.")
	}
	return p, nil
}

// Address gives scheme, host and port of the proxy, which may be shown; empty for the zero Proxy.
func (p Proxy) Address() string { return p.address }

// Auth gives the value of the Proxy-Authorization header that opens the proxy; empty when none does. It is for finding it in what
// comes back: requests get it by themselves.
func (p Proxy) Auth() secret.Value { return p.auth }

func proxyAuth(key string) secret.Value {
	switch scheme, _, whole := strings.Cut(key, " "); {
	case whole && (strings.EqualFold(scheme, "Basic") || strings.EqualFold(scheme, "Bearer")):
		return secret.Hide(key)
	case strings.Contains(key, ":"):
		return basicAuth(key)
	default:
		return secret.Hide("Bearer " + key)
	}
}

func basicAuth(pair string) secret.Value {
	return secret.Hide("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
}

// throughProxy is the pool of connections through one proxy.
type throughProxy struct {
	proxy     Proxy
	pool      *http.Transport
	transport http.RoundTripper
}

// A project's proxy has a smaller pool than the way that all share.
const idlePerProxy = 64

func newThroughProxy(p Proxy, pool *http.Transport, wrap func(http.RoundTripper) http.RoundTripper) *throughProxy {
	address, _ := url.Parse(p.address) // ParseProxy made it
	pool.Proxy = http.ProxyURL(address)
	pool.MaxIdleConns, pool.MaxIdleConnsPerHost = idlePerProxy, idlePerProxy
	if !p.auth.Empty() {
		pool.ProxyConnectHeader = http.Header{"Proxy-Authorization": {p.auth.Reveal()}}
	}
	pool.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
		if res.StatusCode != http.StatusOK {
			return p.refused(res.StatusCode)
		}
		return nil
	}
	t := &throughProxy{proxy: p, pool: pool, transport: pool}
	if wrap != nil {
		t.transport = wrap(pool)
	}
	return t
}

// do sends a request through the proxy. A plain http one is read by the proxy, so that the key goes with it.
func (t *throughProxy) do(r *http.Request) (*http.Response, error) {
	plain := r.URL.Scheme == "http"
	if plain && !t.proxy.auth.Empty() {
		r = r.Clone(r.Context())
		r.Header.Set("Proxy-Authorization", t.proxy.auth.Reveal())
	}
	res, err := t.transport.RoundTrip(r)
	if err != nil {
		return nil, t.failure(err)
	}
	if plain && res.StatusCode == http.StatusProxyAuthRequired {
		res.Body.Close()
		return nil, t.proxy.refused(res.StatusCode)
	}
	return res, nil
}

// failure tells a proxy that could not be reached from what went wrong behind it.
func (t *throughProxy) failure(err error) error {
	var told *fault.Error
	var op *net.OpError
	if errors.As(err, &told) || !errors.As(err, &op) || op.Op != "proxyconnect" {
		return err
	}
	return fault.New(fault.Upstream, fault.SlugUpstream, "The proxy %s of the auth config could not be reached.", t.proxy.address).
		WithFix("Check proxy_config of the auth config, and that the proxy runs.").Because(err)
}

// refused is the fault for a proxy that does not let a request through.
func (p Proxy) refused(status int) error {
	f := fault.New(fault.Upstream, fault.SlugUpstream, "The proxy %s of the auth config refused the connection with status %d.", p.address, status)
	if status == http.StatusProxyAuthRequired {
		return f.WithFix("Correct proxy_auth_key in proxy_config of the auth config.")
	}
	return f.WithFix("See in the proxy's own log why it refuses this destination.")
}

// proxies keeps the pools of the proxies that were used last.
type proxies struct {
	open func(Proxy) *throughProxy

	mu     sync.Mutex
	byName map[Proxy]*list.Element
	order  *list.List // of *throughProxy, most recently used first
}

// maxProxies bounds how many proxies' pools are kept.
const maxProxies = 128

func newProxies(open func(Proxy) *throughProxy) *proxies {
	return &proxies{open: open, byName: map[Proxy]*list.Element{}, order: list.New()}
}

func (p *proxies) get(proxy Proxy) *throughProxy {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.byName[proxy]; ok {
		p.order.MoveToFront(e)
		return e.Value.(*throughProxy)
	}
	t := p.open(proxy)
	p.byName[proxy] = p.order.PushFront(t)
	if p.order.Len() > maxProxies {
		last := p.order.Back()
		old := p.order.Remove(last).(*throughProxy)
		delete(p.byName, old.proxy)
		old.pool.CloseIdleConnections() // what is on its way is not disturbed
	}
	return t
}

func (p *proxies) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.order.Front(); e != nil; e = e.Next() {
		e.Value.(*throughProxy).pool.CloseIdleConnections()
	}
}
