// Package cache keeps in memory what was read elsewhere, for the paths that must not read the store.
//
// It owns one idea: a value that was read before a change must not be kept after it. Who reads takes a Mark first and gives
// it to Put; every drop makes earlier marks worthless, so a slow read never brings back what a change has just removed.
//
// It does not own: who hears of changes (package notify), and what a change makes doubtful (whoever holds the cache).
package cache

import (
	"container/list"
	"sync"
	"time"
)

// Options say how much is kept, and for how long.
type Options struct {
	// Limit is how many values are kept at most; the one used least lately goes first. It must be above zero.
	Limit int
	// Life is how long a value is believed. It bounds the harm when word of a change was lost. Zero: until it is dropped.
	Life time.Duration
	// Now tells the time where values have a Life. Nil: time.Now.
	Now func() time.Time
}

// Cache keeps the values used last. It is safe for concurrent use. Values are shared: do not change them.
type Cache[K comparable, V any] struct {
	o Options

	mu      sync.Mutex
	entries map[K]*list.Element
	order   list.List // of *entry[K, V], used last first
	drops   Mark
}

// Mark is a moment in the life of a cache.
type Mark uint64

type entry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

// New makes an empty Cache.
func New[K comparable, V any](o Options) *Cache[K, V] {
	if o.Limit <= 0 {
		panic("cache: Limit must be above zero")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Cache[K, V]{o: o, entries: make(map[K]*list.Element)}
}

// Get finds a value.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(key)
}

// Load finds a value, or fetches and keeps it. A failure is not kept. Callers who come at the same time may each fetch.
func (c *Cache[K, V]) Load(key K, fetch func() (V, error)) (V, error) {
	c.mu.Lock()
	v, ok := c.find(key)
	mark := c.drops
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := fetch()
	if err == nil {
		c.Put(key, v, mark)
	}
	return v, err
}

// Intern finds a value, or keeps what fresh makes: the same for all who ask. fresh runs under the lock, so it must be quick.
func (c *Cache[K, V]) Intern(key K, fresh func() V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.find(key); ok {
		return v
	}
	v := fresh()
	c.keep(key, v)
	return v
}

// Mark is taken before a value is read elsewhere, and given to Put.
func (c *Cache[K, V]) Mark() Mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drops
}

// Put keeps a value, unless anything was dropped since the mark was taken: then it may be the old one.
func (c *Cache[K, V]) Put(key K, v V, mark Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops == mark {
		c.keep(key, v)
	}
}

// Drop forgets one value.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	if e, ok := c.entries[key]; ok {
		c.remove(e)
	}
}

// DropFunc forgets the values that are doubtful.
func (c *Cache[K, V]) DropFunc(doubtful func(K, V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	for _, e := range c.entries {
		if held := e.Value.(*entry[K, V]); doubtful(held.key, held.value) {
			c.remove(e)
		}
	}
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	clear(c.entries)
	c.order.Init()
}

// Len is how many values are kept, including those whose life is over and whom nobody asked for since.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

func (c *Cache[K, V]) find(key K) (V, bool) {
	var none V
	e, ok := c.entries[key]
	if !ok {
		return none, false
	}
	held := e.Value.(*entry[K, V])
	if c.o.Life > 0 {
		if left := held.until.Sub(c.o.Now()); left <= 0 || left > c.o.Life { // more than its life when the clock was turned back
			c.remove(e)
			return none, false
		}
	}
	c.order.MoveToFront(e)
	return held.value, true
}

func (c *Cache[K, V]) keep(key K, v V) {
	if e, ok := c.entries[key]; ok {
		c.remove(e)
	}
	held := &entry[K, V]{key: key, value: v}
	if c.o.Life > 0 {
		held.until = c.o.Now().Add(c.o.Life)
	}
	c.entries[key] = c.order.PushFront(held)
	for len(c.entries) > c.o.Limit {
		c.remove(c.order.Back())
	}
}

func (c *Cache[K, V]) remove(e *list.Element) {
	c.order.Remove(e)
	delete(c.entries, e.Value.(*entry[K, V]).key)
}
