package connect

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Credential is what execution receives: ready to be put on a request to the provider, fresh at the time it is given. It is
// shared by all calls of the account: read it, never change it.
type Credential struct {
	AccountID string
	Scheme    string
	Header    map[string]secret.Value // header name -> whole value, for example Authorization -> "Bearer …"
	Query     map[string]secret.Value
	Env       map[string]secret.Value // variables of the program that the toolkit is, where it is one
	Fields    map[string]string       // connection fields that URLs may use (subdomain, region); never a token or key
	Proxy     outbound.Proxy          // that requests with this credential go through

	sign  func(*http.Request) error // for schemes whose proof is a signature; nil otherwise
	token secret.Value              // that signed requests carry in the clear; empty otherwise
	print string                    // of the values it was made from, to tell whether the account holds newer ones
}

// Carried gives the secrets that requests carry beside Header and Query: the token of a signature, and the key of the proxy.
func (c Credential) Carried() [2]secret.Value { return [...]secret.Value{c.token, c.Proxy.Auth()} }

// newCredential puts an account's values where its toolkit says they go, or else where the scheme usually puts them.
func newCredential(scheme Scheme, g Grant, accountID, mode string) (Credential, error) {
	c := Credential{
		AccountID: accountID, Scheme: mode,
		Header: map[string]secret.Value{}, Query: map[string]secret.Value{},
		Fields: reveal(over(g.Client, g.Values), slices.Concat(g.Declared.ConfigFields, g.Declared.AccountFields)),
		Proxy:  g.Proxy, print: fingerprint(g.Values),
	}
	if s, ok := scheme.(signing); ok {
		c.sign, c.token = s.signer(g), g.Values["oauth_token"]
	}
	if len(g.Declared.Header) == 0 && len(g.Declared.Query) == 0 && len(g.Declared.Env) == 0 {
		return c, scheme.Place(g, &c)
	}
	all := templateFields(g)
	if len(g.Declared.Env) > 0 {
		c.Env = map[string]secret.Value{}
		if err := expandInto(c.Env, g.Declared.Env, all); err != nil {
			return Credential{}, err
		}
	}
	if err := expandInto(c.Header, g.Declared.Header, all); err != nil {
		return Credential{}, err
	}
	return c, expandInto(c.Query, g.Declared.Query, all)
}

// expandInto fills templates; one that comes out empty is left out.
func expandInto(to map[string]secret.Value, templates map[string]*mapping.Text, fields map[string]string) error {
	for name, t := range templates {
		v, err := t.ExpandFields(fields)
		if err != nil {
			return err
		}
		if strings.TrimSpace(v) != "" {
			to[name] = secret.Hide(v)
		}
	}
	return nil
}

// templateFields are the values that the toolkit's header and query templates may use: everything, and the proof under each
// name that a template may know it by, since a token can stand in for OAuth.
func templateFields(g Grant) map[string]string {
	all := make(map[string]string, len(g.Client)+len(g.Values)+3)
	for name, v := range over(g.Client, g.Values) {
		all[name] = v.Reveal()
	}
	for _, name := range []string{"access_token", "token", "api_key"} {
		if _, ok := all[name]; !ok {
			all[name] = proof(g).Reveal()
		}
	}
	return all
}

// fingerprint identifies the values of an account without holding them.
func fingerprint(values Fields) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		b.WriteString(name)
		b.WriteByte(0)
		b.WriteString(values[name].Reveal())
		b.WriteByte(0)
	}
	return secret.Hash(b.String())
}

// Apply puts the credential on a request that is otherwise complete, in place of whatever the request said there. It fails only
// where the scheme signs requests and this one cannot be signed; the fault says why.
func (c Credential) Apply(r *http.Request) error {
	for name, v := range c.Header {
		r.Header.Set(name, v.Reveal())
	}
	if len(c.Query) > 0 {
		q := r.URL.Query()
		for name, v := range c.Query {
			q.Set(name, v.Reveal())
		}
		r.URL.RawQuery = q.Encode()
	}
	if c.sign == nil {
		return nil
	}
	if err := c.sign(r); err != nil {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "The request cannot be signed: %s.", err)
	}
	return nil
}
