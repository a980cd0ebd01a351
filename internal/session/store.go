package session

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// Store keeps sessions and the history of their configurations. A missing, deleted or foreign session is a fault of kind
// NotFound; so is one whose time to live has passed.
type Store interface {
	CreateSession(ctx context.Context, s Session) error // stores revision 1 too
	Session(ctx context.Context, projectID, id string) (Session, error)
	SessionByToken(ctx context.Context, tokenHash string) (Session, error)
	// UpdateSession reads, changes, raises Version and writes in one step, storing the new revision with it.
	UpdateSession(ctx context.Context, projectID, id string, update func(*Session) error) (Session, error)
	DeleteSession(ctx context.Context, projectID, id string) error
	ListSessions(ctx context.Context, projectID string, f Filter) ([]Session, connect.Page, error)
	NewestSession(ctx context.Context, projectID, userID string) (Session, error)
	Revisions(ctx context.Context, projectID, id string, limit int, cursor string) ([]Revision, connect.Page, error)
	DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error)

	// Memory gives what was noted in a task; none is no fault.
	Memory(ctx context.Context, key MemoryKey) (Memory, error)
	// UpdateMemory reads, changes and writes in one step. A session beyond MaxMemories loses the memory of the task that noted
	// nothing for the longest time. Memories are deleted with their session.
	UpdateMemory(ctx context.Context, key MemoryKey, now time.Time, update func(*Memory)) error
	// DeleteMemoriesBefore deletes those that did not change since a time, and gives how many.
	DeleteMemoriesBefore(ctx context.Context, t time.Time) (int, error)
}

// Filter narrows ListSessions; zero values do not filter. Newest first.
type Filter struct {
	UserIDs []string
	Search  string // part of an id or user id
	Limit   int
	Cursor  string
}
