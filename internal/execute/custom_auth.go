package execute

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// authorizeCustom takes the credentials that came with the call. The toolkit's base URL is replaced if the caller says so;
// an account's credential is never used then, so none can be sent to an address of the caller's choice.
func (x *execution) authorizeCustom(ctx context.Context) error {
	c := x.custom
	for name, v := range c.Header {
		if err := checkHeader(name, v); err != nil {
			return err
		}
	}
	if c.BaseURL != "" {
		if !plainBase(c.BaseURL) {
			return fault.New(fault.Invalid, fault.SlugInvalid, "custom_auth_params.base_url must be an http or https URL without user, query or fragment.")
		}
		bare := *x.toolkit // With copies what a toolkit holds, and its tools are not needed here
		bare.Tools, bare.Triggers = nil, nil
		based, err := bare.With(catalog.Override{BaseURL: c.BaseURL})
		if err != nil {
			return fault.New(fault.Invalid, fault.SlugInvalid, "custom_auth_params.base_url is not an http or https URL.").Because(err)
		}
		x.toolkit = based
	}
	if c.Scheme == "" && len(c.Fields) == 0 {
		return nil
	}
	cred, err := x.accounts.CredentialFrom(ctx, x.toolkit, c.Scheme, c.Fields)
	if err != nil {
		return err
	}
	x.auth.cred, x.env.Fields = cred, cred.Fields
	return nil
}

// plainBase reports whether a caller's base URL is one as it stands. Toolkits and settings write theirs with fields and expressions,
// which are computed; a caller must not have anything computed here.
func plainBase(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(text, "?#{}$")
}

// apply sets the caller's headers and query parameters on a request.
func (c *CustomAuth) apply(r *http.Request) {
	if c == nil {
		return
	}
	for name, v := range c.Header {
		r.Header.Set(name, v)
	}
	if len(c.Query) == 0 {
		return
	}
	q := r.URL.Query()
	for name, v := range c.Query {
		q.Set(name, v)
	}
	r.URL.RawQuery = q.Encode()
}

// addBody joins the caller's members to a JSON body.
func (c *CustomAuth) addBody(b *catalog.Built) error {
	if len(c.Body) == 0 {
		return nil
	}
	body := map[string]any{}
	if b.Body != nil {
		if err := json.Unmarshal(b.Body, &body); err != nil {
			return fault.New(fault.Invalid, fault.SlugInvalid, "custom_auth_params.body needs a tool whose request has a JSON object as its body.").
				WithFix("Use parameters in headers or the query instead.")
		}
	}
	maps.Copy(body, c.Body)
	joined, err := json.Marshal(body)
	if err != nil {
		return err
	}
	b.Body = joined
	b.Header["Content-Type"] = "application/json"
	return nil
}
