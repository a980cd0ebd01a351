package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure this is. Each edge maps a kind to its own status, once.
type Kind uint8

// The kinds, and the HTTP status the REST edge gives each of them.
const (
	Internal      Kind = iota // 500: our fault; the message shown is generic, the cause is logged
	Invalid                   // 400: the request is malformed or breaks a rule
	Unauthorized              // 401: no credential, or not a valid one
	Forbidden                 // 403: a valid credential that may not do this
	NotFound                  // 404
	Timeout                   // 408: our own deadline passed
	Conflict                  // 409: the stored state does not allow it now
	Gone                      // 410
	TooLarge                  // 413
	Unprocessable             // 422: well formed, but the stored state makes it impossible
	RateLimited               // 429
	Unsupported               // 501: deliberately not offered by this server
	Upstream                  // 502: the service behind a tool failed
	Unavailable               // 503: try again later
	Canceled                  // 499: the client went away
)

// Error is a failure that may be shown to whoever made the request. Message, Fix and Details never hold secrets
// or internals; the wrapped cause is for the log only.
type Error struct {
	Kind    Kind
	Slug    string        // stable name for programs, for example "ToolRouterV2_NoActiveConnection"
	Code    int           // the contract's number; 0 lets the edge derive one from Kind
	Message string        // what is wrong, and where
	Fix     string        // how to mend it; empty when there is nothing useful to say
	Details []string      // one line per fault when there are several
	NoRetry bool          // tell SDKs not to repeat the request (header x-should-retry: false)
	After   time.Duration // how long to wait before a repeat makes sense; zero when unknown
	cause   error
}

// New makes an Error. Slugs are listed in slugs.go.
func New(kind Kind, slug, format string, args ...any) *Error {
	return &Error{Kind: kind, Slug: slug, Message: fmt.Sprintf(format, args...)}
}

// WithFix says how the person who sees the error can mend it.
func (e *Error) WithFix(format string, args ...any) *Error {
	e.Fix = fmt.Sprintf(format, args...)
	return e
}

// WithDetails adds one line per single fault, so that all can be mended at once.
func (e *Error) WithDetails(details ...string) *Error {
	e.Details = append(e.Details, details...)
	return e
}

// WithCode sets the contract's error number where a client is known to look at it.
func (e *Error) WithCode(code int) *Error {
	e.Code = code
	return e
}

// Because keeps the cause for the log. It is never shown.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// Error is the text for logs: the message and, behind it, the cause.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// From turns any error into an Error: those made here stay as they are, a passed deadline becomes Timeout, a
// cancelled context Canceled, and everything else Internal with a message that gives nothing away.
func From(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return New(Timeout, SlugTimeout, "The request took too long.").Because(err)
	case errors.Is(err, context.Canceled):
		return New(Canceled, SlugCanceled, "The client closed the request.").Because(err)
	default:
		return New(Internal, SlugInternal, "Something went wrong on the server.").
			WithFix("Try again; if it stays, give the request id to whoever runs this server.").Because(err)
	}
}

// Is reports whether err is, or wraps, an Error of the given kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
