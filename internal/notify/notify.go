// Package notify carries word of stored changes to the caches that depend on them, on this node and on others.
// Package store publishes each change, after it was committed.
//
// It owns the vocabulary of changes and the in-process bus that SQLite needs; on Postgres the store feeds the same
// bus from LISTEN/NOTIFY. It promises nothing about delivery: a cache must be able to check or expire by itself.
package notify

import "sync"

// Kind names what changed.
type Kind string

// The kinds of change that caches listen for.
const (
	Everything       Kind = "*" // the link to other nodes was lost and is back: drop what you hold
	Key              Kind = "key"
	Project          Kind = "project" // its settings
	Session          Kind = "session" // changed or deleted; a new one is not told, as nobody can hold anything about it
	Memory           Kind = "memory"  // what was noted in a task of a session; the id is the task's
	Grant            Kind = "grant"   // ended, or one of its tokens; a new one is not told
	AuthConfig       Kind = "auth_config"
	ConnectedAccount Kind = "connected_account"
	Keyset           Kind = "keyset" // the id is the owner
	MCPServer        Kind = "mcp_server"
	Event            Kind = "event"        // a project's log of events grew; the id is the project's
	Toolkit          Kind = "toolkit"      // a toolkit or a pin was stored or deleted; the id is the project's, empty for the server's
	Subscription     Kind = "subscription" // a webhook subscription changed, or deliveries to it are due anew
)

// Change says that the thing with this id was written or deleted.
type Change struct {
	Kind  Kind
	ID    string
	Owner string // the user id of a connected account, so that a list of the user's accounts can be dropped; empty: unknown
}

// Bus hands every published change to every subscriber, in the publisher's goroutine. The zero value is ready.
type Bus struct {
	mu          sync.RWMutex
	subscribers []func(Change)
}

// Subscribe registers f for all later changes. f must be quick and must not block.
func (b *Bus) Subscribe(f func(Change)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subscribers = append(b.subscribers, f)
}

// Publish tells all subscribers on this node.
func (b *Bus) Publish(c Change) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, f := range b.subscribers {
		f(c)
	}
}
