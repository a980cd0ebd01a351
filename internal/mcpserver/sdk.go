package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const instructions = "These tools act in the apps of one person, with that person's own accounts. " +
	"If COMPOSIO_SEARCH_TOOLS is among them, begin with it: it finds the tools for a task, with their arguments, and says which apps " +
	"still have to be connected. When an answer holds a link, show it to the person as it is."

// served are the methods of the protocol that this server answers. The SDK has handlers for more (prompts, resources,
// completion, logging); a server that declares none of these must not answer them.
var served = []string{
	"initialize", "notifications/initialized", "ping", "server/discover", "subscriptions/listen",
	"tools/list", "tools/call", "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed",
}

// anyTool is the name under which the SDK knows all tools. One SDK server serves all sessions: which tools there are follows
// from the visit, and building a server for each session would cost memory for every tool of every session.
const anyTool = "tool"

// newSDKHandler makes the official SDK's handler, and gives this server's name and version as the SDK sends them.
func newSDKHandler(h *Handler, version string) (http.Handler, []byte) {
	impl := &mcp.Implementation{Name: "patchbay", Title: "Patchbay", Version: version}
	server := mcp.NewServer(impl, &mcp.ServerOptions{
		Instructions: instructions,
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) { c.TTLMs, c.CacheScope = listTTL, listScope },
	})
	server.AddTool(&mcp.Tool{Name: anyTool, InputSchema: json.RawMessage(`{"type":"object"}`)}, h.sdkCall)
	server.AddReceivingMiddleware(h.intercept)
	raw, err := json.Marshal(impl)
	if err != nil {
		panic("mcpserver: names do not encode: " + err.Error())
	}
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{
		Stateless:                    true,
		JSONResponse:                 true,
		MaxRequestBodyBytes:          h.maxBody,
		DisableLocalhostProtection:   true, // guard knows about proxies, the SDK does not
		PropagateRequestCancellation: true,
	}), raw
}

// visitKey carries a visit through the SDK, which has no other way to hand a value from an HTTP request to a tool's handler.
type visitKey struct{}

// namedToolKey carries the name of the tool past the SDK's own look-up.
type namedToolKey struct{}

func withVisit(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

// intercept answers what depends on the visit and refuses what this server does not do.
func (h *Handler) intercept(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		if !slices.Contains(served, method) {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("%q is not supported: this server has tools only", method)}
		}
		switch req := req.(type) {
		case *mcp.ListToolsRequest:
			return h.sdkList(ctx, req)
		case *mcp.CallToolRequest:
			renamed, params := *req, *req.Params
			renamed.Params = &params
			params.Name = anyTool
			return next(context.WithValue(ctx, namedToolKey{}, req.Params.Name), method, &renamed)
		}
		return next(ctx, method, req)
	}
}

func (h *Handler) sdkList(ctx context.Context, req *mcp.ListToolsRequest) (mcp.Result, error) {
	v := ctx.Value(visitKey{}).(*visit)
	cursor := ""
	if req.Params != nil {
		cursor = req.Params.Cursor
	}
	page, next, ok := pageOf(v.view.Tools(), cursor)
	if !ok {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "cursor: not one of this list, or the list has changed. Begin again without it."}
	}
	result := &mcp.ListToolsResult{NextCursor: next, Tools: make([]*mcp.Tool, len(page))}
	result.TTLMs, result.CacheScope = listTTL, listScope
	for i, t := range page {
		result.Tools[i] = describe(t)
	}
	return result, nil
}

// sdkCall runs a tool for the SDK.
func (h *Handler) sdkCall(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	v := ctx.Value(visitKey{}).(*visit)
	// The SDK lets calls of the older era go on when the client is gone, so that an answer can be fetched later. This server
	// keeps no answers, and a call must not outlive the one who wanted it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.request.Context(), cancel)()

	name, _ := ctx.Value(namedToolKey{}).(string)
	c := toolCall{
		name:           name,
		arguments:      req.Params.Arguments,
		idempotencyKey: metaString(req.Params.Meta, metaIdempotencyKey, metaIdempotencyKeyPlain),
		state:          req.Params.RequestState,
		replies:        actionsOf(req.Params.InputResponses),
	}
	if req.ProtocolVersion() >= stateless && opensURLs(req.ClientCapabilities()) {
		c.elicits = elicitsByState
	}
	a, err := h.call(ctx, v, c)
	if err != nil {
		return nil, asProtocolError(err)
	}
	return a.forSDK()
}

func opensURLs(c *mcp.ClientCapabilities) bool {
	return c != nil && c.Elicitation != nil && c.Elicitation.URL != nil
}

func metaString(meta mcp.Meta, keys ...string) string {
	for _, key := range keys {
		if text, ok := meta[key].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

func actionsOf(responses mcp.InputResponseMap) map[string]string {
	if len(responses) == 0 {
		return nil
	}
	actions := make(map[string]string, len(responses))
	for id, response := range responses {
		actions[id] = ""
		if elicited, ok := response.(*mcp.ElicitResult); ok {
			actions[id] = elicited.Action
		}
	}
	return actions
}

// forSDK gives an answer the SDK's form.
func (a answer) forSDK() (*mcp.CallToolResult, error) {
	if len(a.asks) > 0 && a.state != "" {
		result := &mcp.CallToolResult{Content: []mcp.Content{}, InputRequests: make(mcp.InputRequestMap), RequestState: a.state}
		for _, q := range a.asks {
			result.InputRequests[q.id] = &mcp.ElicitParams{Mode: "url", Message: q.message, URL: q.url, ElicitationID: q.id}
		}
		return result, nil
	}
	result := &mcp.CallToolResult{IsError: a.failed}
	if a.content != nil {
		if err := json.Unmarshal(append(append([]byte(`{"content":`), a.content...), '}'), result); err != nil {
			return nil, fmt.Errorf("read content blocks: %w", err)
		}
		result.IsError = a.failed
	} else {
		result.Content = []mcp.Content{&mcp.TextContent{Text: string(a.body)}}
		result.StructuredContent = json.RawMessage(a.body)
	}
	if a.note != "" {
		result.Content = append(result.Content, &mcp.TextContent{Text: a.note})
	}
	return result, nil
}
