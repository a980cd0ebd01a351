package catalog

import "sync"

// recent keeps what was asked for lately, bounded in bytes. When the young half is full it becomes the old one, and what was
// old and has not been asked for since is dropped. Safe for concurrent use.
type recent[K comparable, V any] struct {
	most int // bytes of both halves

	mu         sync.Mutex
	young, old map[K]weighed[V]
	bytes      int // of the young half
}

type weighed[V any] struct {
	value V
	bytes int
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{most: most, young: make(map[K]weighed[V])}
}

func (c *recent[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.young[key]; ok {
		return kept.value, true
	}
	kept, ok := c.old[key]
	if ok {
		c.keep(key, kept)
	}
	return kept.value, ok
}

func (c *recent[K, V]) put(key K, value V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, weighed[V]{value, bytes})
}

func (c *recent[K, V]) keep(key K, v weighed[V]) {
	if c.bytes+v.bytes > c.most/2 {
		c.old, c.young, c.bytes = c.young, make(map[K]weighed[V]), 0
	}
	delete(c.old, key)
	if before, again := c.young[key]; again {
		c.bytes -= before.bytes
	}
	c.young[key] = v
	c.bytes += v.bytes
}
