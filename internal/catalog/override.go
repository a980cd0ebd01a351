package catalog

import (
	"fmt"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Override is what an operator sets for a toolkit in place of its declaration: GitHub Enterprise, a sandbox, another
// region. Empty members keep the declaration.
type Override struct {
	BaseURL      string // origin, perhaps with a path prefix that goes before every tool's path
	AuthorizeURL string
	TokenURL     string
	RevokeURL    string
	Scopes       []string
}

// With gives the toolkit as the operator wants it. The receiver is not changed. The base URL holds for all requests, also
// for those that are declared for another host.
func (t *Toolkit) With(o Override) (*Toolkit, error) {
	out := t.copied()
	if t.hash != "" {
		out.hash = t.hash + fmt.Sprintf("%+v", o)
	}
	if o.BaseURL != "" {
		base, err := t.overrideURL("base_url", o.BaseURL)
		if err != nil {
			return nil, err
		}
		out.BaseURL, out.rebased = base, true
	}
	if err := out.overrideOAuth2(o); err != nil {
		return nil, err
	}
	return out, nil
}

// copied gives a copy whose tools and triggers are its own.
func (t *Toolkit) copied() *Toolkit {
	out := *t
	out.Tools = make([]*Tool, len(t.Tools))
	for i, tool := range t.Tools {
		copied := *tool
		copied.Toolkit = &out
		out.Tools[i] = &copied
	}
	out.Triggers = make([]*TriggerType, len(t.Triggers))
	for i, trigger := range t.Triggers {
		out.Triggers[i] = trigger.of(&out)
	}
	return &out
}

func (t *Toolkit) overrideOAuth2(o Override) error {
	if o.AuthorizeURL == "" && o.TokenURL == "" && o.RevokeURL == "" && o.Scopes == nil {
		return nil
	}
	auth := make([]AuthScheme, len(t.Auth))
	copy(auth, t.Auth)
	found := false
	for i := range auth {
		if auth[i].OAuth2 == nil {
			continue
		}
		found = true
		changed, err := auth[i].OAuth2.with(t, o)
		if err != nil {
			return err
		}
		auth[i].OAuth2 = changed
	}
	if !found {
		return fmt.Errorf("toolkit %q has no OAuth2 to set", t.Slug)
	}
	t.Auth = auth
	return nil
}

func (o *OAuth2) with(t *Toolkit, set Override) (*OAuth2, error) {
	out := *o
	if o.Revoke != nil {
		revoke := *o.Revoke
		out.Revoke = &revoke
	}
	for _, u := range []struct {
		name, value string
		to          []**mapping.Text
	}{
		{"oauth2.authorize_url", set.AuthorizeURL, []**mapping.Text{&out.AuthorizeURL}},
		{"oauth2.token_url", set.TokenURL, []**mapping.Text{&out.TokenURL}},
		{"oauth2.revoke_url", set.RevokeURL, revokeURLs(&out)},
	} {
		if u.value == "" {
			continue
		}
		text, err := t.overrideURL(u.name, u.value)
		if err != nil {
			return nil, err
		}
		for _, to := range u.to {
			*to = text
		}
	}
	if set.Scopes != nil {
		out.DefaultScopes = set.Scopes
	}
	return &out, nil
}

func revokeURLs(o *OAuth2) []**mapping.Text {
	if o.Revoke == nil {
		return []**mapping.Text{&o.RevokeURL}
	}
	return []**mapping.Text{&o.RevokeURL, &o.Revoke.URL}
}

func (t *Toolkit) overrideURL(name, value string) (*mapping.Text, error) {
	text, err := mapping.CompileURL(value, mapping.Scope{Fields: t.fieldNames()}, 0)
	if err != nil {
		return nil, fmt.Errorf("toolkits.%s.%s: %w", t.Slug, name, err)
	}
	return text, nil
}

// fieldNames gives the connection fields of all schemes.
func (t *Toolkit) fieldNames() []string {
	var names []string
	for _, a := range t.Auth {
		for _, f := range a.ConfigFields {
			names = append(names, f.Name)
		}
		for _, f := range a.AccountFields {
			names = append(names, f.Name)
		}
	}
	return unique(names)
}
