package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type executeToolRequest struct {
	Origin             string                `from:"origin" json:"-"`
	Slug               string                `path:"tool_slug" json:"-"`
	IdempotencyKey     string                `header:"Idempotency-Key" json:"-"`
	UserID             string                `json:"user_id"`
	EntityID           string                `json:"entity_id"` // the older name of user_id
	ConnectedAccountID string                `json:"connected_account_id"`
	Arguments          arguments             `json:"arguments"`
	Text               string                `json:"text"`
	Version            string                `json:"version"`
	AllowTracing       *bool                 `json:"allow_tracing"` // accepted and ignored
	CustomAuth         *customAuthBody       `json:"custom_auth_params"`
	CustomConnection   *customConnectionBody `json:"custom_connection_data"`
}

// customAuthBody are pieces of a request that the caller adds by hand.
type customAuthBody struct {
	BaseURL    string           `json:"base_url"`
	Parameters []proxyParameter `json:"parameters"`
	Body       anyJSON          `json:"body"`
}

type executeToolResponse struct {
	Data  json.RawMessage // always a JSON object
	Error string          // empty when the tool succeeded: null on the wire
	LogID string
}

// executeTool runs a tool outside any session, for a user or with one account. Meta tools run here too, in a session that is
// found for them (API contract section 7.5).
func (a *api) executeTool(ctx context.Context, caller tenant.Caller, in executeToolRequest) (executeToolResponse, error) {
	user := orText(in.UserID, in.EntityID)
	if session.IsMetaTool(in.Slug) {
		outcome, err := a.sessions.ExecuteMeta(ctx, caller, user, session.ToolCall{
			Slug: in.Slug, Arguments: in.Arguments, IdempotencyKey: in.IdempotencyKey, Origin: in.Origin, Via: "direct",
		})
		return executeToolResponse{outcome.Data, outcome.Error, outcome.LogID}, err
	}
	call, err := a.directCall(caller, user, in)
	if err != nil {
		return executeToolResponse{}, err
	}
	result, err := a.runner.Run(ctx, caller, call)
	return executeToolResponse{result.Data, result.Error, result.LogID}, typedAccountFault(err)
}

func (a *api) directCall(caller tenant.Caller, user string, in executeToolRequest) (execute.Call, error) {
	_, tool, err := a.toolAt(caller, in.Slug, in.Version)
	if err != nil {
		return execute.Call{}, err
	}
	if in.Text != "" && len(in.Arguments) == 0 {
		return execute.Call{}, fault.New(fault.Unsupported, fault.SlugUnsupported, "text: this server does not turn words into arguments.").
			WithFix("Have your model fill in arguments from the tool's input_parameters, and send those.")
	}
	custom, faults := in.customAuth()
	if user == "" && in.ConnectedAccountID == "" && custom == nil && !tool.NoAuth {
		faults = append(faults, "user_id: is required, unless connected_account_id says whose account to use")
	}
	if len(faults) > 0 {
		return execute.Call{}, invalidRequest(faults...)
	}
	return execute.Call{
		Tool:      tool,
		Arguments: in.Arguments,
		Select: connect.Selection{
			UserID: user, Toolkit: tool.Toolkit.Slug, AccountID: in.ConnectedAccountID,
		},
		Custom:         custom,
		IdempotencyKey: in.IdempotencyKey,
		Origin:         "api",
	}, nil
}

// customAuth joins the two ways of bringing a credential along; nil when there is none.
func (in executeToolRequest) customAuth() (custom *execute.CustomAuth, faults []string) {
	custom = in.CustomConnection.auth()
	if in.CustomAuth == nil {
		return custom, nil
	}
	if custom == nil {
		custom = &execute.CustomAuth{Fields: connect.Fields{}}
	}
	custom.BaseURL = in.CustomAuth.BaseURL
	custom.Header, custom.Query = make(map[string]string), make(map[string]string)
	for i, p := range in.CustomAuth.Parameters {
		switch orText(p.In, p.Type) {
		case "header":
			custom.Header[p.Name] = string(p.Value)
		case "query":
			custom.Query[p.Name] = string(p.Value)
		default:
			faults = append(faults, fmt.Sprintf("%s.in: expected header or query, got %q", at("custom_auth_params.parameters", i), short(orText(p.In, p.Type))))
		}
	}
	if body, ok := in.CustomAuth.Body.value.(map[string]any); ok {
		custom.Body = body
	} else if in.CustomAuth.Body.value != nil {
		faults = append(faults, "custom_auth_params.body: expected an object")
	}
	return custom, faults
}

// typedAccountFault gives the fault of a missing connection the number by which SDKs know it on this route. In a session the
// same fault has another one.
func typedAccountFault(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Slug != fault.SlugNoActiveConnection {
		return err
	}
	direct := *f
	direct.Slug, direct.Code = fault.SlugExecuteAccountNotFound, fault.CodeExecuteNoAccount
	return &direct
}

func (r executeToolResponse) appendJSON(buf *bytes.Buffer) {
	buf.WriteString(`{"data":`)
	appendData(buf, r.Data)
	buf.WriteString(`,"error":`)
	appendErrorText(buf, r.Error)
	if r.Error == "" {
		buf.WriteString(`,"successful":true`)
	} else {
		buf.WriteString(`,"successful":false`)
	}
	if r.LogID != "" {
		buf.WriteString(`,"log_id":`)
		appendText(buf, r.LogID)
	}
	buf.WriteString(`,"session_info":null}`)
}

type requiredScopesRequest struct {
	Tools   []string `json:"tools"`
	Version string   `json:"version"`
}

type requiredScopesResponse struct {
	Scopes  []string             `json:"scopes_required"`
	PerTool []toolScopesResponse `json:"per_tool_requirements"`
}

type toolScopesResponse struct {
	Tool         string             `json:"tool"`
	Requirements *scopeRequirements `json:"scope_requirements"`
}

// requiredScopes gives the scopes that a grant must hold to run some tools. Where a tool does with one of several, the narrowest
// counts unless another of them is needed anyway.
func (a *api) requiredScopes(_ context.Context, caller tenant.Caller, in requiredScopesRequest) (requiredScopesResponse, error) {
	if len(in.Tools) == 0 {
		return requiredScopesResponse{}, invalidRequest("tools: is required, a list of at least one tool slug")
	}
	tools, err := a.toolsNamed(caller, in.Tools, in.Version)
	if err != nil {
		return requiredScopesResponse{}, err
	}
	scopes, _ := catalog.ScopeChoice{}.LeastScopes(tools)
	out := requiredScopesResponse{Scopes: list(scopes), PerTool: []toolScopesResponse{}}
	for _, tool := range tools {
		out.PerTool = append(out.PerTool, toolScopesResponse{tool.Slug, requirementsOf(tool.Scopes)})
	}
	return out, nil
}

// toolsNamed finds tools by their slugs, or says of all that are not there which they are and what may be meant.
func (a *api) toolsNamed(caller tenant.Caller, slugs []string, version string) ([]*catalog.Tool, error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	tools := make([]*catalog.Tool, 0, len(slugs))
	var unknown []string
	for i, slug := range slugs {
		_, tool, err := a.toolAt(caller, slug, version)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err != nil {
			unknown = append(unknown, fmt.Sprintf("%s: there is no tool %q%s", at("tools", i), short(slug), didYouMean(snapshot.NearestTools(slug, 3))))
			continue
		}
		tools = append(tools, tool)
	}
	if len(unknown) > 0 {
		return nil, fault.New(fault.NotFound, fault.SlugToolNotFound, "Some tools do not exist: %s.", strings.Join(unknown, "; ")).
			WithCode(fault.CodeToolNotFound).WithDetails(unknown...)
	}
	return tools, nil
}

func didYouMean(nearest []string) string {
	if len(nearest) == 0 {
		return ""
	}
	return " (did you mean " + strings.Join(nearest, " or ") + "?)"
}
