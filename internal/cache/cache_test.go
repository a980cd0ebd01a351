package cache_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
)

func TestTheLeastUsedGoesFirst(t *testing.T) {
	t.Parallel()
	c := cache.New[string, int](cache.Options{Limit: 3})
	for i := range 1000 {
		c.Put(strconv.Itoa(i), i, c.Mark())
		c.Get("0") // used all the time: it stays
	}
	if n := c.Len(); n != 3 {
		t.Errorf("%d values, want 3", n)
	}
	for _, key := range []string{"0", "998", "999"} {
		if _, ok := c.Get(key); !ok {
			t.Errorf("%s is gone", key)
		}
	}
}

func TestWhatWasReadBeforeADropIsNotKept(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(*cache.Cache[string, int]){
		"Drop":     func(c *cache.Cache[string, int]) { c.Drop("another") },
		"DropFunc": func(c *cache.Cache[string, int]) { c.DropFunc(func(string, int) bool { return false }) },
		"Clear":    (*cache.Cache[string, int]).Clear,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cache.New[string, int](cache.Options{Limit: 3})
			mark := c.Mark()
			drop(c) // word of a change comes while the old value is being read
			c.Put("a", 1, mark)
			if _, ok := c.Get("a"); ok {
				t.Error("Put kept it")
			}
			if v, err := c.Load("a", func() (int, error) { drop(c); return 1, nil }); v != 1 || err != nil {
				t.Error(v, err)
			}
			if _, ok := c.Get("a"); ok {
				t.Error("Load kept it")
			}
			c.Put("a", 2, c.Mark())
			if v, ok := c.Get("a"); !ok || v != 2 {
				t.Errorf("got %d, %t", v, ok)
			}
		})
	}
}

func TestDropping(t *testing.T) {
	t.Parallel()
	c := cache.New[string, int](cache.Options{Limit: 10})
	for _, key := range []string{"a1", "a2", "b1", "b2"} {
		c.Put(key, 1, c.Mark())
	}
	c.Drop("a1")
	c.DropFunc(func(key string, _ int) bool { return strings.HasPrefix(key, "b") })
	if _, ok := c.Get("a2"); !ok || c.Len() != 1 {
		t.Errorf("%d values are left, want a2", c.Len())
	}
	c.Clear()
	if c.Len() != 0 {
		t.Errorf("%d values are left", c.Len())
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	c := cache.New[string, int](cache.Options{Limit: 2})
	if _, err := c.Load("a", func() (int, error) { return 0, errors.New("down") }); err == nil {
		t.Error("the error is gone")
	}
	fetched := 0
	for range 3 {
		if v, err := c.Load("a", func() (int, error) { fetched++; return 1, nil }); v != 1 || err != nil {
			t.Fatal(v, err)
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times, want once and no failure kept", fetched)
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	c := cache.New[string, int](cache.Options{Limit: 2, Life: time.Minute, Now: func() time.Time { return now }})
	c.Put("a", 1, c.Mark())
	now = now.Add(time.Minute - 1)
	if _, ok := c.Get("a"); !ok {
		t.Error("gone before its life was over")
	}
	now = now.Add(1)
	if _, ok := c.Get("a"); ok || c.Len() != 0 {
		t.Error("kept beyond its life")
	}
	c.Put("a", 1, c.Mark())
	now = now.Add(-time.Hour)
	if _, ok := c.Get("a"); ok {
		t.Error("a clock that was turned back made it live longer")
	}
}

func TestInternGivesAllTheSame(t *testing.T) {
	t.Parallel()
	c := cache.New[string, *int](cache.Options{Limit: 2})
	var all sync.WaitGroup
	got := make([]*int, 8)
	for i := range got {
		all.Go(func() { got[i] = c.Intern("a", func() *int { return new(int) }) })
	}
	all.Wait()
	for _, v := range got {
		if v != got[0] {
			t.Error("two values for one key")
		}
	}
}

func BenchmarkGet(b *testing.B) {
	c := cache.New[string, int](cache.Options{Limit: 4096, Life: time.Minute})
	for i := range 4096 {
		c.Put(strconv.Itoa(i), i, c.Mark())
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Get("2000")
	}
}
