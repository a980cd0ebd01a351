package app

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// trustProxies removes the X-Forwarded-* headers from requests that do not come from one of the given networks, so that
// whoever reaches the server directly cannot make it build links to elsewhere.
func trustProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromOneOf(trusted, r.RemoteAddr) {
			for name := range r.Header {
				if name == "Forwarded" || strings.HasPrefix(name, "X-Forwarded-") {
					delete(r.Header, name)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

func fromOneOf(networks []netip.Prefix, remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	address := peer.Addr().Unmap().WithZone("")
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// clientAddress gives where a request comes from, for counting attempts: the address that the outermost trusted proxy saw or, without
// one, the peer's. Of IPv6 it is the network, as one subscriber has all of that.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 { // trustProxies left it, so a trusted proxy wrote its last entry
		entries := strings.Split(forwarded[len(forwarded)-1], ",")
		host = strings.TrimSpace(entries[len(entries)-1])
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return host
	}
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}
