package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// middleware surrounds every request, those of the pages and of MCP included: an id, one log line, the metrics, an answer even
// when a handler panics, and a time within which the body has to arrive. The body's size and the deadline belong to API routes
// alone (serve.go): an MCP stream or an upload has its own.
func (a *api) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, started: a.now()}
		x.Header().Set(requestIDHeader, chooseRequestID(r))
		defer a.finish(x, r)
		defer a.recovered(x, r)
		body := timeBody(w, r)
		defer body.answered()
		next.ServeHTTP(x, r)
	})
}

// exchange is the ResponseWriter of one request; it notes what the log line and the metrics need.
type exchange struct {
	http.ResponseWriter
	started   time.Time
	status    int
	written   int64
	projectID string
	fault     *fault.Error
}

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(p)
	x.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the server's own writer, and Flush serves those that ask for it directly:
// MCP streams need both.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) Flush() {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	http.NewResponseController(x.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

var _ http.Flusher = (*exchange)(nil)

func noteCaller(w http.ResponseWriter, caller tenant.Caller) {
	if x, ok := w.(*exchange); ok {
		x.projectID = caller.ProjectID
	}
}

func noteFault(w http.ResponseWriter, f *fault.Error) {
	if x, ok := w.(*exchange); ok {
		x.fault = f
	}
}

const requestIDHeader = "X-Request-Id"

// requestID gives the id of the request being answered; the middleware put it on the response.
func requestID(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }

// chooseRequestID keeps the caller's id when it is fit for a header and a log line, and makes one otherwise.
func chooseRequestID(r *http.Request) string {
	given := r.Header.Get(requestIDHeader)
	if given == "" || len(given) > 128 || strings.ContainsFunc(given, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return id.New(id.Request)
	}
	return given
}

// recovered turns a panic into the envelope of a 500, if nothing was sent yet, and into a log line with the stack.
func (a *api) recovered(x *exchange, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) { // how a handler says: drop the connection
		panic(cause)
	}
	a.log.ErrorContext(r.Context(), "request panicked", "panic", panicText(cause), "stack", string(debug.Stack()),
		"request_id", requestID(x), "route", r.Pattern)
	if x.status == 0 {
		a.writeFault(x, r, fault.From(fmt.Errorf("panic: %s", panicText(cause))), true)
	}
}

// panicText says what went wrong. Errors of the runtime name types and indexes only; whatever else a panic carries may hold a
// secret, so of that only the type is told. The stack, which holds no values, says where.
func panicText(cause any) string {
	if err, ok := cause.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("with a %T", cause)
}

// finish writes the one log line of a request and counts it. Of the URL only the route's pattern and the session's id are
// kept: paths hold link tokens, and queries whatever clients put there.
func (a *api) finish(x *exchange, r *http.Request) {
	took := a.now().Sub(x.started)
	route := r.Pattern
	if route == "" || route == "/" {
		route = "unmatched"
	}
	status := x.status
	if status == 0 {
		status = http.StatusOK
	}
	a.metrics.request(route, status, took)
	attrs := []slog.Attr{
		slog.String("method", r.Method),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.Int64("bytes", x.written),
		slog.String("request_id", requestID(x)),
	}
	add := func(name, text string) {
		if text != "" {
			attrs = append(attrs, slog.String(name, text))
		}
	}
	add("project", x.projectID)
	add("session", short(r.PathValue("session_id")))
	add("client", short(r.UserAgent()))
	if x.fault != nil {
		add("slug", x.fault.Slug)
	}
	level := slog.LevelInfo
	if isProbe(route) {
		level = slog.LevelDebug
	}
	a.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// isProbe reports whether a route is asked so often, by machines, that its log lines would bury the others.
func isProbe(route string) bool {
	return strings.HasSuffix(route, "/healthz") || strings.HasSuffix(route, "/readyz") || strings.HasSuffix(route, "/metrics")
}
