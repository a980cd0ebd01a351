package connect

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// errRejected says that the provider does not accept the credential: the one way in which an identity probe can fail a
// connection.
var errRejected = errors.New("the provider does not accept the credential")

// whoIs asks the toolkit's "whose account is this?" question. A toolkit that has none yields nothing. Errors are errRejected
// (the provider says that the credential is not good) or anything else (it could not be found out).
func (a *authClient) whoIs(ctx context.Context, t *catalog.Toolkit, c Credential) (Identity, error) {
	if t.Identity == nil {
		return Identity{}, nil
	}
	r, err := identityRequest(ctx, t, c)
	if err != nil {
		return Identity{}, err
	}
	res, err := a.http.DoVia(c.Proxy, r)
	if err != nil {
		return Identity{}, unreachable(r.URL.Host, err)
	}
	defer res.Body.Close()
	raw, err := outbound.ReadBody(res.Body, maxAnswer)
	if err != nil {
		return Identity{}, err
	}
	body := decodeAnswer(raw)
	if err := probeFailure(t, res, body); err != nil {
		return Identity{}, err
	}
	p := t.Identity
	return Identity{
		ID:     forPeople(body.text(p.ID)),
		Name:   forPeople(body.text(p.Name)),
		Email:  forPeople(body.text(p.Email)),
		Avatar: httpsOnly(body.text(p.Avatar)),
	}, nil
}

func identityRequest(ctx context.Context, t *catalog.Toolkit, c Credential) (*http.Request, error) {
	built, err := t.Identity.Build(t, c.Fields)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, built.Method, built.URL, bytes.NewReader(built.Body))
	if err != nil {
		return nil, errors.New("the identity request is not a URL")
	}
	r.Header.Set("User-Agent", userAgent)
	for name, v := range built.Header {
		r.Header.Set(name, v)
	}
	return r, c.Apply(r)
}

// probeFailure tells a refused credential from everything else that may have gone wrong.
func probeFailure(t *catalog.Toolkit, res *http.Response, body answer) error {
	if res.StatusCode == http.StatusUnauthorized || slices.Contains(t.Errors.ReconnectOn, res.StatusCode) {
		return errRejected
	}
	env := &mapping.Env{Body: map[string]any(body), Status: res.StatusCode}
	if says(t.Errors.Reconnect, env) {
		return errRejected
	}
	if res.StatusCode >= 300 || says(t.Errors.FailedWhen, env) {
		return failureOf(&http.Response{StatusCode: max(res.StatusCode, 300)}, body)
	}
	return nil
}

func says(e *mapping.Expr, env *mapping.Env) bool {
	if e == nil {
		return false
	}
	yes, err := e.True(env)
	return err == nil && yes
}

// httpsOnly keeps an avatar only if a page could show it without harm.
func httpsOnly(u string) string {
	if strings.HasPrefix(u, "https://") && len(u) < 2048 {
		return u
	}
	return ""
}
