package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Limits of a connection.
const (
	activityTimeout = 120 * time.Second // after that long of silence a client asks whether we are there, and we whether it is
	writeTimeout    = 10 * time.Second
	largestMessage  = 16 << 10 // bytes that a client may send at once
)

// Codes with which a connection is closed or a message refused (Pusher Channels protocol, "Error codes").
const (
	codeUnauthorized  = 4009
	codeReconnectSoon = websocket.StatusCode(4200)
	codeInactive      = websocket.StatusCode(4202)
)

// message is what either side sends. Data is JSON, or JSON in a string.
type message struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// ServeHTTP takes a connection. Anybody may open one; hearing something takes a permission.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // pages of any origin: no cookie opens anything
	if err != nil {
		return // it has been answered
	}
	defer socket.CloseNow() //nolint:errcheck // it may be closed already
	socket.SetReadLimit(largestMessage)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &connection{service: s, socket: socket, id: newSocketID(), end: cancel}
	if err := c.serve(ctx); ctx.Err() == nil && websocket.CloseStatus(err) == -1 {
		s.o.Log.LogAttrs(ctx, slog.LevelDebug, "realtime connection ended", slog.String("error", err.Error()))
	}
}

// connection is one client. It hears at most the one channel that there is for its project.
type connection struct {
	service *Service
	socket  *websocket.Conn
	id      string
	end     context.CancelFunc // of the connection
	leave   context.CancelFunc // of the channel it hears; nil while it hears none
	heard   atomic.Bool        // it was let hear something
}

// serve greets the client and answers what it says until one of both ends the connection, and gives the error that told so.
func (c *connection) serve(ctx context.Context) error {
	greeting := map[string]any{"socket_id": c.id, "activity_timeout": int(activityTimeout.Seconds())}
	if err := c.send(ctx, "pusher:connection_established", "", greeting); err != nil {
		return err
	}
	go c.watch(ctx)
	defer time.AfterFunc(c.service.o.Within, c.dismissStranger).Stop()
	for {
		_, text, err := c.socket.Read(ctx)
		if err != nil {
			return err
		}
		var m message
		if json.Unmarshal(text, &m) != nil {
			continue // Pusher ignores what it does not understand, and so do we
		}
		if err := c.answer(ctx, m); err != nil {
			return err
		}
	}
}

// dismissStranger ends the connection of somebody who was not let hear anything: it costs memory, and proves nothing.
func (c *connection) dismissStranger() {
	if !c.heard.Load() {
		c.socket.Close(codeInactive, "nothing was subscribed") //nolint:errcheck // it may be gone
		c.end()
	}
}

// watch ends the connection of a client that is not there any more.
func (c *connection) watch(ctx context.Context) {
	ticker := time.NewTicker(activityTimeout / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			ping, cancel := context.WithTimeout(ctx, writeTimeout)
			err := c.socket.Ping(ping)
			cancel()
			if err != nil {
				c.end()
				return
			}
		}
	}
}

func (c *connection) answer(ctx context.Context, m message) error {
	switch m.Event {
	case "pusher:ping":
		return c.send(ctx, "pusher:pong", "", struct{}{})
	case "pusher:subscribe":
		var wanted struct{ Channel, Auth string }
		json.Unmarshal(m.Data, &wanted) //nolint:errcheck // what cannot be read is refused as no permission
		return c.subscribe(ctx, wanted.Channel, wanted.Auth)
	case "pusher:unsubscribe":
		if c.leave != nil {
			c.leave()
			c.leave = nil
		}
	}
	return nil
}

// subscribe lets the client hear a channel from now on.
func (c *connection) subscribe(ctx context.Context, channel, auth string) error {
	caller, refusal := c.service.admit(auth, c.id, channel)
	if refusal != nil {
		return c.send(ctx, "pusher:error", channel, map[string]any{"code": codeUnauthorized, "message": refusal.Error()})
	}
	if c.leave != nil {
		return nil // it hears it already
	}
	c.heard.Store(true)
	ctx, c.leave = context.WithCancel(ctx)
	go c.follow(ctx, caller, channel)
	return nil
}

// follow sends trigger messages as they are logged. When the server stops, or a key was revoked, the client is told to come back.
func (c *connection) follow(ctx context.Context, caller tenant.Caller, channel string) {
	look := event.Look{Filter: event.Filter{Types: []event.Type{event.TriggerMessage}}}
	begun := false
	err := c.service.o.Events.Follow(ctx, caller, look, func(b event.Batch) error {
		if !begun {
			begun = true
			return c.send(ctx, "pusher_internal:subscription_succeeded", channel, struct{}{})
		}
		for _, e := range b.Events {
			body, err := c.service.o.Events.Render(ctx, e, event.V3)
			if err != nil {
				return err
			}
			if err := c.send(ctx, "trigger_to_client", channel, json.RawMessage(body)); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, context.Canceled) { // it unsubscribed, or is gone
		return
	}
	c.socket.Close(codeReconnectSoon, "connect again") //nolint:errcheck // it may be gone
	c.end()
}

// send writes one message. Its data is JSON in a string, as Pusher has it.
func (c *connection) send(ctx context.Context, name, channel string, data any) error {
	inner, err := json.Marshal(data)
	if err != nil {
		return err
	}
	quoted, err := json.Marshal(string(inner))
	if err != nil {
		return err
	}
	text, err := json.Marshal(message{name, channel, quoted})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return c.socket.Write(ctx, websocket.MessageText, text)
}
