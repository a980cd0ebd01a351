package execute

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// userAgent is sent where a toolkit does not set its own: several providers refuse requests without one.
const userAgent = "patchbay (+https://github.com/patchbay-dev/patchbay)"

// exchange is one request of a tool, as declared, with what it is built from. Exactly one of HTTP and GraphQL is set.
type exchange struct {
	env        *mapping.Env
	http       *catalog.HTTPRequest
	graphql    *catalog.GraphQLRequest
	format     catalog.AnswerFormat
	repeatable bool // sending it twice does no harm
}

// exchange sends a request until it has an answer that is worth handing on, within the limits of retry.go. What the
// provider refuses, or fails to answer, is a *failure.
func (x *execution) exchange(ctx context.Context, e exchange) (answer, error) {
	for attempt := 1; ; attempt++ {
		built, err := e.build(x)
		if err != nil {
			return answer{}, err
		}
		cred, turn := x.credential()
		a, err := x.send(ctx, built, cred)
		if err == nil {
			a.format = e.format
			err = x.judge(&a, e)
		}
		if err == nil {
			if !e.repeatable {
				x.wrote.Store(true)
			}
			return a, nil
		}
		again, err := x.again(ctx, err, e, attempt, turn)
		if !again {
			return answer{}, err
		}
	}
}

// build makes the request from its declaration. An address that came from an earlier answer gets the credential only if it
// belongs to the toolkit: an answer must not say where credentials go.
func (e exchange) build(x *execution) (catalog.Built, error) {
	if e.graphql != nil {
		return e.graphql.Build(x.toolkit, e.env)
	}
	built, err := e.http.Build(x.toolkit, e.env)
	if err == nil && e.http.URL != nil && !x.belongs(built.URL) {
		built.Anonymous = true
	}
	return built, err
}

// send sends one request and reads its answer whole.
func (x *execution) send(ctx context.Context, b catalog.Built, cred connect.Credential) (answer, error) {
	r, err := x.request(ctx, b, cred)
	if err != nil {
		return answer{}, err
	}
	started := x.now()
	res, err := x.do(r, cred)
	if err != nil {
		x.waited.Add(int64(x.now().Sub(started)))
		return answer{}, x.sendFailure(ctx, err)
	}
	body, err := readAnswer(res, x.maxAnswer)
	x.waited.Add(int64(x.now().Sub(started)))
	x.status.Store(int32(res.StatusCode))
	if err != nil {
		return answer{}, x.readFailure(ctx, res.StatusCode, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		body = x.redact(body) // before anything is cut out of it: half a secret could no longer be found
	}
	return answer{status: res.StatusCode, header: res.Header, body: body}, nil
}

func (x *execution) request(ctx context.Context, b catalog.Built, cred connect.Credential) (*http.Request, error) {
	if x.custom != nil {
		if err := x.custom.addBody(&b); err != nil {
			return nil, err
		}
	}
	var body io.Reader
	if b.Body != nil {
		body = bytes.NewReader(b.Body)
	}
	r, err := http.NewRequestWithContext(ctx, b.Method, b.URL, body)
	if err != nil {
		// The URL is not repeated: its query may hold a secret.
		return nil, fault.New(fault.Invalid, fault.SlugInvalidArguments, "The arguments do not make a valid URL.").Because(err)
	}
	r.Header.Set("User-Agent", userAgent)
	for name, v := range b.Header {
		r.Header.Set(name, v)
	}
	if !b.Anonymous {
		if err := cred.Apply(r); err != nil {
			return nil, err
		}
		x.custom.apply(r)
	}
	return r, nil
}

// do sends a request, through the proxy of the account's auth config if it has one, and notes whether the provider can have
// seen it.
func (x *execution) do(r *http.Request, cred connect.Credential) (*http.Response, error) {
	res, err := x.client.DoFollowingVia(cred.Proxy, r)
	if err == nil || !neverSent(err) {
		x.reached.Store(true)
	}
	return res, err
}

// readAnswer reads a body of at most limit bytes. What is returned is its own memory, of the right size.
func readAnswer(res *http.Response, limit int64) ([]byte, error) {
	defer res.Body.Close()
	if res.Request != nil && res.Request.Method == http.MethodHead { // the length is that of an answer to GET
		return nil, nil
	}
	if n := res.ContentLength; n > limit {
		return nil, outbound.ErrBodyTooLarge
	} else if n >= 0 {
		body := make([]byte, n)
		_, err := io.ReadFull(res.Body, body)
		return body, err
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxKeptBuffer {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	if err := outbound.AppendBody(buf, res.Body, limit); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil
}

const maxKeptBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// sendFailure says what became of a request without an answer.
func (x *execution) sendFailure(ctx context.Context, err error) error {
	var refused *fault.Error
	switch {
	case errors.As(err, &refused):
		return refused
	case ctx.Err() != nil:
		return x.interrupted(ctx)
	case neverSent(err):
		f := &failure{unsent: true, cause: err, message: x.service() + " could not be reached" + dialReason(err) + "."}
		f.fix = "Nothing was sent. Try again later; if it stays, have the operator check the server's network and the toolkit's base URL."
		return f
	default:
		f := &failure{broken: true, cause: err, message: x.service() + " closed the connection without an answer."}
		f.fix = x.outcomeUnknown()
		return f
	}
}

// readFailure says what became of an answer that could not be read to its end.
func (x *execution) readFailure(ctx context.Context, status int, err error) error {
	switch {
	case errors.Is(err, outbound.ErrBodyTooLarge):
		return &failure{
			status:  status,
			message: x.service() + " answered " + statusText(status) + " with more than " + sizeText(x.maxAnswer) + ", the most this server takes.",
			fix:     "Ask for less: a smaller page, a narrower filter, fewer fields. " + x.acceptedNote(status),
		}
	case ctx.Err() != nil:
		return x.interrupted(ctx)
	default:
		return &failure{
			status: status, broken: true, cause: err,
			message: x.service() + " answered " + statusText(status) + " and broke off in the middle of the answer.",
			fix:     x.acceptedNote(status),
		}
	}
}

// interrupted says what became of a call that ran into its deadline, or whose client went away.
func (x *execution) interrupted(ctx context.Context) error {
	if !errors.Is(context.Cause(ctx), errDeadline) && errors.Is(ctx.Err(), context.Canceled) {
		return fault.From(context.Canceled)
	}
	return &failure{
		message: x.service() + " did not answer within " + x.deadline.Round(time.Millisecond).String() + ".",
		fix:     x.outcomeUnknown(),
	}
}

// outcomeUnknown is what to do when a request was sent and nothing came back.
func (x *execution) outcomeUnknown() string {
	if x.tool != nil && !x.tool.Hints.Read {
		return "It is not known whether the call took effect: look before you repeat it."
	}
	return "Try again."
}

// acceptedNote warns that a call took effect although its answer is lost.
func (x *execution) acceptedNote(status int) string {
	if x.tool != nil && !x.tool.Hints.Read && status < 300 {
		return "The call was accepted: look before you repeat it."
	}
	return ""
}

// service is the provider's name for messages.
func (x *execution) service() string {
	if x.toolkit.Name != "" {
		return x.toolkit.Name
	}
	return strings.ToUpper(x.toolkit.Slug)
}
