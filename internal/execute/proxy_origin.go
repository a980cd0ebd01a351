package execute

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// base is the toolkit's base URL for the account at hand.
func (x *execution) base() (*url.URL, error) {
	if x.toolkit.BaseURL == nil {
		return nil, fault.New(fault.Unprocessable, fault.SlugInvalid, "Toolkit %s has no base URL: raw requests to it are not possible.", x.toolkit.Slug)
	}
	text, err := x.toolkit.BaseURL.Expand(&x.env)
	if err != nil {
		return nil, err
	}
	return url.Parse(text)
}

// belongs reports whether an absolute address is one of the toolkit's, so that its credential may be sent there.
func (x *execution) belongs(address string) bool {
	base, err := x.base()
	if err != nil {
		return false
	}
	to, err := url.Parse(address)
	return err == nil && x.sameService(base, to)
}

// sameService reports whether an address is of the same service as the base URL: same scheme, same port, and the same
// registrable domain (api.example.com and files.example.com). Where each customer has a host of their own, the domain is
// shared with strangers, and only the account's own host will do; so it is with addresses and single-label hosts.
func (x *execution) sameService(base, to *url.URL) bool {
	if base.Scheme != to.Scheme || portOf(base) != portOf(to) || to.User != nil {
		return false
	}
	a, b := hostOf(base), hostOf(to)
	if a == b {
		return true
	}
	if len(x.toolkit.BaseURL.FieldNames()) > 0 || net.ParseIP(a) != nil || net.ParseIP(b) != nil {
		return false
	}
	domainA, errA := publicsuffix.EffectiveTLDPlusOne(a)
	domainB, errB := publicsuffix.EffectiveTLDPlusOne(b)
	return errA == nil && errB == nil && domainA == domainB
}

// endpoint makes the absolute URL of a proxied request.
func (x *execution) endpoint(given string) (*url.URL, error) {
	base, err := x.base()
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(given)
	if err != nil || given == "" || strings.ContainsAny(given, "\r\n\x00") {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The endpoint is not a path or a URL.").
			WithFix("Give a path such as /v1/me, or a URL below %s.", base.Redacted())
	}
	for segment := range strings.SplitSeq(to.EscapedPath(), "/") {
		if mapping.Traverses(segment) {
			return nil, fault.New(fault.Invalid, fault.SlugInvalid, `The endpoint contains a path segment "." or "..".`).
				WithFix("Write the path as it is meant, below %s.", base.Redacted())
		}
	}
	if to.IsAbs() || to.Host != "" {
		if !x.sameService(base, to) {
			return nil, fault.New(fault.Invalid, fault.SlugOriginMismatch, "The endpoint %s://%s is not of %s, whose API is at %s://%s.", to.Scheme, to.Host, x.service(), base.Scheme, base.Host).
				WithFix("Give a path such as /v1/me: it is taken below the toolkit's base URL.")
		}
		to.Fragment = ""
		return to, nil
	}
	full := *base
	full.Path = strings.TrimSuffix(base.Path, "/") + "/" + strings.TrimPrefix(to.Path, "/")
	if to.RawPath != "" || base.RawPath != "" {
		full.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + "/" + strings.TrimPrefix(to.EscapedPath(), "/")
	}
	full.RawQuery = to.RawQuery
	return &full, nil
}

func hostOf(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") }

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
