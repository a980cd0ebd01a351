package secret

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/core/cryptofmt"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	// trusted is for how long a keyset is sealed with before the stored one is looked at again: a node that was not told of a
	// rotation comes round by itself, well before SettleTime.
	trusted = 5 * time.Minute
	// reloadTimeout bounds the looking.
	reloadTimeout = 15 * time.Second
)

// Sealer encrypts what is stored with one keyset: the primary key seals, all of its keys open. Get one from a Keyring; it
// stays good when the keyset is rotated. Safe for concurrent use.
type Sealer struct {
	ring  *Keyring
	owner string

	opened  atomic.Pointer[opened]
	stale   atomic.Bool // the stored keyset is another one, or may be
	loading sync.Mutex
}

// opened is a keyset that was unwrapped.
type opened struct {
	handle    *keyset.Handle
	primitive tink.AEAD
	primary   uint32
	wrapped   []byte // as it was stored
	seen      time.Time
}

// newSealer makes the Sealer of a keyset.
func newSealer(ring *Keyring, owner string, handle *keyset.Handle, wrapped []byte) (*Sealer, error) {
	s := &Sealer{ring: ring, owner: owner}
	return s, s.use(handle, wrapped)
}

// use makes a keyset the one that seals and opens.
func (s *Sealer) use(handle *keyset.Handle, wrapped []byte) error {
	primitive, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("use the keyset of %s: %w", s.owner, err)
	}
	primary, err := handle.Primary()
	if err != nil {
		return fmt.Errorf("use the keyset of %s: %w", s.owner, err)
	}
	s.opened.Store(&opened{handle, primitive, primary.KeyID(), wrapped, s.ring.now()})
	return nil
}

// Seal encrypts plain. Where names the row and column it is for; Open needs the same text again, so that a sealed value
// copied to another row does not open there.
func (s *Sealer) Seal(plain []byte, where string) ([]byte, error) {
	if s.stale.Load() || s.ring.now().Sub(s.opened.Load().seen) > trusted {
		if _, err := s.reload(); err != nil { // never with a key that may have been retired
			return nil, fmt.Errorf("seal %s: %w", where, err)
		}
	}
	sealed, err := s.opened.Load().primitive.Encrypt(plain, []byte(where))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", where, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place. Something sealed with a key that is not known here makes it look whether
// the keyset was rotated.
func (s *Sealer) Open(sealed []byte, where string) ([]byte, error) {
	o := s.opened.Load()
	plain, err := o.primitive.Decrypt(sealed, []byte(where))
	if err == nil {
		return plain, nil
	}
	if keyID, ok := sealedWith(sealed); ok && !o.has(keyID) {
		newer, failed := s.reload()
		if failed != nil {
			return nil, fmt.Errorf("open %s: %w", where, failed)
		}
		if newer {
			plain, err = s.opened.Load().primitive.Decrypt(sealed, []byte(where))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, err)
	}
	return plain, nil
}

// Current reports whether something was sealed with the key that seals now. It looks at the name of the key only.
func (s *Sealer) Current(sealed []byte) bool {
	keyID, ok := sealedWith(sealed)
	return ok && keyID == s.opened.Load().primary
}

// reload looks at the stored keyset, and reports whether it was another one. The key service is asked only then.
func (s *Sealer) reload() (bool, error) {
	before := s.opened.Load()
	s.loading.Lock()
	defer s.loading.Unlock()
	if s.opened.Load() != before {
		return true, nil // somebody was faster
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	s.stale.Store(false) // first: a replacement that is told of from here on is not forgotten
	wrapped, err := s.ring.store.Keyset(ctx, s.owner)
	if err == nil && bytes.Equal(wrapped, before.wrapped) {
		looked := *before
		looked.seen = s.ring.now()
		s.opened.Store(&looked)
		return false, nil
	}
	var handle *keyset.Handle
	if err == nil {
		handle, err = s.ring.unwrap(ctx, wrapped, s.owner)
	}
	if err == nil {
		err = s.use(handle, wrapped)
	}
	if err != nil {
		s.stale.Store(true)
		return false, fmt.Errorf("look at the keyset of %s: %w", s.owner, err)
	}
	return true, nil
}

func (o *opened) has(keyID uint32) bool {
	for i := range o.handle.Len() {
		if entry, err := o.handle.Entry(i); err == nil && entry.KeyID() == keyID {
			return true
		}
	}
	return false
}

// sealedWith reads the id of the key that something was sealed with.
func sealedWith(sealed []byte) (keyID uint32, ok bool) {
	if len(sealed) < cryptofmt.NonRawPrefixSize || sealed[0] != cryptofmt.TinkStartByte {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:]), true
}

// Hash gives the hex SHA-256 under which a random 256-bit credential is looked up. Such a credential needs no slow hash
// and no salt, and a lookup by hash gives an attacker's stopwatch nothing about the credential.
func Hash(credential string) string {
	sum := sha256.Sum256([]byte(credential))
	return hex.EncodeToString(sum[:])
}
