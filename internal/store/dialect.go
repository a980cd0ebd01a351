package store

import (
	"context"
	"database/sql"
)

// database is what differs between SQLite and Postgres.
type database interface {
	// reader runs queries outside of any transaction. Where it pays, it keeps each text it sees prepared.
	reader() queryer
	// listReader does so for the queries of lists, whose texts are too many to be kept.
	listReader() queryer
	// write runs f in one transaction. Once it is committed, other nodes are told of the changes f announced.
	write(ctx context.Context, f func(*tx) error) error
	// violation says which rule of the schema a failed statement broke.
	violation(err error) violation
	// unavailable tells whether an error means that the database is away, full or broken, rather than that a statement is wrong.
	unavailable(err error) bool
	// alone tells whether no other process can have the database open.
	alone() bool
	ping(ctx context.Context) error
	// scrub brings it about, as far as the database can, that what was deleted or replaced is not in its files any more.
	scrub(ctx context.Context) error
	close() error
}

// queryer runs statements: the reader pool, or a transaction.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// violation is a rule of the schema that a statement broke. On says where: the name of the index or the columns, whichever
// the database tells.
type violation struct {
	unique     bool
	foreignKey bool
	text       bool // a text that the database cannot hold
	on         string
}
