package execute_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// reply is what a played provider does to one request.
type reply struct {
	status int
	header http.Header
	err    error
	takes  time.Duration
}

func busyFor(status int, retryAfter string) reply {
	return reply{status: status, header: http.Header{"Retry-After": {retryAfter}}}
}

// play runs one call against a provider that gives the replies in turn, in a bubble with a clock of its own. It gives the
// result, how often the provider was asked, and how long it took.
func play(t *testing.T, tool, args string, deadline time.Duration, replies ...reply) (res execute.Result, asked int, took time.Duration) {
	t.Helper()
	toolkit := loadToolkit(t, "acme", "https://api.acme.example")
	synctest.Test(t, func(t *testing.T) {
		client, err := outbound.New(outbound.Options{Wrap: func(http.RoundTripper) http.RoundTripper {
			return transport(func(r *http.Request) (*http.Response, error) {
				if asked >= len(replies) {
					t.Fatalf("the provider was asked a %dth time", asked+1)
				}
				now := replies[asked]
				asked++
				select {
				case <-time.After(now.takes):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
				if now.err != nil {
					return nil, now.err
				}
				h := http.Header{"Content-Type": {"application/json"}}
				for name, v := range now.header {
					h[name] = v
				}
				return &http.Response{StatusCode: now.status, Header: h, Body: io.NopCloser(strings.NewReader(`{}`)), ContentLength: 2}, nil
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
		runner, err := execute.New(execute.Options{Accounts: &accounts{key: "k"}, Client: client, Store: newMemoryStore(), Deadline: deadline})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, toolkit: toolkit}
		call := w.call(tool, args)
		call.Select = connect.Selection{UserID: "ann"}
		started := time.Now()
		res, err = runner.Run(t.Context(), caller, call)
		took = time.Since(started)
		if err != nil {
			t.Fatal(err)
		}
	})
	return res, asked, took
}

func TestRetries(t *testing.T) {
	t.Parallel()
	ok := reply{status: 200}
	dropped := reply{err: io.ErrUnexpectedEOF}
	refused := reply{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	for name, tc := range map[string]struct {
		tool     string
		replies  []reply
		asked    int
		failed   string        // part of the error; empty: success
		from, to time.Duration // how long it may take
	}{
		"a read waits as long as it is told":     {read, []reply{busyFor(429, "7"), ok}, 2, "", 7 * time.Second, 7 * time.Second},
		"also for a service that is down":        {read, []reply{busyFor(503, "2"), busyFor(503, "3"), ok}, 3, "", 5 * time.Second, 5 * time.Second},
		"an idempotent write is like a read":     {idempotent, []reply{busyFor(429, "7"), ok}, 2, "", 7 * time.Second, 7 * time.Second},
		"a write is not repeated":                {write, []reply{busyFor(429, "1")}, 1, "Call again in 1s.", 0, 0},
		"a write is not repeated at 503":         {write, []reply{busyFor(503, "1")}, 1, "503 Service Unavailable", 0, 0},
		"a write is not repeated when dropped":   {write, []reply{dropped}, 1, "It is not known whether the call took effect", 0, 0},
		"a read gives up after the third time":   {read, []reply{busyFor(429, "1"), busyFor(429, "1"), busyFor(429, "1")}, 3, "429 Too Many Requests", 2 * time.Second, 2 * time.Second},
		"a wait beyond the deadline is not done": {read, []reply{busyFor(429, "58")}, 1, "Call again in 58s.", 0, 0},
		"nor a wait of more than half a minute":  {read, []reply{busyFor(429, "31")}, 1, "Call again in 31s.", 0, 0},
		"no word about how long":                 {read, []reply{{status: 503}, {status: 502}, ok}, 3, "", 450 * time.Millisecond, 1350 * time.Millisecond},
		"a dropped read":                         {read, []reply{dropped, ok}, 2, "", 150 * time.Millisecond, 450 * time.Millisecond},
		"a write whose connection never stood":   {write, []reply{refused, ok}, 2, "", 150 * time.Millisecond, 450 * time.Millisecond},
		"twice is enough of that":                {write, []reply{refused, refused}, 2, "could not be reached", 150 * time.Millisecond, 450 * time.Millisecond},
		"500 is not repeated":                    {read, []reply{{status: 500}}, 1, "500", 0, 0},
		"a hang ends with the deadline":          {read, []reply{{status: 200, takes: time.Hour}}, 1, "did not answer within 55s", 55 * time.Second, 55 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := map[string]string{read: readArgs, write: writeArgs, idempotent: `{"id": "1", "title": "T"}`}[tc.tool]
			res, asked, took := play(t, tc.tool, args, 0, tc.replies...)
			if tc.failed == "" && res.Error != "" {
				t.Errorf("failed: %s", res.Error)
			}
			if tc.failed != "" {
				wantFailure(t, res, tc.failed)
			}
			if asked != tc.asked {
				t.Errorf("asked %d times, want %d", asked, tc.asked)
			}
			if took < tc.from || took > tc.to {
				t.Errorf("took %s, want %s to %s", took, tc.from, tc.to)
			}
		})
	}
}

func TestRetryAfterAsADate(t *testing.T) {
	t.Parallel()
	// Inside a bubble the clock starts at midnight UTC of 2000-01-01.
	_, _, took := play(t, read, readArgs, 0, busyFor(429, "Sat, 01 Jan 2000 00:00:09 GMT"), reply{status: 200})
	if took != 9*time.Second {
		t.Errorf("took %s", took)
	}
}
