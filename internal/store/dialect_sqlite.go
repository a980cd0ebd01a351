package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// sqliteReaders is the size of the reader pool. Readers do not wait for the writer nor for each other.
const sqliteReaders = 8

// sqliteDB is a SQLite database file that this process alone uses.
type sqliteDB struct {
	writer  *sql.DB // one connection: SQLite has one writer at a time
	group   *groupWriter
	readers preparedReader
	unlock  func() error
}

// openSQLite opens a database file, making it with mode 0600 if need be.
func openSQLite(ctx context.Context, path string) (*sqliteDB, error) {
	if err := makePrivateFile(path); err != nil {
		return nil, sqliteOpenFault(path, err)
	}
	unlock, err := Lock(path)
	if err != nil {
		return nil, err
	}
	writer, err := sql.Open("sqlite", sqliteDSN(path, "_txlock=immediate"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), unlock())
	}
	writer.SetMaxOpenConns(1)
	readers, err := sql.Open("sqlite", sqliteDSN(path, "_query_only=1"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), writer.Close(), unlock())
	}
	readers.SetMaxOpenConns(sqliteReaders)
	readers.SetMaxIdleConns(sqliteReaders)
	db := &sqliteDB{writer, newGroupWriter(writer), preparedReader{readers, newPrepared(readers)}, unlock}
	if err := migrate(ctx, writer, goose.DialectSQLite3); err != nil {
		return nil, errors.Join(sqliteOpenFault(path, err), db.close())
	}
	return db, nil
}

// Lock makes this the one process that uses a SQLite database file, until it unlocks it or ends.
func Lock(path string) (unlock func() error, err error) {
	unlock, err = lockFile(path + ".lock")
	if errors.Is(err, errLocked) {
		return nil, fault.New(fault.Conflict, fault.SlugConflict, "Another process is using the database %s.", path).
			WithFix("Stop the other server. To run several nodes, keep the data in Postgres (--database postgres://…).")
	}
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	return unlock, nil
}

// makePrivateFile makes a file that only its owner may read. SQLite gives its companions (-wal, -shm) the same mode.
func makePrivateFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// busyTimeout is for how long a lock is waited for: a backup tool may hold it for a moment. Milliseconds.
const busyTimeout = "busy_timeout(10000)"

// sqlitePragmas are the settings of every connection. synchronous=FULL brings each commit to the disk before it is
// acknowledged: docs/decisions/0012.
var sqlitePragmas = url.Values{"_pragma": {
	busyTimeout,
	"journal_mode(wal)",
	"synchronous(full)",
	"foreign_keys(1)",
	"temp_store(memory)",
	"secure_delete(1)", // what is deleted or replaced is overwritten
}}

// sqliteDSN names the file and the settings of a connection.
func sqliteDSN(path, setting string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + setting + "&" + sqlitePragmas.Encode()
}

func (db *sqliteDB) reader() queryer { return db.readers }

func (db *sqliteDB) listReader() queryer { return db.readers.DB }

func (db *sqliteDB) write(ctx context.Context, f func(*tx) error) error {
	return db.group.write(ctx, f)
}

func (db *sqliteDB) violation(err error) violation {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return violation{}
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		_, on, _ := strings.Cut(e.Error(), "failed: ")
		return violation{unique: true, on: on}
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return violation{foreignKey: true}
	}
	return violation{}
}

func (db *sqliteDB) alone() bool { return true } // by the lock on its file

func (db *sqliteDB) ping(ctx context.Context) error { return db.readers.PingContext(ctx) }

// How often scrub tries to empty the log while somebody reads, and how long it lets writers write in between. The next sweep tries again.
const (
	scrubTries = 10
	scrubPause = 50 * time.Millisecond
)

// scrub empties the write-ahead log, in which older states of pages stay until it is written over. SQLite would keep the lock of writers
// while it waits for readers to end, so it is told not to wait.
func (db *sqliteDB) scrub(ctx context.Context) error {
	for range scrubTries {
		if emptied, err := db.emptyLog(ctx); emptied || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(scrubPause):
		}
	}
	return nil
}

// emptyLog reports whether it could be emptied at once.
func (db *sqliteDB) emptyLog(ctx context.Context) (emptied bool, err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		_, restored := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA `+busyTimeout)
		err = errors.Join(err, restored, conn.Close())
	}()
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 0`); err != nil {
		return false, err
	}
	var busy, pages, moved int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
	return busy == 0, err
}

func (db *sqliteDB) close() error {
	return errors.Join(db.readers.Close(), db.writer.Close(), db.unlock())
}
