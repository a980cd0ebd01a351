package connect

import (
	"container/list"
	"sync"
	"time"
)

// memory keeps what was used last: at most limit values, each for at most life. Safe for concurrent use. A value that was
// being loaded while something was dropped is handed out but not kept, since it may already be the old one.
type memory[K comparable, V any] struct {
	limit int
	life  time.Duration
	now   func() time.Time

	mu      sync.Mutex
	entries map[K]*list.Element
	order   *list.List // of *remembered[K, V], most recently used first
	drops   uint64     // raised by every drop
}

type remembered[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

func newMemory[K comparable, V any](limit int, life time.Duration, now func() time.Time) *memory[K, V] {
	return &memory[K, V]{limit: limit, life: life, now: now, entries: make(map[K]*list.Element), order: list.New()}
}

// get finds a value.
func (m *memory[K, V]) get(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		var none V
		return none, false
	}
	r := e.Value.(*remembered[K, V])
	if left := r.until.Sub(m.now()); left <= 0 || left > m.life { // more than its life is left when the clock was turned back
		m.remove(e)
		var none V
		return none, false
	}
	m.order.MoveToFront(e)
	return r.value, true
}

// load finds a value or fetches it.
func (m *memory[K, V]) load(key K, fetch func() (V, error)) (V, error) {
	if v, ok := m.get(key); ok {
		return v, nil
	}
	before := m.mark()
	v, err := fetch()
	if err == nil {
		m.put(key, v, before)
	}
	return v, err
}

// mark is taken before a value is read from the store, and given to put.
func (m *memory[K, V]) mark() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drops
}

// put keeps a value, unless something was dropped since the mark was taken.
func (m *memory[K, V]) put(key K, v V, mark uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drops != mark {
		return
	}
	if e, ok := m.entries[key]; ok {
		m.remove(e)
	}
	m.entries[key] = m.order.PushFront(&remembered[K, V]{key, v, m.now().Add(m.life)})
	for m.order.Len() > m.limit {
		m.remove(m.order.Back())
	}
}

// drop forgets one value.
func (m *memory[K, V]) drop(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
	if e, ok := m.entries[key]; ok {
		m.remove(e)
	}
}

// clear forgets everything.
func (m *memory[K, V]) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
	clear(m.entries)
	m.order.Init()
}

func (m *memory[K, V]) remove(e *list.Element) {
	m.order.Remove(e)
	delete(m.entries, e.Value.(*remembered[K, V]).key)
}
