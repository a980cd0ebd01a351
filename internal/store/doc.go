// Package store keeps the state of all nouns in SQL: one *Store satisfies the Store interface of every noun package and the
// keyring's KeysetStore, on SQLite (one process) and on Postgres (many nodes).
//
// It owns the schema (migrations/), the query texts (one file per noun, one text for both databases), the sealing of secret
// columns, cursors, compare-and-swap, and telling the notify.Bus what changed, after it was committed. What differs between
// the two databases is in dialect_sqlite.go and dialect_postgres.go, and nowhere else.
//
// It owns no rules: what a state means, who may do what and when is decided by the nouns. Nouns never import it. Every query
// is scoped by project, but for the few that look up a hash of 256 random bits or work for all projects.
package store
