package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// fill makes a SQLite database as full as a disk can make it, and gives the way back.
func fill(t *testing.T, s *Store) (makeRoom func()) {
	t.Helper()
	writer := s.db.(*sqliteDB).writer
	limit := func(pages string) {
		t.Helper()
		if _, err := writer.ExecContext(t.Context(), `PRAGMA max_page_count = `+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // less than there are: no more than there are
	return func() { limit("1000000") }
}

func TestFullDiskIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatalf("an empty disk: %v", err)
	}
	s.checked.at = s.checked.at.Add(-checkedFor) // as if that was long ago
	makeRoom := fill(t, s)
	made := 0
	create := func() error {
		made++
		return s.CreateAuthConfig(t.Context(), connect.AuthConfig{ID: fmt.Sprintf("ac_%d", made), ProjectID: "pr_1", Name: strings.Repeat("x", 3000)})
	}
	var err error
	for err == nil { // until the pages that there are are used up
		err = create()
	}
	if f := fault.From(err); f.Kind != fault.Unavailable || f.After == 0 || f.Fix == "" {
		t.Errorf("a full disk: kind %d, %v", f.Kind, err)
	}
	if _, err := s.AuthConfig(t.Context(), "pr_1", fmt.Sprintf("ac_%d", made)); !fault.Is(err, fault.NotFound) {
		t.Errorf("reading goes on, and finds nothing by half: %v", err)
	}
	makeRoom()
	if err := create(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("ready with room again: %v", err)
	}
}

// A database that takes no writes is not ready, although it answers.
func TestReadyWrites(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	if _, err := s.db.(*sqliteDB).writer.ExecContext(t.Context(), `PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a database that is read-only: %v", err)
	}
	if _, err := s.db.(*sqliteDB).writer.ExecContext(t.Context(), `PRAGMA query_only = 0`); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var writes int
	if err := s.db.reader().QueryRowContext(t.Context(), `SELECT count FROM write_checks`).Scan(&writes); err != nil || writes != 1 {
		t.Errorf("%d writes for five questions: %v", writes, err)
	}
}

// hanging is a database that answers nothing.
type hanging struct{ database }

func (h hanging) reader() queryer { return hangingQueryer{h.database.reader()} }

type hangingQueryer struct{ queryer }

func (q hangingQueryer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	<-ctx.Done()
	return q.queryer.QueryRowContext(ctx, query, args...)
}

// What lets requests in asks a database that hangs for a while, and not for as long as its caller would wait.
func TestHangingDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	s.patience = time.Millisecond
	s.db = hanging{s.db}
	for name, read := range map[string]func(context.Context) error{
		"a key":            func(ctx context.Context) error { _, err := s.KeyByHash(ctx, "h"); return err },
		"a session":        func(ctx context.Context) error { _, err := s.Session(ctx, "pr_1", "trs_1"); return err },
		"a session, token": func(ctx context.Context) error { _, err := s.SessionByToken(ctx, "h"); return err },
		"an account":       func(ctx context.Context) error { _, err := s.Account(ctx, "pr_1", "ca_1"); return err },
		"an auth config":   func(ctx context.Context) error { _, err := s.AuthConfig(ctx, "pr_1", "ac_1"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := read(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v", err)
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if err := read(gone); !errors.Is(err, context.Canceled) || fault.Is(err, fault.Unavailable) {
				t.Errorf("the caller left: %v", err)
			}
		})
	}
}

func TestWhatPostgresErrorsSay(t *testing.T) {
	t.Parallel()
	var db postgresDB
	coded := func(code string) error { return fmt.Errorf("read: %w", &pgconn.PgError{Code: code}) }
	for name, err := range map[string]error{
		"connection lost":     coded("08006"),
		"disk full":           coded("53100"),
		"too many clients":    coded("53300"),
		"shut down":           coded("57P01"),
		"starting":            coded("57P03"),
		"disk broken":         coded("58030"),
		"a standby":           coded("25006"),
		"connection refused":  &net.OpError{Op: "dial", Err: errors.New("connection refused")},
		"cut in the middle":   fmt.Errorf("read: %w", io.ErrUnexpectedEOF),
		"could not connect":   &pgconn.ConnectError{},
		"reset by the server": &net.OpError{Op: "read", Err: errors.New("connection reset by peer")},
	} {
		if !db.unavailable(err) {
			t.Errorf("%s is not taken for an outage", name)
		}
	}
	for name, err := range map[string]error{
		"a broken rule":    coded("23505"),
		"a wrong query":    coded("42P01"),
		"cancelled":        coded("57014"),
		"the caller left":  context.Canceled,
		"the time is over": context.DeadlineExceeded,
		"anything else":    errors.New("x"),
	} {
		if db.unavailable(err) {
			t.Errorf("%s is taken for an outage", name)
		}
	}
}
