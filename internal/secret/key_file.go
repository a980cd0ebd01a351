package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// maxKeyFile is the most that a key file may hold: a handful of keys.
const maxKeyFile = 4 << 10

// KeyFile is the keys in a file, one per line, of which the first wraps. It is made with mode 0600 and one key when the
// database is fresh and the file is not there.
func KeyFile(path string) KeySource {
	return func(_ context.Context, fresh bool) ([]Wrapper, error) {
		keys, err := readKeyFile(path)
		switch {
		case !errors.Is(err, fs.ErrNotExist):
			return wrappers(keys), err
		case !fresh:
			return nil, fault.New(fault.Invalid, fault.SlugInvalid,
				"The master key file %s is missing, and this database is sealed with a master key.", path).
				WithFix("Put the file back from your backup, or give the key with PATCHBAY_MASTER_KEY. Without it, what was sealed cannot be opened.")
		}
		keys, err = makeKeyFile(path)
		return wrappers(keys), err
	}
}

func wrappers(keys []MasterKey) []Wrapper {
	list := make([]Wrapper, len(keys))
	for i, key := range keys {
		list[i] = key
	}
	return list
}

// KeysIn counts the keys in a file.
func KeysIn(path string) (int, error) {
	keys, err := readKeyFile(path)
	return len(keys), err
}

// AddKey puts a new key in front of those in a key file, unless one was put there before that was not retired yet. It reports
// whether it did.
func AddKey(path string) (bool, error) {
	keys, err := readKeyFile(path)
	if err != nil {
		return false, err
	}
	if len(keys) > 1 {
		return false, nil
	}
	return true, replaceKeyFile(path, append([]MasterKey{NewMasterKey()}, keys...))
}

// RetireKeys leaves only the first key in a key file. The others go to a file beside it, which is named in the answer: older
// backups need them. The name is empty when there were none.
func RetireKeys(path string, now time.Time) (string, error) {
	keys, err := readKeyFile(path)
	if err != nil || len(keys) < 2 {
		return "", err
	}
	old := path + ".retired-" + now.UTC().Format("20060102T150405Z")
	if err := replaceKeyFile(old, keys[1:]); err != nil {
		return "", err
	}
	return old, replaceKeyFile(path, keys[:1])
}

// readKeyFile reads a key file, refusing one that others on this machine can read. The error is fs.ErrNotExist when there is
// no file.
func readKeyFile(path string) ([]MasterKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the master key file: %w", err)
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the master key file: %w", err)
	}
	if open := state.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" { // Windows has no such bits
		return nil, fault.New(fault.Invalid, fault.SlugInvalid,
			"The master key file %s can be read or written by other users (mode %04o).", path, state.Mode().Perm()).
			WithFix("chmod 600 %s; if others had access to it, treat the key as known to them.", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil || len(text) == 0 {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s is empty or cannot be read.", path).
			WithFix("Put the file back from your backup.").Because(err)
	}
	var keys []MasterKey
	for line := range strings.Lines(strings.TrimSpace(string(text))) {
		key, err := ParseMasterKey(line)
		if err != nil {
			return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s does not hold %d bytes in base64 on each line.", path, masterKeyBytes).
				WithFix("Put the file back from your backup.").Because(err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// makeKeyFile writes a new key. The file appears whole or not at all, and of two processes that start together both get
// the key of the first.
func makeKeyFile(path string) ([]MasterKey, error) {
	keys := []MasterKey{NewMasterKey()}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the master key: %w", err)
	}
	draft, err := draftKeyFile(path, keys)
	if err != nil {
		return nil, err
	}
	defer os.Remove(draft)
	err = os.Link(draft, path) // unlike a rename, fails when the file is there
	if errors.Is(err, fs.ErrExist) {
		return readKeyFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("make the master key file %s: %w", path, err)
	}
	return keys, syncDirectory(filepath.Dir(path))
}

// replaceKeyFile writes keys to a file in one step, so that whoever reads it gets the keys of before or those of after.
func replaceKeyFile(path string, keys []MasterKey) error {
	draft, err := draftKeyFile(path, keys)
	if err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		os.Remove(draft)
		return fmt.Errorf("write the master key file %s: %w", path, err)
	}
	return syncDirectory(filepath.Dir(path))
}

// draftKeyFile brings keys to the disk under another name, which it gives.
func draftKeyFile(path string, keys []MasterKey) (name string, err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), ".master.key-*") // made with mode 0600
	if err != nil {
		return "", fmt.Errorf("make the master key file: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(draft.Name())
		}
	}()
	defer draft.Close()
	for _, key := range keys {
		if _, err := draft.WriteString(key.Reveal() + "\n"); err != nil {
			return "", fmt.Errorf("write the master key: %w", err)
		}
	}
	if err := draft.Sync(); err != nil {
		return "", fmt.Errorf("write the master key: %w", err)
	}
	return draft.Name(), nil
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
