package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// SettleTime is how long old keys are kept at least after a rotation: for what was sealed just before it and is stored only
// now, and for nodes that were not told.
const SettleTime = 10 * time.Minute

// Rotate gives every keyset that was not rotated since the given time a new primary key, and wraps all of them with the first
// key of the source. Old keys still open; Retire takes them away. It gives how many keysets were changed. Running it again
// with the same time does the rest of what was not done.
func (k *Keyring) Rotate(ctx context.Context, since time.Time) (int, error) {
	if err := k.askAgain(ctx); err != nil {
		return 0, err
	}
	return k.rewrite(ctx, func(kept Keyset, handle *keyset.Handle) (*keyset.Handle, time.Time, error) {
		if !kept.Rotated.Before(since) {
			return handle, kept.Rotated, nil
		}
		manager := keyset.NewManagerFromHandle(handle)
		added, err := manager.Add(aead.AES256GCMKeyTemplate())
		if err == nil {
			err = manager.SetPrimary(added)
		}
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("add a key for %s: %w", kept.Owner, err)
		}
		rotated, err := manager.Handle()
		return rotated, k.now(), err
	})
}

// Retire takes all keys but the primary ones out of the keysets. The caller has made sure that nothing is sealed with them. A
// fault of kind Conflict says that it is too early. It gives how many keysets were changed.
func (k *Keyring) Retire(ctx context.Context) (int, error) {
	stored, err := k.store.Keysets(ctx)
	if err != nil {
		return 0, err
	}
	for _, one := range stored {
		if settled := one.Rotated.Add(SettleTime); k.now().Before(settled) {
			return 0, fault.New(fault.Conflict, fault.SlugConflict, "The keys were rotated a moment ago; the old ones are still needed until %s.", settled.UTC().Format("15:04:05 UTC")).
				WithFix("Try again then.")
		}
	}
	return k.rewrite(ctx, func(kept Keyset, handle *keyset.Handle) (*keyset.Handle, time.Time, error) {
		primary, err := handle.Primary()
		if err != nil {
			return nil, time.Time{}, err
		}
		manager := keyset.NewManagerFromHandle(handle)
		for i := range handle.Len() {
			entry, err := handle.Entry(i)
			if err == nil && entry.KeyID() != primary.KeyID() {
				err = manager.Delete(entry.KeyID())
			}
			if err != nil {
				return nil, time.Time{}, fmt.Errorf("take an old key of %s away: %w", kept.Owner, err)
			}
		}
		left, err := manager.Handle()
		return left, kept.Rotated, err
	})
}

// rewrite changes every stored keyset and wraps it with the first key. A keyset that is the same afterwards, and wrapped with
// that key, is left alone.
func (k *Keyring) rewrite(ctx context.Context, change func(Keyset, *keyset.Handle) (*keyset.Handle, time.Time, error)) (int, error) {
	changed := 0
	for again := true; again; {
		again = false
		stored, err := k.store.Keysets(ctx)
		if err != nil {
			return changed, err
		}
		for _, one := range stored {
			outcome, err := k.rewriteOne(ctx, one, change)
			if err != nil {
				return changed, err
			}
			switch outcome {
			case rewritten:
				changed++
			case overtaken:
				again = true
			case left:
			}
		}
	}
	return changed, nil
}

// outcome of rewriting one keyset.
type outcome int

const (
	left      outcome = iota // there was nothing to change
	rewritten                // it was replaced
	overtaken                // another node replaced it in between
)

func (k *Keyring) rewriteOne(ctx context.Context, one Keyset, change func(Keyset, *keyset.Handle) (*keyset.Handle, time.Time, error)) (outcome, error) {
	handle, err := k.unwrap(ctx, one.Wrapped, one.Owner)
	if err != nil {
		return left, err
	}
	after, rotated, err := change(one, handle)
	if err != nil {
		return left, err
	}
	first := k.wrappers()[0]
	_, err = unwrap(ctx, []Wrapper{first}, one.Wrapped, one.Owner)
	if err != nil && !errors.Is(err, ErrOtherKey) {
		return left, err
	}
	if err == nil && sameKeys(handle, after) {
		return left, nil
	}
	wrapped, err := wrap(ctx, first, after, one.Owner)
	if err != nil {
		return left, err
	}
	swapped, err := k.store.ReplaceKeyset(ctx, one.Wrapped, Keyset{one.Owner, wrapped, rotated})
	if err != nil || !swapped {
		return overtaken, err
	}
	k.Replaced(one.Owner)
	return rewritten, nil
}

// sameKeys compares two keysets by the ids of their keys.
func sameKeys(a, b *keyset.Handle) bool {
	return a.KeysetInfo().GetPrimaryKeyId() == b.KeysetInfo().GetPrimaryKeyId() && a.Len() == b.Len()
}

// State says how an owner's keyset stands.
type State struct {
	Owner   string
	Keys    int       // with those that only open
	Rotated time.Time // when the primary key became that; zero for the first
	Wrapped string    // the name of the key that wraps it
	First   bool      // that key is the one that wraps new keysets
}

// States tells how every keyset stands.
func (k *Keyring) States(ctx context.Context) ([]State, error) {
	stored, err := k.store.Keysets(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, len(stored))
	for i, one := range stored {
		handle, err := k.unwrap(ctx, one.Wrapped, one.Owner)
		if err != nil {
			return nil, err
		}
		states[i] = State{Owner: one.Owner, Keys: handle.Len(), Rotated: one.Rotated}
		for j, key := range k.wrappers() {
			if _, err := unwrap(ctx, []Wrapper{key}, one.Wrapped, one.Owner); err == nil {
				states[i].Wrapped, states[i].First = key.Name(), j == 0
				break
			}
		}
	}
	return states, nil
}

// Fresh makes the Sealer of an owner look at what is stored, so that Current speaks of the key that seals from now on.
func (k *Keyring) Fresh(ctx context.Context, owner string) (*Sealer, error) {
	sealer, err := k.Project(ctx, owner)
	if err != nil {
		return nil, err
	}
	wrapped, err := k.store.Keyset(ctx, owner)
	if err == nil && !bytes.Equal(wrapped, sealer.opened.Load().wrapped) {
		_, err = sealer.reload()
	}
	return sealer, err
}
