package trigger

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// Position is where a poll stands. It is stored with the events that were found on the way there.
type Position struct {
	Began bool      `json:"began,omitempty"` // a first sweep has learned what there is
	Since time.Time `json:"since,omitzero"`  // what happened before is not looked for, but for the overlap
	Mark  any       `json:"mark,omitempty"`  // the provider's own name for the same
	Seen  []string  `json:"seen,omitempty"`  // prints of the elements of the last sweep
	Sweep *Sweep    `json:"sweep,omitempty"` // the one under way: there was more than one look can read
}

// Sweep is one reading of a list from its beginning to its end, or to where it is known. It may take several looks.
type Sweep struct {
	Began  time.Time `json:"began,omitzero"` // by our clock
	Page   any       `json:"page,omitempty"` // to be read next; nil: the first
	Newest time.Time `json:"newest,omitzero"`
	Mark   any       `json:"mark,omitempty"`
	Keys   []string  `json:"keys,omitempty"` // prints of the elements so far
}

// maxSeen is how many elements a sweep remembers. Of longer lists the ones read first are forgotten: the log of events still
// knows those that became events.
const maxSeen = 10_000

// element is one element of a list, judged by the trigger type.
type element struct {
	key  string    // of the event
	seen string    // tells known elements from new ones
	at   time.Time // zero when nothing says it
	data json.RawMessage
}

// page is what one request for a list gave.
type page struct {
	items []any
	next  any // what to ask with for the next page; nil at the end
	mark  any
}

// rules of a list, from its trigger type.
type rules struct {
	overlap     time.Duration
	newestFirst bool
	emit        bool // what is there at first is new as well
	judge       func(item any) (element, bool, error)
}

// sweeper reads pages into a position.
type sweeper struct {
	rules
	position *Position
	known    map[string]bool // prints of the last sweep
	listed   map[string]bool // prints of this one
	found    []element
	passedBy []error // why elements could not be read
}

func newSweeper(r rules, p *Position, now time.Time) *sweeper {
	if p.Since.IsZero() {
		p.Since = now // what happened before is not looked for
	}
	if p.Sweep == nil {
		p.Sweep = &Sweep{Began: now}
	}
	return &sweeper{rules: r, position: p, known: set(p.Seen), listed: set(p.Sweep.Keys)}
}

// since is the time from which on elements are asked for.
func (s *sweeper) since() time.Time { return s.position.Since.Add(-s.overlap) }

// take works through one page, and reports whether the sweep has come to its end. An element that the declaration does not fit is
// passed by, so that it does not keep the others from being found; if none of the page fits, that is its error.
func (s *sweeper) take(p page) (ended bool, err error) {
	w := s.position.Sweep
	unread := 0
	for _, item := range p.items {
		e, wanted, err := s.judge(item)
		if err != nil {
			if unread++; unread == len(p.items) {
				return false, err
			}
			s.passedBy = append(s.passedBy, err)
			continue
		}
		if !e.at.IsZero() && e.at.Before(s.since()) {
			if s.newestFirst {
				ended = true
				break
			}
			continue
		}
		if wanted {
			s.see(e)
		}
	}
	if p.mark != nil {
		w.Mark = p.mark
	}
	if ended || p.next == nil {
		s.finish()
		return true, nil
	}
	w.Page = p.next
	return false, nil
}

// see notes an element; one that is new is found.
func (s *sweeper) see(e element) {
	mark := fingerprint(e.seen)[:12]
	if s.listed[mark] {
		return
	}
	w := s.position.Sweep
	s.listed[mark] = true
	if w.Keys = append(w.Keys, mark); len(w.Keys) > maxSeen {
		w.Keys = w.Keys[len(w.Keys)-maxSeen:]
	}
	if e.at.After(w.Newest) {
		w.Newest = e.at
	}
	if !s.known[mark] && (s.position.Began || s.emit) {
		s.found = append(s.found, e)
	}
}

// longestBack is how far before a sweep the next one's Since may lie. However quiet a list is, what is asked for keeps up with
// the time: providers refuse to look back for months. A day is more than clocks and indexes lag.
const longestBack = 24 * time.Hour

// finish makes what the sweep has learned the position of the next one. An element that claims to be of the future, by a wrong
// clock perhaps, does not hide those that come before that time.
func (s *sweeper) finish() {
	p, w := s.position, s.position.Sweep
	since := w.Newest
	if since.After(w.Began) {
		since = w.Began
	}
	if oldest := w.Began.Add(-longestBack); since.Before(oldest) {
		since = oldest
	}
	if since.After(p.Since) {
		p.Since = since
	}
	if w.Mark != nil {
		p.Mark = w.Mark
	}
	p.Seen, p.Sweep, p.Began = w.Keys, nil, true
}

// restart begins the sweep that is under way anew. What it has listed it still knows.
func (p *Position) restart() {
	if p.Sweep != nil {
		p.Sweep.Page = nil
	}
}

// inOrder gives what was found, the oldest first.
func (s *sweeper) inOrder() []element {
	if s.newestFirst {
		slices.Reverse(s.found)
	}
	slices.SortStableFunc(s.found, func(a, b element) int {
		if a.at.IsZero() || b.at.IsZero() {
			return 0
		}
		return a.at.Compare(b.at)
	})
	return s.found
}

// messages makes events of elements.
func (i *Instance) messages(found []element) []event.Event {
	events := make([]event.Event, len(found))
	for n, e := range found {
		events[n] = i.message(e.key, e.at, e.data)
	}
	return events
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

// judge applies a declared rule to one element of a list, or to a call. Wanted is false when the type does not concern it.
func judge(rule *catalog.EventRule, env *mapping.Env) (e element, wanted bool, err error) {
	if rule.At != nil {
		if e.at, err = timeOf(rule.At, env); err != nil {
			return e, false, err
		}
	}
	if rule.When != nil {
		if wanted, err = rule.When.True(env); err != nil || !wanted {
			return e, false, err
		}
	}
	key, err := rule.Key.Eval(env)
	if err != nil {
		return e, false, err
	}
	e.key = text(key)
	e.seen = e.key
	if rule.Seen != nil {
		seen, err := rule.Seen.Eval(env)
		if err != nil {
			return e, false, err
		}
		e.seen = text(seen)
	}
	data, err := rule.Data.EvalObject(env)
	if err != nil {
		return e, false, err
	}
	return e.with(data)
}

// with encodes the payload. An element without a key is told apart by what it says.
func (e element) with(data map[string]any) (element, bool, error) {
	if data == nil {
		data = map[string]any{}
	}
	encoded, err := mapping.EncodeJSON(data)
	if err != nil {
		return e, false, err
	}
	if len(encoded) > maxPayload {
		encoded, err = mapping.EncodeJSON(map[string]any{"too_large": true, "bytes": len(encoded), "event": e.key})
	}
	e.data = encoded
	if e.key == "" {
		e.key = fingerprint(data)
	}
	e.seen = cmp.Or(e.seen, e.key)
	return e, true, err
}

// maxPayload is how long the data of one event may be; of what is longer the event says only that. Bytes.
const maxPayload = 4 << 20

// text writes the parts of a key.
func text(v any) string {
	parts, ok := v.([]any)
	if !ok {
		return mapping.AsText(v)
	}
	out := ""
	for n, part := range parts {
		if n > 0 {
			out += ":"
		}
		out += mapping.AsText(part)
	}
	return out
}

// timeOf reads a time, in any of the forms that expressions know; zero when there is none.
func timeOf(expr *mapping.Expr, env *mapping.Env) (time.Time, error) {
	v, err := expr.Eval(env)
	if err != nil {
		return time.Time{}, err
	}
	return moment(v), nil
}

// moment understands a time, RFC 3339, and seconds or milliseconds since 1970.
func moment(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v.UTC()
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.UTC()
		}
		if seconds, err := json.Number(v).Float64(); err == nil {
			return ofSeconds(seconds)
		}
	case int:
		return ofSeconds(float64(v))
	case float64:
		return ofSeconds(v)
	}
	return time.Time{}
}

func ofSeconds(v float64) time.Time {
	const year3000 = 32503680000
	if v > year3000 {
		v /= 1000
	}
	if v <= 0 || v > year3000 {
		return time.Time{}
	}
	return time.UnixMicro(int64(v * 1e6)).UTC()
}
