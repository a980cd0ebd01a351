package legacy

import (
	"sync"
	"time"
)

// visit is what a request to a server's URL names.
type visit struct {
	projectID, serverID string
	visitor             Visitor
}

// opened remembers which sessions serve the visitors of late. The zero value is ready.
type opened struct {
	mu       sync.RWMutex
	sessions map[visit]openedSession
	drops    uint64 // raised by every drop: what was read before one may be stale after it
}

type openedSession struct {
	id string
	at time.Time
}

const (
	maxOpened = 4096
	// maxAge bounds how long an entry is believed when word of a change was lost.
	maxAge = time.Minute
)

func (o *opened) get(v visit, now time.Time) (string, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	e, ok := o.sessions[v]
	return e.id, ok && now.Sub(e.at) <= maxAge
}

func (o *opened) mark() uint64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.drops
}

// put remembers what was read since the mark, unless something changed meanwhile.
func (o *opened) put(mark uint64, v visit, sessionID string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.drops != mark {
		return
	}
	if o.sessions == nil || len(o.sessions) >= maxOpened {
		o.sessions = make(map[visit]openedSession)
	}
	o.sessions[v] = openedSession{sessionID, now}
}

func (o *opened) dropServer(id string) {
	o.drop(func(v visit, _ openedSession) bool { return v.serverID == id })
}

func (o *opened) dropSession(id string) {
	o.drop(func(_ visit, e openedSession) bool { return e.id == id })
}

func (o *opened) dropAll() { o.drop(func(visit, openedSession) bool { return true }) }

func (o *opened) drop(stale func(visit, openedSession) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drops++
	for v, e := range o.sessions {
		if stale(v, e) {
			delete(o.sessions, v)
		}
	}
}
