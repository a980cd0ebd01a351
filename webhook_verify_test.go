package patchbay_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay"
)

// signed gives the headers of a delivery as a server sends it.
func signed(id, body, secret string, at time.Time) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "X-Composio-Webhook-Version": {"V3"},
		"Webhook-Signature": {"v1,b3RoZXI= v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	const body = `{"id":"msg_1","timestamp":"2026-01-02T03:04:05.678Z","type":"composio.trigger.message","metadata":{"user_id":"u"},"data":{"a":1}}`
	header := signed("msg_1", body, "whsec_x", time.Now())
	e, err := patchbay.VerifyWebhook(header, []byte(body), "whsec_x")
	if err != nil || e.ID != "msg_1" || e.Type != patchbay.TriggerMessage || e.Metadata.UserID != "u" || string(e.Data) != `{"a":1}` || string(e.Raw) != body {
		t.Errorf("got %+v, %v", e, err)
	}
	header.Set("X-Composio-Webhook-Version", "V1")
	if e, err := patchbay.VerifyWebhook(header, []byte(body), "whsec_x"); err != nil || string(e.Raw) != body || e.ID != "" {
		t.Errorf("of V1: %+v, %v", e, err)
	}
}

func TestForgedWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	const body = `{"id":"msg_1"}`
	without := func(name string) http.Header {
		h := signed("msg_1", body, "whsec_x", time.Now())
		h.Del(name)
		return h
	}
	for name, test := range map[string]struct {
		header http.Header
		body   string
		secret string
	}{
		"another secret":   {signed("msg_1", body, "whsec_y", time.Now()), body, "whsec_x"},
		"another body":     {signed("msg_1", body, "whsec_x", time.Now()), `{"id":"msg_2"}`, "whsec_x"},
		"replayed":         {signed("msg_1", body, "whsec_x", time.Now().Add(-6*time.Minute)), body, "whsec_x"},
		"from the future":  {signed("msg_1", body, "whsec_x", time.Now().Add(6*time.Minute)), body, "whsec_x"},
		"no signature":     {without("Webhook-Signature"), body, "whsec_x"},
		"no id":            {without("Webhook-Id"), body, "whsec_x"},
		"no timestamp":     {without("Webhook-Timestamp"), body, "whsec_x"},
		"no secret at all": {signed("msg_1", body, "", time.Now()), body, ""},
	} {
		if _, err := patchbay.VerifyWebhook(test.header, []byte(test.body), test.secret); !errors.Is(err, patchbay.ErrWebhook) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
