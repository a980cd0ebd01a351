package execute

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// asked is one thing that an MCP server is asked for: with which credential, and what came of it. The requests that it takes
// carry it in their context.
type asked struct {
	cred   connect.Credential
	custom *CustomAuth

	mu      sync.Mutex
	sent    bool // the server can have seen a request
	status  int  // of the newest answer
	refusal *answer
	cause   error // why there is no answer
}

type askedKey struct{}

func (x *execution) newAsked() *asked {
	cred, _ := x.credential()
	return &asked{cred: cred, custom: x.custom}
}

func (a *asked) seen() (sent bool, status int, refusal *answer, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent, a.status, a.refusal, a.cause
}

func (a *asked) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cause = err
}

// sendToServer sends a request of an MCP session: for the call that its context says, or else with what the session was opened
// with.
func (r *Runner) sendToServer(request *http.Request, opened *asked) (*http.Response, error) {
	a, ok := request.Context().Value(askedKey{}).(*asked)
	if !ok {
		a = opened
	}
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", userAgent)
	if err := a.cred.Apply(request); err != nil {
		return nil, err
	}
	a.custom.apply(request)
	res, err := r.client.DoVia(a.cred.Proxy, request)
	if err != nil {
		a.mu.Lock()
		a.sent, a.cause = a.sent || !neverSent(err), err
		a.mu.Unlock()
		return nil, err
	}
	return a.take(request.Context(), res, r.maxAnswer)
}

// take notes an answer. One that is no word of the protocol's goes no further: the session would break of it.
func (a *asked) take(ctx context.Context, res *http.Response, limit int64) (*http.Response, error) {
	a.mu.Lock()
	a.sent, a.status, a.refusal, a.cause = true, res.StatusCode, nil, nil
	a.mu.Unlock()
	if !refusesOutright(res.StatusCode) {
		res.Body = &limitedBody{ReadCloser: res.Body, left: limit, over: func() { a.fail(outbound.ErrBodyTooLarge) }}
		return res, nil
	}
	body, err := readAnswer(res, min(limit, maxRefusal))
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusal = &answer{status: res.StatusCode, header: res.Header, body: body}
	return nil, errRefusedOutright
}

const maxRefusal = 64 << 10 // bytes of a refusal that are read

var errRefusedOutright = &failure{message: "The MCP server refused the request."}

// refusesOutright reports whether a status is about the account or the service and not about what the session says.
func refusesOutright(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// limitedBody fails after so many bytes.
type limitedBody struct {
	io.ReadCloser
	left int64
	over func()
}

// Read reads on, up to the limit.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.over()
		return 0, outbound.ErrBodyTooLarge
	}
	return n, err
}
