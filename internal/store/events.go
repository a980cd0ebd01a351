package store

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

var _ event.Store = (*Store)(nil)

const eventColumns = `project_id, position, id, key, type, log_id, toolkit, trigger_slug, trigger_id, account_id, auth_config_id, user_id,
	data, occurred_at, created_at`

// eventRow is an event as it is stored. Data may be what people wrote to each other, so it is sealed.
type eventRow struct {
	event.Event
	data []byte // sealed Data
}

func scanEvent(r row) (e eventRow, err error) {
	err = r.Scan(&e.ProjectID, &e.Position, &e.ID, &e.Key, &e.Type, &e.LogID, &e.Toolkit, &e.TriggerSlug, &e.TriggerID, &e.AccountID,
		&e.AuthConfigID, &e.UserID, &e.data, at(&e.OccurredAt), at(&e.CreatedAt))
	return e, err
}

// values gives what is stored, in the order of eventColumns.
func (e *eventRow) values() []any {
	return []any{e.ProjectID, e.Position, e.ID, e.Key, string(e.Type), e.LogID, e.Toolkit, e.TriggerSlug, e.TriggerID, e.AccountID,
		e.AuthConfigID, e.UserID, e.data, micros(e.OccurredAt), micros(e.CreatedAt)}
}

// sealEvents prepares events for appendEvents. Call it before the transaction begins.
func (s *Store) sealEvents(ctx context.Context, events []event.Event) ([]eventRow, error) {
	prepared, err := event.Prepare(events, s.now())
	if err != nil {
		return nil, err
	}
	rows := make([]eventRow, len(prepared))
	for i, e := range prepared {
		v, err := s.vaultOf(ctx, e.ProjectID, "events", e.ID)
		if err != nil {
			return nil, err
		}
		rows[i].Event = e
		if rows[i].data, err = v.sealBytes(e.Data, "data"); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// openEvent fills the data from the sealed column.
func (s *Store) openEvent(ctx context.Context, r *eventRow) (event.Event, error) {
	v, err := s.vaultOf(ctx, r.ProjectID, "events", r.ID)
	if err == nil {
		r.Data, err = v.openBytes(r.data, "data")
	}
	return r.Event, err
}

func (s *Store) openEvents(ctx context.Context, rows []eventRow) ([]event.Event, error) {
	events := make([]event.Event, len(rows))
	for i := range rows {
		var err error
		if events[i], err = s.openEvent(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// appendEvents is how every event gets into the log, whatever else the transaction does: those whose key the project has not seen
// are given their positions, and a delivery to each subscription that wants them. It gives those. All events are of one project.
//
// Call it last in a transaction: it holds the head of the project's log until the commit.
func (s *Store) appendEvents(t *tx, rows []eventRow) ([]event.Event, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	projectID := rows[0].ProjectID
	var head int64
	err := t.queryer.QueryRowContext(t.ctx, `INSERT INTO event_heads (project_id, position) VALUES ($1, $2)
		ON CONFLICT (project_id) DO UPDATE SET position = event_heads.position + excluded.position RETURNING position`,
		projectID, len(rows)).Scan(&head)
	if err != nil {
		return nil, err
	}
	var added []event.Event
	for i := range rows {
		r := &rows[i]
		if r.ProjectID != projectID {
			return nil, fault.New(fault.Internal, fault.SlugInternal, "Events of two projects were to be stored together.")
		}
		r.Position = head - int64(len(rows)-1-i)
		n, err := t.exec(`INSERT INTO events (`+eventColumns+`) VALUES `+placeholders(1, 15)+` ON CONFLICT (project_id, key) DO NOTHING`,
			r.values()...)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			added = append(added, r.Event)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	t.announce(notify.Event, projectID, "")
	return added, s.fanOut(t, projectID, added)
}

// AppendEvents stores events of one project that are not in its log yet, and gives those.
func (s *Store) AppendEvents(ctx context.Context, events []event.Event) ([]event.Event, error) {
	rows, err := s.sealEvents(ctx, events)
	if err != nil {
		return nil, err
	}
	var added []event.Event
	err = s.write(ctx, "store events", func(t *tx) (err error) {
		added, err = s.appendEvents(t, rows)
		return err
	})
	return added, err
}

// Event gives one event of a project.
func (s *Store) Event(ctx context.Context, projectID, id string) (event.Event, error) {
	r, err := scanEvent(s.db.reader().QueryRowContext(ctx, `SELECT `+eventColumns+` FROM events WHERE project_id = $1 AND id = $2`, projectID, id))
	if err != nil {
		return event.Event{}, s.wrap("read event", s.orMissing(err, func() error {
			return fault.New(fault.NotFound, fault.SlugNotFound, "There is no event %s in this project.", id).
				WithFix("Events are kept for a limited time; list them to see which there are.")
		}))
	}
	e, err := s.openEvent(ctx, &r)
	return e, s.wrap("read event", err)
}

// mostEventData bounds what one read of several events holds in memory, in bytes: one event may have megabytes.
const mostEventData = 16 << 20

// dataBudget is true for the row that uses up what one read may hold.
func dataBudget[T any](data func(T) []byte) func(T) bool {
	left := mostEventData
	return func(r T) bool {
		left -= len(data(r))
		return left <= 0
	}
}

// EventsAfter gives up to limit events of a project behind a position, in order.
func (s *Store) EventsAfter(ctx context.Context, projectID string, position int64, limit int) ([]event.Event, error) {
	rows, err := collectUntil(ctx, s.db.reader(), scanEvent, dataBudget(func(r eventRow) []byte { return r.data }), `SELECT `+eventColumns+` FROM events
		WHERE project_id = $1 AND position > $2 ORDER BY position LIMIT $3`, projectID, position, limit)
	if err != nil {
		return nil, s.wrap("read events", err)
	}
	events, err := s.openEvents(ctx, rows)
	return events, s.wrap("read events", err)
}

// LastPosition gives the position of the project's newest event, 0 when there never was one.
func (s *Store) LastPosition(ctx context.Context, projectID string) (int64, error) {
	var position int64
	err := s.db.reader().QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM event_heads WHERE project_id = $1`, projectID).Scan(&position)
	return position, s.wrap("read the head of the event log", err)
}

// DeleteEventsBefore deletes events that were logged before a time, with their deliveries, and gives how many. One that was
// replayed and is still on its way stays.
func (s *Store) DeleteEventsBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete events", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM events WHERE (project_id, position) IN (
			SELECT project_id, position FROM events e WHERE created_at < $1 AND NOT EXISTS (
				SELECT 1 FROM event_deliveries d WHERE d.project_id = e.project_id AND d.position = e.position
					AND d.status = 'pending' AND d.given_up_at > $2)
			ORDER BY created_at LIMIT $3)`, micros(before), micros(s.now()), batch)
		return int(n), err
	})
}
