package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// toolCall is a tools/call as far as this package understands it.
type toolCall struct {
	name           string
	arguments      json.RawMessage // nil for none
	idempotencyKey string
	elicits        elicits           // whether and how the person can be asked to open a link
	state          string            // what an earlier round of this call gave the client to bring back
	replies        map[string]string // how the person reacted to what was asked, by id: accept, decline, cancel; nil: not asked
}

// Keys of a request's _meta that carry an idempotency key: a repeat within 24 hours replays the first answer. The header
// Idempotency-Key does the same.
const (
	metaIdempotencyKey      = "dev.patchbay/idempotencyKey"
	metaIdempotencyKeyPlain = "idempotencyKey"
)

// call runs a tool. A tool that fails, or may not be run, is an answer: the model reads it and can do better. An error is a
// *jsonrpc.Error and means that the request makes no sense, or that this server is at fault.
func (h *Handler) call(ctx context.Context, v *visit, c toolCall) (answer, error) {
	if c.state != "" {
		return h.resume(v, c)
	}
	arguments, err := decodeArguments(c.arguments)
	if err != nil {
		return answer{}, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "arguments: expected a JSON object"}
	}
	if problem := mapping.Unstorable(c.arguments); problem != "" {
		return answer{}, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "arguments: they hold " + problem}
	}
	if c.idempotencyKey == "" {
		c.idempotencyKey = v.request.Header.Get("Idempotency-Key")
	}
	outcome, err := h.sessions.Execute(ctx, v.caller, v.sessionID, session.ToolCall{
		Slug:           c.name,
		Arguments:      arguments,
		Offload:        true,
		IdempotencyKey: c.idempotencyKey,
		Origin:         v.origin,
		Via:            "mcp",
	})
	if err != nil {
		return h.callFault(ctx, v, err)
	}
	a := answer{body: newBody(outcome.Data, outcome.Error), content: outcome.Content, failed: outcome.Error != ""}
	return h.ask(v, c, a, outcome.Links)
}

// decodeArguments keeps numbers as they were written: an id of twenty digits must reach the app as it is.
func decodeArguments(raw json.RawMessage) (map[string]any, error) {
	arguments := map[string]any{}
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "{}" {
		return arguments, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	err := decoder.Decode(&arguments)
	return arguments, err
}

// callFault decides which faults the model is told in an answer and which are errors of the protocol.
func (h *Handler) callFault(ctx context.Context, v *visit, err error) (answer, error) {
	f := fault.From(err)
	switch f.Kind {
	case fault.Canceled:
		return answer{}, err // the client is gone: nobody reads it
	case fault.Internal:
		h.log.ErrorContext(ctx, "mcp tool call failed", "error", err, "request_id", v.caller.RequestID, "session", v.sessionID)
		return answer{}, protocolError(jsonrpc.CodeInternalError, f, v.caller.RequestID)
	case fault.NotFound:
		if f.Slug == fault.SlugSessionNotFound { // deleted since it was opened
			return answer{}, protocolError(refusedCode, f, v.caller.RequestID)
		}
		if unknownTool(f) {
			return answer{}, protocolError(jsonrpc.CodeInvalidParams, f, v.caller.RequestID)
		}
	case fault.Unauthorized:
		return answer{}, protocolError(refusedCode, f, v.caller.RequestID)
	}
	return failure(faultText(f)), nil
}

// unknownTool tells a tool that does not exist from other things that were not found, such as an account.
func unknownTool(f *fault.Error) bool {
	return f.Slug == fault.SlugSessionToolNotFound || f.Slug == fault.SlugToolNotFound
}

// asProtocolError gives the JSON-RPC form of an error of call.
func asProtocolError(err error) *jsonrpc.Error {
	var e *jsonrpc.Error
	if errors.As(err, &e) {
		return e
	}
	return protocolError(jsonrpc.CodeInternalError, fault.From(err), "")
}
