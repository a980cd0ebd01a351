package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

var connectionRequestBehaviours = behaviours{
	"a request comes back whole":             requestWhole,
	"a request is found by its state":        requestByState,
	"a request is used once":                 requestOnce,
	"accounts whose request ended expire":    requestsExpired,
	"requests that ended long ago are gone":  requestsForgotten,
	"requests of a clock that was wrong end": requestsOfAWrongClock,
	"an empty state finds nothing":           requestNoState,
	"a request belongs to one account alone": requestFixed,
	"a request is found by the claim to it":  requestByClaim,
	"what was held is forgotten in time":     requestForgetsHeld,
	"requests of an account are ended":       requestsEnded,
}

// aRequest has something in every field, and is for the account ca_1.
func aRequest(name, projectID string) connect.ConnectionRequest {
	return connect.ConnectionRequest{
		TokenHash: "token " + name, StateHash: "state " + name, ProjectID: projectID, AccountID: "ca_1", UserID: "user of ca_1",
		CallbackURL: "https://app.example/done?x=1", RedirectURI: "https://patchbay.example/callback",
		Verifier: secret.Hide("verifier " + name), Browser: "cookie hash", Prefill: connect.Fields{"subdomain": secret.Hide("acme")},
		ClaimHash: "claim " + name, Held: secret.Hide("held " + name),
		CreatedAt: start, ExpiresAt: start.Add(10 * time.Minute), FinishedAt: start.Add(time.Minute),
	}
}

// withAccount stores the account that aRequest is for.
func (f *fixture) withAccount(t *testing.T) {
	t.Helper()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(t.Context(), anAccount("ca_1", ours)))
	f.news()
}

func requestWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	want := aRequest("1", ours)
	must(t, f.CreateRequest(ctx, want))
	same(t, "read", got(f.RequestByToken(ctx, "token 1"))(t), want)
	wantKind(t, "same token", f.CreateRequest(ctx, want), fault.Conflict)
	_, err := f.RequestByToken(ctx, "token none")
	wantKind(t, "unknown token", err, fault.NotFound)

	bare := connect.ConnectionRequest{TokenHash: "bare", ProjectID: ours, AccountID: "ca_1"}
	must(t, f.CreateRequest(ctx, bare))
	same(t, "bare", got(f.RequestByToken(ctx, "bare"))(t), bare)
}

func requestByState(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	without := aRequest("1", ours)
	without.StateHash = ""
	must(t, f.CreateRequest(ctx, without))
	must(t, f.CreateRequest(ctx, aRequest("2", ours)))
	want := without
	want.StateHash = "state set later"
	after := got(f.UpdateRequest(ctx, "token 1", func(r *connect.ConnectionRequest) error { r.StateHash = want.StateHash; return nil }))(t)
	same(t, "given back", after, want)
	same(t, "found", got(f.RequestByState(ctx, want.StateHash))(t), want)
	_, err := f.UpdateRequest(ctx, "token 1", func(r *connect.ConnectionRequest) error { r.StateHash = "state 2"; return nil })
	wantKind(t, "another's state", err, fault.Conflict)
}

func requestNoState(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	for _, name := range []string{"1", "2"} {
		r := aRequest(name, ours)
		r.StateHash = ""
		must(t, f.CreateRequest(ctx, r))
	}
	_, err := f.RequestByState(ctx, "")
	wantKind(t, "find", err, fault.NotFound)
}

func requestByClaim(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	without := aRequest("2", ours)
	without.ClaimHash = ""
	must(t, f.CreateRequest(ctx, without))
	same(t, "found", got(f.RequestByClaim(ctx, ours, "claim 1"))(t), aRequest("1", ours))
	for what, q := range map[string][2]string{"another project's": {theirs, "claim 1"}, "unknown": {ours, "claim 3"}, "empty": {ours, ""}} {
		_, err := f.RequestByClaim(ctx, q[0], q[1])
		wantKind(t, what, err, fault.NotFound)
	}
}

func requestsEnded(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	must(t, f.CreateAccount(ctx, anAccount("ca_2", ours)))
	open := func(name string) connect.ConnectionRequest {
		r := aRequest(name, ours)
		r.FinishedAt = time.Time{}
		return r
	}
	one, other := open("1"), open("of another account")
	other.AccountID = "ca_2"
	finished := aRequest("finished", ours)
	over := open("over")
	over.ExpiresAt = start
	for _, r := range []connect.ConnectionRequest{one, other, finished, over} {
		must(t, f.CreateRequest(ctx, r))
	}
	now := start.Add(time.Second)
	if n := got(f.EndRequests(ctx, theirs, "ca_1", now))(t); n != 0 {
		t.Errorf("another project ended %d", n)
	}
	_, err := f.UpdateRequest(ctx, one.TokenHash, func(*connect.ConnectionRequest) error { // as it is being finished
		if n := got(f.EndRequests(ctx, ours, "ca_1", now))(t); n > 1 {
			t.Errorf("%d requests were ended, one was open", n)
		}
		return nil
	})
	if err != nil {
		t.Errorf("an update in between: %v", err)
	}
	ended := one
	ended.StateHash, ended.ClaimHash, ended.Verifier, ended.Held, ended.Prefill, ended.ExpiresAt = "", "", secret.Value{}, secret.Value{}, nil, now
	same(t, "the open one", got(f.RequestByToken(ctx, one.TokenHash))(t), ended)
	for _, r := range []connect.ConnectionRequest{other, finished, over} {
		same(t, r.TokenHash, got(f.RequestByToken(ctx, r.TokenHash))(t), r)
	}
	if n := got(f.EndRequests(ctx, ours, "ca_1", now))(t); n != 0 {
		t.Errorf("%d were ended twice", n)
	}
}

func requestForgetsHeld(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	want := aRequest("1", ours)
	must(t, f.CreateRequest(ctx, want))
	got(f.ExpireRequests(ctx, want.ExpiresAt.Add(-time.Microsecond), never, ""))(t)
	same(t, "in time", got(f.RequestByToken(ctx, "token 1"))(t), want)
	got(f.ExpireRequests(ctx, want.ExpiresAt, never, ""))(t)
	want.ClaimHash, want.Held, want.Prefill = "", secret.Value{}, nil
	same(t, "too late", got(f.RequestByToken(ctx, "token 1"))(t), want)
}

func requestOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	fresh := aRequest("1", ours)
	fresh.FinishedAt = time.Time{}
	must(t, f.CreateRequest(ctx, fresh))
	var used atomic.Int32
	for i, err := range together(8, func(int) error {
		_, err := f.UpdateRequest(ctx, "token 1", func(r *connect.ConnectionRequest) error {
			if !r.FinishedAt.IsZero() {
				return errRefused
			}
			r.FinishedAt = start.Add(time.Second)
			return nil
		})
		if err == nil {
			used.Add(1)
		}
		return err
	}) {
		if err != nil && err != errRefused {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	same(t, "used", used.Load(), int32(1))
	_, err := f.UpdateRequest(ctx, "token none", func(*connect.ConnectionRequest) error { return nil })
	wantKind(t, "unknown token", err, fault.NotFound)
}

func requestFixed(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	after := got(f.UpdateRequest(ctx, "token 1", func(r *connect.ConnectionRequest) error {
		r.TokenHash, r.ProjectID, r.AccountID = "token 2", theirs, "ca_2"
		return nil
	}))(t)
	same(t, "given back", after, aRequest("1", ours))
	same(t, "read", got(f.RequestByToken(ctx, "token 1"))(t), aRequest("1", ours))
}

func requestsExpired(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAuthConfig(t, ours)
	end := start.Add(10 * time.Minute)
	account := func(id string, status connect.Status) {
		a := anAccount(id, ours)
		a.Status = status
		must(t, f.CreateAccount(ctx, a))
	}
	request := func(name, accountID string, expires, finished time.Time) {
		r := aRequest(name, ours)
		r.AccountID, r.ExpiresAt, r.FinishedAt = accountID, expires, finished
		must(t, f.CreateRequest(ctx, r))
	}
	account("ca_never_opened", connect.Initializing)
	request("1", "ca_never_opened", end, time.Time{})
	account("ca_half_way", connect.Initiated)
	request("2", "ca_half_way", end, time.Time{})
	account("ca_reconnecting", connect.Active)
	request("3", "ca_reconnecting", end, time.Time{})
	account("ca_second_try", connect.Initializing)
	request("4", "ca_second_try", end, time.Time{})
	request("5", "ca_second_try", end.Add(time.Minute), time.Time{})
	account("ca_cut_off", connect.Initiated)
	request("6", "ca_cut_off", end, start)
	account("ca_no_request", connect.Initializing)
	f.news()

	same(t, "before the end", len(got(f.ExpireRequests(ctx, end.Add(-time.Microsecond), never, "too late"))(t)), 0)
	same(t, "at the end", len(got(f.ExpireRequests(ctx, end, never, "too late"))(t)), 3)
	same(t, "news", len(f.news()), 3)
	same(t, "again", len(got(f.ExpireRequests(ctx, end, never, "too late"))(t)), 0)

	for id, want := range map[string]connect.Status{
		"ca_never_opened": connect.Expired, "ca_half_way": connect.Expired, "ca_reconnecting": connect.Active,
		"ca_second_try": connect.Initializing, "ca_cut_off": connect.Expired, "ca_no_request": connect.Initializing,
	} {
		same(t, id, got(f.Account(ctx, ours, id))(t).Status, want)
	}
	expired := got(f.Account(ctx, ours, "ca_half_way"))(t)
	want := anAccount("ca_half_way", ours)
	want.Status, want.StatusReason, want.UpdatedAt, want.Version = connect.Expired, "too late", end, 2
	same(t, "expired", expired, want)

	same(t, "second try ends", len(got(f.ExpireRequests(ctx, end.Add(time.Minute), never, "too late"))(t)), 1)
	same(t, "news of it", f.news(), []notify.Change{{Kind: notify.ConnectedAccount, ID: "ca_second_try", Owner: "user of ca_second_try"}})
}

// requestsOfAWrongClock ends what would live on for as long as a clock was turned back.
func requestsOfAWrongClock(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	end := aRequest("1", ours).ExpiresAt
	same(t, "not too far off", len(got(f.ExpireRequests(ctx, start, end, "wrong"))(t)), 0)
	got(f.UpdateAccount(ctx, ours, "ca_1", func(a *connect.ConnectedAccount) error { a.Status = connect.Initiated; return nil }))(t)
	changes := got(f.ExpireRequests(ctx, start.Add(-24*time.Hour), end.Add(-24*time.Hour), "wrong"))(t)
	same(t, "too far off", changes, []connect.StatusChange{{ProjectID: ours, AccountID: "ca_1", Before: connect.Initiated}})
}

func requestsForgotten(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withAccount(t)
	must(t, f.CreateRequest(ctx, aRequest("1", ours)))
	got(f.ExpireRequests(ctx, start.Add(24*time.Hour), never, ""))(t)
	got(f.RequestByToken(ctx, "token 1"))(t)
	got(f.ExpireRequests(ctx, start.Add(31*24*time.Hour), never, ""))(t)
	_, err := f.RequestByToken(ctx, "token 1")
	wantKind(t, "a month later", err, fault.NotFound)
}

// never is when no request of the tests can end.
var never = start.Add(1000 * time.Hour)
