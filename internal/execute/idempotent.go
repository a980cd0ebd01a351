package execute

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// How a repeat waits for the first call under its key (decision 0033).
const (
	maxKeyLength   = 255
	firstLook      = 50 * time.Millisecond // doubled up to lastLook
	lastLook       = time.Second
	longestLook    = 20 * time.Second
	finishTimeout  = 5 * time.Second
	abandonedAfter = 30 * time.Second // beyond the deadline: the first call's server is gone
)

// runOnce runs a call at most once per idempotency key: a repeat gets the first call's answer, also if its client went away
// meanwhile, which is when clients repeat. A call that did nothing gives its key back.
func (r *Runner) runOnce(ctx context.Context, c tenant.Caller, call Call) (Result, error) {
	key := call.IdempotencyKey
	if len(key) > maxKeyLength {
		return Result{}, fault.New(fault.Invalid, fault.SlugInvalid, "The idempotency key is longer than %d characters.", maxKeyLength).
			WithFix("Use a UUID, made once for each call and kept for its repeats.")
	}
	identity, err := fingerprint(call)
	if err != nil {
		return Result{}, err
	}
	waitCtx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	for look := firstLook; ; look = min(2*look, lastLook) {
		prior, first, err := r.store.BeginIdempotent(ctx, c.ProjectID, key, identity, r.now())
		switch {
		case err != nil:
			return Result{}, err
		case first:
			return r.runFirst(ctx, c, call)
		case prior.Fingerprint != identity:
			return Result{}, fault.New(fault.Conflict, fault.SlugIdempotencyConflict, "The idempotency key was used for another call: another tool, user or other arguments.").
				WithFix("Make a new key for each new call.")
		case prior.Answer != nil:
			return replay(prior.Answer)
		case r.now().Sub(prior.CreatedAt) > r.deadline+abandonedAfter:
			return Result{}, fault.New(fault.Conflict, fault.SlugIdempotencyConflict, "The first call under this idempotency key never finished; the server it ran on may have stopped.").
				WithFix("Look whether it took effect; to call again, use a new key.")
		}
		if !pause(waitCtx, look) {
			if ctx.Err() != nil {
				return Result{}, fault.From(ctx.Err())
			}
			f := fault.New(fault.Conflict, fault.SlugIdempotencyConflict, "The first call under this idempotency key is still running.").
				WithFix("Repeat the same call a little later to get its answer.")
			f.After = lastLook
			return Result{}, f
		}
	}
}

// runFirst runs the call that claimed the key. It goes on when the client goes away, so that the repeat finds an answer.
func (r *Runner) runFirst(ctx context.Context, c tenant.Caller, call Call) (Result, error) {
	ctx = context.WithoutCancel(ctx)
	res, err := r.run(ctx, c, call)
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	if err != nil || res.undone {
		if dropErr := r.store.DropIdempotent(ctx, c.ProjectID, call.IdempotencyKey); dropErr != nil {
			r.log.Error("could not release an idempotency key", "error", dropErr)
		}
		return res, err
	}
	kept, err := json.Marshal(storedResult{Data: res.Data, Error: res.Error, LogID: res.LogID, AccountID: res.AccountID, Status: res.Status, Notes: res.Notes})
	if err == nil {
		err = r.store.FinishIdempotent(ctx, c.ProjectID, call.IdempotencyKey, kept)
	}
	if err != nil { // the caller still gets the answer; a repeat is told that the first call never finished
		r.log.Error("could not keep the answer of an idempotent call", "log_id", res.LogID, "error", err)
	}
	return res, nil
}

// storedResult is a Result as it is kept for replay.
type storedResult struct {
	Data      json.RawMessage `json:"data"`
	Error     string          `json:"error,omitempty"`
	LogID     string          `json:"log_id"`
	AccountID string          `json:"account_id,omitempty"`
	Status    int             `json:"status,omitempty"`
	Notes     []string        `json:"notes,omitempty"`
}

func replay(kept []byte) (Result, error) {
	var s storedResult
	if err := json.Unmarshal(kept, &s); err != nil {
		return Result{}, err
	}
	return Result{Data: s.Data, Error: s.Error, LogID: s.LogID, AccountID: s.AccountID, Status: s.Status, Notes: s.Notes, Replayed: true}, nil
}

// fingerprint identifies a call: the same tool for the same user and account, or with the same credential of the caller's own,
// with the same arguments.
func fingerprint(call Call) (string, error) {
	parts := []any{
		call.Tool.Slug, call.Version, call.Select.UserID, call.Select.AccountID, call.Select.Account, call.SessionID, call.Arguments,
	}
	if c := call.Custom; c != nil {
		fields := make(map[string]string, len(c.Fields))
		for name, v := range c.Fields {
			fields[name] = v.Reveal()
		}
		parts = append(parts, c.BaseURL, c.Header, c.Query, c.Body, c.Scheme, fields)
	}
	text, err := mapping.EncodeJSON(parts)
	if err != nil {
		return "", fault.New(fault.Invalid, fault.SlugInvalidArguments, "The arguments are not JSON.").Because(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
