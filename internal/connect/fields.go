package connect

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Redacted stands for a secret wherever values are shown. It satisfies the types of the official SDKs, which require some
// secrets to be there.
const Redacted = "REDACTED"

// maxFieldLength bounds one value. Service account files are the longest that are known.
const maxFieldLength = 64 << 10

// tooLong is what is wrong with a value that no provider gives out.
const tooLong = "This value is too long or holds characters that cannot be right."

// instanceFields are the connection fields of the API contract (section 10.1) that say where an account lives. They are not
// secret even where the toolkit does not declare them.
var instanceFields = map[string]bool{
	"subdomain": true, "your-domain": true, "region": true, "shop": true, "account_url": true, "COMPANYDOMAIN": true,
	"extension": true, "form_api_base_url": true, "instanceEndpoint": true, "api_url": true, "domain": true, "version": true,
	"dc": true, "site_name": true, "instanceName": true, "account_id": true, "your_server": true, "server_location": true,
	"base_url": true, "instance_url": true,
	"token_type": true, "expires_in": true, "scope": true,
}

// sameProof are the names under which applications give a key or a token, whatever the toolkit calls its only secret.
var sameProof = []string{"api_key", "generic_api_key", "bearer_token", "token", "access_token"}

// hide makes secret values of texts.
func hide(values map[string]string) Fields {
	fields := make(Fields, len(values))
	for name, v := range values {
		fields[name] = secret.Hide(v)
	}
	return fields
}

// over gives base with the fields of top put over it. Neither is changed.
func over(base, top Fields) Fields {
	merged := make(Fields, len(base)+len(top))
	maps.Copy(merged, base)
	maps.Copy(merged, top)
	return merged
}

// shown tells whether a value may be shown and used in URLs: a declared field that is not secret, or a known connection
// field. Whatever nobody declared is treated as a secret.
func shown(name string, declared []catalog.Field) bool {
	for _, f := range declared {
		if f.Name == name {
			return !f.Secret
		}
	}
	return instanceFields[name]
}

// reveal gives the values that may be shown as they are.
func reveal(values Fields, declared []catalog.Field) map[string]string {
	open := make(map[string]string)
	for name, v := range values {
		if shown(name, declared) {
			open[name] = v.Reveal()
		}
	}
	return open
}

// mask gives all values, with those that are secret replaced by Redacted.
func mask(values Fields, declared []catalog.Field) map[string]string {
	masked := reveal(values, declared)
	for name, v := range values {
		if _, open := masked[name]; !open && !v.Empty() {
			masked[name] = Redacted
		}
	}
	return masked
}

// checkFields trims what was given, fills in defaults and finds every fault, by field name. Values that nobody declared are
// kept: providers have more tenant fields than toolkits name.
func checkFields(declared []catalog.Field, given map[string]string) (Fields, map[string]string) {
	fields, faults := make(Fields, len(given)), make(map[string]string)
	for name, v := range renameProof(declared, given) {
		if v = strings.TrimSpace(v); v != "" {
			fields[name] = secret.Hide(v)
		}
		if len(v) > maxFieldLength || strings.ContainsRune(v, 0) {
			faults[name] = tooLong
		}
	}
	for _, f := range declared {
		v, ok := fields[f.Name]
		if !ok && f.Default != "" {
			fields[f.Name] = secret.Hide(f.Default)
			continue
		}
		if problem := checkField(f, v.Reveal()); problem != "" {
			faults[f.Name] = problem
		}
	}
	return fields, faults
}

// checkField says what is wrong with one value; empty when nothing is.
func checkField(f catalog.Field, v string) string {
	if v == "" {
		if f.Required {
			return title(f) + " is required."
		}
		return ""
	}
	switch f.Type {
	case "number":
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return title(f) + " must be a number."
		}
	case "boolean":
		if _, err := strconv.ParseBool(v); err != nil {
			return title(f) + " must be true or false."
		}
	case "url":
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return title(f) + " must be a whole URL, such as https://example.com."
		}
	}
	return ""
}

// renameProof puts a key that was given under one of its usual names where the toolkit expects its only secret.
func renameProof(declared []catalog.Field, given map[string]string) map[string]string {
	var wanted string
	for _, f := range declared {
		if f.Secret && wanted != "" {
			return given
		}
		if f.Secret {
			wanted = f.Name
		}
	}
	if wanted == "" || strings.TrimSpace(given[wanted]) != "" {
		return given
	}
	for _, name := range sameProof {
		if v := strings.TrimSpace(given[name]); v != "" {
			renamed := maps.Clone(given)
			delete(renamed, name)
			renamed[wanted] = v
			return renamed
		}
	}
	return given
}

// lines turns faults by field into a sorted list for a fault's details.
func lines(faults map[string]string) []string {
	out := make([]string, 0, len(faults))
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		out = append(out, name+": "+faults[name])
	}
	return out
}

func title(f catalog.Field) string { return cmp.Or(f.Title, f.Name) }

// proof is the value that proves who calls: the token that was issued, the first declared secret that the account holds, or one
// under a usual name.
func proof(g Grant) secret.Value {
	if g.Declared != nil {
		switch g.Declared.Mode {
		case S2SOAuth2, GoogleServiceAccount, ServiceAccount, BasicWithJWT: // never what the token was issued for
			return g.Values["access_token"]
		}
		for _, f := range g.Declared.AccountFields {
			if v := g.Values[f.Name]; f.Secret && !v.Empty() {
				return v
			}
		}
	}
	for _, name := range []string{"access_token", "token", "api_key", "generic_api_key", "bearer_token", "password"} {
		if v := g.Values[name]; !v.Empty() {
			return v
		}
	}
	return secret.Value{}
}
