package session

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

const (
	maxBatch    = 50
	maxParallel = 10
)

// multiAnswer is the data of COMPOSIO_MULTI_EXECUTE_TOOL.
type multiAnswer struct {
	Results   []multiResult `json:"results"`
	Total     int           `json:"total_count"`
	Succeeded int           `json:"success_count"`
	Failed    int           `json:"error_count"`
	NextSteps string        `json:"next_steps,omitempty"`
	Session   *workflowEcho `json:"session,omitempty"`
}

// multiResult is one tool's answer. Response is null when it failed, Error is null when it did not.
type multiResult struct {
	Index    int            `json:"index"` // from 0
	Slug     string         `json:"tool_slug"`
	Response *multiResponse `json:"response"`
	Error    *string        `json:"error"`

	slug string // of the fault, to advise on
}

type multiResponse struct {
	Data       json.RawMessage `json:"data"`
	Error      *string         `json:"error"`
	Successful bool            `json:"successful"`
	LogID      string          `json:"log_id"`
	Notes      []string        `json:"notes,omitempty"` // what was changed or left out of the arguments
}

// multiExecute is COMPOSIO_MULTI_EXECUTE_TOOL: independent calls at the same time, each under the session's policy, each
// with its own result. Equal calls are not merged: the model may mean both.
func (s *Service) multiExecute(ctx context.Context, call metaCall) (metaAnswer, error) {
	calls, err := call.batch()
	if err != nil {
		return metaAnswer{}, err
	}
	notes, err := call.notes()
	if err != nil {
		return metaAnswer{}, err
	}
	results := make([]multiResult, len(calls))
	var group sync.WaitGroup
	slots := make(chan struct{}, maxParallel)
	for i, one := range calls {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			results[i] = s.runOne(ctx, call, i, one)
		})
	}
	toKnow := s.takeNotes(ctx, call, notes) // while the calls run
	group.Wait()

	answer := multiAnswer{Results: results, Total: len(results), NextSteps: toKnow, Session: echoWorkflow(call.workflow())}
	for _, r := range results {
		if r.Error == nil {
			answer.Succeeded++
		} else {
			answer.Failed++
		}
	}
	if answer.Failed == 0 {
		return metaAnswer{data: answer}, nil
	}
	answer.NextSteps = strings.TrimSpace(advice(results, call.view) + " " + toKnow)
	return metaAnswer{data: answer, error: fmt.Sprintf("%d out of %d tools failed", answer.Failed, answer.Total)}, nil
}

// batch reads the calls out of whatever the model sent.
func (c metaCall) batch() ([]ToolCall, error) {
	items := c.arguments.objects("tool_slug", "tools", "tool", "calls")
	if len(items) == 0 && c.arguments.text("tool_slug", "slug") != "" { // one call, not wrapped in a list
		items = []arguments{c.arguments}
	}
	if len(items) == 0 || len(items) > maxBatch {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "tools must have 1 to %d entries, and it has %d.", maxBatch, len(items)).
			WithFix("Send tools as a list of objects with tool_slug and arguments.")
	}
	calls := make([]ToolCall, len(items))
	for i, item := range items {
		calls[i] = ToolCall{
			Slug:      strings.ToUpper(item.text("tool_slug", "slug", "tool", "name")),
			Arguments: item.object("arguments", "args", "input", "parameters", "params"),
			Account:   item.text("account", "connected_account", "connected_account_id"),
			Offload:   c.Offload,
			Origin:    c.Origin,
			Via:       c.Via,
		}
		if calls[i].Arguments == nil {
			calls[i].Arguments = map[string]any{}
		}
		if c.IdempotencyKey != "" {
			calls[i].IdempotencyKey = c.IdempotencyKey + "#" + strconv.Itoa(i)
		}
	}
	return calls, nil
}

// runOne runs one call of a batch. Whatever happens to it stays in its own result.
func (s *Service) runOne(ctx context.Context, outer metaCall, index int, call ToolCall) (r multiResult) {
	r = multiResult{Index: index, Slug: call.Slug}
	defer func() {
		if p := recover(); p != nil { // a goroutine of ours: nobody above would catch it
			s.log.ErrorContext(ctx, "tool call panicked", "tool", call.Slug, "panic", p, "stack", string(debug.Stack()))
			r.fail(fault.From(fmt.Errorf("panic: %v", p)))
		}
	}()
	if IsMetaTool(call.Slug) {
		r.fail(fault.New(fault.Invalid, fault.SlugInvalid, "%s is not an app's tool.", call.Slug).WithFix("Call it by itself."))
		return r
	}
	if err := ctx.Err(); err != nil {
		r.fail(fault.From(err))
		return r
	}
	var offload offloadFunc
	if call.Offload {
		offload = outer.view.preview
	}
	result, err := s.runApp(ctx, outer.caller, outer.view, call, offload)
	switch {
	case err != nil:
		s.report(ctx, call.Slug, err)
		r.fail(outer.view.forModel(call.Slug, fault.From(err)))
	case result.Error != "":
		r.Error = &result.Error
	default:
		r.Response = &multiResponse{Data: result.Data, Successful: true, LogID: result.LogID, Notes: result.Notes}
	}
	return r
}

func (r *multiResult) fail(f *fault.Error) {
	text := inOne(f)
	r.Error, r.slug = &text, f.Slug
}

// forModel leaves out of a fault what only the application can do, where the model has a way of its own.
func (v *View) forModel(slug string, f *fault.Error) *fault.Error {
	tool, ok := v.Catalog.Tool(slug)
	if !ok || f.Slug != fault.SlugNoActiveConnection {
		return f
	}
	mine := *f
	mine.Fix = v.modelsWay(tool.Toolkit)
	return &mine
}

// inOne says a fault in one text for a model: what, every single fault, how to mend it.
func inOne(f *fault.Error) string {
	text := f.Message
	for _, detail := range f.Details {
		if !strings.Contains(text, detail) {
			text += "\n- " + detail
		}
	}
	if f.Fix == "" {
		return text
	}
	if len(f.Details) > 0 {
		return text + "\n" + f.Fix
	}
	return text + " " + f.Fix
}

// report writes to the log what a model is not told in full.
func (s *Service) report(ctx context.Context, slug string, err error) {
	if fault.From(err).Kind == fault.Internal {
		s.log.ErrorContext(ctx, "tool call failed", "tool", slug, "error", err)
	}
}

// advice says what to do about failures.
func advice(results []multiResult, v *View) string {
	unconnected := false
	for _, r := range results {
		unconnected = unconnected || r.slug == fault.SlugNoActiveConnection
	}
	text := "Mend what the errors say and repeat only the calls that failed."
	if unconnected && v.Session.Config.ManageConnections.Enable {
		text = "Have the user connect what is not connected with " + slugManageConnections + ". " + text
	}
	return text
}
