package execute

import (
	"context"
	"time"
)

// Store keeps the execution log and the answers that idempotency keys replay.
type Store interface {
	AppendLogs(ctx context.Context, entries []LogEntry) error
	Log(ctx context.Context, projectID, id string) (LogEntry, error)
	DeleteLogsBefore(ctx context.Context, t time.Time) (int, error)

	// BeginIdempotent claims a key. First reports whether the caller must do the work; if not, done says whether the
	// answer is there (it is then returned) or the first call is still running.
	BeginIdempotent(ctx context.Context, projectID, key, fingerprint string, now time.Time) (prior Idempotent, first bool, err error)
	FinishIdempotent(ctx context.Context, projectID, key string, answer []byte) error
	DropIdempotent(ctx context.Context, projectID, key string) error
	DeleteIdempotentBefore(ctx context.Context, t time.Time) (int, error)
}

// Idempotent is what is known under an idempotency key.
type Idempotent struct {
	Fingerprint string // hash of tool, user and arguments: another call under the same key is an error
	Answer      []byte // encoded Result; nil while the first call still runs; sealed at rest
	CreatedAt   time.Time
}
