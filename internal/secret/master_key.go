package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
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

// KeySource finds the master key. Fresh says that nothing was sealed under any key yet; only then may a new one be made,
// because a new key never opens an old database.
type KeySource func(fresh bool) (MasterKey, error)

// KeyFile is the key in a file, made with mode 0600 when the database is fresh and the file is not there.
func KeyFile(path string) KeySource {
	return func(fresh bool) (MasterKey, error) {
		key, err := readKeyFile(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
		if !fresh {
			return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid,
				"The master key file %s is missing, and this database is sealed with a master key.", path).
				WithFix("Put the file back from your backup, or give the key with PATCHBAY_MASTER_KEY. Without it, what was sealed cannot be opened.")
		}
		return makeKeyFile(path)
	}
}

// KeyReference is the key as a setting names it: "file:PATH", "env:NAME", or the base64 text itself. Lookup reads an
// environment variable as os.LookupEnv does. A file that is named must exist: it is never made.
func KeyReference(reference string, lookup func(name string) (string, bool)) KeySource {
	return func(bool) (MasterKey, error) {
		if path, ok := strings.CutPrefix(reference, "file:"); ok {
			key, err := readKeyFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s does not exist.", path).
					WithFix("Correct the path, or make a key with: (umask 077; openssl rand -base64 %d > %s)", masterKeyBytes, path)
			}
			return key, err
		}
		if name, ok := strings.CutPrefix(reference, "env:"); ok {
			text, found := lookup(name)
			if !found {
				return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key is to be read from the environment variable %s, which is not set.", name).
					WithFix("Set %s to %d random bytes in base64 (openssl rand -base64 %d).", name, masterKeyBytes, masterKeyBytes)
			}
			return ParseMasterKey(text)
		}
		return ParseMasterKey(reference)
	}
}

// readKeyFile reads a key file, refusing one that others on this machine can read. The error is fs.ErrNotExist when there is
// no file.
func readKeyFile(path string) (MasterKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return MasterKey{}, fmt.Errorf("open the master key file: %w", err)
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return MasterKey{}, fmt.Errorf("look at the master key file: %w", err)
	}
	if open := state.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" { // Windows has no such bits
		return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid,
			"The master key file %s can be read or written by other users (mode %04o).", path, state.Mode().Perm()).
			WithFix("chmod 600 %s; if others had access to it, treat the key as known to them.", path)
	}
	text := make([]byte, 256)
	n, err := file.Read(text)
	if err != nil && n == 0 {
		return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s is empty or cannot be read.", path).
			WithFix("Put the file back from your backup.").Because(err)
	}
	key, err := ParseMasterKey(string(text[:n]))
	if err != nil {
		return MasterKey{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s does not hold %d bytes in base64.", path, masterKeyBytes).
			WithFix("Put the file back from your backup.").Because(err)
	}
	return key, nil
}

// makeKeyFile writes a new key. The file appears whole or not at all, and of two processes that start together both get
// the key of the first.
func makeKeyFile(path string) (MasterKey, error) {
	key := NewMasterKey()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return MasterKey{}, fmt.Errorf("make the directory of the master key: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".master.key-*") // made with mode 0600
	if err != nil {
		return MasterKey{}, fmt.Errorf("make the master key file: %w", err)
	}
	defer os.Remove(draft.Name())
	defer draft.Close()
	if _, err := draft.WriteString(key.Reveal() + "\n"); err != nil {
		return MasterKey{}, fmt.Errorf("write the master key: %w", err)
	}
	if err := draft.Sync(); err != nil {
		return MasterKey{}, fmt.Errorf("write the master key: %w", err)
	}
	err = os.Link(draft.Name(), path) // unlike a rename, fails when the file is there
	if errors.Is(err, fs.ErrExist) {
		return readKeyFile(path)
	}
	if err != nil {
		return MasterKey{}, fmt.Errorf("make the master key file %s: %w", path, err)
	}
	return key, syncDirectory(filepath.Dir(path))
}

// syncDirectory brings the name of a new file to the disk: a key that a power cut takes away while the database stays is lost
// with all it sealed.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" { // which cannot, and journals its names anyhow
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the directory of the master key: %w", err)
	}
	if err := directory.Sync(); err != nil {
		return errors.Join(fmt.Errorf("bring the master key to the disk: %w", err), directory.Close())
	}
	return directory.Close()
}
