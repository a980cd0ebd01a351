package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// endpoint is a handler with its types erased, as the route table holds it.
type endpoint struct {
	binding *binding
	answer  func(context.Context, tenant.Caller, incoming) (any, error)
	stream  func(context.Context, tenant.Caller, incoming, http.ResponseWriter) error // instead of answer, where there is one
	open    http.HandlerFunc                                                          // the whole of the route: for callers that have no key of ours
}

// serve adapts a handler to the route table. A handler has one shape: who calls and what is asked in, a value to be
// written as JSON or an error out. It sees neither http.Request nor http.ResponseWriter.
func serve[Req, Resp any](handle func(context.Context, tenant.Caller, Req) (Resp, error)) endpoint {
	b := bindingOf(reflect.TypeFor[Req]())
	return endpoint{
		binding: b,
		answer: func(ctx context.Context, caller tenant.Caller, in incoming) (any, error) {
			var req Req
			if err := b.fill(reflect.ValueOf(&req).Elem(), in); err != nil {
				return nil, err
			}
			return handle(ctx, caller, req)
		},
	}
}

// serveStream adapts a handler whose answer has no end, and so no deadline. It returns an error only while nothing is written.
func serveStream[Req any](handle func(context.Context, tenant.Caller, Req, http.ResponseWriter) error) endpoint {
	b := bindingOf(reflect.TypeFor[Req]())
	return endpoint{
		binding: b,
		stream: func(ctx context.Context, caller tenant.Caller, in incoming, w http.ResponseWriter) error {
			var req Req
			if err := b.fill(reflect.ValueOf(&req).Elem(), in); err != nil {
				return err
			}
			return handle(ctx, caller, req, w)
		},
	}
}

// incoming is what a request brings besides the credential.
type incoming struct {
	request *http.Request
	body    []byte
	origin  string
}

// handler makes the http.Handler of one route.
func (a *api) handler(rt route) http.Handler {
	if rt.endpoint.open != nil {
		return rt.endpoint.open
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := a.call(rt, w, r)
		if err != nil {
			a.writeFault(w, r, err, rt.rules&noRetry != 0)
			return
		}
		if rt.endpoint.stream == nil {
			a.writeValue(w, r, rt.success(value), value)
		}
	})
}

// success gives the status of an answer: the route's, unless the answer has one of its own.
func (rt route) success(value any) int {
	if own, ok := value.(interface{ status() int }); ok {
		return own.status()
	}
	return rt.status
}

// call runs the phases that all routes share: who calls, may they, what is asked, answer.
func (a *api) call(rt route, w http.ResponseWriter, r *http.Request) (any, error) {
	caller, err := a.authenticate(r)
	if err != nil {
		return nil, err
	}
	caller.RequestID = requestID(w)
	noteCaller(w, caller)
	if err := rt.admit(caller, r); err != nil {
		return nil, err
	}
	in := incoming{request: r}
	if in.origin, err = a.origin(r); err != nil {
		return nil, err
	}
	if rt.endpoint.binding.hasBody {
		buf := takeBuffer()
		defer giveBuffer(buf)
		if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, a.maxBody)); err != nil {
			return nil, bodyFault(err)
		}
		in.body = buf.Bytes()
		if rt.rules&form != 0 {
			if in.body, err = formAsJSON(r, in.body); err != nil {
				return nil, err
			}
		}
	}
	if rt.endpoint.stream != nil {
		return nil, rt.endpoint.stream(r.Context(), caller, in, w)
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
	defer cancel()
	return rt.endpoint.answer(ctx, caller, in)
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, fault.SlugTooLarge, "The request body is larger than %s.", readableBytes(tooLarge.Limit)).
			WithFix("Send less, or have whoever runs this server raise the limit.")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.Timeout, fault.SlugTimeout, "The request body did not arrive in time.").Because(err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The request body ended before its announced length.").Because(err)
	}
	return fault.New(fault.Canceled, fault.SlugCanceled, "The request body could not be read.").Because(err)
}

func readableBytes(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
