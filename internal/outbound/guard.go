package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// guard dials, and refuses. It looks at the address that is about to be connected to, after name resolution, so a name
// that resolves to another address the second time gains nothing.
type guard struct {
	allowed allowList
	special *ssrf.Guardian // IANA's registries of private and special addresses
	checked *net.Dialer    // asks permit about each address
	free    *net.Dialer    // for hosts that the operator named
}

func newGuard(allowed allowList, r *net.Resolver) *guard {
	g := &guard{allowed: allowed, special: ssrf.New(ssrf.WithAnyPort())}
	g.checked = newDialer(r, g.permit)
	g.free = newDialer(r, nil)
	return g
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if g.allowed.host(address) {
		return g.free.DialContext(ctx, network, address)
	}
	conn, err := g.checked.DialContext(ctx, network, address)
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return nil, refused.fault(address)
	}
	return conn, err
}

// permitBehindProxy refuses a destination that is private as far as can be seen from here, although a proxy does the connecting:
// a proxy that stands in the operator's network must not become a way into it. What a name resolves to only at the proxy is the
// proxy's affair.
func (g *guard) permitBehindProxy(ctx context.Context, to *url.URL) error {
	address := net.JoinHostPort(to.Hostname(), port(to))
	if g.allowed.host(address) {
		return nil
	}
	addrs, err := g.checked.Resolver.LookupNetIP(ctx, "ip", to.Hostname())
	if err != nil {
		return ctx.Err() // the name may be known at the proxy alone
	}
	for _, addr := range addrs {
		network := "tcp4"
		if addr = addr.Unmap(); addr.Is6() {
			network = "tcp6"
		}
		err := g.permit(ctx, network, net.JoinHostPort(addr.String(), port(to)))
		if refused := (*refusal)(nil); errors.As(err, &refused) {
			return refused.fault(address)
		}
	}
	return nil
}

// permit says whether one resolved address may be connected to.
func (g *guard) permit(_ context.Context, network, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &refusal{reason: "it is not an address", cause: err}
	}
	if g.allowed.address(to) {
		return nil
	}
	if !usualPort(to.Port()) {
		return &refusal{reason: "its port belongs to another service than the web"}
	}
	if err := g.special.Safe(network, address, nil); err != nil {
		return &refusal{reason: "it is a private or special address", cause: err}
	}
	return nil
}

// named reports whether the operator named a host, or all of its addresses.
func (g *guard) named(ctx context.Context, to *url.URL) bool {
	if g.allowed.host(net.JoinHostPort(to.Hostname(), port(to))) {
		return true
	}
	addrs, err := g.checked.Resolver.LookupNetIP(ctx, "ip", to.Hostname())
	at, wrong := strconv.ParseUint(port(to), 10, 16)
	return err == nil && wrong == nil && len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool {
		return !g.allowed.address(netip.AddrPortFrom(a, uint16(at)))
	})
}

// usualPort keeps us from being used to talk to mail servers, shells and the like. Below 1024 only the web's own ports
// are open; above it services choose freely (decision 0030).
func usualPort(port uint16) bool { return port == 80 || port == 443 || port >= 1024 }

// refusal is why an address was not connected to. What the name resolved to is for the log only: telling it would let
// callers map the network behind the server.
type refusal struct {
	reason string
	cause  error
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.reason + ": " + r.cause.Error()
	}
	return r.reason
}

func (r *refusal) fault(address string) error {
	return fault.New(fault.Forbidden, fault.SlugDestinationRefused, "Requests to %s are refused: %s.", address, r.reason).
		WithFix("If this destination is meant, the operator of this server can add %q to the setting outbound.allow.", address).
		Because(r)
}

func ignoreConn(f func(context.Context, string, string) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(ctx context.Context, network, address string, _ syscall.RawConn) error {
		return f(ctx, network, address)
	}
}

// allowList is what the operator opened, parsed.
type allowList struct {
	prefixes  []netip.Prefix
	addrPorts map[netip.AddrPort]bool
	hosts     map[string]bool // "git.corp" and "git.corp:8443", lower case
}

func parseAllowList(entries []string) (allowList, error) {
	list := allowList{addrPorts: map[netip.AddrPort]bool{}, hosts: map[string]bool{}}
	for _, entry := range entries {
		if err := list.add(strings.TrimSpace(entry)); err != nil {
			return allowList{}, err
		}
	}
	return list, nil
}

func (l *allowList) add(entry string) error {
	if p, err := netip.ParsePrefix(entry); err == nil {
		l.prefixes = append(l.prefixes, p.Masked())
		return nil
	}
	if a, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
		a = a.Unmap()
		l.prefixes = append(l.prefixes, netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	if ap, err := netip.ParseAddrPort(entry); err == nil {
		l.addrPorts[netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())] = true
		return nil
	}
	if !looksLikeHost(entry) {
		return fault.New(fault.Invalid, fault.SlugInvalid,
			"outbound.allow: %q is neither a CIDR, an address, a host nor one of them with a port.", entry).
			WithFix(`Write for example "10.1.0.0/16", "git.corp" or "127.0.0.1:9000", without https:// and without a path.`)
	}
	l.hosts[canonicalHost(entry)] = true
	return nil
}

// host reports whether the operator named this host, with or without its port. Address literals are left to address.
func (l *allowList) host(address string) bool {
	if len(l.hosts) == 0 {
		return false
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	host = canonicalHost(host)
	return l.hosts[host] || l.hosts[host+":"+port]
}

func (l *allowList) address(to netip.AddrPort) bool {
	addr := to.Addr().Unmap()
	if l.addrPorts[netip.AddrPortFrom(addr, to.Port())] {
		return true
	}
	for _, p := range l.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func canonicalHost(host string) string {
	name, port, found := strings.Cut(strings.ToLower(host), ":")
	name = strings.TrimSuffix(name, ".")
	if found {
		return name + ":" + port
	}
	return name
}

func looksLikeHost(entry string) bool {
	name, port, found := strings.Cut(entry, ":")
	if name == "" || found && !digits(port) {
		return false
	}
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return strings.Trim(name, "0123456789.") != "" // a mistyped address is not a host
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
