package api

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// encodedPage is a whole answer that is JSON already.
type encodedPage []byte

// appender is a response that writes itself. It is for hot answers whose parts are JSON already: encoding/json would
// parse and compact them again.
type appender interface {
	appendJSON(*bytes.Buffer)
}

// writeValue answers with a value. It is encoded before the status is sent, so that a failure can still become a fault.
func (a *api) writeValue(w http.ResponseWriter, r *http.Request, status int, value any) {
	switch ready := value.(type) {
	case encodedPage:
		writeJSON(w, status, ready)
		return
	case toolList:
		writeHeader(w, status, ready.size())
		ready.writeTo(w)
		return
	}
	buf := takeBuffer()
	defer giveBuffer(buf)
	if err := encode(buf, value); err != nil {
		a.writeFault(w, r, err, true)
		return
	}
	writeJSON(w, status, buf.Bytes())
}

func encode(buf *bytes.Buffer, value any) error {
	if self, ok := value.(appender); ok {
		self.appendJSON(buf)
		return nil
	}
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	writeHeader(w, status, len(body))
	w.Write(body) // the client may be gone; there is nobody left to tell
}

func writeHeader(w http.ResponseWriter, status, length int) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(length))
	header.Set("Cache-Control", "no-store") // answers depend on the credential, and some hold one
	w.WriteHeader(status)
}

// errorResponse is the envelope of every failure (API contract section 4.1).
type errorResponse struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Message      string   `json:"message"`
	Code         int      `json:"code"`
	Slug         string   `json:"slug"`
	Status       int      `json:"status"`
	RequestID    string   `json:"request_id"`
	SuggestedFix string   `json:"suggested_fix,omitempty"`
	Errors       []string `json:"errors"`
}

// writeFault is the only place where an error becomes a response. SDKs repeat 408, 409, 429 and 5xx by themselves unless
// they are told not to (API contract section 4.3); noRetry says that a repeat of this request could do harm.
func (a *api) writeFault(w http.ResponseWriter, r *http.Request, err error, noRetry bool) {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		a.log.ErrorContext(r.Context(), "request failed", "error", err, "request_id", requestID(w), "route", r.Pattern)
	}
	if noRetry || f.NoRetry || f.Kind == fault.Conflict {
		w.Header().Set("X-Should-Retry", "false")
	}
	a.writeEnvelope(w, f, statusOf(f.Kind))
}

func (a *api) writeEnvelope(w http.ResponseWriter, f *fault.Error, status int) {
	noteFault(w, f)
	header := w.Header()
	if f.After > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.After.Seconds()))))
		header.Set("Retry-After-Ms", strconv.FormatInt(int64(f.After/time.Millisecond), 10))
	}
	if f.Kind == fault.Unauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="patchbay"`)
	}
	body, encodeErr := json.Marshal(errorResponse{errorBody{
		Message:      f.Message,
		Code:         codeOf(f, status),
		Slug:         f.Slug,
		Status:       status,
		RequestID:    requestID(w),
		SuggestedFix: f.Fix,
		Errors:       list(f.Details),
	}})
	if encodeErr != nil { // strings and numbers only: cannot happen
		panic(encodeErr)
	}
	writeJSON(w, status, body)
}

// statusOf maps a kind of fault to its HTTP status. Canceled never reaches a client; the status is for logs and metrics.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Timeout:
		return http.StatusRequestTimeout
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unprocessable:
		return http.StatusUnprocessableEntity
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unsupported:
		return http.StatusNotImplemented
	case fault.Upstream:
		return http.StatusBadGateway
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Canceled:
		return 499
	default:
		return http.StatusInternalServerError
	}
}

// codeOf gives the contract's number: the fault's own, else 10000 and the status (10429 is the one known of this row).
func codeOf(f *fault.Error, status int) int {
	if f.Code != 0 {
		return f.Code
	}
	return 10000 + status
}

// list makes nil encode as [] instead of null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// Buffers are shared between reading and writing. A buffer that had to grow for an unusually large body is let go.
const largestKeptBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func takeBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func giveBuffer(buf *bytes.Buffer) {
	if buf.Cap() <= largestKeptBuffer {
		buf.Reset()
		buffers.Put(buf)
	}
}
