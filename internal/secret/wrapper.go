package secret

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Wrapper wraps keysets with a key that is not in the database: a MasterKey, or one that a key service holds. Safe for
// concurrent use.
type Wrapper interface {
	// Wrap seals a keyset for its owner.
	Wrap(ctx context.Context, keyset []byte, owner string) ([]byte, error)
	// Unwrap opens what Wrap made for the same owner. ErrOtherKey says that another key wrapped it, or nobody did; any other
	// error that it could not be tried, and is a fault of kind Unavailable when a later try may do better.
	Unwrap(ctx context.Context, wrapped []byte, owner string) ([]byte, error)
	// Name says which key this is, for people: never the key.
	Name() string
}

// ErrOtherKey is what Unwrap gives for a keyset that this key did not wrap.
var ErrOtherKey = errors.New("wrapped with another key")

// KeySource finds the keys that wrap keysets: the first wraps, all of them unwrap. Fresh says that nothing was sealed under any
// key yet; only then may a new one be made, because a new key never opens an old database. A source may be asked again: a
// key that was added since is found then.
type KeySource func(ctx context.Context, fresh bool) ([]Wrapper, error)

// Name implements Wrapper.
func (MasterKey) Name() string { return "master key" }

// Wrap implements Wrapper.
func (k MasterKey) Wrap(_ context.Context, keyset []byte, owner string) ([]byte, error) {
	key, err := subtle.NewAESGCM(k.bytes())
	if err != nil {
		return nil, fmt.Errorf("use the master key: %w", err)
	}
	return key.Encrypt(keyset, []byte(owner))
}

// Unwrap implements Wrapper.
func (k MasterKey) Unwrap(_ context.Context, wrapped []byte, owner string) ([]byte, error) {
	key, err := subtle.NewAESGCM(k.bytes())
	if err != nil {
		return nil, fmt.Errorf("use the master key: %w", err)
	}
	plain, err := key.Decrypt(wrapped, []byte(owner))
	if err != nil {
		return nil, ErrOtherKey
	}
	return plain, nil
}

// wrapping lets tink read and write keysets with a Wrapper, and keeps the Wrapper's error, which tink would turn into a text.
type wrapping struct {
	Wrapper
	failure error
}

// EncryptWithContext implements tink.AEADWithContext.
func (w *wrapping) EncryptWithContext(ctx context.Context, plain, owner []byte) (wrapped []byte, err error) {
	wrapped, w.failure = w.Wrap(ctx, plain, string(owner))
	return wrapped, w.failure
}

// DecryptWithContext implements tink.AEADWithContext.
func (w *wrapping) DecryptWithContext(ctx context.Context, wrapped, owner []byte) (plain []byte, err error) {
	plain, w.failure = w.Unwrap(ctx, wrapped, string(owner))
	return plain, w.failure
}

// wrap gives a keyset as it is stored.
func wrap(ctx context.Context, by Wrapper, handle *keyset.Handle, owner string) ([]byte, error) {
	var wrapped bytes.Buffer
	w := &wrapping{Wrapper: by}
	if err := handle.WriteWithContext(ctx, keyset.NewBinaryWriter(&wrapped), w, []byte(owner)); err != nil {
		return nil, fmt.Errorf("wrap the keyset of %s with the %s: %w", owner, by.Name(), cmp.Or(w.failure, err))
	}
	return wrapped.Bytes(), nil
}

// unwrap opens a stored keyset with whichever of the keys wrapped it. A key that could not be tried wins over those that do
// not fit: it may be the one.
func unwrap(ctx context.Context, keys []Wrapper, wrapped []byte, owner string) (*keyset.Handle, error) {
	failure := ErrOtherKey
	for _, key := range keys {
		w := &wrapping{Wrapper: key}
		handle, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(wrapped)), w, []byte(owner))
		if err == nil {
			return handle, nil
		}
		if err := cmp.Or(w.failure, err); !errors.Is(err, ErrOtherKey) {
			failure = err
		}
	}
	return nil, failure
}

// wrongKey is the fault for a database that none of the keys opens.
func wrongKey(keys []Wrapper) *fault.Error {
	message := "This master key does not open this database."
	if len(keys) > 1 {
		message = fmt.Sprintf("None of the %d master keys opens this database.", len(keys))
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "%s", message).
		WithFix("Start with the master key the database was made with (data/master.key, or PATCHBAY_MASTER_KEY); all nodes of one database need the same key. " +
			"After a rotation, a database from an older backup needs the key of that time.")
}
