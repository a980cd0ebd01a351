package secret

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// serverOwner owns the keyset for what belongs to no project. It is made first, so whether it opens says whether the
// master key is the right one.
const serverOwner = "server"

// Keyset is a wrapped keyset as it is stored.
type Keyset struct {
	Owner   string // "server" or a project's id
	Wrapped []byte
	Rotated time.Time // when its primary key became that; zero for the first
}

// KeysetStore keeps wrapped keysets by owner: "server" or a project's id.
type KeysetStore interface {
	// Keyset gives a wrapped keyset; a missing one is a fault of kind NotFound.
	Keyset(ctx context.Context, owner string) ([]byte, error)
	// EnsureKeyset stores a wrapped keyset unless the owner has one, and gives the one that is kept.
	EnsureKeyset(ctx context.Context, owner string, wrapped []byte) ([]byte, error)
	// Keysets gives all of them, ordered by owner.
	Keysets(ctx context.Context) ([]Keyset, error)
	// ReplaceKeyset stores another keyset for an owner if the old one is still what is stored, and tells all nodes. It reports
	// whether it was.
	ReplaceKeyset(ctx context.Context, old []byte, replacement Keyset) (bool, error)
}

// Keyring holds one keyset per project, each wrapped by the master key where it is stored and unwrapped in memory only.
// Safe for concurrent use.
type Keyring struct {
	store  KeysetStore
	source KeySource
	now    func() time.Time
	server *Sealer

	mu       sync.RWMutex
	keys     []Wrapper // the first wraps, all unwrap
	projects map[string]*Sealer
}

// KeyringOptions say where keysets are and what wraps them.
type KeyringOptions struct {
	Store  KeysetStore      // required
	Source KeySource        // required
	Now    func() time.Time // nil: time.Now
}

// OpenKeyring unlocks the keysets of a store with the master key. On a fresh store the first keyset is made. A master key
// that does not fit is a fault that says so, and so is a key service that does not answer.
func OpenKeyring(ctx context.Context, o KeyringOptions) (*Keyring, error) {
	_, err := o.Store.Keyset(ctx, serverOwner)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, fmt.Errorf("look for keysets: %w", err)
	}
	keys, err := o.Source(ctx, err != nil)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keyring{store: o.Store, source: o.Source, now: o.Now, keys: keys, projects: make(map[string]*Sealer)}
	k.server, err = k.load(ctx, serverOwner)
	return k, err
}

// Server gives the Sealer for what belongs to no project.
func (k *Keyring) Server() *Sealer { return k.server }

// Project gives a project's own Sealer ("server" for Server's), making its keyset on first use. Warm calls read memory only.
func (k *Keyring) Project(ctx context.Context, projectID string) (*Sealer, error) {
	if sealer := k.known(projectID); sealer != nil {
		return sealer, nil
	}
	sealer, err := k.load(ctx, projectID)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if other := k.projects[projectID]; other != nil { // there is one Sealer per keyset, or a rotation would miss some
		return other, nil
	}
	k.projects[projectID] = sealer
	return sealer, nil
}

// known gives an owner's Sealer if it was loaded before.
func (k *Keyring) known(owner string) *Sealer {
	if owner == serverOwner {
		return k.server
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.projects[owner]
}

// Replaced tells the keyring that an owner's keyset was replaced, here or on another node; of any owner when it is empty. What
// is sealed from now on is sealed with the new one.
func (k *Keyring) Replaced(owner string) {
	if owner != "" {
		if sealer := k.known(owner); sealer != nil {
			sealer.stale.Store(true)
		}
		return
	}
	k.server.stale.Store(true)
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, sealer := range k.projects {
		sealer.stale.Store(true)
	}
}

// load reads and unwraps an owner's keyset, making it if there is none.
func (k *Keyring) load(ctx context.Context, owner string) (*Sealer, error) {
	wrapped, err := k.store.Keyset(ctx, owner)
	if fault.Is(err, fault.NotFound) {
		wrapped, err = k.create(ctx, owner)
	}
	if err != nil {
		return nil, fmt.Errorf("get the keyset of %s: %w", owner, err)
	}
	handle, err := k.unwrap(ctx, wrapped, owner)
	if err != nil {
		return nil, err
	}
	return newSealer(k, owner, handle, wrapped)
}

// create stores a new keyset for an owner and gives the one that is kept, which is another node's if that was faster.
func (k *Keyring) create(ctx context.Context, owner string) ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	wrapped, err := wrap(ctx, k.wrappers()[0], handle, owner)
	if err != nil {
		return nil, err
	}
	return k.store.EnsureKeyset(ctx, owner, wrapped)
}

// unwrap opens a stored keyset. When none of the keys in memory does it, the source is asked again: another node may have
// rotated to a key that has come to this one since.
func (k *Keyring) unwrap(ctx context.Context, wrapped []byte, owner string) (*keyset.Handle, error) {
	handle, err := unwrap(ctx, k.wrappers(), wrapped, owner)
	if errors.Is(err, ErrOtherKey) {
		if err := k.askAgain(ctx); err != nil {
			return nil, err
		}
		handle, err = unwrap(ctx, k.wrappers(), wrapped, owner)
	}
	if errors.Is(err, ErrOtherKey) {
		return nil, wrongKey(k.wrappers()).Because(err)
	}
	return handle, err
}

func (k *Keyring) wrappers() []Wrapper {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys
}

// askAgain takes the keys from the source anew.
func (k *Keyring) askAgain(ctx context.Context) error {
	keys, err := k.source(ctx, false)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return nil
}
