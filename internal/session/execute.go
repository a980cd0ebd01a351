package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// ToolCall is a call inside a session: an app tool or a meta tool.
type ToolCall struct {
	Slug           string
	Arguments      map[string]any
	Account        string
	Custom         CustomTools
	Offload        bool // the caller lets large answers be stored and previewed
	IdempotencyKey string
	Origin         string // scheme and host under which links are made
	Via            string // "session", "mcp", "meta", "direct"
}

// Outcome is what a call came to. Links are connections that were started for the user during the call.
type Outcome struct {
	execute.Result
	Links []connect.Link
}

// Execute runs a tool or a meta tool under the session's policy.
func (s *Service) Execute(ctx context.Context, c tenant.Caller, id string, call ToolCall) (Outcome, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return Outcome{}, noRetry(err)
	}
	return s.executeIn(ctx, c, view, call)
}

// ExecuteMeta runs a meta tool outside any session (contract section 7.5): in the session named in the arguments, else the
// user's newest, else a passing default one. A session that the arguments name must be this user's: the name comes from a
// model.
func (s *Service) ExecuteMeta(ctx context.Context, c tenant.Caller, userID string, call ToolCall) (Outcome, error) {
	view, err := s.viewFor(ctx, c, userID, call.Arguments)
	if err != nil {
		return Outcome{}, noRetry(err)
	}
	return s.executeIn(ctx, c, view, call)
}

func (s *Service) viewFor(ctx context.Context, c tenant.Caller, userID string, args arguments) (*View, error) {
	if c.Restricted() {
		return s.Open(ctx, c, c.SessionID)
	}
	for _, named := range []string{args.text("session_id"), args.object("session").text("id")} {
		if !id.Has(id.Session, named) {
			continue
		}
		view, err := s.Open(ctx, c, named)
		if err != nil {
			return nil, err
		}
		if userID != "" && view.Session.UserID != userID {
			return nil, notFound(named)
		}
		return view, nil
	}
	if strings.TrimSpace(userID) == "" {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "Meta tools act for a user, and the request names none.").
			WithFix("Send user_id, or run the tool in a session: POST /api/v3.1/tool_router/session/{session_id}/execute.")
	}
	newest, err := s.store.NewestSession(ctx, c.ProjectID, userID)
	switch {
	case fault.Is(err, fault.NotFound):
		passing := Session{ProjectID: c.ProjectID, UserID: userID, Config: DefaultConfig(), Version: 1}
		return s.makeView(passing), nil
	case err != nil:
		return nil, err
	default:
		return s.makeView(newest), nil
	}
}

func (s *Service) executeIn(ctx context.Context, c tenant.Caller, view *View, call ToolCall) (Outcome, error) {
	call.Slug = strings.ToUpper(strings.TrimSpace(call.Slug))
	if IsMetaTool(call.Slug) {
		return s.runMeta(ctx, c, view, call)
	}
	result, err := s.runApp(ctx, c, view, call, nil)
	if err != nil && view.Session.Config.ManageConnections.OnCall && fault.From(err).Slug == fault.SlugNoActiveConnection {
		return s.offerLink(ctx, c, view, call, err)
	}
	if err != nil {
		return Outcome{}, noRetry(err)
	}
	return Outcome{Result: result}, nil
}

// offerLink starts the connection that a call found missing and answers where to make it. What cannot be connected by a link
// stays the failure that it was.
func (s *Service) offerLink(ctx context.Context, c tenant.Caller, view *View, call ToolCall, missing error) (Outcome, error) {
	tool, ok := view.Catalog.Tool(call.Slug)
	if !ok || len(view.Session.Config.ConnectedAccounts[tool.Toolkit.Slug]) > 0 {
		return Outcome{}, noRetry(missing)
	}
	link, err := s.startLink(ctx, c, view, tool.Toolkit, LinkRequest{Toolkit: tool.Toolkit.Slug, Origin: call.Origin})
	if err != nil {
		return Outcome{}, noRetry(missing)
	}
	text := fmt.Sprintf("%s is not connected yet. Show the user this link to connect it, then call %s again: %s", tool.Toolkit.Name, tool.Slug, link.URL)
	return Outcome{Result: execute.Result{Error: text, LogID: s.newID(id.Log)}, Links: []connect.Link{link}}, nil
}

// runApp runs an app's tool: policy first, then whose account, then the call itself. What offload gives for large data is
// answered in its place; nil answers all data whole.
func (s *Service) runApp(ctx context.Context, c tenant.Caller, view *View, call ToolCall, offload offloadFunc) (execute.Result, error) {
	tool, ok := view.Catalog.Tool(call.Slug)
	if !ok {
		if strings.HasPrefix(call.Slug, customPrefix) {
			return execute.Result{}, runsElsewhere(call.Slug)
		}
		return execute.Result{}, unknownTool(view.Catalog, call.Slug)
	}
	if err := view.Allows(tool); err != nil {
		return execute.Result{}, err
	}
	call = call.naming(tool)
	result, err := s.runner.Run(ctx, project(c), execute.Call{
		Tool:           tool,
		Version:        view.Session.Config.ToolkitVersions[tool.Toolkit.Slug],
		Arguments:      call.Arguments,
		Select:         view.selection(tool.Toolkit.Slug, call.Account),
		SessionID:      view.Session.ID,
		IdempotencyKey: call.IdempotencyKey,
		Origin:         call.Via,
		Offload:        offload,
	})
	if err != nil {
		return execute.Result{}, view.withWayOut(tool.Toolkit, err)
	}
	return result, nil
}

func unknownTool(s *catalog.Snapshot, slug string) error {
	f := fault.New(fault.NotFound, fault.SlugSessionToolNotFound, "There is no tool %q.", slug)
	if nearest := s.NearestTools(slug, 3); len(nearest) > 0 {
		return f.WithFix("Did you mean %s? %s finds tools by what they do.", strings.Join(nearest, ", "), slugSearchTools)
	}
	return f.WithFix("%s finds tools by what they do.", slugSearchTools)
}

// withWayOut tells whoever met a missing connection how this session lets them mend it.
func (v *View) withWayOut(toolkit *catalog.Toolkit, err error) error {
	f := *fault.From(err)
	if f.Slug != fault.SlugNoActiveConnection {
		return err
	}
	f.Code = fault.CodeNoActiveConnection
	f.Fix = v.howToConnect(toolkit)
	return &f
}

// howToConnect is the way out for whoever reads it: a model, or the application that called for one.
func (v *View) howToConnect(toolkit *catalog.Toolkit) string {
	if len(v.Session.Config.ConnectedAccounts[toolkit.Slug]) > 0 {
		return v.modelsWay(toolkit)
	}
	return v.modelsWay(toolkit) + " The application can do it with session.authorize(\"" + toolkit.Slug + "\") or POST /api/v3.1/tool_router/session/{session_id}/link."
}

// modelsWay is what a model can do about a missing connection.
func (v *View) modelsWay(toolkit *catalog.Toolkit) string {
	switch {
	case len(v.Session.Config.ConnectedAccounts[toolkit.Slug]) > 0:
		return "The session pins connected_accounts." + toolkit.Slug + ": that account has to be connected again, or the pin changed (" + howToChange + ")."
	case v.Session.Config.ManageConnections.Enable:
		return "Call " + slugManageConnections + " with toolkits [\"" + toolkit.Slug + "\"] and show the user the link."
	default:
		return "The user has to connect " + toolkit.Name + " in the application first."
	}
}

// runMeta runs a meta tool. Its answer has a log id like any other call's.
func (s *Service) runMeta(ctx context.Context, c tenant.Caller, view *View, call ToolCall) (Outcome, error) {
	tool, err := view.meta(call.Slug)
	if err != nil {
		return Outcome{}, noRetry(err)
	}
	answer, err := tool.run(s, ctx, metaCall{caller: c, view: view, arguments: call.Arguments, ToolCall: call})
	if err != nil {
		return Outcome{}, noRetry(err)
	}
	return Outcome{
		Result: execute.Result{Data: encode(answer.data), Error: answer.error, LogID: s.newID(id.Log)},
		Links:  answer.links,
	}, nil
}

// Proxy sends a raw request to a toolkit's API with the account the session would use. call.Select is filled in here. It is
// for the application: rules about single tools do not reach raw requests, so a session token cannot send any.
func (s *Service) Proxy(ctx context.Context, c tenant.Caller, id, toolkit string, call execute.ProxyCall) (execute.ProxyResult, error) {
	if err := wholeProject(c); err != nil {
		return execute.ProxyResult{}, noRetry(err)
	}
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return execute.ProxyResult{}, noRetry(err)
	}
	kit, err := view.toolkit(toolkit)
	if err != nil {
		return execute.ProxyResult{}, noRetry(err)
	}
	call.Toolkit = kit
	call.Select = view.selection(kit.Slug, "")
	call.SessionID = view.Session.ID
	result, err := s.runner.Proxy(ctx, project(c), call)
	if err != nil {
		return execute.ProxyResult{}, noRetry(view.withWayOut(kit, err))
	}
	return result, nil
}

// toolkit finds a toolkit that the session may use.
func (v *View) toolkit(slug string) (*catalog.Toolkit, error) {
	kit, ok := v.Catalog.Toolkit(slug)
	if !ok {
		f := fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q.", slug)
		if nearest := v.Catalog.NearestToolkits(slug, 3); len(nearest) > 0 {
			return nil, f.WithFix("Did you mean %s?", strings.Join(nearest, ", "))
		}
		return nil, f
	}
	return kit, v.policy.refuseToolkit(kit.Slug)
}
