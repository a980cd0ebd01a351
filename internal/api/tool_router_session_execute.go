package api

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type executeInSessionRequest struct {
	Origin         string                    `from:"origin" json:"-"`
	SessionID      string                    `path:"session_id" json:"-"`
	IdempotencyKey string                    `header:"Idempotency-Key" json:"-"`
	ToolSlug       string                    `json:"tool_slug"`
	Arguments      arguments                 `json:"arguments"`
	Account        string                    `json:"account"`
	Offload        bool                      `json:"enable_auto_workbench_offload"`
	Experimental   optional[customToolsBody] `json:"experimental"`
}

// executeInSessionResponse is the answer of a call inside a session. A tool that ran and failed is an answer too, with error
// set and data empty.
type executeInSessionResponse struct {
	Data  json.RawMessage // always a JSON object
	Error string          // empty when the tool succeeded: null on the wire
	LogID string
}

func (a *api) executeInSession(ctx context.Context, caller tenant.Caller, in executeInSessionRequest) (executeInSessionResponse, error) {
	if in.ToolSlug == "" {
		return executeInSessionResponse{}, invalidRequest("tool_slug: is required, for example GITHUB_CREATE_AN_ISSUE")
	}
	return a.executeCall(ctx, caller, in.SessionID, session.ToolCall{
		Slug:           in.ToolSlug,
		Arguments:      in.Arguments,
		Account:        in.Account,
		Custom:         in.Experimental.Value.custom(),
		Offload:        in.Offload,
		IdempotencyKey: in.IdempotencyKey,
		Origin:         in.Origin,
		Via:            "session",
	})
}

// executeMetaRequest is the older form of execute, for meta tools alone (API contract section 6.7).
type executeMetaRequest struct {
	Origin         string                    `from:"origin" json:"-"`
	SessionID      string                    `path:"session_id" json:"-"`
	IdempotencyKey string                    `header:"Idempotency-Key" json:"-"`
	Slug           string                    `json:"slug"`
	Arguments      arguments                 `json:"arguments"`
	Experimental   optional[customToolsBody] `json:"experimental"`
}

func (a *api) executeMetaInSession(ctx context.Context, caller tenant.Caller, in executeMetaRequest) (executeInSessionResponse, error) {
	if !session.IsMetaTool(in.Slug) {
		return executeInSessionResponse{}, invalidRequest("slug: expected the slug of a meta tool, for example COMPOSIO_SEARCH_TOOLS; other tools run at …/execute")
	}
	return a.executeCall(ctx, caller, in.SessionID, session.ToolCall{
		Slug:           in.Slug,
		Arguments:      in.Arguments,
		Custom:         in.Experimental.Value.custom(),
		IdempotencyKey: in.IdempotencyKey,
		Origin:         in.Origin,
		Via:            "session",
	})
}

func (a *api) executeCall(ctx context.Context, caller tenant.Caller, sessionID string, call session.ToolCall) (executeInSessionResponse, error) {
	outcome, err := a.sessions.Execute(ctx, caller, sessionID, call)
	if err != nil {
		return executeInSessionResponse{}, err
	}
	return executeInSessionResponse{Data: outcome.Data, Error: outcome.Error, LogID: outcome.LogID}, nil
}

func (r executeInSessionResponse) appendJSON(buf *bytes.Buffer) {
	buf.WriteString(`{"data":`)
	appendData(buf, r.Data)
	buf.WriteString(`,"error":`)
	appendErrorText(buf, r.Error)
	buf.WriteString(`,"log_id":`)
	appendText(buf, r.LogID)
	buf.WriteString(`,"result_type":`)
	appendText(buf, resultType(r.Error))
	buf.WriteByte('}')
}

// resultType says whether a tool that ran did what it should. Newer SDKs refuse an answer without it.
func resultType(failure string) string {
	if failure != "" {
		return "failed"
	}
	return "completed"
}

// appendData writes a tool's data, which must be an object even when there is none.
func appendData(buf *bytes.Buffer, data json.RawMessage) {
	if len(data) == 0 {
		buf.WriteString("{}")
		return
	}
	buf.Write(data)
}

func appendErrorText(buf *bytes.Buffer, text string) {
	if text == "" {
		buf.WriteString("null")
		return
	}
	appendText(buf, text)
}

func appendText(buf *bytes.Buffer, text string) {
	quoted, err := json.Marshal(text)
	if err != nil { // a string always encodes
		panic(err)
	}
	buf.Write(quoted)
}
