package execute

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// failure is a call that reached for the provider and did not succeed: what was answered, or that nothing was. It becomes
// Result.Error.
type failure struct {
	status  int
	message string // what happened, in whole sentences, with the provider's words
	fix     string // how to mend it
	data    []byte // what came in spite of it
	cause   error  // for the log

	reconnect bool          // the credential was refused
	slowDown  bool          // the provider is busy or wants fewer requests
	after     time.Duration // how long it wants to be left alone; zero when it did not say
	unsent    bool          // nothing left this server
	broken    bool          // the connection broke after the request was sent
}

func (f *failure) Error() string { return f.text() }

func (f *failure) Unwrap() error { return f.cause }

// text is what the caller reads.
func (f *failure) text() string {
	return strings.TrimSpace(f.message + " " + f.fix)
}

// certain reports whether the provider surely did nothing, so that the same call may be made again.
func (f *failure) certain() bool {
	return f.unsent || f.reconnect || f.status == http.StatusTooManyRequests || f.status == http.StatusUnauthorized
}

// judge reads an answer by the toolkit's rules. It gives a *failure for one that is not a success, else nil.
func (x *execution) judge(a *answer, e exchange) error {
	rules := &x.toolkit.Errors
	if a.status < 200 || a.status >= 300 {
		a.format = "" // errors come as they come
		return x.failureOf(a, e)
	}
	if e.graphql != nil {
		if err := x.judgeGraphQL(a, e); err != nil || a.failed != nil {
			return err
		}
	}
	if rules.FailedWhen == nil {
		return nil
	}
	if !a.readable() {
		return x.unreadable(a)
	}
	env := a.env(e.env)
	failed, err := rules.FailedWhen.True(&env)
	if err != nil || !failed {
		return err
	}
	return x.failureOf(a, e)
}

// failureOf is refusal as an error.
func (x *execution) failureOf(a *answer, e exchange) error {
	f, err := x.refusal(a, e)
	if err != nil {
		return err
	}
	return f
}

// refusal makes a failure of an answer that says no.
func (x *execution) refusal(a *answer, e exchange) (*failure, error) {
	rules := &x.toolkit.Errors
	env := a.env(e.env)
	f := &failure{status: a.status, after: retryAfter(a.header, x.now())}
	var err error
	f.reconnect = slices.Contains(rules.ReconnectOn, a.status) || len(rules.ReconnectOn) == 0 && a.status == http.StatusUnauthorized
	if !f.reconnect && rules.Reconnect != nil {
		if f.reconnect, err = rules.Reconnect.True(&env); err != nil {
			return nil, err
		}
	}
	f.slowDown = busy(a.status)
	if !f.slowDown && rules.RateLimited != nil {
		if f.slowDown, err = rules.RateLimited.True(&env); err != nil {
			return nil, err
		}
	}
	if f.slowDown && f.after == 0 && rules.RetryAfter != nil {
		v, err := rules.RetryAfter.Eval(&env)
		if err != nil {
			return nil, err
		}
		f.after = secondsToWait(asFloat(v))
	}
	f.message = x.service() + " answered " + statusText(a.status)
	if a.status < 300 { // the toolkit's rule says that it failed, and "200 OK" would confuse
		f.message = x.service() + " refused the call"
	}
	if said := x.said(a); said != "" {
		f.message += ": " + said
	}
	f.message = sentence(f.message)
	f.fix = x.advice(f)
	return f, nil
}

// busy reports whether a status asks to come again.
func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// advice says how to mend a failure: what the tool or its toolkit knows about the status goes before the general.
func (x *execution) advice(f *failure) string {
	if x.tool != nil {
		if own := x.detail.Advice[f.status]; own != "" {
			return own
		}
	}
	if own := x.toolkit.Errors.Advice[f.status]; own != "" {
		return own
	}
	switch {
	case f.slowDown && f.after > 0:
		return "Call again in " + f.after.Round(time.Second).String() + "."
	case f.slowDown:
		return "Call again a little later."
	}
	switch f.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "Change the arguments as the message says and call again."
	case http.StatusUnauthorized:
		return "The connection was not accepted."
	case http.StatusForbidden:
		return x.forbiddenAdvice()
	case http.StatusNotFound:
		return "Check ids and names. Many services also answer 404 for what the account may not see."
	case http.StatusConflict:
		return "Read the present state first, then decide what to change."
	case http.StatusGone:
		return "It is gone for good."
	case http.StatusRequestEntityTooLarge:
		return "Send less at once."
	}
	if f.status >= 500 {
		return "The fault is with the service. " + x.outcomeUnknown()
	}
	return ""
}

// reconnectFailure is what a refused credential comes to when no fresh one helps. Looking at the account again tells whether
// it is dead, which package connect has found out meanwhile, or whether it may merely not do this.
func (x *execution) reconnectFailure(ctx context.Context, f *failure) *failure {
	switch {
	case x.account.ID != "":
		sel := x.sel
		sel.AccountID = x.account.ID
		if _, err := x.accounts.Select(ctx, x.caller, sel); err != nil && !fault.Is(fault.From(err), fault.Internal) {
			dead := fault.From(err)
			f.message, f.fix = f.message+" "+dead.Message, dead.Fix
			return f
		}
		f.fix = "The connected account " + x.account.ID + " still works otherwise. " + x.forbiddenAdvice()
	case x.custom != nil:
		f.fix = "The credential that came with the call was not accepted."
	default:
		f.fix = "This tool is declared to need no account, and the service wants one."
	}
	return f
}

// said is the provider's own explanation, as the toolkit's rules find it or else where services usually put it.
func (x *execution) said(a *answer) string {
	body := a.decode()
	for _, at := range x.toolkit.Errors.Message {
		if text := mapping.AsText(at.Get(body)); text != "" {
			return withDetails(text, body)
		}
	}
	switch body := body.(type) {
	case map[string]any:
		return withDetails(usualMessage(body), body)
	case string:
		return clip(strings.Join(strings.Fields(body), " "), maxSaid)
	}
	if a.html {
		return "a web page" + titled(a.body)
	}
	return ""
}

const maxSaid = 600 // characters of a provider's words

// usualMessage looks where most services put their message.
func usualMessage(body map[string]any) string {
	for _, name := range []string{"message", "error_description", "error_message", "detail", "title", "msg", "reason", "error", "errors"} {
		switch v := body[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case map[string]any:
			if text := usualMessage(v); text != "" {
				return text
			}
		case []any:
			if len(v) > 0 {
				return messageOf(v[0])
			}
		}
	}
	return ""
}

func messageOf(v any) string {
	if m, ok := v.(map[string]any); ok {
		if text := usualMessage(m); text != "" {
			return text
		}
	}
	return mapping.AsText(v)
}

// withDetails adds the list of single faults that validation errors usually carry.
func withDetails(text string, body any) string {
	text = clip(strings.Join(strings.Fields(text), " "), maxSaid)
	m, _ := body.(map[string]any)
	for _, name := range []string{"errors", "details", "fieldErrors", "violations"} {
		switch v := m[name].(type) {
		case []any, map[string]any:
			if detail := mapping.AsText(v); len(detail) > len(`[""]`) && !strings.Contains(detail, strconv.Quote(text)+"]") {
				return text + " " + clip(detail, maxSaid)
			}
		}
	}
	return text
}

// unreadable is an answer that says it succeeded and cannot be read.
func (x *execution) unreadable(a *answer) *failure {
	f := &failure{status: a.status, message: x.service() + " answered " + statusText(a.status)}
	switch {
	case a.html:
		f.message += " with a web page" + titled(a.body) + " where data was expected."
		f.fix = "The base URL may be wrong, or a login or maintenance page stands in between. " + x.acceptedNote(a.status)
	default:
		f.message += " with broken JSON."
		f.fix = x.acceptedNote(a.status)
	}
	return f
}

// failureAfter makes a failure of an error that came up when the provider had already been asked.
func (x *execution) failureAfter(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		var f *failure
		if errors.As(x.interrupted(ctx), &f) {
			return f
		}
	}
	f := fault.From(err)
	if f.Kind == fault.Internal {
		x.log.Error("a call failed after its provider was asked", "tool", x.entry.Tool, "log_id", x.entry.ID, "error", err)
	}
	return &failure{message: f.Message, fix: strings.TrimSpace(f.Fix + " " + x.laterNote()), cause: err}
}

// laterNote warns that earlier requests of a call may have taken effect.
func (x *execution) laterNote() string {
	if x.tool == nil || x.tool.Hints.Read {
		return ""
	}
	return "An earlier request of this call was already sent."
}

func statusText(status int) string {
	if name := http.StatusText(status); name != "" {
		return strconv.Itoa(status) + " " + name
	}
	return strconv.Itoa(status)
}

func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

func asFloat(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	case string:
		f, _ := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f
	default:
		return 0
	}
}
