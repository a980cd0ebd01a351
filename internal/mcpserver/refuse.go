package mcpserver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// refusedCode is the JSON-RPC code of a request that was not let in. It is of the range that servers may use as they like.
const refusedCode = -32000

// refuse answers a request that was not let in: the HTTP status says what happened, the body says it as a JSON-RPC error,
// because MCP clients show that to people.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	if f.Kind == fault.Canceled {
		return
	}
	header, requestID := w.Header(), requestID(w)
	if f.Kind == fault.Internal {
		h.log.ErrorContext(r.Context(), "mcp request failed", "error", err, "request_id", requestID)
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if f.Kind == fault.Unauthorized {
		header.Set("WWW-Authenticate", h.challenge(r))
	}
	if f.After > 0 {
		header.Set("Retry-After", strconv.Itoa(int(f.After.Seconds())+1))
	}
	w.WriteHeader(httpStatus(f.Kind))
	w.Write(encodeError(json.RawMessage("null"), protocolError(refusedCode, f, requestID))) // a client that is gone needs no answer
}

// challenge says what opens this endpoint and, where a person can let the client in, where to find out how (RFC 6750 section 3, RFC
// 9728 section 5.1).
func (h *Handler) challenge(r *http.Request) string {
	challenge := `Bearer realm="Patchbay"`
	if _, err := credentialOf(r.Header); err == nil {
		challenge += `, error="invalid_token"`
	}
	origin, err := h.publicURL(r)
	if h.people == nil || err != nil {
		return challenge
	}
	if where, ok := authserver.ResourceMetadataURL(origin, endpointOf(r)); ok {
		challenge += `, resource_metadata="` + where + `", scope="` + authserver.Scope + `"`
	}
	return challenge
}

// encodeError writes the JSON-RPC message of an error.
func encodeError(id json.RawMessage, e *jsonrpc.Error) []byte {
	body, err := json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *jsonrpc.Error  `json:"error"`
	}{"2.0", id, e})
	if err != nil {
		panic("mcpserver: an error does not encode: " + err.Error()) // its parts are texts and JSON that was encoded before
	}
	return body
}

// httpStatus is the one mapping of kinds to statuses here.
func httpStatus(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound, fault.Gone:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
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
	case fault.Timeout, fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// protocolError makes a JSON-RPC error of a fault, with what programs may want of it in data.
func protocolError(code int64, f *fault.Error, requestID string) *jsonrpc.Error {
	data, err := json.Marshal(struct {
		Slug      string   `json:"slug"`
		Fix       string   `json:"suggested_fix,omitempty"`
		Errors    []string `json:"errors,omitempty"`
		RequestID string   `json:"request_id,omitempty"`
	}{f.Slug, f.Fix, f.Details, requestID})
	if err != nil {
		panic("mcpserver: texts do not encode: " + err.Error())
	}
	return &jsonrpc.Error{Code: code, Message: faultText(f), Data: data}
}

// faultText says a fault in the words a person or a model can act on.
func faultText(f *fault.Error) string {
	var b strings.Builder
	b.WriteString(f.Message)
	for _, d := range f.Details {
		b.WriteString("\n- ")
		b.WriteString(d)
	}
	if f.Fix != "" {
		if len(f.Details) > 0 {
			b.WriteByte('\n')
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(f.Fix)
	}
	return b.String()
}
