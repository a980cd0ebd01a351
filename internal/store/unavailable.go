package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// outOfService is the fault for a database that cannot be read or written just now: not the caller's fault, nor a defect of this
// server. What happened is in the log, once for all who ask.
func (s *Store) outOfService(doing string, err error) error {
	s.log.LogAttrs(context.Background(), slog.LevelError, "the database is out of service", slog.String("doing", doing), slog.String("error", err.Error()))
	f := fault.New(fault.Unavailable, fault.SlugUnavailable, "The server's database cannot be used just now.").
		WithFix("Try again in a moment; if it stays, whoever runs this server finds the reason in its log.").Because(fmt.Errorf("%s: %w", doing, err))
	f.After = time.Second
	return f
}

// unavailable tells a database that is away, full or broken from a statement that is wrong.
func (db *sqliteDB) unavailable(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // the lower byte is the class, whatever the driver was told to report
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// postgresAway are the classes of Postgres errors, and single errors, that are about the server and not about the statement: no
// connection, no resources, going away or coming up, trouble with its disk, a standby that takes no writes.
var postgresAway = []string{"08", "53", "57P", "58", "25006"}

func (db *postgresDB) unavailable(err error) bool {
	var told *pgconn.PgError
	if errors.As(err, &told) {
		for _, class := range postgresAway {
			if strings.HasPrefix(told.Code, class) {
				return true
			}
		}
		return false
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		pgconn.SafeToRetry(err)
}

// defaultPatience is how long one row is waited for. Whoever lets a request in, or opens a session, asks for one: a database that
// hangs must not collect all requests.
const defaultPatience = 5 * time.Second

var errNoAnswer = errors.New("the database did not answer in time")

// one reads one row, within the time in which a database that is well answers.
func one[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) (T, error) {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	v, err := scan(s.db.reader().QueryRowContext(limited, query, args...))
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return v, err
}

// checkedFor is for how long a database that took a write counts as writable: /readyz costs at most one write in that time.
const checkedFor = 2 * time.Second

// Ready reports whether the database answers and takes writes, for /readyz. A full disk, a standby and a lost connection are
// faults of kind Unavailable.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.db.ping(ctx); err != nil {
		return s.wrap("reach the database", err)
	}
	s.checked.Lock()
	defer s.checked.Unlock()
	if !s.checked.at.IsZero() && time.Since(s.checked.at) < checkedFor {
		return nil
	}
	err := s.write(ctx, "write to the database", func(t *tx) error {
		_, err := t.exec(`INSERT INTO write_checks (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = write_checks.count + 1`)
		return err
	})
	if err == nil {
		s.checked.at = time.Now() // of the process: the clock of the store may be a test's
	}
	return err
}
