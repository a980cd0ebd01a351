package mapping

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// KeepsHost reports whether a URL (CompileURL) stays below a domain that it names itself ("https://{shop}.example.com"), whatever its
// fields are.
func (t *Text) KeepsHost() bool {
	const mark = "placeholder"
	fields := make(map[string]string)
	for _, name := range t.FieldNames() {
		fields[name] = mark
	}
	expanded, err := t.ExpandFields(fields)
	if err != nil {
		return false // the placeholder is the whole URL
	}
	u, err := url.Parse(expanded)
	if err != nil {
		return false
	}
	i := strings.LastIndex(u.Hostname(), mark)
	if i < 0 {
		return true
	}
	domain, below := strings.CutPrefix(u.Hostname()[i+len(mark):], ".")
	suffix, public := publicsuffix.PublicSuffix(domain)
	return below && strings.Contains(domain, ".") && !(public && suffix == domain)
}
