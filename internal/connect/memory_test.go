package connect

import (
	"errors"
	"testing"
	"time"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	newOne := func() *memory[string, int] {
		return newMemory[string, int](2, time.Minute, func() time.Time { return now })
	}
	fetched := 0
	fetch := func(v int) func() (int, error) { return func() (int, error) { fetched++; return v, nil } }

	m := newOne()
	for range 3 {
		if v, err := m.load("a", fetch(1)); v != 1 || err != nil {
			t.Fatal(v, err)
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
	m.load("b", fetch(2))
	m.get("a")
	m.load("c", fetch(3)) // pushes out b, which was used least lately
	if _, ok := m.get("b"); ok {
		t.Error("more is kept than the limit")
	}
	if _, ok := m.get("a"); !ok {
		t.Error("what was used last was pushed out")
	}
	m.drop("a")
	if _, ok := m.get("a"); ok {
		t.Error("dropped, but there")
	}
	now = now.Add(time.Minute)
	if _, ok := m.get("c"); ok {
		t.Error("kept beyond its life")
	}
	if _, err := m.load("e", func() (int, error) { return 0, errors.New("down") }); err == nil {
		t.Error("the error is gone")
	}
	if _, ok := m.get("e"); ok {
		t.Error("a failure is remembered")
	}

	// A value that was read before a change, and comes after it, is not kept: it may be the old one.
	v, _ := m.load("d", func() (int, error) { m.drop("d"); return 4, nil })
	if _, ok := m.get("d"); v != 4 || ok {
		t.Error("an old value was kept")
	}
	m.load("d", fetch(5))
	m.clear()
	if _, ok := m.get("d"); ok {
		t.Error("cleared, but there")
	}
}
