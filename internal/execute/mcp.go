package execute

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// askServer calls a tool of an MCP server, within the limits of retry.go, and shapes the answer.
func (x *execution) askServer(ctx context.Context, r *catalog.MCPRequest) ([]byte, error) {
	e := exchange{env: &x.env, repeatable: x.tool.Hints.Read || x.tool.Hints.Idempotent}
	arguments, err := r.Arguments(x.env.Input)
	if err != nil {
		return nil, err
	}
	params := &mcp.CallToolParams{Name: r.Tool, Arguments: json.RawMessage(arguments)}
	call := x.callServer
	if x.toolkit.Program != nil {
		call = x.callProgram
	}
	for attempt := 1; ; attempt++ {
		_, turn := x.credential()
		a, err := call(ctx, r, params, e)
		if err == nil {
			if !e.repeatable {
				x.wrote.Store(true)
			}
			return x.shape(ctx, &a)
		}
		again, err := x.again(ctx, err, e, attempt, turn)
		if !again {
			return nil, err
		}
	}
}

// callServer calls the tool over a session of the account's, or a new one. A session that the server has meanwhile forgotten is
// replaced: the server did nothing then.
func (x *execution) callServer(ctx context.Context, r *catalog.MCPRequest, params *mcp.CallToolParams, e exchange) (answer, error) {
	endpoint, err := x.toolkit.MCPEndpoint(&x.env)
	if err != nil {
		return answer{}, err
	}
	key := mcpKey{project: x.caller.ProjectID, toolkit: x.toolkit.Slug, url: endpoint, user: x.entry.UserID, account: x.account.ID}
	started := x.now()
	defer func() { x.waited.Add(int64(x.now().Sub(started))) }()
	for fresh := false; ; fresh = true {
		session, reused := x.takeSession(key, fresh)
		if session == nil {
			asked := x.newAsked()
			if session, err = x.openSession(ctx, key, asked); err != nil {
				return answer{}, x.unopened(x.serverFailure(ctx, err, asked, e))
			}
		}
		if lost, err := x.confirm(ctx, key, session, r, e); lost && reused {
			x.keepSession(key, session, false)
			x.servers.forget(key)
			continue
		} else if err != nil {
			x.keepSession(key, session, !lost)
			return answer{}, err
		}
		asked := x.newAsked()
		res, err := session.CallTool(context.WithValue(ctx, askedKey{}, asked), params)
		sent, status, _, _ := asked.seen()
		if sent {
			x.reached.Store(true)
			x.status.Store(int32(status))
		}
		lost := sessionLost(ctx, err, asked)
		if x.keepSession(key, session, !lost); err == nil {
			x.listen(key)
			return x.serverAnswer(res)
		}
		if reused && lost && (!sent || errors.Is(err, mcp.ErrSessionMissing) || status == http.StatusNotFound || status == http.StatusBadRequest) {
			x.servers.forget(key)
			continue
		}
		return answer{}, x.serverFailure(ctx, err, asked, e)
	}
}

// sessionLost reports whether a session is of no more use after what was asked in it. A refusal of the tool's, and a caller who
// went away, do it no harm.
func sessionLost(ctx context.Context, err error, asked *asked) bool {
	var refused *jsonrpc.Error
	_, status, _, _ := asked.seen()
	return err != nil && ctx.Err() == nil && !(errors.As(err, &refused) && status == http.StatusOK)
}

// takeSession gives an idle session of the account's. Who comes with a credential of their own gets none of somebody else's.
func (x *execution) takeSession(key mcpKey, fresh bool) (s *mcp.ClientSession, reused bool) {
	if fresh || x.custom != nil {
		return nil, false
	}
	s = x.servers.take(key)
	return s, s != nil
}

func (x *execution) keepSession(key mcpKey, s *mcp.ClientSession, healthy bool) {
	if healthy && x.custom == nil {
		x.servers.put(key, s)
		return
	}
	x.leaveServer(s)
}

// leaveServer takes leave of a server in the background, for at most some seconds.
func (r *Runner) leaveServer(s *mcp.ClientSession) {
	r.background.run(func() { _ = s.Close() }) // a server that does not take it is none the worse for us
}

// openSession begins a session. It outlives the call, and so must not hold on to the call's context.
func (r *Runner) openSession(ctx context.Context, key mcpKey, asked *asked) (*mcp.ClientSession, error) {
	own, cancel := context.WithCancel(context.WithValue(context.Background(), askedKey{}, asked))
	stop := context.AfterFunc(ctx, cancel)
	session, err := r.server(key, asked).Connect(own)
	if !stop() || err != nil {
		cancel()
	}
	return session, err
}

// server is a toolkit's server, for a session in which something is asked.
func (r *Runner) server(key mcpKey, asked *asked) catalog.MCPServer {
	return catalog.MCPServer{
		URL: key.url, MaxAnswer: int(r.maxAnswer),
		Send:    func(q *http.Request) (*http.Response, error) { return r.sendToServer(q, asked) },
		Changed: func() { r.toolsChanged(key) },
	}
}

// unopened notes that no tool can have been called.
func (x *execution) unopened(err error) error {
	var f *failure
	if errors.As(err, &f) && f.broken {
		f.unsent, f.broken, f.fix = true, false, "The tool was not called. Try again later."
	}
	return err
}

// serverAnswer makes an answer of a tool's result: of its structured content, else of the JSON or the text that it is.
func (x *execution) serverAnswer(res *mcp.CallToolResult) (answer, error) {
	if len(res.InputRequests) > 0 {
		return answer{}, &failure{
			message: x.service() + " wants something from a person before it goes on, and that cannot be asked for here.",
			fix:     "Use another tool, or the service itself.",
		}
	}
	text, other := contentOf(res.Content)
	if res.IsError {
		said := clip(strings.Join(strings.Fields(text), " "), maxSaid)
		return answer{}, &failure{message: sentence(x.service() + " refused the call: " + or(said, "it does not say why"))}
	}
	body, err := serverData(res.StructuredContent, text, other)
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: body}, err
}

func serverData(structured any, text string, other []mcp.Content) ([]byte, error) {
	trimmed := strings.TrimSpace(text)
	switch {
	case structured != nil:
		return json.Marshal(structured)
	case len(other) > 0:
		return json.Marshal(struct {
			Text    string        `json:"text,omitempty"`
			Content []mcp.Content `json:"content"`
		}{text, other})
	case trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid([]byte(trimmed)):
		return []byte(trimmed), nil
	default:
		return json.Marshal(map[string]string{"text": text})
	}
}

// contentOf takes the texts out of a result; the rest is images, sounds and resources.
func contentOf(content []mcp.Content) (text string, other []mcp.Content) {
	var texts []string
	for _, c := range content {
		if t, ok := c.(*mcp.TextContent); ok {
			texts = append(texts, t.Text)
		} else {
			other = append(other, c)
		}
	}
	return strings.Join(texts, "\n"), other
}

// serverFailure says what became of a call, or of a session that could not be had.
func (x *execution) serverFailure(ctx context.Context, err error, asked *asked, e exchange) error {
	_, status, refusal, cause := asked.seen()
	var said *jsonrpc.Error
	var own *fault.Error
	switch {
	case ctx.Err() != nil:
		return x.interrupted(ctx)
	case refusal != nil:
		refusal.body = x.redact(refusal.body)
		return x.failureOf(refusal, e)
	case errors.Is(cause, outbound.ErrBodyTooLarge):
		return x.readFailure(ctx, status, cause)
	case cause != nil:
		return x.sendFailure(ctx, cause)
	case errors.As(err, &own):
		return own
	case errors.As(err, &said):
		text := clip(strings.Join(strings.Fields(said.Message), " "), maxSaid)
		return &failure{message: sentence(x.service() + " refused the call: " + or(text, "it does not say why"))}
	default:
		return &failure{
			status: status, cause: err, message: x.service() + " did not answer as an MCP server does.",
			fix: strings.TrimSpace("Have the operator check the toolkit's address. " + x.acceptedNote(status)),
		}
	}
}
