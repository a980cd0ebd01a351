package secret_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// clock is a time that tests move.
type clock struct {
	mu   sync.Mutex
	time time.Time
}

func newClock() *clock { return &clock{time: time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

// node opens a keyring on a store, with keys that the test may change.
func node(t *testing.T, store *memory, c *clock, keys *[]secret.Wrapper) *secret.Keyring {
	t.Helper()
	ring, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Now: c.now,
		Source: func(context.Context, bool) ([]secret.Wrapper, error) { return *keys, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func opens(t *testing.T, what string, s *secret.Sealer, sealed []byte) {
	t.Helper()
	if plain, err := s.Open(sealed, "x"); err != nil || string(plain) != "token" {
		t.Errorf("%s: opened %q: %v", what, plain, err)
	}
}

// TestRotation goes the whole way with two nodes, of which one is never told.
func TestRotation(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	old, replacement := secret.NewMasterKey(), secret.NewMasterKey()
	keys := []secret.Wrapper{old}
	ring, deaf := node(t, store, c, &keys), node(t, store, c, &keys)
	before := seal(t, project(t, ring, "pr_1"), "token", "x")
	opens(t, "before", project(t, deaf, "pr_1"), before)

	keys = []secret.Wrapper{replacement, old}
	c.pass(time.Hour)
	since := c.now()
	if n, err := ring.Rotate(t.Context(), since); err != nil || n != 2 { // the server's and the project's
		t.Fatalf("rotated %d: %v", n, err)
	}
	if n, err := ring.Rotate(t.Context(), since); err != nil || n != 0 {
		t.Errorf("the same rotation again rotated %d: %v", n, err)
	}
	sealer := project(t, ring, "pr_1")
	if sealer, err := ring.Fresh(t.Context(), "pr_1"); err != nil || sealer.Current(before) {
		t.Errorf("the old key is still the current one: %v", err)
	}
	after := seal(t, sealer, "token", "x")
	opens(t, "sealed before", sealer, before)
	opens(t, "sealed after", sealer, after)
	opens(t, "sealed after, on the deaf node", project(t, deaf, "pr_1"), after)
	if fresh := seal(t, project(t, deaf, "pr_1"), "token", "x"); !sealer.Current(fresh) {
		t.Error("a node that met the new key goes on sealing with the old one")
	}

	states, err := ring.States(t.Context())
	if err != nil || len(states) != 2 || states[0].Keys != 2 || !states[0].First {
		t.Errorf("states %+v: %v", states, err)
	}
	if _, err := ring.Retire(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("retired at once: %v", err)
	}
	c.pass(secret.SettleTime)
	if n, err := ring.Retire(t.Context()); err != nil || n != 2 {
		t.Fatalf("retired %d: %v", n, err)
	}
	opens(t, "after the end", sealer, after)
	seal(t, sealer, "anything", "y") // the keyring was told: it looks again
	if _, err := sealer.Open(before, "x"); err == nil {
		t.Error("a retired key still opens")
	}
	keys = []secret.Wrapper{replacement}
	opens(t, "with the new master key alone", project(t, node(t, store, c, &keys), "pr_1"), after)
	keys = []secret.Wrapper{old}
	if _, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store,
		Source: func(context.Context, bool) ([]secret.Wrapper, error) { return keys, nil }}); !fault.Is(err, fault.Invalid) {
		t.Errorf("the old master key still opens the database: %v", err)
	}
}

// TestSealingAfterAMissedRotation shows that a node which was not told seals with the new key before the old one can be retired.
func TestSealingAfterAMissedRotation(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	keys := []secret.Wrapper{secret.NewMasterKey()}
	ring, deaf := node(t, store, c, &keys), node(t, store, c, &keys)
	sealer := project(t, deaf, "pr_1")
	c.pass(time.Minute)
	if _, err := ring.Rotate(t.Context(), c.now()); err != nil {
		t.Fatal(err)
	}
	c.pass(secret.SettleTime)
	late := seal(t, sealer, "token", "x")
	if _, err := ring.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	opens(t, "sealed late", project(t, node(t, store, c, &keys), "pr_1"), late)
}

// TestSealingWhenNobodyKnows shows that nothing is sealed with a key that may have been retired.
func TestSealingWhenNobodyKnows(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	keys := []secret.Wrapper{secret.NewMasterKey()}
	sealer := project(t, node(t, store, c, &keys), "pr_1")
	sealed := seal(t, sealer, "token", "x")
	c.pass(time.Hour)
	store.failing = errors.New("the database is away")
	if _, err := sealer.Seal([]byte("token"), "x"); !errors.Is(err, store.failing) {
		t.Errorf("sealed all the same: %v", err)
	}
	opens(t, "while the database is away", sealer, sealed)
	store.failing = nil
	seal(t, sealer, "token", "x")
}

// TestRotationBrokenOff lets it fail after the first keyset, and begins it again.
func TestRotationBrokenOff(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	keys := []secret.Wrapper{secret.NewMasterKey()}
	ring := node(t, store, c, &keys)
	project(t, ring, "pr_1")
	project(t, ring, "pr_2")
	c.pass(time.Minute)
	since := c.now()
	ctx, cancel := context.WithCancel(t.Context())
	store.replacing = func(string) { cancel() }
	keys = []secret.Wrapper{fussy{secret.NewMasterKey()}, keys[0]}
	if n, err := ring.Rotate(ctx, since); !errors.Is(err, context.Canceled) || n != 1 {
		t.Fatalf("rotated %d: %v", n, err)
	}
	store.replacing = nil
	if n, err := ring.Rotate(t.Context(), since); err != nil || n != 2 {
		t.Errorf("the rest: %d, %v", n, err)
	}
	states, err := ring.States(t.Context())
	for _, state := range states {
		if state.Keys != 2 {
			t.Errorf("%s has %d keys", state.Owner, state.Keys)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// fussy is a key that looks whether somebody still waits.
type fussy struct{ secret.MasterKey }

func (f fussy) Wrap(ctx context.Context, keyset []byte, owner string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f.MasterKey.Wrap(ctx, keyset, owner)
}

// TestRotationsMeet lets another node rotate a keyset in the very moment: both keys stay, and the later one seals.
func TestRotationsMeet(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	keys := []secret.Wrapper{secret.NewMasterKey()}
	ring := node(t, store, c, &keys)
	sealed := seal(t, project(t, ring, "pr_1"), "token", "x")
	c.pass(time.Minute)
	since := c.now()
	var foreign []byte
	store.replacing = func(owner string) {
		store.replacing = nil
		store.mu.Unlock()
		defer store.mu.Lock()
		other := node(t, store, c, &keys)
		if _, err := other.Rotate(t.Context(), since); err != nil {
			t.Error(err)
		}
		foreign = seal(t, project(t, other, "pr_1"), "token", "x")
	}
	if n, err := ring.Rotate(t.Context(), since); err != nil || n != 0 {
		t.Errorf("rotated %d over the other node's: %v", n, err)
	}
	opens(t, "sealed before", project(t, ring, "pr_1"), sealed)
	opens(t, "sealed by the other node", project(t, ring, "pr_1"), foreign)
}

// TestStrangeKeyNames hands a sealer what an attacker might: a lookup each, and no key service is asked.
func TestStrangeKeyNames(t *testing.T) {
	t.Parallel()
	store, c := new(memory), newClock()
	counting := &countingKey{MasterKey: secret.NewMasterKey()}
	keys := []secret.Wrapper{counting}
	ring := node(t, store, c, &keys)
	before := counting.unwrapped
	for i := range 50 {
		if _, err := ring.Server().Open(append([]byte{1, 9, 9, 9, byte(i)}, bytes.Repeat([]byte{7}, 40)...), "x"); err == nil {
			t.Fatal("opened")
		}
	}
	if counting.unwrapped != before {
		t.Errorf("the key service was asked %d times", counting.unwrapped-before)
	}
}

type countingKey struct {
	secret.MasterKey
	unwrapped int
}

func (k *countingKey) Unwrap(ctx context.Context, wrapped []byte, owner string) ([]byte, error) {
	k.unwrapped++
	return k.MasterKey.Unwrap(ctx, wrapped, owner)
}
