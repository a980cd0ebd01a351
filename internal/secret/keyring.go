package secret

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// serverOwner owns the keyset for what belongs to no project. It is made first, so whether it opens says whether the
// master key is the right one.
const serverOwner = "server"

// KeysetStore keeps wrapped keysets by owner: "server" or a project's id.
type KeysetStore interface {
	// Keyset gives a wrapped keyset; a missing one is a fault of kind NotFound.
	Keyset(ctx context.Context, owner string) ([]byte, error)
	// EnsureKeyset stores a wrapped keyset unless the owner has one, and gives the one that is kept.
	EnsureKeyset(ctx context.Context, owner string, wrapped []byte) ([]byte, error)
}

// Keyring holds one keyset per project, each wrapped by the master key where it is stored and unwrapped in memory only.
// Safe for concurrent use.
type Keyring struct {
	store  KeysetStore
	master tink.AEAD
	server *Sealer

	mu       sync.RWMutex
	projects map[string]*Sealer
}

// OpenKeyring unlocks the keysets of a store with the master key. On a fresh store the first keyset is made. A master key
// that does not fit is a fault that says so.
func OpenKeyring(ctx context.Context, store KeysetStore, source KeySource) (*Keyring, error) {
	_, err := store.Keyset(ctx, serverOwner)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, fmt.Errorf("look for keysets: %w", err)
	}
	key, err := source(err != nil)
	if err != nil {
		return nil, err
	}
	master, err := subtle.NewAESGCM(key.bytes())
	if err != nil {
		return nil, fmt.Errorf("use the master key: %w", err)
	}
	k := &Keyring{store: store, master: master, projects: make(map[string]*Sealer)}
	k.server, err = k.load(ctx, serverOwner)
	return k, err
}

// Server gives the Sealer for what belongs to no project.
func (k *Keyring) Server() *Sealer { return k.server }

// Project gives a project's own Sealer, making its keyset on first use. Warm calls read memory only.
func (k *Keyring) Project(ctx context.Context, projectID string) (*Sealer, error) {
	k.mu.RLock()
	sealer := k.projects[projectID]
	k.mu.RUnlock()
	if sealer != nil {
		return sealer, nil
	}
	sealer, err := k.load(ctx, projectID)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.projects[projectID] = sealer
	return sealer, nil
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
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), k.master, []byte(owner))
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "This master key does not open this database.").
			WithFix("Start with the master key the database was made with (data/master.key, or PATCHBAY_MASTER_KEY); all nodes of one database need the same key.").
			Because(err)
	}
	return newSealer(handle)
}

// create stores a new keyset for an owner and gives the one that is kept, which is another node's if that was faster.
func (k *Keyring) create(ctx context.Context, owner string) ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	var wrapped bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&wrapped), k.master, []byte(owner)); err != nil {
		return nil, fmt.Errorf("wrap a keyset: %w", err)
	}
	return k.store.EnsureKeyset(ctx, owner, wrapped.Bytes())
}
