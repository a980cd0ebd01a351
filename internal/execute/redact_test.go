package execute

import (
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestRedaction(t *testing.T) {
	t.Parallel()
	const token = "to/ken+with=signs"
	basic := func(plain string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(plain)) }
	for name, tc := range map[string]struct{ header, text, want string }{
		"as it is":                   {"Bearer " + token, "sent " + token, "sent [redacted]"},
		"as in a form":               {"Bearer " + token, "sent t=" + url.QueryEscape(token), "sent t=[redacted]"},
		"as in PHP's JSON":           {token, `{"t":"to\/ken+with=signs"}`, `{"t":"[redacted]"}`},
		"a password":                 {basic("ann:" + token), "ann sent " + token, "ann sent [redacted]"},
		"a key in the user's place":  {basic(token + ":"), "sent " + token, "sent [redacted]"},
		"a user beside a password":   {basic("ann@example.com:" + token), "for ann@example.com", "for ann@example.com"},
		"a connection field":         {"us-east-1", "in us-east-1", "in us-east-1"},
		"too short to be looked for": {"Bearer abc", "abc", "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cred := connect.Credential{
				Header: map[string]secret.Value{"Authorization": secret.Hide(tc.header)},
				Fields: map[string]string{"region": "us-east-1"},
			}
			if got := string(redactAll([]byte(tc.text), cred)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
