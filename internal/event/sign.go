package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// secretPrefix begins the secrets that Standard Webhooks libraries understand.
const secretPrefix = "whsec_"

// The headers of a delivery (API contract section 12.2).
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
	headerVersion   = "x-composio-webhook-version"
)

// Sign gives the value of the webhook-signature header: "v1,<base64>", several with spaces between. Receivers accept a delivery
// if one of them is right.
//
// Each secret signs twice. The official SDKs use the text of the secret as the key (API contract section 12.2); libraries for
// Standard Webhooks use what follows whsec_, decoded from base64. With both signatures either works, with the same secret.
func Sign(secrets []secret.Value, messageID string, at time.Time, body []byte) string {
	message := append([]byte(messageID+"."+strconv.FormatInt(at.Unix(), 10)+"."), body...)
	var signatures []string
	for _, one := range secrets {
		text := one.Reveal()
		signatures = append(signatures, signature([]byte(text), message))
		encoded, standard := strings.CutPrefix(text, secretPrefix)
		if key, err := base64.StdEncoding.DecodeString(encoded); standard && err == nil {
			signatures = append(signatures, signature(key, message))
		}
	}
	return strings.Join(signatures, " ")
}

func signature(key, message []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// secrets gives those that sign for a subscription now, the newest first.
func (sub *Subscription) secrets(now time.Time) []secret.Value {
	if sub.PreviousSecret.Empty() || !now.Before(sub.PreviousUntil) {
		return []secret.Value{sub.Secret}
	}
	return []secret.Value{sub.Secret, sub.PreviousSecret}
}
