package execute

import (
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// mcpKey tells sessions apart: what a server remembers in one is for one account only.
type mcpKey struct{ project, toolkit, url, user, account string }

// Limits of idle sessions.
const (
	idleSessions       = 512
	idleSessionsPerKey = 4
	idleSessionFor     = 5 * time.Minute
)

// mcpSessions are the sessions that no call is using. Each call has one to itself: a server that answers slowly holds up nobody
// else.
type mcpSessions struct {
	now   func() time.Time
	leave func(*mcp.ClientSession) // takes leave of a server, without waiting for it

	mu     sync.Mutex
	idle   map[mcpKey][]idleSession // each list in the order of its times
	count  int
	sweeps *time.Timer // nil: nothing is idle
	closed bool
}

type idleSession struct {
	session *mcp.ClientSession
	since   time.Time
}

func newMCPSessions(now func() time.Time, leave func(*mcp.ClientSession)) *mcpSessions {
	return &mcpSessions{now: now, leave: leave, idle: map[mcpKey][]idleSession{}}
}

// take gives the session that was used last; nil when there is none.
func (p *mcpSessions) take(key mcpKey) *mcp.ClientSession {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[key]
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1]
	p.set(key, list[:len(list)-1])
	return last.session
}

// put keeps a session for the next call, or closes it where there are enough.
func (p *mcpSessions) put(key mcpKey, s *mcp.ClientSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.count >= idleSessions || len(p.idle[key]) >= idleSessionsPerKey {
		p.leave(s)
		return
	}
	p.set(key, append(p.idle[key], idleSession{s, p.now()}))
	if p.sweeps == nil {
		p.sweeps = time.AfterFunc(idleSessionFor, p.sweep)
	}
}

func (p *mcpSessions) set(key mcpKey, list []idleSession) {
	p.count += len(list) - len(p.idle[key])
	if len(list) == 0 {
		delete(p.idle, key)
		return
	}
	p.idle[key] = list
}

// sweep closes what was idle for long, and comes back for the next.
func (p *mcpSessions) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sweeps = nil; p.closed {
		return
	}
	now, next := p.now(), idleSessionFor
	for key, list := range p.idle {
		n := 0
		for n < len(list) && now.Sub(list[n].since) >= idleSessionFor {
			p.leave(list[n].session)
			n++
		}
		if n < len(list) {
			next = min(next, idleSessionFor-now.Sub(list[n].since))
		}
		p.set(key, list[n:])
	}
	if p.count > 0 {
		p.sweeps = time.AfterFunc(next, p.sweep)
	}
}

// forget drops the idle sessions of a server that does not know them any more.
func (p *mcpSessions) forget(key mcpKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(key)
}

func (p *mcpSessions) drop(key mcpKey) {
	for _, s := range p.idle[key] {
		p.leave(s.session)
	}
	p.set(key, nil)
}

// close leaves all servers, and those whose sessions come back later.
func (p *mcpSessions) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.sweeps != nil {
		p.sweeps.Stop()
	}
	for key := range p.idle {
		p.drop(key)
	}
}
