package connect

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// answer is the decoded answer of a provider: a JSON object, or a form read as one. Nil when it was neither.
type answer map[string]any

// decodeAnswer reads JSON or, as GitHub once answered by default, a form. The content type is not trusted.
func decodeAnswer(raw []byte) answer {
	raw = bytes.TrimSpace(raw)
	if bytes.HasPrefix(raw, []byte("{")) {
		v, err := mapping.DecodeJSON(raw)
		if err != nil {
			return nil
		}
		object, _ := v.(map[string]any)
		return object
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil || !slices.ContainsFunc(formMembers, form.Has) {
		return nil
	}
	a := make(answer, len(form))
	for name := range form {
		a[name] = form.Get(name)
	}
	return a
}

// formMembers tell an answer that is a form from any other text.
var formMembers = []string{"access_token", "error", "oauth_token", "oauth_problem"}

// at finds a value by dotted path; a number in the path is an index.
func (a answer) at(path string) any {
	var v any = map[string]any(a)
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// text finds a text, a number or a boolean as text; empty for anything else.
func (a answer) text(path string) string {
	if path == "" {
		return ""
	}
	switch v := a.at(path).(type) {
	case map[string]any, []any:
		return ""
	default:
		return mapping.AsText(v)
	}
}

// standardTokens are the members of a token answer by RFC 6749 section 5.1 that are kept.
var standardTokens = []string{"access_token", "refresh_token", "token_type", "expires_in", "scope"}

// readTokens takes the tokens out of a successful answer. The toolkit says which members are elsewhere, and which further
// ones are connection fields (the instance a Salesforce account lives on).
func readTokens(a answer, o *catalog.OAuth2, asked time.Time) (Tokens, error) {
	values := make(Fields)
	take := func(name, path string) {
		if v := a.text(path); v != "" {
			values[name] = secret.Hide(v)
		}
	}
	for _, name := range standardTokens {
		if _, elsewhere := o.Token[name]; !elsewhere {
			take(name, name)
		}
	}
	for name, path := range o.Token {
		take(name, path)
	}
	if values["access_token"].Empty() {
		return Tokens{}, unusable("The provider's answer holds no access token.")
	}
	t := Tokens{Values: values, Who: readIDToken(a.text("id_token"))}
	if seconds, err := strconv.ParseFloat(values["expires_in"].Reveal(), 64); err == nil && seconds > 0 {
		t.Expiry = endAfter(asked, seconds)
	}
	if scope, ok := values["scope"]; ok {
		t.Scopes = splitScopes(scope.Reveal())
	}
	return t, nil
}

// splitScopes takes a list that is separated by spaces, commas or both: providers do not agree, nor with themselves.
func splitScopes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
}

// readIDToken says whose account it is by the claims of an OpenID Connect ID token. Its signature is not looked at: it came
// straight from the token endpoint (OpenID Connect Core section 3.1.3.7), and it only makes a label.
func readIDToken(token string) Identity {
	claims := claimsOf(token)
	return Identity{ID: claims.text("sub"), Name: claims.text("name"), Email: claims.text("email"), Avatar: claims.text("picture")}
}

// claimsOf reads what a JSON Web Token says, without a look at its signature; nil when it is none.
func claimsOf(token string) answer {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	return decodeAnswer(raw)
}
