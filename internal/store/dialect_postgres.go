package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
)

// Sizes of the connection pool of one node. pool_max_conns in the database URL changes the first.
const (
	postgresConns    = 16
	postgresIdleTime = 5 * time.Minute
)

// postgresNameLimit is the length in bytes of the longest name in Postgres. Channels whose names begin alike are heard
// together, which costs a few dropped caches and no more.
const postgresNameLimit = 63

// The error codes of Postgres that are told apart (its manual, appendix A).
const (
	postgresUniqueViolation     = "23505"
	postgresForeignKeyViolation = "23503"
	postgresSerialization       = "40001"
	postgresDeadlock            = "40P01"
	postgresUntranslatable      = "22P05" // a NUL character in a document
	postgresBadCharacter        = "22021" // a NUL character, or bytes that are not UTF-8
)

// postgresDB is a Postgres database that many nodes may share.
type postgresDB struct {
	pool     *sql.DB
	listener *listener
}

// openPostgres connects, brings the schema up to date and begins to listen to other nodes.
func openPostgres(ctx context.Context, o Options) (*postgresDB, error) {
	config, conns, err := parsePostgresURL(o.Database)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(postgresIdleTime)
	db, err := preparePostgres(ctx, pool, config, o)
	if err != nil {
		return nil, errors.Join(postgresOpenFault(err), pool.Close())
	}
	return db, nil
}

func preparePostgres(ctx context.Context, pool *sql.DB, config *pgx.ConnConfig, o Options) (*postgresDB, error) {
	var schema string
	if err := pool.QueryRowContext(ctx, `SELECT COALESCE(current_schema(), '')`).Scan(&schema); err != nil {
		return nil, err
	}
	if schema == "" {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "No schema of the search_path exists in the database.").
			WithFix("Create the schema, or correct search_path in the database URL.")
	}
	if err := migrate(ctx, pool, goose.DialectPostgres, goose.WithSessionLocker(migrationLock{schema})); err != nil {
		return nil, err
	}
	channel := "patchbay_" + schema
	listener, err := listen(ctx, listenerOptions{
		Config: config, Channel: channel[:min(len(channel), postgresNameLimit)], Node: id.New("node"), Bus: o.Bus, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &postgresDB{pool: pool, listener: listener}, nil
}

// parsePostgresURL reads the database URL, of which pool_max_conns is ours.
func parsePostgresURL(text string) (*pgx.ConnConfig, int, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, fault.SlugInvalid, "The database URL cannot be read."). // err would quote the password
														WithFix("Write it as postgres://user:password@host:5432/name, with special characters in %%XX form.")
	}
	conns, query := postgresConns, u.Query()
	if given := query.Get("pool_max_conns"); given != "" {
		if conns, err = strconv.Atoi(given); err != nil || conns < 2 {
			return nil, 0, fault.New(fault.Invalid, fault.SlugInvalid, "pool_max_conns in the database URL is %q; it must be a number from 2.", given)
		}
		query.Del("pool_max_conns")
		u.RawQuery = query.Encode()
	}
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, 0, fmt.Errorf("read the database URL: %w", err) // pgx redacts the password
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "patchbay"
	}
	return config, conns, nil
}

// migrationLock makes nodes that start together migrate one after the other. The lock is per schema.
type migrationLock struct{ schema string }

func (l migrationLock) id() int64 {
	sum := fnv.New64a()
	sum.Write([]byte("patchbay migrations in " + l.schema))
	return int64(sum.Sum64())
}

// SessionLock implements lock.SessionLocker.
func (l migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, l.id())
	return err
}

// SessionUnlock implements lock.SessionLocker.
func (l migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, l.id())
	return err
}

func (db *postgresDB) reader() queryer { return db.pool } // pgx keeps the texts it has seen lately prepared

func (db *postgresDB) listReader() queryer { return db.pool }

// postgresTries bounds how often a transaction is repeated that Postgres gave up in favour of another.
const postgresTries = 10

func (db *postgresDB) write(ctx context.Context, f func(*tx) error) error {
	var err error
	for range postgresTries {
		err = db.writeOnce(ctx, f)
		if code := postgresCode(err); code != postgresDeadlock && code != postgresSerialization {
			break
		}
	}
	return err
}

// writeOnce runs f in one transaction. The word for the other nodes is part of it: it goes out exactly if what it tells of was
// committed.
func (db *postgresDB) writeOnce(ctx context.Context, f func(*tx) error) error {
	begun, err := db.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer begun.Rollback() // does nothing after the commit
	t := &tx{ctx: ctx, queryer: begun}
	if err := f(t); err != nil {
		return err
	}
	if err := db.listener.tell(t); err != nil {
		return err
	}
	return begun.Commit()
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func (db *postgresDB) violation(err error) violation {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return violation{}
	}
	return violation{
		unique:     e.Code == postgresUniqueViolation,
		foreignKey: e.Code == postgresForeignKeyViolation,
		text:       e.Code == postgresBadCharacter || e.Code == postgresUntranslatable,
		on:         e.ConstraintName,
	}
}

func (db *postgresDB) alone() bool { return false }

func (db *postgresDB) ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// scrub does nothing: rows that were replaced go when Postgres vacuums, and its own log when it is archived or reused.
func (db *postgresDB) scrub(context.Context) error { return nil }

func (db *postgresDB) close() error {
	db.listener.close()
	return db.pool.Close()
}
