package realtime_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/realtime"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

const channel = "private-pr_1_triggers"

var caller = tenant.Caller{ProjectID: "pr_1"}

// world is a served realtime endpoint.
type world struct {
	*realtime.Service
	events *event.Service
	bus    *notify.Bus
	url    string
	now    time.Time
}

func newWorld(t *testing.T, changes ...func(*realtime.Options)) *world {
	t.Helper()
	w := &world{bus: new(notify.Bus), now: time.Now()}
	s := storetest.OpenWith(t, w.bus, time.Now)
	var err error
	w.events, err = event.New(event.Options{Store: s, HTTP: http.DefaultClient, Bus: w.bus})
	must(t, err)
	options := realtime.Options{Events: w.events, Sealer: s.Keyring().Server(), Now: func() time.Time { return w.now }}
	for _, change := range changes {
		change(&options)
	}
	w.Service, err = realtime.New(options)
	must(t, err)
	server := httptest.NewServer(w.Service)
	t.Cleanup(server.Close)
	t.Cleanup(w.events.CloseStreams)
	w.url = server.URL
	return w
}

func (w *world) happen(t *testing.T, key string, kind event.Type) event.Event {
	t.Helper()
	added, err := w.events.Append(t.Context(), []event.Event{{
		ProjectID: "pr_1", Key: key, Type: kind, TriggerSlug: "ACME_NEW_THING", Data: json.RawMessage(`{"text":"` + key + `"}`),
	}})
	must(t, err)
	return added[0]
}

// client speaks the protocol as pusher-js does.
type client struct {
	t      *testing.T
	socket *websocket.Conn
	id     string
}

type message struct {
	Event, Channel string
	Data           json.RawMessage
}

func (w *world) connect(t *testing.T) *client {
	t.Helper()
	socket, _, err := websocket.Dial(t.Context(), w.url+"/realtime?h=.pusher.com:443/app/patchbay?protocol=7&client=js", nil)
	must(t, err)
	t.Cleanup(func() { socket.CloseNow() })
	socket.SetReadLimit(10 << 20)
	c := &client{t: t, socket: socket}
	var greeting struct {
		ID      string `json:"socket_id"`
		Timeout int    `json:"activity_timeout"`
	}
	c.read("pusher:connection_established", &greeting)
	if greeting.Timeout == 0 || !strings.Contains(greeting.ID, ".") {
		t.Errorf("greeting %+v", greeting)
	}
	c.id = greeting.ID
	return c
}

// read takes the next message, which must be of a name, and its data, which must be JSON in a string.
func (c *client) read(name string, data any) {
	c.t.Helper()
	_, text, err := c.socket.Read(c.t.Context())
	must(c.t, err)
	var m message
	must(c.t, json.Unmarshal(text, &m))
	var inner string
	if err := json.Unmarshal(m.Data, &inner); err != nil || m.Event != name {
		c.t.Fatalf("got %s, want %s with its data in a string", text, name)
	}
	must(c.t, json.Unmarshal([]byte(inner), data))
}

func (c *client) say(text string) {
	c.t.Helper()
	must(c.t, c.socket.Write(c.t.Context(), websocket.MessageText, []byte(text)))
}

func (c *client) subscribe(auth string) {
	c.t.Helper()
	c.say(`{"event":"pusher:subscribe","data":{"auth":"` + auth + `","channel":"` + channel + `"}}`)
}

func TestATriggerMessageIsHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happen(t, "before", event.TriggerMessage)
	c := w.connect(t)
	auth, err := w.Authorize(caller, c.id, channel)
	must(t, err)
	c.subscribe(auth)
	c.read("pusher_internal:subscription_succeeded", new(any))
	w.happen(t, "lifecycle", event.AccountExpired) // triggers.subscribe is for triggers
	large := strings.Repeat("x", 1<<20)
	want := w.happen(t, large, event.TriggerMessage)
	var got struct {
		ID   string
		Type string
		Data struct{ Text string }
	}
	c.read("trigger_to_client", &got)
	if got.ID != want.ID || got.Type != "composio.trigger.message" || got.Data.Text != large {
		t.Errorf("heard %.100v", got)
	}
	c.say(`{"event":"pusher:ping","data":{}}`)
	c.read("pusher:pong", new(any))
	c.say(`{"event":"pusher:unsubscribe","data":{"channel":"` + channel + `"}}`)
	c.say(`not JSON`)
	c.say(`{"event":"pusher:ping","data":{}}`)
	c.read("pusher:pong", new(any))
}

func TestPermissionsAreForOneConnectionAndChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.connect(t)
	if _, err := w.Authorize(caller, c.id, "private-pr_2_triggers"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another project's channel: %v", err)
	}
	if _, err := w.Authorize(caller, "no socket", channel); !fault.Is(err, fault.Invalid) {
		t.Errorf("no socket: %v", err)
	}
	ofAnother, err := w.Authorize(caller, "1.1", channel)
	must(t, err)
	own, err := w.Authorize(caller, c.id, channel)
	must(t, err)
	refused := func(what, auth string) {
		t.Helper()
		c.subscribe(auth)
		var refusal struct{ Code int }
		c.read("pusher:error", &refusal)
		if refusal.Code != 4009 {
			t.Errorf("%s: %+v", what, refusal)
		}
	}
	refused("another connection's", ofAnother)
	refused("none", "")
	refused("a guess", "patchbay:deadbeef")
	w.now = w.now.Add(2 * time.Minute)
	refused("one that is too old", own)
}

// A connection costs memory and anybody may open one: who hears nothing does not keep it.
func TestStrangersAreDismissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *realtime.Options) { o.Within = time.Millisecond })
	_, _, err := w.connect(t).socket.Read(t.Context())
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 4202 {
		t.Errorf("ended with %v", err)
	}
}

// Whoever holds a connection open is told to come back when the server stops, and when a key was revoked: it may have been theirs.
func TestConnectionsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"the server stops":  func(w *world) { w.events.CloseStreams() },
		"a key was revoked": func(w *world) { w.bus.Publish(notify.Change{Kind: notify.Key, ID: "key_1"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.connect(t)
			auth, err := w.Authorize(caller, c.id, channel)
			must(t, err)
			c.subscribe(auth)
			c.read("pusher_internal:subscription_succeeded", new(any))
			end(w)
			_, _, err = c.socket.Read(t.Context())
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != 4200 {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestCredentialsPointToThisServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for origin, want := range map[string]string{
		"https://patchbay.example.com:8443": "@patchbay.example.com:8443/realtime?h=",
		"https://example.com/pb/":           "@example.com/pb/realtime?h=",
	} {
		got, err := w.Credentials(caller, origin)
		must(t, err)
		if got.Cluster != want || got.ProjectID != "pr_1" || got.Key == "" {
			t.Errorf("%s gives %+v", origin, got)
		}
	}
	if _, err := w.Credentials(caller, "http://127.0.0.1:8484"); !fault.Is(err, fault.Unsupported) || !strings.Contains(fault.From(err).Fix, "events/stream") {
		t.Errorf("without TLS: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
