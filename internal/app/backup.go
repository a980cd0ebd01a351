package app

import (
	"archive/tar"
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
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// A backup is a tar file, compressed with gzip: first manifest.json, then the files of the data directory.
const (
	manifestFile  = "manifest.json"
	databaseFile  = "patchbay.db"
	masterKeyFile = "master.key"
	backupFormat  = 1
)

// Manifest says what a backup holds.
type Manifest struct {
	Format    int               `json:"format"`
	Version   string            `json:"patchbay_version"`
	CreatedAt time.Time         `json:"created_at"`
	MasterKey bool              `json:"has_master_key"`
	Files     map[string]string `json:"files"` // SHA-256 by path
}

// BackupOptions say what to copy where.
type BackupOptions struct {
	Config    config.Config
	To        string // the file to make; it must not exist
	MasterKey bool   // put the key file of the data directory into it
	Version   string
	Now       func() time.Time
}

// Backup copies the data directory of a server, running or not, to a file: the database as it stands at one moment, and the files
// beside it. The master key stays out unless it is asked for: whoever has both can open everything.
func Backup(ctx context.Context, o BackupOptions) (m Manifest, err error) {
	if o.Config.Database.Reveal() != "sqlite" {
		return m, fault.New(fault.Unsupported, fault.SlugUnsupported, "This server keeps its data in Postgres, which has its own backups.").
			WithFix("Use pg_dump (pg_dump --format=custom), or your provider's snapshots; keep the master key apart from them.")
	}
	draft, err := os.MkdirTemp(filepath.Dir(o.To), ".patchbay-backup-*") // beside the backup, where there has to be room anyway
	if err != nil {
		return m, fmt.Errorf("make a directory for the backup: %w", err)
	}
	defer os.RemoveAll(draft)
	snapshot := filepath.Join(draft, databaseFile)
	if err := store.Snapshot(ctx, databaseOf(o.Config), snapshot); err != nil {
		return m, err
	}
	files, err := filesOf(o.Config.Data, o.MasterKey)
	if err != nil {
		return m, err
	}
	files[databaseFile] = snapshot
	m = Manifest{Format: backupFormat, Version: o.Version, CreatedAt: o.Now().UTC(), MasterKey: files[masterKeyFile] != "", Files: make(map[string]string)}
	if o.MasterKey && !m.MasterKey {
		return m, fault.New(fault.Invalid, fault.SlugInvalid, "There is no master key in the data directory.").
			WithFix("It is where the setting master_key says; keep a copy of it by other means.")
	}
	archive := filepath.Join(draft, "archive")
	if err := writeArchive(archive, files, &m); err != nil {
		return m, err
	}
	err = os.Link(archive, o.To) // unlike a rename, fails when the file is there
	if errors.Is(err, fs.ErrExist) {
		return m, fault.New(fault.Conflict, fault.SlugConflict, "%s exists.", o.To).WithFix("Name another file.")
	}
	return m, err
}

// filesOf lists what belongs in a backup besides the database: path in the backup -> path on the disk.
func filesOf(data string, withMasterKey bool) (map[string]string, error) {
	files := make(map[string]string)
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was deleted a moment ago
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil || !entry.Type().IsRegular() || passing(name) {
			return err
		}
		if strings.HasPrefix(name, masterKeyFile) && (name != masterKeyFile || !withMasterKey) {
			return nil
		}
		files[filepath.ToSlash(name)] = path
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the data directory: %w", err)
	}
	return files, nil
}

// passing tells the files that a running server has and a copy does not need: the database itself, its companions and its lock,
// and what has a name that begins with a dot.
func passing(name string) bool {
	return strings.HasPrefix(name, databaseFile) || strings.HasPrefix(filepath.Base(name), ".")
}

// writeArchive writes the files, and notes their sums in the manifest, which is the first of them.
func writeArchive(to string, files map[string]string, m *Manifest) (err error) {
	for name, path := range files {
		if m.Files[name], err = sumOf(path); err != nil {
			if errors.Is(err, fs.ErrNotExist) { // it was deleted a moment ago
				delete(m.Files, name)
				continue
			}
			return err
		}
	}
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make the backup: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	packed := gzip.NewWriter(file)
	archive := tar.NewWriter(packed)
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	header := tar.Header{Name: manifestFile, Mode: 0o600, Size: int64(len(manifest)), ModTime: m.CreatedAt}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	if _, err := archive.Write(manifest); err != nil {
		return err
	}
	for name := range m.Files {
		if err := addFile(archive, name, files[name], m.CreatedAt); err != nil {
			return fmt.Errorf("write %s to the backup: %w", name, err)
		}
	}
	return errors.Join(archive.Close(), packed.Close(), file.Sync())
}

func addFile(archive *tar.Writer, name, path string, at time.Time) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: state.Size(), ModTime: at}); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
