package session

import (
	"strconv"
	"testing"
)

func TestLRUStaysWithinItsBound(t *testing.T) {
	t.Parallel()
	l := newLRU[string, int](3)
	for i := range 1000 {
		l.put(strconv.Itoa(i), i)
		l.get("0") // used all the time: it stays
	}
	if n := l.len(); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	for _, key := range []string{"0", "998", "999"} {
		if _, ok := l.get(key); !ok {
			t.Errorf("%s is gone", key)
		}
	}
}

func TestLRUDoesNotBringBackWhatWasDropped(t *testing.T) {
	t.Parallel()
	l := newLRU[string, int](3)
	mark := l.mark()
	l.drop("a") // word of a change comes while the old value is being read
	l.putSince(mark, "a", 1)
	if _, ok := l.get("a"); ok {
		t.Error("a value that was read before the change was kept")
	}
	l.putSince(l.mark(), "a", 2)
	if v, ok := l.get("a"); !ok || v != 2 {
		t.Errorf("got %d, %v", v, ok)
	}
	l.dropAll()
	if n := l.len(); n != 0 {
		t.Errorf("%d entries after dropping all", n)
	}
}

func TestLRULoadsOnce(t *testing.T) {
	t.Parallel()
	l := newLRU[string, int](3)
	for range 3 {
		if v := l.load("a", func() int { return 7 + l.limit }); v != 10 {
			t.Errorf("got %d", v)
		}
	}
	if v := l.load("a", func() int { return 0 }); v != 10 {
		t.Errorf("loaded again: %d", v)
	}
}
