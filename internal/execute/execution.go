package execute

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// execution is the state of one call on its way through the phases.
type execution struct {
	*Runner
	caller  tenant.Caller
	toolkit *catalog.Toolkit
	tool    *catalog.Tool   // nil for a proxied request
	detail  *catalog.Detail // of the tool
	sel     connect.Selection
	custom  *CustomAuth

	account connect.ConnectedAccount
	auth    authState
	env     mapping.Env
	notes   []string // what was left out, beside what the arguments say
	entry   LogEntry
	reached atomic.Bool  // a request was on its way: the provider may have acted
	wrote   atomic.Bool  // a request that changes something succeeded
	status  atomic.Int32 // HTTP status of the newest answer
	waited  atomic.Int64 // nanoseconds spent on the provider
}

// authState is the credential of a call. Steps that run side by side share it, so that one refusal refreshes it once.
type authState struct {
	mu       sync.Mutex
	cred     connect.Credential
	turn     int  // raised when the credential is replaced
	finished bool // the account was found dead, or a fresh credential was refused too
}

func (r *Runner) newExecution(c tenant.Caller, t *catalog.Toolkit, sel connect.Selection, custom *CustomAuth) *execution {
	now := r.now()
	return &execution{
		Runner: r, caller: c, toolkit: t, sel: sel, custom: custom, env: mapping.Env{Now: now},
		entry: LogEntry{
			ID: id.New(id.Log), ProjectID: c.ProjectID, RequestID: c.RequestID, UserID: sel.UserID, Toolkit: t.Slug, StartedAt: now,
		},
	}
}

// authorize finds the credential: the caller's own, or a chosen account's, or none where none is needed.
func (x *execution) authorize(ctx context.Context, noAuth bool) error {
	if x.custom != nil {
		return x.authorizeCustom(ctx)
	}
	if noAuth || x.toolkit.NoAuth() {
		return nil
	}
	account, err := x.accounts.Select(ctx, x.caller, x.sel)
	if err != nil {
		return err
	}
	x.account = account
	x.entry.AccountID, x.entry.AuthConfig, x.entry.UserID = account.ID, account.AuthConfigID, or(x.sel.UserID, account.UserID)
	cred, err := x.accounts.Credential(ctx, x.caller, account)
	if err != nil {
		return err
	}
	x.auth.cred, x.env.Fields = cred, cred.Fields
	return nil
}

// credential gives the credential to use now, and its turn for rejected.
func (x *execution) credential() (connect.Credential, int) {
	x.auth.mu.Lock()
	defer x.auth.mu.Unlock()
	return x.auth.cred, x.auth.turn
}

// rejected handles a credential that the provider refused and reports whether another try makes sense. A call tries a fresh
// credential once.
func (x *execution) rejected(ctx context.Context, turn int) bool {
	if x.account.ID == "" {
		return false
	}
	x.auth.mu.Lock()
	defer x.auth.mu.Unlock()
	switch {
	case x.auth.turn != turn: // another request of this call was quicker
		return true
	case x.auth.finished:
		return false
	}
	again, err := x.accounts.Rejected(ctx, x.caller, x.account, x.auth.cred)
	var cred connect.Credential
	if err == nil && again {
		cred, err = x.accounts.Credential(ctx, x.caller, x.account)
	}
	x.auth.finished = true // one fresh credential is enough, whether it comes or not
	if err != nil {
		x.log.Warn("could not renew a refused credential", "account", x.account.ID, "toolkit", x.toolkit.Slug, "error", err)
		return false
	}
	if again {
		x.auth.cred, x.auth.turn = cred, turn+1
	}
	return again
}

// note tells the reader of the answer something that the data does not say. Steps run one after the other, so it needs no
// lock.
func (x *execution) note(text string) { x.notes = append(x.notes, text) }

// logOutcome adds the call to the log.
func (x *execution) logOutcome(failed string, err error) {
	e := &x.entry
	e.Status = Succeeded
	e.Took = x.now().Sub(e.StartedAt)
	e.Upstream = int(x.status.Load())
	e.UpstreamFor = min(e.Took, time.Duration(x.waited.Load())) // requests side by side add up to more
	switch {
	case err != nil:
		// Details and fixes repeat arguments; the message of an argument fault does too.
		f := fault.From(err)
		e.Status, e.Error = Failed, f.Message
		if f.Slug == fault.SlugInvalidArguments {
			e.Error = "Invalid arguments."
		}
	case failed != "":
		e.Status, e.Error = Failed, failed
	}
	e.Error = clip(storable(string(x.redact([]byte(e.Error)))), 500)
	x.entries.add(*e)
	x.called(*e)
}

// redact takes the call's credential out of a text that came from outside: some services repeat what they were sent.
func (x *execution) redact(text []byte) []byte {
	x.auth.mu.Lock()
	defer x.auth.mu.Unlock()
	text = redactAll(text, x.auth.cred)
	if x.toolkit.Program != nil {
		for _, v := range x.programs.options.secrets(x.toolkit) {
			text = replaceSecret(text, v.Reveal())
		}
	}
	if x.custom != nil {
		for _, v := range x.custom.Header {
			text = redactOne(text, v)
		}
		for _, v := range x.custom.Query {
			text = redactOne(text, v)
		}
	}
	return text
}

// redactAll removes what a credential puts on requests, but for connection fields among it: a region in a header is no secret
// and stands in many answers.
func redactAll(text []byte, cred connect.Credential) []byte {
	for _, values := range []map[string]secret.Value{cred.Header, cred.Query, cred.Env} {
		for _, v := range values {
			if !isField(cred, v.Reveal()) {
				text = redactOne(text, v.Reveal())
			}
		}
	}
	for _, v := range cred.Carried() {
		text = redactOne(text, v.Reveal())
	}
	return text
}

func isField(cred connect.Credential, value string) bool {
	for _, v := range cred.Fields {
		if v == value {
			return true
		}
	}
	return false
}

// redactOne removes a header value and the token in it. Short values are left alone: they would be found everywhere.
func redactOne(text []byte, value string) []byte {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok {
		token = value
	}
	text = replaceSecret(text, token)
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(token); err == nil {
			user, password, _ := strings.Cut(string(plain), ":")
			if len(password) < shortestSecret { // the key is in the user's place
				password = user
			}
			text = replaceSecret(text, password)
		}
	}
	return text
}

const shortestSecret = 8

// replaceSecret removes a secret in the forms in which services quote what they were sent: as it is, as in a form or a query,
// and as in JSON that escapes slashes.
func replaceSecret(text []byte, token string) []byte {
	if len(token) < shortestSecret {
		return text
	}
	for _, written := range [...]string{token, url.QueryEscape(token), strings.ReplaceAll(token, "/", `\/`)} {
		if bytes.Contains(text, []byte(written)) {
			text = bytes.ReplaceAll(text, []byte(written), []byte("[redacted]"))
		}
	}
	return text
}

var errDeadline = errors.New("the call's own deadline passed")

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
