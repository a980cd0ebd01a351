package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// memory is a KeysetStore; package store has the real one, and its suite shows the same behaviour.
type memory struct {
	mu      sync.Mutex
	keysets map[string][]byte
	rotated map[string]time.Time
	reads   int
	failing error
	// replacing is called before a keyset is replaced, when it is set.
	replacing func(owner string)
}

func (m *memory) Keyset(_ context.Context, owner string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	if m.failing != nil {
		return nil, m.failing
	}
	if wrapped := m.keysets[owner]; wrapped != nil {
		return wrapped, nil
	}
	return nil, fault.New(fault.NotFound, "", "none")
}

func (m *memory) EnsureKeyset(_ context.Context, owner string, wrapped []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keysets == nil {
		m.keysets = make(map[string][]byte)
	}
	if m.keysets[owner] == nil {
		m.keysets[owner] = wrapped
	}
	return m.keysets[owner], nil
}

func (m *memory) Keysets(context.Context) ([]secret.Keyset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []secret.Keyset
	for _, owner := range slices.Sorted(maps.Keys(m.keysets)) {
		all = append(all, secret.Keyset{Owner: owner, Wrapped: m.keysets[owner], Rotated: m.rotated[owner]})
	}
	return all, m.failing
}

func (m *memory) ReplaceKeyset(_ context.Context, old []byte, k secret.Keyset) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.replacing != nil {
		m.replacing(k.Owner)
	}
	if !bytes.Equal(m.keysets[k.Owner], old) {
		return false, nil
	}
	if m.rotated == nil {
		m.rotated = make(map[string]time.Time)
	}
	m.keysets[k.Owner], m.rotated[k.Owner] = k.Wrapped, k.Rotated
	return true, nil
}

// source gives a key and notes whether the store was fresh.
func source(key secret.MasterKey, fresh *bool) secret.KeySource {
	return func(_ context.Context, f bool) ([]secret.Wrapper, error) {
		*fresh = f
		return []secret.Wrapper{key}, nil
	}
}

func openKeyring(t *testing.T, store secret.KeysetStore, key secret.MasterKey) (ring *secret.Keyring, fresh bool) {
	t.Helper()
	ring, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Source: source(key, &fresh)})
	if err != nil {
		t.Fatal(err)
	}
	return ring, fresh
}

func project(t *testing.T, ring *secret.Keyring, id string) *secret.Sealer {
	t.Helper()
	sealer, err := ring.Project(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func seal(t *testing.T, s *secret.Sealer, plain, where string) []byte {
	t.Helper()
	sealed, err := s.Seal([]byte(plain), where)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealer(t *testing.T) {
	t.Parallel()
	ring, _ := openKeyring(t, new(memory), secret.NewMasterKey())
	ours, theirs := project(t, ring, "pr_ours"), project(t, ring, "pr_theirs")
	sealed := seal(t, ours, "token", "accounts/ca_1/fields")
	if bytes.Contains(sealed, []byte("token")) {
		t.Error("what is sealed can be read")
	}
	if bytes.Equal(sealed, seal(t, ours, "token", "accounts/ca_1/fields")) {
		t.Error("the same text sealed twice looks the same")
	}
	if plain, err := ours.Open(sealed, "accounts/ca_1/fields"); err != nil || string(plain) != "token" {
		t.Errorf("opened %q: %v", plain, err)
	}
	if empty, err := ours.Open(seal(t, ours, "", "x"), "x"); err != nil || len(empty) != 0 {
		t.Errorf("an empty text opened as %q: %v", empty, err)
	}
	tampered := bytes.Clone(sealed)
	tampered[len(tampered)-1] ^= 1
	for name, attempt := range map[string]func() ([]byte, error){
		"another place":           func() ([]byte, error) { return ours.Open(sealed, "accounts/ca_2/fields") },
		"another project's key":   func() ([]byte, error) { return theirs.Open(sealed, "accounts/ca_1/fields") },
		"the server's own key":    func() ([]byte, error) { return ring.Server().Open(sealed, "accounts/ca_1/fields") },
		"one bit changed":         func() ([]byte, error) { return ours.Open(tampered, "accounts/ca_1/fields") },
		"cut off":                 func() ([]byte, error) { return ours.Open(sealed[:8], "accounts/ca_1/fields") },
		"nothing":                 func() ([]byte, error) { return ours.Open(nil, "accounts/ca_1/fields") },
		"what was never sealed":   func() ([]byte, error) { return ours.Open([]byte("token"), "accounts/ca_1/fields") },
		"the place as plain text": func() ([]byte, error) { return ours.Open([]byte("accounts/ca_1/fields"), "accounts/ca_1/fields") },
	} {
		if plain, err := attempt(); err == nil {
			t.Errorf("%s: opened %q", name, plain)
		}
	}
}

func TestKeyringReopens(t *testing.T) {
	t.Parallel()
	store, key := new(memory), secret.NewMasterKey()
	first, fresh := openKeyring(t, store, key)
	if !fresh {
		t.Error("an empty store is not fresh")
	}
	sealed := seal(t, project(t, first, "pr_1"), "token", "x")
	forServer := seal(t, first.Server(), "state", "y")

	second, fresh := openKeyring(t, store, key)
	if fresh {
		t.Error("a store with keysets is fresh")
	}
	if plain, err := project(t, second, "pr_1").Open(sealed, "x"); err != nil || string(plain) != "token" {
		t.Errorf("opened %q: %v", plain, err)
	}
	if plain, err := second.Server().Open(forServer, "y"); err != nil || string(plain) != "state" {
		t.Errorf("opened %q: %v", plain, err)
	}
	for owner, wrapped := range store.keysets {
		raw, _ := base64.StdEncoding.DecodeString(key.Reveal())
		if bytes.Contains(wrapped, raw) {
			t.Errorf("the keyset of %s holds the master key", owner)
		}
	}
}

func TestKeyringWrongKey(t *testing.T) {
	t.Parallel()
	store := new(memory)
	openKeyring(t, store, secret.NewMasterKey())
	var fresh bool
	_, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Source: source(secret.NewMasterKey(), &fresh)})
	if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "This master key does not open this database.") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(fault.From(err).Fix, "PATCHBAY_MASTER_KEY") {
		t.Errorf("the fix is %q", fault.From(err).Fix)
	}
}

// TestKeyringSwappedKeysets gives one project the keyset of another: it must not open, or whoever can write to the database
// could make projects share a key.
func TestKeyringSwappedKeysets(t *testing.T) {
	t.Parallel()
	store, key := new(memory), secret.NewMasterKey()
	ring, _ := openKeyring(t, store, key)
	project(t, ring, "pr_1")
	store.keysets["pr_2"] = store.keysets["pr_1"]
	if _, err := ring.Project(t.Context(), "pr_2"); err == nil {
		t.Error("another project's keyset opened")
	}
}

func TestKeyringFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is away")
	var fresh bool
	if _, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: &memory{failing: broken}, Source: source(secret.NewMasterKey(), &fresh)}); !errors.Is(err, broken) {
		t.Errorf("open: got %v, want the cause", err)
	}
	refused := errors.New("no key")
	if _, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: new(memory), Source: func(context.Context, bool) ([]secret.Wrapper, error) { return nil, refused }}); err != refused {
		t.Errorf("open: got %v, want the source's own error", err)
	}
	store := new(memory)
	ring, _ := openKeyring(t, store, secret.NewMasterKey())
	store.failing = broken
	if _, err := ring.Project(t.Context(), "pr_1"); !errors.Is(err, broken) {
		t.Errorf("project: got %v, want the cause", err)
	}
	store.failing = nil
	project(t, ring, "pr_1") // a failure is not remembered
}

func TestKeyringReadsOnce(t *testing.T) {
	t.Parallel()
	store := new(memory)
	ring, _ := openKeyring(t, store, secret.NewMasterKey())
	project(t, ring, "pr_1")
	before := store.reads
	for range 3 {
		project(t, ring, "pr_1")
	}
	if store.reads != before {
		t.Errorf("%d reads for a keyset that is known", store.reads-before)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	if got := secret.Hash("abc"); got != abc {
		t.Errorf("got %s", got)
	}
}
