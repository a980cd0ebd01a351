package mapping

import (
	"net/url"
	"strconv"
	"strings"
)

// linkNext gives a query parameter of the rel="next" link in a Link header (RFC 8288), as a number where it is one; nil when
// there is no next page. Without a parameter name it gives the whole URL.
func linkNext(a ...any) (any, error) {
	target := nextLink(AsText(a[0]))
	if target == "" {
		return nil, nil
	}
	name := AsText(a[1])
	if name == "" {
		return target, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, nil //nolint:nilerr // a link that cannot be followed is the end of the list
	}
	v := u.Query().Get(name)
	if v == "" {
		return nil, nil
	}
	if n, err := strconv.Atoi(v); err == nil && strconv.Itoa(n) == v {
		return n, nil
	}
	return v, nil
}

func nextLink(header string) string {
	for header != "" {
		_, rest, found := strings.Cut(header, "<")
		if !found {
			return ""
		}
		target, rest, found := strings.Cut(rest, ">")
		if !found {
			return ""
		}
		params, following, _ := strings.Cut(rest, "<")
		if isNext(params) {
			return target
		}
		if following == "" {
			return ""
		}
		header = "<" + following
	}
	return ""
}

func isNext(params string) bool {
	for _, p := range strings.Split(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(p, " ,\t"), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			for _, rel := range strings.Fields(strings.Trim(value, `" ,`)) {
				if strings.EqualFold(rel, "next") {
					return true
				}
			}
		}
	}
	return false
}
