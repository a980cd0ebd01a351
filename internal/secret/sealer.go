package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Sealer encrypts what is stored with one keyset: the primary key seals, all of its keys open. Get one from a Keyring.
// Safe for concurrent use.
type Sealer struct{ primitive tink.AEAD }

// newSealer makes the Sealer of a keyset.
func newSealer(handle *keyset.Handle) (*Sealer, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use keyset: %w", err)
	}
	return &Sealer{primitive}, nil
}

// Seal encrypts plain. Where names the row and column it is for; Open needs the same text again, so that a sealed value
// copied to another row does not open there.
func (s *Sealer) Seal(plain []byte, where string) ([]byte, error) {
	sealed, err := s.primitive.Encrypt(plain, []byte(where))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", where, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place.
func (s *Sealer) Open(sealed []byte, where string) ([]byte, error) {
	plain, err := s.primitive.Decrypt(sealed, []byte(where))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, err)
	}
	return plain, nil
}

// Hash gives the hex SHA-256 under which a random 256-bit credential is looked up. Such a credential needs no slow hash
// and no salt, and a lookup by hash gives an attacker's stopwatch nothing about the credential.
func Hash(credential string) string {
	sum := sha256.Sum256([]byte(credential))
	return hex.EncodeToString(sum[:])
}
