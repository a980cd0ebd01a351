package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Origin makes the function that gives the scheme and host under which the maker of a request reaches this server; MCP URLs,
// links and logos are built from it. It is the public URL, or else what the request itself was sent to: SDKs attach their
// credential only to an MCP URL of the same origin as the API call (API contract section 6.13).
func Origin(publicURL string, trustProxy bool) func(*http.Request) (string, error) {
	return func(r *http.Request) (string, error) {
		if publicURL != "" {
			return publicURL, nil
		}
		return originOf(r, trustProxy)
	}
}

func originOf(r *http.Request, trustProxy bool) (string, error) {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if trustProxy {
		if forwarded := firstOf(r.Header.Get("X-Forwarded-Proto")); forwarded == "http" || forwarded == "https" {
			scheme = forwarded
		}
		if forwarded := firstOf(r.Header.Get("X-Forwarded-Host")); forwarded != "" {
			host = forwarded
		}
	}
	if !plainHost(host) {
		return "", fault.New(fault.Invalid, fault.SlugInvalid, "The Host header %q is not a host name.", short(host)).
			WithFix("Send the name and port under which this server is reached, or have its public_url set.")
	}
	return scheme + "://" + host, nil
}

// firstOf gives the first of several comma-separated values: the one the outermost proxy saw.
func firstOf(header string) string {
	first, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(first)
}

// plainHost reports whether a host can stand in a URL, and in the JSON of a prepared answer, as it is.
func plainHost(host string) bool {
	if host == "" {
		return false
	}
	for _, c := range []byte(host) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(".-_:[]", c) >= 0:
		default:
			return false
		}
	}
	u, err := url.Parse("http://" + host)
	return err == nil && u.Host == host
}

func logoURL(origin, toolkit string) string { return origin + "/logos/" + toolkit + ".svg" }

func mcpURL(origin, sessionID string) string { return origin + "/tool_router/" + sessionID + "/mcp" }
