package catalog

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// authModes are the schemes that the API contract knows (section 9).
var authModes = []string{
	"OAUTH2", "OAUTH1", "API_KEY", "BASIC", "BILLCOM_AUTH", "BEARER_TOKEN", "GOOGLE_SERVICE_ACCOUNT", "NO_AUTH",
	"BASIC_WITH_JWT", "CALCOM_AUTH", "SERVICE_ACCOUNT", "SAML", "DCR_OAUTH", "S2S_OAUTH2", "CIMD_OAUTH",
}

// proofFields are the values of an account and its auth config that templates for credentials may use besides the
// declared fields: the names under which schemes keep them.
var proofFields = []string{
	"access_token", "refresh_token", "token", "api_key", "generic_api_key", "bearer_token", "username", "password",
	"client_id", "client_secret",
}

func (l *loader) readAuth(r *reader, v *yaml.Node) {
	r.elements(v, "auth", func(e *yaml.Node) {
		a := AuthScheme{}
		r.object(e, "auth", l.authKeys(r, e, &a))
		if needs := a.missing(); needs != "" {
			r.problem(e, "%s needs %s", a.Mode, needs)
		}
		if _, twice := l.toolkit.Scheme(a.Mode); twice {
			r.problem(e, "scheme %q stands twice", a.Mode)
		}
		l.toolkit.Auth = append(l.toolkit.Auth, a)
	})
}

// missing names the endpoints that a scheme cannot do without.
func (a *AuthScheme) missing() string {
	switch o, x := a.OAuth2, a.Exchange; {
	case a.Mode == "OAUTH2" && (o == nil || o.AuthorizeURL == nil || o.TokenURL == nil):
		return "authorize_url and token_url"
	case a.Mode == "S2S_OAUTH2" && o.TokenURL == nil, x != nil && x.URL == nil:
		return "token_url"
	case a.OAuth1 != nil && (a.OAuth1.RequestURL == nil || a.OAuth1.AuthorizeURL == nil || a.OAuth1.AccessURL == nil):
		return "request_token_url, authorize_url and access_token_url"
	}
	return ""
}

// authKeys are the keys of one way to connect. Those that only some schemes understand are offered only to them.
func (l *loader) authKeys(r *reader, e *yaml.Node, a *AuthScheme) []key {
	scope := mapping.Scope{Fields: unique(append(append([]string{}, l.shared.fields...), proofFields...))}
	keys := []key{
		{"scheme", true, oneOf(r, &a.Mode, authModes...), "OAUTH2, API_KEY, BEARER_TOKEN, BASIC, …"},
		{"register", false, r.text(&a.Guide), "how an operator registers an app, or a user finds the key; Markdown"},
		{"fields", false, l.authFields(r, &a.AccountFields), "values that the user fills in; `name*` is required. Each is a title, or title, description, secret, default, type (string, number, boolean, url), help (URL)"},
		{"config_fields", false, l.authFields(r, &a.ConfigFields), "values that the operator or the project fills in"},
		{"header", false, r.templates(&a.Header, "header", scope), "where the credential goes if not to the usual place: X-Key: \"{api_key}\""},
		{"query", false, r.templates(&a.Query, "query", scope), "the same for query parameters"},
	}
	mode := "OAUTH2" // also when it is missing, so that one mistake is one message
	if v := child(e, "scheme"); v != nil {
		mode = v.Value
	}
	switch mode {
	case "OAUTH2", "S2S_OAUTH2", "GOOGLE_SERVICE_ACCOUNT":
		a.OAuth2 = &OAuth2{PKCE: true, ScopeSeparator: " ", ClientAuth: "body"}
	case "SERVICE_ACCOUNT", "BASIC_WITH_JWT":
		a.Exchange = &Exchange{}
	case "OAUTH1":
		a.OAuth1 = &OAuth1{Signature: "HMAC-SHA1"}
		return append(keys, l.oauth1Keys(r, a.OAuth1)...)
	}
	switch mode {
	case "OAUTH2":
		keys = append(keys, l.consentKeys(r, a.OAuth2, scope)...)
		return append(keys, l.tokenKeys(r, a.OAuth2, scope)...)
	case "S2S_OAUTH2":
		return append(keys, l.tokenKeys(r, a.OAuth2, scope)...)
	case "GOOGLE_SERVICE_ACCOUNT":
		return append(keys, l.googleKeys(r, a.OAuth2)...)
	case "SERVICE_ACCOUNT", "BASIC_WITH_JWT":
		return append(keys, l.exchangeKeys(r, a.Exchange)...)
	case "DCR_OAUTH", "CIMD_OAUTH":
		return append(keys, key{"discovery_url", true, r.url(&a.Discover, mapping.Scope{Fields: l.shared.fields}),
			"where the authorization server is found: the resource, an issuer, or the metadata of one"})
	}
	return keys
}

// consentKeys are those of a user's way to the provider and back.
func (l *loader) consentKeys(r *reader, o *OAuth2, proof mapping.Scope) []key {
	scope := mapping.Scope{Fields: l.shared.fields}
	return []key{
		{"issuer", false, r.text(&o.Issuer), "what the provider calls itself in the iss of its answers (RFC 9207); not checked when absent"},
		{"authorize_url", false, r.url(&o.AuthorizeURL, scope), "the provider's consent page"},
		{"user_scopes", false, l.userScopes(r, o), "second kind of scopes: param (its name), default"},
		{"pkce", false, r.flag(&o.PKCE), "false when the provider refuses PKCE"},
		{"authorize_params", false, r.words(&o.AuthorizeParams, "authorize_params"), "more parameters of the consent page, for example access_type: offline"},
	}
}

// tokenKeys are those of getting tokens, renewing and revoking them.
func (l *loader) tokenKeys(r *reader, o *OAuth2, proof mapping.Scope) []key {
	scope := mapping.Scope{Fields: l.shared.fields}
	return []key{
		{"token_url", false, r.url(&o.TokenURL, scope), "where a code or a refresh token is exchanged, or a client's own token is asked for"},
		{"revoke_url", false, r.url(&o.RevokeURL, scope), "where a token is revoked (RFC 7009)"},
		{"revoke", false, l.revoke(r, o, proof), "another way of revoking: POST or DELETE (a URL), form or json, `client: basic`, `bearer: true`"},
		{"scopes", false, l.scopes(r, o), "list of the scopes asked by default, or default, available, separator"},
		{"client_auth", false, oneOf(r, &o.ClientAuth, "body", "basic"), "how the client proves itself: `body` (the default) or `basic`"},
		{"token_params", false, r.templates(&o.TokenParams, "token_params", scope), "more parameters of token requests, for example audience: \"{audience}\"; an empty one is left out"},
		{"token_headers", false, r.words(&o.TokenHeaders, "token_headers"), "more headers of token requests"},
		{"token_json", false, r.flag(&o.TokenJSON), "true when the token endpoint takes JSON"},
		{"token", false, r.words(&o.Token, "token"), "where the answer has its members, if not at the usual place: access_token: authed_user.access_token"},
	}
}

func (l *loader) googleKeys(r *reader, o *OAuth2) []key {
	return []key{
		{"scopes", false, l.scopes(r, o), "list of the scopes asked by default, or default, available"},
		{"token_url", false, r.url(&o.TokenURL, mapping.Scope{}), "where tokens are asked for in place of what the key file says; only where it is not Google's"},
	}
}

func (l *loader) oauth1Keys(r *reader, o *OAuth1) []key {
	scope := mapping.Scope{Fields: l.shared.fields}
	return []key{
		{"request_token_url", false, r.url(&o.RequestURL, scope), "where temporary tokens are had"},
		{"authorize_url", false, r.url(&o.AuthorizeURL, scope), "the provider's consent page"},
		{"access_token_url", false, r.url(&o.AccessURL, scope), "where a temporary token becomes one that stays"},
		{"signature", false, oneOf(r, &o.Signature, "HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1"), "HMAC-SHA1 when absent; for RSA-SHA1 the consumer secret is the private key (PEM)"},
		{"authorize_params", false, r.words(&o.AuthorizeParams, "authorize_params"), "more parameters of the consent page"},
		{"token", false, r.words(&o.Token, "token"), "members of the last answer that are kept as connection fields: user: user_id"},
	}
}

// exchangeKeys are those of tokens that are had outside OAuth.
func (l *loader) exchangeKeys(r *reader, x *Exchange) []key {
	params := mapping.Scope{Fields: unique(append(append([]string{}, l.shared.fields...), "username", "password", "application_id", "installation_id"))}
	return []key{
		{"token_url", false, r.url(&x.URL, mapping.Scope{Fields: params.Fields}), "where what the account holds is exchanged for a token; may use {installation_id} and {application_id}"},
		{"token_params", false, r.templates(&x.Params, "token_params", params), "what is sent: nothing to a SERVICE_ACCOUNT's, username and password to a BASIC_WITH_JWT's unless they are said here"},
		{"token_headers", false, r.words(&x.Headers, "token_headers"), "more headers of that request"},
		{"token_json", false, r.flag(&x.JSON), "true when it takes JSON"},
		{"client_auth", false, func(v *yaml.Node) {
			var how string
			oneOf(r, &how, "body", "basic")(v)
			x.Basic = how == "basic"
		}, "`basic` when the user name and the password go by HTTP Basic"},
		{"token", false, r.words(&x.Token, "token"), "where the answer has access_token, expires_in (seconds) or expires_at (a time), if not there"},
	}
}

func (l *loader) scopes(r *reader, o *OAuth2) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if v.Kind == yaml.SequenceNode {
			r.texts(&o.DefaultScopes)(v)
			return
		}
		r.object(v, "scopes", []key{
			{"default", true, r.texts(&o.DefaultScopes), "asked of the user unless the auth config says otherwise"},
			{"available", false, r.texts(&o.AvailableScopes), "all that make sense; when absent, the default ones and those that tools need"},
			{"separator", false, func(v *yaml.Node) { o.ScopeSeparator = v.Value }, "between scopes, a blank when absent"},
		})
	}
}

func (l *loader) userScopes(r *reader, o *OAuth2) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.object(v, "user_scopes", []key{
			{"param", true, r.text(&o.UserScopeParam), "name of the parameter, for example user_scope"},
			{"default", true, r.texts(&o.DefaultUser), "asked of the user unless the auth config says otherwise"},
		})
	}
}

func (l *loader) revoke(r *reader, o *OAuth2, proof mapping.Scope) func(*yaml.Node) {
	return func(v *yaml.Node) {
		revoke := &Revoke{}
		to := func(method string) func(*yaml.Node) {
			return func(v *yaml.Node) {
				revoke.Method = method
				r.url(&revoke.URL, proof)(v)
			}
		}
		form := r.templates(&revoke.Form, "form", proof)
		r.object(v, "revoke", []key{
			{"POST", false, to("POST"), "URL"},
			{"DELETE", false, to("DELETE"), "URL"},
			{"form", false, form, "what is sent, as a form"},
			{"json", false, func(v *yaml.Node) { revoke.JSON = true; form(v) }, "what is sent, as JSON"},
			{"client", false, func(v *yaml.Node) {
				var how string
				oneOf(r, &how, "basic")(v)
				revoke.Basic = how == "basic"
			}, "`basic`: the client proves itself by HTTP Basic"},
			{"bearer", false, r.flag(&revoke.Bearer), "true: the access token is sent as the credential"},
		})
		if revoke.URL == nil {
			r.problem(v, "revoke needs a request: POST: https://…")
			return
		}
		o.Revoke = revoke
	}
}

func (l *loader) authFields(r *reader, to *[]Field) func(*yaml.Node) {
	return func(v *yaml.Node) {
		r.members(v, "fields", func(name, value *yaml.Node) {
			f := Field{Type: "string"}
			f.Name, f.Required = strings.CutSuffix(name.Value, "*")
			if value.Kind == yaml.ScalarNode {
				r.text(&f.Title)(value)
			} else {
				r.object(value, "a field", fieldKeys(r, &f))
			}
			*to = append(*to, f)
		})
	}
}

func fieldKeys(r *reader, f *Field) []key {
	return []key{
		{"title", true, r.text(&f.Title), "label of the field"},
		{"description", false, r.text(&f.Description), "one sentence below it"},
		{"type", false, oneOf(r, &f.Type, "string", "number", "boolean", "url"), "string when absent"},
		{"default", false, r.text(&f.Default), "used when nothing is filled in"},
		{"secret", false, r.flag(&f.Secret), "true: never shown again, never in a URL"},
		{"help", false, r.text(&f.Help), "URL of a page that explains where to find it"},
	}
}

// connectionFields gives the names of all fields of all schemes, before anything else is read: URLs may use them.
func connectionFields(root *yaml.Node) []string {
	auth := child(root, "auth")
	if auth == nil || auth.Kind != yaml.SequenceNode {
		return nil
	}
	var names []string
	for _, scheme := range auth.Content {
		for _, which := range []string{"fields", "config_fields"} {
			fields := child(resolve(scheme), which)
			if fields == nil || fields.Kind != yaml.MappingNode {
				continue
			}
			for i := 0; i+1 < len(fields.Content); i += 2 {
				names = append(names, strings.TrimSuffix(fields.Content[i].Value, "*"))
			}
		}
	}
	return unique(names)
}

// child finds the value of a key.
func child(v *yaml.Node, name string) *yaml.Node {
	if v == nil || v.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		if v.Content[i].Value == name {
			return resolve(v.Content[i+1])
		}
	}
	return nil
}
