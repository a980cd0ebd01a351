package store

import (
	"context"
	"database/sql"
	"sync"
)

// preparedLimit bounds how many statements stay prepared. There are fewer texts than this: those that vary (lists) are not
// kept.
const preparedLimit = 200

// prepared keeps statements of one pool prepared, which database/sql does not do for SQLite by itself (and pgx does for
// Postgres): to parse a point read costs as much as to run it. Safe for concurrent use.
type prepared struct {
	db *sql.DB

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared {
	return &prepared{db: db, statements: make(map[string]*sql.Stmt)}
}

// get gives the statement of a text; nil when it is not prepared.
func (p *prepared) get(text string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.statements[text]
}

// learn prepares a text, if there is room. A text that cannot be prepared is left to fail where it is used.
func (p *prepared) learn(text string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	if statement := p.statements[text]; statement != nil || len(p.statements) >= preparedLimit {
		return statement
	}
	statement, err := p.db.Prepare(text) //nolint:noctx,sqlclosecheck // it is kept, so it must not end with the caller
	if err != nil {
		return nil
	}
	p.statements[text] = statement
	return statement
}

// preparedReader is a pool of readers whose statements are prepared on first use.
type preparedReader struct {
	*sql.DB
	prepared *prepared
}

// QueryContext implements queryer.
func (r preparedReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if statement := r.statement(query); statement != nil { //nolint:sqlclosecheck // it is kept for the next time
		return statement.QueryContext(ctx, args...)
	}
	return r.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext implements queryer.
func (r preparedReader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if statement := r.statement(query); statement != nil { //nolint:sqlclosecheck // it is kept for the next time
		return statement.QueryRowContext(ctx, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...)
}

func (r preparedReader) statement(query string) *sql.Stmt {
	if statement := r.prepared.get(query); statement != nil {
		return statement
	}
	return r.prepared.learn(query)
}

// preparedTx runs the statements of a transaction, prepared ones where it can. The others are noted: while the transaction
// has the only connection of its pool, nothing can be prepared.
type preparedTx struct {
	*sql.Tx
	prepared *prepared
	unknown  []string
}

// ExecContext implements queryer.
func (t *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if statement := t.prepared.get(query); statement != nil {
		return t.StmtContext(ctx, statement).ExecContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
	}
	t.unknown = append(t.unknown, query)
	return t.Tx.ExecContext(ctx, query, args...)
}

// learn prepares the noted statements for the next transaction. Call it when this one is over.
func (t *preparedTx) learn() {
	for _, text := range t.unknown {
		t.prepared.learn(text)
	}
}
