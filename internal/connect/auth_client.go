package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// maxAnswer bounds what is read of a provider's answer to a token, revocation or identity request.
const maxAnswer = 1 << 20

// userAgent is sent with them: some providers refuse requests without one.
const userAgent = "patchbay"

// authClient speaks to providers' token and revocation endpoints. golang.org/x/oauth2 is not used for this: it cannot send
// JSON, find tokens below other members or read errors out of answers of status 200, and its errors quote whole bodies
// (docs/decisions/0040).
type authClient struct {
	http HTTP
	now  func() time.Time
}

// token sends one request to the token endpoint. Failures are *providerError.
func (a *authClient) token(ctx context.Context, g Grant, form map[string]string) (Tokens, error) {
	o := g.Declared.OAuth2
	target, err := o.TokenURL.ExpandFields(urlFields(g))
	if err != nil {
		return Tokens{}, refused("bad_token_url", err.Error())
	}
	if err := addParams(form, o.TokenParams, g); err != nil {
		return Tokens{}, refused("bad_token_params", err.Error())
	}
	asked := a.now()
	body, err := a.post(ctx, http.MethodPost, target, g, requestForm{
		values: form, json: o.TokenJSON, basic: o.ClientAuth == "basic", client: true, headers: o.TokenHeaders,
	})
	if err != nil {
		return Tokens{}, scrubbed(err, g, form)
	}
	tokens, err := readTokens(body, o, asked)
	return tokens, scrubbed(err, g, form)
}

// addParams adds what a toolkit declares to be sent, where it comes out as something.
func addParams(form map[string]string, declared map[string]*mapping.Text, g Grant) error {
	if len(declared) == 0 {
		return nil
	}
	all := templateFields(g)
	for name, t := range declared {
		v, err := t.ExpandFields(all)
		if err != nil {
			return err
		}
		if v != "" {
			form[name] = v
		}
	}
	return nil
}

// revokeToken is RFC 7009 for one of the account's tokens.
func (a *authClient) revokeToken(ctx context.Context, g Grant, name string) error {
	o := g.Declared.OAuth2
	target, err := o.RevokeURL.ExpandFields(urlFields(g))
	if err != nil {
		return refused("bad_revoke_url", err.Error())
	}
	form := map[string]string{"token": g.Values[name].Reveal(), "token_type_hint": name}
	_, err = a.post(ctx, http.MethodPost, target, g, requestForm{values: form, basic: o.ClientAuth == "basic", client: true})
	return scrubbed(err, g, form)
}

// revokeDeclared is a provider's own way of ending a grant.
func (a *authClient) revokeDeclared(ctx context.Context, g Grant, r *catalog.Revoke) error {
	all, form := templateFields(g), make(map[string]string, len(r.Form))
	target, err := r.URL.ExpandFields(all)
	if err != nil {
		return refused("bad_revoke_url", err.Error())
	}
	for name, t := range r.Form {
		if form[name], err = t.ExpandFields(all); err != nil {
			return refused("bad_revoke_form", err.Error())
		}
	}
	f := requestForm{values: form, json: r.JSON, basic: r.Basic, client: r.Basic}
	if r.Bearer {
		f.proof = secret.Hide("Bearer " + g.Values["access_token"].Reveal())
	}
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	_, err = a.post(ctx, method, target, g, f)
	return scrubbed(err, g, form)
}

// requestForm is what is sent to an endpoint and how.
type requestForm struct {
	values  map[string]string
	json    bool         // as a JSON object instead of a form
	client  bool         // with the client's proof …
	basic   bool         // … by HTTP Basic instead of in the body
	proof   secret.Value // this in Authorization
	sign    func(*http.Request) error
	headers map[string]string
}

// post sends the form and gives the decoded answer: an object, or nothing. An answer that reports failure, whatever its
// status, is a *providerError.
func (a *authClient) post(ctx context.Context, method, target string, g Grant, f requestForm) (answer, error) {
	r, err := f.request(ctx, method, target, g)
	if err != nil {
		return nil, refused("bad_request", "The request to the provider could not be built.")
	}
	res, err := a.http.DoVia(g.Proxy, r)
	if err != nil {
		return nil, unreachable(target, err)
	}
	defer res.Body.Close()
	raw, err := outbound.ReadBody(res.Body, maxAnswer)
	if err != nil {
		return nil, unreachable(target, err)
	}
	body := decodeAnswer(raw)
	return body, failureOf(res, body)
}

func (f requestForm) request(ctx context.Context, method, target string, g Grant) (*http.Request, error) {
	id, key := g.Client["client_id"].Reveal(), g.Client["client_secret"].Reveal()
	values := make(map[string]string, len(f.values)+2)
	for name, v := range f.values {
		values[name] = v
	}
	if f.client && !f.basic {
		values["client_id"] = id
		if key != "" {
			values["client_secret"] = key
		}
	}
	body, contentType, err := f.encode(values)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, errors.New("not a URL") // the cause would quote the whole URL
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Content-Type", contentType)
	for name, v := range f.headers {
		r.Header.Set(name, v)
	}
	switch {
	case f.client && f.basic:
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(key)) // RFC 6749 section 2.3.1: encoded first (scrubbed knows it)
	case !f.proof.Empty():
		r.Header.Set("Authorization", f.proof.Reveal())
	case f.sign != nil:
		return r, f.sign(r)
	}
	return r, nil
}

func (f requestForm) encode(values map[string]string) (io.Reader, string, error) {
	if f.json {
		encoded, err := json.Marshal(values)
		return bytes.NewReader(encoded), "application/json", err
	}
	form := make(url.Values, len(values))
	for name, v := range values {
		form.Set(name, v)
	}
	return strings.NewReader(form.Encode()), "application/x-www-form-urlencoded", nil
}
