package outbound

import (
	"net/http"
	"net/url"
)

const maxRedirects = 5

// DoFollowing is Do, but follows the redirects of GET and HEAD requests, at most five. Another origin gets none of the
// request's own headers but harmless ones, so a credential never leaves the origin it was meant for. A redirect that
// gives up TLS, or that comes after the fifth, is handed back as it is.
func (c *Client) DoFollowing(r *http.Request) (*http.Response, error) {
	return c.DoFollowingVia(Proxy{}, r)
}

// DoFollowingVia is DoFollowing through a proxy; the zero Proxy is none.
func (c *Client) DoFollowingVia(p Proxy, r *http.Request) (*http.Response, error) {
	for hop := 0; ; hop++ {
		res, err := c.DoVia(p, r)
		if err != nil || hop == maxRedirects {
			return res, err
		}
		next := redirectOf(r, res)
		if next == nil {
			return res, nil
		}
		res.Body.Close()
		r = next
	}
}

// redirectOf builds the request that follows an answer; nil when there is nothing to follow.
func redirectOf(r *http.Request, res *http.Response) *http.Request {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Body != nil && r.Body != http.NoBody {
		return nil
	}
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to, err := r.URL.Parse(res.Header.Get("Location"))
	if err != nil || res.Header.Get("Location") == "" || to.Host == "" || to.Scheme != "https" && to.Scheme != r.URL.Scheme {
		return nil
	}
	next := r.Clone(r.Context())
	next.URL, next.Host = to, ""
	if !sameOrigin(r.URL, to) {
		next.Header = harmless(r.Header)
		next.URL.User = nil
	}
	return next
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && canonicalHost(a.Hostname()) == canonicalHost(b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// harmless keeps the headers that say how an answer should look, and nothing that says who asks.
func harmless(h http.Header) http.Header {
	kept := http.Header{}
	for _, name := range []string{"Accept", "Accept-Language", "User-Agent", "Range"} {
		if v := h.Values(name); len(v) > 0 {
			kept[name] = v
		}
	}
	return kept
}
