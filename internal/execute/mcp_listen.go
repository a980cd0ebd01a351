package execute

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Limits of listening.
const (
	listeners  = 64               // servers that are listened to at the same time
	deafFor    = 10 * time.Minute // before a server is listened to again that has nothing to say, or hung up
	listenIdle = 10 * time.Minute // after the last call of one of its tools
)

// listen has a server whose tools are being used tell us when its list of tools changes, over one session for each toolkit. It is
// opened in the background with the credential of the call: that it fails, or hangs, costs the call nothing.
func (x *execution) listen(key mcpKey) {
	if x.custom != nil || !x.listeners.wanted(key) {
		return
	}
	server := x.server(key, x.newAsked())
	server.Listen = true
	if !x.background.run(func() { x.listeners.hold(key, server) }) {
		x.listeners.ended(key.listener())
	}
}

// listenerKey is one server of one project: its list is the project's affair and not an account's.
type listenerKey struct{ project, toolkit, url string }

func (k mcpKey) listener() listenerKey { return listenerKey{k.project, k.toolkit, k.url} }

// mcpListeners are the sessions on which servers say that their lists changed.
type mcpListeners struct {
	now    func() time.Time
	ctx    context.Context // of the sessions; hangUp ends it
	hangUp context.CancelFunc

	mu   sync.Mutex
	by   map[listenerKey]*listener
	open int
}

type listener struct {
	open bool
	used time.Time // when a tool was last called
	deaf time.Time // until when it is not opened again
}

func newMCPListeners(now func() time.Time) *mcpListeners {
	l := &mcpListeners{now: now, by: map[listenerKey]*listener{}}
	l.ctx, l.hangUp = context.WithCancel(context.Background())
	return l
}

// wanted notes that a tool was called, and reports whether the caller is to open a session now.
func (l *mcpListeners) wanted(key mcpKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, at := l.now(), key.listener()
	if one := l.by[at]; one != nil {
		one.used = now
		if one.open || now.Before(one.deaf) {
			return false
		}
	}
	if l.open >= listeners {
		return false
	}
	l.sweep(now)
	l.by[at] = &listener{open: true, used: now}
	l.open++
	return true
}

// sweep forgets those that may be tried again.
func (l *mcpListeners) sweep(now time.Time) {
	for at, one := range l.by {
		if !one.open && now.After(one.deaf) {
			delete(l.by, at)
		}
	}
}

// hold keeps a session as long as the tools are used and the server has a use for it.
func (l *mcpListeners) hold(key mcpKey, server catalog.MCPServer) {
	at := key.listener()
	defer l.ended(at)
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	server.Send = within(ctx, server.Send) //nolint:bodyclose // the session reads and closes it
	session, err := server.Connect(ctx)
	if err != nil {
		return
	}
	defer session.Close() //nolint:errcheck // a server that does not take leave is none the worse for us
	if said := session.InitializeResult(); said == nil || said.Capabilities == nil || said.Capabilities.Tools == nil || !said.Capabilities.Tools.ListChanged {
		return
	}
	gone := make(chan struct{})
	go func() {
		_ = session.Wait() // why it ended makes no difference
		close(gone)
	}()
	for {
		select {
		case <-gone:
			return
		case <-ctx.Done():
			return
		case <-time.After(listenIdle):
			if l.idle(at) {
				return
			}
		}
	}
}

// within ends what is asked for when a context ends, also where the MCP library gives requests a context of their own. Only the farewell
// may take longer.
func within(ctx context.Context, send func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(q *http.Request) (*http.Response, error) {
		if q.Method == http.MethodDelete {
			return send(q)
		}
		own, cancel := context.WithCancel(q.Context())
		context.AfterFunc(ctx, cancel)
		return send(q.WithContext(own)) // the answer is read after this; ctx ends it
	}
}

func (l *mcpListeners) idle(at listenerKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Sub(l.by[at].used) >= listenIdle
}

func (l *mcpListeners) ended(at listenerKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.by[at].open, l.by[at].deaf = false, l.now().Add(deafFor)
}
