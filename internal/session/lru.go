package session

import (
	"container/list"
	"sync"
)

// lru keeps the most recently used values under a fixed bound, so that what is stored never grows the heap. It is safe
// for concurrent use.
type lru[K comparable, V any] struct {
	mu      sync.Mutex
	limit   int
	order   list.List // of lruItem, most recent first
	entries map[K]*list.Element
	drops   uint64 // raised by every drop: a value read before one may be stale after it
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, entries: make(map[K]*list.Element)}
}

func (l *lru[K, V]) get(key K) (V, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[key]; ok {
		l.order.MoveToFront(e)
		return e.Value.(lruItem[K, V]).value, true
	}
	var none V
	return none, false
}

func (l *lru[K, V]) put(key K, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(key, value)
}

// load gives what is kept under a key, or keeps what fresh makes. fresh runs under the lock: it must be quick.
func (l *lru[K, V]) load(key K, fresh func() V) V {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[key]; ok {
		l.order.MoveToFront(e)
		return e.Value.(lruItem[K, V]).value
	}
	value := fresh()
	l.keep(key, value)
	return value
}

// mark is taken before a value is read elsewhere; putSince then keeps the value only if nothing was dropped meanwhile, so
// that a slow read cannot bring back what a change has just removed.
func (l *lru[K, V]) mark() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drops
}

func (l *lru[K, V]) putSince(mark uint64, key K, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drops == mark {
		l.keep(key, value)
	}
}

func (l *lru[K, V]) keep(key K, value V) {
	item := lruItem[K, V]{key, value}
	if e, ok := l.entries[key]; ok {
		e.Value = item
		l.order.MoveToFront(e)
		return
	}
	l.entries[key] = l.order.PushFront(item)
	for len(l.entries) > l.limit {
		last := l.order.Back()
		l.order.Remove(last)
		delete(l.entries, last.Value.(lruItem[K, V]).key)
	}
}

func (l *lru[K, V]) drop(key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops++
	if e, ok := l.entries[key]; ok {
		l.order.Remove(e)
		delete(l.entries, key)
	}
}

func (l *lru[K, V]) dropAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops++
	l.order.Init()
	clear(l.entries)
}

func (l *lru[K, V]) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}
