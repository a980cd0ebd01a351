package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// sqliteOpenFault says why a database file cannot be opened, and what its operator can do.
func sqliteOpenFault(path string, err error) error {
	problem, fix := "", ""
	var e *sqlite.Error
	switch {
	case errors.As(err, &e):
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			problem, fix = "is damaged, or no database", "Move it away and restore a backup in its place (patchbay restore), or name another directory with --data."
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			problem, fix = "cannot be written", "Make room on the disk, and see that it is well."
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
			problem, fix = "cannot be written", "Give the user that runs this server its directory, and mount that for writing."
		}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		problem, fix = "cannot be made", "Make room on the disk."
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		problem, fix = "cannot be opened", "Give the user that runs this server its directory, and mount that for writing."
	}
	if problem == "" {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return fault.New(fault.Unavailable, fault.SlugUnavailable, "The database %s %s.", path, problem).WithFix("%s", fix).Because(err)
}

// postgresOpenFault does the same for Postgres. Of what was tried only the reason is told: the whole would quote the URL.
func postgresOpenFault(err error) error {
	var connecting *pgconn.ConnectError
	if !errors.As(err, &connecting) {
		return fmt.Errorf("open Postgres: %w", err)
	}
	reason := "no connection"
	var told *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.As(err, &told):
		reason = told.Message
	case errors.As(err, &network):
		reason = network.Err.Error()
	}
	return fault.New(fault.Unavailable, fault.SlugUnavailable, "The Postgres database cannot be used: %s.", reason).
		WithFix("See that the server runs, and that host, port, user, password and name in the setting database are right.").
		Because(fmt.Errorf("open Postgres: %w", err))
}
