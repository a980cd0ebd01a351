package app

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// Secrets rotates the keys that seal what is stored, for whoever runs the server. Everything goes on being read and written
// meanwhile, on all nodes. What was broken off, by whatever, goes on when it is begun again.
type Secrets interface {
	// State says how the keys stand.
	State(ctx context.Context) (SecretsState, error)
	// Rotate makes new keys, seals everything anew and makes sure that nothing is sealed with the old ones. Progress is told as
	// it goes.
	Rotate(ctx context.Context, progress func(RotationProgress)) (Rotation, error)
	// Retire takes the old keys away, for good.
	Retire(ctx context.Context) (Retirement, error)
	io.Closer
}

// SecretsState says how the keys stand.
type SecretsState struct {
	Keysets       int        `json:"keysets"`          // one per project, and the server's own
	WithOldKeys   int        `json:"with_old_keys"`    // of them, those that still open what older keys sealed
	OldMasterKeys int        `json:"old_master_keys"`  // keysets that are not wrapped with the first master key
	WrappedWith   []string   `json:"wrapped_with"`     // by which keys
	SealedWithOld int        `json:"sealed_with_old"`  // values
	Began         *time.Time `json:"rotation_began"`   // the last one
	Finished      *time.Time `json:"rotation_done"`    // nil while it is not
	Retirable     *time.Time `json:"retire_from"`      // from when the old keys can be retired; nil: there are none
	KeyFile       string     `json:"key_file"`         // where the master key is, if a rotation makes a new one
	KeysInFile    int        `json:"keys_in_key_file"` // more than one: the old ones are to be retired
}

// RotationProgress says how far a rotation is.
type RotationProgress struct {
	Table    string `json:"table"`
	Pass     int    `json:"pass"` // the last pass finds nothing to do
	Rows     int    `json:"rows"` // read in this pass
	Total    int    `json:"total"`
	Resealed int    `json:"resealed"` // values, in all passes
}

// Rotation says what a rotation did.
type Rotation struct {
	Began     time.Time `json:"began"`
	Resumed   bool      `json:"resumed"`    // it was begun before and broken off
	Keysets   int       `json:"keysets"`    // that got a new key
	Resealed  int       `json:"resealed"`   // values
	NewMaster bool      `json:"new_master"` // whether the master key is a new one
	Master    string    `json:"master_key"` // what it is
	KeyFile   string    `json:"key_file,omitempty"`
	RetireAt  time.Time `json:"retire_from"`
}

// Retirement says which old keys are gone.
type Retirement struct {
	Keysets int    `json:"keysets"`            // that lost old keys
	KeyFile string `json:"key_file,omitempty"` // to where the old master keys went
}

// OpenSecrets gives the keys of the server that the settings describe, asking it if it runs (as OpenKeys does).
func OpenSecrets(ctx context.Context, c config.Config) (Secrets, error) {
	if c.Database.Reveal() == "sqlite" {
		if control, ok := dialControl(ctx, c.Data); ok {
			return control, nil
		}
	}
	db, err := store.Open(ctx, store.Options{Database: databaseOf(c), MasterKey: masterKeyOf(c), Bus: &notify.Bus{}})
	if err != nil {
		return nil, err
	}
	return &storeSecrets{store: db, keyFile: keyFileOf(c), now: time.Now}, nil
}

// keyFileOf gives the file in which a rotation makes a new master key. It is empty where the key is not in a file, and for a
// database that nodes may share: the others could not read it.
func keyFileOf(c config.Config) string {
	if c.Database.Reveal() != "sqlite" {
		return ""
	}
	if c.MasterKey.Empty() {
		return filepath.Join(c.Data, "master.key")
	}
	path, _ := secret.FileOf(c.MasterKey.Reveal())
	return path
}

// storeSecrets works on the database itself.
type storeSecrets struct {
	store   *store.Store
	keyFile string
	now     func() time.Time
}

func (s *storeSecrets) State(ctx context.Context) (SecretsState, error) {
	state, err := s.keys(ctx)
	if err != nil {
		return state, err
	}
	state.SealedWithOld, err = s.store.SealedWithOldKeys(ctx)
	return state, err
}

// keys is State without a look at everything that is sealed.
func (s *storeSecrets) keys(ctx context.Context) (SecretsState, error) {
	keysets, err := s.store.Keyring().States(ctx)
	if err != nil {
		return SecretsState{}, err
	}
	state := SecretsState{Keysets: len(keysets), KeyFile: s.keyFile}
	var newest time.Time
	seen := make(map[string]bool)
	for _, k := range keysets {
		if k.Keys > 1 {
			state.WithOldKeys++
		}
		if !k.First {
			state.OldMasterKeys++
		}
		if !seen[k.Wrapped] {
			seen[k.Wrapped] = true
			state.WrappedWith = append(state.WrappedWith, k.Wrapped)
		}
		if k.Rotated.After(newest) {
			newest = k.Rotated
		}
	}
	if s.keyFile != "" {
		if state.KeysInFile, err = secret.KeysIn(s.keyFile); err != nil {
			return state, err
		}
	}
	began, finished, err := s.store.Rotation(ctx)
	state.Began, state.Finished = orNil(began), orNil(finished)
	if !finished.IsZero() && (state.WithOldKeys > 0 || state.KeysInFile > 1) {
		state.Retirable = orNil(newest.Add(secret.SettleTime))
	}
	return state, err
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *storeSecrets) Rotate(ctx context.Context, progress func(RotationProgress)) (Rotation, error) {
	before, err := s.State(ctx)
	if err != nil {
		return Rotation{}, err
	}
	if before.Retirable != nil {
		return Rotation{}, fault.New(fault.Conflict, fault.SlugConflict, "The old keys of the rotation of %s are not retired yet.", before.Began.Format(time.DateTime)).
			WithFix(`Retire them first, with "patchbay secrets retire"; it can be done from %s.`, before.Retirable.UTC().Format("15:04:05 UTC"))
	}
	began, err := s.store.BeginRotation(ctx)
	if err != nil {
		return Rotation{}, err
	}
	done := Rotation{Began: began, Resumed: before.Began != nil && before.Began.Equal(began), KeyFile: s.keyFile}
	if s.keyFile != "" {
		if _, err := secret.AddKey(s.keyFile); err != nil {
			return done, err
		}
		done.NewMaster = true
	}
	if done.Keysets, err = s.store.Keyring().Rotate(ctx, began); err != nil {
		return done, err
	}
	err = s.store.Reseal(ctx, func(r store.Resealing) {
		done.Resealed = r.Resealed
		progress(RotationProgress{r.Table, r.Pass, r.Rows, r.Total, r.Resealed})
	})
	if err != nil {
		return done, err
	}
	return s.rotated(ctx, done, before)
}

// rotated makes sure that the rotation did what it says, and notes its end.
func (s *storeSecrets) rotated(ctx context.Context, done Rotation, before SecretsState) (Rotation, error) {
	after, err := s.State(ctx)
	if err != nil {
		return done, err
	}
	if after.SealedWithOld > 0 || after.OldMasterKeys > 0 {
		return done, errors.New("something was sealed with an old key meanwhile: begin the rotation again")
	}
	done.NewMaster = done.NewMaster || before.OldMasterKeys > 0
	done.Master = after.WrappedWith[0]
	if err := s.store.FinishRotation(ctx, done.Began); err != nil {
		return done, err
	}
	after, err = s.State(ctx)
	if after.Retirable != nil {
		done.RetireAt = *after.Retirable
	}
	return done, err
}

func (s *storeSecrets) Retire(ctx context.Context) (Retirement, error) {
	began, finished, err := s.store.Rotation(ctx)
	if err != nil {
		return Retirement{}, err
	}
	if !began.IsZero() && finished.IsZero() {
		return Retirement{}, fault.New(fault.Conflict, fault.SlugConflict, "The rotation that began at %s was broken off.", began.Format(time.DateTime)).
			WithFix(`Let it finish, with "patchbay secrets rotate".`)
	}
	if err := s.store.Reseal(ctx, func(store.Resealing) {}); err != nil { // what was stored since by a node that had not been told
		return Retirement{}, err
	}
	var done Retirement
	if done.Keysets, err = s.store.Keyring().Retire(ctx); err != nil {
		return done, err
	}
	if s.keyFile != "" {
		if done.KeyFile, err = secret.RetireKeys(s.keyFile, s.now()); err != nil {
			return done, err
		}
	}
	return done, s.store.Scrub(ctx)
}

func (s *storeSecrets) Close() error { return s.store.Close() }
