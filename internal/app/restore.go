package app

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// maxManifest is the most that a manifest may hold: a few hundred thousand files.
const maxManifest = 64 << 20

// RestoreOptions say what to put where.
type RestoreOptions struct {
	Config  config.Config // data is where it goes; master_key, or the key file in data, has to open it
	From    string        // the backup
	Replace bool          // data that is there already is set aside; without it, it is an error
	Now     func() time.Time
}

// Restoration says what was restored.
type Restoration struct {
	Manifest
	Data     string `json:"data"`
	Secrets  int    `json:"secrets"`             // sealed values that were opened, all there are
	SetAside string `json:"set_aside,omitempty"` // where the data is that was there before
}

// Restore checks a backup and puts its data in place: nothing is touched before every file is whole, the database reads from end
// to end, and the master key opens every secret in it. The server must not run.
func Restore(ctx context.Context, o RestoreOptions) (r Restoration, err error) {
	if o.Config.Database.Reveal() != "sqlite" {
		return r, fault.New(fault.Unsupported, fault.SlugUnsupported, "A backup is restored to SQLite; the settings name a Postgres database.").
			WithFix("Restore Postgres with pg_restore.")
	}
	r.Data = filepath.Clean(o.Config.Data)
	inUse, err := occupied(r.Data)
	if err != nil {
		return r, err
	}
	if inUse && !o.Replace {
		return r, fault.New(fault.Conflict, fault.SlugConflict, "There is data in %s.", r.Data).
			WithFix("Name another directory with --data, or have this data set aside with --replace.")
	}
	if err := os.MkdirAll(r.Data, 0o700); err != nil {
		return r, fmt.Errorf("make the data directory: %w", err)
	}
	unlock, err := store.Lock(filepath.Join(r.Data, databaseFile))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	draft, err := os.MkdirTemp(r.Data, ".restore-*") // in the data directory, which may be a volume of its own
	if err != nil {
		return r, fmt.Errorf("make a directory for the data: %w", err)
	}
	defer os.RemoveAll(draft)
	if r.Manifest, err = unpack(o.From, draft); err != nil {
		return r, err
	}
	if r.Secrets, err = checkData(ctx, o.Config, draft); err != nil {
		return r, err
	}
	r.SetAside, err = replaceData(r.Data, draft, o.Now())
	return r, err
}

// occupied tells whether there is a database in a directory.
func occupied(data string) (bool, error) {
	_, err := os.Stat(filepath.Join(data, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// unpack writes the files of a backup to a directory, if they are what its manifest says: those, all of them, and whole.
func unpack(from, to string) (m Manifest, err error) {
	file, err := os.Open(from)
	if err != nil {
		return m, fmt.Errorf("open the backup: %w", err)
	}
	defer file.Close()
	packed, err := gzip.NewReader(file)
	if err != nil {
		return m, notABackup(from).Because(err)
	}
	archive := tar.NewReader(packed)
	if m, err = readManifest(archive, from); err != nil {
		return m, err
	}
	for range m.Files {
		header, err := archive.Next()
		if err != nil {
			return m, damaged(from, "it ends early").Because(err)
		}
		want, ok := m.Files[header.Name]
		if !ok || !filepath.IsLocal(filepath.FromSlash(header.Name)) || header.Typeflag != tar.TypeReg {
			return m, damaged(from, "there is something in it that its manifest does not name")
		}
		sum, err := unpackFile(archive, filepath.Join(to, filepath.FromSlash(header.Name)))
		if err != nil {
			return m, damaged(from, header.Name+" cannot be read").Because(err)
		}
		if sum != want {
			return m, damaged(from, header.Name+" is not what it was")
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return m, damaged(from, "there is something in it that its manifest does not name")
	}
	return m, nil
}

func readManifest(archive *tar.Reader, from string) (m Manifest, err error) {
	header, err := archive.Next()
	if err != nil || header.Name != manifestFile {
		return m, notABackup(from).Because(err)
	}
	if err := json.NewDecoder(io.LimitReader(archive, maxManifest)).Decode(&m); err != nil || m.Files[databaseFile] == "" {
		return m, notABackup(from).Because(err)
	}
	if m.Format != backupFormat {
		return m, fault.New(fault.Invalid, fault.SlugInvalid, "%s has format %d; this version reads %d.", from, m.Format, backupFormat).
			WithFix("Restore with patchbay %s, which made it, or a newer one.", m.Version)
	}
	return m, nil
}

func notABackup(path string) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugInvalid, `%s is not a backup that "patchbay backup" made.`, path)
}

func damaged(path, how string) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugInvalid, "The backup %s is damaged: %s.", path, how).WithFix("Use another backup.")
}

// unpackFile writes a file and gives its sum.
func unpackFile(from io.Reader, to string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash), from); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), file.Sync()
}

// checkData reads the unpacked database from end to end and opens every secret in it.
func checkData(ctx context.Context, c config.Config, draft string) (secrets int, err error) {
	database := filepath.Join(draft, databaseFile)
	if err := store.CheckFile(ctx, database); err != nil {
		return 0, err
	}
	key := masterKeyOf(c)
	if _, err := os.Stat(filepath.Join(draft, masterKeyFile)); err == nil {
		key = secret.KeyFile(filepath.Join(draft, masterKeyFile))
	}
	db, err := store.Open(ctx, store.Options{Database: database, MasterKey: key, Bus: &notify.Bus{}})
	if err != nil {
		return 0, err
	}
	secrets, err = db.CheckSealed(ctx)
	return secrets, errors.Join(err, db.Close(), os.Remove(database+".lock"))
}

// replaceData puts the checked data in place, the database last. What was there is set aside, in a directory whose name says when;
// a master key that the backup does not replace stays.
func replaceData(data, draft string, now time.Time) (aside string, err error) {
	fresh, err := os.ReadDir(draft)
	if err != nil {
		return "", err
	}
	newKey := slices.ContainsFunc(fresh, func(e fs.DirEntry) bool { return e.Name() == masterKeyFile })
	old, err := os.ReadDir(data)
	if err != nil {
		return "", err
	}
	aside = filepath.Join(data, ".before-restore-"+now.UTC().Format("20060102T150405Z"))
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", fmt.Errorf("set the old data aside: %w", err)
	}
	moved := false
	for _, entry := range old {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || name == databaseFile+".lock" || strings.HasPrefix(name, masterKeyFile) && !newKey {
			continue
		}
		if err := os.Rename(filepath.Join(data, name), filepath.Join(aside, name)); err != nil {
			return "", fmt.Errorf("set the old data aside: %w", err)
		}
		moved = true
	}
	if !moved {
		aside, err = "", os.Remove(aside)
	}
	slices.SortFunc(fresh, func(a, b fs.DirEntry) int { return cmp.Compare(last(a), last(b)) })
	for _, entry := range fresh {
		err = errors.Join(err, os.Rename(filepath.Join(draft, entry.Name()), filepath.Join(data, entry.Name())))
	}
	if err != nil {
		err = fmt.Errorf("put the data in place: %w", err)
	}
	return aside, err
}

// last orders the database behind everything else: without it, the data directory is plainly not restored yet.
func last(e fs.DirEntry) int {
	if e.Name() == databaseFile {
		return 1
	}
	return 0
}
