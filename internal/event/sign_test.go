package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// The message and the second signature are the example that the Standard Webhooks libraries are tested with; the first is the
// same message signed as the official SDKs check it (openssl dgst -sha256 -hmac <the secret's text> -binary | base64).
func TestSignatures(t *testing.T) {
	t.Parallel()
	at := time.Unix(1614265330, 0)
	got := event.Sign([]secret.Value{secret.Hide("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`))
	want := "v1,TcxlhK9b6UD6iVI1ZU2tTqp8PEVfYRseNNfa6b+LcUg= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got != want {
		t.Errorf("signed %q, want %q", got, want)
	}
	both := event.Sign([]secret.Value{secret.Hide("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), secret.Hide("plain")}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`))
	if !strings.HasPrefix(both, want+" v1,") || strings.Count(both, "v1,") != 3 {
		t.Errorf("with two secrets: %q", both)
	}
}
