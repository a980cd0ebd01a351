package event_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const project = "pr_ours"

var caller = tenant.Caller{ProjectID: project}

// world is a service over a real store, in a synctest bubble: its time is the test's, and a day costs nothing. Receivers are
// functions by host.
type world struct {
	*event.Service
	t     *testing.T
	store *store.Store
	bus   *notify.Bus

	mu        sync.Mutex
	receivers map[string]func(*http.Request) *http.Response
	requests  []received
}

// received is one attempt, as the receiver sees it.
type received struct {
	at     time.Time
	host   string
	id     string
	header http.Header
	body   string
}

const streamsPerKey = 5

// inBubble runs a test in a world of its own, whose service delivers.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := new(notify.Bus)
		w := &world{t: t, bus: bus, store: storetest.OpenWith(t, bus, time.Now), receivers: make(map[string]func(*http.Request) *http.Response)}
		w.Service = w.node("node_1")
		w.Start()
		t.Cleanup(w.Stop)
		test(t, w)
	})
}

// node makes a service over the world's store.
func (w *world) node(name string) *event.Service {
	w.t.Helper()
	s, err := event.New(event.Options{Store: w.store, HTTP: w, Bus: w.bus, Node: name, StreamsPerKey: streamsPerKey})
	must(w.t, err)
	return s
}

// Do implements event.HTTP: the receivers.
func (w *world) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.requests = append(w.requests, received{time.Now(), r.URL.Host, r.Header.Get("webhook-id"), r.Header.Clone(), string(body)})
	receive := w.receivers[r.URL.Host]
	w.mu.Unlock()
	if receive == nil {
		return answering(http.StatusOK)(r), nil
	}
	if response := receive(r); response != nil {
		return response, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// receive says how a host answers; a nil response is none until the sender gives up.
func (w *world) receive(host string, f func(*http.Request) *http.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receivers[host] = f
}

// answering is a receiver with one answer, and perhaps a header of it.
func answering(status int, header ...string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		h := make(http.Header)
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("thanks"))}
	}
}

// got gives the attempts on a host so far.
func (w *world) got(host string) []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []received
	for _, r := range w.requests {
		if r.host == host {
			all = append(all, r)
		}
	}
	return all
}

// subscribe makes a subscription of a host to trigger messages.
func (w *world) subscribe(host string, changes ...func(*event.SubscriptionChange)) event.Subscription {
	w.t.Helper()
	url := "https://" + host + "/hook"
	change := event.SubscriptionChange{URL: &url, Filter: &event.Filter{Types: []event.Type{event.TriggerMessage}}}
	for _, f := range changes {
		f(&change)
	}
	sub, err := w.CreateSubscription(w.t.Context(), caller, change)
	must(w.t, err)
	return sub
}

// message is a trigger message with a key.
func message(key string) event.Event {
	return event.Event{
		ProjectID: project, Key: key, Type: event.TriggerMessage, Toolkit: "acme", TriggerSlug: "ACME_NEW_THING", TriggerID: "ti_1",
		AccountID: "ca_1", AuthConfigID: "ac_1", UserID: "user_7", Data: json.RawMessage(`{"thing":"` + key + `"}`),
	}
}

// happen logs messages with keys "<prefix>0" and so on.
func (w *world) happen(prefix string, n int) []event.Event {
	w.t.Helper()
	events := make([]event.Event, n)
	for i := range events {
		events[i] = message(fmt.Sprintf("%s%d", prefix, i))
	}
	added, err := w.Append(w.t.Context(), events)
	must(w.t, err)
	if len(added) != n {
		w.t.Fatalf("%d of %d events were added", len(added), n)
	}
	return added
}

// pass lets time pass, and everything happen that is due in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// deliveries gives the log of a subscription, the newest event first.
func (w *world) deliveries(sub event.Subscription, status event.DeliveryStatus) []event.Delivery {
	w.t.Helper()
	all, _, err := w.ListDeliveries(w.t.Context(), caller, sub.ID, event.DeliveryFilter{Status: status})
	must(w.t, err)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing, for a service that only writes payloads.
type (
	noStore struct{ event.Store }
	noHTTP  struct{ event.HTTP }
)

var noBus = new(notify.Bus)

func oneOrganisation(context.Context, string) string { return "ok_1" }
