package openapi

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// server is where an API is.
type server struct {
	url    string // may hold {field}
	fields []catalog.Field
}

// maxServers bounds how many servers are looked at.
const maxServers = 200

// server finds where the API is: the first server that is neither on the reader's own machine nor unencrypted, if there is one.
func (d *document) server(source string, r *Report) server {
	candidates := d.servers()
	candidates = candidates[:min(len(candidates), maxServers)]
	best := server{}
	rank := 100
	for _, n := range candidates {
		var fields []catalog.Field
		s := server{url: resolveURL(source, serverURL(n, &fields)), fields: fields}
		if k := serverRank(s.url); k < rank {
			best, rank = s, k
		}
	}
	if rank >= 90 && source != "" {
		best = server{url: originOf(source)}
	}
	switch {
	case best.url == "":
		r.note("The description does not say where the API is: give its base URL.")
	case private(best.url):
		r.note("The API is said to be at %s, which is a private address: calls are refused unless the setting outbound.allow has it.", best.url)
	case strings.HasPrefix(best.url, "http://"):
		r.note("The API is said to be at %s: credentials would travel unencrypted.", best.url)
	}
	return best
}

// servers gives them in the form of 3.x.
func (d *document) servers() []node {
	if !d.swagger {
		var out []node
		for _, v := range list(node{"s": d.section("servers")}, "s") {
			if n := asNode(v); n != nil {
				out = append(out, n)
			}
		}
		return out
	}
	host := text(node{"h": d.section("host")}, "h")
	base := text(node{"b": d.section("basePath")}, "b")
	if host == "" {
		return []node{{"url": or(base, "/")}}
	}
	var out []node
	for _, scheme := range append(texts(d.section("schemes")), "https") {
		if scheme == "https" || scheme == "http" {
			out = append(out, node{"url": scheme + "://" + host + "/" + strings.TrimPrefix(base, "/")})
		}
	}
	return out
}

// serverURL writes a server's URL with its variables: those of the host, and those without a default, become connection fields
// when a list for them is given; all others have their default.
func serverURL(n node, fields *[]catalog.Field) string {
	raw := text(n, "url")
	if len(raw) > maxPath || !wording.Printable(raw) {
		return ""
	}
	if strings.HasPrefix(raw, "//") {
		raw = "https:" + raw
	}
	variables := object(n, "variables")
	scheme, rest, absolute := strings.Cut(raw, "://")
	scheme = placeholder.ReplaceAllStringFunc(scheme, func(string) string { return "https" })
	host, path, _ := strings.Cut(rest, "/")
	value := func(name string, inHost bool) string {
		v := object(variables, name)
		usual := text(v, "default")
		if strings.ContainsAny(usual, "{}<>") { // a placeholder in place of a value
			usual = ""
		}
		if fields == nil || usual != "" && (!inHost || len(list(v, "enum")) == 1) {
			return usual
		}
		key := strings.ToLower(wording.ArgumentKey(name))
		*fields = append(*fields, catalog.Field{
			Name: key, Title: wording.Capitalised(strings.Join(wording.SplitWords(name), " ")), Type: "string", Default: hostValue(usual), Required: true,
			Description: wording.Shorten(wording.Clean(text(v, "description")), wording.MaxMember),
		})
		return "{" + key + "}"
	}
	if !absolute {
		return fill(raw, func(name string) string { return value(name, false) })
	}
	host = fill(host, func(name string) string { return value(name, true) })
	if strings.HasPrefix(host, ":") || host == "" || strings.Contains(host, "@") {
		return ""
	}
	path = fill(path, func(name string) string { return value(name, false) })
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	return scheme + "://" + strings.TrimSuffix(host+"/"+strings.Trim(path, "/"), "/")
}

func fill(s string, value func(name string) string) string {
	return placeholder.ReplaceAllStringFunc(s, func(found string) string { return value(found[1 : len(found)-1]) })
}

// hostValue is a default that may stand in a host; others are of no use there.
func hostValue(s string) string {
	for _, c := range s {
		if c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return s
}

// resolveURL makes a relative URL absolute by the address that the description came from.
func resolveURL(source, relative string) string {
	if strings.HasPrefix(relative, "https://") || strings.HasPrefix(relative, "http://") {
		return relative
	}
	base, err := url.Parse(source)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" {
		return ""
	}
	target, err := base.Parse(relative)
	if err != nil || target.Host == "" {
		return ""
	}
	target.RawQuery, target.Fragment = "", ""
	return strings.TrimSuffix(target.String(), "/")
}

func originOf(source string) string {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// serverRank is lower the better a server is.
func serverRank(s string) int {
	lower := strings.ToLower(s)
	switch {
	case s == "" || strings.Contains(s, "{}"):
		return 99
	case private(s):
		return 50
	case strings.Contains(lower, "sandbox") || strings.Contains(lower, "staging") || strings.Contains(lower, "mock"):
		return 20
	case strings.HasPrefix(s, "http://"):
		return 10
	default:
		return 0
	}
}

// private reports whether an address is of a network of somebody's own, as far as its text tells. What is reached in the end is
// checked when a request is sent.
func private(s string) bool {
	u, err := url.Parse(placeholder.ReplaceAllString(s, "x"))
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}
