package authserver

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

const (
	maxRedirectURI  = 2048
	maxRedirectURIs = 20
)

// editorSchemes are private schemes of programs that people use with MCP and that are not of the form RFC 8252 section 7.1 asks for (a
// domain name in reverse). Other schemes without a dot are refused: some of them make an operating system run things.
var editorSchemes = []string{"cursor", "vscode", "vscode-insiders", "windsurf", "zed", "claude"}

// checkRedirectURI says whether a client may name this address for its answers: https anywhere, http on the person's own computer,
// or a private scheme.
func checkRedirectURI(text string) error {
	refuse := func(reason string) error {
		return fault.New(fault.Invalid, fault.SlugOAuthInvalidRedirectURI, "The redirect URI %q cannot be used: %s.", shorten(text), reason).
			WithFix("Use an https address, http://127.0.0.1 with any port, or a private scheme such as com.example.app:/callback.")
	}
	if len(text) > maxRedirectURI || strings.ContainsFunc(text, notInURIs) {
		return refuse("it is too long or has characters that do not belong into a URI")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "":
		return refuse("it is not an absolute URI")
	case strings.Contains(text, "#"):
		return refuse("it has a fragment")
	case u.User != nil:
		return refuse("it has a user name before the host")
	case u.Scheme == "https" && u.Hostname() != "" && u.Opaque == "":
		return nil
	case u.Scheme == "http" && u.Opaque == "" && isLoopback(u):
		return nil
	case u.Scheme == "https" || u.Scheme == "http":
		return refuse("http is for addresses on the person's own computer, and a host is needed")
	case strings.Contains(u.Scheme, ".") || slices.Contains(editorSchemes, u.Scheme):
		return nil
	default:
		return refuse("its scheme is not one that answers may be sent to")
	}
}

// notInURIs tells characters that browsers and servers read differently, or that end a header.
func notInURIs(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) }

// matchRedirectURI finds the registered address that a request names, and gives the address to answer to. They have to be the same
// text, but for the port of a loopback address, which a program gets when it starts to listen (RFC 8252 section 7.3).
func matchRedirectURI(registered []string, given string) (string, bool) {
	if slices.Contains(registered, given) {
		return given, true
	}
	if checkRedirectURI(given) != nil {
		return "", false
	}
	g, err := url.Parse(given)
	if err != nil || g.Scheme != "http" {
		return "", false
	}
	for _, text := range registered {
		r, err := url.Parse(text)
		if err != nil || r.Scheme != "http" || !isLoopback(r) || r.Hostname() != g.Hostname() {
			continue
		}
		// Built from what was registered, so that nothing but the port can be another.
		r.Host = g.Host
		if r.String() == given {
			return given, true
		}
	}
	return "", false
}

func isLoopback(u *url.URL) bool {
	host := u.Hostname()
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// withParams appends parameters to an address, whose own query stays.
func withParams(address string, params url.Values) string {
	u, err := url.Parse(address)
	if err != nil {
		panic("authserver: a redirect URI that was checked does not parse: " + err.Error())
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += params.Encode()
	return u.String()
}

// shorten keeps texts of strangers from filling an error.
func shorten(text string) string {
	if len(text) > 200 {
		return strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}
