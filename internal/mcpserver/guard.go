package mcpserver

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard keeps web pages from talking to this server through their visitors' browsers. A page of another site is told by its
// Origin; a page whose name was made to resolve to this machine (DNS rebinding) is told by the Host it asks for. The
// protocol demands it of servers ("Security Warning" of the Streamable HTTP transport).
type guard struct{ hosts map[string]struct{} }

func newGuard(hosts []string) guard {
	g := guard{hosts: make(map[string]struct{}, len(hosts))}
	for _, h := range hosts {
		g.hosts[strings.ToLower(h)] = struct{}{}
	}
	return g
}

func (g guard) admits(r *http.Request) bool {
	return g.admitsHost(r) && g.admitsOrigin(r)
}

// admitsHost looks at requests that arrived over loopback only: there, and with no proxy in between, no name but a loopback
// one can be honest. Elsewhere the names under which the server is reached are not ours to know.
func (g guard) admitsHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !isLoopback(hostOf(local.String())) {
		return true
	}
	host := hostOf(r.Host)
	return isLoopback(host) || g.known(host)
}

// admitsOrigin lets through what is no browser, pages of this server itself, and local tools beside a local server.
func (g guard) admitsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // "null" is what sandboxed and local pages send
	}
	if strings.EqualFold(u.Host, r.Host) || g.known(u.Hostname()) {
		return true
	}
	return isLoopback(u.Hostname()) && isLoopback(hostOf(r.Host))
}

func (g guard) known(host string) bool {
	_, ok := g.hosts[strings.ToLower(host)]
	return ok
}

// hostOf takes the port off.
func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
