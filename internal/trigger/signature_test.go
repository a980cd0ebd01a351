package trigger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// declared gives how the calls of a toolkit that comes with the server are proved.
func declared(t *testing.T, slug string) *catalog.Signature {
	t.Helper()
	tk, problems := catalog.LoadToolkit(toolkits.FS, slug)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, trigger := range tk.Triggers {
		if trigger.Webhook != nil {
			return trigger.Webhook.Signature
		}
	}
	t.Fatalf("%s has no webhooks", slug)
	return nil
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// slackBody, its signature and its secret are those of Slack's own documentation, as GitHub's are GitHub's.
const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"

func TestProvidersSignatures(t *testing.T) {
	t.Parallel()
	now := time.Unix(1772600400, 0)
	linear := fmt.Sprintf(`{"action":"create","webhookTimestamp":%d}`, now.UnixMilli())
	for name, test := range map[string]struct {
		toolkit, key, body string
		header             map[string]string
		at                 time.Time
		timed              bool
	}{
		"github": {
			"github", "It's a Secret to Everybody", "Hello, World!",
			map[string]string{"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}, now, false,
		},
		"slack": {
			"slack", "8f742231b10e8888abcd99yyyzzz85a5", slackBody, map[string]string{
				"x-slack-request-timestamp": "1531420618", "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
			}, time.Unix(1531420618, 0), true,
		},
		"stripe": {
			"stripe", "whsec_1", `{"id":"evt_1"}`,
			map[string]string{"stripe-signature": "t=1772600400,v1=" + mac("whsec_1", `1772600400.{"id":"evt_1"}`) + ",v0=" + mac("x", "y")}, now, true,
		},
		"stripe, while secrets are exchanged": {
			"stripe", "whsec_1", `{"id":"evt_1"}`,
			map[string]string{"stripe-signature": "t=1772600400,v1=" + mac("old", "x") + ",v1=" + mac("whsec_1", `1772600400.{"id":"evt_1"}`)}, now, true,
		},
		"linear": {"linear", "lin_1", linear, map[string]string{"linear-signature": mac("lin_1", linear)}, now, true},
		"notion": {"notion", "secret_1", `{"id":"1"}`, map[string]string{"x-notion-signature": "sha256=" + mac("secret_1", `{"id":"1"}`)}, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := declared(t, test.toolkit)
			check := func(key, body string, header map[string]string, at time.Time) error {
				env := &mapping.Env{Header: header, Body: body}
				if strings.HasPrefix(body, "{") {
					env.Body, _ = mapping.DecodeJSON([]byte(body))
				}
				return verify(s, secret.Hide(key), env, []byte(body), at)
			}
			if err := check(test.key, test.body, test.header, test.at); err != nil {
				t.Errorf("a good call: %v", err)
			}
			for what, err := range map[string]error{
				"another key": check("other", test.body, test.header, test.at), "no header": check(test.key, test.body, nil, test.at),
				"another body": check(test.key, test.body+" ", test.header, test.at),
			} {
				if !errors.Is(err, errBadSignature) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := check("", test.body, test.header, test.at); !errors.Is(err, errNoSecret) {
				t.Errorf("no key: %v", err)
			}
			for _, off := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
				if err := check(test.key, test.body, test.header, test.at.Add(off)); errors.Is(err, errStale) != test.timed {
					t.Errorf("%s off: %v", off, err)
				}
			}
			changed := map[string]string{}
			for n, v := range test.header { // a timestamp that is not the signed one
				changed[n] = strings.Replace(strings.Replace(v, "t=1772600400", "t=1772600401", 1), "1531420618", "1531420619", 1)
			}
			if test.toolkit == "stripe" || test.toolkit == "slack" {
				if err := check(test.key, test.body, changed, test.at); !errors.Is(err, errBadSignature) {
					t.Errorf("another timestamp: %v", err)
				}
			}
		})
	}
}
