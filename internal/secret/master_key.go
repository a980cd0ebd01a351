package secret

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// masterKeyBytes is the length of the master key: AES-256.
const masterKeyBytes = 32

// MasterKey is the one secret that the operator holds. It wraps the keysets that seal the stored data, so whoever has the
// database but not this key has nothing. Like Value, it never prints itself.
type MasterKey struct{ raw Value }

// NewMasterKey makes a key from the system's randomness.
func NewMasterKey() MasterKey {
	var raw [masterKeyBytes]byte
	rand.Read(raw[:]) // never fails since Go 1.24
	return MasterKey{Hide(string(raw[:]))}
}

// ParseMasterKey reads the base64 text of a key (standard or URL alphabet, padded or not).
func ParseMasterKey(text string) (MasterKey, error) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(raw) != masterKeyBytes {
		return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key is not %d bytes in base64.", masterKeyBytes).
			WithFix("Make one with: openssl rand -base64 %d", masterKeyBytes)
	}
	return MasterKey{Hide(string(raw))}, nil
}

// Reveal gives the base64 text that ParseMasterKey reads: for the key file, and for nothing else.
func (k MasterKey) Reveal() string { return base64.StdEncoding.EncodeToString(k.bytes()) }

func (k MasterKey) bytes() []byte { return []byte(k.raw.Reveal()) }

// Format, String, LogValue and MarshalText hide the key.
func (k MasterKey) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (k MasterKey) String() string               { return redacted }
func (k MasterKey) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (k MasterKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
