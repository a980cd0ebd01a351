package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// oauth2 offers the flows that a server can carry out. Of those that it cannot, a token can still be brought.
func (a *authReader) oauth2(name string, n node, guide string) []*catalog.DefinedAuth {
	var out []*catalog.DefinedAuth
	flows := oauthFlows(n)
	for _, kind := range []string{"authorizationCode", "clientCredentials"} {
		flow := flows[kind]
		if flow == nil {
			continue
		}
		o := &catalog.DefinedOAuth2{
			AuthorizeURL: a.absolute(text(flow, "authorizationUrl")), TokenURL: a.absolute(text(flow, "tokenUrl")),
			Available: slices.Sorted(maps.Keys(object(flow, "scopes"))),
		}
		if o.TokenURL == "" || kind == "authorizationCode" && o.AuthorizeURL == "" {
			a.report.note("Security scheme %q lacks the address of its %s flow.", name, kind)
			continue
		}
		o.Scopes = a.defaultScopes(o.Available)
		mode := "OAUTH2"
		if kind == "clientCredentials" {
			mode, o.AuthorizeURL = "S2S_OAUTH2", ""
		}
		out = append(out, &catalog.DefinedAuth{Mode: mode, Guide: guide, OAuth2: o})
	}
	if len(out) == 0 {
		a.report.note("Security scheme %q has no OAuth flow that a server can carry out (it has %s): accounts are connected with an access token.",
			name, or(strings.Join(slices.Sorted(maps.Keys(flows)), ", "), "none"))
		out = append(out, &catalog.DefinedAuth{Mode: "BEARER_TOKEN", Guide: or(guide, "An OAuth access token of the provider.")})
	}
	return out
}

// oauthFlows gives the flows by the names of 3.x.
func oauthFlows(n node) map[string]node {
	flows := map[string]node{}
	for name, v := range object(n, "flows") {
		if f := asNode(v); f != nil {
			flows[name] = f
		}
	}
	if name := text(n, "flow"); name != "" { // 2.0
		flows[map[string]string{"accessCode": "authorizationCode", "application": "clientCredentials"}[name]+same(name)] = n
	}
	return flows
}

// same keeps the names that 2.0 and 3.x share.
func same(name string) string {
	if name == "implicit" || name == "password" {
		return name
	}
	return ""
}

// absolute resolves an address against the API's.
func (a *authReader) absolute(address string) string {
	if address == "" {
		return ""
	}
	if strings.ContainsAny(address, "{}") {
		return ""
	}
	address, _, _ = strings.Cut(address, "#")
	return resolveURL(a.base, address)
}

// maxScopes bounds how many scopes are asked for by default.
const maxScopes = 60

// defaultScopes chooses few scopes with which all operations can be called; all there are where operations do not say.
func (a *authReader) defaultScopes(available []string) []string {
	open := slices.Clone(a.needs)
	var chosen []string
	met := func(need scopeNeed) bool {
		return slices.ContainsFunc(need, func(l []string) bool {
			return !slices.ContainsFunc(l, func(s string) bool { return !slices.Contains(chosen, s) })
		})
	}
	for range maxScopes {
		open = slices.DeleteFunc(open, met)
		counts := map[string]int{}
		for _, need := range open {
			for _, l := range need {
				for _, s := range l {
					if !slices.Contains(chosen, s) {
						counts[s]++
					}
				}
			}
		}
		best := ""
		for _, s := range slices.Sorted(maps.Keys(counts)) {
			if best == "" || counts[s] > counts[best] {
				best = s
			}
		}
		if best == "" {
			break
		}
		chosen = append(chosen, best)
	}
	if chosen == nil && len(available) <= 20 {
		return available
	}
	slices.Sort(chosen)
	return chosen
}
