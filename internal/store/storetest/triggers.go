package storetest

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

var triggerBehaviours = behaviours{
	"an instance comes back whole":                      instanceWhole,
	"an account has an instance once":                   instanceOnce,
	"an instance needs its account, and goes with it":   instanceOrphan,
	"an instance changes in one step with its events":   instanceUpdated,
	"instances are listed by filter and by page":        instancesListed,
	"another project's instance does not exist":         instanceForeign,
	"a due poll is leased to one":                       pollLeased,
	"a poll is stored with what it found, or not":       pollFinished,
	"an endpoint comes back whole":                      endpointWhole,
	"an app has one endpoint":                           endpointOnce,
	"an instance's own endpoint goes with it":           endpointOwned,
	"a call is taken once":                              callOnce,
	"old calls are forgotten":                           callsForgotten,
	"a call like another is news when its time is over": callsAlike,
}

// anInstanceOf has something in every field, and watches the account ca_1.
func anInstanceOf(id, projectID string) trigger.Instance {
	return trigger.Instance{
		ID: id, ProjectID: projectID, UserID: "user_7", Toolkit: "github", Trigger: "GITHUB_NEW_THING", Kind: "poll",
		AccountID: "ca_1", AuthConfigID: "ac_1", Config: map[string]any{"owner": id, "number": 9007199254740993, "share": 0.5},
		Status: trigger.Paused, Reason: trigger.ConnectionExpired, Why: "because", StoppedAt: start, EndpointID: "we_1",
		Hook: map[string]any{"id": "h1", "list": []any{1, "two"}},
		Position: trigger.Position{
			Began: true, Since: start, Mark: 9007199254740993, Seen: []string{"a", "b"},
			Sweep: &trigger.Sweep{Page: 2, Newest: start, Mark: "m", Keys: []string{"c"}},
		},
		Failures: 2, DueAt: start.Add(time.Minute), LookedAt: start.Add(time.Second), CreatedAt: start, UpdatedAt: start.Add(time.Second), Version: 1,
	}
}

func (f *fixture) withWatched(t *testing.T) {
	t.Helper()
	f.withAuthConfig(t, ours)
	must(t, f.CreateAccount(t.Context(), anAccount("ca_1", ours)))
}

func anEventOf(key string) event.Event {
	return event.Event{ProjectID: ours, Key: key, Type: event.TriggerMessage, TriggerID: "ti_1", Data: json.RawMessage(`{"k":"` + key + `"}`)}
}

func (f *fixture) eventKeys(t *testing.T) []string {
	t.Helper()
	keys := []string{}
	for _, e := range got(f.EventsAfter(t.Context(), ours, 0, 100))(t) {
		keys = append(keys, e.Key)
	}
	return keys
}

func instanceWhole(t *testing.T, f *fixture) {
	f.withWatched(t)
	want := anInstanceOf("ti_1", ours)
	must(t, f.CreateInstance(t.Context(), want, nil))
	same(t, "read", got(f.Instance(t.Context(), ours, "ti_1"))(t), want)
	same(t, "found", got(f.InstanceLike(t.Context(), ours, "ca_1", want.Trigger, want.Fingerprint()))(t), want)
	bare := trigger.Instance{ID: "ti_2", ProjectID: ours, AccountID: "ca_1", Status: trigger.Active, CreatedAt: start, UpdatedAt: start, Version: 1}
	must(t, f.CreateInstance(t.Context(), bare, nil))
	same(t, "bare", got(f.Instance(t.Context(), ours, "ti_2"))(t), bare)
}

func instanceOnce(t *testing.T, f *fixture) {
	f.withWatched(t)
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), nil))
	same2 := anInstanceOf("ti_2", ours)
	same2.Config = anInstanceOf("ti_1", ours).Config
	wantKind(t, "the same again", f.CreateInstance(t.Context(), same2, nil), fault.Conflict)
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_3", ours), nil))
}

func instanceOrphan(t *testing.T, f *fixture) {
	wantKind(t, "without an account", f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), nil), fault.NotFound)
	f.withWatched(t)
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), nil))
	must(t, f.DeleteAccount(t.Context(), ours, "ca_1"))
	_, err := f.Instance(t.Context(), ours, "ti_1")
	wantKind(t, "after its account", err, fault.NotFound)
}

func instanceUpdated(t *testing.T, f *fixture) {
	f.withWatched(t)
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), nil))
	changed := got(f.UpdateInstance(t.Context(), ours, "ti_1", func(i *trigger.Instance) ([]event.Event, error) {
		i.Status, i.Reason, i.Why, i.StoppedAt, i.Hook, i.DueAt, i.Failures = trigger.Active, "", "", time.Time{}, nil, time.Time{}, 0
		i.Position, i.UpdatedAt = trigger.Position{}, start.Add(time.Hour)
		return []event.Event{anEventOf("changed")}, nil
	}))(t)
	same(t, "read", got(f.Instance(t.Context(), ours, "ti_1"))(t), changed)
	same(t, "events", f.eventKeys(t), []string{"changed"})
	_, err := f.UpdateInstance(t.Context(), ours, "ti_1", func(*trigger.Instance) ([]event.Event, error) { return nil, errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("refused: %v", err)
	}
	for _, err := range together(8, func(n int) error {
		_, err := f.UpdateInstance(t.Context(), ours, "ti_1", func(i *trigger.Instance) ([]event.Event, error) {
			i.Failures++
			return []event.Event{anEventOf(strconv.Itoa(n))}, nil
		})
		return err
	}) {
		must(t, err)
	}
	if n := got(f.Instance(t.Context(), ours, "ti_1"))(t).Failures; n != 8 || len(f.eventKeys(t)) != 9 {
		t.Errorf("%d of 8 changes landed, with %d events", n, len(f.eventKeys(t)))
	}
}

func instancesListed(t *testing.T, f *fixture) {
	f.withWatched(t)
	ids := func(filter trigger.Filter) (ids []string) {
		instances, page, err := f.ListInstances(t.Context(), ours, filter)
		must(t, err)
		for _, i := range instances {
			ids = append(ids, i.ID)
		}
		if filter.Limit == 0 && page.Total != len(ids) {
			t.Errorf("%d counted, %d given", page.Total, len(ids))
		}
		return ids
	}
	for n := range 5 {
		i := anInstanceOf("ti_"+strconv.Itoa(n), ours)
		i.CreatedAt = start.Add(time.Duration(n) * time.Second)
		if n%2 == 0 {
			i.Status, i.UserID, i.Trigger = trigger.Active, "even", "GITHUB_OTHER"
		}
		must(t, f.CreateInstance(t.Context(), i, nil))
	}
	same(t, "active", ids(trigger.Filter{}), []string{"ti_4", "ti_2", "ti_0"})
	same(t, "all", ids(trigger.Filter{ShowStopped: true}), []string{"ti_4", "ti_3", "ti_2", "ti_1", "ti_0"})
	same(t, "by id", ids(trigger.Filter{ShowStopped: true, IDs: []string{"ti_1", "ti_2"}}), []string{"ti_2", "ti_1"})
	same(t, "by user", ids(trigger.Filter{ShowStopped: true, UserIDs: []string{"user_7"}}), []string{"ti_3", "ti_1"})
	same(t, "by type", ids(trigger.Filter{ShowStopped: true, Triggers: []string{"GITHUB_OTHER"}}), []string{"ti_4", "ti_2", "ti_0"})
	same(t, "by account", ids(trigger.Filter{ShowStopped: true, AccountIDs: []string{"ca_2"}}), []string(nil))
	same(t, "by auth config", len(ids(trigger.Filter{ShowStopped: true, AuthConfigIDs: []string{"ac_1"}})), 5)
	first, page, err := f.ListInstances(t.Context(), ours, trigger.Filter{ShowStopped: true, Limit: 3})
	must(t, err)
	second, end, err := f.ListInstances(t.Context(), ours, trigger.Filter{ShowStopped: true, Limit: 3, Cursor: page.Next})
	must(t, err)
	if len(first) != 3 || len(second) != 2 || page.Total != 5 || end.Next != "" || second[0].ID != "ti_1" {
		t.Errorf("pages of %d and %d, %d in all", len(first), len(second), page.Total)
	}
	got := got(f.EndpointInstances(t.Context(), ours, "we_1"))(t)
	if len(got) != 5 {
		t.Errorf("%d instances at the endpoint", len(got))
	}
}

func instanceForeign(t *testing.T, f *fixture) {
	f.withWatched(t)
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), nil))
	_, err := f.Instance(t.Context(), theirs, "ti_1")
	wantKind(t, "read", err, fault.NotFound)
	_, err = f.UpdateInstance(t.Context(), theirs, "ti_1", func(*trigger.Instance) ([]event.Event, error) { return nil, nil })
	wantKind(t, "update", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteInstance(t.Context(), theirs, "ti_1"), fault.NotFound)
	if list, _, err := f.ListInstances(t.Context(), theirs, trigger.Filter{ShowStopped: true}); err != nil || len(list) != 0 {
		t.Errorf("listed: %v %v", list, err)
	}
}

func lease(owner string, now time.Time) job.Lease {
	return job.Lease{Owner: owner, Now: now, Until: now.Add(30 * time.Second)}
}

func pollLeased(t *testing.T, f *fixture) {
	f.withWatched(t)
	for n := range 20 {
		i := anInstanceOf("ti_"+strconv.Itoa(n), ours)
		i.DueAt = start.Add(time.Duration(n) * time.Second)
		must(t, f.CreateInstance(t.Context(), i, nil))
	}
	at := start.Add(9 * time.Second) // ten are due
	if next := got(f.NextPoll(t.Context(), at))(t); !next.Equal(start) {
		t.Errorf("next is due at %s", next)
	}
	claims := make([][]trigger.Instance, 4)
	for _, err := range together(4, func(n int) (err error) {
		claims[n], err = f.ClaimPolls(t.Context(), lease("node "+strconv.Itoa(n), at), 4)
		return err
	}) {
		must(t, err)
	}
	var all []string
	for _, claim := range claims {
		for _, i := range claim {
			all = append(all, i.ID)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != len(all) || len(all) > 10 {
		t.Errorf("claimed: %v", all)
	}
	if len(all) == 0 {
		t.Fatal("nobody claimed anything")
	}
	one := slices.Concat(claims...)[0]
	// The lease of a node that was killed ends, and its work is taken up.
	later := at.Add(31 * time.Second)
	again := got(f.ClaimPolls(t.Context(), lease("survivor", later), 20))(t)
	if len(again) != 20 {
		t.Errorf("%d of 20 taken up", len(again))
	}
	if held := got(f.RenewPoll(t.Context(), lease("node 0", later), one))(t); held {
		t.Error("a lease that was lost is renewed")
	}
	if held := got(f.RenewPoll(t.Context(), lease("survivor", later), one))(t); !held {
		t.Error("a lease that is held is not renewed")
	}
	if next := got(f.NextPoll(t.Context(), later))(t); !next.IsZero() {
		t.Errorf("next is due at %s, and all are held", next)
	}
}

func pollFinished(t *testing.T, f *fixture) {
	f.withWatched(t)
	i := anInstanceOf("ti_1", ours)
	i.DueAt = start
	must(t, f.CreateInstance(t.Context(), i, nil))
	l := lease("me", start)
	claimed := got(f.ClaimPolls(t.Context(), l, 1))(t)
	if len(claimed) != 1 {
		t.Fatal("nothing was due")
	}
	i = claimed[0]
	i.Position, i.Failures, i.DueAt, i.LookedAt = trigger.Position{Began: true, Mark: "next"}, 0, start.Add(time.Minute), start.Add(time.Second)
	if stored := got(f.FinishPoll(t.Context(), lease("somebody else", start), i, []event.Event{anEventOf("stolen")}))(t); stored {
		t.Error("a poll is finished by somebody who has no lease")
	}
	if stored := got(f.FinishPoll(t.Context(), l, i, []event.Event{anEventOf("a"), anEventOf("b")}))(t); !stored {
		t.Error("a poll is not finished")
	}
	same(t, "read", got(f.Instance(t.Context(), ours, "ti_1"))(t), i)
	same(t, "events", f.eventKeys(t), []string{"a", "b"})
	l = lease("me", start.Add(time.Minute))
	i = got(f.ClaimPolls(t.Context(), l, 1))(t)[0]
	got(f.UpdateInstance(t.Context(), ours, "ti_1", func(i *trigger.Instance) ([]event.Event, error) {
		i.Status, i.DueAt = trigger.Disabled, time.Time{}
		return nil, nil
	}))(t)
	if stored := got(f.FinishPoll(t.Context(), l, i, []event.Event{anEventOf("too late")}))(t); stored {
		t.Error("a poll of a trigger that was disabled meanwhile is stored")
	}
	same(t, "events", f.eventKeys(t), []string{"a", "b"})
	if now := got(f.Instance(t.Context(), ours, "ti_1"))(t); !now.DueAt.IsZero() || now.Status != trigger.Disabled {
		t.Errorf("after all: %+v", now)
	}
}

func anEndpoint(id, projectID string) trigger.Endpoint {
	return trigger.Endpoint{
		ID: id, ProjectID: projectID, Toolkit: "slack", ClientID: "client of " + id, Data: map[string]secret.Value{"webhook_signing_secret": secret.Hide("s3cret")},
		Confirmed: true, CreatedAt: start, UpdatedAt: start, Version: 1,
	}
}

func endpointWhole(t *testing.T, f *fixture) {
	want := anEndpoint("we_1", ours)
	must(t, f.CreateEndpoint(t.Context(), want))
	same(t, "read", got(f.Endpoint(t.Context(), ours, "we_1"))(t), want)
	same(t, "called", got(f.EndpointCalled(t.Context(), "we_1"))(t), want)
	_, err := f.Endpoint(t.Context(), theirs, "we_1")
	wantKind(t, "of another project", err, fault.NotFound)
	changed := got(f.UpdateEndpoint(t.Context(), ours, "we_1", func(e *trigger.Endpoint) error {
		e.Data, e.Confirmed, e.UpdatedAt = map[string]secret.Value{"other": secret.Hide("x")}, false, start.Add(time.Second)
		return nil
	}))(t)
	same(t, "changed", got(f.Endpoint(t.Context(), ours, "we_1"))(t), changed)
	must(t, f.CreateEndpoint(t.Context(), trigger.Endpoint{ID: "we_2", ProjectID: ours, Toolkit: "notion", ClientID: "c", CreatedAt: start.Add(time.Second), UpdatedAt: start}))
	if list := got(f.ListEndpoints(t.Context(), ours, ""))(t); len(list) != 2 || list[0].ID != "we_1" {
		t.Errorf("listed: %v", list)
	}
	if list := got(f.ListEndpoints(t.Context(), ours, "notion"))(t); len(list) != 1 || list[0].ID != "we_2" || list[0].Data != nil {
		t.Errorf("listed: %v", list)
	}
}

func endpointOnce(t *testing.T, f *fixture) {
	must(t, f.CreateEndpoint(t.Context(), anEndpoint("we_1", ours)))
	twin := anEndpoint("we_2", ours)
	twin.ClientID = "client of we_1"
	wantKind(t, "the same app", f.CreateEndpoint(t.Context(), twin), fault.Conflict)
	same(t, "found", got(f.EndpointFor(t.Context(), ours, "slack", "client of we_1"))(t).ID, "we_1")
	_, err := f.EndpointFor(t.Context(), theirs, "slack", "client of we_1")
	wantKind(t, "in another project", err, fault.NotFound)
}

func endpointOwned(t *testing.T, f *fixture) {
	f.withWatched(t)
	own := anEndpoint("we_1", ours)
	own.ClientID, own.InstanceID = "", "ti_1"
	must(t, f.CreateInstance(t.Context(), anInstanceOf("ti_1", ours), &own))
	same(t, "read", got(f.Endpoint(t.Context(), ours, "we_1"))(t), own)
	if list := got(f.ListEndpoints(t.Context(), ours, ""))(t); len(list) != 0 {
		t.Errorf("listed among those of apps: %v", list)
	}
	must(t, f.DeleteInstance(t.Context(), ours, "ti_1"))
	_, err := f.EndpointCalled(t.Context(), "we_1")
	wantKind(t, "after its instance", err, fault.NotFound)
}

func callOnce(t *testing.T, f *fixture) {
	e := anEndpoint("we_1", ours)
	must(t, f.CreateEndpoint(t.Context(), e))
	receive := func(digest string, keys ...string) bool {
		var events []event.Event
		for _, key := range keys {
			events = append(events, anEventOf(key))
		}
		return got(f.Receive(t.Context(), e, trigger.Receipt{Digest: digest, For: time.Hour}, events))(t)
	}
	if !receive("d1", "a", "b") || receive("d1", "c") || receive("d2", "a", "b") || !receive("d3", "b", "d") || !receive("", "e") || receive("", "e") {
		t.Error("calls are told apart wrongly")
	}
	same(t, "events", f.eventKeys(t), []string{"a", "b", "d", "e"})
	firsts := make(chan bool, 8)
	for _, err := range together(8, func(n int) error {
		first, err := f.Receive(t.Context(), e, trigger.Receipt{Digest: "at once", For: time.Hour}, []event.Event{anEventOf("once " + strconv.Itoa(n))})
		firsts <- first
		return err
	}) {
		must(t, err)
	}
	n := 0
	for range 8 {
		if <-firsts {
			n++
		}
	}
	if n != 1 || len(f.eventKeys(t)) != 5 {
		t.Errorf("one call sent 8 times at once was taken %d times; events %v", n, f.eventKeys(t))
	}
}

// callsAlike lets the same call be news again when its time is over, and be told again from then on.
func callsAlike(t *testing.T, f *fixture) {
	e := anEndpoint("we_1", ours)
	must(t, f.CreateEndpoint(t.Context(), e))
	receive := func(key string) bool {
		return got(f.Receive(t.Context(), e, trigger.Receipt{Digest: "same", For: time.Minute}, []event.Event{anEventOf(key)}))(t)
	}
	first, soon := receive("1"), receive("2")
	f.pass(time.Minute - time.Microsecond)
	later := receive("3")
	f.pass(time.Microsecond)
	after, again := receive("4"), receive("5")
	same(t, "taken", []bool{first, soon, later, after, again}, []bool{true, false, false, true, false})
	same(t, "events", f.eventKeys(t), []string{"1", "4"})
}

func callsForgotten(t *testing.T, f *fixture) {
	e := anEndpoint("we_1", ours)
	must(t, f.CreateEndpoint(t.Context(), e))
	longTime := func(digest string) trigger.Receipt { return trigger.Receipt{Digest: digest, For: 24 * time.Hour} }
	got(f.Receive(t.Context(), e, longTime("old"), []event.Event{anEventOf("1")}))(t)
	f.pass(time.Hour)
	got(f.Receive(t.Context(), e, longTime("new"), []event.Event{anEventOf("2")}))(t)
	if n := got(f.DeleteReceiptsBefore(t.Context(), start.Add(time.Minute)))(t); n != 1 {
		t.Errorf("%d forgotten", n)
	}
	if got(f.Receive(t.Context(), e, longTime("new"), []event.Event{anEventOf("3")}))(t) || !got(f.Receive(t.Context(), e, longTime("old"), []event.Event{anEventOf("4")}))(t) {
		t.Error("the wrong one was forgotten")
	}
}
