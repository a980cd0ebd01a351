package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// heartbeat is how often a stream says something when nothing happens, so that proxies leave it open and a lost client is
// noticed.
const heartbeat = 15 * time.Second

type streamEventsRequest struct {
	Types        values `query:"event_types" json:"-"`
	Toolkits     values `query:"toolkit_slugs" json:"-"`
	TriggerSlugs values `query:"trigger_slugs" json:"-"`
	TriggerIDs   values `query:"trigger_ids" json:"-"`
	UserIDs      values `query:"user_ids" json:"-"`
	AccountIDs   values `query:"connected_account_ids" json:"-"`
	AuthConfigs  values `query:"auth_config_ids" json:"-"`
	Cursor       string `query:"cursor" json:"-"`
	LastEventID  string `header:"Last-Event-ID" json:"-"`
}

// streamEvents sends events as they come, as server-sent events. The id of each is the cursor behind it, so that a client which
// connects anew with Last-Event-ID, as browsers do by themselves, misses none.
func (a *api) streamEvents(ctx context.Context, caller tenant.Caller, in streamEventsRequest, w http.ResponseWriter) error {
	look := event.Look{
		Filter: eventFilterQuery{in.Types, in.Toolkits, in.TriggerSlugs, in.TriggerIDs, in.UserIDs, in.AccountIDs, in.AuthConfigs}.filter(),
		After:  in.Cursor,
	}
	if in.LastEventID != "" {
		look.After = in.LastEventID
	}
	stream := &eventStream{w: w, connection: http.NewResponseController(w)}
	stop := stream.beat(ctx)
	defer stop()
	err := a.events.Follow(ctx, caller, look, func(b event.Batch) error { return stream.send(ctx, a.events, b) })
	if stream.begun && !fault.Is(err, fault.Internal) || errors.Is(err, context.Canceled) {
		return nil // the client went away, or the server stops: the client comes back with the last id
	}
	return err
}

// eventStream writes server-sent events (HTML standard, section 9.2).
type eventStream struct {
	connection *http.ResponseController

	mu    sync.Mutex
	w     http.ResponseWriter
	begun bool
}

// send writes a batch. The first batch, which is empty, begins the stream.
func (s *eventStream) send(ctx context.Context, events *event.Service, b event.Batch) error {
	var text bytes.Buffer
	for _, e := range b.Events {
		body, err := events.Render(ctx, e, event.V3)
		if err != nil {
			return err
		}
		text.WriteString("id: " + event.Cursor(e) + "\nevent: " + string(e.Type) + "\ndata: ")
		text.Write(body) // JSON as we write it has no line breaks
		text.WriteString("\n\n")
	}
	if len(b.Events) == 0 {
		text.WriteString("id: " + b.Next + "\n\n") // moves the cursor, and is no event to the client
	}
	return s.write(text.Bytes())
}

func (s *eventStream) write(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		header := s.w.Header()
		header.Set("Content-Type", "text/event-stream")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Accel-Buffering", "no") // nginx would hold events back
		s.w.WriteHeader(http.StatusOK)
		s.begun = true
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.connection.Flush()
}

// beat says something from time to time until it is stopped.
func (s *eventStream) beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if s.write([]byte(": still here\n\n")) != nil {
					return // Follow notices at its next write, or by its context
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}
