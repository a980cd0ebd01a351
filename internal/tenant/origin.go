package tenant

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// plainHost is a host as it may stand in a URL that a browser is sent to: letters that look like others, escapes and anything
// that browsers and servers read differently are left out. Names in other scripts are written in Punycode.
var plainHost = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$`)

// ParseURL reads a URL that browsers are sent to. It takes only what every browser reads as Go does (WHATWG URL differs from
// RFC 3986 in what it forgives): http or https, a plain host, no user, no backslash, no control character or space.
func ParseURL(text string) (*url.URL, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) || len(text) > 4096 {
		return nil, fmt.Errorf("%q holds characters that do not belong into a URL, or is too long", short(text))
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Opaque != "" || !plainHost.MatchString(strings.ToLower(u.Host)) {
		return nil, fmt.Errorf("%q is not a whole http or https URL with a plain host name", short(text))
	}
	return u, nil
}

// Origin gives scheme, host and port of a URL as they are compared (RFC 6454 section 4): lower case, without the scheme's own
// port.
func Origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if name, port, err := net.SplitHostPort(host); err == nil && (u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80") {
		if host = name; strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return u.Scheme + "://" + host
}

// ParseOrigin reads an origin: a URL with nothing behind its host.
func ParseOrigin(text string) (string, error) {
	u, err := ParseURL(strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", fmt.Errorf("%q has something behind its host; write the origin alone, such as https://app.example.com", short(text))
	}
	return Origin(u), nil
}

func short(text string) string {
	if len(text) > 100 {
		return strings.ToValidUTF8(text[:100], "") + "…"
	}
	return text
}
