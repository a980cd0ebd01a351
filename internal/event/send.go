package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// outcome is what an attempt means for the delivery.
type outcome uint8

const (
	refused  outcome = iota // try again
	accepted                // 2xx
	gone                    // 410: never again
)

// answer is what came of one attempt.
type answer struct {
	outcome outcome
	status  int           // HTTP; 0: no answer came
	problem string        // for people; empty when accepted
	after   time.Duration // how long the receiver asks to be left alone
}

// drainLimit is how much of an answer is read, so that the connection can be used again.
const drainLimit = 64 << 10

// send posts an event to a subscription's URL, signed.
func (s *Service) send(ctx context.Context, sub Subscription, e Event) answer {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	request, err := s.request(ctx, sub, e)
	if err != nil {
		return answer{problem: reason(err, s.o.Timeout)}
	}
	response, err := s.o.HTTP.Do(request)
	if err != nil {
		return answer{problem: reason(err, s.o.Timeout)}
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, drainLimit)) //nolint:errcheck // what it says does not matter
	return s.judge(response)
}

// request makes the request of an attempt.
func (s *Service) request(ctx context.Context, sub Subscription, e Event) (*http.Request, error) {
	body, err := s.Render(ctx, e, sub.Payload)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := s.now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Patchbay-Webhooks")
	request.Header.Set(headerID, e.ID)
	request.Header.Set(headerTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(headerSignature, Sign(sub.secrets(now), e.ID, now, body))
	request.Header.Set(headerVersion, string(sub.Payload))
	return request, nil
}

// judge reads an answer. Everything but 2xx is a failure; a redirect is not followed, as it would take the event to a place
// that nobody subscribed.
func (s *Service) judge(r *http.Response) answer {
	a := answer{status: r.StatusCode}
	switch {
	case r.StatusCode >= 200 && r.StatusCode < 300:
		a.outcome = accepted
		return a
	case r.StatusCode == http.StatusGone:
		a.outcome = gone
	case r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable:
		a.after = min(retryAfter(r.Header.Get("Retry-After"), s.now()), longestAsked)
	}
	a.problem = fmt.Sprintf("The receiver answered %d %s.", r.StatusCode, http.StatusText(r.StatusCode))
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		a.problem += " Redirects are not followed; subscribe the address that answers."
	}
	return a
}

// retryAfter reads a Retry-After header: seconds or a date (RFC 9110, section 10.2.3). Zero when there is none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, time.Duration(min(seconds, 1<<20))*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// reason says why no answer came, without what only the operator should know.
func reason(err error, timeout time.Duration) string {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		if f.Fix != "" {
			return f.Message + " " + f.Fix
		}
		return f.Message
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("The receiver did not answer within %s.", timeout)
	default:
		return "The receiver could not be reached: " + err.Error()
	}
}
