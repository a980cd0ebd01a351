package tenant

import (
	"context"
	"time"
)

// Store keeps projects and keys. A missing row is a fault of kind NotFound.
type Store interface {
	EnsureProject(ctx context.Context, p Project) (Project, error) // keeps an existing one of the same name
	ListProjects(ctx context.Context) ([]Project, error)           // oldest first
	CreateKey(ctx context.Context, k Key) error                    // Conflict when the key exists, in whatever project
	KeyByHash(ctx context.Context, hash string) (Key, error)
	ListKeys(ctx context.Context, projectID string) ([]Key, error)
	RevokeKey(ctx context.Context, projectID, keyID string, at time.Time) (Key, error) // keeps an earlier revocation
}
