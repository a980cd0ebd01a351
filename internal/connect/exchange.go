package connect

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// held is a value of the account, or else of its auth config.
func held(g Grant, name string) secret.Value {
	if v := g.Values[name]; !v.Empty() {
		return v
	}
	return g.Client[name]
}

// placeToken is the usual place of a token that was issued.
func placeToken(g Grant, c *Credential) error {
	c.Header["Authorization"] = secret.Hide("Bearer " + g.Values["access_token"].Reveal())
	return nil
}

// exchange sends one request for a token outside OAuth, as the toolkit declares it, and reads the answer. Failures are
// *providerError without what was sent.
func (a *authClient) exchange(ctx context.Context, g Grant, f requestForm) (Tokens, error) {
	x := g.Declared.Exchange
	target, err := x.URL.ExpandFields(reveal(over(g.Client, g.Values), slices.Concat(g.Declared.ConfigFields, g.Declared.AccountFields)))
	if err != nil {
		return Tokens{}, refused("bad_token_url", err.Error())
	}
	f.json, f.headers = x.JSON, x.Headers
	asked := a.now()
	body, err := a.post(ctx, http.MethodPost, target, g, f)
	if err != nil {
		sent := maps.Clone(f.values)
		_, sent["authorization"], _ = strings.Cut(f.proof.Reveal(), " ")
		return Tokens{}, scrubbed(refusal(err, body), g, sent)
	}
	values := make(Fields)
	take := func(name string, paths ...string) {
		if declared, ok := x.Token[name]; ok {
			paths = []string{declared}
		}
		if v := firstText(body, paths...); v != "" {
			values[name] = secret.Hide(v)
		}
	}
	take("access_token", "access_token", "accessToken", "token", "jwt")
	take("expires_in", "expires_in", "expiresIn")
	take("expires_at", "expires_at", "expiresAt")
	for name := range x.Token {
		take(name)
	}
	if values["access_token"].Empty() {
		return Tokens{}, unusable("The provider's answer holds no token.")
	}
	t := Tokens{Values: values}
	if values["expires_in"].Empty() && values["expires_at"].Empty() {
		values["expires_in"] = lifeOfJWT(values["access_token"])
	}
	ending(&t, asked)
	return t, nil
}

// refusal makes a refusal of an answer that says no as APIs do, in JSON with a status, where OAuth would say it by a code. A 403
// may be a limit that was reached, and a page that is not JSON may be a firewall's: neither is held against the account.
func refusal(err error, body answer) error {
	var e *providerError
	if !errors.As(err, &e) || e.code != "" || body == nil {
		return err
	}
	switch e.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusUnprocessableEntity:
		e.permanent = true
	}
	if _, description := errorOf(body); description != "" {
		e.text = strconv.Itoa(e.status) + ": " + description
	}
	return e
}

// lifeOfJWT is for how many seconds a token works by its own claims; empty when it does not say. The difference of two of its
// claims needs no clock of ours.
func lifeOfJWT(token secret.Value) secret.Value {
	claims := claimsOf(token.Reveal())
	end, endErr := strconv.ParseFloat(claims.text("exp"), 64)
	begin, beginErr := strconv.ParseFloat(claims.text("iat"), 64)
	if endErr != nil || beginErr != nil || end <= begin {
		return secret.Value{}
	}
	return secret.Hide(strconv.FormatInt(int64(end-begin), 10))
}
