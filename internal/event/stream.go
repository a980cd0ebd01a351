package event

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Look is a view of a project's log: which events, from where.
type Look struct {
	Filter Filter
	After  string // cursor: events behind it. Empty: those that come from now on; "0": all that are kept
	Limit  int    // events per batch; 0: 100
}

// Batch is a part of the log.
type Batch struct {
	Events []Event
	Next   string // cursor behind the last event that was looked at, whether or not it passed the filter
}

// Limits of a look.
const (
	defaultBatch = 100
	lookAhead    = 500             // events read at once
	lookAgain    = 5 * time.Second // even if nobody wakes us: what wakes us may be lost, the log is not
)

// Event gives one event of the caller's project.
func (s *Service) Event(ctx context.Context, c tenant.Caller, eventID string) (Event, error) {
	return s.store.Event(ctx, c.ProjectID, eventID)
}

// Events gives what the log has behind the look's cursor, at most Limit events. If it has nothing, it waits until there is something, or
// for the given time.
func (s *Service) Events(ctx context.Context, c tenant.Caller, look Look, wait time.Duration) (Batch, error) {
	if wait > 0 {
		leave, err := s.open.enter(c, s.o.StreamsPerKey)
		if err != nil {
			return Batch{}, err
		}
		defer leave()
	}
	ear, forget := s.ears.listen(c.ProjectID)
	defer forget()
	closing := s.streams.closing()
	position, err := s.startOf(ctx, c, look)
	if err != nil {
		return Batch{}, err
	}
	timeout := time.After(wait)
	for {
		batch, last, err := s.read(ctx, c, look, position)
		if err != nil || len(batch.Events) > 0 || wait <= 0 {
			return batch, err
		}
		position = last
		select {
		case <-ear:
		case <-time.After(lookAgain):
		case <-timeout:
			return batch, nil
		case <-closing:
			return batch, nil
		case <-ctx.Done():
			return batch, ctx.Err()
		}
	}
}

// Follow hands all events behind the look's cursor to send, as they come, until the context ends (its error), send
// fails (its error) or streams are closed (nil). A batch
// without events only moves the cursor.
func (s *Service) Follow(ctx context.Context, c tenant.Caller, look Look, send func(Batch) error) error {
	leave, err := s.open.enter(c, s.o.StreamsPerKey)
	if err != nil {
		return err
	}
	defer leave()
	ear, forget := s.ears.listen(c.ProjectID)
	defer forget()
	closing := s.streams.closing()
	position, err := s.startOf(ctx, c, look)
	if err != nil {
		return err
	}
	if err := send(Batch{Next: formatPosition(position)}); err != nil {
		return err
	}
	for {
		batch, last, err := s.read(ctx, c, look, position)
		if err != nil {
			return err
		}
		if last != position {
			if err := send(batch); err != nil {
				return err
			}
			position = last
			continue
		}
		select {
		case <-ear:
		case <-time.After(lookAgain):
		case <-closing:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// startOf gives the position that a look begins behind.
func (s *Service) startOf(ctx context.Context, c tenant.Caller, look Look) (int64, error) {
	if look.After == "" {
		return s.store.LastPosition(ctx, c.ProjectID)
	}
	return parsePosition(look.After)
}

// read gives the next events that pass the look's filter, and the position up to which the log was read.
func (s *Service) read(ctx context.Context, c tenant.Caller, look Look, position int64) (Batch, int64, error) {
	limit := look.Limit
	if limit <= 0 {
		limit = defaultBatch
	}
	var batch Batch
	for len(batch.Events) == 0 {
		events, err := s.store.EventsAfter(ctx, c.ProjectID, position, lookAhead)
		if err != nil {
			return Batch{}, position, err
		}
		for _, e := range events {
			if len(batch.Events) == limit {
				break
			}
			position = e.Position
			if look.Filter.Passes(e) {
				batch.Events = append(batch.Events, e)
			}
		}
		if len(events) == 0 {
			break
		}
	}
	batch.Next = formatPosition(position)
	return batch, position, nil
}

// Cursor gives the cursor behind an event.
func Cursor(e Event) string { return formatPosition(e.Position) }

func formatPosition(position int64) string { return strconv.FormatInt(position, 10) }

func parsePosition(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	position, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || position < 0 {
		return 0, fault.New(fault.Invalid, fault.SlugInvalid, "The cursor %q is not one that this server gave out.", cut(cursor)).
			WithFix("Pass the cursor of the last event or page unchanged; 0 begins with the oldest event that is kept.")
	}
	return position, nil
}

// ears are those who wait for a project's log to grow. The zero value is ready.
type ears struct {
	mu        sync.Mutex
	byProject map[string]map[chan struct{}]struct{}
}

// listen gives a channel that has a token after the log grew, and a function that ends the listening.
func (e *ears) listen(projectID string) (ear <-chan struct{}, forget func()) {
	own := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byProject == nil {
		e.byProject = make(map[string]map[chan struct{}]struct{})
	}
	if e.byProject[projectID] == nil {
		e.byProject[projectID] = make(map[chan struct{}]struct{})
	}
	e.byProject[projectID][own] = struct{}{}
	return own, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.byProject[projectID], own)
		if len(e.byProject[projectID]) == 0 {
			delete(e.byProject, projectID)
		}
	}
}

func (e *ears) wake(projectID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ear := range e.byProject[projectID] {
		rouse(ear)
	}
}

func (e *ears) wakeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, those := range e.byProject {
		for ear := range those {
			rouse(ear)
		}
	}
}

func rouse(ear chan struct{}) {
	select {
	case ear <- struct{}{}:
	default:
	}
}

// streams is a sign to all who hold a stream open to let it go. The zero value is ready.
type streams struct {
	mu   sync.Mutex
	sign chan struct{}
	shut bool
}

// closing gives a channel that is closed when streams that were opened by now are to end.
func (s *streams) closing() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sign == nil {
		s.sign = make(chan struct{})
		if s.shut {
			close(s.sign)
		}
	}
	return s.sign
}

// close ends all streams; for good, if nobody is to open another.
func (s *streams) close(forGood bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	if s.sign != nil {
		close(s.sign)
	}
	if s.shut = forGood; !forGood {
		s.sign = nil
	}
}
