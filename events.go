package patchbay

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// Events reads the project's log of events. Get it from a Client.
type Events struct{ t *transport }

// Event is something that happened: a trigger's message, or a change of a connected account or trigger.
type Event struct {
	ID       string          `json:"id"` // "msg_…": the same in every delivery of the event
	Time     time.Time       `json:"timestamp"`
	Type     string          `json:"type"` // TriggerMessage, AccountExpired or TriggerDisabled
	Metadata EventMetadata   `json:"metadata"`
	Data     json.RawMessage `json:"data"` // of a trigger message: its payload
	Raw      json.RawMessage `json:"-"`    // the whole event as the server wrote it
}

// The types of event.
const (
	TriggerMessage  = "composio.trigger.message"
	AccountExpired  = "composio.connected_account.expired"
	TriggerDisabled = "composio.trigger.disabled"
)

// EventMetadata says what an event is about.
type EventMetadata struct {
	LogID        string `json:"log_id"`
	TriggerSlug  string `json:"trigger_slug"`
	TriggerID    string `json:"trigger_id"`
	AccountID    string `json:"connected_account_id"`
	AuthConfigID string `json:"auth_config_id"`
	UserID       string `json:"user_id"`
	ProjectID    string `json:"project_id"` // of account and trigger events, which have nothing of the above
}

// UnmarshalJSON keeps the event's own text in Raw.
func (e *Event) UnmarshalJSON(text []byte) error {
	type plain Event
	if err := json.Unmarshal(text, (*plain)(e)); err != nil {
		return err
	}
	e.Raw = append(json.RawMessage(nil), text...)
	return nil
}

// EventFilter picks events; zero values do not filter.
type EventFilter struct {
	Types        []string
	Toolkits     []string
	TriggerSlugs []string
	TriggerIDs   []string
	UserIDs      []string
	AccountIDs   []string
	AuthConfigs  []string
	// Cursor is where to begin: what List or Follow gave. Empty: what happens from now on. "0": all that the server keeps.
	Cursor string
	Limit  int // events per answer; 0: 100
}

func (f EventFilter) query() url.Values {
	return queryOf("event_types", comma(f.Types), "toolkit_slugs", comma(f.Toolkits), "trigger_slugs", comma(f.TriggerSlugs),
		"trigger_ids", comma(f.TriggerIDs), "user_ids", comma(f.UserIDs), "connected_account_ids", comma(f.AccountIDs),
		"auth_config_ids", comma(f.AuthConfigs), "cursor", f.Cursor, "limit", number(f.Limit))
}

// longestWait is for how long the server holds a request for events: less than the client's time limit.
const longestWait = 45 * time.Second

// List gives the events behind the filter's cursor, oldest first, and the cursor behind the last of them. When there is none it waits
// for one, for at most the given time (and 45 seconds).
func (s Events) List(ctx context.Context, f EventFilter, wait time.Duration) (events []Event, cursor string, err error) {
	query := f.query()
	if seconds := int(min(wait, longestWait).Seconds()); seconds > 0 {
		query.Set("wait", strconv.Itoa(seconds))
	}
	page, err := list[Event](ctx, s.t, "/events", query)
	return page.Items, page.NextCursor, err
}

// Get gives one event.
func (s Events) Get(ctx context.Context, eventID string) (Event, error) {
	var e Event
	escaped, err := segment("the event's id", eventID)
	if err != nil {
		return e, err
	}
	err = s.t.get(ctx, "/events/"+escaped, nil, &e)
	return e, err
}

// Follow hands each event to handle, as they come, until the context ends, handle fails or the server cannot be reached. It gives the
// cursor of what was handled: go on from there, and no event is missed. Those that came with the one that failed may come again.
func (s Events) Follow(ctx context.Context, f EventFilter, handle func(Event) error) (cursor string, err error) {
	for wait := time.Duration(0); ; wait = longestWait {
		events, next, err := s.List(ctx, f, wait)
		if err != nil {
			return f.Cursor, err
		}
		for _, e := range events {
			if err := handle(e); err != nil {
				return f.Cursor, err
			}
		}
		f.Cursor = next
	}
}
