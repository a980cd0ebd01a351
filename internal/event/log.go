package event

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
)

// Prepare checks events that are about to be logged and gives each what it lacks: id, log id, times. Whoever stores events
// (Service.Append, or a store method that writes them together with something else) calls it first.
func Prepare(events []Event, now time.Time) ([]Event, error) {
	prepared := make([]Event, len(events))
	for i, e := range events {
		if e.ProjectID == "" || e.Key == "" || e.Type == "" {
			return nil, fault.New(fault.Internal, fault.SlugInternal, "An event lacks its project, key or type.")
		}
		if len(e.Data) > longestEventData {
			return nil, fault.New(fault.TooLarge, fault.SlugTooLarge, "The data of event %s is longer than %d MiB.", e.Key, longestEventData>>20)
		}
		if e.Data = bytes.TrimSpace(e.Data); len(e.Data) == 0 {
			e.Data = json.RawMessage("{}")
		}
		if e.Data[0] != '{' || !json.Valid(e.Data) {
			return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The data of event %s is not a JSON object.", e.Key)
		}
		if e.ID == "" {
			e.ID = id.New(id.Event)
		}
		if e.LogID == "" {
			e.LogID = id.New(id.Log)
		}
		e.CreatedAt = now
		if e.OccurredAt.IsZero() {
			e.OccurredAt = now
		}
		prepared[i] = e
	}
	return prepared, nil
}
