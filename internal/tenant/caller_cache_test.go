package tenant

import (
	"fmt"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestCallerCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCallerCache(3)
	for i := range 10 {
		hash := fmt.Sprint(i)
		_, era, _ := c.get(hash)
		c.put(hash, Caller{KeyID: hash}, era)
		if got, _, ok := c.get(hash); !ok || got.KeyID != hash {
			t.Errorf("the newest is not remembered: %+v, %t", got, ok)
		}
	}
	if len(c.callers) != 3 {
		t.Errorf("remembers %d, want 3", len(c.callers))
	}
}

func TestCallerCacheRefusesOldNews(t *testing.T) {
	t.Parallel()
	c := newCallerCache(3)
	_, era, _ := c.get("a")
	c.hear(notify.Change{Kind: notify.Key, ID: "another"}) // any key: whose, is not known to who reads
	c.put("a", Caller{KeyID: "a"}, era)
	if _, _, ok := c.get("a"); ok {
		t.Error("what was read before a change is remembered")
	}
}

func BenchmarkAuthenticateWarm(b *testing.B) {
	s := &Service{known: newCallerCache(cachedKeys)}
	const key = "ak_0123456789abcdef0123456789abcdef0123456789a"
	_, era, _ := s.known.get("")
	s.known.put(secret.Hash(key), Caller{ProjectID: "pr_1"}, era)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
