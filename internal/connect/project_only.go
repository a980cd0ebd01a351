package connect

import (
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// projectOnly names the connection fields that decide alone which host a secret of the project is sent to: its client secret or, where
// its auth config holds the proof of all accounts, that. The project has to give them: whoever opens a link could otherwise have the
// secret sent to a host of their own. (Tools with an address of their own name its host themselves; package catalog sees to that.)
func projectOnly(cfg AuthConfig, scheme Scheme, g Grant) map[string]bool {
	only := make(map[string]bool)
	var urls []*mapping.Text
	if provesForAll(cfg, scheme, g) {
		urls = append(urls, g.Toolkit.BaseURL)
	}
	declared := g.Declared
	if o := declared.OAuth2; o != nil {
		urls = append(urls, o.AuthorizeURL, o.TokenURL, o.RevokeURL)
		if o.Revoke != nil {
			urls = append(urls, o.Revoke.URL)
		}
	}
	if o := declared.OAuth1; o != nil {
		urls = append(urls, o.RequestURL, o.AuthorizeURL, o.AccessURL)
	}
	if x := declared.Exchange; x != nil {
		urls = append(urls, x.URL)
	}
	for _, t := range urls {
		if t == nil || t.KeepsHost() {
			continue
		}
		for _, name := range t.FieldNames() {
			only[name] = true
		}
	}
	return only
}

// provesForAll reports whether an auth config holds a secret that its accounts would otherwise have to bring.
func provesForAll(cfg AuthConfig, scheme Scheme, g Grant) bool {
	given := over(ofConfig(scheme, g), cfg.Shared)
	return slices.ContainsFunc(g.Declared.AccountFields, func(f catalog.Field) bool { return f.Secret && !given[f.Name].Empty() })
}
