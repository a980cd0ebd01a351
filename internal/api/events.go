package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// eventFilterQuery are the parameters by which events are picked. Each is a list with commas.
type eventFilterQuery struct {
	Types        values
	Toolkits     values
	TriggerSlugs values
	TriggerIDs   values
	UserIDs      values
	AccountIDs   values
	AuthConfigs  values
}

func (q eventFilterQuery) filter() event.Filter {
	return event.Filter{
		Types:    mapped(q.Types, func(t string) event.Type { return event.Type(t) }),
		Toolkits: q.Toolkits, TriggerSlugs: q.TriggerSlugs, TriggerIDs: q.TriggerIDs, UserIDs: q.UserIDs, AccountIDs: q.AccountIDs,
		AuthConfigs: q.AuthConfigs,
	}
}

type listEventsRequest struct {
	Types        values `query:"event_types" json:"-"`
	Toolkits     values `query:"toolkit_slugs" json:"-"`
	TriggerSlugs values `query:"trigger_slugs" json:"-"`
	TriggerIDs   values `query:"trigger_ids" json:"-"`
	UserIDs      values `query:"user_ids" json:"-"`
	AccountIDs   values `query:"connected_account_ids" json:"-"`
	AuthConfigs  values `query:"auth_config_ids" json:"-"`
	Cursor       string `query:"cursor" json:"-"`
	Limit        limit  `query:"limit" json:"-"`
	Wait         limit  `query:"wait" json:"-"` // seconds
}

func (in listEventsRequest) look() event.Look {
	return event.Look{
		Filter: eventFilterQuery{in.Types, in.Toolkits, in.TriggerSlugs, in.TriggerIDs, in.UserIDs, in.AccountIDs, in.AuthConfigs}.filter(),
		After:  in.Cursor, Limit: in.Limit.clamp(100, 500),
	}
}

// longestWait is how long a request for events may be held: less than SDKs and proxies wait.
const longestWait = 50 * time.Second

type listEventsResponse struct {
	Items      []json.RawMessage `json:"items"`
	NextCursor string            `json:"next_cursor"`
}

// listEvents gives events behind a cursor, oldest first, waiting for one if asked to. Unlike other lists it has no end: its
// next_cursor is always there, and stands for what has not happened yet when there is nothing more.
func (a *api) listEvents(ctx context.Context, caller tenant.Caller, in listEventsRequest) (listEventsResponse, error) {
	wait := min(time.Duration(in.Wait)*time.Second, longestWait)
	batch, err := a.events.Events(ctx, caller, in.look(), wait)
	if err != nil {
		return listEventsResponse{}, err
	}
	out := listEventsResponse{Items: []json.RawMessage{}, NextCursor: batch.Next}
	for _, e := range batch.Events {
		body, err := a.events.Render(ctx, e, event.V3)
		if err != nil {
			return listEventsResponse{}, err
		}
		out.Items = append(out.Items, body)
	}
	return out, nil
}

type eventRequest struct {
	ID string `path:"id" json:"-"`
}

func (a *api) getEvent(ctx context.Context, caller tenant.Caller, in eventRequest) (json.RawMessage, error) {
	e, err := a.events.Event(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	return a.events.Render(ctx, e, event.V3)
}
