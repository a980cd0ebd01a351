package execute

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Limits of repeating one request (decision 0032). The call's deadline bounds everything above them.
const (
	maxAttempts = 3
	maxWait     = 30 * time.Second       // a provider that wants more is told to the caller
	firstPause  = 300 * time.Millisecond // where the provider does not say how long; doubled each time, with jitter
)

// again decides whether a request that failed is sent once more, and waits for as long as that takes. Otherwise it gives
// the failure to report.
func (x *execution) again(ctx context.Context, err error, e exchange, attempt, turn int) (bool, error) {
	var f *failure
	if !errors.As(err, &f) {
		return false, err
	}
	switch {
	case f.reconnect:
		if x.rejected(ctx, turn) {
			return true, nil
		}
		return false, x.reconnectFailure(ctx, f)
	case attempt >= maxAttempts:
	case f.unsent:
		return attempt == 1 && pause(ctx, jitter(firstPause)), f
	case (f.slowDown || f.broken) && e.repeatable:
		wait := f.after
		if wait == 0 {
			wait = jitter(firstPause << (attempt - 1))
		}
		if wait <= maxWait {
			return pause(ctx, wait), f
		}
	}
	return false, f
}

// pause waits, unless the deadline would pass meanwhile or the client goes away: then it reports false at once.
func pause(ctx context.Context, d time.Duration) bool {
	if until, ok := ctx.Deadline(); ok && time.Until(until) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// retryAfter reads RFC 9110's Retry-After: seconds or a date. Zero when it is absent, unreadable or past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(v, 64); err == nil {
		return secondsToWait(seconds)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

func secondsToWait(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, 86_400) * float64(time.Second))
}

// neverSent reports whether an error happened before a byte of the request left: the destination was refused, or the name,
// the connection or the TLS handshake failed.
func neverSent(err error) bool {
	var refused *fault.Error // by package outbound
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &refused) || errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) || isTLSFailure(err)
}

func isTLSFailure(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &unknown)
}

// dialReason explains a failed connection without naming addresses behind the server.
func dialReason(err error) string {
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case errors.As(err, &dns):
		return ": its name does not resolve"
	case isTLSFailure(err):
		return ": its certificate is not trusted"
	case errors.As(err, &netErr) && netErr.Timeout():
		return ": the connection timed out"
	default:
		return ": the connection was refused"
	}
}
