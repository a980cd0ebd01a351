package patchbay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrWebhook is wrapped by every error of VerifyWebhook: what came is not from the server, or is not fresh.
var ErrWebhook = errors.New("patchbay: the webhook is not genuine")

// WebhookTolerance is by how much the time of a delivery may differ from this machine's.
const WebhookTolerance = 5 * time.Minute

// VerifyWebhook checks a request that a webhook received, given its headers and its body as it came, and gives the event of a V3
// payload (of others only Raw is set). Events may come more than once: Event.ID tells.
func VerifyWebhook(header http.Header, body []byte, secret string) (Event, error) {
	if err := verify(header, body, secret, time.Now()); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrWebhook, err)
	}
	var e Event
	if header.Get("x-composio-webhook-version") == "V3" {
		if err := json.Unmarshal(body, &e); err != nil {
			return Event{}, fmt.Errorf("patchbay: read the webhook: %w", err)
		}
	}
	e.Raw = body
	return e, nil
}

func verify(header http.Header, body []byte, secret string, now time.Time) error {
	id, at := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	switch {
	case secret == "":
		return errors.New("there is no secret to check it with")
	case id == "" || err != nil:
		return errors.New("webhook-id or webhook-timestamp is missing")
	case now.Sub(time.Unix(seconds, 0)).Abs() > WebhookTolerance:
		return errors.New("webhook-timestamp is too far from now")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, given := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(given), want) {
			return nil
		}
	}
	return errors.New("no signature in webhook-signature is right")
}
