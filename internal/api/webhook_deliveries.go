package api

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// deliveryResponse is one line of a subscription's delivery log.
type deliveryResponse struct {
	EventID   string               `json:"event_id"`
	EventType event.Type           `json:"event_type"`
	Status    event.DeliveryStatus `json:"status"`
	Attempts  int                  `json:"attempts"`
	CreatedAt string               `json:"created_at"`
	Attempted *string              `json:"last_attempt_at"`
	TookMS    float64              `json:"last_attempt_ms"`
	Response  *int                 `json:"last_response_status"`
	Error     *string              `json:"last_error"`
	Next      *string              `json:"next_attempt_at"`
	GivenUpAt *string              `json:"given_up_at"`
}

func deliveryOf(d event.Delivery) deliveryResponse {
	out := deliveryResponse{
		EventID: d.EventID, EventType: d.EventType, Status: d.Status, Attempts: d.Attempts,
		CreatedAt: timestamp(d.CreatedAt), Attempted: timestampOrNull(d.AttemptedAt),
		TookMS: float64(d.Took) / float64(time.Millisecond), Error: orNull(d.Error),
	}
	if d.Response != 0 {
		out.Response = &d.Response
	}
	if d.Status == event.Pending {
		out.Next, out.GivenUpAt = timestampOrNull(d.DueAt), timestampOrNull(d.GivenUpAt)
	}
	return out
}

type listDeliveriesRequest struct {
	ID     string `path:"id" json:"-"`
	Status string `query:"status" json:"-"`
	Limit  limit  `query:"limit" json:"-"`
	Cursor string `query:"cursor" json:"-"`
}

func (a *api) listDeliveries(ctx context.Context, caller tenant.Caller, in listDeliveriesRequest) (pageResponse[deliveryResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[deliveryResponse]{}, err
	}
	size := in.Limit.clamp(20, 1000)
	deliveries, page, err := a.events.ListDeliveries(ctx, caller, in.ID, event.DeliveryFilter{
		Status: event.DeliveryStatus(in.Status), Limit: size, Cursor: at.from,
	})
	if err != nil {
		return pageResponse[deliveryResponse]{}, err
	}
	return pageResponse[deliveryResponse]{Items: mapped(deliveries, deliveryOf), pageInfo: infoOf(at, size, connect.Page(page))}, nil
}

type replayRequest struct {
	ID       string   `path:"id" json:"-"`
	EventIDs []string `json:"event_ids"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	DeadOnly bool     `json:"dead_only"`
	Cursor   string   `json:"cursor"`
}

type replayResponse struct {
	Replayed   int     `json:"replayed"`
	NextCursor *string `json:"next_cursor"`
}

func (a *api) replayEvents(ctx context.Context, caller tenant.Caller, in replayRequest) (replayResponse, error) {
	var faults []string
	from, problem := parseTime("from", in.From)
	faults = append(faults, problem...)
	to, problem := parseTime("to", in.To)
	if faults = append(faults, problem...); len(faults) > 0 {
		return replayResponse{}, invalidRequest(faults...)
	}
	done, err := a.events.Replay(ctx, caller, in.ID, event.Replay{EventIDs: in.EventIDs, From: from, To: to, DeadOnly: in.DeadOnly, After: in.Cursor})
	return replayResponse{done.Count, orNull(done.Next)}, err
}

// parseTime reads a time that a caller wrote; none gives the zero time.
func parseTime(name, text string) (time.Time, []string) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, []string{name + ": expected a time such as 2026-07-28T12:00:00Z, got \"" + short(text) + "\""}
	}
	return t, nil
}
