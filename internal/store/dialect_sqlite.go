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

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteReaders is the size of the reader pool. Readers do not wait for the writer nor for each other.
const sqliteReaders = 8

// sqliteDB is a SQLite database file that this process alone uses.
type sqliteDB struct {
	writer  *sql.DB // one connection: SQLite has one writer at a time
	readers *sql.DB
}

// openSQLite opens a database file, making it with mode 0600 if need be.
func openSQLite(ctx context.Context, path string) (*sqliteDB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would make it readable for all
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	writer, err := sql.Open("sqlite", sqliteDSN(path, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	writer.SetMaxOpenConns(1)
	readers, err := sql.Open("sqlite", sqliteDSN(path, url.Values{"_query_only": {"1"}}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), writer.Close())
	}
	readers.SetMaxOpenConns(sqliteReaders)
	readers.SetMaxIdleConns(sqliteReaders)
	db := &sqliteDB{writer, readers}
	if err := migrate(ctx, writer, goose.DialectSQLite3); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.close())
	}
	return db, nil
}

// sqliteDSN names the file and the settings of a connection.
func sqliteDSN(path string, settings url.Values) string {
	settings["_pragma"] = []string{
		"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(1)", "temp_store(memory)",
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}

func (db *sqliteDB) reader() queryer { return db.readers }

func (db *sqliteDB) write(ctx context.Context, f func(*tx) error) error {
	begun, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(&tx{ctx: ctx, queryer: begun}); err != nil {
		return errors.Join(err, begun.Rollback())
	}
	return begun.Commit()
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

func (db *sqliteDB) ping(ctx context.Context) error { return db.readers.PingContext(ctx) }

func (db *sqliteDB) close() error { return errors.Join(db.readers.Close(), db.writer.Close()) }
